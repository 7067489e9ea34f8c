//! Sync groups, and what tracking says: both move routers that no packet has moved.

use lvs_core::sys::clock;
use lvs_core::time::Time;

use super::{Driver, Source};
use crate::group::{self, Member, Order};
use crate::instance::Instance;
use crate::notify::Event;
use crate::track::Kind;
use crate::words::{Cause, Input, State};

/// The members of one group as instances of the driver.
struct Members<'a, S> {
    driver: &'a mut Driver<S>,
    members: &'a [usize],
    now: Time,
}

impl<S: Source> group::Crew for Members<'_, S> {
    fn standing(&self) -> Vec<Member> {
        self.members.iter().map(|m| self.driver.member(*m)).collect()
    }

    fn obey(&mut self, member: usize, order: Order) {
        self.driver.obey(self.members[member], order, self.now);
    }
}

impl<S: Source> Driver<S> {
    /// Lets the sync groups follow what their members did, until nothing follows any more.
    pub(super) fn settle(&mut self, now: Time) {
        while let Some((at, from, to)) = self.moves.pop_front() {
            let members = self.members_of(at);
            let moved = members.iter().position(|m| *m == at);
            self.mover = self.describe_move(at, now);
            group::follow(&mut Members { driver: self, members: &members, now }, moved, from, to);
            self.mover = None;
            self.notify_group(&members, now);
        }
    }

    /// Who has moved, or won its election, and why: the others follow it.
    fn describe_move(&self, at: usize, now: Time) -> Option<String> {
        let Instance { spec, router, stats, .. } = self.instances.get(at)?;
        let wins = router.is_ripe() && router.state() == State::Backup;
        let why = if wins { router.cause_of_silence(now).to_string() } else { stats.history.back()?.why() };
        Some(format!("{}: {why}", spec.name))
    }

    /// What the sync group has to do with a change of state: whom it follows, or whose fault it has.
    pub(super) fn why_group(&self, at: usize, to: State, cause: Cause) -> Option<String> {
        let group = self.instances[at].spec.group_name.as_deref()?;
        match (cause, to) {
            (Cause::Group, State::Master) => {
                self.mover.as_ref().map(|m| format!("sync group {group} is ready, the last was {m}"))
            }
            (Cause::Group, _) => self.mover.as_ref().map(|m| format!("sync group {group} follows {m}")),
            (Cause::Failed { faults }, _) if faults == Kind::Group.bit() => {
                let others = self.members_of(at).into_iter().filter(|m| *m != at && self.member(*m).faulty);
                let failures =
                    others.map(|m| &self.instances[m]).map(|i| format!("{} {}", i.spec.name, i.failures()));
                Some(failures.collect::<Vec<_>>().join("; "))
            }
            _ => None,
        }
    }

    /// A member that has left its group moves nobody there: who is left looks how they stand without it.
    pub(super) fn regroup(&mut self, now: Time) {
        for (at, instance) in self.instances.iter().enumerate() {
            if instance.spec.group_name.is_some() && !instance.retired {
                let state = instance.router.state();
                self.moves.push_back((at, state, state));
            }
        }
        self.settle(now);
    }

    fn obey(&mut self, at: usize, order: Order, now: Time) {
        match order {
            Order::Fault(fault) => {
                if self.instances[at].ledger.fail(Kind::Group, fault) {
                    self.tell_tracked(at, now);
                }
            }
            Order::Master => self.feed_one(at, Input::GroupMaster, now),
            Order::Backup => self.feed_one(at, Input::GroupBackup, now),
            Order::Release => self.feed_one(at, Input::Release, now),
            Order::Resume => self.feed_one(at, Input::Resume, now),
        }
    }

    fn members_of(&self, at: usize) -> Vec<usize> {
        let Some(name) = self.instances.get(at).and_then(|i| i.spec.group_name.as_deref()) else {
            return Vec::new();
        };
        let same = |i: &Instance| !i.retired && i.spec.group_name.as_deref() == Some(name);
        self.instances.iter().enumerate().filter(|(_, i)| same(i)).map(|(at, _)| at).collect()
    }

    pub(super) fn member(&self, at: usize) -> Member {
        let instance = &self.instances[at];
        let faults = instance.ledger.tracked().faults & !Kind::Group.bit();
        Member { state: instance.router.state(), ripe: instance.router.is_ripe(), faulty: faults != 0 }
    }

    /// Hands the account of a router on to it, and starts it once everything it waits for is known.
    pub(super) fn tell_tracked(&mut self, at: usize, now: Time) {
        let instance = &self.instances[at];
        let tracked = instance.ledger.tracked();
        let begins =
            instance.router.state() == State::Init && !instance.ledger.is_pending() && !self.stopping;
        let before = instance.router.tracked();
        if tracked != before {
            self.feed_one(at, Input::Track(tracked), now);
        }
        let state = self.instances[at].router.state();
        if tracked.priority != before.priority && matches!(state, State::Backup | State::Master) {
            self.notify_instance(at, Event::Priority(state == State::Master), now);
        }
        if begins && !self.instances[at].started {
            self.instances[at].started = true;
            self.feed_one(at, Input::Start, now);
        }
    }

    /// Takes what scripts, files and processes have to say.
    pub(super) fn take_news(&mut self) {
        let now = clock::now();
        let mut news = std::mem::take(&mut self.news);
        news.clear();
        self.watch.turn(now, &mut news);
        for n in &news {
            self.record_because(n);
            for at in 0..self.instances.len() {
                let instance = &mut self.instances[at];
                if instance.ledger.set(n.kind, &n.name, n.standing) {
                    log::info!(
                        "{}: {} {} is {:?}: {}",
                        instance.spec.name,
                        n.kind.name(),
                        n.name,
                        n.standing,
                        instance.ledger
                    );
                }
            }
        }
        if !news.is_empty() {
            self.tell_all(now);
        }
        self.news = news;
    }

    /// Enters how everything stands into every account, those that are new too.
    pub(super) fn enter_all(&mut self) {
        for n in self.watch.all() {
            for instance in &mut self.instances {
                instance.ledger.set(n.kind, &n.name, n.standing);
            }
        }
    }

    /// Hands every account on.
    pub(super) fn tell_all(&mut self, now: Time) {
        for at in 0..self.instances.len() {
            self.tell_tracked(at, now);
        }
        self.settle(now);
    }
}
