//! Which addresses of a NIC stay where they are: those without which the host, or the cluster, would be cut off.

use std::net::IpAddr;

use lvs_core::addr::Family;
use lvs_core::sys::sysctl::Key;
use lvs_core::table::ServiceKey;

use super::{Asked, Seen};
use crate::host::{Held, HostState, Nic, RouteTo};
use crate::shell::word;

/// Why `--fix` leaves an address on its NIC.
pub(super) struct Stay {
    /// The reason.
    pub(super) why: String,
    /// What an admin who knows better has to type before it goes.
    pub(super) before: Option<String>,
}

/// Why an address must not be taken from its NIC without asking; none if nothing hangs on it.
pub(super) fn reason(host: &HostState, asked: &Asked, seen: &Seen, held: &Held) -> Option<Stay> {
    let (device, prefix) = (&held.device, held.prefix);
    if let Some(sign) = director(host, seen, held) {
        let why = format!("{sign}, so this host looks like a director; if it is a real server after all");
        return Some(Stay { why, before: None });
    }
    let company = Company::of(host, asked, held);
    if let Some(other) = company.goes_with_it() {
        let why = format!("{} would go with it, as promote_secondaries is 0 for {device}", other.prefix);
        let set = word(&format!("{}=1", Key::conf(Family::Inet, device, "promote_secondaries"))).into_owned();
        return Some(Stay { why, before: Some(format!("sysctl -w {set}")) });
    }
    if company.is_only() {
        let why = format!(
            "it is the only address or network of {device} (is it a VIP at all?), so first give {device} another one"
        );
        return Some(Stay {
            why,
            before: Some(format!("ip address add RIP/{} dev {}", prefix.len, word(device))),
        });
    }
    if let Some(route) = company.route_that_needs_it() {
        let why = format!("the route to {} by {device} would go with it, so first replace that", route.to);
        let replace = format!("ip route replace {} via ROUTER dev {} src RIP", route.to, word(device));
        return Some(Stay { why, before: Some(replace) });
    }
    let why = format!("it is the main address of {device}, the sender of this host's own connections");
    company.is_first().then_some(Stay { why, before: None })
}

/// What tells that this host is a director for the address.
fn director(host: &HostState, seen: &Seen, held: &Held) -> Option<String> {
    if let Some(daemon) = seen.director_daemons.first() {
        return Some(format!("{daemon} runs here"));
    }
    let addr = held.prefix.addr;
    let scheduled = |key: &ServiceKey| matches!(key, ServiceKey::Addr { vip, .. } if vip.addr == addr);
    let also_quiet = host.holding(addr).any(|held| host.is_quiet(&held.device));
    (!also_quiet && seen.own_table.services.keys().any(scheduled))
        .then(|| format!("IPVS here has a service for {addr}"))
}

/// An address of a NIC among the others of its family that are to stay there.
struct Company<'a> {
    host: &'a HostState,
    held: &'a Held,
    others: Vec<&'a Held>,
}

impl<'a> Company<'a> {
    fn of(host: &'a HostState, asked: &Asked, held: &'a Held) -> Self {
        let stays = |other: &&Held| {
            other.device == held.device
                && other.prefix.addr.is_ipv4() == held.prefix.addr.is_ipv4()
                && !is_link_local(other.prefix.addr)
                && !asked.vips.iter().any(|vip| vip.addr == other.prefix.addr)
        };
        Self { host, held, others: host.addresses.iter().filter(stays).collect() }
    }

    /// Whether the NIC has no other address, or no other network.
    fn is_only(&self) -> bool {
        let network = |held: &Held| !held.prefix.is_host();
        self.others.is_empty() || (network(self.held) && !self.others.iter().any(|other| network(other)))
    }

    /// Whether the kernel takes it first as the sender; IPv6 has rules of its own (RFC 6724).
    fn is_first(&self) -> bool {
        let on_it = |other: &&Held| other.device == self.held.device && other.prefix.addr.is_ipv4();
        self.host.addresses.iter().find(on_it) == Some(self.held)
    }

    /// An address that the kernel drops together with it.
    fn goes_with_it(&self) -> Option<&Held> {
        // The kernel takes the one or the other (IN_DEV_PROMOTE_SECONDARIES).
        let promotes =
            |nic: &Nic| nic.settings.promotes_secondaries.max(self.host.all.promotes_secondaries) != 0;
        if self.held.secondary || self.host.nic(&self.held.device).is_some_and(promotes) {
            return None;
        }
        let same = |other: &&&Held| {
            other.secondary
                && other.prefix.len == self.held.prefix.len
                && other.prefix.contains(self.held.prefix.addr)
        };
        self.others.iter().find(same).copied()
    }

    /// A route whose gateway only its network reaches, or that has it as its source.
    fn route_that_needs_it(&self) -> Option<&RouteTo> {
        let held = self.held;
        self.host.routes.iter().filter(|route| route.device == held.device && !route.by_kernel).find(
            |route| {
                let alone = |gateway| {
                    held.prefix.contains(gateway)
                        && !self.others.iter().any(|other| other.prefix.contains(gateway))
                };
                route.source == Some(held.prefix.addr) || route.gateway.is_some_and(alone)
            },
        )
    }
}

/// One that every IPv6 interface has, and that reaches no other network.
fn is_link_local(addr: IpAddr) -> bool {
    matches!(addr, IpAddr::V6(addr) if addr.segments()[0] & 0xffc0 == 0xfe80)
}
