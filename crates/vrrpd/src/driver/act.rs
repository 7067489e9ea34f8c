//! Does what a router asks for.

use std::ops::Range;

use lvs_core::time::Time;
use nix::errno::Errno;

use super::{Driver, Source};
use crate::accept;
use crate::host::Host;
use crate::instance::{Instance, is_held, unheld};
use crate::iproute::{self, Line};
use crate::notify::Event;
use crate::params::OWNER;
use crate::spec::{Spec, Vip};
use crate::stats::Transition;
use crate::sync;
use crate::tell;
use crate::vmac::{self, Vmac};
use crate::words::{Action, Input, Note, State};

impl<S: Source> Driver<S> {
    /// Tells a router something, does what it asks for, and lets its sync group follow.
    pub(super) fn feed(&mut self, at: usize, input: Input, now: Time) {
        self.feed_one(at, input, now);
        self.settle(now);
    }

    /// Tells a router something and does what it asks for.
    pub(super) fn feed_one(&mut self, at: usize, input: Input, now: Time) {
        let mut actions = std::mem::take(&mut self.actions);
        actions.clear();
        let (before, spoke) = (self.stirring(at), self.instances[at].router.speaks());
        let heard = matches!(input, Input::Advert(_));
        let recorded = self.recorded(&input);
        self.instances[at].router.handle(input, now, &mut actions);
        self.record_told(at, recorded, &actions, now);
        let speaks = self.instances[at].router.speaks();
        let mut dumb = speaks && !spoke;
        for action in &actions {
            // The kernel reports the memberships of an address that is set: that must not be the first word.
            if dumb && !matches!(action, Action::TakeVips | Action::AwaitVips) {
                self.give_voice(at);
                dumb = false;
            }
            self.act(at, *action, now);
        }
        if spoke && !speaks {
            // After the last word.
            self.take_voice(at);
        }
        self.actions = actions;
        let instance = &self.instances[at];
        if let Some(wait) = instance.router.wins_in(now).filter(|_| heard) {
            self.handover.expect(&instance.spec, wait, now, &mut self.edge.rtnl);
        }
        self.deadlines[at] = instance.deadline();
        if instance.spec.group_name.is_some() && self.stirring(at) != before {
            let state = self.instances[at].router.state();
            self.moves.push_back((at, state, state));
        }
    }

    /// What concerns a sync group though the state is the same: an election that is won, and faults that come or go while
    /// there is another one.
    fn stirring(&self, at: usize) -> (bool, u32) {
        let router = &self.instances[at].router;
        (router.is_ripe(), router.tracked().faults)
    }

    fn act(&mut self, at: usize, action: Action, now: Time) {
        self.stale |= matches!(action, Action::TakeVips | Action::DropVips | Action::Enter { .. });
        match action {
            Action::Advertise(priority) => self.advertise(at, priority, now),
            Action::TakeVips => {
                self.handover.taking(&self.instances[at], now);
                self.take_vips(at);
            }
            Action::AwaitVips => self.await_vips(at),
            Action::DropVips => {
                self.drop_vips(at);
                let config = self.instances.iter().find_map(|i| i.spec.sync.as_ref());
                self.handover.left(&self.instances[at], config, now);
            }
            Action::Garp(count) => {
                let instance = &mut self.instances[at];
                instance.stats.garps +=
                    self.edge.announcer.announce(&self.edge.host, &instance.spec, count, now);
            }
            Action::ExtraGarp => {
                let instance = &mut self.instances[at];
                instance.stats.garps +=
                    self.edge.announcer.announce_extra(&self.edge.host, &instance.spec, now);
            }
            Action::SeekPeers => self.edge.announcer.seek_peers(&self.edge.host, &self.instances[at]),
            Action::Enter { from, to, cause } => {
                let group = self.why_group(at, to, cause);
                let instance = &mut self.instances[at];
                let transition = Transition { at: now, from, to, cause, group };
                tell::entered(instance, &transition);
                instance.stats.moved(transition);
                self.changed = true;
                if instance.spec.group_name.is_some() {
                    self.moves.push_back((at, from, to));
                }
                self.carry_connections(at, from, to, now);
                self.notify_state(at, to, now);
            }
            Action::Note(note) => {
                tell::note(&mut self.instances[at], &note, now);
                if matches!(note, Note::LowerMaster { .. }) {
                    self.notify_instance(at, Event::LowerPriority, now);
                }
            }
        }
    }

    /// What becomes of the connections in this state.
    fn carry_connections(&mut self, at: usize, from: State, to: State, now: Time) {
        let spec = &self.instances[at].spec;
        if to == State::Leaving {
            let config = self.instances.iter().find_map(|i| i.spec.sync.as_ref());
            self.handover.leaving(&self.instances[at], config, now);
        } else if (from, to) == (State::Master, State::Backup) {
            self.handover.outdone(&self.instances[at], now);
        }
        let Some(daemon) = &spec.sync else { return };
        if self.instances.iter().any(|i| !i.retired && i.spec.sync.is_some() && i.spec.name != spec.name) {
            // It is another instance's since the reload that retired this one.
            return;
        }
        let told = to == State::Master && self.handover.concerns(spec);
        sync::follow(daemon, to, told);
        if told {
            self.handover.stop_later(daemon, now);
        } else if to != State::Leaving {
            self.handover.listen_on();
        }
    }

