//! The router as backup.

use std::time::Duration;

use lvs_core::time::Time;

use super::{Heard, Router};
use crate::door::Advert;
use crate::packet::Version;
use crate::timers::skew;
use crate::words::{Action, Cause, Note, State};

impl Router {
    pub(super) fn advert_as_backup(&mut self, advert: Advert, now: Time, out: &mut Vec<Action>) {
        if advert.priority == 0 {
            self.heard = Heard::Goodbye(advert.src);
            self.ripe = false;
            self.timers.preempt = None;
            let skew = skew(self.params.version, self.tracked.priority, self.master_interval);
            self.timers.down = Some(now.max(self.embargo) + skew);
        } else if advert.priority >= self.tracked.priority {
            self.timers.preempt = None;
            self.accept(advert, now);
        } else if !self.may_preempt(advert, now, out) {
            self.accept(advert, now);
        } else {
            // The timer runs on: it ends one master down interval after the last master that we accepted.
            self.heard = Heard::Lower(advert.src, advert.priority);
        }
    }

    /// While this router's link was down, or it was not there, its peers gave up its MAC address, and a Linux host asks for it once a
    /// second only: longer than a short interval's election takes. They answer this, and know the address then.
    pub(super) fn seek_peers(&mut self, now: Time, out: &mut Vec<Action>) {
        let waits = self.timers.down.is_some() && matches!(self.heard, Heard::Nothing(_));
        if self.params.unicast && waits {
            out.push(Action::SeekPeers);
            self.timers.seek = Some(now + self.params.interval);
        }
    }

    pub(super) fn accept(&mut self, advert: Advert, now: Time) {
        self.heard = Heard::Master(advert.src, now);
        self.ripe = false;
        if self.params.version == Version::V3 && advert.interval > Duration::ZERO {
            self.master_interval = advert.interval;
        }
        self.timers.down = Some(self.down_time(now));
    }

    fn may_preempt(&mut self, advert: Advert, now: Time, out: &mut Vec<Action>) -> bool {
        let delay = self.params.preempt_delay;
        let known = matches!(self.heard, Heard::Master(addr, _) if addr == advert.src);
        let wait = if !self.params.preempt {
            None
        } else if delay == Duration::ZERO {
            return true;
        } else {
            let until = *self.timers.preempt.get_or_insert(now + delay);
            if now >= until {
                return true;
            }
            Some(until - now)
        };
        if !known {
            out.push(Action::Note(Note::Tolerated { master: advert.src, theirs: advert.priority, wait }));
        }
        false
    }

    /// Why its election is won, as long as it is backup.
    pub fn cause_of_silence(&self, now: Time) -> Cause {
        match self.heard {
            Heard::Nothing(since) => Cause::Silence { silent: now - since },
            Heard::Master(master, at) => Cause::MasterLost { master, silent: now - at },
            Heard::Goodbye(master) => Cause::MasterLeft { master },
            Heard::Lower(master, theirs) => Cause::Preempted { master, theirs },
        }
    }

    /// A changed priority changes the skew of the wait that is under way.
    pub(super) fn shift_down_timer(&mut self, before: u8) {
        let old = skew(self.params.version, before, self.master_interval);
        let new = skew(self.params.version, self.tracked.priority, self.master_interval);
        if let Some(down) = &mut self.timers.down {
            *down = *down + new - old;
        }
    }

    /// Whoever was about to replace a lower master, and may no longer, listens to it.
    pub(super) fn keep_lower_master(&mut self, now: Time) {
        let hindered = !self.params.preempt || self.params.preempt_delay > Duration::ZERO;
        if let (State::Backup, Heard::Lower(master, _), true) = (self.state, self.heard, hindered) {
            self.heard = Heard::Master(master, now);
            self.timers.down = self.timers.down.map(|_| self.down_time(now));
        }
    }
}
