//! Links, addresses and routes over rtnetlink.

mod address;
mod link;
mod losses;
mod monitor;
mod neighbour;
mod route;
mod rule;

pub use address::Address;
pub use link::Link;
pub use losses::Losses;
pub use monitor::{Change, Monitor};
pub use neighbour::{Neighbour, Proxy};
pub use route::{Flow, Route, RouteKind};
pub use rule::Mute;

use std::io;

use neli::consts::rtnl::Rtm;

use super::netlink::{CREATE, DumpEnd, EXCL, Message, Netlink, NetlinkError, REPLACE};
use crate::addr::{Family, Mac};

/// How often a list that changes while it is read is asked for again.
const DUMP_TRIES: usize = 8;

/// A conversation with the kernel about its links, addresses and routes.
pub struct Rtnl {
    netlink: Netlink,
}

impl Rtnl {
    /// Opens the socket; reading needs no rights, changing needs CAP_NET_ADMIN.
    pub fn open() -> io::Result<Self> {
        Ok(Self { netlink: Netlink::route()? })
    }

    /// All links of this network namespace.
    pub fn links(&mut self) -> Result<Vec<Link>, NetlinkError> {
        self.list(Rtm::Getlink, &[0; link::HEADER], |m| Link::decode(m.body))
    }

    /// The link of this name, if there is one.
    pub fn link(&mut self, name: &str) -> Result<Option<Link>, NetlinkError> {
        Ok(self.links()?.into_iter().find(|l| l.name == name))
    }

    /// The link of this index.
    ///
    /// # Errors
    /// ENODEV: there is none.
    pub fn link_at(&mut self, index: u32) -> Result<Option<Link>, NetlinkError> {
        let answer = self.netlink.request(u16::from(Rtm::Getlink), 0, &Link::at(index))?;
        Ok(answer.and_then(|body| Link::decode(&body)))
    }

    /// Switches a link on or off.
    pub fn set_up(&mut self, link: u32, up: bool) -> Result<(), NetlinkError> {
        self.change(Rtm::Newlink, 0, &Link::switch(link, up))
    }

    /// Makes a virtual link of a kind (`ipip`, `dummy`), with the kernel's defaults; the kernel loads the kind's module.
    /// EEXIST: the module brought a link of this name with it, as those of tunnels do.
    pub fn add_link(&mut self, name: &str, kind: &str) -> Result<(), NetlinkError> {
        self.change(Rtm::Newlink, CREATE | EXCL, &Link::create(name, kind))
    }

    /// Makes a macvlan with this MAC address on a link.
    pub fn add_macvlan(&mut self, name: &str, on: u32, mac: Mac) -> Result<(), NetlinkError> {
        self.change(Rtm::Newlink, CREATE | EXCL, &Link::macvlan(name, on, mac))
    }

    /// Lets nothing leave a link any more, whoever sends it: the kernel's own answers and reports too. It goes on hearing.
    pub fn silence(&mut self, link: u32) -> Result<(), NetlinkError> {
        self.change(Rtm::Newqdisc, CREATE | REPLACE, &Link::blackhole(link))
    }

    /// Ends [`Rtnl::silence`]. EINVAL: the link was not silent.
    pub fn unsilence(&mut self, link: u32) -> Result<(), NetlinkError> {
        self.change(Rtm::Delqdisc, 0, &Link::blackhole(link))
    }

    /// Removes a virtual link.
    pub fn remove_link(&mut self, link: u32) -> Result<(), NetlinkError> {
        self.change(Rtm::Dellink, 0, &Link::at(link))
    }

    /// All addresses of both families.
    pub fn addresses(&mut self) -> Result<Vec<Address>, NetlinkError> {
        self.list(Rtm::Getaddr, &[0; address::HEADER], |m| Address::decode(m.body))
    }

    /// All routes of a family, in every table; one with several next hops is there once for each of them.
    pub fn routes(&mut self, family: Family) -> Result<Vec<Route>, NetlinkError> {
        let mut body = [0; route::HEADER];
        body[0] = family.number().to_le_bytes()[0];
        self.list(Rtm::Getroute, &body, |m| Route::decode_each(m.body))
    }

