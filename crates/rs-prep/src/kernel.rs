//! The edge to the kernel: reads what the host holds, and carries out steps.

use std::collections::HashMap;
use std::net::IpAddr;

use anyhow::{Context, Result, bail};
use lvs_core::addr::{Family, Prefix};
use lvs_core::sys::rtnl::{Address, Flow, Link, Proxy, Route, RouteKind, Rtnl};
use lvs_core::sys::sysctl::{self, Key};
use nix::errno::Errno;

use crate::host::{Held, HostState, Nic, RouteTo, Settings};
use crate::step::{Placement, Step};
use crate::ways::Way;

/// LOOPBACK_IFINDEX: the index of `lo` in every network namespace.
const LOOPBACK: u32 = 1;

/// The kernel's routing and settings of this network namespace.
pub struct Kernel {
    rtnl: Rtnl,
}

impl Kernel {
    /// Opens the conversation; reading needs no rights.
    pub fn open() -> Result<Self> {
        Ok(Self { rtnl: Rtnl::open().context("no netlink socket")? })
    }

    /// Everything that the decisions look at.
    pub fn read(&mut self) -> Result<HostState> {
        let links = self.rtnl.links().context("reading interfaces")?;
        let names: HashMap<u32, &str> = links.iter().map(|l| (l.index, l.name.as_str())).collect();
        let name = |index: u32| names.get(&index).copied().unwrap_or_default().to_owned();
        let addresses = self.rtnl.addresses().context("reading addresses")?;
        let mut routes = self.rtnl.routes(Family::Inet).context("reading routes")?;
        // A kernel without IPv6 has no such table.
        routes.extend(self.rtnl.routes(Family::Inet6).unwrap_or_default());
        let mut proxies = self.rtnl.proxies(Family::Inet6).unwrap_or_default();
        proxies.extend(self.rtnl.proxies(Family::Inet).context("reading proxy entries")?);
        Ok(HostState {
            all: settings("all")?,
            nics: links.iter().map(|link| nic(link, &links)).collect::<Result<_>>()?,
            addresses: addresses.iter().map(|address| held(address, name(address.link))).collect(),
            routes: routes
                .iter()
                .filter(is_main)
                .filter_map(|route| route_to(route, name(route.link?)))
                .collect(),
            other_routes: routes
                .iter()
                .filter(|r| !is_main(r))
                .filter_map(|r| route_to(r, name(r.link?)))
                .collect(),
            proxies: proxies.iter().map(|proxy| (proxy.addr, name(proxy.link))).collect(),
        })
    }

    /// Carries out one step.
    ///
    /// # Errors
    /// The kernel's reason, with the command that the step stands for.
    pub fn run(&mut self, step: &Step) -> Result<()> {
        let done = match step {
            Step::Load { device, kind, .. } => self.load(device, kind),
            Step::Set { key, to, .. } => set(key, *to),
            Step::LinkUp { device } => self.link_up(device, true),
            Step::LinkDown { device } => self.link_up(device, false),
            Step::AddAddress(placement) => self.add(placement),
            Step::RemoveAddress { prefix, device } => self.remove(*prefix, device),
            Step::AddRoute { addr, device } => self.add_route(*addr, device),
            Step::RemoveRoute { addr, device } => self.remove_route(*addr, device),
            Step::RemoveProxy { addr, device } => self.remove_proxy(*addr, device),
        };
        done.with_context(|| step.to_string())
    }

    /// What would become of a packet, without sending one; reading needs no rights.
    pub fn way(&mut self, flow: &Flow) -> Way {
        match self.rtnl.way(flow) {
            Ok(route) => Way::Goes {
                link: route.as_ref().and_then(|route| route.link),
                gateway: route.and_then(|route| route.gateway),
            },
            Err(e) if e.errno == Errno::EXDEV => Way::Filtered,
            Err(_) => Way::None,
        }
    }

    fn index(&mut self, device: &str) -> Result<u32> {
        let link = self.rtnl.link(device)?;
        link.map(|link| link.index).with_context(|| format!("there is no interface {device}"))
    }

    /// Lets the kernel load the module of a tunnel, as its own loader knows where modules are.
    fn load(&mut self, device: &str, kind: &str) -> Result<()> {
        match self.rtnl.add_link(device, kind) {
            // The module has brought the device with it.
            Err(e) if e.errno == Errno::EEXIST => Ok(()),
            Err(e) if e.errno == Errno::EOPNOTSUPP => bail!("this kernel has no tunnels of the kind {kind}"),
            done => Ok(done?),
        }
    }

    fn link_up(&mut self, device: &str, up: bool) -> Result<()> {
        let index = self.index(device)?;
        Ok(self.rtnl.set_up(index, up)?)
    }

    fn add(&mut self, placement: &Placement) -> Result<()> {
        let mut address = Address::new(self.index(&placement.device)?, placement.prefix);
        match placement.prefix.addr {
            IpAddr::V4(addr) => address.broadcast = Some(addr),
            IpAddr::V6(_) => address.flags = Address::NODAD,
        }
        address.label.clone_from(&placement.label);
        if placement.host_scope {
            address.scope = Address::HOST;
        }
        Ok(self.rtnl.add_address(&address)?)
    }

