//! Which of this host's addresses a frame for a VIP comes from.

use std::collections::BTreeSet;
use std::net::IpAddr;

use lvs_core::sys::rtnl::Address;

/// The address of an interface to ask a real server from where the kernel would take a VIP: one in its network if there is
/// one, else any that is good beyond the link. None that is a VIP: the real server holds that itself, and would answer itself.
pub(super) fn choose(all: &[Address], link: u32, rip: IpAddr, vips: &BTreeSet<IpAddr>) -> Option<IpAddr> {
    let usable = |a: &&Address| {
        a.link == link
            && a.prefix.addr.is_ipv4() == rip.is_ipv4()
            && a.flags & (Address::TENTATIVE | Address::DADFAILED) == 0
            && !vips.contains(&a.prefix.addr)
    };
    let own = || all.iter().filter(usable);
    let near = own().find(|a| a.prefix.contains(rip));
    near.or_else(|| own().find(|a| a.scope == Address::GLOBAL)).map(|a| a.prefix.addr)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn on(link: u32, prefix: &str) -> Address {
        Address::new(link, prefix.parse().unwrap())
    }

    fn chosen(all: &[Address], rip: &str) -> Option<String> {
        let vips = ["fd00::100", "10.0.0.100"].map(|vip| vip.parse().unwrap()).into();
        choose(all, 2, rip.parse().unwrap(), &vips).map(|a| a.to_string())
    }

    #[test]
    fn the_nearest_that_is_no_vip() {
        let local = Address { scope: Address::LINK, ..on(2, "fe80::1/64") };
        let late = Address { flags: Address::TENTATIVE, ..on(2, "fd00::103/64") };
        let all = [
            on(2, "fd00::100/128"),
            local,
            on(3, "fd00::102/64"),
            late,
            on(2, "2001:db8::1/64"),
            on(2, "fd00::101/64"),
            on(2, "10.0.0.100/24"),
            on(2, "10.1.0.1/24"),
        ];
        assert_eq!(chosen(&all, "fd00::1").as_deref(), Some("fd00::101"));
        assert_eq!(chosen(&all, "fe80::9").as_deref(), Some("fe80::1"));
        assert_eq!(chosen(&all, "10.0.0.1").as_deref(), Some("10.1.0.1"), "in no network of its own");
        assert_eq!(chosen(&all[..4], "fd00::1"), None, "a link's own address is no source beyond it");
        assert_eq!(chosen(&all[..7], "10.0.0.1"), None);
    }
}
