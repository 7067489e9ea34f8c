//! `vrrp_instance` and `vrrp_sync_group`.

use std::net::IpAddr;
use std::time::Duration;

use super::global::{Garp, VrrpVersion};
use super::script::{Command, Reference};
use super::statics::{Route, Rule};
use crate::addr::{Family, Mac, Prefix};
use crate::conf::place::At;

/// `state`: a hint; the election decides.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum InitialState {
    /// MASTER; only matters with priority 255, and rules out `nopreempt`.
    Master,
    /// BACKUP.
    #[default]
    Backup,
}

/// `authentication { auth_type PASS }`, version 2 only. AH is refused, with an error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authentication {
    /// The password, 1 to 8 bytes, as it goes on the wire (there padded with zero bytes).
    pub password: At<Vec<u8>>,
}

/// The broadcast address of a VIP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Broadcast {
    /// `brd A`.
    Address(std::net::Ipv4Addr),
    /// `brd +`: host bits all ones.
    Ones,
    /// `brd -`: host bits all zeros.
    Zeros,
}

/// A line of `virtual_ipaddress`, `virtual_ipaddress_excluded` or `static_ipaddress`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// Address and prefix length (default /32, /128).
    pub prefix: At<Prefix>,
    /// The interface (default: the instance's; a static line: `default_interface`). Empty only with
    /// unicast instances that name none.
    pub dev: At<String>,
    /// `brd`.
    pub broadcast: Option<At<Broadcast>>,
    /// `label`.
    pub label: Option<At<String>>,
    /// `scope`, the kernel's number: 0 global, 200 site, 253 link, 254 host.
    pub scope: At<u8>,
    /// `peer A[/LEN]` of a point-to-point link.
    pub peer: Option<At<Prefix>>,
    /// `use_vmac`: with a virtual MAC address, whatever the instance does.
    pub use_vmac: bool,
    /// Its VMAC, where that is not the instance's.
    pub vmac: Option<AddressVmac>,
    /// `home`.
    pub home: bool,
    /// `mngtmpaddr`.
    pub mngtmpaddr: bool,
    /// `noprefixroute`.
    pub noprefixroute: bool,
    /// `autojoin`.
    pub autojoin: bool,
    /// `no_track`: its loss does not matter.
    pub no_track: bool,
    /// `preferred_lft`, seconds; none: for ever. IPv6 VIPs of /128 have 0 unless the line says otherwise.
    pub preferred_lft: Option<At<u32>>,
}

/// A line of `unicast_peer`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer {
    /// Its address.
    pub addr: At<IpAddr>,
    /// Advertisements with a smaller TTL are dropped; none: not looked at.
    pub min_ttl: Option<u8>,
    /// Advertisements with a larger TTL are dropped; none: not looked at.
    pub max_ttl: Option<u8>,
}

/// Unicast instead of multicast; present when there is at least one peer, or with `unicast_fault_no_peer`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unicast {
    /// To whom advertisements go.
    pub peers: Vec<Peer>,
    /// `unicast_ttl` (default 255).
    pub ttl: At<u8>,
    /// `check_unicast_src`: the source must be a peer (default: the global one).
    pub check_src: At<bool>,
    /// `unicast_fault_no_peer`: no peer is a fault.
    pub fault_no_peer: At<bool>,
    /// `old_unicast_checksum`: some true, `never` false, none decides by what the peers send.
    pub old_checksum: Option<At<bool>>,
}

/// A macvlan on the interface that an address names (`use_vmac` of the address, `use_vmac_addr`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddressVmac {
    /// The interface's name; addresses of one interface and MAC address share it.
    pub name: String,
    /// The MAC address.
    pub mac: Mac,
}

/// `use_vmac`: a macvlan with the virtual router's MAC address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vmac {
    /// The interface's name (default `vrrp.VRID`; `vrrp6.VRID`, `vrrp1.VRID`, ... where that is another one's).
    pub name: At<String>,
    /// The MAC address (default 00:00:5e:00:01:VRID, IPv6 00:00:5e:00:02:VRID).
    pub mac: At<Mac>,
    /// `vmac_xmit_base`: advertisements leave the underlying interface with its own MAC address.
    pub xmit_base: At<bool>,
}

/// What is run on a change of state.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Notify {
    /// `notify_master`.
    pub master: Option<Command>,
    /// `notify_backup`.
    pub backup: Option<Command>,
    /// `notify_fault`.
    pub fault: Option<Command>,
    /// `notify_stop`.
    pub stop: Option<Command>,
    /// The script of `notify_deleted`.
    pub deleted: Option<Command>,
    /// `notify_deleted`, with or without a script: `notify` is told DELETED instead of FAULT.
    pub says_deleted: At<bool>,
    /// `notify_master_rx_lower_pri` (instances).
    pub master_rx_lower_pri: Option<Command>,
    /// `notify`: run after any of them with INSTANCE or GROUP, name, state and priority appended.
    pub any: Option<Command>,
    /// `notify_priority_changes` (default: the global one).
    pub priority_changes: At<bool>,
    /// `smtp_alert`; none: as [`super::Mail::is_of_vrrp`] has it.
    pub mail: Option<At<bool>>,
}

