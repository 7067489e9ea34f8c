//! What is known of every real server, and what follows from it for the table.
//!
//! No socket and no clock: the driver brings outcomes and the time, and takes changes and tables.

mod brake;
mod drain;
mod load;
mod ramp;
mod rest;

pub use load::{Order, Remembered};

use std::collections::BTreeSet;
use std::time::Duration;

use lvs_core::addr::Endpoint;
use lvs_core::conf::Config;
use lvs_core::conf::model::{Target, VirtualServer};
use lvs_core::desired::{self, Health};
use lvs_core::table::{ServiceKey, Table};
use lvs_core::time::Time;

use crate::change::{Change, What};
use crate::checker::{Checker, Verdict};
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

impl Watched {
    /// Why it is down, if it is.
    fn dead(&self) -> Option<Reason> {
        match &self.last {
            _ if self.checker.is_up() => None,
            Some(Outcome::Fail(why)) => Some(why.clone()),
            _ => Some(Reason::Unknown),
        }
    }
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

    /// The checks of a real server.
    pub fn checks_of(&self, user: User) -> impl Iterator<Item = &Watched> {
        let server = &self.servers[user.vs as usize][user.rs as usize];
        server.checks.iter().filter_map(|c| self.check(*c))
    }

    /// When a real server last changed between alive and dead.
    pub fn changed(&self, user: User) -> Time {
        self.servers[user.vs as usize][user.rs as usize].changed
    }

    /// Learns the outcome of a try; returns when the next one is due, none if nobody wants it any more.
    pub fn observe(&mut self, check: u32, outcome: Outcome, now: Time) -> Option<Time> {
        let watched = self.checks.get_mut(check as usize)?.as_mut()?;
        let verdict = watched.checker.observe(&outcome, now);
        let due = watched.checker.due();
        let mut news = matches!(verdict, Some(Verdict::Up | Verdict::Down));
        match &outcome {
            Outcome::Pass { weight, latency } => {
                self.latencies.add(*latency);
                watched.tries[0] += 1;
                news |= *weight != watched.weight;
                watched.weight = *weight;
            }
            Outcome::Fail(_) => watched.tries[1] += 1,
            Outcome::Unknown(_) => {}
        }
        let held = match verdict {
            Some(Verdict::Held(rest)) => Some((watched.users.clone(), rest)),
            _ => None,
        };
        watched.last = Some(outcome);
        let rests = watched.users.iter().all(|u| self.resting.contains(&u.vs));
        if news {
            for user in watched.users.clone().iter() {
                self.judge(*user, now);
            }
        }
        if let Some((users, rest)) = held {
            users.iter().for_each(|user| self.tell(user.vs, What::Held(*user, self.endpoint(*user), rest)));
        }
        (!rests).then_some(due)
    }

    fn endpoint(&self, user: User) -> Endpoint {
        *self.config.virtual_servers[user.vs as usize].real_servers[user.rs as usize].endpoint
    }

    /// Derives a real server's state from its checks.
    fn judge(&mut self, user: User, now: Time) {
        let (v, r) = (user.vs as usize, user.rs as usize);
        let dead = self.checks_of(user).find_map(Watched::dead);
        let weight = self.checks_of(user).find_map(|c| c.weight);
        let h = &mut self.health.services[v].servers[r];
        let (was, is) = (h.up, dead.is_none());
        (h.up, h.weight) = (is, weight);
        self.dirty.insert(user.vs);
        let unproven = std::mem::take(&mut self.servers[v][r].unproven);
        if was == is && !unproven {
            return;
        }
        self.servers[v][r].changed = now;
        let endpoint = self.endpoint(user);
        if let Some(whole) = self.options.slow_start {
            self.health.services[v].servers[r].share = self.ramps.turn(user, is, now, whole);
        }
        self.tell(
            user.vs,
            match dead {
                None => What::Up(user, endpoint),
                Some(why) => What::Down(user, endpoint, why),
            },
        );
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

    /// Whether [`Self::settle`] or [`Self::take_changes`] has something to give.
    pub fn has_news(&self) -> bool {
        !(self.dirty.is_empty() && self.gone.is_empty() && self.changes.is_empty())
    }

    /// Decides quorums and brakes of what changed, and gives the services that have to be looked at as they should
    /// be, together with those that should be no more.
    pub fn settle(&mut self) -> Option<(Table, BTreeSet<ServiceKey>)> {
        if self.dirty.is_empty() && self.gone.is_empty() {
            return None;
        }
        let mut want = Table::default();
        for v in std::mem::take(&mut self.dirty) {
            self.settle_one(v);
            let i = v as usize;
            let (vs, health) = (&self.config.virtual_servers[i], &self.health.services[i]);
            want.services.extend(desired::entries(vs, health, &self.keys[i]));
        }
        Some((want, std::mem::take(&mut self.gone)))
    }

    fn settle_one(&mut self, v: u32) {
        let i = v as usize;
        let vs = &self.config.virtual_servers[i];
        let sorry = vs.sorry.is_some();
        let gained = self.health.services[i].settle(vs);
        // Where the sorry server serves, no real server does, and there is nothing to hold.
        let none = sorry && !self.health.services[i].quorum;
        let braked = self.options.brake_percent.and_then(|p| {
            let percent = if none { 100 } else { p };
            let known = &self.servers[i];
            let servers = &mut self.health.services[i].servers;
            brake::apply(servers, percent, |r| known[r].serves, |r| known[r].changed)
        });
        let health = &self.health.services[i];
        let open = health.quorum || !sorry;
        for (known, h) in self.servers[i].iter_mut().zip(&health.servers) {
            known.serves = open && (h.up || h.kept);
        }
        match gained {
            Some(true) => self.tell(v, What::QuorumGained),
            Some(false) => self.tell(v, What::QuorumLost(sorry)),
            None => {}
        }
        match braked {
            Some(0) => self.tell(v, What::Released),
            Some(n) => self.tell(v, What::Braked(n)),
            None => {}
        }
    }

    /// The whole table that should be.
    pub fn table(&self) -> Table {
        let each = self.config.virtual_servers.iter().zip(&self.health.services).zip(&self.keys);
        Table { services: each.flat_map(|((vs, h), keys)| desired::entries(vs, h, keys)).collect() }
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

/// A virtual server's name for people: `192.168.15.111:443`, `fwmark 7`, `group web`.
pub fn name(vs: &VirtualServer) -> String {
    match &*vs.target {
        Target::Addr(vip) => vip.to_string(),
        Target::Mark(mark) => format!("fwmark {mark}"),
        Target::Group(group) => format!("group {group}"),
    }
}

/// The time between two steps of a weight that grows.
const STEP: Duration = Duration::from_millis(250);

#[cfg(test)]
mod tests;
