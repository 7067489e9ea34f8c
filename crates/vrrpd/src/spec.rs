//! What to run: the virtual routers of a configuration, every value final.

use std::net::{IpAddr, Ipv4Addr};

use lvs_core::addr::{Family, Prefix};

use crate::door::Door;
use crate::packet::Version;
use crate::params::Params;

mod from_conf;

pub use from_conf::setup;

/// All of a configuration that vrrpd acts on.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Setup {
    /// The virtual routers, in the file's order.
    pub instances: Vec<Spec>,
    /// Interfaces may be missing at start.
    pub dynamic_interfaces: bool,
    /// Gap between two gratuitous ARPs on an interface.
    pub garp_interval: std::time::Duration,
    /// The same for neighbour advertisements.
    pub gna_interval: std::time::Duration,
}

/// One virtual router.
#[derive(Clone, Debug, PartialEq)]
pub struct Spec {
    /// The instance's name.
    pub name: String,
    /// The interface that it speaks on.
    pub interface: String,
    /// Its number, 1 to 255.
    pub vrid: u8,
    /// The family of its advertisements.
    pub family: Family,
    /// For the state machine.
    pub params: Params,
    /// What it lets in, and the addresses that it advertises.
    pub door: Door,
    /// Where advertisements go without unicast peers.
    pub group: IpAddr,
    /// The TTL of unicast advertisements.
    pub unicast_ttl: u8,
    /// The source address; none: the interface's own.
    pub source: Option<IpAddr>,
    /// While it is not set on the interface there is a fault.
    pub track_source: bool,
    /// All addresses to set, those that are not advertised too.
    pub vips: Vec<Vip>,
    /// Whether its own link going down is a fault.
    pub track_primary: bool,
    /// The receive queue asked for, in bytes.
    pub rx_buffer: Option<usize>,
}

/// An address to set while master.
#[derive(Clone, Debug, PartialEq)]
pub struct Vip {
    /// On which interface.
    pub dev: String,
    /// Address and prefix length.
    pub prefix: Prefix,
    /// Its broadcast address.
    pub broadcast: Option<Ipv4Addr>,
    /// The kernel's label (`eth0:1`).
    pub label: Option<String>,
    /// The kernel's number of the scope.
    pub scope: u8,
    /// The other end of a point-to-point link.
    pub peer: Option<IpAddr>,
    /// IFA_F_ flags.
    pub flags: u32,
    /// Seconds for which it is a source address of choice; none: always.
    pub preferred: Option<u32>,
    /// Its loss does not matter.
    pub no_track: bool,
}

impl Spec {
    /// The number of the protocol's version.
    pub fn version_number(&self) -> u8 {
        match self.params.version {
            Version::V2 => 2,
            Version::V3 => 3,
        }
    }

    /// Whether an address is one of its own VIPs.
    pub fn has_vip(&self, addr: IpAddr) -> bool {
        self.vips.iter().any(|v| v.prefix.addr == addr)
    }
}
