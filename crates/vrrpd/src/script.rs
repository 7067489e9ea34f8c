//! Running programs beside the elections, without ever waiting for one.
//!
//! A thread of its own starts them: to start a program means to read it from a disk, which can take as long as
//! the disk likes. Their ends come as events on descriptors. Each leads a process group, so that a signal reaches
//! what it has started, too; nothing of a program that had to be ended outlives it.

use std::collections::BTreeMap;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command as Process, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};

use lvs_core::conf::model::{Command, Global};
use lvs_core::sys::child;
use lvs_core::sys::poll::{Event, Interest, Poll};
use nix::sys::signal::{SigSet, Signal, killpg};
use nix::unistd::{Gid, Group, Pid, Uid, User, getegid, geteuid};

use crate::security::{self, Unsafe};
use crate::track::check::Outcome;

/// The wake-up of the starting thread; programs have the numbers of their jobs.
const WAKE: u64 = u64::MAX - 1;
/// The starting thread needs little, and `mlockall` would lock all of it.
const STACK: usize = 128 * 1024;
/// keepalived's name for whom scripts run as when the configuration names nobody.
const DEFAULT_USER: &str = "keepalived_script";

/// A program that may be run: found, judged, and with its user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    argv: Vec<String>,
    /// None: as ourselves.
    run_as: Option<(u32, u32)>,
}

/// Why a program will not be run.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// The program itself.
    #[error(transparent)]
    Program(#[from] Unsafe),
    /// No such user.
    #[error("there is no user '{0}'; try: useradd --system {0}")]
    User(String),
    /// No such group.
    #[error("there is no group '{0}'; try: groupadd --system {0}")]
    Group(String),
    /// `enable_script_security` without anyone to run it as.
    #[error(
        "enable_script_security lets no script run as root by default: set script_user, or try: useradd --system {DEFAULT_USER}"
    )]
    NoDefaultUser,
}

impl Job {
    /// Finds the program, judges its path and looks up its user. The second value is a warning: it will run, but
    /// someone other than root could change what it does.
    ///
    /// # Errors
    /// It will not be run, and why.
    pub fn prepare(command: &Command, global: &Global) -> Result<(Self, Option<String>), Refused> {
        let secure = *global.script_security;
        let run_as = runner(command, global)?;
        let mut argv = command.argv.value.clone();
        let program = security::find(argv.first().map_or("", String::as_str))?;
        let parts = security::look(&program)?;
        security::executable(&parts)?;
        let root = run_as.map_or_else(|| geteuid().is_root(), |(uid, _)| uid == 0);
        let hole = security::hole(&parts).filter(|_| root);
        if let Some(first) = argv.first_mut() {
            *first = program.display().to_string();
        }
        match hole {
            Some(hole) if secure => Err(Unsafe::Writable(hole).into()),
            hole => Ok((Self { argv, run_as }, hole.map(|h| h.to_string()))),
        }
    }

    /// The same program with more arguments.
    pub fn with(&self, arguments: impl IntoIterator<Item = String>) -> Self {
        let mut job = self.clone();
        job.argv.extend(arguments);
        job
    }

    /// Its words, for messages.
    pub fn line(&self) -> String {
        self.argv.join(" ")
    }

    fn spawn(&self) -> io::Result<Child> {
        let mut process = Process::new(self.argv.first().map_or("", String::as_str));
        process.args(&self.argv[1..]).process_group(0).current_dir("/");
        process.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        if let Some((uid, gid)) = self.run_as {
            // Root's supplementary groups are given up with it.
            process.gid(gid).uid(uid);
        }
        child::unburden(&mut process);
        process.spawn()
    }
}

/// Whom a command runs as; none for ourselves.
fn runner(command: &Command, global: &Global) -> Result<Option<(u32, u32)>, Refused> {
    let user = match (&command.user, &global.script_user) {
        (Some(user), _) => find_user(user)?,
        (None, Some(user)) => find_user(user)?,
        (None, None) => match find_user(DEFAULT_USER) {
            Ok(user) => user,
            Err(_) if *global.script_security => return Err(Refused::NoDefaultUser),
            Err(_) => return Ok(None),
        },
    };
    let group = command.group.as_ref().or(global.script_group.as_ref().filter(|_| command.user.is_none()));
    let gid = group.map_or(Ok(user.gid), |g| find_group(g))?;
    let ourselves = user.uid == geteuid() && gid == getegid();
    Ok((!ourselves).then_some((user.uid.as_raw(), gid.as_raw())))
}

/// The numbers of a user and a group by name; without a group the user's own.
///
/// # Errors
/// There is no such user or group.
pub fn owner(user: Option<&str>, group: Option<&str>) -> Result<(Option<u32>, Option<u32>), Refused> {
    let user = user.map(find_user).transpose()?;
    let group = group.map(find_group).transpose()?;
    let gid = group.or(user.as_ref().map(|u| u.gid));
    Ok((user.map(|u| u.uid.as_raw()), gid.map(Gid::as_raw)))
}

/// A user by name or number.
fn find_user(name: &str) -> Result<User, Refused> {
    let named = User::from_name(name).ok().flatten();
    let numbered = || name.parse().ok().and_then(|n| User::from_uid(Uid::from_raw(n)).ok().flatten());
    named.or_else(numbered).ok_or_else(|| Refused::User(name.to_owned()))
}

/// A group by name or number.
fn find_group(name: &str) -> Result<Gid, Refused> {
    let named = Group::from_name(name).ok().flatten().map(|g| g.gid);
    named.or_else(|| name.parse().ok().map(Gid::from_raw)).ok_or_else(|| Refused::Group(name.to_owned()))
}

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
            signal_group(&running.child, signal);
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
                signal_group(&child, Signal::SIGKILL);
                let _ = child.wait();
                Err(e)
            }
        }
    }

    fn collect(&mut self, number: u64) -> Option<(u64, Outcome)> {
        let running = self.running.get_mut(&number)?;
        if running.asked {
            // Before it is waited for: until then the number of its group is its own.
            signal_group(&running.child, Signal::SIGKILL);
        }
        let status = running.child.try_wait().ok().flatten()?;
        self.running.remove(&number);
        Some((number, outcome(status)))
    }
}

/// Readable when [`Children::ended`] has something to tell.
impl AsFd for Children {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.poll.as_fd()
    }
}

fn signal_group(child: &Child, signal: Signal) {
    let group = Pid::from_raw(i32::try_from(child.id()).unwrap_or(i32::MAX));
    // Gone already is what we want.
    let _ = killpg(group, signal);
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