impl Notify {
    /// All that is run.
    pub fn commands(&self) -> impl Iterator<Item = &Command> {
        let states = [&self.master, &self.backup, &self.fault, &self.stop, &self.deleted];
        states.into_iter().chain([&self.master_rx_lower_pri, &self.any]).flatten()
    }
}

/// What is tracked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tracking {
    /// `track_interface`.
    pub interfaces: Vec<Reference>,
    /// `track_script`; each exists in [`super::Config::scripts`].
    pub scripts: Vec<Reference>,
    /// `track_file`; each exists in [`super::Config::track_files`].
    pub files: Vec<Reference>,
    /// `track_process`; each exists in [`super::Config::track_processes`].
    pub processes: Vec<Reference>,
}

/// `vrrp_instance NAME { }`.
#[derive(Clone, Debug, PartialEq)]
pub struct Instance {
    /// Its name.
    pub name: At<String>,
    /// `state` (default BACKUP).
    pub state: At<InitialState>,
    /// `interface`.
    pub interface: Option<At<String>>,
    /// `virtual_router_id`, 1 to 255.
    pub vrid: At<u8>,
    /// `version` (default: the global one; IPv6: always 3).
    pub version: At<VrrpVersion>,
    /// The family of its advertisements: that of the first VIP, or of the peers.
    pub family: At<Family>,
    /// `priority`, 1 to 255 (default 100).
    pub priority: At<u8>,
    /// `advert_int` (default 1 s). V2: whole seconds, 1 to 255. V3: steps of 10 ms, at most 40.95 s.
    pub advert_interval: At<Duration>,
    /// `authentication` (version 2).
    pub authentication: Option<Authentication>,
    /// `virtual_ipaddress`, advertised in this order.
    pub addresses: Vec<Address>,
    /// `virtual_ipaddress_excluded`: set but not advertised.
    pub excluded: Vec<Address>,
    /// `virtual_routes`.
    pub routes: Vec<Route>,
    /// `virtual_rules`.
    pub rules: Vec<Rule>,
    /// False with `nopreempt`.
    pub preempt: At<bool>,
    /// `preempt_delay` (default 0).
    pub preempt_delay: At<Duration>,
    /// `unicast_peer`; none: multicast.
    pub unicast: Option<Unicast>,
    /// `unicast_src_ip` or `mcast_src_ip`; none: the interface's primary address.
    pub source: Option<At<IpAddr>>,
    /// `track_src_ip`: fault while the source address is missing.
    pub track_source: At<bool>,
    /// `mcast_dst_ip` (default: the global group of the family).
    pub mcast_group: At<IpAddr>,
    /// Gratuitous ARP.
    pub garp: Garp,
    /// `use_vmac`.
    pub vmac: Option<Vmac>,
    /// `use_vmac_addr`: addresses of other interfaces, or of the other family, get VMACs.
    pub vmac_addresses: At<bool>,
    /// False with `no_accept` (or strict without `accept`): packets to a VIP are dropped unless owner.
    pub accept: At<bool>,
    /// `strict_mode` (default: `vrrp_strict`).
    pub strict: At<bool>,
    /// False with `dont_track_primary`: its own link going down is no fault.
    pub track_primary: At<bool>,
    /// What is tracked.
    pub track: Tracking,
    /// What is run on a change.
    pub notify: Notify,
    /// `lower_prio_no_advert`.
    pub lower_prio_no_advert: At<bool>,
    /// `higher_prio_send_advert`.
    pub higher_prio_send_advert: At<bool>,
    /// `down_timer_adverts` (default 3).
    pub down_timer_adverts: At<u32>,
    /// `skip_check_adv_addr`.
    pub skip_check_adv_addr: At<bool>,
    /// `promote_secondaries`: set the interface's sysctl of that name.
    pub promote_secondaries: At<bool>,
    /// `kernel_rx_buf_size` in bytes.
    pub rx_buffer: Option<At<u32>>,
    /// `debug` level, 0 to 4.
    pub debug: At<u32>,
}

/// `vrrp_sync_group NAME { }`: instances that change state together.
#[derive(Clone, Debug, PartialEq)]
pub struct SyncGroup {
    /// Its name.
    pub name: At<String>,
    /// Its members; each exists in [`super::Config::instances`].
    pub members: Vec<At<String>>,
    /// What the group tracks.
    pub track: Tracking,
    /// What is run on a change.
    pub notify: Notify,
    /// `sync_group_tracking_weight`: weights count; without it they are 0.
    pub tracking_weight: At<bool>,
}
