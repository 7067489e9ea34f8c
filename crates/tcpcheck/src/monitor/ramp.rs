//! Slow start: a server that comes back gets its weight bit by bit, lest the least-connection schedulers throw
//! every new connection at it.

use std::collections::BTreeMap;
use std::time::Duration;

use lvs_core::time::Time;

use super::STEP;
use crate::roster::User;

/// Servers whose weight grows.
#[derive(Debug, Default)]
pub(super) struct Ramps {
    growing: BTreeMap<User, (Time, Duration)>,
    next: Option<Time>,
}

impl Ramps {
    /// A server came up or went down; returns its share now, in thousandths.
    pub(super) fn turn(&mut self, user: User, up: bool, now: Time, whole: Duration) -> u16 {
        if !up || whole.is_zero() {
            self.growing.remove(&user);
            return 1000;
        }
        self.growing.insert(user, (now, whole));
        self.next = Some(self.next.map_or(now + STEP, |n| n.min(now + STEP)));
        1
    }

    /// The shares that moved; a server that has its whole weight is forgotten.
    pub(super) fn tick(&mut self, now: Time) -> Vec<(User, u16)> {
        if self.next.is_none_or(|n| n > now) {
            return Vec::new();
        }
        let share = |(since, whole): &(Time, Duration)| {
            let part = now.since(*since).as_millis() * 1000 / whole.as_millis().max(1);
            u16::try_from(part.min(1000)).unwrap_or(1000)
        };
        let shares: Vec<_> = self.growing.iter().map(|(u, r)| (*u, share(r))).collect();
        self.growing.retain(|_, r| share(r) < 1000);
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
