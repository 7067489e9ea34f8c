//! Addresses as the tools speak of them: where a service listens, a VIP, a MAC.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The address families that IPVS and VRRP know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Family {
    /// IPv4.
    Inet,
    /// IPv6.
    Inet6,
}

impl Family {
    /// The family of an address.
    pub fn of(addr: IpAddr) -> Self {
        if addr.is_ipv4() { Self::Inet } else { Self::Inet6 }
    }

    /// As it is written: `IPv4`, `IPv6`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Inet => "IPv4",
            Self::Inet6 => "IPv6",
        }
    }

    /// The prefix length of a single host: 32 or 128.
    pub fn host_prefix(self) -> u8 {
        match self {
            Self::Inet => 32,
            Self::Inet6 => 128,
        }
    }

    /// The kernel's number of the family: AF_INET or AF_INET6.
    pub fn number(self) -> u16 {
        match self {
            Self::Inet => 2,
            Self::Inet6 => 10,
        }
    }

    /// The family with the kernel's number, if it is one of the two.
    pub(crate) fn from_number(number: u16) -> Option<Self> {
        match number {
            2 => Some(Self::Inet),
            10 => Some(Self::Inet6),
            _ => None,
        }
    }
}

/// An address and a port; prints as `10.0.0.1:80` or `[2001:db8::1]:80`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Endpoint {
    /// The IP address.
    pub addr: IpAddr,
    /// The port in host order; 0 means every port (persistent services).
    pub port: u16,
}

impl Endpoint {
    /// The endpoint of an address and a port.
    pub fn new(addr: impl Into<IpAddr>, port: u16) -> Self {
        Self { addr: addr.into(), port }
    }
}

impl From<Endpoint> for SocketAddr {
    fn from(e: Endpoint) -> Self {
        Self::new(e.addr, e.port)
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.addr {
            IpAddr::V4(a) => write!(f, "{a}:{}", self.port),
            IpAddr::V6(a) => write!(f, "[{a}]:{}", self.port),
        }
    }
}

impl FromStr for Endpoint {
    type Err = AddrError;

    /// Reads `10.0.0.1:80` or `[2001:db8::1]:80`; both parts are required.
    fn from_str(s: &str) -> Result<Self, AddrError> {
        s.parse::<SocketAddr>()
            .map(|a| Self { addr: a.ip(), port: a.port() })
            .map_err(|_| AddrError::Endpoint(s.to_owned()))
    }
}

/// An address with a prefix length; prints as `192.168.15.111/32`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Prefix {
    /// The address, host bits kept.
    pub addr: IpAddr,
    /// The prefix length, at most 32 or 128.
    pub len: u8,
}

impl Prefix {
    /// A single host: /32 or /128.
    pub fn host(addr: IpAddr) -> Self {
        Self { addr, len: Family::of(addr).host_prefix() }
    }

    /// Whether this is a /32 or /128.
    pub fn is_host(&self) -> bool {
        self.len == Family::of(self.addr).host_prefix()
    }

    /// Whether `addr` lies in this network.
    pub fn contains(&self, addr: IpAddr) -> bool {
        let (a, b, width) = match (self.addr, addr) {
            (IpAddr::V4(a), IpAddr::V4(b)) => (u128::from(u32::from(a)), u128::from(u32::from(b)), 32),
            (IpAddr::V6(a), IpAddr::V6(b)) => (u128::from(a), u128::from(b), 128),
            _ => return false,
        };
        let host_bits = width - u32::from(self.len);
        // A shift by the whole width overflows; /0 contains everything of its family.
        a.checked_shr(host_bits).unwrap_or(0) == b.checked_shr(host_bits).unwrap_or(0)
    }
}

impl fmt::Display for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.addr, self.len)
    }
}

impl FromStr for Prefix {
    type Err = AddrError;

    /// Reads `ADDR` (a host) or `ADDR/LEN`.
    fn from_str(s: &str) -> Result<Self, AddrError> {
        let bad = || AddrError::Prefix(s.to_owned());
        let Some((addr, len)) = s.split_once('/') else {
            return s.parse().map(Self::host).map_err(|_| bad());
        };
        let addr: IpAddr = addr.parse().map_err(|_| bad())?;
        let len: u8 = len.parse().map_err(|_| bad())?;
        if len > Family::of(addr).host_prefix() {
            return Err(bad());
        }
        Ok(Self { addr, len })
    }
}

/// An Ethernet address; prints as `00:00:5e:00:01:33`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Mac(pub [u8; 6]);

impl Mac {
    /// ff:ff:ff:ff:ff:ff.
    pub const BROADCAST: Self = Self([0xff; 6]);

    /// That of a virtual router (RFC 9568 7.3).
    pub fn virtual_router(family: Family, vrid: u8) -> Self {
        let kind = match family {
            Family::Inet => 1,
            Family::Inet6 => 2,
        };
        Self([0, 0, 0x5e, 0, kind, vrid])
    }
}

impl fmt::Display for Mac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, g] = self.0;
        write!(f, "{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{g:02x}")
    }
}

/// What is wrong with a text that should be an address.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddrError {
    /// Not `ADDR:PORT`.
    #[error("'{0}' is not ADDRESS:PORT (10.0.0.1:80 or [2001:db8::1]:80)")]
    Endpoint(String),
    /// Not `ADDR[/LEN]`.
    #[error("'{0}' is not ADDRESS or ADDRESS/LENGTH")]
    Prefix(String),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endpoints_print_as_they_are_read() {
        for text in ["10.0.0.1:80", "[2001:db8::1]:443"] {
            assert_eq!(text.parse::<Endpoint>().map(|e| e.to_string()), Ok(text.to_owned()));
        }
        assert!("10.0.0.1".parse::<Endpoint>().is_err());
        assert!("10.0.0.1:".parse::<Endpoint>().is_err());
    }

    #[test]
    fn a_prefix_without_length_is_a_host() {
        let vip: Prefix = "192.168.15.111".parse().unwrap();
        assert!(vip.is_host());
        assert_eq!(vip.to_string(), "192.168.15.111/32");
        assert!("1.2.3.4/33".parse::<Prefix>().is_err());
    }

    #[test]
    fn a_network_contains_its_hosts_only() {
        let net: Prefix = "192.168.8.50/21".parse().unwrap();
        assert!(net.contains("192.168.15.111".parse().unwrap()));
        assert!(!net.contains("192.168.16.1".parse().unwrap()));
        assert!(!net.contains("::1".parse().unwrap()));
        assert!("0.0.0.0/0".parse::<Prefix>().unwrap().contains("9.9.9.9".parse().unwrap()));
    }
}