    /// Adds an address. EEXIST: the link has it already.
    pub fn add_address(&mut self, address: &Address) -> Result<(), NetlinkError> {
        self.change(Rtm::Newaddr, CREATE | EXCL, &address.encode())
    }

    /// Removes an address. EADDRNOTAVAIL: the link does not have it.
    pub fn remove_address(&mut self, address: &Address) -> Result<(), NetlinkError> {
        self.change(Rtm::Deladdr, 0, &address.encode())
    }

    /// Adds a route. EEXIST: it is there.
    pub fn add_route(&mut self, route: &Route) -> Result<(), NetlinkError> {
        self.change(Rtm::Newroute, CREATE | EXCL, &route.encode())
    }

    /// Removes a route. ESRCH: it is not there.
    pub fn remove_route(&mut self, route: &Route) -> Result<(), NetlinkError> {
        self.change(Rtm::Delroute, 0, &route.encode())
    }

    /// Adds a rule. EEXIST: it is there.
    pub fn mute(&mut self, rule: &Mute) -> Result<(), NetlinkError> {
        self.change(Rtm::Newrule, CREATE | EXCL, &rule.encode())
    }

    /// Removes a rule. ENOENT: it is not there.
    pub fn unmute(&mut self, rule: &Mute) -> Result<(), NetlinkError> {
        self.change(Rtm::Delrule, 0, &rule.encode())
    }

    /// The rules that [`Rtnl::mute`] has made, by this process or another.
    pub fn mutes(&mut self, family: Family) -> Result<Vec<Mute>, NetlinkError> {
        self.list(Rtm::Getrule, &Mute::query(family), |m| Mute::decode(m.body))
    }

    /// The hosts of the LAN whose MACs the kernel knows.
    pub fn neighbours(&mut self, family: Family) -> Result<Vec<Neighbour>, NetlinkError> {
        self.list(Rtm::Getneigh, &Neighbour::query(family), |m| Neighbour::decode(m.body))
    }

    /// The addresses for which the kernel answers neighbour solicitations and ARP on behalf of others.
    pub fn proxies(&mut self, family: Family) -> Result<Vec<Proxy>, NetlinkError> {
        self.list(Rtm::Getneigh, &Proxy::query(family), |m| Proxy::decode(m.body))
    }

    /// Stops answering for an address. ENOENT: it was not answered for.
    pub fn remove_proxy(&mut self, proxy: &Proxy) -> Result<(), NetlinkError> {
        self.change(Rtm::Delneigh, 0, &proxy.encode())
    }

    /// The route that the kernel would take to an address.
    pub fn route_to(&mut self, to: std::net::IpAddr) -> Result<Option<Route>, NetlinkError> {
        self.way(&Flow { to, from: None, on: None })
    }

    /// The route that the kernel would take with a packet, by its rules and tables. EXDEV: its reverse path filter drops it
    /// (which `log_martians` logs, and in_martian_src counts, as if it had come).
    pub fn way(&mut self, flow: &Flow) -> Result<Option<Route>, NetlinkError> {
        let answer = self.netlink.request(u16::from(Rtm::Getroute), 0, &flow.query())?;
        Ok(answer.and_then(|body| Route::decode(&body)))
    }

    /// Sends a request that changes something and waits for the verdict.
    fn change(&mut self, kind: Rtm, flags: u16, body: &[u8]) -> Result<(), NetlinkError> {
        self.netlink.request(u16::from(kind), flags, body).map(|_| ())
    }

    fn list<T, I: IntoIterator<Item = T>>(
        &mut self,
        kind: Rtm,
        body: &[u8],
        decode: impl Fn(Message<'_>) -> I,
    ) -> Result<Vec<T>, NetlinkError> {
        let mut found = Vec::new();
        for _ in 0..DUMP_TRIES {
            found.clear();
            let end = self.netlink.dump(u16::from(kind), body, |m| found.extend(decode(m)))?;
            if end == DumpEnd::Complete {
                break;
            }
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests;
