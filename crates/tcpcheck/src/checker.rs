//! One check's life: which outcomes make a server dead or alive, and when the next try is due.
//!
//! No socket and no clock: the driver tells what a try found out and what time it is.

use std::sync::Arc;
use std::time::Duration;

use lvs_core::time::Time;

use crate::outcome::Outcome;
use crate::schedule::Schedule;

/// What is known of a server before its first try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Knowledge {
    /// Nothing: it is taken for alive, and its very first failure takes it out, however many retries it has.
    Assumed,
    /// It served before (it stands in the table that a restart found): its retries count.
    Alive,
    /// It did not serve before.
    Dead,
    /// Nothing, and it is to prove itself first (`alpha`): it counts as dead, and its first failure is told as its
    /// death, as keepalived does it.
    Unproven,
}

/// A change of mind about a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is alive again.
    Up,
    /// It is dead.
    Down,
    /// It answers again, but must go on with that for so long before it is believed. Told once a death.
    Held(Duration),
}

/// The state of one check.
#[derive(Clone, Debug)]
pub struct Checker {
    schedule: Arc<Schedule>,
    up: bool,
    /// Whether no try has ended yet and nothing is known: the server is only taken for alive, or for dead.
    assumed: bool,
    /// Failed tries in a row.
    failures: u32,
    /// Passed tries in a row.
    passes: u32,
    /// Since when a dead server passes every try.
    well_since: Option<Time>,
    /// Whether it was told that it waits although it answers.
    held: bool,
    /// How often it died lately.
    deaths: u32,
    /// When it last changed between alive and dead.
    changed: Time,
    due: Time,
    dice: Dice,
}

impl Checker {
    /// A checker whose first try comes at a random moment of the warm-up; `seed` makes the moments.
    pub fn new(schedule: Arc<Schedule>, known: Knowledge, seed: u64, now: Time) -> Self {
        let mut dice = Dice(seed);
        // A server that is out of the table is wanted back, so it need not wait for the whole warm-up.
        let up = matches!(known, Knowledge::Assumed | Knowledge::Alive);
        let within = if up { schedule.warmup } else { schedule.warmup.min(schedule.pause()) };
        let due = schedule.on_grid(now, now + dice.within(within));
        Self {
            schedule,
            up,
            assumed: matches!(known, Knowledge::Assumed | Knowledge::Unproven),
            failures: 0,
            passes: 0,
            well_since: None,
            held: false,
            deaths: 0,
            changed: now,
            due,
            dice,
        }
    }

    /// Whether the server counts as alive.
    pub fn is_up(&self) -> bool {
        self.up
    }

    /// Whether it counts as dead only because it has not been tried yet.
    pub fn is_unproven(&self) -> bool {
        !self.up && self.assumed
    }

    /// When the next try is to start.
    pub fn due(&self) -> Time {
        self.due
    }

    /// When the server last changed between alive and dead (or was first seen).
    pub fn changed(&self) -> Time {
        self.changed
    }

    /// Failed tries in a row.
    pub fn failures(&self) -> u32 {
        self.failures
    }

    /// How much longer it counts as dead although it answers; none if it is not its hold-down that it waits for.
    pub fn held_down(&self, now: Time) -> Option<Duration> {
        let rest = self.hold().checked_sub(now.since(self.well_since?));
        rest.filter(|rest| !rest.is_zero())
    }

    /// The longest time that a try may take.
    pub fn timeout(&self) -> Duration {
        self.schedule.timeout
    }

    /// The schedule it keeps.
    pub fn schedule(&self) -> &Schedule {
        &self.schedule
    }

    /// Takes another schedule and keeps all that is known: what a reload wants.
    pub fn reschedule(&mut self, schedule: Arc<Schedule>, now: Time) {
        self.due = self.due.min(now + schedule.interval);
        self.schedule = schedule;
    }

    /// Has the next try start at `when`: after a pause, or when somebody asks.
    pub fn postpone(&mut self, when: Time) {
        self.due = when;
    }

    /// Learns what a try found out; returns the change of mind, if any. [`Self::due`] is new afterwards.
    pub fn observe(&mut self, outcome: &Outcome, now: Time) -> Option<Verdict> {
        match outcome {
            Outcome::Unknown(_) => {
                self.due = now + self.schedule.pause();
                None
            }
            Outcome::Pass { .. } => self.passed(now),
            Outcome::Fail(_) => self.failed(now),
        }
    }

    fn passed(&mut self, now: Time) -> Option<Verdict> {
        self.failures = 0;
        self.assumed = false;
        self.passes = self.passes.saturating_add(1);
        if self.up {
            self.due = self.regular(now);
            return None;
        }
        let well = now.since(*self.well_since.get_or_insert(now));
        if self.passes < self.schedule.rise || well < self.hold() {
            self.due = now + self.schedule.pause();
            let rest = self.held_down(now).filter(|_| !self.held);
            self.held |= rest.is_some();
            return rest.map(Verdict::Held);
        }
        self.up = true;
        self.changed = now;
        self.well_since = None;
        self.due = self.regular(now);
        Some(Verdict::Up)
    }

    fn failed(&mut self, now: Time) -> Option<Verdict> {
        self.passes = 0;
        self.well_since = None;
        self.failures = self.failures.saturating_add(1);
        if !self.up {
            self.due = now + self.schedule.pause();
            return std::mem::take(&mut self.assumed).then_some(Verdict::Down);
        }
        if !self.assumed && self.failures <= self.schedule.retries {
            self.due = now + self.schedule.retry_delay;
            return None;
        }
        let calm = self.schedule.hold.is_some_and(|h| now.since(self.changed) > h.most);
        self.deaths = if calm { 1 } else { self.deaths.saturating_add(1) };
        self.up = false;
        self.held = false;
        self.assumed = false;
        self.changed = now;
        self.due = now + self.schedule.pause();
        Some(Verdict::Down)
    }

    /// How long a dead server must pass every try before it is believed: nothing after its first death, then
    /// twice as long each time.
    fn hold(&self) -> Duration {
        let Some(hold) = self.schedule.hold else { return Duration::ZERO };
        match self.deaths {
            0 | 1 => Duration::ZERO,
            n => hold.base.saturating_mul(1 << (n - 2).min(20)).min(hold.most),
        }
    }

    /// One interval after the last try was due, not after it ended, so that slow answers do not stretch the
    /// rhythm; a little early by chance, never late, so that checks do not fall into step.
    fn regular(&mut self, now: Time) -> Time {
        let early = self.schedule.interval.mul_f64(f64::from(self.schedule.jitter_percent) / 100.0);
        // At least 10 ms, whatever the file says: `delay_loop 0` is no reason to run hot.
        let gap = (self.schedule.interval - self.dice.within(early)).max(Duration::from_millis(10));
        let next = if self.due + gap > now { self.due + gap } else { now + gap };
        self.schedule.on_grid(now, next)
    }
}

/// A small random number generator (splitmix64): enough to spread checks, and the same in every test.
#[derive(Clone, Copy, Debug)]
struct Dice(u64);

impl Dice {
    /// A duration below `limit`.
    fn within(&mut self, limit: Duration) -> Duration {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^= z >> 31;
        let nanos = u64::try_from(limit.as_nanos()).unwrap_or(u64::MAX);
        Duration::from_nanos(((u128::from(z) * u128::from(nanos)) >> 64) as u64)
    }
}

#[cfg(test)]
mod tests;
