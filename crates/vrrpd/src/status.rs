//! What an administrator, a script or a monitoring system asks a running vrrpd: who is master, since when, and why.
//!
//! [`Report`] is the stable form (`vrrpd status --json`); the text and the metrics are made of it, so that all three say
//! the same. Ages are seconds; moments are seconds since 1970, reckoned from the monotonic clock, so that they stay right
//! among themselves when the wall clock is set.

use std::collections::BTreeMap;
use std::net::IpAddr;

use lvs_core::conf::check::many;
use lvs_core::time::Time;
use serde::{Deserialize, Serialize};

use crate::instance::Instance;

mod describe;
pub mod text;

/// Everything about a running vrrpd.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// The program's version.
    pub version: String,
    /// Its process.
    pub pid: u32,
    /// When this was said, seconds since 1970.
    pub at: f64,
    /// The virtual routers, in the configuration's order.
    pub instances: Vec<Router>,
    /// The sync groups.
    pub groups: Vec<Group>,
}

/// One virtual router.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Router {
    /// The instance's name.
    pub name: String,
    /// INIT, BACKUP, MASTER, FAULT, LEAVING, RELEASED or STOP.
    pub state: String,
    /// Since then, seconds since 1970.
    pub since: f64,
    /// For so many seconds.
    pub age: f64,
    /// The effective priority.
    pub priority: u8,
    /// The configured one.
    pub base_priority: u8,
    /// The sum, and what is a fault: `137 = 100 + 7 (script chk) + 30 (interface e1)`.
    pub why: String,
    /// What fails.
    pub faults: Vec<String>,
    /// What is tracked.
    pub tracked: Vec<Thing>,
    /// Its interface.
    pub interface: String,
    /// Its number.
    pub vrid: u8,
    /// Of the protocol.
    pub protocol: u8,
    /// Seconds between advertisements.
    pub interval: f64,
    /// The address of our advertisements.
    pub source: Option<IpAddr>,
    /// The master that a backup listens to.
    pub master: Option<IpAddr>,
    /// The sync group.
    pub group: Option<String>,
    /// The addresses, `192.168.15.111/32`.
    pub vips: Vec<String>,
    /// Those that could not be set, and why; tried again every second.
    #[serde(default)]
    pub unset: Vec<String>,
    /// The same of its routes and rules.
    #[serde(default)]
    pub unset_routes: Vec<String>,
    /// Who was heard.
    pub peers: Vec<Peer>,
    /// What was counted.
    pub counters: Counters,
    /// Refused packets by reason; reasons that never occurred are there with 0.
    pub rejected: BTreeMap<String, u64>,
    /// The last changes of state, the latest last.
    pub transitions: Vec<Transition>,
}

/// A tracked thing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Thing {
    /// interface, script, file or process.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// up, down, unknown, off, or a file's number.
    pub standing: String,
    /// none, fault, pending, or what is added to the priority.
    pub effect: String,
    /// What a script's last run came to.
    pub last_result: Option<String>,
}

/// A sender of advertisements.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Peer {
    /// Its address.
    pub address: IpAddr,
    /// In its last advertisement.
    pub priority: u8,
    /// Seconds since that.
    pub age: f64,
    /// How many counted.
    pub adverts: u64,
}

/// What was counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counters {
    /// Advertisements sent.
    pub sent: u64,
    /// Sends that the kernel refused.
    pub send_errors: u64,
    /// Advertisements that counted.
    pub received: u64,
    /// Of those, with priority 0.
    pub received_zero: u64,
    /// Advertisements with another list of addresses.
    pub other_vips: u64,
    /// Gratuitous ARP and neighbour advertisements sent.
    pub garps: u64,
    /// Times it became master.
    pub became_master: u64,
    /// Addresses, routes and rules put back after someone took them away.
    pub restored: u64,
}

/// A change of state.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Transition {
    /// When, seconds since 1970.
    pub at: f64,
    /// Seconds ago.
    pub age: f64,
    /// Before.
    pub from: String,
    /// After.
    pub to: String,
    /// Why.
    pub cause: String,
}

/// A sync group.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Group {
    /// Its name.
    pub name: String,
    /// That of all its members, or MIXED.
    pub state: String,
    /// Its members.
    pub members: Vec<String>,
}

/// Now, on both clocks.
#[derive(Clone, Copy, Debug)]
pub struct Moment {
    /// The monotonic clock.
    pub now: Time,
    /// Seconds since 1970.
    pub unix: f64,
}

impl Moment {
    fn age(self, then: Time) -> f64 {
        round(self.now.since(then).as_secs_f64())
    }

    fn unix_at(self, then: Time) -> f64 {
        round(self.unix - self.now.since(then).as_secs_f64())
    }
}

/// Microseconds are enough, and shorter to read.
fn round(seconds: f64) -> f64 {
    (seconds * 1e6).round() / 1e6
}

impl Report {
    /// Describes the instances; `last_result` knows what a script's last run came to.
    pub fn new<'a>(
        instances: impl Iterator<Item = &'a Instance>,
        last_result: impl Fn(&str) -> Option<String>,
        moment: Moment,
    ) -> Self {
        let instances: Vec<Router> = instances.map(|i| describe::router(i, &last_result, moment)).collect();
        Self {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            pid: std::process::id(),
            at: round(moment.unix),
            groups: describe::groups(&instances),
            instances,
        }
    }
}

/// In one line, for `systemctl status`: `2 instances: 1 BACKUP, 1 MASTER`.
pub fn summary<'a>(states: impl Iterator<Item = &'a str>) -> String {
    let mut counts = BTreeMap::new();
    for state in states {
        *counts.entry(state).or_insert(0_usize) += 1;
    }
    let total: usize = counts.values().sum();
    let parts: Vec<String> = counts.iter().map(|(state, n)| format!("{n} {state}")).collect();
    format!("{}: {}", many(total, "instance"), parts.join(", "))
}

#[cfg(test)]
mod tests;
