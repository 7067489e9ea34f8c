//! `global_defs`.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use super::mail::Mail;
use super::script::Command;
use crate::conf::place::At;
use crate::plan::Timeouts;

/// The protocol's version.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum VrrpVersion {
    /// RFC 3768.
    #[default]
    V2,
    /// RFC 5798, RFC 9568.
    V3,
}

/// What is removed from the table at stop.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum FlushOnStop {
    /// Nothing.
    #[default]
    Nothing,
    /// The services of the configuration.
    Own,
    /// All services, whoever made them.
    All,
}

/// When and how often gratuitous ARP (IPv6: unsolicited neighbour advertisements) is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Garp {
    /// Second burst, this long after becoming master (default 5 s; 0: none).
    pub master_delay: At<Duration>,
    /// Packets a burst and address (default 5).
    pub master_repeat: At<u32>,
    /// While master, again every so often (default 0: never).
    pub refresh: At<Duration>,
    /// Packets a refresh (default 1).
    pub refresh_repeat: At<u32>,
    /// Second burst after an advertisement of lower priority (default: `master_delay`).
    pub lower_prio_delay: At<Duration>,
    /// Packets of that burst (default: `master_repeat`).
    pub lower_prio_repeat: At<u32>,
    /// One packet each on the other interfaces with addresses, so often while master (`garp_extra_if`; default 0: never).
    pub extra_if: At<Duration>,
    /// `garp_extra_if all`: not only on VMACs.
    pub extra_all: bool,
}

impl Default for Garp {
    fn default() -> Self {
        let five = At::assumed(Duration::from_secs(5));
        let zero = At::assumed(Duration::ZERO);
        Self {
            master_delay: five,
            master_repeat: At::assumed(5),
            refresh: zero,
            refresh_repeat: At::assumed(1),
            lower_prio_delay: five,
            lower_prio_repeat: At::assumed(5),
            extra_if: zero,
            extra_all: false,
        }
    }
}

/// A named pipe that gets a line for every change of state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fifo {
    /// The pipe.
    pub path: At<String>,
    /// The pipe's owner.
    pub user: Option<At<String>>,
    /// The pipe's group.
    pub group: Option<At<String>>,
    /// The reader to start (`*_notify_fifo_script`); it gets the path as its last argument.
    pub script: Option<Command>,
}

/// `lvs_sync_daemon`: the kernel's connection synchronisation, sender or receiver as an instance decides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyncDaemon {
    /// The interface of the multicast group.
    pub interface: At<String>,
    /// The instance whose state it follows.
    pub instance: At<String>,
    /// The sync id, 0 to 255 (default: the instance's VRID).
    pub id: At<u32>,
    /// Largest message in bytes; 0: the kernel's choice.
    pub max_len: At<u16>,
    /// UDP port; 0: the kernel's choice (8848).
    pub port: At<u16>,
    /// Multicast TTL; 0: the kernel's choice (1).
    pub ttl: At<u8>,
    /// Multicast group; none: the kernel's choice (224.0.0.81).
    pub group: Option<At<IpAddr>>,
}

impl SyncDaemon {
    /// Stands for "the instance's VRID" while reading; never in a finished configuration.
    pub(in crate::conf) const VRID: u32 = 256;
}

