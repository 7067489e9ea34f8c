//! The addresses of a master: set, put back, tried again, removed.

use std::fmt::Display;
use std::net::IpAddr;

use log::Level;
use lvs_core::sys::clock;
use lvs_core::time::Time;

use super::{Driver, Source};
use crate::instance::{is_held, unheld};
use crate::iproute;
use crate::lost::Search;
use crate::ready;
use crate::spec::Vip;
use crate::tell;
use crate::unset::Unset;
use crate::words::Input;

impl<S: Source> Driver<S> {
    pub(super) fn take_vips(&mut self, at: usize) {
        self.cover();
        self.set_vips(at, |_| true);
        self.set_lines(at, |_| true);
    }

    pub(super) fn await_vips(&mut self, at: usize) {
        let instance = &self.instances[at];
        let set = instance.spec.vips.iter().filter(|v| !instance.unset.has(v));
        ready::wait(&mut self.edge.rtnl, set.map(|v| v.prefix.addr));
    }

    pub(super) fn drop_vips(&mut self, at: usize) {
        let instance = &self.instances[at];
        let lines = unheld(&self.instances, at, instance.spec.lines.clone());
        if let Err(e) = iproute::run(&iproute::removals(lines.iter())) {
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
        let instance = &mut self.instances[at];
        instance.unset.keep(&[]);
        instance.unset_lines.keep(&[]);
        instance.search = Search::default();
    }

    /// Sets these of its addresses; true when one was not there before. What cannot be set is tried again.
    pub(super) fn set_vips(&mut self, at: usize, which: impl Fn(&Vip) -> bool) -> bool {
        self.stale = true;
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
        let mut restored = Vec::new();
        for vip in instance.spec.vips.iter().filter(|v| !v.no_track) {
            let Some(link) = self.edge.host.link(&vip.dev).map(|l| l.index) else { continue };
            // One that was never set was not taken away either.
            if !gone(link, vip.prefix.addr) || instance.unset.has(vip) {
                continue;
            }
            // That it exists means that the notification is older than our own setting of it.
            let result = self.edge.set(vip);
            if result == Ok(true) {
                restored.push(format!("{} was removed from {} by someone else", vip.prefix, vip.dev));
            }
            enter(&mut instance.unset, &instance.spec.name, vip, &result);
        }
        if !restored.is_empty() {
            tell::restored(instance, &restored, clock::now());
            self.feed(at, Input::Restored, clock::now());
        }
    }
}

/// What came of an attempt to set an address, a route or a rule.
pub(super) fn enter<T: Clone + PartialEq + Display>(
    unset: &mut Unset<T>,
    name: &str,
    it: &T,
    result: &Result<bool, String>,
) {
    if let Some(line) = unset.enter(it, result, clock::now()) {
        let level = if result.is_ok() { Level::Info } else { Level::Error };
        log::log!(level, "{name}: {line}");
    }
}
