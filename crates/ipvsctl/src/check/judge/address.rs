//! Addresses that the kernel refuses as a real server's.

use std::net::IpAddr;

use lvs_core::addr::{Endpoint, Family};
use lvs_core::conf::Severity;
use lvs_core::table::{Forward, Server, ServiceKey};

use super::{Judge, Reach};

impl Judge<'_> {
    /// Whether something is said about the address, so that ways to it do not matter.
    pub(super) fn address(
        &mut self,
        key: ServiceKey,
        endpoint: Endpoint,
        server: &Server,
        reach: Option<Reach>,
    ) -> bool {
        let addr = endpoint.addr;
        if let Some(what) = unfit(addr, reach) {
            let text = format!("{addr} is {what}: the kernel refuses it");
            self.add(
                Severity::Error,
                "bad-server",
                key,
                Some(endpoint),
                &text,
                "write the address of a host",
            );
            return true;
        }
        let (own, service) = (Family::of(addr), key.family());
        if own != service && !matches!(server.forward, Forward::Tunnel(_)) {
            let text = format!(
                "an {} real server of an {} service needs a tunnel: the kernel refuses it",
                own.name(),
                service.name()
            );
            let help = "use a tunnel (TUN, -i), or a real server of the service's family";
            self.add(Severity::Error, "other-family", key, Some(endpoint), &text, help);
            return true;
        }
        // Where the host is known it has told the way.
        if addr.is_loopback() && reach.is_none() {
            let text = "it is a loopback address: each director delivers to itself";
            self.add(Severity::Warning, "own-address", key, Some(endpoint), text, "");
            return true;
        }
        false
    }
}

/// What an address is that is no host's; see `ip_vs_new_dest` and `ip_vs_genl_set_cmd`. An IPv6 address of the director
/// itself may be link-local.
fn unfit(addr: IpAddr, reach: Option<Reach>) -> Option<&'static str> {
    match addr {
        _ if addr.is_multicast() => Some("a multicast address"),
        _ if addr.is_unspecified() => Some("no address of a host"),
        IpAddr::V4(a) if a.is_broadcast() => Some("the broadcast address"),
        IpAddr::V6(a) if a.is_unicast_link_local() && reach != Some(Reach::Local) => {
            Some("a link-local address, which does not say its network")
        }
        _ => None,
    }
}
