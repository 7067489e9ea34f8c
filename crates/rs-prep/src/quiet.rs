//! When a host is silent about its VIPs in ARP, and which settings make it so.
//!
//! A VIP on `lo` is answered for on every interface (Linux' weak host model), so the settings of `all` decide
//! and `lo`'s own do nothing. The kernel takes the *larger number* of `all` and the interface, and larger is not
//! stricter: arp_ignore 3 to 7 let a VIP of global scope through, and so does any arp_announce but 2.

use lvs_core::addr::Family;
use lvs_core::sys::sysctl::Key;

use crate::host::{HostState, Nic};
use crate::step::Step;

/// The value that `up` writes: answer only for addresses of the interface itself.
pub const IGNORE: i32 = 1;
/// The value that `up` writes: always use the best local address, never the VIP, as the sender.
pub const ANNOUNCE: i32 = 2;

/// How an interface fails to be silent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leak {
    /// ARP requests for the VIP are answered; the arp_ignore in effect.
    Answers(i32),
    /// No ARP request is answered at all, not even for the real server's own address (arp_ignore 8).
    Mute,
    /// The host's own ARP requests carry the VIP as their sender; the arp_announce in effect.
    Announces(i32),
}

/// What is wrong with arp_ignore and arp_announce in effect on an interface.
pub fn leaks(host: &HostState, nic: &Nic) -> Vec<Leak> {
    let mut found = Vec::new();
    match host.ignore_in_effect(nic) {
        1 | 2 => {}
        8 => found.push(Leak::Mute),
        other => found.push(Leak::Answers(other)),
    }
    match host.announce_in_effect(nic) {
        ANNOUNCE => {}
        other => found.push(Leak::Announces(other)),
    }
    found
}

/// The settings that make the host silent: `all`, which covers interfaces that come later, and each interface
/// that speaks ARP, if it has a harmful value, or an IPv4 address and is not silent yet; then a later `all=0` does no
/// harm. What is in effect already is not written: /proc/sys may be read-only.
pub fn settings(host: &HostState) -> Vec<Step> {
    let mut steps = Vec::new();
    set(&mut steps, "all", "arp_announce", host.all.arp_announce, ANNOUNCE);
    // A stricter 2 of the admin's is as silent.
    if !matches!(host.all.arp_ignore, 1 | 2) {
        set(&mut steps, "all", "arp_ignore", host.all.arp_ignore, IGNORE);
    }
    for nic in host.speakers() {
        let (own, has_ipv4) = (&nic.settings, host.has_ipv4(&nic.name));
        if own.arp_announce > ANNOUNCE || (has_ipv4 && host.announce_in_effect(nic) != ANNOUNCE) {
            set(&mut steps, &nic.name, "arp_announce", own.arp_announce, ANNOUNCE);
        }
        let silent = matches!(host.ignore_in_effect(nic), 1 | 2);
        if own.arp_ignore > 2 || (own.arp_ignore == 0 && has_ipv4 && !silent) {
            set(&mut steps, &nic.name, "arp_ignore", own.arp_ignore, IGNORE);
        }
    }
    steps
}

/// Appends the step that gives a setting its value, if it has another.
pub fn set(steps: &mut Vec<Step>, interface: &str, name: &str, from: i32, to: i32) {
    if from != to {
        steps.push(Step::Set { key: Key::conf(Family::Inet, interface, name), from, to });
    }
}
