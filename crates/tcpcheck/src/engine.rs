//! Runs tries: begins each when it is due, watches all of them at once, ends each at its deadline.
//!
//! One thread, one epoll set. At most `limit` tries hold a descriptor; the others wait their turn.

mod begin;
mod room;

use std::collections::BTreeSet;
use std::io;
use std::net::IpAddr;
use std::os::fd::AsFd;
use std::sync::Arc;
use std::time::Duration;

use lvs_core::sys::clock;
use lvs_core::sys::poll::{Event, Interest, Poll};
use lvs_core::time::Time;

use crate::agenda::Agenda;
use crate::flight::{Flight, Progress};
use crate::outcome::{Outcome, Reason};
use crate::programs::Programs;
use crate::runs::Runs;
use crate::shots::{self, Shots};
use crate::task::Task;
use room::Room;

/// Tokens from here on are the caller's.
pub const FOREIGN: u64 = 1 << 32;
/// Tokens from here on are those of the channels of [`Shots`].
const WIRES: u64 = 1 << 48;
/// The token of [`Runs`].
const RUNS: u64 = WIRES - 1;

/// A try that has ended.
#[derive(Debug, PartialEq, Eq)]
pub struct Finished {
    /// Which check.
    pub check: u32,
    /// What it found out.
    pub outcome: Outcome,
    /// When.
    pub at: Time,
}

/// The tries of all checks.
pub struct Engine {
    poll: Poll,
    events: Vec<Event>,
    /// For a try in flight its deadline (or that of its page), for the others when to begin.
    agenda: Agenda,
    slots: Vec<Slot>,
    /// Connections that were begun and are not yet watched.
    fresh: Vec<u32>,
    /// Tries without a descriptor of their own.
    shots: Shots,
    /// Commands.
    runs: Runs,
    room: Room,
}

struct Slot {
    task: Option<Arc<Task>>,
    timeout: Duration,
    state: State,
}

/// What a check does at the moment.
enum State {
    /// Nothing: it is not due.
    Idle,
    /// It waits for a descriptor.
    Queued,
    /// A try is under way since then.
    Away(Try, Time),
}

/// A try under way.
enum Try {
    /// With its descriptor.
    Flight(Flight),
    /// Among the [`Shots`], by its port.
    Shot(u16),
    /// Among the [`Runs`], by its number.
    Run(u64),
}

/// How many of so many tries an engine may make at once; raises the limit of descriptors as far as it may.
///
/// # Errors
/// The limit cannot be read.
pub fn limit(tries: usize) -> io::Result<usize> {
    Room::new(tries).map(|room| room.limit())
}

impl Engine {
    /// An engine for about so many checks; raises the limit of descriptors as far as it may.
    ///
    /// # Errors
    /// The process is out of descriptors.
    pub fn new(checks: usize) -> io::Result<Self> {
        let room = Room::new(checks)?;
        let (poll, runs) = (Poll::new()?, Runs::new()?);
        poll.add(&runs, RUNS, Interest::Read)?;
        Ok(Self {
            poll,
            events: Vec::new(),
            agenda: Agenda::default(),
            slots: Vec::with_capacity(checks),
            fresh: Vec::new(),
            shots: Shots::default(),
            runs,
            room,
        })
    }

    /// Takes the programs that commands may run.
    pub fn run(&mut self, programs: Arc<Programs>) {
        self.runs.run(programs);
    }

    /// Takes the VIPs of a configuration: no frame comes from one.
    pub fn avoid(&mut self, vips: BTreeSet<IpAddr>) {
        self.shots.avoid(vips);
    }

    /// Gives a check of this number its task; it is idle until it is scheduled. Numbers should be dense.
    pub fn put(&mut self, check: u32, task: Arc<Task>, timeout: Duration) {
        while self.slots.len() <= check as usize {
            self.slots.push(Slot { task: None, timeout, state: State::Idle });
        }
        self.stop(check);
        let slot = &mut self.slots[check as usize];
        (slot.task, slot.timeout) = (Some(task), timeout);
    }

    /// Has the next try of a check begin at `at`. A try in flight goes on.
    pub fn schedule(&mut self, check: u32, at: Time) {
        if !matches!(self.slots[check as usize].state, State::Away(..)) {
            self.agenda.set(check, at);
        }
    }

    /// Ends what the check does and forgets when it is due.
    pub fn stop(&mut self, check: u32) {
        self.agenda.remove(check);
        self.land(check, false, clock::now());
    }

    /// How many tries may be in flight at once.
    pub fn limit(&self) -> usize {
        self.room.limit()
    }

    /// How many tries are in flight.
    pub fn in_flight(&self) -> usize {
        self.room.taken()
    }

    /// Whether tries had to wait for a descriptor since this was last asked.
    pub fn was_short(&mut self) -> bool {
        self.room.was_short()
    }

    /// Watches a descriptor of the caller's; its events come out of [`Self::turn`].
    ///
    /// # Errors
    /// The kernel refuses.
    pub fn watch(&self, fd: impl AsFd, token: u64, interest: Interest) -> io::Result<()> {
        self.poll.add(fd, token, interest)
    }

