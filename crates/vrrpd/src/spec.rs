//! What to run: the virtual routers of a configuration, every value final.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr};

use lvs_core::addr::{Family, Prefix};
use lvs_core::conf::model::{SyncDaemon, Tracking};
use lvs_core::sys::rtnl::Address;

use crate::door::Door;
use crate::iproute::Line;
use crate::notify::notifier::Scripts;
use crate::params::Params;
use crate::punctual::Punctuality;
use crate::track::watch::Things;
use crate::vmac::Vmac;

mod from_conf;

pub use from_conf::setup;

/// All of a configuration that vrrpd acts on.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Setup {
    /// The virtual routers, in the file's order.
    pub instances: Vec<Spec>,
    /// Interfaces may be missing at start.
    pub dynamic_interfaces: bool,
    /// Scripts, files and processes that some instance tracks.
    pub things: Things,
    /// What is run when a state changes.
    pub notify: Scripts,
    /// How it is kept on time.
    pub punctuality: Punctuality,
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
    /// Its advertisements are summed up as older routers do, whatever the others send.
    pub old_sum: bool,
    /// The TTL of unicast advertisements.
    pub unicast_ttl: u8,
    /// The source address; none: the interface's own.
    pub source: Option<IpAddr>,
    /// While it is not set on the interface there is a fault.
    pub track_source: bool,
    /// Unicast without a peer is a fault.
    pub fault_no_peer: bool,
    /// Interfaces, scripts, files and processes that decide the priority, or a fault.
    pub track: Tracking,
    /// Interfaces other than its own that its addresses, routes and rules lie on: without one of them it cannot serve.
    pub devs: Vec<String>,
    /// Its sync group.
    pub group_name: Option<String>,
    /// What the sync group tracks.
    pub group_track: Tracking,
    /// All addresses to set, those that are not advertised too.
    pub vips: Vec<Vip>,
    /// Its own interface with the virtual MAC address: it hears and speaks there.
    pub vmac: Option<Vmac>,
    /// It speaks on the interface below that one.
    pub xmit_base: bool,
    /// Those of single addresses.
    pub address_vmacs: Vec<Vmac>,
    /// `garp_extra_if` is for all interfaces with addresses, not only for VMACs.
    pub extra_all: bool,
    /// Routes and rules to set while master.
    pub lines: Vec<Line>,
    /// The kernel's connection synchronisation follows it.
    pub sync: Option<SyncDaemon>,
    /// Whether its own link going down is a fault.
    pub track_primary: bool,
    /// The receive queue asked for, in bytes.
    pub rx_buffer: Option<usize>,
    /// Whether packets to its addresses are taken though it does not own them.
    pub accept: bool,
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
    /// A virtual router with defaults for everything else.
    pub fn new(
        name: &str,
        interface: &str,
        vrid: u8,
        group: IpAddr,
        params: Params,
        door: Door,
        vips: Vec<Vip>,
    ) -> Self {
        Self {
            name: name.to_owned(),
            interface: interface.to_owned(),
            vrid,
            family: Family::of(group),
            params,
            door,
            group,
            old_sum: false,
            unicast_ttl: 255,
            source: None,
            track_source: false,
            fault_no_peer: false,
            track: Tracking::default(),
            devs: Vec::new(),
            group_name: None,
            group_track: Tracking::default(),
            vips,
            vmac: None,
            xmit_base: false,
            address_vmacs: Vec::new(),
            extra_all: false,
            lines: Vec::new(),
            sync: None,
            track_primary: true,
            rx_buffer: None,
            accept: true,
        }
    }

    /// All its VMACs.
    pub fn vmacs(&self) -> impl Iterator<Item = &Vmac> {
        self.vmac.iter().chain(&self.address_vmacs)
    }

    /// The VMAC that it hears on, with a group; unicast comes to the interface itself.
    pub fn ear(&self) -> Option<&Vmac> {
        self.vmac.as_ref().filter(|_| self.door.peers.is_empty())
    }

    /// The VMAC that its advertisements leave.
    pub fn mouth(&self) -> Option<&Vmac> {
        self.ear().filter(|_| !self.xmit_base)
    }

    /// For `garp_extra_if`: the first address of every interface that no advertisement leaves. Switches learn from those where
    /// a MAC address is, from nothing else that comes regularly.
    pub fn extra(&self) -> Vec<&Vip> {
        let mouth = self.mouth().map_or(&self.interface, |v| &v.name);
        let mut found: Vec<&Vip> = Vec::new();
        for vip in self.vips.iter().filter(|v| v.dev != *mouth) {
            let counts = self.extra_all || self.vmacs().any(|v| v.name == vip.dev);
            if counts && !found.iter().any(|f| f.dev == vip.dev) {
                found.push(vip);
            }
        }
        found
    }

    /// Whether an address is one of its own VIPs.
    pub fn has_vip(&self, addr: IpAddr) -> bool {
        self.vips.iter().any(|v| v.prefix.addr == addr)
    }
}

impl Vip {
    /// Whether it is the same address in the same place, whatever its options.
    pub fn is_at(&self, other: &Self) -> bool {
        self.prefix == other.prefix && self.dev == other.dev
    }

    /// An address without options.
    pub fn plain(dev: &str, prefix: Prefix) -> Self {
        let six = prefix.addr.is_ipv6();
        Self {
            dev: dev.to_owned(),
            prefix,
            broadcast: None,
            label: None,
            scope: 0,
            peer: None,
            // It must serve at once; duplicate address detection would hold it back for a second.
            flags: if six { Address::NODAD } else { 0 },
            // As the original: a /128 VIP is never chosen as the source of new connections.
            preferred: (six && prefix.is_host()).then_some(0),
            no_track: false,
        }
    }
}

/// `192.168.15.111/32 on ens192`.
impl fmt::Display for Vip {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} on {}", self.prefix, self.dev)
    }
}

#[cfg(test)]
mod tests;
