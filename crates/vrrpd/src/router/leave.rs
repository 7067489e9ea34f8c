//! The router as a master that hands over.

use std::net::IpAddr;

use lvs_core::time::Time;

use super::{LINGER, Router};
use crate::door::Advert;
use crate::params::OWNER;
use crate::timers::{handover, skew};
use crate::words::{Action, Cause, State};

impl Router {
    pub(super) fn advert_as_leaving(&mut self, advert: Advert, now: Time) {
        if advert.priority > 0 && self.heir.is_none() && self.may_be_successor(now) {
            self.heir = Some(advert.src);
            self.timers.leave = self.timers.leave.map(|t| t.min(now + LINGER));
        }
    }

    pub(super) fn leave(&mut self, to: State, cause: Cause, now: Time, out: &mut Vec<Action>) {
        self.returns = false;
        match self.state {
            State::Master => {
                out.push(Action::Advertise(0));
                self.enter(State::Leaving, cause, now, out);
                self.leave_to = to;
                self.heir = None;
                self.timers.leave = Some(now + handover(&self.params));
            }
            // Asked a second time.
            State::Leaving if (self.leave_to, to) == (State::Stopped, State::Stopped) => {
                self.handed_over(None, now, out);
            }
            // Whoever is to stop stops, whatever it is asked after that.
            State::Leaving if self.leave_to != State::Stopped => self.leave_to = to,
            State::Leaving | State::Stopped => (),
            State::Init | State::Backup | State::Fault | State::Released => self.enter(to, cause, now, out),
        }
    }

    /// Not before the shortest skew: that one was on its way when the goodbye went out.
    fn may_be_successor(&self, now: Time) -> bool {
        now - self.since >= skew(self.params.version, OWNER - 1, self.params.interval)
    }

    pub(super) fn handed_over(&mut self, to: Option<IpAddr>, now: Time, out: &mut Vec<Action>) {
        out.push(Action::DropVips);
        self.enter(self.leave_to, Cause::HandedOver { to }, now, out);
        if self.returns {
            self.elect(Cause::Resumed, now, out);
        }
    }
}
