//! Why the daemon cannot begin, in words.

use std::io;

use lvs_core::sys::rtnl::Link;

use crate::holder::{Holder, taken};
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

pub(super) fn occupied(name: &str, e: &io::Error) -> String {
    if e.kind() == io::ErrorKind::AddrInUse {
        let ours = format!(
            "another vrrpd runs in this network namespace (@{name}): 'vrrpd status' asks it; --socket gives a second one another name"
        );
        return taken(name, &format!("@{name}"), Holder::of(name), &ours);
    }
    format!("cannot listen at @{name}: {e}")
}

pub(crate) fn cannot(what: &str, e: &io::Error) -> String {
    if e.kind() == io::ErrorKind::PermissionDenied {
        return format!("cannot {what}: {e}: vrrpd needs CAP_NET_RAW and CAP_NET_ADMIN (run it as root)");
    }
    format!("cannot {what}: {e}")
}
