//! What is known of every real server, and what follows from it for the table.
//!
//! No socket and no clock: the driver brings outcomes and the time, and takes changes and tables.

mod brake;
mod drain;
mod judge;
mod load;
mod places;
mod ramp;
mod reload;
mod rest;
mod settle;

pub use load::{Order, Remembered};

use std::collections::BTreeSet;

use lvs_core::addr::Family;
use lvs_core::conf::Config;
use lvs_core::conf::check::many;
use lvs_core::conf::model::{Target, VirtualServer};
use lvs_core::desired::Health;
use lvs_core::table::{Protocol, ServiceKey};
use lvs_core::time::Time;

use crate::change::{Change, What};
use crate::checker::Checker;
use crate::drains::Drains;
use crate::few::Few;
use crate::histogram::Histogram;
use crate::options::Options;
use crate::outcome::{Outcome, Reason};
use crate::roster::{Identity, User};

/// A check with its state and its history.
#[derive(Debug)]
pub struct Watched {
    /// What it is.
    pub identity: Identity,
    /// Whom it speaks for.
    pub users: Few<User>,
    /// Its state.
    pub checker: Checker,
    /// The last outcome.
    pub last: Option<Outcome>,
    /// Tries that passed and that failed.
    pub tries: [u64; 2],
    /// The weight that the last good try asked for.
    weight: Option<u32>,
}

/// The state of everything that is watched.
pub struct Monitor {
    config: Config,
    options: Options,
    keys: Vec<Vec<ServiceKey>>,
    health: Health,
    /// For each real server of each virtual server its checks and when it last changed.
    servers: Vec<Vec<Server>>,
    checks: Vec<Option<Watched>>,
    drains: Drains,
    /// Virtual servers whose table has to be looked at.
    dirty: BTreeSet<u32>,
    /// Services that were ours and are no longer wanted.
    gone: BTreeSet<ServiceKey>,
    /// Services that were ours and belong to blocks that are left out for an error.
    kept: BTreeSet<ServiceKey>,
    changes: Vec<Change>,
    ramps: ramp::Ramps,
    latencies: Histogram,
    /// Virtual servers whose checks rest.
    resting: BTreeSet<u32>,
}

#[derive(Clone, Debug, Default)]
struct Server {
    checks: Few<u32>,
    changed: Time,
    /// It counts as dead, but nobody was told so yet (`alpha`).
    unproven: bool,
    /// When it last died, and why.
    died: Option<Box<(Time, Reason)>>,
    /// Clients are sent to it by the table that was last settled, at first by the one that was found.
    serves: bool,
}

impl Monitor {
    /// The configuration in force.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// What is known of the real servers.
    pub fn health(&self) -> &Health {
        &self.health
    }

    /// How long good tries took.
    pub fn latencies(&self) -> &Histogram {
        &self.latencies
    }

    /// What the command line asked for.
    pub fn options(&self) -> &Options {
        &self.options
    }

    /// The services of a virtual server.
    pub fn keys(&self, vs: usize) -> &[ServiceKey] {
        &self.keys[vs]
    }

    /// Every service that is wanted.
    pub fn all_keys(&self) -> impl Iterator<Item = ServiceKey> {
        self.keys.iter().flatten().copied()
    }

    /// Every service that is ours: the wanted ones and those of blocks that are left out.
    pub fn owned(&self) -> impl Iterator<Item = ServiceKey> {
        self.all_keys().chain(self.kept.iter().copied())
    }

    /// Services that were ours and go with the next table.
    pub fn leaving(&self) -> impl Iterator<Item = ServiceKey> {
        self.gone.iter().copied()
    }

    /// A check, if it is still wanted.
    pub fn check(&self, check: u32) -> Option<&Watched> {
        self.checks.get(check as usize)?.as_ref()
    }

    /// All checks.
    pub fn checks(&self) -> impl Iterator<Item = &Watched> {
        self.checks.iter().flatten()
    }

    /// The real server that a check speaks for, for people; of several the first, and how many more there are.
    pub fn whom(&self, check: &Watched) -> String {
        let of = |u: &User| {
            format!(
                "{}: real server {}",
                name(&self.config.virtual_servers[u.vs as usize]),
                self.endpoint(*u)
            )
        };
        let first = check.users.first().map(of).unwrap_or_default();
        match check.users.iter().count() {
            0 | 1 => first,
            n => format!("{first} (and {})", many(n - 1, "other")),
        }
    }

    /// The checks of a real server.
    pub fn checks_of(&self, user: User) -> impl Iterator<Item = &Watched> {
        let server = &self.servers[user.vs as usize][user.rs as usize];
        server.checks.iter().filter_map(|c| self.check(*c))
    }

    /// When a real server last changed between alive and dead.
    pub fn changed(&self, user: User) -> Time {
        self.servers[user.vs as usize][user.rs as usize].changed
    }

    /// When a real server last died, and why.
    pub fn died(&self, user: User) -> Option<&(Time, Reason)> {
        self.servers[user.vs as usize][user.rs as usize].died.as_deref()
    }

    /// Moves what moves by itself: weights of servers that start slowly.
    pub fn tick(&mut self, now: Time) {
        for (user, share) in self.ramps.tick(now) {
            self.health.services[user.vs as usize].servers[user.rs as usize].share = share;
            self.dirty.insert(user.vs);
        }
    }

    /// When [`Self::tick`] has something to do.
    pub fn deadline(&self) -> Option<Time> {
        self.ramps.deadline()
    }

    /// What happened since this was last asked.
    pub fn take_changes(&mut self) -> Vec<Change> {
        std::mem::take(&mut self.changes)
    }

    fn tell(&mut self, vs: u32, what: What) {
        let service = name(&self.config.virtual_servers[vs as usize]);
        self.changes.push(Change { vs, service, what });
    }
}

/// A virtual server's name for people, each of a file its own: `192.168.15.111:443`, `192.168.15.111:53/udp`, `fwmark 7`,
/// `fwmark 7 IPv6`, `group web`.
pub fn name(vs: &VirtualServer) -> String {
    let target = &*vs.target;
    match (target, *vs.protocol) {
        // A mark has no protocol, but there is one of each family.
        (Target::Mark(_), _) if vs.family == Family::Inet6 => format!("{target} IPv6"),
        (Target::Mark(_), _) | (_, Protocol::Tcp) => target.to_string(),
        (_, other) => format!("{target}/{}", other.to_string().to_lowercase()),
    }
}

#[cfg(test)]
mod tests;
