//! The beginning of tries: in bursts, as far as there is room, and what is known of them at the end of the burst.

use std::io;
use std::os::fd::AsFd;
use std::time::Duration;

use lvs_core::sys::clock;
use lvs_core::sys::poll::{self, Interest};
use lvs_core::time::Time;

use super::{Engine, Finished, State, Try, WIRES};
use crate::flight::{Begun, Flight};
use crate::outcome::{Outcome, Reason};
use crate::task::{Task, Via};
use crate::{runs, shots};

/// Tries begun before the answers of others are looked at again.
const BURST: usize = 256;
/// Connections begun before it is looked whether they are made: more at once is hardly cheaper, and the first one's
/// latency would grow with the work on the others.
const GLANCE: usize = 32;

/// How far the beginning of a try got.
enum Launched {
    /// It ended at once.
    Done(Outcome),
    /// It is under way; looked at after so long, if that is before its deadline.
    Away(Try, Option<Duration>),
    /// It is under way, and nobody watches it yet.
    Fresh(Flight),
}

impl Engine {
    pub(super) fn begin_waiting(&mut self, done: &mut Vec<Finished>) {
        for _ in 0..BURST {
            let Some(check) = self.room.next() else { break };
            // It may have been stopped while it waited.
            if matches!(self.slots[check as usize].state, State::Queued) && !self.begin(check, done) {
                break;
            }
            if self.fresh.len() >= GLANCE {
                self.look_at_fresh(done);
            }
        }
        self.room.note();
    }

    /// Begins a try; false if there is no descriptor for it and it went back into the queue.
    fn begin(&mut self, check: u32, done: &mut Vec<Finished>) -> bool {
        let now = clock::now();
        let slot = &mut self.slots[check as usize];
        slot.state = State::Idle;
        let Some(task) = slot.task.clone() else { return true };
        match self.launch(check, &task, now) {
            Ok(Launched::Away(flight, again)) => {
                let timeout = self.take_off(check, flight, now);
                self.agenda.set(check, now + again.unwrap_or(timeout).min(timeout));
            }
            Ok(Launched::Fresh(flight)) => {
                self.take_off(check, Try::Flight(flight), now);
                self.fresh.push(check);
            }
            Err(e) if is_short(&e) && self.room.taken() > 0 => {
                self.slots[check as usize].state = State::Queued;
                self.room.wait_first(check);
                return false;
            }
            Ok(Launched::Done(outcome)) => done.push(Finished { check, outcome, at: now }),
            Err(e) => done.push(Finished { check, outcome: Outcome::from_error(&e), at: now }),
        }
        true
    }

    /// Notes that a try is under way; returns how long it may take.
    fn take_off(&mut self, check: u32, flight: Try, now: Time) -> Duration {
        let slot = &mut self.slots[check as usize];
        slot.state = State::Away(flight, now);
        self.room.take();
        slot.timeout
    }

    fn launch(&mut self, check: u32, task: &Task, now: Time) -> io::Result<Launched> {
        let dial = match task {
            Task::Tcp(dial) => dial,
            Task::Vip(via) => match self.shoot(check, via, now)? {
                Some(launched) => return Ok(launched),
                None => &via.dial,
            },
            Task::Web(web) => {
                let flight = Flight::fetch(web)?;
                self.poll.add(&flight, u64::from(check), Interest::Write)?;
                return Ok(Launched::Away(Try::Flight(flight), None));
            }
            Task::Misc(misc) => {
                return Ok(match self.runs.begin(check, misc, now)? {
                    runs::Begun::Done(outcome) => Launched::Done(outcome),
                    runs::Begun::Away(number) => Launched::Away(Try::Run(number), None),
                });
            }
        };
        Ok(match Flight::connect(dial)? {
            Begun::Done(outcome) => Launched::Done(outcome),
            Begun::Flying(flight) => Launched::Fresh(flight),
        })
    }

    /// Asks a VIP by a frame; none where none reaches it, and the real server's own address is asked.
    fn shoot(&mut self, check: u32, via: &Via, now: Time) -> io::Result<Option<Launched>> {
        let sequence = now.as_nanos() as u32;
        match self.shots.begin(check, via, sequence, &self.poll, WIRES) {
            Ok(port) => Ok(port.map(|port| Launched::Away(Try::Shot(port), Some(shots::AGAIN)))),
            // A right that this process lost; the server must not pay for it.
            Err(e) if e.kind() == io::ErrorKind::PermissionDenied => {
                Ok(Some(Launched::Done(Outcome::Unknown(Reason::Said(format!("--via vip: {e}"))))))
            }
            Err(e) => Err(e),
        }
    }

    /// Ends the connections that were answered while the others were begun, and watches the rest. A server
    /// nearby answers that soon; then one system call for all tells what an epoll set would take two for each to tell,
    /// and no deadline is set that never comes.
    pub(super) fn look_at_fresh(&mut self, done: &mut Vec<Finished>) {
        if self.fresh.is_empty() {
            return;
        }
        let mut fresh = std::mem::take(&mut self.fresh);
        let away = fresh.drain(..).filter_map(|check| Some((check, self.flight(check)?.as_fd())));
        let (checks, flights): (Vec<_>, Vec<_>) = away.unzip();
        // What cannot be told now is told by watching.
        let seen = poll::glance(flights.into_iter(), Interest::Write).unwrap_or_default();
        let now = clock::now();
        for (i, check) in checks.into_iter().enumerate() {
            match seen.get(i).filter(|event| event.is_any()) {
                Some(event) => self.progress(check, *event, now, done),
                None => self.watch_flight(check, now, done),
            }
        }
        self.fresh = fresh;
    }

    fn flight(&self, check: u32) -> Option<&Flight> {
        match &self.slots[check as usize].state {
            State::Away(Try::Flight(flight), _) => Some(flight),
            _ => None,
        }
    }

    /// Watches a connection until its deadline.
    fn watch_flight(&mut self, check: u32, now: Time, done: &mut Vec<Finished>) {
        let slot = &self.slots[check as usize];
        let State::Away(Try::Flight(flight), since) = &slot.state else { return };
        match self.poll.add(flight, u64::from(check), Interest::Write) {
            Ok(()) => self.agenda.set(check, *since + slot.timeout),
            Err(e) => self.finish(check, Outcome::from_error(&e), now, done),
        }
    }
}

fn is_short(e: &io::Error) -> bool {
    matches!(e.raw_os_error(), Some(23 | 24))
}