/// `global_defs`, defaults filled in.
#[derive(Clone, Debug, PartialEq)]
pub struct Global {
    /// `vmac_prefix`; none: `vrrp`.
    pub vmac_prefix: Option<At<String>>,
    /// `vmac_addr_prefix`; none: `vmac_prefix`.
    pub vmac_addr_prefix: Option<At<String>>,
    /// `router_id`, the name of this host in mails; none: the host's name.
    pub router_id: Option<At<String>>,
    /// `script_user USER`: who runs scripts.
    pub script_user: Option<At<String>>,
    /// `script_user USER GROUP`.
    pub script_group: Option<At<String>>,
    /// `enable_script_security`: no script runs as root whose path another user can write.
    pub script_security: At<bool>,
    /// `vrrp_version` (default 2).
    pub version: At<VrrpVersion>,
    /// `vrrp_strict`.
    pub strict: At<bool>,
    /// `vrrp_mcast_group4` (default 224.0.0.18).
    pub mcast_group4: At<Ipv4Addr>,
    /// `vrrp_mcast_group6` (default ff02::12).
    pub mcast_group6: At<Ipv6Addr>,
    /// `vrrp_skip_check_adv_addr`.
    pub skip_check_adv_addr: At<bool>,
    /// `vrrp_check_unicast_src`.
    pub check_unicast_src: At<bool>,
    /// The instances' defaults for gratuitous ARP.
    pub garp: Garp,
    /// `vrrp_garp_interval`: gap between two gratuitous ARPs on an interface (default 0).
    pub garp_interval: At<Duration>,
    /// `vrrp_gna_interval`: the same for neighbour advertisements.
    pub gna_interval: At<Duration>,
    /// `vrrp_min_garp`.
    pub min_garp: At<bool>,
    /// `vrrp_lower_prio_no_advert`.
    pub lower_prio_no_advert: At<bool>,
    /// `vrrp_higher_prio_send_advert`.
    pub higher_prio_send_advert: At<bool>,
    /// `vrrp_down_timer_adverts`, 1 to 100 (default 3).
    pub down_timer_adverts: At<u32>,
    /// `vrrp_startup_delay` (default 0).
    pub startup_delay: At<Duration>,
    /// `vrrp_notify_priority_changes`.
    pub notify_priority_changes: At<bool>,
    /// `dynamic_interfaces`: interfaces may appear later.
    pub dynamic_interfaces: At<bool>,
    /// `default_interface`, for `static_*` lines without a `dev`.
    pub default_interface: Option<At<String>>,
    /// `vrrp_rt_priority`: SCHED_RR priority; none: ordinary scheduling.
    pub rt_priority: Option<At<u32>>,
    /// `vrrp_no_swap`: lock the memory.
    pub no_swap: At<bool>,
    /// `max_auto_priority`: as far as the SCHED_RR priority is raised by itself, to 99 (default 0: not at all).
    pub max_auto_priority: At<u32>,
    /// `min_auto_priority_delay`: how late a timer must be for that (default 1 s).
    pub min_auto_priority_delay: At<Duration>,
    /// `checker_rt_priority`.
    pub checker_rt_priority: Option<At<u32>>,
    /// `checker_no_swap`.
    pub checker_no_swap: At<bool>,
    /// `notify_fifo`: states of instances and of real servers.
    pub notify_fifo: Option<Fifo>,
    /// `vrrp_notify_fifo`.
    pub vrrp_fifo: Option<Fifo>,
    /// `lvs_notify_fifo`.
    pub lvs_fifo: Option<Fifo>,
    /// Who is sent mails.
    pub mail: Mail,
    /// `startup_script`.
    pub startup_script: Option<Command>,
    /// `shutdown_script`.
    pub shutdown_script: Option<Command>,
    /// `startup_script_timeout` (default 10 s).
    pub startup_timeout: At<Duration>,
    /// `shutdown_script_timeout` (default 10 s).
    pub shutdown_timeout: At<Duration>,
    /// `lvs_sync_daemon`.
    pub sync_daemon: Option<SyncDaemon>,
    /// `lvs_timeouts`, seconds; 0 leaves one as it is.
    pub timeouts: Option<At<Timeouts>>,
    /// `lvs_flush`: the table is emptied at start.
    pub flush: At<bool>,
    /// `lvs_flush_on_stop [VS]`: what is removed at stop.
    pub flush_on_stop: At<FlushOnStop>,
    /// `checker_log_all_failures`.
    pub log_all_failures: At<bool>,
    /// `rs_init_notifies`: notifiers run for the first state too.
    pub rs_init_notifies: At<bool>,
}

impl Default for Global {
    fn default() -> Self {
        let (off, zero) = (At::assumed(false), At::assumed(Duration::ZERO));
        let ten = At::assumed(Duration::from_secs(10));
        Self {
            vmac_prefix: None,
            vmac_addr_prefix: None,
            router_id: None,
            script_user: None,
            script_group: None,
            script_security: off,
            version: At::default(),
            strict: off,
            mcast_group4: At::assumed(Ipv4Addr::new(224, 0, 0, 18)),
            mcast_group6: At::assumed(Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 0x12)),
            skip_check_adv_addr: off,
            check_unicast_src: off,
            garp: Garp::default(),
            garp_interval: zero,
            gna_interval: zero,
            min_garp: off,
            lower_prio_no_advert: off,
            higher_prio_send_advert: off,
            down_timer_adverts: At::assumed(3),
            startup_delay: zero,
            notify_priority_changes: off,
            dynamic_interfaces: off,
            default_interface: None,
            rt_priority: None,
            no_swap: off,
            max_auto_priority: At::assumed(0),
            min_auto_priority_delay: At::assumed(Duration::from_secs(1)),
            checker_rt_priority: None,
            checker_no_swap: off,
            notify_fifo: None,
            vrrp_fifo: None,
            lvs_fifo: None,
            mail: Mail::default(),
            startup_script: None,
            shutdown_script: None,
            startup_timeout: ten,
            shutdown_timeout: ten,
            sync_daemon: None,
            timeouts: None,
            flush: off,
            flush_on_stop: At::default(),
            log_all_failures: off,
            rs_init_notifies: off,
        }
    }
}
