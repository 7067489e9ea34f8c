//! How a monitor begins.

use std::collections::BTreeSet;
use std::sync::Arc;

use lvs_core::conf::Config;
use lvs_core::desired::{self, Health, ServerHealth, ServiceHealth};
use lvs_core::table::{ServiceKey, Table};
use lvs_core::time::Time;

use super::{Monitor, Server, Watched, ramp};
use crate::change::What;
use crate::checker::{Checker, Knowledge};
use crate::drains::Drains;
use crate::histogram::Histogram;
use crate::options::Options;
use crate::roster::{User, Wanted, roster, servers};

/// What the driver has to do with a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// Try it from this moment on.
    Begin(u32, Time),
    /// Do not try it any more.
    End(u32),
}

/// What outlives the process.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Remembered {
    /// The services that are ours, so that those which left the file can be removed.
    pub owned: BTreeSet<ServiceKey>,
    /// Servers that the admin took out of service.
    pub drains: Drains,
}

impl Remembered {
    /// Lets go of the services that are not in this configuration, and returns them.
    pub fn leave_to_others(&mut self, config: &Config) -> Vec<ServiceKey> {
        let ours: BTreeSet<_> = desired::keys(config).into_iter().flatten().collect();
        let (ours, others) = std::mem::take(&mut self.owned).into_iter().partition(|key| ours.contains(key));
        self.owned = ours;
        BTreeSet::into_iter(others).collect()
    }
}

/// What is known of a real server before a configuration is taken.
pub(super) type Known<'a> = &'a dyn Fn(User) -> Option<bool>;

impl Monitor {
    /// A monitor whose first knowledge is the table that was `found`: servers that stand in it are alive, servers
    /// that miss in a service that exists are dead; of other services nothing is known. `seed` spreads the tries.
    pub fn start(
        mut config: Config,
        options: Options,
        remembered: Remembered,
        found: &Table,
        seed: u64,
        now: Time,
    ) -> (Self, Vec<Order>) {
        let keys = desired::keys(&config);
        let reserved = desired::reserved(&config);
        let (kept, gone) = remembered.owned.into_iter().partition(|key| reserved.holds(key));
        let each = config.virtual_servers.iter().zip(&keys);
        let serving: Vec<_> = each.clone().map(|(vs, keys)| desired::serving(vs, keys, found)).collect();
        let weights: Vec<_> = each.map(|(vs, keys)| desired::standing(vs, keys, found)).collect();
        let mut monitor = Self {
            gone,
            kept,
            options,
            keys: Vec::new(),
            health: Health::default(),
            servers: Vec::new(),
            checks: Vec::new(),
            drains: remembered.drains,
            dirty: BTreeSet::new(),
            changes: Vec::new(),
            ramps: ramp::Ramps::default(),
            latencies: Histogram::default(),
            resting: BTreeSet::new(),
            config: Config::default(),
        };
        let known = |u: User| serving[u.vs as usize].as_ref().map(|s| s[u.rs as usize]);
        let wanted = roster(&config, &monitor.options);
        forget_checks(&mut config);
        let new = wanted.into_iter().map(|w| monitor.fresh(w, &known, seed, now));
        let checks: Vec<_> = new.collect();
        let quorum = |v: usize| serving[v].as_ref().is_some_and(|s| s.contains(&true));
        monitor.take(config, keys, &quorum, now);
        monitor.adopt(&serving);
        monitor.checks.reserve_exact(checks.len());
        let orders = checks.into_iter().map(|w| monitor.enlist(w)).collect();
        monitor.assess();
        monitor.grow_on(&weights, now);
        (0..serving.len()).filter(|v| serving[*v].is_none()).for_each(|v| monitor.greet(v));
        (monitor, orders)
    }

    /// Takes over which servers the table that was found sends clients to.
    fn adopt(&mut self, serving: &[Option<Vec<bool>>]) {
        let found = serving.iter().map(|s| s.iter().flatten().copied());
        for (servers, found) in self.servers.iter_mut().zip(found) {
            servers.iter_mut().zip(found).for_each(|(server, serves)| server.serves = serves);
        }
    }

