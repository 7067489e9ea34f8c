//! Interfaces and addresses that come and go.

use std::net::IpAddr;

use lvs_core::sys::clock;
use lvs_core::sys::poll::Interest;
use lvs_core::sys::rtnl::Change;

use super::{Driver, LINES, Source};
use crate::edge::Line;
use crate::host::Host;
use crate::instance::Instance;
use crate::vmac::Vmac;
use crate::words::Input;

impl<S: Source> Driver<S> {
    /// Finds every instance's interface, opens the lines that are missing, and tells the routers what that means.
    pub(super) fn place(&mut self) {
        let now = clock::now();
        for at in 0..self.instances.len() {
            let made = self.prepare_vmacs(at);
            let moved = self.instances[at].locate(&self.edge.host);
            let source = self.instances[at].source;
            self.feed(at, Input::Source(source), now);
            if moved || made {
                self.connect(at);
            }
            self.instances[at].look(&self.edge.host);
            if made {
                self.retry_vips(at, now);
                self.restore_one(at, |_, _| true);
            }
        }
        self.index();
        self.tell_all(now);
    }

    /// Makes the VMACs that are missing; true when something was done. It is tried again at every change, and told once.
    pub(super) fn prepare_vmacs(&mut self, at: usize) -> bool {
        let instance = &mut self.instances[at];
        let result = self.edge.prepare_vmacs(&instance.spec);
        let trouble = result.as_ref().err().cloned();
        if let Some(e) = trouble.as_ref().filter(|_| instance.vmac_trouble != trouble) {
            log::error!("{}: {e}", instance.spec.name);
        }
        instance.vmac_trouble = trouble;
        self.stale |= result == Ok(true);
        if result == Ok(true) && self.instances[at].router.speaks() {
            self.give_voice(at);
        }
        result.unwrap_or(false)
    }

    /// Lets the VMACs of an instance speak.
    pub(super) fn give_voice(&mut self, at: usize) {
        self.change_voice(at, true);
    }

    /// Silences those that no other instance needs.
    pub(super) fn take_voice(&mut self, at: usize) {
        self.change_voice(at, false);
    }

    fn change_voice(&mut self, at: usize, speaks: bool) {
        let Self { edge, instances, .. } = self;
        let shared = |v: &Vmac| {
            instances.iter().any(|i| i.router.speaks() && i.spec.vmacs().any(|other| other.name == v.name))
        };
        for vmac in instances[at].spec.vmacs().filter(|v| speaks || !shared(v)) {
            if let Err(e) = vmac.let_speak(speaks, &edge.host, &mut edge.rtnl) {
                log::warn!("{}: {e}", instances[at].spec.name);
            }
        }
    }

    /// Removes VMACs that no instance wants any more.
    pub(super) fn remove_vmacs(&mut self, old: &[Vmac]) {
        for vmac in old {
            if self.instances.iter().any(|i| i.spec.vmacs().any(|v| v.name == vmac.name)) {
                continue;
            }
            if let Err(e) = vmac.remove(&self.edge.host, &mut self.edge.rtnl) {
                log::error!("{e}");
            }
        }
    }

    /// At the end: the daemon's own interfaces go with it.
    pub(super) fn remove_all_vmacs(&mut self) {
        let vmacs: Vec<Vmac> = self.instances.iter().flat_map(|i| i.spec.vmacs().cloned()).collect();
        self.instances.clear();
        self.remove_vmacs(&vmacs);
    }

    pub(super) fn connect(&mut self, at: usize) {
        let instance = &self.instances[at];
        let Some(link) = instance.link else { return };
        let spec = &instance.spec;
        let watched = self.edge.connect(spec, link).and_then(|new| {
            self.edge.lines[new]
                .iter()
                .try_for_each(|l| self.poll.add(&l.socket, LINES + l.key(), Interest::Read))
        });
        self.instances[at].ear = Some(self.edge.ear(&self.instances[at].spec, link));
        let instance = &self.instances[at];
        if let Err(e) = watched {
            log::error!("{}: cannot listen on {}: {e}", instance.spec.name, instance.spec.interface);
        }
    }

    /// Enters every instance under its VRID at its line.
    pub(super) fn index(&mut self) {
        for line in &mut self.edge.lines {
            let Line { link, family, .. } = *line;
            line.routers = [None; 256];
            line.leaving.clear();
            for (at, instance) in (0..).zip(&self.instances).filter(|(_, i)| i.is_on(link, family)) {
                // A reload adds at the end: who was here first is on its way out.
                line.leaving.extend(line.routers[usize::from(instance.spec.vrid)].replace(at));
            }
        }
    }

    pub(super) fn take_changes(&mut self) {
        let changes = self.monitor.changes().unwrap_or_else(|e| {
            log::warn!("reading link changes: {e}: reading all of them anew");
            vec![Change::Lost]
        });
        if changes.contains(&Change::Lost) {
            match Host::read(&mut self.edge.rtnl) {
                Ok(host) => self.edge.host = host,
                Err(e) => log::error!("cannot read links and addresses: {e}"),
            }
        }
        for change in &changes {
            self.record_because(change);
            self.edge.host.apply(change);
            if let Change::LinkGone(link) = change {
                self.hang_up(link.index);
            }
        }
        self.place();
        self.restore(&changes);
        self.suspect_lines(&changes);
    }

    /// An interface is gone. Another one may have its number by now, so that whoever was there is not found to be anywhere.
    fn hang_up(&mut self, link: u32) {
        self.edge.lines.retain(|l| l.link != link);
        let there = |i: &&mut Instance| i.link == Some(link) || i.ear == Some(link);
        self.instances.iter_mut().filter(there).for_each(|i| i.link = None);
    }

    /// Puts back what someone else has taken away.
    fn restore(&mut self, changes: &[Change]) {
        let lost = changes.contains(&Change::Lost);
        let gone: Vec<(u32, IpAddr)> = changes
            .iter()
            .filter_map(|c| if let Change::AddressGone(a) = c { Some((a.link, a.prefix.addr)) } else { None })
            .collect();
        if lost || !gone.is_empty() {
            for at in 0..self.instances.len() {
                self.restore_one(at, |link, addr| lost || gone.contains(&(link, addr)));
            }
        }
    }
}
