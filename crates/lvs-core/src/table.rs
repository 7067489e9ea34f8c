//! What IPVS holds: virtual services, each with its real servers.

use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::addr::{Endpoint, Family};

/// The transport protocols that IPVS balances, in the order of their IP numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Protocol {
    /// TCP, 6.
    Tcp,
    /// UDP, 17.
    Udp,
    /// SCTP, 132.
    Sctp,
}

impl Protocol {
    /// The IP protocol number.
    pub fn number(self) -> u16 {
        match self {
            Self::Tcp => 6,
            Self::Udp => 17,
            Self::Sctp => 132,
        }
    }

    /// The protocol with this IP number, if IPVS knows it.
    pub(crate) fn from_number(number: u16) -> Option<Self> {
        match number {
            6 => Some(Self::Tcp),
            17 => Some(Self::Udp),
            132 => Some(Self::Sctp),
            _ => None,
        }
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Tcp => "TCP",
            Self::Udp => "UDP",
            Self::Sctp => "SCTP",
        })
    }
}

/// What names a virtual service: protocol, address and port, or a firewall mark.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum ServiceKey {
    /// Packets of a protocol to an address and port (port 0: every port; needs persistence).
    Addr {
        /// The transport protocol.
        protocol: Protocol,
        /// Virtual address and port.
        vip: Endpoint,
    },
    /// Packets that the firewall marked.
    Mark {
        /// The mark, 1 to 2^32-1.
        mark: u32,
        /// The family of the packets.
        family: Family,
    },
}

impl ServiceKey {
    /// A TCP service.
    pub fn tcp(addr: impl Into<IpAddr>, port: u16) -> Self {
        Self::Addr { protocol: Protocol::Tcp, vip: Endpoint::new(addr, port) }
    }

    /// The family of the service's packets.
    pub fn family(&self) -> Family {
        match self {
            Self::Addr { vip, .. } => Family::of(vip.addr),
            Self::Mark { family, .. } => *family,
        }
    }

    /// The service's port; 0 for a firewall mark.
    pub fn port(&self) -> u16 {
        match self {
            Self::Addr { vip, .. } => vip.port,
            Self::Mark { .. } => 0,
        }
    }
}

/// The kernel's service flags (`IP_VS_SVC_F_*`), without PERSISTENT and HASHED, which follow from other fields.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ServiceFlags(pub u32);

impl ServiceFlags {
    /// One packet a connection (UDP).
    pub const ONE_PACKET: Self = Self(0x0004);
    /// Scheduler flag 1: sh-fallback, mh-fallback.
    pub const SCHED_1: Self = Self(0x0008);
    /// Scheduler flag 2: sh-port, mh-port.
    pub const SCHED_2: Self = Self(0x0010);
    /// Scheduler flag 3.
    pub const SCHED_3: Self = Self(0x0020);

    /// Whether all bits of `other` are set.
    pub fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Both sets of bits.
    #[must_use]
    pub fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// These without the bits of `other`.
    #[must_use]
    pub fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }
}

/// The schedulers that the kernel has, each a module, and that keepalived knows.
pub const SCHEDULERS: [&str; 14] =
    ["rr", "wrr", "lc", "wlc", "lblc", "lblcr", "sh", "mh", "dh", "fo", "ovf", "sed", "nq", "twos"];

/// The persistence engines that kernels have had.
pub const ENGINES: [&str; 1] = ["sip"];

/// Bytes of a scheduler's or an engine's name at most (IP_VS_SCHEDNAME_MAXLEN, IP_VS_PENAME_MAXLEN, without the zero byte).
pub const LONGEST_NAME: usize = 15;

/// How a virtual service is balanced: everything that an admin sets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Service {
    /// The scheduler's kernel name: `rr`, `sh`, `wlc`, ...
    pub scheduler: String,
    /// One-packet and scheduler flags.
    pub flags: ServiceFlags,
    /// Persistence in seconds; none without persistence.
    pub persistence: Option<u32>,
    /// Which clients share a persistence template. IPv4: the mask as a number in host order, all ones by
    /// default; IPv6: the prefix length, 128 by default.
    pub netmask: u32,
    /// The persistence engine (`sip`), if any.
    pub engine: Option<String>,
}

impl Service {
    /// A service with this scheduler and nothing else set.
    pub fn new(scheduler: &str, family: Family) -> Self {
        Self {
            scheduler: scheduler.to_owned(),
            flags: ServiceFlags::default(),
            persistence: None,
            netmask: Self::default_netmask(family),
            engine: None,
        }
    }

    /// The netmask under which every client stands for itself.
    pub fn default_netmask(family: Family) -> u32 {
        match family {
            Family::Inet => u32::MAX,
            Family::Inet6 => 128,
        }
    }
}

/// Which checksum a GUE or GRE tunnel carries.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TunnelChecksum {
    /// None.
    #[default]
    None,
    /// A checksum over the packet.
    Full,
    /// Remote checksum offload (GUE only).
    Remote,
}

/// The tunnel of the forwarding method TUN.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Tunnel {
    /// IP in IP.
    #[default]
    Ipip,
    /// Generic UDP encapsulation.
    Gue {
        /// The real server's UDP port.
        port: u16,
        /// The checksum.
        checksum: TunnelChecksum,
    },
    /// Generic routing encapsulation.
    Gre {
        /// The checksum.
        checksum: TunnelChecksum,
    },
}

/// How packets reach a real server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Forward {
    /// NAT (`-m`).
    Masq,
    /// To the director itself; the kernel reports it for its own addresses.
    Local,
    /// Through a tunnel (`-i`).
    Tunnel(Tunnel),
    /// Direct routing by MAC address (`-g`).
    Route,
    /// Past the table; the kernel's own, never set.
    Bypass,
}

/// How a real server is used: everything that an admin sets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Server {
    /// How packets reach it.
    pub forward: Forward,
    /// Its share of new connections; 0 gets none but keeps what it has.
    pub weight: u32,
    /// No new connections above this many; 0: no limit.
    pub upper: u32,
    /// New connections again below this many; 0: three quarters of `upper`.
    pub lower: u32,
}

impl Server {
    /// A server without thresholds.
    pub fn new(forward: Forward, weight: u32) -> Self {
        Self { forward, weight, upper: 0, lower: 0 }
    }
}

/// A virtual service with its real servers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceEntry {
    /// How it is balanced.
    pub service: Service,
    /// Its real servers by address and port.
    pub servers: BTreeMap<Endpoint, Server>,
}

impl ServiceEntry {
    /// A service without servers.
    pub fn new(service: Service) -> Self {
        Self { service, servers: BTreeMap::new() }
    }
}

/// The whole table, without counters: what somebody wishes, or what the kernel has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Table {
    /// The services by key.
    pub services: BTreeMap<ServiceKey, ServiceEntry>,
}
