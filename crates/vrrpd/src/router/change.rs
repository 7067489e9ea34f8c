//! What changes around a router: the things that it tracks, and its configuration.

use lvs_core::time::Time;

use super::{Heard, Router};
use crate::packet::Version;
use crate::params::Params;
use crate::words::{Action, Cause, State, Tracked};

impl Router {
    pub(super) fn track(&mut self, tracked: Tracked, now: Time, out: &mut Vec<Action>) {
        let before = std::mem::replace(&mut self.tracked, tracked);
        match self.state {
            State::Backup | State::Master if tracked.faults != 0 => self.fail(now, out),
            State::Fault if tracked.faults == 0 => self.elect(Cause::Recovered, now, out),
            // Without its interface a leaving router cannot hear its successor, nor serve.
            State::Leaving if tracked.faults != 0 => self.handed_over(None, now, out),
            State::Backup if tracked.priority != before.priority => self.shift_down_timer(before.priority),
            _ => (),
        }
    }

    fn fail(&mut self, now: Time, out: &mut Vec<Action>) {
        if self.state == State::Master {
            // Heard only if the interface still is up; then the backup need not wait.
            out.push(Action::Advertise(0));
            out.push(Action::DropVips);
        }
        self.enter(State::Fault, Cause::Failed { faults: self.tracked.faults }, now, out);
    }

    pub(super) fn reload(&mut self, params: Params, now: Time) {
        let before = std::mem::replace(&mut self.params, params);
        if self.ripe && !self.params.grouped {
            // It left its group: the election that it has won counts at once.
            self.timers.down = Some(now);
        }
        self.keep_lower_master(now);
        let (was, is) = (before.preempt_delay, self.params.preempt_delay);
        self.timers.preempt = self.timers.preempt.map(|t| t + is - was);
        let refresh = self.params.garp.refresh;
        if self.state == State::Master && before.garp.refresh != refresh {
            self.timers.refresh = (!refresh.is_zero()).then(|| now + refresh);
        }
        let extra = self.params.garp.extra;
        if self.state == State::Master && before.garp.extra != extra {
            self.timers.extra = (!extra.is_zero()).then(|| now + extra);
        }
        if before.interval == self.params.interval {
            return;
        }
        let advert = now + self.params.interval;
        self.timers.advert = self.timers.advert.map(|t| t.min(advert));
        let listens = self.state == State::Backup && matches!(self.heard, Heard::Master(..));
        if listens && self.params.version == Version::V3 {
            // The master speaks at its own pace, and is waited for at that.
            return;
        }
        self.master_interval = self.params.interval;
        let down = self.down_time(now);
        self.timers.down = self.timers.down.map(|t| t.min(down));
    }
}
