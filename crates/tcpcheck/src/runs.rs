//! MISC_CHECK: commands under way, started beside the watch.

mod killed;

use std::collections::HashMap;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;

use lvs_core::sys::children::{Children, End};
use lvs_core::time::Time;
use nix::sys::signal::Signal;

use crate::outcome::{Outcome, Reason};
use crate::programs::Programs;
use crate::task::Misc;
use killed::Killed;

/// All commands that run, those too that nobody waits for any more; dropping it kills them with all that they started.
pub struct Runs {
    programs: Arc<Programs>,
    children: Children,
    open: HashMap<u64, Run>,
    killed: Killed,
}

/// A command that is waited for.
struct Run {
    check: u32,
    misc: Arc<Misc>,
}

/// How far the beginning of a run got.
pub enum Begun {
    /// It ended at once.
    Done(Outcome),
    /// It is known by this number.
    Away(u64),
}

impl Runs {
    /// Nothing runs.
    ///
    /// # Errors
    /// Out of descriptors.
    pub fn new() -> io::Result<Self> {
        let children = Children::new()?;
        Ok(Self { programs: Arc::default(), children, open: HashMap::new(), killed: Killed::default() })
    }

    /// Takes the programs that commands may run.
    pub fn run(&mut self, programs: Arc<Programs>) {
        self.programs = programs;
    }

    /// Has a command started for a check.
    ///
    /// # Errors
    /// The system gives no thread to start it with.
    pub fn begin(&mut self, check: u32, misc: &Arc<Misc>, now: Time) -> io::Result<Begun> {
        let Some(job) = self.programs.job(&misc.command) else {
            let why = format!("{}: may not be run", misc.command.argv.join(" "));
            return Ok(Begun::Done(Outcome::Unknown(Reason::Said(why))));
        };
        if self.killed.hangs(misc, now) {
            let why = "the command that was killed still hangs (a dead NFS server?): it is not started again";
            return Ok(Begun::Done(Outcome::Fail(Reason::Said(why.to_owned()))));
        }
        let number = self.children.start(job)?;
        self.open.insert(number, Run { check, misc: Arc::clone(misc) });
        Ok(Begun::Away(number))
    }

    /// Kills a command with all that it started, if it has not ended.
    pub fn give_up(&mut self, number: u64, now: Time) {
        if let Some(run) = self.open.remove(&number) {
            self.children.signal(number, Signal::SIGKILL);
            self.killed.add(number, run.misc, now);
        }
    }

    /// What it means that a command did not end in time: nothing, where it waited for another one to be started.
    pub fn silence(&self, number: u64) -> Outcome {
        if self.children.waits(number) {
            let why = "the command was not started in time: another one's start hangs";
            return Outcome::Unknown(Reason::Said(why.to_owned()));
        }
        Outcome::Fail(Reason::TimedOut)
    }

    /// The checks whose commands have ended, with what that says; their latency is not known here.
    pub fn ended(&mut self) -> Vec<(u32, Outcome)> {
        let mut told = Vec::new();
        for (number, end) in self.children.ended() {
            self.killed.ended(number);
            if let Some(run) = self.open.remove(&number) {
                told.push((run.check, outcome(end, run.misc.dynamic)));
            }
        }
        told
    }
}

/// Status 0 is well; with `misc_dynamic` 2 to 255 are well too and set the weight to the status less 2.
fn outcome(end: End, dynamic: bool) -> Outcome {
    let latency = std::time::Duration::ZERO;
    match end {
        End::Status(0) => Outcome::pass(latency),
        End::Status(n @ 2..=255) if dynamic => Outcome::Pass { latency, weight: u32::try_from(n - 2).ok() },
        // A host that is short of processes says nothing about the server.
        End::NotStarted(errno) if matches!(Outcome::from_errno(errno), Outcome::Unknown(_)) => {
            Outcome::from_errno(errno)
        }
        _ => Outcome::Fail(Reason::Said(format!("the command failed: {end}"))),
    }
}

/// Readable when [`Runs::ended`] has something to tell.
impl AsFd for Runs {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.children.as_fd()
    }
}

impl Drop for Runs {
    fn drop(&mut self) {
        for number in self.open.keys() {
            self.children.signal(*number, Signal::SIGKILL);
        }
    }
}
