//! The ways that a VIP's packets take, in and out: the kernel's rules and tables decide, so the kernel is asked.

use std::net::IpAddr;

use lvs_core::addr::{Family, Prefix};
use lvs_core::sys::rtnl::Flow;

use crate::check::Asked;
use crate::host::{HostState, Nic, RouteTo};
use crate::vip::Vip;

/// Addresses far away, of several registries: one of them is in no network that this host has a route of its own for.
const FAR: [[u8; 4]; 4] = [[23, 0, 0, 1], [81, 0, 0, 1], [133, 0, 0, 1], [200, 0, 0, 1]];
const FAR6: [u16; 4] = [0x2600, 0x2a00, 0x2400, 0x2800];
/// A shorter prefix stands for everything: VPNs write two /1 instead of a default route.
const NETWORK: u8 = 4;
/// The most packets that are asked about; a host with the Internet's routes has too many to ask for each.
const MOST: usize = 1024;

/// What was asked, and the answers that matter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ways {
    /// Interfaces on which the reverse path filter drops clients of a network.
    pub filtered: Vec<Filtered>,
    /// How replies to distant clients leave.
    pub out: Vec<Out>,
    /// The families of VIPs whose replies to distant clients have no way.
    pub shut: Vec<Family>,
}

/// Packets that the reverse path filter drops.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filtered {
    /// The interface on which a director hands them over.
    pub nic: String,
    /// The clients' network; /0 are all distant ones.
    pub network: Prefix,
}

/// A way to distant clients.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Out {
    /// The interface.
    pub device: String,
    /// The router.
    pub gateway: Option<IpAddr>,
}

/// The kernel's answer for a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// It goes, or is taken: the interface's index and the next hop.
    Goes {
        /// The interface's index.
        link: Option<u32>,
        /// The next hop.
        gateway: Option<IpAddr>,
    },
    /// The reverse path filter drops it.
    Filtered,
    /// There is none.
    None,
}

/// Asks for the ways of the VIPs that this host holds; `way` is the kernel's answer.
pub fn look(host: &HostState, asked: &Asked, mut way: impl FnMut(&Flow) -> Way) -> Ways {
    let mut ways = Ways::default();
    for (filtered, flow) in incoming(host, asked).into_iter().take(MOST) {
        if way(&flow) == Way::Filtered && !ways.filtered.contains(&filtered) {
            ways.filtered.push(filtered);
        }
    }
    for vip in asked.vips.iter().take(MOST) {
        // The kernel takes no sender that it does not hold; rules may look at the sender.
        let from = Some(vip.addr).filter(|addr| host.holding(*addr).next().is_some());
        match way(&Flow { to: distant(host, vip.family()), from, on: None }) {
            Way::Goes { link, gateway } => {
                let nic = host.nics.iter().find(|nic| Some(nic.index) == link);
                let out = Out { device: nic.map(|nic| nic.name.clone()).unwrap_or_default(), gateway };
                if !ways.out.contains(&out) {
                    ways.out.push(out);
                }
            }
            _ if ways.shut.contains(&vip.family()) => {}
            _ => ways.shut.push(vip.family()),
        }
    }
    ways
}

/// Packets for a VIP that a director hands over, distant clients' first.
fn incoming(host: &HostState, asked: &Asked) -> Vec<(Filtered, Flow)> {
    let held = |vip: &&Vip| vip.addr.is_ipv4() && host.holding(vip.addr).next().is_some();
    let vips: Vec<_> = asked.vips.iter().filter(held).map(|vip| vip.addr).collect();
    let strict = entrances(host, asked).into_iter().filter(|nic| host.rp_filter_in_effect(nic) == 1);
    let nics: Vec<_> = strict.collect();
    let mut flows = Vec::new();
    for (network, client) in clients(host).into_iter().take(MOST) {
        for (nic, vip) in nics.iter().flat_map(|nic| vips.iter().map(move |vip| (nic, vip))).take(MOST) {
            let flow = Flow { to: *vip, from: Some(client), on: Some(nic.index) };
            flows.push((Filtered { nic: nic.name.clone(), network }, flow));
        }
        if flows.len() > MOST {
            break;
        }
    }
    flows
}

/// The interfaces on which directors hand packets over: those of this host's addresses in the services; else those in
/// whose network a VIP is; else it may be any.
pub(crate) fn entrances<'a>(host: &'a HostState, asked: &Asked) -> Vec<&'a Nic> {
    let usable = || host.speakers().filter(|nic| nic.up && host.has_ipv4(&nic.name));
    let on = |nic: &Nic, fits: &dyn Fn(Prefix) -> bool| {
        host.addresses.iter().any(|held| held.device == nic.name && fits(held.prefix))
    };
    let serves = |prefix: Prefix| asked.served.iter().any(|served| served.rip == prefix.addr);
    let near = |prefix: Prefix| asked.vips.iter().any(|vip| prefix.contains(vip.addr));
    let serving: Vec<_> = usable().filter(|nic| on(nic, &serves)).collect();
    let nearby: Vec<_> = usable().filter(|nic| on(nic, &near)).collect();
    [serving, nearby].into_iter().find(|nics| !nics.is_empty()).unwrap_or_else(|| usable().collect())
}

