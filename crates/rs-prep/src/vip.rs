//! A VIP as a real server holds it.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use lvs_core::addr::{Family, Prefix};
use serde::{Deserialize, Serialize};

/// How the director's packets reach this real server, which decides the device that holds the VIP.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Forwarding {
    /// Direct routing: frames for the VIP arrive as they are; the VIP is on `lo`.
    Direct,
    /// Tunnel: packets arrive wrapped in IP; the VIP is on the kernel's tunnel device.
    Tunnel,
}

/// The devices that hold VIPs.
pub const DEVICES: [&str; 3] = ["lo", "tunl0", "ip6tnl0"];

/// A virtual address and the way its traffic arrives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Vip {
    /// The address; its prefix is always /32 or /128.
    pub addr: IpAddr,
    /// How the director's packets reach this host.
    pub forwarding: Forwarding,
}

impl Vip {
    /// A VIP of a direct-routing service.
    pub fn direct(addr: IpAddr) -> Self {
        Self { addr, forwarding: Forwarding::Direct }
    }

    /// A VIP of a tunnel service.
    pub fn tunnel(addr: IpAddr) -> Self {
        Self { addr, forwarding: Forwarding::Tunnel }
    }

    /// The address family.
    pub fn family(self) -> Family {
        Family::of(self.addr)
    }

    /// The VIP with the only mask that is right on a real server: /32 or /128.
    pub fn prefix(self) -> Prefix {
        Prefix::host(self.addr)
    }

    /// The device that holds the VIP.
    pub fn device(self) -> &'static str {
        match (self.forwarding, self.family()) {
            (Forwarding::Direct, _) => "lo",
            (Forwarding::Tunnel, Family::Inet) => "tunl0",
            (Forwarding::Tunnel, Family::Inet6) => "ip6tnl0",
        }
    }

    /// The kind of the device and the kernel module that makes it, where it needs one.
    pub fn module(self) -> Option<(&'static str, &'static str)> {
        match (self.forwarding, self.family()) {
            (Forwarding::Direct, _) => None,
            (Forwarding::Tunnel, Family::Inet) => Some(("ipip", "ipip")),
            (Forwarding::Tunnel, Family::Inet6) => Some(("ip6tnl", "ip6_tunnel")),
        }
    }
}

impl fmt::Display for Vip {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.addr.fmt(f)
    }
}

/// The address on which a program listens that takes what is for every address of this one's family.
pub fn every(addr: IpAddr) -> IpAddr {
    if addr.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() }
}

/// Each address once: a VIP is held once, and on the tunnel's device it takes packets that come as they are too.
pub fn once(vips: &[Vip]) -> Vec<Vip> {
    let mut once: Vec<Vip> = Vec::new();
    for vip in vips {
        match once.iter_mut().find(|known| known.addr == vip.addr) {
            Some(known) => known.forwarding = known.forwarding.max(vip.forwarding),
            None => once.push(*vip),
        }
    }
    once
}

/// Why a text cannot be a VIP.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VipError {
    /// Not an address at all.
    #[error("'{0}' is not an address; a VIP is written 192.168.15.111 or 2001:db8::111")]
    NotAnAddress(String),
    /// A mask wider than one host.
    #[error(
        "{addr}/{len}: a VIP on a real server must be /{host}; with /{len} this host takes every address of that \
         network for its own, answers for its neighbours and cannot reach them; write {addr} or {addr}/{host}"
    )]
    Mask {
        /// The address.
        addr: IpAddr,
        /// The prefix length that was asked for.
        len: u8,
        /// The right one.
        host: u8,
    },
    /// An address that no service can have.
    #[error("{0}: {1} address cannot be a VIP")]
    Kind(IpAddr, &'static str),
}