    /// Begins a virtual server that was not there before. Where a sorry server takes over at once, that is told, as
    /// keepalived does it; without one a quorum that is not there yet is no news.
    fn greet(&mut self, v: usize) {
        let vs = &self.config.virtual_servers[v];
        let gained = self.health.services[v].clone().settle(vs) == Some(true);
        if !gained && vs.sorry.is_some() {
            self.tell(v as u32, What::QuorumLost(true));
        }
    }

    /// A check that was not there before.
    pub(super) fn fresh(&self, wanted: Wanted, known: Known<'_>, seed: u64, now: Time) -> Watched {
        let Wanted { identity, users } = wanted;
        let knowledge = knowledge(identity.alpha, users.iter().map(|u| known(*u)));
        // Neighbours in the file must not be neighbours in time.
        let user = users.first().map_or(0, |u| u64::from(u.vs) << 32 | u64::from(u.rs));
        let seed = seed ^ user.wrapping_mul(0x2545_f491_4f6c_dd1d);
        let checker = Checker::new(Arc::clone(&identity.schedule), knowledge, seed, now);
        Watched { identity, users, checker, last: None, tries: [0; 2], weight: None }
    }

    pub(super) fn enlist(&mut self, watched: Watched) -> Order {
        let number = self.checks.len() as u32;
        for user in watched.users.iter() {
            self.servers[user.vs as usize][user.rs as usize].checks.push(number);
        }
        let due = watched.checker.due();
        self.checks.push(Some(watched));
        Order::Begin(number, due)
    }

    /// Makes a configuration the one in force, before its checks are known.
    pub(super) fn take(
        &mut self,
        config: Config,
        keys: Vec<Vec<ServiceKey>>,
        quorum: &dyn Fn(usize) -> bool,
        now: Time,
    ) {
        let blank = Server { changed: now, ..Server::default() };
        let all = config.virtual_servers.iter();
        self.servers = all.clone().map(|vs| vec![blank.clone(); vs.real_servers.len()]).collect();
        let health = all.enumerate().map(|(v, vs)| ServiceHealth {
            quorum: quorum(v),
            servers: vec![ServerHealth::new(true); vs.real_servers.len()],
        });
        self.health = Health { services: health.collect() };
        for key in keys.iter().flatten() {
            self.gone.remove(key);
            self.kept.remove(key);
        }
        self.dirty = (0..config.virtual_servers.len() as u32).collect();
        (self.config, self.keys) = (config, keys);
    }

    /// Derives every server's state from its checks and the list of drained servers.
    pub(super) fn assess(&mut self) {
        let users: Vec<_> = servers(&self.config).map(|(u, _, s)| (u, *s.endpoint)).collect();
        for (user, endpoint) in users {
            let up = self.checks_of(user).all(|c| c.checker.is_up());
            let unproven = self.checks_of(user).any(|c| c.checker.is_unproven());
            self.servers[user.vs as usize][user.rs as usize].unproven = unproven;
            let weight = self.weight(user);
            let drained = self.drains.cover(endpoint);
            let h = &mut self.health.services[user.vs as usize].servers[user.rs as usize];
            *h = ServerHealth { drained, weight, ..ServerHealth::new(up) };
        }
    }
}

/// The checks are in the roster; what the file says of them is needed no more, and is most of a large file.
pub(super) fn forget_checks(config: &mut Config) {
    let servers = config.virtual_servers.iter_mut().flat_map(|vs| &mut vs.real_servers);
    servers.for_each(|s| s.checks = Vec::new());
}

/// What a new check begins with, from what is known of its servers.
fn knowledge(alpha: bool, servers: impl Iterator<Item = Option<bool>>) -> Knowledge {
    let known: Vec<_> = servers.flatten().collect();
    match (known.contains(&true), known.is_empty() && !alpha) {
        (true, _) => Knowledge::Alive,
        (false, true) => Knowledge::Assumed,
        (false, false) if known.is_empty() => Knowledge::Unproven,
        (false, false) => Knowledge::Dead,
    }
}
