//! The host's links and addresses, kept current from the kernel's notifications.

use std::net::IpAddr;

use lvs_core::addr::{Family, Mac};
use lvs_core::sys::netlink::NetlinkError;
use lvs_core::sys::rtnl::{Address, Change, Link, Rtnl};

/// IFA_F_SECONDARY: an IPv4 address that came after another of its network.
const SECONDARY: u32 = 0x01;

/// What the kernel said last.
#[derive(Clone, Debug, Default)]
pub struct Host {
    links: Vec<Link>,
    addresses: Vec<Address>,
}

impl Host {
    /// Reads all links and addresses.
    ///
    /// # Errors
    /// What the kernel says.
    pub fn read(rtnl: &mut Rtnl) -> Result<Self, NetlinkError> {
        Ok(Self { links: rtnl.links()?, addresses: rtnl.addresses()? })
    }

    /// All links.
    pub fn links(&self) -> &[Link] {
        &self.links
    }

    /// The link of that name.
    pub fn link(&self, name: &str) -> Option<&Link> {
        self.links.iter().find(|l| l.name == name)
    }

    /// The link of that index.
    pub fn link_at(&self, index: u32) -> Option<&Link> {
        self.links.iter().find(|l| l.index == index)
    }

    /// The Ethernet address of a link that uses ARP.
    pub fn mac(&self, index: u32) -> Option<Mac> {
        self.link_at(index).filter(|l| l.arp).and_then(|l| l.mac)
    }

    /// The addresses that are set.
    pub fn addresses(&self) -> &[Address] {
        &self.addresses
    }

    /// Whether an address is set on a link.
    pub fn has(&self, link: u32, addr: IpAddr) -> bool {
        self.addresses.iter().any(|a| a.link == link && a.prefix.addr == addr)
    }

    /// The address that advertisements carry: the first of the link, IPv6 the first link-local one (RFC 9568
    /// 5.1.2.1). `vip` says which are none of the host's own.
    pub fn primary(&self, link: u32, family: Family, vip: impl Fn(IpAddr) -> bool) -> Option<IpAddr> {
        let own = |a: &&Address| {
            a.link == link
                && Family::of(a.prefix.addr) == family
                && a.flags & (Address::TENTATIVE | Address::DADFAILED) == 0
                && !vip(a.prefix.addr)
        };
        let mut candidates = self.addresses.iter().filter(own);
        match family {
            Family::Inet => {
                let first = candidates.clone().find(|a| a.flags & SECONDARY == 0);
                first.or_else(|| candidates.next())
            }
            Family::Inet6 => candidates.find(|a| a.scope == Address::LINK),
        }
        .map(|a| a.prefix.addr)
    }

    /// Takes over one change; after [`Change::Lost`] everything must be read anew.
    pub fn apply(&mut self, change: &Change) {
        match change {
            Change::Link(l) => {
                self.links.retain(|old| old.index != l.index);
                self.links.push(l.clone());
            }
            Change::LinkGone(l) => {
                self.links.retain(|old| old.index != l.index);
                self.addresses.retain(|a| a.link != l.index);
            }
            Change::Address(a) => match self.addresses.iter_mut().find(|old| same(old, a)) {
                Some(old) => *old = a.clone(),
                None => self.addresses.push(a.clone()),
            },
            Change::AddressGone(a) => self.addresses.retain(|old| !same(old, a)),
            Change::Lost => (),
        }
    }
}

fn same(a: &Address, b: &Address) -> bool {
    (a.link, a.prefix, a.peer) == (b.link, b.prefix, b.peer)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(link: u32, text: &str) -> Address {
        let mut a = Address::new(link, text.parse().unwrap());
        if text.starts_with("fe80") {
            a.scope = Address::LINK;
        }
        a
    }

    #[test]
    fn the_primary_address_is_the_host_s_own() {
        let mut host = Host::default();
        for (link, text) in [
            (2, "192.168.15.111/32"),
            (3, "10.0.0.1/8"),
            (2, "192.168.15.100/21"),
            (2, "2001:db8::1/64"),
            (2, "fe80::1/64"),
        ] {
            host.apply(&Change::Address(address(link, text)));
        }
        let vip: IpAddr = "192.168.15.111".parse().unwrap();
        let primary = |family| host.primary(2, family, |a| a == vip).map(|a| a.to_string());
        assert_eq!(primary(Family::Inet).as_deref(), Some("192.168.15.100"));
        assert_eq!(primary(Family::Inet6).as_deref(), Some("fe80::1"));
        host.apply(&Change::AddressGone(address(2, "192.168.15.100/21")));
        assert_eq!(host.primary(2, Family::Inet, |a| a == vip), None);
    }

    #[test]
    fn a_link_takes_its_addresses_with_it() {
        let mut host = Host::default();
        let link = Link { index: 2, name: "ens192".to_owned(), ..Link::default() };
        host.apply(&Change::Link(link.clone()));
        host.apply(&Change::Address(address(2, "192.168.15.100/21")));
        assert!(host.has(2, "192.168.15.100".parse().unwrap()));
        host.apply(&Change::LinkGone(link));
        assert!(host.link("ens192").is_none());
        assert!(host.addresses().is_empty());
    }
}
