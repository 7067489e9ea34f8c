//! One virtual router (RFC 9568 6.4), without a socket or a clock.
//!
//! It is told an [`Input`] and the time, and appends what must be done to a buffer; [`Router::deadline`] says when it
//! wants an [`Input::Tick`]. What it promises beyond the RFC:
//!
//! * becoming master is advertisement, addresses, gratuitous ARP, in this order;
//! * whoever leaves on purpose says so with priority 0 and keeps the addresses until a successor was heard, so that no
//!   request fails in between ([`State::Leaving`]);
//! * whoever is outdone by another master says once more that it was one, so that the winner knows of the split and tells
//!   the hosts (the stale ARP caches of a healed partition), and serves until they know;
//! * an advertisement that its own goodbye has overtaken on the way counts as lost: it would depose the successor, and
//!   for three intervals nobody would be master ([`LAPSE`]).

use std::net::IpAddr;
use std::time::Duration;

use lvs_core::time::Time;

use crate::door::Advert;
use crate::params::{OWNER, Params};
use crate::timers::{Timers, master_down};
use crate::words::{Action, Cause, Input, State, Tracked};

mod backup;
mod change;
mod leave;
mod master;

/// Between two answers to lower advertisements, and to goodbyes: a flood must not draw a flood. Whoever spoke in between has
/// heard the last answer, or hears the next.
const ANSWER_GAP: Duration = Duration::from_millis(50);
/// A successor advertises before it takes the addresses and tells the hosts; until those have learnt it their packets
/// come here and are served. A busy successor may be interrupted in between.
const LINGER: Duration = Duration::from_millis(50);

/// For this part of its interval nothing counts that comes from a router after its goodbye. Networks reorder packets within
/// microseconds; and should it really be master again so soon, then its next advertisement says so, as if one was lost.
const LAPSE: u32 = 10;

/// The state machine of one virtual router.
#[derive(Clone, Debug)]
pub struct Router {
    params: Params,
    state: State,
    since: Time,
    timers: Timers,
    /// `vrrp_startup_delay`: no election is won before; what a master says is heard.
    embargo: Time,
    tracked: Tracked,
    source: Option<IpAddr>,
    /// The interval that the master advertised (version 3), else ours.
    master_interval: Duration,
    heard: Heard,
    /// A member of a sync group: its own election is won, the others' are not yet.
    ripe: bool,
    /// When a lower advertisement was answered last, and when a goodbye: neither keeps the other from its answer.
    last_answer: Option<Time>,
    last_relief: Option<Time>,
    /// Until then the hosts are being told because of a lower advertisement.
    telling: Option<Time>,
    /// Who said goodbye last, and when.
    goodbye: Option<(IpAddr, Time)>,
    /// Where a handover ends.
    leave_to: State,
    /// Asked to resume during its handover, it takes part again after it.
    returns: bool,
    /// The successor that was heard.
    heir: Option<IpAddr>,
}

/// What a backup knows about the master.
#[derive(Clone, Copy, Debug)]
enum Heard {
    /// Nothing since then.
    Nothing(Time),
    /// It was accepted as master.
    Master(IpAddr, Time),
    /// It said goodbye.
    Goodbye(IpAddr),
    /// It is lower, and we wait to replace it.
    Lower(IpAddr, u8),
}

impl Router {
    /// A router that waits for [`Input::Start`].
    pub fn new(params: Params) -> Self {
        let tracked = Tracked { priority: params.priority, faults: 0 };
        let master_interval = params.interval;
        Self {
            params,
            state: State::Init,
            since: Time::ZERO,
            timers: Timers::default(),
            embargo: Time::ZERO,
            tracked,
            source: None,
            master_interval,
            heard: Heard::Nothing(Time::ZERO),
            ripe: false,
            last_answer: None,
            last_relief: None,
            telling: None,
            goodbye: None,
            leave_to: State::Stopped,
            returns: false,
            heir: None,
        }
    }

    /// When it wants to be called with [`Input::Tick`].
    pub fn deadline(&self) -> Option<Time> {
        self.timers.next()
    }

    /// Its state.
    pub fn state(&self) -> State {
        self.state
    }

    /// Since when it is in this state.
    pub fn since(&self) -> Time {
        self.since
    }

    /// The effective priority and the faults.
    pub fn tracked(&self) -> Tracked {
        self.tracked
    }

    /// Its parameters.
    pub fn params(&self) -> &Params {
        &self.params
    }

    /// The master that a backup listens to.
    pub fn master(&self) -> Option<IpAddr> {
        match (self.state, self.heard) {
            (State::Backup, Heard::Master(addr, _) | Heard::Lower(addr, _)) => Some(addr),
            _ => None,
        }
    }

    /// Whether the addresses are set: as master, and for a moment after it.
    pub fn holds(&self) -> bool {
        self.state.holds() || self.timers.drop.is_some()
    }

    /// Whether it may speak in the name of the virtual MAC address: a switch takes whoever speaks last for its place, so that
    /// from the moment that a successor was heard nothing may come from here, though the addresses are still served.
    pub fn speaks(&self) -> bool {
        self.state == State::Master || self.state == State::Leaving && self.heir.is_none()
    }

    /// The master that has said goodbye or is outdone: whose addresses this router takes over.
    pub fn predecessor(&self) -> Option<IpAddr> {
        match self.heard {
            Heard::Goodbye(addr) | Heard::Lower(addr, _) => Some(addr),
            Heard::Nothing(_) | Heard::Master(..) => None,
        }
    }

    /// As backup of a master that has said goodbye or is outdone: how long until it takes over, if nothing happens.
    pub fn wins_in(&self, now: Time) -> Option<Duration> {
        let near = self.state == State::Backup && !self.is_early(now) && self.predecessor().is_some();
        self.timers.down.filter(|_| near).map(|down| down - now)
    }

