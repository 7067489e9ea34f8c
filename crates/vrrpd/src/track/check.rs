//! One `vrrp_script`: when it is run, when it has taken too long, and what its results come to.
//!
//! It runs at a fixed rhythm from the start, never twice at once: a run that is still going when the next is due
//! makes that one begin as soon as it has ended. So one that hangs for its whole interval, which is the timeout unless
//! another is set, fails every interval, and `fall` of them take so long as with keepalived, which runs it beside
//! itself. A run past its timeout has failed; its process group is asked to end (SIGTERM), and
//! killed when it does not. As in keepalived the very first result decides alone, whatever `rise` and `fall` say.

use std::fmt;
use std::time::Duration;

use lvs_core::conf::model::Script;
use lvs_core::sys::children::{End, explained};
use lvs_core::time::Time;
use serde::Serialize;

use super::Standing;

/// How long a script may go on after SIGTERM.
const GRACE: Duration = Duration::from_secs(2);

/// What a run came to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It ended by itself with this status.
    Status(i32),
    /// A signal ended it.
    Signal(i32),
    /// It was not done in time.
    TimedOut,
    /// It could not be started.
    NotStarted(String),
    /// It has ended, and what it came to cannot be known.
    Unknown(String),
}

impl From<End> for Outcome {
    fn from(end: End) -> Self {
        match end {
            End::Status(status) => Self::Status(status),
            End::Signal(number) => Self::Signal(number),
            End::NotStarted(errno) => Self::NotStarted(explained(errno)),
            End::Unknown(errno) => Self::Unknown(explained(errno)),
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status(status) => write!(f, "exit status {status}"),
            Self::Signal(number) => write!(f, "ended by signal {number}"),
            Self::TimedOut => f.write_str("not done in time"),
            Self::NotStarted(why) => write!(f, "not started: {why}"),
            Self::Unknown(why) => write!(f, "ended, its status is not known: {why}"),
        }
    }
}

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// Run the script.
    Start,
    /// SIGTERM to its process group.
    Terminate,
    /// SIGKILL to its process group.
    Kill,
    /// The script stands differently now.
    Changed(Standing),
}

/// The rhythm and the limits of a script.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    /// From one start to the next.
    pub interval: Duration,
    /// The longest run.
    pub timeout: Duration,
    /// Successes in a row until it is up.
    pub rise: u32,
    /// Failures in a row until it is down.
    pub fall: u32,
    /// It counts as failed until it first succeeds.
    pub init_fail: bool,
}

impl From<&Script> for Rules {
    fn from(s: &Script) -> Self {
        Self {
            interval: s.interval.value,
            timeout: s.timeout.value,
            rise: s.rise.value,
            fall: s.fall.value,
            init_fail: s.init_fail.value,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Run {
    Idle,
    /// Until then it may run.
    Running(Time),
    /// Asked to end; killed then.
    Ending(Time),
    /// Killed; only its end is waited for.
    Killed,
}

/// The machine of one script.
#[derive(Clone, Debug)]
pub struct Check {
    rules: Rules,
    next: Time,
    run: Run,
    /// A run is to begin as soon as none is under way.
    due: bool,
    standing: Standing,
    /// Results in a row against the standing.
    against: u32,
    /// A result has come.
    decided: bool,
    /// Of the last run.
    last: Option<Outcome>,
}

impl Check {
    /// A script that is first run at `now`.
    pub fn new(rules: Rules, now: Time) -> Self {
        let standing = if rules.init_fail { Standing::Presumed } else { Standing::Unknown };
        Self {
            rules,
            next: now,
            run: Run::Idle,
            due: false,
            standing,
            against: 0,
            decided: false,
            last: None,
        }
    }

    /// How it stands.
    pub fn standing(&self) -> Standing {
        self.standing
    }

    /// What the last run came to.
    pub fn last(&self) -> Option<&Outcome> {
        self.last.as_ref()
    }

    /// Other limits after a reload; how it stands remains.
    pub fn reload(&mut self, rules: Rules, now: Time) {
        if self.rules.interval != rules.interval {
            self.next = self.next.min(now + rules.interval);
        }
        self.rules = rules;
    }

    /// When it wants [`Check::tick`].
    pub fn deadline(&self) -> Time {
        match self.run {
            Run::Idle | Run::Killed => self.next,
            Run::Running(t) | Run::Ending(t) => t.min(self.next),
        }
    }

    /// Time has passed; at any other time it does nothing.
    pub fn tick(&mut self, now: Time, out: &mut Vec<Act>) {
        match self.run {
            Run::Running(limit) if now >= limit => {
                self.run = Run::Ending(now + GRACE);
                out.push(Act::Terminate);
                self.result(Outcome::TimedOut, out);
            }
            Run::Ending(limit) if now >= limit => {
                self.run = Run::Killed;
                out.push(Act::Kill);
            }
            _ => (),
        }
        if now >= self.next {
            self.beat(now);
        }
        if self.due && self.run == Run::Idle {
            self.due = false;
            self.run = Run::Running(now + self.rules.timeout);
            out.push(Act::Start);
        }
    }

    fn beat(&mut self, now: Time) {
        let late = now - self.next;
        let interval = self.rules.interval.max(Duration::from_millis(1));
        // In step with the first start, unless so late that whole beats were missed.
        self.next = if late < interval { self.next + interval } else { now + interval };
        self.due = true;
    }

    /// The run has ended, or could not be started; [`Check::tick`] begins the next one if it is due.
    pub fn ended(&mut self, outcome: Outcome, out: &mut Vec<Act>) {
        let counted = matches!(self.run, Run::Running(_));
        self.run = Run::Idle;
        if counted {
            self.result(outcome, out);
        }
    }

    fn result(&mut self, outcome: Outcome, out: &mut Vec<Act>) {
        let to = if outcome == Outcome::Status(0) { Standing::Up } else { Standing::Down };
        self.last = Some(outcome);
        let needed = if to == Standing::Up { self.rules.rise } else { self.rules.fall };
        self.against = if to == self.standing { 0 } else { self.against + 1 };
        let enough = !self.decided || self.against >= needed;
        self.decided = true;
        if to != self.standing && enough {
            self.standing = to;
            self.against = 0;
            out.push(Act::Changed(to));
        }
    }
}

#[cfg(test)]
mod tests;