    fn remove(&mut self, prefix: Prefix, device: &str) -> Result<()> {
        let address = Address::new(self.index(device)?, prefix);
        let before = self.rtnl.addresses()?;
        match self.rtnl.remove_address(&address) {
            // Somebody else was faster.
            Err(e) if e.errno == Errno::EADDRNOTAVAIL => return Ok(()),
            done => done?,
        }
        self.put_back(before.into_iter().filter(|other| other.link == address.link && other.prefix != prefix))
    }

    /// Without promote_secondaries the kernel drops the other addresses of a network with its first one.
    fn put_back(&mut self, others: impl Iterator<Item = Address>) -> Result<()> {
        let now = self.rtnl.addresses()?;
        let is_there = |other: &Address| now.iter().any(|a| a.link == other.link && a.prefix == other.prefix);
        let lost: Vec<_> = others.filter(|other| other.prefix.addr.is_ipv4() && !is_there(other)).collect();
        for other in &lost {
            self.rtnl.add_address(other).with_context(|| format!("{} went with it", other.prefix))?;
        }
        // Routes lead through a NIC; those of `lo` are made by its addresses.
        let nic = lost.first().filter(|other| other.link != LOOPBACK);
        nic.map_or(Ok(()), |other| {
            bail!("{} went with it and was put back, but its routes may be lost: see ip route", other.prefix)
        })
    }

    fn add_route(&mut self, addr: IpAddr, device: &str) -> Result<()> {
        let mut route = Route::on_link(Prefix::host(addr), self.index(device)?);
        // As `route add -host VIP dev lo:0` does: the kernel drops the route with its source address, so that it can
        // never be left over and make the VIP unreachable from here.
        route.source = Some(addr);
        match self.rtnl.add_route(&route) {
            Err(e) if e.errno == Errno::EEXIST => bail!(
                "there is another route for it (ip route show {addr}): remove that one, or leave this one out with \
                 --no-route, as the kernel does not need it"
            ),
            done => Ok(done?),
        }
    }

    fn remove_proxy(&mut self, addr: IpAddr, device: &str) -> Result<()> {
        let link = self.index(device)?;
        Ok(self.rtnl.remove_proxy(&Proxy { link, addr })?)
    }

    fn remove_route(&mut self, addr: IpAddr, device: &str) -> Result<()> {
        let index = self.index(device)?;
        let routes = self.rtnl.routes(Family::of(addr))?;
        let is_it = |route: &&Route| {
            route.to == Prefix::host(addr) && route.link == Some(index) && route.table == Route::MAIN
        };
        match routes.iter().find(is_it) {
            Some(route) => Ok(self.rtnl.remove_route(route)?),
            None => Ok(()),
        }
    }
}

/// Writes a setting and reads it back: some containers accept a write and drop it.
fn set(key: &Key, to: i32) -> Result<()> {
    sysctl::write(key, to)?;
    match sysctl::read(key)? {
        Some(now) if now == to => Ok(()),
        Some(now) => bail!(
            "the kernel took {to} and still holds {now}: is this a container that may not set it? set it outside"
        ),
        None => bail!("the kernel took {to} and then had no such setting: is the interface gone?"),
    }
}

fn settings(interface: &str) -> Result<Settings> {
    let get = |name| sysctl::read(&Key::conf(Family::Inet, interface, name)).map(Option::unwrap_or_default);
    Ok(Settings {
        arp_ignore: get("arp_ignore")?,
        arp_announce: get("arp_announce")?,
        rp_filter: get("rp_filter")?,
        proxy_arp: get("proxy_arp")?,
        proxy_arp_pvlan: get("proxy_arp_pvlan")?,
        promotes_secondaries: get("promote_secondaries")?,
    })
}

fn nic(link: &Link, links: &[Link]) -> Result<Nic> {
    let master = link.master.and_then(|index| links.iter().find(|l| l.index == index));
    Ok(Nic {
        name: link.name.clone(),
        index: link.index,
        mac: link.mac.unwrap_or_default(),
        loopback: link.loopback,
        arp: link.arp,
        up: link.up,
        // A VRF is a routing table: its members still speak for themselves.
        enslaved: master.is_some_and(|master| master.kind.as_deref() != Some("vrf")),
        settings: settings(&link.name)?,
    })
}

fn held(address: &Address, device: String) -> Held {
    Held {
        prefix: address.prefix,
        device,
        label: address.label.clone().unwrap_or_default(),
        secondary: address.prefix.addr.is_ipv4() && address.flags & Address::SECONDARY != 0,
        host_scope: address.scope == Address::HOST,
        dad_failed: address.flags & Address::DADFAILED != 0,
    }
}

fn is_main(route: &&Route) -> bool {
    route.table == Route::MAIN
}

fn route_to(route: &Route, device: String) -> Option<RouteTo> {
    /// RTPROT_KERNEL.
    const KERNEL: u8 = 2;
    let by_kernel = route.protocol == KERNEL;
    let (to, gateway, source) = (route.to, route.gateway, route.source);
    (route.kind == RouteKind::Unicast).then_some(RouteTo { to, device, gateway, source, by_kernel })
}
