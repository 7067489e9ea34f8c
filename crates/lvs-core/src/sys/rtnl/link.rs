//! A network interface as the kernel describes it.

use neli::consts::rtnl::{Iff, Ifla, IflaInfo};

use crate::addr::Mac;
use crate::nlattr::{self, Attr};

/// struct ifinfomsg.
pub(super) const HEADER: usize = 16;

/// A network interface.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Link {
    /// The kernel's index.
    pub index: u32,
    /// The name, such as `ens192`.
    pub name: String,
    /// The Ethernet address, where it has one.
    pub mac: Option<Mac>,
    /// Switched on by the admin (IFF_UP).
    pub up: bool,
    /// Switched on and carrying packets (IFF_RUNNING).
    pub running: bool,
    /// Speaks ARP: neither loopback nor NOARP.
    pub arp: bool,
    /// The loopback.
    pub loopback: bool,
    /// The bridge, bond or VRF that it belongs to.
    pub master: Option<u32>,
    /// The link below it (a macvlan's or VLAN's parent).
    pub parent: Option<u32>,
    /// The kind of a virtual link: `veth`, `bridge`, `macvlan`, ...
    pub kind: Option<String>,
}

impl Link {
    /// Whether packets pass: switched on and carrying.
    pub fn usable(&self) -> bool {
        self.up && self.running
    }

    /// The body of RTM_NEWLINK that changes IFF_UP and nothing else.
    pub(super) fn switch(index: u32, up: bool) -> [u8; HEADER] {
        const IFF_UP: u32 = 1;
        let mut b = [0; HEADER];
        b[4..8].copy_from_slice(&index.to_ne_bytes());
        b[8..12].copy_from_slice(&(if up { IFF_UP } else { 0 }).to_ne_bytes());
        b[12..16].copy_from_slice(&IFF_UP.to_ne_bytes());
        b
    }

    /// The body of RTM_NEWLINK that makes a link.
    pub(super) fn create(name: &str, kind: &str) -> Vec<u8> {
        let mut b = vec![0; HEADER];
        nlattr::put_str(&mut b, u16::from(Ifla::Ifname), name);
        nlattr::nest(&mut b, u16::from(Ifla::Linkinfo), |b| {
            nlattr::put_str(b, u16::from(IflaInfo::Kind), kind);
        });
        b
    }

    /// The body of RTM_NEWLINK that makes a macvlan on a link. Private mode: the VMACs of one host have nothing to say to
    /// each other.
    pub(super) fn macvlan(name: &str, on: u32, mac: Mac) -> Vec<u8> {
        const MODE: u16 = 1;
        const PRIVATE: u32 = 1;
        let mut b = vec![0; HEADER];
        nlattr::put_str(&mut b, u16::from(Ifla::Ifname), name);
        nlattr::put(&mut b, u16::from(Ifla::Address), &mac.0);
        nlattr::put_u32(&mut b, u16::from(Ifla::Link), on);
        nlattr::nest(&mut b, u16::from(Ifla::Linkinfo), |b| {
            nlattr::put_str(b, u16::from(IflaInfo::Kind), "macvlan");
            nlattr::nest(b, u16::from(IflaInfo::Data), |b| nlattr::put_u32(b, MODE, PRIVATE));
        });
        b
    }

    /// The body of RTM_GETLINK and RTM_DELLINK that says which.
    pub(super) fn at(index: u32) -> [u8; HEADER] {
        let mut b = [0; HEADER];
        b[4..8].copy_from_slice(&index.to_ne_bytes());
        b
    }

    /// The body of RTM_NEWQDISC or RTM_DELQDISC (struct tcmsg) with the queue that throws away what it is given, at the root.
    pub(super) fn blackhole(index: u32) -> Vec<u8> {
        const ROOT: u32 = u32::MAX;
        const KIND: u16 = 1;
        let mut b = vec![0; 20];
        b[4..8].copy_from_slice(&index.to_ne_bytes());
        b[12..16].copy_from_slice(&ROOT.to_ne_bytes());
        nlattr::put_str(&mut b, KIND, "blackhole");
        b
    }

    /// Reads the body of RTM_NEWLINK or RTM_DELLINK; none if it is too short.
    pub(super) fn decode(body: &[u8]) -> Option<Self> {
        let word = |i: usize| body.get(i..i + 4)?.first_chunk().map(|b| u32::from_ne_bytes(*b));
        let flags = word(8)?;
        let has = |f: Iff| flags & u32::from_ne_bytes(f.bits().to_ne_bytes()) != 0;
        let mut link = Self {
            index: word(4)?,
            up: has(Iff::UP),
            running: has(Iff::RUNNING),
            arp: !has(Iff::NOARP) && !has(Iff::LOOPBACK),
            loopback: has(Iff::LOOPBACK),
            ..Self::default()
        };
        nlattr::attrs(body.get(HEADER..)?).for_each(|a| link.take(a));
        Some(link)
    }

    fn take(&mut self, a: Attr<'_>) {
        match Ifla::from(a.kind) {
            Ifla::Ifname => self.name = a.text().unwrap_or_default().to_owned(),
            Ifla::Address => self.mac = a.payload.try_into().ok().map(Mac),
            Ifla::Master => self.master = a.u32(),
            Ifla::Link => self.parent = a.u32(),
            Ifla::Linkinfo => {
                let kind = a.nested().find(|a| IflaInfo::from(a.kind) == IflaInfo::Kind);
                self.kind = kind.and_then(|a| a.text()).map(str::to_owned);
            }
            _ => {}
        }
    }
}
