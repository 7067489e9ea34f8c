//! What a keepalived.conf says, typed: one struct a block, defaults filled in, every value with its place.
//!
//! A consumer reads final values only: a real server without a port has its virtual server's, a check without a
//! `delay_loop` has its virtual server's, an instance without `garp_master_delay` has the global one. Whether a
//! value was written is [`At::is_written`]. What could not be understood is not here but in the findings
//! ([`crate::conf::Diag`]): a block with an error in it is left out.

use std::collections::BTreeSet;

mod check;
mod global;
mod left_out;
mod mail;
mod outline;
mod script;
mod service;
mod statics;
mod vrrp;

pub use check::{Check, CheckKind, Http, HttpVersion, Misc, Other, Probe, Status, Url};
pub use global::{Fifo, FlushOnStop, Garp, Global, SyncDaemon, VrrpVersion};
pub use left_out::LeftOut;
pub use mail::Mail;
pub use outline::Outline;
pub use script::{Command, Reference, Script, TrackFile, TrackProcess, Weight};
pub use service::{GroupEntry, RealServer, ServerGroup, ServiceId, Sorry, Target, VirtualServer};
pub use statics::{Extra, Route, Rule, StaticAddress, TrackGroup};
pub use vrrp::{
    Address, AddressVmac, Authentication, Broadcast, InitialState, Instance, Notify, Peer, SyncGroup,
    Tracking, Unicast, Vmac,
};

use super::place::Files;

/// A whole configuration.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Config {
    /// The files that were read, for [`Files::show`].
    pub files: Files,
    /// `global_defs`.
    pub global: Global,
    /// `vrrp_script` blocks.
    pub scripts: Vec<Script>,
    /// `track_file` (`vrrp_track_file`) blocks.
    pub track_files: Vec<TrackFile>,
    /// `vrrp_track_process` blocks.
    pub track_processes: Vec<TrackProcess>,
    /// `track_group` blocks.
    pub track_groups: Vec<TrackGroup>,
    /// `vrrp_sync_group` blocks.
    pub sync_groups: Vec<SyncGroup>,
    /// `vrrp_instance` blocks.
    pub instances: Vec<Instance>,
    /// `static_ipaddress`.
    pub static_addresses: Vec<StaticAddress>,
    /// `static_routes`.
    pub static_routes: Vec<Route>,
    /// `static_rules`.
    pub static_rules: Vec<Rule>,
    /// `virtual_server_group` blocks.
    pub server_groups: Vec<ServerGroup>,
    /// `virtual_server` blocks.
    pub virtual_servers: Vec<VirtualServer>,
    /// Blocks with errors and what belongs together with them, in the order in which that was found.
    pub left_out: Vec<LeftOut>,
    /// How much of the text is in all this.
    pub outline: Outline,
}

impl Config {
    /// The commands that are told of changes: of instances, sync groups, and virtual servers with their real servers.
    pub fn notifiers(&self) -> impl Iterator<Item = &Command> {
        let instances = self.instances.iter().map(|i| &i.notify);
        let vrrp = instances.chain(self.sync_groups.iter().map(|g| &g.notify));
        let servers = self.virtual_servers.iter().flat_map(VirtualServer::notifiers);
        vrrp.flat_map(Notify::commands).chain(servers)
    }

    /// The scripts that some instance or group tracks; the others are not run.
    pub fn tracked_scripts(&self) -> impl Iterator<Item = &Script> {
        let instances = self.instances.iter().map(|i| &i.track);
        let all = instances.chain(self.sync_groups.iter().map(|g| &g.track));
        let names: BTreeSet<&str> = all.flat_map(|t| &t.scripts).map(|r| r.name.as_str()).collect();
        self.scripts.iter().filter(move |s| names.contains(s.name.as_str()))
    }
}