    /// Whether it wins no election yet, whatever it hears: its startup delay is not over.
    pub fn is_early(&self, now: Time) -> bool {
        now < self.embargo
    }

    /// Whether it takes no part, or will take none after its handover, until it is asked to resume.
    pub fn is_released(&self) -> bool {
        let leaves = self.state == State::Leaving && self.leave_to == State::Released && !self.returns;
        self.state == State::Released || leaves
    }

    /// Whether the sync group may make it master: it has won its own election.
    pub fn is_ripe(&self) -> bool {
        self.ripe || self.state == State::Master
    }

    /// Takes an input and appends what is to be done.
    pub fn handle(&mut self, input: Input, now: Time, out: &mut Vec<Action>) {
        match input {
            Input::Start => self.start(now, out),
            Input::Advert(advert) => self.advert(advert, now, out),
            Input::Tick => self.tick(now, out),
            Input::Track(tracked) => self.track(tracked, now, out),
            Input::Source(source) => self.source = source,
            Input::Reload(params) => self.reload(*params, now),
            Input::Release => self.leave(State::Released, Cause::Released, now, out),
            Input::Stop => self.leave(State::Stopped, Cause::Stopping, now, out),
            Input::Resume if matches!(self.state, State::Released) => self.elect(Cause::Resumed, now, out),
            Input::Resume if self.state == State::Leaving && self.leave_to == State::Released => {
                self.resume_in_time(now, out);
            }
            Input::Restored | Input::Garp if self.state.holds() => {
                out.push(Action::Garp(self.params.garp.repeat));
            }
            Input::GroupMaster if self.state == State::Backup => self.become_master(Cause::Group, now, out),
            Input::GroupBackup if self.state == State::Master => {
                out.push(Action::Advertise(0));
                self.become_backup(Cause::Group, now, out);
            }
            Input::Resume | Input::Restored | Input::Garp | Input::GroupMaster | Input::GroupBackup => (),
        }
    }

    fn start(&mut self, now: Time, out: &mut Vec<Action>) {
        if self.state != State::Init {
            return;
        }
        self.embargo = now + self.params.startup_delay;
        self.elect(Cause::Started, now, out);
    }

    /// Takes part in the election from the beginning: as backup, unless faulty or the owner.
    fn elect(&mut self, cause: Cause, now: Time, out: &mut Vec<Action>) {
        if self.tracked.faults != 0 {
            return self.enter(State::Fault, Cause::Failed { faults: self.tracked.faults }, now, out);
        }
        self.become_backup(cause, now, out);
        if self.tracked.priority == OWNER && self.is_early(now) {
            self.timers.down = Some(self.embargo);
        } else if self.tracked.priority == OWNER {
            self.win(Cause::Owner, now, out);
        } else {
            self.seek_peers(now, out);
        }
    }

    fn become_backup(&mut self, cause: Cause, now: Time, out: &mut Vec<Action>) {
        if self.state.holds() {
            out.push(Action::DropVips);
        }
        self.begin_as_backup(cause, now, out);
    }

    fn begin_as_backup(&mut self, cause: Cause, now: Time, out: &mut Vec<Action>) {
        self.enter(State::Backup, cause, now, out);
        self.master_interval = self.params.interval;
        self.heard = Heard::Nothing(now);
        self.timers = Timers { down: Some(self.down_time(now)), ..Timers::default() };
    }

    fn enter(&mut self, to: State, cause: Cause, now: Time, out: &mut Vec<Action>) {
        if self.timers.drop.is_some() && to != State::Master {
            out.push(Action::DropVips);
        }
        out.push(Action::Enter { from: self.state, to, cause });
        self.state = to;
        self.since = now;
        self.ripe = false;
        self.timers = Timers::default();
    }

    /// When a master that was heard now, or none, has been silent for too long.
    fn down_time(&self, now: Time) -> Time {
        now.max(self.embargo) + self.down_interval()
    }

    fn down_interval(&self) -> Duration {
        master_down(&self.params, self.tracked.priority, self.master_interval)
    }

    fn advert(&mut self, advert: Advert, now: Time, out: &mut Vec<Action>) {
        if advert.priority == 0 {
            self.goodbye = Some((advert.src, now));
        } else if self
            .goodbye
            .is_some_and(|(who, at)| who == advert.src && now - at < advert.interval / LAPSE)
        {
            return;
        }
        match self.state {
            State::Backup => self.advert_as_backup(advert, now, out),
            State::Master => self.advert_as_master(advert, now, out),
            State::Leaving => self.advert_as_leaving(advert, now),
            State::Init | State::Fault | State::Released | State::Stopped => (),
        }
    }

    fn tick(&mut self, now: Time, out: &mut Vec<Action>) {
        if Timers::take(&mut self.timers.down, now).is_some() {
            let cause = self.cause_of_silence(now);
            self.win(cause, now, out);
        }
        if Timers::take(&mut self.timers.seek, now).is_some() {
            self.seek_peers(now, out);
        }
        if Timers::take(&mut self.timers.drop, now).is_some() {
            out.push(Action::DropVips);
        }
        if Timers::take(&mut self.timers.leave, now).is_some() {
            self.handed_over(self.heir, now, out);
        }
        self.tick_as_master(now, out);
    }

    /// The election is won; a member of a sync group waits until all of it have won theirs.
    fn win(&mut self, cause: Cause, now: Time, out: &mut Vec<Action>) {
        if self.params.grouped {
            self.ripe = true;
            self.timers.down = None;
        } else {
            self.become_master(cause, now, out);
        }
    }
}

#[cfg(test)]
mod tests;
