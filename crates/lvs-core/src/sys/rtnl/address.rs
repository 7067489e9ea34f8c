//! An address of an interface.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use neli::consts::rtnl::Ifa;

use crate::addr::{Family, Prefix};
use crate::nlattr::{self, Attr};

/// struct ifaddrmsg.
pub(super) const HEADER: usize = 8;

/// An address of an interface. What is left empty is the kernel's choice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// The interface's index.
    pub link: u32,
    /// The address with its mask.
    pub prefix: Prefix,
    /// The other end of a point-to-point link.
    pub peer: Option<IpAddr>,
    /// The broadcast address (IPv4).
    pub broadcast: Option<Ipv4Addr>,
    /// The label (IPv4), at most 15 bytes: `lo:0`.
    pub label: Option<String>,
    /// RT_SCOPE_*: 0 global, 253 link, 254 host.
    pub scope: u8,
    /// IFA_F_*.
    pub flags: u32,
    /// Preferred and valid lifetime in seconds; `u32::MAX` is for ever.
    pub lifetimes: Option<(u32, u32)>,
}

impl Address {
    /// RT_SCOPE_UNIVERSE.
    pub const GLOBAL: u8 = 0;
    /// RT_SCOPE_LINK.
    pub const LINK: u8 = 253;
    /// RT_SCOPE_HOST.
    pub const HOST: u8 = 254;
    /// IFA_F_SECONDARY: not the first address of its network (IPv4).
    pub const SECONDARY: u32 = 0x01;
    /// IFA_F_NODAD: no duplicate address detection (IPv6).
    pub const NODAD: u32 = 0x02;
    /// IFA_F_DADFAILED: another host has the address.
    pub const DADFAILED: u32 = 0x08;
    /// IFA_F_HOMEADDRESS.
    pub const HOME: u32 = 0x10;
    /// IFA_F_TENTATIVE: detection still runs.
    pub const TENTATIVE: u32 = 0x40;
    /// IFA_F_MANAGETEMPADDR.
    pub const MNGTMPADDR: u32 = 0x100;
    /// IFA_F_NOPREFIXROUTE.
    pub const NOPREFIXROUTE: u32 = 0x200;
    /// IFA_F_MCAUTOJOIN.
    pub const AUTOJOIN: u32 = 0x400;

    /// A global address of a link with nothing else set.
    pub fn new(link: u32, prefix: Prefix) -> Self {
        Self {
            link,
            prefix,
            peer: None,
            broadcast: None,
            label: None,
            scope: Self::GLOBAL,
            flags: 0,
            lifetimes: None,
        }
    }

    /// The body of RTM_NEWADDR and RTM_DELADDR.
    pub(super) fn encode(&self) -> Vec<u8> {
        let family = Family::of(self.prefix.addr);
        let mut b = vec![family.number().to_le_bytes()[0], self.prefix.len, 0, self.scope];
        b.extend_from_slice(&self.link.to_ne_bytes());
        nlattr::put(&mut b, u16::from(Ifa::Local), &octets(self.prefix.addr));
        nlattr::put(&mut b, u16::from(Ifa::Address), &octets(self.peer.unwrap_or(self.prefix.addr)));
        if let Some(broadcast) = self.broadcast {
            nlattr::put(&mut b, u16::from(Ifa::Broadcast), &broadcast.octets());
        }
        if let Some(label) = &self.label {
            nlattr::put_str(&mut b, u16::from(Ifa::Label), label);
        }
        if self.flags != 0 {
            nlattr::put_u32(&mut b, u16::from(Ifa::Flags), self.flags);
        }
        if let Some((preferred, valid)) = self.lifetimes {
            // struct ifa_cacheinfo: preferred, valid, and two stamps that the kernel fills.
            let words = [preferred, valid, 0, 0].map(u32::to_ne_bytes);
            nlattr::put(&mut b, u16::from(Ifa::Cacheinfo), words.as_flattened());
        }
        b
    }

    /// Reads the body of RTM_NEWADDR or RTM_DELADDR; none for other families.
    pub(super) fn decode(body: &[u8]) -> Option<Self> {
        let header: &[u8; HEADER] = body.first_chunk()?;
        let [family, len, flags, scope, index @ ..] = *header;
        let family = Family::from_number(u16::from(family))?;
        let unspecified = match family {
            Family::Inet => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
            Family::Inet6 => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
        };
        let mut it = Self::new(u32::from_ne_bytes(index), Prefix { addr: unspecified, len });
        (it.scope, it.flags) = (scope, u32::from(flags));
        let mut local = None;
        nlattr::attrs(&body[HEADER..]).for_each(|a| it.take(a, &mut local));
        // IFA_ADDRESS is the other end; IFA_LOCAL, where present, is ours.
        let other = it.peer.take();
        it.prefix.addr = local.or(other)?;
        it.peer = other.filter(|p| *p != it.prefix.addr);
        Some(it)
    }

    fn take(&mut self, a: Attr<'_>, local: &mut Option<IpAddr>) {
        match Ifa::from(a.kind) {
            Ifa::Local => *local = ip(a.payload),
            Ifa::Address => self.peer = ip(a.payload),
            Ifa::Broadcast => self.broadcast = a.payload.first_chunk().map(|b| Ipv4Addr::from(*b)),
            Ifa::Label => self.label = a.text().map(str::to_owned),
            Ifa::Flags => self.flags = a.u32().unwrap_or(self.flags),
            Ifa::Cacheinfo => {
                let word = |i: usize| a.payload.get(i..i + 4)?.first_chunk().map(|b| u32::from_ne_bytes(*b));
                self.lifetimes = word(0).zip(word(4));
            }
            _ => {}
        }
    }
}

/// The bytes of an address in network order.
pub(super) fn octets(addr: IpAddr) -> Vec<u8> {
    match addr {
        IpAddr::V4(a) => a.octets().to_vec(),
        IpAddr::V6(a) => a.octets().to_vec(),
    }
}

/// The address in four or sixteen bytes.
pub(super) fn ip(bytes: &[u8]) -> Option<IpAddr> {
    match bytes.len() {
        4 => bytes.first_chunk().map(|b: &[u8; 4]| IpAddr::from(*b)),
        16 => bytes.first_chunk().map(|b: &[u8; 16]| IpAddr::from(*b)),
        _ => None,
    }
}
