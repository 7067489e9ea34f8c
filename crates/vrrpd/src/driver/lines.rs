//! The routes and rules of a master: set, looked for, put back, tried again.

use std::io;

use lvs_core::sys::clock;
use lvs_core::sys::poll::Interest;
use lvs_core::sys::rtnl::{Change, Losses};
use lvs_core::time::Time;

use super::vips::enter;
use super::{Driver, LOSSES, Source};
use crate::iproute::{self, Line};
use crate::lost::rest;
use crate::tell;

/// Hears of routes and rules that are gone, of this mark.
pub(super) struct Hearing {
    losses: Losses,
    mark: Option<u8>,
}

impl<S: Source> Driver<S> {
    /// Listens for losses, if an instance has routes or rules: a router's changes cost nothing where nobody cares.
    pub(super) fn hear_losses(&mut self) {
        let mut lines = self.instances.iter().flat_map(|i| &i.spec.lines).peekable();
        if lines.peek().is_none() {
            self.hearing = None;
            return;
        }
        let mark = iproute::mark(lines);
        if self.hearing.as_ref().is_some_and(|h| h.mark == mark) {
            return;
        }
        match self.open_hearing(mark) {
            Ok(hearing) => self.hearing = Some(hearing),
            Err(e) => {
                log::error!("routes and rules that someone removes are not put back: cannot listen: {e}");
            }
        }
    }

    fn open_hearing(&self, mark: Option<u8>) -> io::Result<Hearing> {
        let losses = Losses::open(mark)?;
        self.poll.add(&losses, LOSSES, Interest::Read)?;
        Ok(Hearing { losses, mark })
    }

    /// Something has gone.
    pub(super) fn take_losses(&mut self) {
        // An error is that of lost notifications, at worst.
        if self.hearing.as_mut().is_some_and(|h| h.losses.any().unwrap_or(true)) {
            self.ask_for_lines();
        }
    }

    /// With an interface or an address routes go that nobody speaks of.
    pub(super) fn suspect_lines(&mut self, changes: &[Change]) {
        let suspect = |c: &Change| match c {
            Change::Link(link) => link.usable(),
            Change::AddressGone(_) | Change::Lost => true,
            Change::LinkGone(_) | Change::Address(_) => false,
        };
        if changes.iter().any(suspect) {
            self.ask_for_lines();
        }
    }

    fn ask_for_lines(&mut self) {
        let now = clock::now();
        for (instance, deadline) in self.instances.iter_mut().zip(&mut self.deadlines) {
            let tracked = instance.spec.lines.iter().any(|l| !l.no_track);
            if tracked && instance.router.state().holds() {
                instance.search.ask(now);
                *deadline = instance.deadline();
            }
        }
    }

    /// Sets these of its routes and rules; what cannot be set is tried again.
    pub(super) fn set_lines(&mut self, at: usize, which: impl Fn(&Line) -> bool) {
        self.stale = true;
        let instance = &mut self.instances[at];
        let lines: Vec<&Line> = instance.spec.lines.iter().filter(|l| which(l)).collect();
        let words: Vec<String> = lines.iter().map(|l| l.add.clone()).collect();
        let begun = clock::now();
        for (line, result) in lines.into_iter().zip(iproute::try_each(&words)) {
            enter(&mut instance.unset_lines, &instance.spec.name, line, &result);
        }
        instance.unset_lines.put_off(clock::now() + rest(clock::now() - begun));
    }

    /// What is due: another try, a look.
    pub(super) fn tend_lines(&mut self, at: usize, now: Time) {
        if self.instances[at].unset_lines.is_due(now) {
            let failed = self.instances[at].unset_lines.clone();
            self.set_lines(at, |l| failed.has(l));
        }
        if self.instances[at].search.is_due(now) {
            self.restore_lines(at, now);
            let after = clock::now();
            self.instances[at].search.done(after, after - now);
        }
    }

    /// Puts back what is gone, but nothing that was never set.
    fn restore_lines(&mut self, at: usize, now: Time) {
        let instance = &mut self.instances[at];
        let wanted = instance.spec.lines.iter().filter(|l| !l.no_track && !instance.unset_lines.has(l));
        let missing = match iproute::missing(&wanted.collect::<Vec<_>>()) {
            Ok(missing) => missing,
            Err(e) => return log::error!("{}: cannot look for its routes: {e}", instance.spec.name),
        };
        let mut restored = Vec::new();
        for (line, result) in missing.iter().zip(iproute::put_back(&missing)) {
            if result == Ok(true) {
                restored.push(format!("{line} was gone"));
            }
            enter(&mut instance.unset_lines, &instance.spec.name, line, &result);
        }
        if !restored.is_empty() {
            tell::restored(instance, &restored, now);
        }
    }
}
