//! Slow start: a server that comes back gets its weight bit by bit, lest the least-connection schedulers throw
//! every new connection at it.

use std::collections::BTreeMap;
use std::time::Duration;

use lvs_core::conf::model::{RealServer, VirtualServer};
use lvs_core::time::Time;

use super::Monitor;
use crate::roster::{User, servers};
use crate::task::Task;

/// The time between two steps of a weight that grows.
const STEP: Duration = Duration::from_millis(250);

/// Servers whose weight grows.
#[derive(Debug, Default)]
pub(super) struct Ramps {
    growing: BTreeMap<User, Growth>,
    next: Option<Time>,
}

/// A weight that grows.
#[derive(Clone, Copy, Debug)]
struct Growth {
    since: Time,
    /// What it had grown before.
    before: Duration,
    whole: Duration,
}

impl Growth {
    /// Its share at a moment, in thousandths.
    fn share(&self, now: Time) -> u16 {
        let part = (self.before + now.since(self.since)).as_millis() * 1000 / self.whole.as_millis().max(1);
        u16::try_from(part.min(1000)).unwrap_or(1000)
    }
}

/// Which share of its whole weight a server has that stands in a table with `found`, in thousandths; none if it does not
/// grow.
pub(super) fn part(found: u32, whole: u32) -> Option<u16> {
    // Rounded up: what comes of it must be no less than what was found.
    let share = (u64::from(found) * 1000).div_ceil(u64::from(whole.max(1)));
    (0 < found && found < whole).then_some(u16::try_from(share).unwrap_or(1000))
}

impl Ramps {
    /// A server came up or went down; returns its share now, in thousandths.
    pub(super) fn turn(&mut self, user: User, up: bool, now: Time, whole: Duration) -> u16 {
        if !up || whole.is_zero() {
            self.growing.remove(&user);
            return 1000;
        }
        self.grow(user, Growth { since: now, before: Duration::ZERO, whole });
        1
    }

    /// A server goes on from a share that it has already.
    pub(super) fn resume(&mut self, user: User, share: u16, now: Time, whole: Duration) {
        self.grow(user, Growth { since: now, before: whole * u32::from(share) / 1000, whole });
    }

    fn grow(&mut self, user: User, growth: Growth) {
        self.growing.insert(user, growth);
        let first = growth.since + STEP;
        self.next = Some(self.next.map_or(first, |n| n.min(first)));
    }

    /// The shares that moved; a server that has its whole weight is forgotten.
    pub(super) fn tick(&mut self, now: Time) -> Vec<(User, u16)> {
        if self.next.is_none_or(|n| n > now) {
            return Vec::new();
        }
        let shares: Vec<_> = self.growing.iter().map(|(u, g)| (*u, g.share(now))).collect();
        self.growing.retain(|_, g| g.share(now) < 1000);
        self.next = (!self.growing.is_empty()).then(|| now + STEP);
        shares
    }

    pub(super) fn deadline(&self) -> Option<Time> {
        self.next
    }

    /// Follows servers to their places in another configuration.
    pub(super) fn translate(&mut self, to: impl Fn(User) -> Option<User>) {
        let old = std::mem::take(&mut self.growing);
        self.growing = old.into_iter().filter_map(|(u, r)| to(u).map(|u| (u, r))).collect();
    }
}

impl Monitor {
    /// Servers that stand in the table that was found with a part of their weight go on growing from there.
    pub(super) fn grow_on(&mut self, found: &[Option<Vec<Option<u32>>>], now: Time) {
        let Some(whole) = self.options.slow_start.filter(|whole| !whole.is_zero()) else { return };
        let grown = |(user, _, server): (User, &VirtualServer, &RealServer)| {
            let weight = found[user.vs as usize].as_ref()?[user.rs as usize]?;
            // A script that says the weight will say it again, and it is no part of the file's.
            let said = self.checks_of(user).any(|c| matches!(&*c.identity.task, Task::Misc(m) if m.dynamic));
            Some((user, part(weight, *server.weight).filter(|_| !said)?))
        };
        let parts: Vec<_> = servers(&self.config).filter_map(grown).collect();
        for (user, share) in parts {
            self.health.services[user.vs as usize].servers[user.rs as usize].share = share;
            self.ramps.resume(user, share, now, whole);
        }
    }
}
