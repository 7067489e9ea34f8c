//! Running programs beside the elections, without ever waiting for one.
//!
//! A thread of its own starts them: to start a program means to read it from a disk, which can take as long as
//! the disk likes. Their ends come as events on descriptors. Each leads a process group, so that a signal reaches
//! what it has started, too; nothing of a program that had to be ended outlives it.

use std::collections::BTreeMap;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, ExitStatus};
use std::sync::mpsc::{Receiver, Sender, channel};

use lvs_core::sys::child;
use lvs_core::sys::poll::{Event, Interest, Poll};
use lvs_core::sys::script::{self, Job};
use nix::sys::signal::{SigSet, Signal};

use crate::track::check::Outcome;

/// The wake-up of the starting thread; programs have the numbers of their jobs.
const WAKE: u64 = u64::MAX - 1;
/// The starting thread needs little, and `mlockall` would lock all of it.
const STACK: usize = 128 * 1024;
struct Running {
    child: Child,
    _ended: OwnedFd,
    /// It was asked to end: what it leaves behind is killed.
    asked: bool,
}

/// The programs that run.
pub struct Children {
    poll: Poll,
    events: Vec<Event>,
    orders: Sender<(u64, Job)>,
    started: Receiver<(u64, io::Result<Child>)>,
    wake: UnixStream,
    running: BTreeMap<u64, Running>,
    /// Given to the thread, with the signal that waits for them.
    starting: BTreeMap<u64, Option<Signal>>,
    next: u64,
}

impl Children {
    /// Starts the thread that starts programs.
    ///
    /// # Errors
    /// Out of descriptors or threads.
    pub fn new() -> io::Result<Self> {
        let (orders, jobs) = channel();
        let (done, started) = channel();
        let (wake, bell) = UnixStream::pair()?;
        wake.set_nonblocking(true)?;
        let poll = Poll::new()?;
        poll.add(&wake, WAKE, Interest::Read)?;
        let thread = std::thread::Builder::new().name("scripts".to_owned()).stack_size(STACK);
        thread.spawn(move || start_all(&jobs, &done, bell))?;
        let (running, starting) = (BTreeMap::new(), BTreeMap::new());
        Ok(Self { poll, events: Vec::new(), orders, started, wake, running, starting, next: 0 })
    }

    /// Runs a program; the number comes back with its end.
    pub fn start(&mut self, job: Job) -> u64 {
        let number = self.next;
        self.next += 1;
        self.starting.insert(number, None);
        // The thread ends only with us.
        let _ = self.orders.send((number, job));
        number
    }

    /// Sends a signal to a program and all that it has started.
    pub fn signal(&mut self, number: u64, signal: Signal) {
        if let Some(waiting) = self.starting.get_mut(&number) {
            *waiting = Some(signal);
        } else if let Some(running) = self.running.get_mut(&number) {
            running.asked = true;
            script::signal(&running.child, signal);
        }
    }

    /// Whether nothing runs.
    pub fn is_idle(&self) -> bool {
        self.running.is_empty() && self.starting.is_empty()
    }

    /// The programs that have ended since the last call, with what they came to.
    pub fn ended(&mut self) -> Vec<(u64, Outcome)> {
        let mut ended = Vec::new();
        let mut events = std::mem::take(&mut self.events);
        // An error here is that of a broken descriptor set; the next turn asks again.
        let _ = self.poll.ready(&mut events);
        for event in &events {
            match event.token {
                WAKE => self.take_started(&mut ended),
                number => ended.extend(self.collect(number)),
            }
        }
        self.events = events;
        ended
    }

    fn take_started(&mut self, ended: &mut Vec<(u64, Outcome)>) {
        let mut bytes = [0; 64];
        while matches!(self.wake.read(&mut bytes), Ok(n) if n == bytes.len()) {}
        while let Ok((number, result)) = self.started.try_recv() {
            let waiting = self.starting.remove(&number).flatten();
            match result.and_then(|child| self.adopt(number, child)) {
                Ok(()) => {
                    if let Some(signal) = waiting {
                        self.signal(number, signal);
                    }
                }
                Err(e) => ended.push((number, Outcome::NotStarted(e.to_string()))),
            }
        }
    }

    fn adopt(&mut self, number: u64, mut child: Child) -> io::Result<()> {
        let watched =
            child::end(child.id()).and_then(|fd| self.poll.add(&fd, number, Interest::Read).map(|()| fd));
        match watched {
            Ok(fd) => {
                self.running.insert(number, Running { child, _ended: fd, asked: false });
                Ok(())
            }
            Err(e) => {
                // Out of descriptors: a program whose end we would not see must not go on.
                script::signal(&child, Signal::SIGKILL);
                let _ = child.wait();
                Err(e)
            }
        }
    }

    fn collect(&mut self, number: u64) -> Option<(u64, Outcome)> {
        let running = self.running.get_mut(&number)?;
        if running.asked {
            // Before it is waited for: until then the number of its group is its own.
            script::signal(&running.child, Signal::SIGKILL);
        }
        let outcome = match running.child.try_wait() {
            Ok(status) => outcome(status?),
            // Somebody else has waited for it. It has ended all the same, and its descriptor would say so for ever.
            Err(e) => Outcome::Unknown(e.to_string()),
        };
        self.running.remove(&number);
        Some((number, outcome))
    }
}

/// Readable when [`Children::ended`] has something to tell.
impl AsFd for Children {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.poll.as_fd()
    }
}

fn outcome(status: ExitStatus) -> Outcome {
    match (status.code(), status.signal()) {
        (Some(code), _) => Outcome::Status(code),
        (None, signal) => Outcome::Signal(signal.unwrap_or(0)),
    }
}

fn start_all(jobs: &Receiver<(u64, Job)>, done: &Sender<(u64, io::Result<Child>)>, mut bell: UnixStream) {
    // The daemon reads its signals from a descriptor; none may be delivered here instead.
    let _ = SigSet::all().thread_block();
    while let Ok((number, job)) = jobs.recv() {
        // Either fails only when the daemon has ended.
        if done.send((number, job.spawn())).is_err() || bell.write_all(b"!").is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests;
