//! Why the daemon cannot begin, in words.

use std::io;

use lvs_core::sys::rtnl::Link;

use crate::host::Host;
use crate::spec::{Setup, Spec};
use crate::vmac;

/// Why the daemon does not begin.
#[derive(Debug)]
pub struct Refusal {
    /// For the administrator.
    pub text: String,
    /// Another attempt may find it otherwise, though nobody has changed the file.
    pub may_pass: bool,
}

impl From<String> for Refusal {
    fn from(text: String) -> Self {
        Self { text, may_pass: false }
    }
}

/// Interfaces that are missing, or in the way, all at once. A missing one may come: those of a tunnel or a bond are later than
/// the network is online.
pub(super) fn check_interfaces(setup: &Setup, host: &Host) -> Result<(), Refusal> {
    let missing = |s: &&Spec| !setup.dynamic_interfaces && host.link(&s.interface).is_none();
    let occupied = |s: &Spec| {
        let another = |l: &&Link| !vmac::is_macvlan(l) && s.vmacs().any(|v| v.name == l.name);
        host.links().iter().find(another).map(|l| {
            format!(
                "{}: the interface '{}' is there already and no macvlan: give use_vmac another name",
                s.name, l.name
            )
        })
    };
    let occupied: Vec<String> = setup.instances.iter().filter_map(occupied).collect();
    let may_pass = occupied.is_empty();
    let lines: Vec<String> = setup
        .instances
        .iter()
        .filter(missing)
        .map(|s| format!("{}: there is no interface '{}' ('ip link' lists them; with dynamic_interfaces vrrpd waits for it)", s.name, s.interface))
        .chain(occupied)
        .collect();
    if lines.is_empty() { Ok(()) } else { Err(Refusal { text: lines.join("\n"), may_pass }) }
}

pub(super) fn occupied(name: &str, e: &io::Error) -> Refusal {
    match e.kind() {
        io::ErrorKind::AddrInUse => Refusal::from(format!(
            "another vrrpd runs in this network namespace ({name}, {e}): 'vrrpd status' asks it; --socket gives a second one another name"
        )),
        _ => cannot("take its place", e),
    }
}

/// A right that is missing is missing the next time too; a shortage of descriptors or memory, or a list of links that changed
/// while it was read, is not.
pub(crate) fn cannot(what: &str, e: &io::Error) -> Refusal {
    if e.kind() == io::ErrorKind::PermissionDenied {
        let text = format!("cannot {what}: {e}: vrrpd needs CAP_NET_RAW and CAP_NET_ADMIN (run it as root)");
        return Refusal { text, may_pass: false };
    }
    Refusal { text: format!("cannot {what}: {e}"), may_pass: true }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_right_that_is_missing_keeps_the_unit_from_another_attempt() {
        let tried = |errno: nix::errno::Errno| cannot("open sockets", &errno.into());
        for errno in [nix::errno::Errno::EMFILE, nix::errno::Errno::ENOMEM, nix::errno::Errno::EINTR] {
            assert!(tried(errno).may_pass, "{errno}");
        }
        for errno in [nix::errno::Errno::EPERM, nix::errno::Errno::EACCES] {
            let refusal = tried(errno);
            assert!(!refusal.may_pass && refusal.text.contains("CAP_NET_RAW"), "{errno}: {refusal:?}");
        }
    }
}
