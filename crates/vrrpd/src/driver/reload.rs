//! A changed configuration without a lost mastership.

use lvs_core::conf::check::many;
use lvs_core::conf::model::SyncDaemon;
use lvs_core::sys::{clock, memory};
use lvs_core::time::Time;

use super::trouble::check_interfaces;
use super::{Driver, Source};
use crate::instance::Instance;
use crate::iproute;
use crate::notify::Event;
use crate::spec::{Setup, Spec};
use crate::swap::Swap;
use crate::sync;
use crate::words::{Input, State};

impl<S: Source> Driver<S> {
    /// Takes up a configuration that was read anew; a wrong one changes nothing.
    pub(super) fn reload(&mut self, read: Result<Setup, String>) -> Result<String, String> {
        let setup = read.and_then(|s| {
            check_interfaces(&s, &self.edge.host).map_err(|refusal| refusal.text)?;
            self.claims.take(s.instances.iter())?;
            Ok(s)
        });
        let setup =
            setup.map_err(|e| format!("the old configuration stays in force, the new one is wrong:\n{e}"))?;
        self.take_over(setup);
        let text = format!(
            "configuration reloaded: {}",
            many(self.instances.iter().filter(|i| !i.retired).count(), "instance")
        );
        log::info!("{text}");
        Ok(text)
    }

    fn take_over(&mut self, setup: Setup) {
        self.edge.announcer.set_gaps(setup.garp_interval, setup.gna_interval);
        self.punctual.change(&self.punctuality, &setup.punctuality);
        self.punctuality = setup.punctuality;
        let now = clock::now();
        let old_sync = self.instances.iter().find_map(|i| i.spec.sync.clone());
        for at in 0..self.instances.len() {
            let keep = setup.instances.iter().any(|new| same_router(&self.instances[at].spec, new));
            if !keep && !self.instances[at].retired {
                self.retire(at, &setup.instances, now);
            }
        }
        // Who will hold an address is known before one is given up, and one that is new finds none that is about to go.
        let (mut changed, mut added) = (Vec::new(), Vec::new());
        for new in setup.instances {
            match self.instances.iter().position(|i| !i.retired && same_router(&i.spec, &new)) {
                Some(at) if self.instances[at].spec == new => {}
                Some(at) => changed.push((at, std::mem::replace(&mut self.instances[at].spec, new))),
                None => added.push(new),
            }
        }
        changed.iter().for_each(|(at, old)| self.change(*at, old));
        let first_new = self.instances.len();
        added.into_iter().for_each(|new| self.add(new));
        self.clean_lines(first_new..self.instances.len());
        self.hear_losses();
        self.change_sync(old_sync.as_ref());
        self.watch.configure(&setup.things, now);
        self.notifier.configure(&setup.notify);
        self.enter_all();
        self.place();
        self.regroup(now);
        self.bury();
        self.stale = true;
        memory::trim();
        memory::let_go_of_program();
    }

    /// It hands over and ends; what takes its name or its place is another virtual router.
    fn retire(&mut self, at: usize, coming: &[Spec], now: Time) {
        let old = &self.instances[at].spec;
        let namesake = coming.iter().find(|new| new.name == old.name);
        let heir = coming.iter().find(|new| same_place(old, new));
        let why = match (namesake, heir) {
            (Some(new), _) => format!("its name is that of VRID {} on {} now", new.vrid, new.interface),
            (None, Some(new)) => format!("its VRID is that of {} now", new.name),
            (None, None) => "no longer configured".to_owned(),
        };
        log::info!("{} ends: {why}", old.name);
        let lives_on = namesake.is_some();
        self.instances[at].retired = true;
        self.feed(at, Input::Stop, now);
        // Scripts know the name: its end comes before the beginning of what has it now.
        if lives_on && self.instances[at].router.state() != State::Stopped {
            self.notify_instance(at, Event::Deleted, now);
        }
    }

    /// Once for all instances: the kernel has one sender and one receiver.
    fn change_sync(&self, old: Option<&SyncDaemon>) {
        let keeper = self.instances.iter().find(|i| !i.retired && i.spec.sync.is_some());
        let state = keeper.map_or(State::Stopped, |k| k.router.state());
        sync::change(old, keeper.and_then(|k| k.spec.sync.as_ref()), state);
    }

    fn add(&mut self, spec: Spec) {
        self.instances.push(Instance::new(spec));
        self.deadlines.push(None);
        let at = self.instances.len() - 1;
        self.prepare_guard();
        if let Err(e) = self.clean(at) {
            log::error!("{e}");
        }
        self.record_new(at, clock::now());
    }

    /// Another configuration is in force. Kept addresses never vanish, new ones come before old ones go.
    fn change(&mut self, at: usize, old: &Spec) {
        let params = Box::new(self.instances[at].spec.params.clone());
        self.instances[at].account();
        self.prepare_guard();
        self.cover();
        // New addresses may stand on them.
        self.prepare_vmacs(at);
        if self.instances[at].router.speaks() {
            self.give_voice(at);
        }
        let added = self.swap(at, old);
        self.uncover();
        self.remove_vmacs(&old.vmacs().cloned().collect::<Vec<_>>());
        // The group or the size of the queue may be another.
        self.connect(at);
        let now = clock::now();
        self.record_door(at, now);
        self.feed(at, Input::Reload(params), now);
        if added {
            self.feed(at, Input::Garp, now);
        }
    }

    /// True when an address was set that was not there before.
    fn swap(&mut self, at: usize, old: &Spec) -> bool {
        let swap = Swap::new(&self.instances, at, old);
        let added = self.set_vips(at, |v| swap.set.contains(v));
        let instance = &mut self.instances[at];
        instance.unset.keep(&instance.spec.vips);
        instance.unset_lines.keep(&instance.spec.lines);
        let name = &instance.spec.name;
        for vip in &swap.unset {
            if let Err(e) = self.edge.unset(vip) {
                log::error!("{name}: cannot remove {} from {}: {e}", vip.prefix, vip.dev);
            }
        }
        self.set_lines(at, |l| swap.add.contains(l));
        if let Err(e) = iproute::run(&iproute::removals(swap.remove.iter())) {
            log::error!("{}: {e}", self.instances[at].spec.name);
        }
        added
    }
}

/// The identity of a virtual router: whatever else changes, its state goes on.
fn same_router(a: &Spec, b: &Spec) -> bool {
    a.name == b.name && same_place(a, b)
}

/// Where advertisements tell one virtual router from another.
fn same_place(a: &Spec, b: &Spec) -> bool {
    (&a.interface, a.vrid, a.family) == (&b.interface, b.vrid, b.family)
}
