//! Neighbours, and addresses that the kernel answers for on behalf of others (`ip neighbour add proxy`).

use std::net::IpAddr;

use neli::consts::rtnl::Nda;

use super::address::{ip, octets};
use crate::addr::{Family, Mac};
use crate::nlattr;

/// struct ndmsg.
const HEADER: usize = 12;
/// NTF_PROXY: the list of proxies, not the neighbours.
const NTF_PROXY: u8 = 0x08;

/// An address that the kernel answers for on a link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proxy {
    /// The link on which it answers.
    pub link: u32,
    /// The address.
    pub addr: IpAddr,
}

impl Proxy {
    /// The body of RTM_GETNEIGH that lists them.
    pub(super) fn query(family: Family) -> [u8; HEADER] {
        let mut b = [0; HEADER];
        b[0] = family.number().to_le_bytes()[0];
        b[10] = NTF_PROXY;
        b
    }

    /// The body of RTM_DELNEIGH.
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut b = Self::query(Family::of(self.addr)).to_vec();
        b[4..8].copy_from_slice(&self.link.to_ne_bytes());
        nlattr::put(&mut b, u16::from(Nda::Dst), &octets(self.addr));
        b
    }

    /// Reads the body of RTM_NEWNEIGH; none if it is no proxy or has no address.
    pub(super) fn decode(body: &[u8]) -> Option<Self> {
        let header: &[u8; HEADER] = body.first_chunk()?;
        let link = u32::from_ne_bytes([header[4], header[5], header[6], header[7]]);
        let mut attrs = nlattr::attrs(&body[HEADER..]);
        let addr = attrs.find(|a| Nda::from(a.kind) == Nda::Dst).and_then(|a| ip(a.payload))?;
        (header[10] & NTF_PROXY != 0).then_some(Self { link, addr })
    }
}

/// A host of the LAN whose MAC the kernel knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Neighbour {
    /// The link on which it is.
    pub link: u32,
    /// Its address.
    pub addr: IpAddr,
    /// Its MAC.
    pub mac: Mac,
}

impl Neighbour {
    /// The body of RTM_GETNEIGH that lists them.
    pub(super) fn query(family: Family) -> [u8; HEADER] {
        let mut b = Proxy::query(family);
        b[10] = 0;
        b
    }

    /// Reads the body of RTM_NEWNEIGH; none if its MAC is not known.
    pub(super) fn decode(body: &[u8]) -> Option<Self> {
        let header: &[u8; HEADER] = body.first_chunk()?;
        let link = u32::from_ne_bytes([header[4], header[5], header[6], header[7]]);
        let (mut addr, mut mac) = (None, None);
        for a in nlattr::attrs(&body[HEADER..]) {
            match Nda::from(a.kind) {
                Nda::Dst => addr = ip(a.payload),
                Nda::Lladdr => mac = a.payload.try_into().ok().map(Mac),
                _ => {}
            }
        }
        Some(Self { link, addr: addr?, mac: mac? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proxy_survives_its_encoding() {
        for addr in ["192.168.15.111", "2001:db8::111"] {
            let proxy = Proxy { link: 7, addr: addr.parse().unwrap() };
            assert_eq!(Proxy::decode(&proxy.encode()), Some(proxy));
        }
        assert_eq!(Proxy::decode(&[0; HEADER]), None);
    }
}
