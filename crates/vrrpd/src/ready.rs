//! When an IPv6 address is in use.
//!
//! The kernel accepts one at once, but leaves it to a work queue to take it into use, with duplicate address detection or
//! without (addrconf_dad_start in net/ipv6/addrconf.c): until then it drops what comes for it. Whoever tells the hosts where
//! the address is before that loses what they send.

use std::net::IpAddr;
use std::time::Duration;

use lvs_core::sys::clock;
use lvs_core::sys::poll::Poll;
use lvs_core::sys::rtnl::{RouteKind, Rtnl};

/// Most addresses are in use after a fraction of this.
const AGAIN: Duration = Duration::from_micros(100);
/// The work queue needs the lock of all network settings (rtnl), which others hold for milliseconds. The advertisements of
/// other instances wait meanwhile.
const LONGEST: Duration = Duration::from_millis(50);

/// Waits until these addresses are in use, for a twentieth of a second at most.
pub fn wait(rtnl: &mut Rtnl, addresses: impl Iterator<Item = IpAddr>) {
    let mut addresses = addresses.filter(is_waited_for).peekable();
    if addresses.peek().is_none() {
        return;
    }
    let (end, Ok(mut poll)) = (clock::now() + LONGEST, Poll::new()) else { return };
    for addr in addresses {
        while !is_in_use(rtnl, addr) {
            let next = clock::now() + AGAIN;
            if next > end || poll.wait(Some(next), &mut Vec::new()).is_err() {
                return;
            }
        }
    }
}

/// A link-local address is in use on its own link, which no question of a route names.
fn is_waited_for(addr: &IpAddr) -> bool {
    matches!(addr, IpAddr::V6(six) if !six.is_unicast_link_local())
}

/// Then it has a local route; without one the kernel may know no route to it at all, which is an error.
fn is_in_use(rtnl: &mut Rtnl, addr: IpAddr) -> bool {
    matches!(rtnl.route_to(addr), Ok(Some(route)) if route.kind == RouteKind::Local)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_ipv6_addresses_of_more_than_one_link_are_waited_for() {
        for (addr, waited) in
            [("192.0.2.1", false), ("fe80::1", false), ("2001:db8::1", true), ("fd00::1", true)]
        {
            assert_eq!(is_waited_for(&addr.parse().unwrap()), waited, "{addr}");
        }
    }
}