    /// Waits for something else on a descriptor of the caller's.
    ///
    /// # Errors
    /// It was not watched.
    pub fn rewatch(&self, fd: impl AsFd, token: u64, interest: Interest) -> io::Result<()> {
        self.poll.modify(fd, token, interest)
    }

    /// Waits until a try ends, a foreign descriptor has something, or `until`. Appends what happened.
    ///
    /// # Errors
    /// Waiting itself is impossible.
    pub fn turn(
        &mut self,
        until: Option<Time>,
        done: &mut Vec<Finished>,
        foreign: &mut Vec<Event>,
    ) -> io::Result<()> {
        let own = if self.room.has_for_waiting() { Some(Time::ZERO) } else { self.agenda.next() };
        let deadline = [own, until].into_iter().flatten().min();
        let mut events = std::mem::take(&mut self.events);
        let waited = self.poll.wait(deadline, &mut events);
        let now = clock::now();
        for event in &events {
            match u32::try_from(event.token) {
                Ok(check) => self.progress(check, *event, now, done),
                Err(_) if event.token == RUNS => self.collect(now, done),
                Err(_) if event.token >= WIRES => self.hear(event.token - WIRES, now, done),
                Err(_) => foreign.push(*event),
            }
        }
        self.events = events;
        waited?;
        self.come_due(now, done);
        self.begin_waiting(done);
        self.look_at_fresh(done);
        Ok(())
    }

    fn progress(&mut self, check: u32, event: Event, now: Time, done: &mut Vec<Finished>) {
        let Some(slot) = self.slots.get_mut(check as usize) else { return };
        let State::Away(Try::Flight(flight), since) = &mut slot.state else { return };
        match flight.ready(event, now.since(*since)) {
            Progress::Wait => {}
            Progress::Turn(interest) => {
                let turned = self.poll.modify(&*flight, u64::from(check), interest);
                if let Err(e) = turned {
                    self.finish(check, Outcome::from_error(&e), now, done);
                }
            }
            Progress::Replaced(interest) => match self.poll.add(&*flight, u64::from(check), interest) {
                // Each page has the whole time, as with keepalived.
                Ok(()) => self.agenda.set(check, now + slot.timeout),
                Err(e) => self.finish(check, Outcome::from_error(&e), now, done),
            },
            Progress::Done(outcome) => self.finish(check, outcome, now, done),
        }
    }

    /// Takes the answers that came in on a channel.
    fn hear(&mut self, wire: u64, now: Time, done: &mut Vec<Finished>) {
        for (check, refused) in self.shots.hear(usize::try_from(wire).unwrap_or(usize::MAX)) {
            let State::Away(_, since) = &self.slots[check as usize].state else { continue };
            let passed = Outcome::pass(now.since(*since));
            let outcome = if refused { Outcome::Fail(Reason::Refused) } else { passed };
            self.finish(check, outcome, now, done);
        }
    }

    /// Takes the ends of commands.
    fn collect(&mut self, now: Time, done: &mut Vec<Finished>) {
        for (check, mut outcome) in self.runs.ended() {
            let State::Away(_, since) = &self.slots[check as usize].state else { continue };
            if let Outcome::Pass { latency, .. } = &mut outcome {
                *latency = now.since(*since);
            }
            self.finish(check, outcome, now, done);
        }
    }

    fn finish(&mut self, check: u32, outcome: Outcome, at: Time, done: &mut Vec<Finished>) {
        self.agenda.remove(check);
        self.land(check, matches!(outcome, Outcome::Fail(_)), at);
        done.push(Finished { check, outcome, at });
    }

    fn land(&mut self, check: u32, failed: bool, now: Time) {
        let slot = &mut self.slots[check as usize];
        if let State::Away(flight, _) = std::mem::replace(&mut slot.state, State::Idle) {
            match flight {
                Try::Flight(_) => {}
                Try::Shot(port) => self.shots.end(port, failed),
                Try::Run(number) => self.runs.give_up(number, now),
            }
            self.room.give_back();
        }
    }

    fn come_due(&mut self, now: Time, done: &mut Vec<Finished>) {
        while let Some(check) = self.agenda.pop_due(now) {
            let slot = &mut self.slots[check as usize];
            match &slot.state {
                State::Away(Try::Shot(port), since) if now < *since + slot.timeout => {
                    let (port, end) = (*port, *since + slot.timeout);
                    // What cannot be sent now may be sent the next time.
                    let _ = self.shots.again(port);
                    self.agenda.set(check, end.min(now + shots::AGAIN));
                }
                State::Away(Try::Shot(port), _) => {
                    let reason = self.shots.silence(*port);
                    self.finish(check, Outcome::Fail(reason), now, done);
                }
                State::Away(Try::Run(number), _) => {
                    let outcome = self.runs.silence(*number);
                    self.finish(check, outcome, now, done);
                }
                State::Away(..) => self.finish(check, Outcome::Fail(Reason::TimedOut), now, done),
                State::Idle => {
                    slot.state = State::Queued;
                    self.room.wait(check);
                }
                State::Queued => {}
            }
        }
    }
}

#[cfg(test)]
mod tests;
