//! Running programs beside what a daemon is for, without ever waiting for one.
//!
//! A thread of its own starts them: to start a program means to read it from a disk, which can take as long as
//! the disk likes. Their ends come as events on descriptors. Each leads a process group, so that a signal reaches
//! what it has started, too; nothing of a program that had to be ended outlives it.

use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, ExitStatus};
use std::sync::mpsc::{Receiver, Sender, channel};

use nix::errno::Errno;
use nix::sys::signal::{SigSet, Signal};

use super::child;
use super::poll::{Event, Interest, Poll};
use super::script::{self, Job};

/// The wake-up of the starting thread; programs have the numbers of their jobs.
const WAKE: u64 = u64::MAX - 1;
/// The starting thread needs little, and `mlockall` would lock all of it.
const STACK: usize = 128 * 1024;

/// What a run came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// It ended by itself with this status.
    Status(i32),
    /// A signal ended it.
    Signal(i32),
    /// It could not be started, or its end could not be seen, by the errno.
    NotStarted(i32),
    /// It has ended, and what it came to cannot be known, by the errno.
    Unknown(i32),
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status(status) => write!(f, "exit status {status}"),
            Self::Signal(number) => write!(f, "ended by signal {number}"),
            Self::NotStarted(errno) => write!(f, "not started: {}", explained(*errno)),
            Self::Unknown(errno) => write!(f, "ended, its status is not known: {}", explained(*errno)),
        }
    }
}

struct Running {
    child: Child,
    _ended: OwnedFd,
    /// It was asked to end: what it leaves behind is killed.
    asked: bool,
}

/// The thread that starts programs, seen from the daemon.
struct Starter {
    orders: Sender<(u64, Job)>,
    started: Receiver<(u64, io::Result<Child>)>,
    wake: UnixStream,
}

/// The programs that run.
pub struct Children {
    poll: Poll,
    events: Vec<Event>,
    /// Made with the first program: most daemons never have one.
    starter: Option<Starter>,
    running: BTreeMap<u64, Running>,
    /// Given to the thread, with the signal that waits for them.
    starting: BTreeMap<u64, Option<Signal>>,
    next: u64,
}

impl Children {
    /// Has nothing to run yet.
    ///
    /// # Errors
    /// Out of descriptors.
    pub fn new() -> io::Result<Self> {
        Ok(Self {
            poll: Poll::new()?,
            events: Vec::new(),
            starter: None,
            running: BTreeMap::new(),
            starting: BTreeMap::new(),
            next: 0,
        })
    }

    /// Runs a program; the number comes back with its end.
    ///
    /// # Errors
    /// There is no thread yet, and none to be had.
    pub fn start(&mut self, job: Job) -> io::Result<u64> {
        let starter = match &mut self.starter {
            Some(starter) => starter,
            none => none.insert(Starter::new(&self.poll)?),
        };
        let number = self.next;
        self.next += 1;
        self.starting.insert(number, None);
        // The thread ends only with us.
        let _ = starter.orders.send((number, job));
        Ok(number)
    }

    /// Whether a program waits for another one to be started.
    pub fn waits(&self, number: u64) -> bool {
        self.starting.contains_key(&number) && self.starting.keys().next() != Some(&number)
    }

    /// Whether all programs have been started.
    pub fn has_started(&self) -> bool {
        self.starting.is_empty()
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
    pub fn ended(&mut self) -> Vec<(u64, End)> {
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

    fn take_started(&mut self, ended: &mut Vec<(u64, End)>) {
        let news: Vec<_> = self.starter.as_mut().map(Starter::news).unwrap_or_default();
        for (number, result) in news {
            let waiting = self.starting.remove(&number).flatten();
            match result.and_then(|child| self.adopt(number, child)) {
                Ok(()) => {
                    if let Some(signal) = waiting {
                        self.signal(number, signal);
                    }
                }
                Err(e) => ended.push((number, End::NotStarted(errno(&e)))),
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

    fn collect(&mut self, number: u64) -> Option<(u64, End)> {
        let running = self.running.get_mut(&number)?;
        if running.asked {
            // Before it is waited for: until then the number of its group is its own.
            script::signal(&running.child, Signal::SIGKILL);
        }
        let outcome = match running.child.try_wait() {
            Ok(status) => end(status?),
            // Somebody else has waited for it. It has ended all the same, and its descriptor would say so for ever.
            Err(e) => End::Unknown(errno(&e)),
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

/// An errno of a program in words.
pub fn explained(errno: i32) -> String {
    if errno == Errno::ENOSYS as i32 {
        child::TOO_OLD.to_owned()
    } else {
        io::Error::from_raw_os_error(errno).to_string()
    }
}

fn errno(e: &io::Error) -> i32 {
    e.raw_os_error().unwrap_or(match e.kind() {
        io::ErrorKind::Unsupported => Errno::ENOSYS as i32,
        // A name or an argument that no program can have.
        _ => Errno::EINVAL as i32,
    })
}

fn end(status: ExitStatus) -> End {
    match (status.code(), status.signal()) {
        (Some(code), _) => End::Status(code),
        (None, signal) => End::Signal(signal.unwrap_or(0)),
    }
}

impl Starter {
    fn new(poll: &Poll) -> io::Result<Self> {
        let (orders, jobs) = channel();
        let (done, started) = channel();
        let (wake, bell) = UnixStream::pair()?;
        wake.set_nonblocking(true)?;
        let thread = std::thread::Builder::new().name("scripts".to_owned()).stack_size(STACK);
        thread.spawn(move || start_all(&jobs, &done, bell))?;
        poll.add(&wake, WAKE, Interest::Read)?;
        Ok(Self { orders, started, wake })
    }

    /// What has been started, or could not be, since the last call.
    fn news(&mut self) -> Vec<(u64, io::Result<Child>)> {
        let mut bytes = [0; 64];
        while matches!(self.wake.read(&mut bytes), Ok(n) if n == bytes.len()) {}
        self.started.try_iter().collect()
    }
}

fn start_all(jobs: &Receiver<(u64, Job)>, done: &Sender<(u64, io::Result<Child>)>, mut bell: UnixStream) {
    // The daemon reads its signals from a descriptor; none may be delivered here instead.
    let _ = SigSet::all().thread_block();
    while let Ok((number, job)) = jobs.recv() {
        // Either fails only when the daemon has ended.
        if done.send((number, job.start())).is_err() || bell.write_all(b"!").is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests;
