//! A route of the kernel's tables.

use std::net::IpAddr;

use neli::consts::rtnl::Rta;

use super::address::{ip, octets};
use crate::addr::{Family, Prefix};
use crate::nlattr::{self, Attr};

/// struct rtmsg.
pub(super) const HEADER: usize = 12;

/// What a route does with a packet (RTN_*).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RouteKind {
    /// Sends it on (RTN_UNICAST).
    Unicast,
    /// Keeps it: an address of this host (RTN_LOCAL).
    Local,
    /// Anything else, by its number.
    Other(u8),
}

impl RouteKind {
    fn number(self) -> u8 {
        match self {
            Self::Unicast => 1,
            Self::Local => 2,
            Self::Other(n) => n,
        }
    }

    fn from_number(n: u8) -> Self {
        match n {
            1 => Self::Unicast,
            2 => Self::Local,
            n => Self::Other(n),
        }
    }
}

/// A route.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// Where it leads to.
    pub to: Prefix,
    /// What it does.
    pub kind: RouteKind,
    /// The table: 254 main, 255 local.
    pub table: u32,
    /// RT_SCOPE_*: 0 global, 253 link, 254 host.
    pub scope: u8,
    /// Who made it (RTPROT_*): 2 kernel, 3 boot, 4 static.
    pub protocol: u8,
    /// The outgoing interface's index.
    pub link: Option<u32>,
    /// The next hop.
    pub gateway: Option<IpAddr>,
    /// The source address for packets of this host.
    pub source: Option<IpAddr>,
    /// The metric.
    pub metric: Option<u32>,
}

/// A packet for which a way is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flow {
    /// Its destination.
    pub to: IpAddr,
    /// Its sender; without one the kernel chooses.
    pub from: Option<IpAddr>,
    /// The index of the interface on which it comes in; without one this host sends it.
    pub on: Option<u32>,
}

impl Flow {
    /// The body of RTM_GETROUTE that asks for its way.
    pub(super) fn query(&self) -> Vec<u8> {
        let family = Family::of(self.to);
        let from_len = if self.from.is_some() { family.host_prefix() } else { 0 };
        let mut b = vec![family.number().to_le_bytes()[0], family.host_prefix(), from_len];
        b.resize(HEADER, 0);
        nlattr::put(&mut b, u16::from(Rta::Dst), &octets(self.to));
        if let Some(from) = self.from {
            nlattr::put(&mut b, u16::from(Rta::Src), &octets(from));
        }
        if let Some(on) = self.on {
            nlattr::put_u32(&mut b, u16::from(Rta::Iif), on);
        }
        b
    }
}

impl Route {
    /// RT_TABLE_MAIN.
    pub const MAIN: u32 = 254;
    /// RTPROT_BOOT: what `ip route add` and `route add` write.
    const BOOT: u8 = 3;

    /// A route of the main table to a host or network on this link, as `route add -host ADDR dev LINK` makes it.
    pub fn on_link(to: Prefix, link: u32) -> Self {
        Self {
            to,
            kind: RouteKind::Unicast,
            table: Self::MAIN,
            scope: 253,
            protocol: Self::BOOT,
            link: Some(link),
            gateway: None,
            source: None,
            metric: None,
        }
    }

    /// The body of RTM_NEWROUTE and RTM_DELROUTE.
    pub(super) fn encode(&self) -> Vec<u8> {
        let family = Family::of(self.to.addr).number().to_le_bytes()[0];
        // A table above 255 does not fit the header; RTA_TABLE then says it.
        let short = u8::try_from(self.table).unwrap_or(0);
        let mut b =
            vec![family, self.to.len, 0, 0, short, self.protocol, self.scope, self.kind.number(), 0, 0, 0, 0];
        if self.to.len > 0 {
            nlattr::put(&mut b, u16::from(Rta::Dst), &octets(self.to.addr));
        }
        nlattr::put_u32(&mut b, u16::from(Rta::Table), self.table);
        if let Some(link) = self.link {
            nlattr::put_u32(&mut b, u16::from(Rta::Oif), link);
        }
        if let Some(gateway) = self.gateway {
            nlattr::put(&mut b, u16::from(Rta::Gateway), &octets(gateway));
        }
        if let Some(source) = self.source {
            nlattr::put(&mut b, u16::from(Rta::Prefsrc), &octets(source));
        }
        if let Some(metric) = self.metric {
            nlattr::put_u32(&mut b, u16::from(Rta::Priority), metric);
        }
        b
    }

    /// Reads the body of RTM_NEWROUTE or RTM_DELROUTE; none for other families.
    pub(super) fn decode(body: &[u8]) -> Option<Self> {
        let header: &[u8; HEADER] = body.first_chunk()?;
        let [family, len, _, _, table, protocol, scope, kind, ..] = *header;
        let any = match Family::from_number(u16::from(family))? {
            Family::Inet => IpAddr::from([0; 4]),
            Family::Inet6 => IpAddr::from([0; 16]),
        };
        let mut it = Self {
            to: Prefix { addr: any, len },
            kind: RouteKind::from_number(kind),
            table: u32::from(table),
            scope,
            protocol,
            link: None,
            gateway: None,
            source: None,
            metric: None,
        };
        nlattr::attrs(&body[HEADER..]).for_each(|a| it.take(a));
        Some(it)
    }

    /// A route as it is listed: one with several next hops (RTA_MULTIPATH) is one for each of them.
    pub(super) fn decode_each(body: &[u8]) -> Vec<Self> {
        let Some(route) = Self::decode(body) else { return Vec::new() };
        let mut attrs = nlattr::attrs(&body[HEADER..]);
        match attrs.find(|a| a.kind == u16::from(Rta::Multipath)) {
            Some(hops) => {
                Hops(hops.payload).map(|(link, gateway)| Self { link, gateway, ..route.clone() }).collect()
            }
            None => vec![route],
        }
    }

    fn take(&mut self, a: Attr<'_>) {
        match Rta::from(a.kind) {
            Rta::Dst => self.to.addr = ip(a.payload).unwrap_or(self.to.addr),
            Rta::Table => self.table = a.u32().unwrap_or(self.table),
            Rta::Oif => self.link = a.u32(),
            Rta::Gateway => self.gateway = ip(a.payload),
            Rta::Prefsrc => self.source = ip(a.payload),
            Rta::Priority => self.metric = a.u32(),
            _ => {}
        }
    }
}

/// The next hops in an RTA_MULTIPATH, interface and gateway of each; it ends at the first that does not fit.
struct Hops<'a>(&'a [u8]);

impl Iterator for Hops<'_> {
    type Item = (Option<u32>, Option<IpAddr>);

    fn next(&mut self) -> Option<Self::Item> {
        /// struct rtnexthop: its length with the attributes behind it, flags, weight, interface.
        const HEADER: usize = 8;
        let [l0, l1, _, _, i0, i1, i2, i3] = *self.0.first_chunk()?;
        let len = usize::from(u16::from_ne_bytes([l0, l1]));
        let attrs = self.0.get(HEADER..len)?;
        self.0 = self.0.get(len.next_multiple_of(4)..).unwrap_or(&[]);
        let gateway = nlattr::attrs(attrs).find(|a| a.kind == u16::from(Rta::Gateway));
        Some((Some(u32::from_ne_bytes([i0, i1, i2, i3])), gateway.and_then(|a| ip(a.payload))))
    }
}