    fn advertise(&mut self, at: usize, priority: u8, now: Time) {
        let instance = &mut self.instances[at];
        let result = self.edge.advertise(instance, priority);
        tell::advertised(instance, priority, &result, now);
    }

    /// Makes the packet filter if an instance asks for one. An address that answers although the file says otherwise is
    /// no danger, but must be known.
    pub(super) fn prepare_guard(&mut self) {
        if let Err(e) = self.edge.guard.prepare(self.instances.iter().map(|i| &i.spec)) {
            log::error!("{e}");
        }
    }

    /// The packet filter holds an address before it is set.
    pub(super) fn cover(&mut self) {
        if let Err(e) = self.edge.guard.cover(&accept::wanted(&self.instances)) {
            log::error!("{e}");
        }
    }

    /// And until it is gone.
    pub(super) fn uncover(&mut self) {
        if let Err(e) = self.edge.guard.settle(&accept::wanted(&self.instances)) {
            log::error!("{e}");
        }
    }

    /// Removes addresses that an earlier run left behind, before anything else happens: this router is not master.
    pub(super) fn clean(&mut self, at: usize) -> Result<(), String> {
        let owned = |v: &Vip| self.instances.iter().any(|i| i.owned.contains(&v.prefix.addr));
        let others = |v: &Vip| (owned(v), is_held(&self.instances, at, v));
        let others: Vec<_> = self.instances[at].spec.vips.iter().map(others).collect();
        let instance = &mut self.instances[at];
        for (vip, (owned, held)) in instance.spec.vips.iter().zip(others) {
            let set = self.edge.is_set(vip);
            // What one that is going knows to be the host's own stays so.
            if owned || (set && !held && instance.spec.params.priority == OWNER) {
                instance.owned.push(vip.prefix.addr);
                continue;
            }
            if held {
                // By one that hands over to it, or gives the address up.
                continue;
            }
            // Also one that is not there: that changes nothing, but shows before any election whether we may change
            // addresses at all. A master that cannot set its addresses serves nobody.
            let name = &instance.spec.name;
            match self.edge.unset(vip) {
                Ok(true) => {
                    log::warn!("{name}: {} was left on {} by an earlier run: removed", vip.prefix, vip.dev);
                }
                Ok(false) => {}
                Err(e) if set || e.starts_with(Errno::EPERM.desc()) => {
                    let what = format!("{name}: cannot change {} on {}", vip.prefix, vip.dev);
                    return Err(format!("{what}: {e}: vrrpd needs CAP_NET_ADMIN (run it as root)"));
                }
                Err(_) => {}
            }
        }
        Ok(())
    }

    /// The same with routes and rules: of these instances, and those that no other one holds.
    pub(super) fn clean_lines(&self, which: Range<usize>) {
        let lines = which.map(|at| unheld(&self.instances, at, self.instances[at].spec.lines.clone()));
        let lines: Vec<Line> = lines.flatten().collect();
        match iproute::remove_left(iproute::removals(lines.iter()).iter()) {
            Ok(left) => left.iter().for_each(|l| log::warn!("{l} was left by an earlier run: removed")),
            Err(e) => log::error!("cannot remove what an earlier run may have left: {e}"),
        }
    }

    /// The same with VMACs, and with their addresses and their voice; those that are wanted are made anew.
    pub(super) fn clean_vmacs(&mut self) -> Result<(), String> {
        let specs: Vec<&Spec> = self.instances.iter().map(|i| &i.spec).collect();
        for link in vmac::ours(&self.edge.host, &specs) {
            match vmac::remove(link, &mut self.edge.rtnl) {
                Ok(()) => log::warn!("{} was left by an earlier run: removed", link.name),
                Err(e) => log::error!("{e}"),
            }
        }
        self.edge.host = Host::read(&mut self.edge.rtnl).map_err(|e| e.to_string())?;
        Ok(())
    }

    /// Ends instances that are no longer configured once they have handed over.
    pub(super) fn bury(&mut self) {
        let dead = |i: &Instance| i.retired && i.router.state() == State::Stopped;
        if self.instances.iter().any(dead) {
            let gone = self.instances.iter().filter(|i| dead(i)).flat_map(|i| i.spec.vmacs().cloned());
            let gone: Vec<Vmac> = gone.collect();
            self.instances.retain(|i| !dead(i));
            self.remove_vmacs(&gone);
            self.claims.keep(self.instances.iter().map(|i| &i.spec));
            self.deadlines = self.instances.iter().map(Instance::deadline).collect();
            self.index();
        }
    }
}