/// The address of a VIP as it was written, with or without /32 or /128.
pub fn parse(text: &str) -> Result<IpAddr, VipError> {
    let prefix = Prefix::from_str(text).map_err(|_| VipError::NotAnAddress(text.to_owned()))?;
    let host = Family::of(prefix.addr).host_prefix();
    if !prefix.is_host() {
        return Err(VipError::Mask { addr: prefix.addr, len: prefix.len, host });
    }
    match unusable(prefix.addr) {
        Some(kind) => Err(VipError::Kind(prefix.addr, kind)),
        None => Ok(prefix.addr),
    }
}

fn unusable(addr: IpAddr) -> Option<&'static str> {
    match addr {
        a if a.is_unspecified() => Some("the unspecified"),
        a if a.is_loopback() => Some("a loopback"),
        a if a.is_multicast() => Some("a multicast"),
        IpAddr::V4(a) => unusable_v4(a),
        IpAddr::V6(a) if a.to_ipv4_mapped().is_some() => Some("an IPv4-mapped (write the IPv4 one)"),
        // A link-local address means another host on each link: it cannot move to `lo`.
        IpAddr::V6(a) => (a.segments()[0] & 0xffc0 == 0xfe80).then_some("a link-local"),
    }
}

fn unusable_v4(addr: Ipv4Addr) -> Option<&'static str> {
    match addr.octets()[0] {
        _ if addr.is_broadcast() => Some("a broadcast"),
        _ if addr.is_link_local() => Some("a link-local"),
        // The kernel routes neither of them.
        0 => Some("a 0.0.0.0/8 (this network)"),
        240.. => Some("a 240.0.0.0/4 (reserved)"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_vip_is_one_host() {
        let want: IpAddr = "192.168.15.111".parse().unwrap();
        assert_eq!(parse("192.168.15.111"), Ok(want));
        assert_eq!(parse("192.168.15.111/32"), Ok(want));
        assert!(parse("2001:db8::1/128").is_ok());
    }

    #[test]
    fn every_other_mask_is_refused_with_the_reason() {
        for text in ["192.168.15.111/24", "192.168.15.111/31", "2001:db8::1/64", "10.0.0.1/0"] {
            let error = parse(text).unwrap_err();
            assert!(matches!(error, VipError::Mask { .. }), "{text}: {error}");
            assert!(error.to_string().contains("must be /"), "{error}");
        }
    }

    #[test]
    fn what_can_be_no_service_is_refused() {
        let four =
            ["0.0.0.0", "127.0.0.1", "224.0.0.18", "255.255.255.255", "169.254.0.1", "0.1.2.3", "240.0.0.1"];
        let six = ["::", "::1", "ff02::12", "fe80::1", "::ffff:10.0.0.1"];
        for text in four.into_iter().chain(six) {
            assert!(matches!(parse(text), Err(VipError::Kind(..))), "{text}");
        }
        for text in ["", "vip", "192.168.15", "192.168.15.111/33", "1.2.3.4/", "host:80"] {
            assert!(matches!(parse(text), Err(VipError::NotAnAddress(_))), "{text}");
        }
    }

    #[test]
    fn a_vip_of_both_kinds_is_held_once_on_the_tunnel() {
        let [a, b] = ["10.0.0.1", "10.0.0.2"].map(|addr| addr.parse().unwrap());
        let vips = [Vip::direct(a), Vip::direct(b), Vip::tunnel(a), Vip::tunnel(b), Vip::direct(b)];
        assert_eq!(once(&vips), [Vip::tunnel(a), Vip::tunnel(b)]);
    }

    #[test]
    fn the_device_follows_forwarding_and_family() {
        let (v4, v6) = ("10.0.0.1".parse().unwrap(), "2001:db8::1".parse().unwrap());
        assert_eq!((Vip::direct(v4).device(), Vip::direct(v6).device()), ("lo", "lo"));
        assert_eq!((Vip::tunnel(v4).device(), Vip::tunnel(v6).device()), ("tunl0", "ip6tnl0"));
    }
}
