//! The router as master.

use std::time::Duration;

use lvs_core::time::Time;

use super::{ANSWER_GAP, LINGER, Router};
use crate::door::Advert;
use crate::timers::Timers;
use crate::words::{Action, Cause, Note, State};

/// The other master may have answered for the addresses until it heard of us, and serves a little longer: this comes after
/// all that.
const LAST_WORD: Duration = Duration::from_millis(100);
/// keepalived's kernel answers gratuitous ARP with the same virtual MAC address while it still has the addresses, and the
/// switch believes that; a moment later they are gone. Each further word comes after four times as long.
const SECOND_WORD: Duration = Duration::from_micros(6250);

impl Router {
    pub(super) fn become_master(&mut self, cause: Cause, now: Time, out: &mut Vec<Action>) {
        let garp = self.params.garp;
        match self.predecessor() {
            // With the advertisement switches send here what is for the virtual MAC address, and that one still serves.
            Some(_) if self.params.on_vmac => {
                out.extend([Action::TakeVips, Action::AwaitVips]);
                self.advertise_now(out);
            }
            // It serves until the hosts are told.
            Some(_) => {
                self.advertise_now(out);
                out.extend([Action::TakeVips, Action::AwaitVips]);
            }
            // The advertisement first: it silences the other backups, and to set addresses takes time.
            None => {
                self.advertise_now(out);
                out.push(Action::TakeVips);
            }
        }
        out.push(Action::Garp(garp.repeat));
        self.enter(State::Master, cause, now, out);
        self.timers.advert = Some(now + self.params.interval);
        self.timers.garp = (!garp.delay.is_zero()).then(|| now + garp.delay);
        self.timers.refresh = (!garp.refresh.is_zero()).then(|| now + garp.refresh);
        self.timers.extra = (!garp.extra.is_zero()).then(|| now + garp.extra);
        self.telling = None;
        self.timers.last_word = self.predecessor().map(|_| now + SECOND_WORD);
    }

    fn advertise_now(&self, out: &mut Vec<Action>) {
        out.push(Action::Advertise(self.tracked.priority));
    }

    pub(super) fn tick_as_master(&mut self, now: Time, out: &mut Vec<Action>) {
        if let Some(due) = Timers::take(&mut self.timers.advert, now) {
            self.advertise(due, now, out);
        }
        if Timers::take(&mut self.timers.garp, now).is_some() {
            out.push(Action::Garp(self.params.garp.repeat));
        }
        if Timers::take(&mut self.timers.last_word, now).is_some() {
            out.push(Action::Garp(1));
            let passed = now - self.since;
            self.timers.last_word = (passed < LAST_WORD).then(|| self.since + LAST_WORD.min(passed * 4));
        }
        if Timers::take(&mut self.timers.refresh, now).is_some() {
            let garp = self.params.garp;
            out.push(Action::Garp(garp.refresh_repeat));
            self.timers.refresh = (!garp.refresh.is_zero()).then(|| now + garp.refresh);
        }
        if Timers::take(&mut self.timers.extra, now).is_some() {
            out.push(Action::ExtraGarp);
            let extra = self.params.garp.extra;
            self.timers.extra = (!extra.is_zero()).then(|| now + extra);
        }
    }

    fn advertise(&mut self, due: Time, now: Time, out: &mut Vec<Action>) {
        self.advertise_now(out);
        let interval = self.params.interval;
        // Counted from when it was due, so that lateness does not add up.
        self.timers.advert = Some(if now - due < interval { due + interval } else { now + interval });
        if now - due > self.down_interval() {
            // Someone else may have been master meanwhile, and the hosts may have believed it.
            out.push(Action::Note(Note::Overslept { late: now - due }));
            out.push(Action::Garp(self.params.garp.repeat));
        }
    }

    pub(super) fn advert_as_master(&mut self, advert: Advert, now: Time, out: &mut Vec<Action>) {
        let ours = self.tracked.priority;
        let outdone = (advert.priority, Some(advert.src)) > (ours, self.source);
        if advert.priority == 0 {
            // RFC 9568 6.4.3: the other master is gone; its backups must hear at once that there is one.
            if is_over(&mut self.last_relief, now) {
                self.advertise_at_once(now, out);
            }
        } else if outdone {
            let cause = Cause::Outdone { master: advert.src, theirs: advert.priority, ours };
            self.step_down(advert, cause, now, out);
        } else {
            self.outdo(advert, now, out);
        }
    }

    fn step_down(&mut self, winner: Advert, cause: Cause, now: Time, out: &mut Vec<Action>) {
        self.begin_as_backup(cause, now, out);
        self.accept(winner, now);
        // The winner answers this with gratuitous ARP. Later than now it could be taken for a new master; and not with a shorter
        // interval (version 3), which other backups would expect of the winner.
        if winner.interval <= self.params.interval {
            self.advertise_now(out);
        }
        // The winner advertised before it took the addresses; ours go when the hosts know of it.
        self.timers.drop = Some(now + LINGER);
    }

    fn outdo(&mut self, loser: Advert, now: Time, out: &mut Vec<Action>) {
        if !is_over(&mut self.last_answer, now) {
            return;
        }
        if !self.params.lower_prio_no_advert {
            self.advertise_at_once(now, out);
        }
        let garp = self.params.garp;
        // Whoever was replaced just now says so once more; that is no split.
        if now - self.since > self.params.interval {
            out.push(Action::Note(Note::LowerMaster { from: loser.src, theirs: loser.priority }));
        }
        self.timers.last_word.get_or_insert(now + LAST_WORD);
        if self.telling.is_some_and(|end| now < end) {
            // The second half of that burst, and the last word, tell them of this one too.
            return;
        }
        self.telling = Some(now + garp.lower_delay.max(LAST_WORD));
        out.push(Action::Garp(garp.lower_repeat));
        self.timers.garp = (!garp.lower_delay.is_zero()).then(|| now + garp.lower_delay);
    }

    fn advertise_at_once(&mut self, now: Time, out: &mut Vec<Action>) {
        self.advertise_now(out);
        self.timers.advert = Some(now + self.params.interval);
    }

    /// `resume` while the handover is under way: nobody has taken over yet. In a sync group someone may have taken over
    /// another member, so that it goes to its end.
    pub(super) fn resume_in_time(&mut self, now: Time, out: &mut Vec<Action>) {
        if self.params.grouped {
            self.returns = true;
        } else {
            self.become_master(Cause::Resumed, now, out);
        }
    }
}

/// Whether the gap after the last answer is over; a new one begins then.
fn is_over(last: &mut Option<Time>, now: Time) -> bool {
    let over = last.is_none_or(|t| now - t >= ANSWER_GAP);
    if over {
        *last = Some(now);
    }
    over
}
