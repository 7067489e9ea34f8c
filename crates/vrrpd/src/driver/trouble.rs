//! Why the daemon cannot begin, in words.

use std::io;

use crate::host::Host;
use crate::spec::{Setup, Spec};

/// Interfaces that are missing, all at once.
pub(super) fn check_interfaces(setup: &Setup, host: &Host) -> Result<(), String> {
    if setup.dynamic_interfaces {
        return Ok(());
    }
    let missing = |s: &&Spec| host.link(&s.interface).is_none();
    let lines: Vec<String> = setup
        .instances
        .iter()
        .filter(missing)
        .map(|s| format!("{}: there is no interface '{}' ('ip link' lists them; with dynamic_interfaces vrrpd waits for it)", s.name, s.interface))
        .collect();
    if lines.is_empty() { Ok(()) } else { Err(lines.join("\n")) }
}

pub(super) fn occupied(name: &str, e: &io::Error) -> String {
    if e.kind() == io::ErrorKind::AddrInUse {
        return format!(
            "another vrrpd runs in this network namespace (@{name}): 'vrrpd status' asks it; --socket gives a second one another name"
        );
    }
    format!("cannot listen at @{name}: {e}")
}

pub(super) fn cannot(what: &str, e: &io::Error) -> String {
    if e.kind() == io::ErrorKind::PermissionDenied {
        return format!("cannot {what}: {e}: vrrpd needs CAP_NET_RAW and CAP_NET_ADMIN (run it as root)");
    }
    format!("cannot {what}: {e}")
}