/// A client of every network behind a router, the distant ones' first. Whoever is on a link of this host is taken to be
/// no client of a service: that would be the management's network.
fn clients(host: &HostState) -> Vec<(Prefix, IpAddr)> {
    let everything = Prefix { addr: [0; 4].into(), len: 0 };
    let mut found = vec![(everything, distant(host, Family::Inet))];
    for route in routes(host).filter(|route| route.gateway.is_some() && route.to.len >= NETWORK) {
        if let (IpAddr::V4(first), true) = (route.to.addr, found.iter().all(|(known, _)| *known != route.to))
        {
            let client = u32::from(first).saturating_add(u32::from(route.to.len < 31));
            found.push((route.to, IpAddr::V4(client.into())));
        }
    }
    found
}

fn routes(host: &HostState) -> impl Iterator<Item = &RouteTo> {
    host.routes.iter().chain(&host.other_routes)
}

/// An address that no route leads to but a default one.
fn distant(host: &HostState, family: Family) -> IpAddr {
    let far: [IpAddr; 4] = match family {
        Family::Inet => FAR.map(IpAddr::from),
        Family::Inet6 => FAR6.map(|first| IpAddr::from([first, 0, 0, 0, 0, 0, 0, 1])),
    };
    let has_own =
        |addr: &IpAddr| routes(host).any(|route| route.to.len >= NETWORK && route.to.contains(*addr));
    far.into_iter().find(|addr| !has_own(addr)).unwrap_or(far[0])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Served;
    use crate::host::testing::{alone, held, nic};
    use crate::host::{RouteTo, Settings};

    const VIP: &str = "192.168.15.111";

    fn route(to: &str, gateway: Option<&str>, device: &str) -> RouteTo {
        let (to, gateway) = (to.parse().unwrap(), gateway.map(|gateway| gateway.parse().unwrap()));
        RouteTo { to, device: device.to_owned(), gateway, source: None, by_kernel: gateway.is_none() }
    }

    fn asked() -> Asked {
        Asked { vips: vec![Vip::direct(VIP.parse().unwrap())], ..Asked::default() }
    }

    /// Two strict interfaces, the VIP on lo, and networks behind routers of both.
    fn host() -> HostState {
        let mut host = alone();
        host.all.rp_filter = 1;
        host.nics.push(nic("ens224", true, Settings::default()));
        (1..).zip(&mut host.nics).for_each(|(index, nic)| nic.index = index);
        host.addresses.extend([held("192.168.15.111/32", "lo", "lo:0"), held("10.1.1.2/24", "ens224", "")]);
        host.routes = vec![
            route("0.0.0.0/0", Some("192.168.8.1"), "ens192"),
            route("10.1.1.0/24", None, "ens224"),
            route("8.0.0.0/8", Some("10.1.1.1"), "ens224"),
        ];
        host
    }

    /// The clients and interfaces that are asked about.
    fn questions(host: &HostState, asked: &Asked) -> Vec<(String, u32)> {
        let flows = incoming(host, asked).into_iter();
        flows.map(|(_, flow)| (flow.from.unwrap().to_string(), flow.on.unwrap())).collect()
    }

    #[test]
    fn clients_of_every_network_are_tried_where_directors_hand_over() {
        let pairs = |list: &[(&str, u32)]| {
            list.iter().map(|(client, nic)| ((*client).to_owned(), *nic)).collect::<Vec<_>>()
        };
        assert_eq!(questions(&host(), &asked()), pairs(&[("23.0.0.1", 2), ("8.0.0.1", 2)]));
        let mut far = asked();
        far.vips[0].addr = "10.9.9.9".parse().unwrap();
        let mut elsewhere = host();
        elsewhere.addresses.push(held("10.9.9.9/32", "lo", "lo:1"));
        assert_eq!(questions(&elsewhere, &far).len(), 4, "in no network: any interface may be it");
        far.served = vec![Served { vip: far.vips[0], port: 80, rip: "10.1.1.2".parse().unwrap() }];
        assert_eq!(questions(&elsewhere, &far), pairs(&[("23.0.0.1", 3), ("8.0.0.1", 3)]));
        elsewhere.all.rp_filter = 2;
        assert_eq!(questions(&elsewhere, &far), [], "a loose filter asks for no interface");
    }

    #[test]
    fn the_kernels_answers_are_told_once() {
        let mut host = host();
        host.other_routes = vec![route("23.0.0.0/8", Some("10.1.1.1"), "ens224")];
        let gateway = Some("192.168.8.1".parse().unwrap());
        let ways = look(&host, &asked(), |flow| match flow.on {
            Some(_) if flow.from == Some("8.0.0.1".parse().unwrap()) => Way::Filtered,
            Some(_) => Way::Goes { link: Some(1), gateway: None },
            None => {
                assert_eq!((flow.to, flow.from), ("81.0.0.1".parse().unwrap(), Some(VIP.parse().unwrap())));
                Way::Goes { link: Some(2), gateway }
            }
        });
        let filtered = vec![Filtered { nic: "ens192".to_owned(), network: "8.0.0.0/8".parse().unwrap() }];
        let out = vec![Out { device: "ens192".to_owned(), gateway }];
        assert_eq!(ways, Ways { filtered, out, shut: vec![] });
        let shut = look(&host, &asked(), |_| Way::None);
        assert_eq!(shut, Ways { shut: vec![Family::Inet], ..Ways::default() });
    }
}
