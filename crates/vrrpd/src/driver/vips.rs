//! The addresses of a master: set, put back, tried again, removed.

use std::net::IpAddr;

use log::Level;
use lvs_core::sys::clock;
use lvs_core::time::Time;

use super::{Driver, Source};
use crate::instance::{is_held, unheld};
use crate::iproute;
use crate::ready;
use crate::spec::Vip;
use crate::tell;
use crate::unset::Unset;
use crate::words::Input;

impl<S: Source> Driver<S> {
    pub(super) fn take_vips(&mut self, at: usize) {
        self.cover();
        self.set_vips(at, |_| true);
        let instance = &self.instances[at];
        if let Err(e) = iproute::run(&instance.spec.lines.add) {
            log::error!("{}: {e}", instance.spec.name);
        }
    }

    pub(super) fn await_vips(&mut self, at: usize) {
        let instance = &self.instances[at];
        let set = instance.spec.vips.iter().filter(|v| !instance.unset.has(v));
        ready::wait(&mut self.edge.rtnl, set.map(|v| v.prefix.addr));
    }

    pub(super) fn drop_vips(&mut self, at: usize) {
        let instance = &self.instances[at];
        let lines = unheld(&self.instances, at, instance.spec.lines.remove.clone());
        if let Err(e) = iproute::run(&lines) {
            // Routes go with the address or the interface that they need; that they are gone is what was wanted.
            log::debug!("{}: {e}", instance.spec.name);
        }
        for vip in instance.spec.vips.iter().filter(|v| !is_held(&self.instances, at, v)) {
            self.edge.announcer.silence(vip.prefix.addr);
            if instance.owned.contains(&vip.prefix.addr) {
                continue;
            }
            if let Err(e) = self.edge.unset(vip) {
                log::error!("{}: cannot remove {} from {}: {e}", instance.spec.name, vip.prefix, vip.dev);
            }
        }
        self.uncover();
        self.instances[at].unset.keep(&[]);
    }

    /// Sets these of its addresses; true when one was not there before. What cannot be set is tried again.
    pub(super) fn set_vips(&mut self, at: usize, which: impl Fn(&Vip) -> bool) -> bool {
        let (edge, instance, mut new) = (&mut self.edge, &mut self.instances[at], false);
        for vip in instance.spec.vips.iter().filter(|v| which(v)) {
            let result = edge.set(vip);
            new |= result == Ok(true);
            enter(&mut instance.unset, &instance.spec.name, vip, &result);
        }
        new
    }

    /// Tries once more to set what could not be set.
    pub(super) fn retry_vips(&mut self, at: usize, now: Time) {
        let failed = self.instances[at].unset.clone();
        if self.set_vips(at, |v| failed.has(v)) {
            self.feed(at, Input::Restored, now);
        }
    }

    /// Sets the addresses again that are missing though this router holds them.
    pub(super) fn restore_one(&mut self, at: usize, gone: impl Fn(u32, IpAddr) -> bool) {
        let instance = &mut self.instances[at];
        if !instance.router.state().holds() {
            return;
        }
        let mut restored = 0;
        for vip in instance.spec.vips.iter().filter(|v| !v.no_track) {
            let Some(link) = self.edge.host.link(&vip.dev).map(|l| l.index) else { continue };
            // One that was never set was not taken away either.
            if !gone(link, vip.prefix.addr) || instance.unset.has(vip) {
                continue;
            }
            // That it exists means that the notification is older than our own setting of it.
            let result = self.edge.set(vip);
            if result == Ok(true) {
                restored += 1;
                tell::restored(instance, vip);
            }
            enter(&mut instance.unset, &instance.spec.name, vip, &result);
        }
        instance.stats.restored += restored;
        if restored > 0 {
            self.feed(at, Input::Restored, clock::now());
        }
    }
}

fn enter(unset: &mut Unset, name: &str, vip: &Vip, result: &Result<bool, String>) {
    if let Some(line) = unset.enter(vip, result, clock::now()) {
        let level = if result.is_ok() { Level::Info } else { Level::Error };
        log::log!(level, "{name}: {line}");
    }
}
