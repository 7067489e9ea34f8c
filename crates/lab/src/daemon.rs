//! A command that stays: its log line by line, signals, its end.

use std::io::{BufRead, BufReader, Read};
use std::process::Child;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use lvs_core::sys::clock;
use lvs_core::time::Time;
pub use nix::sys::signal::Signal;
use nix::sys::signal::kill;
use nix::unistd::Pid;

use crate::command::status;
use crate::wait::{fail, wait};

/// One line that a daemon wrote, on either stream, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// When it was read, on the clock that all hosts share.
    pub at: Time,
    /// Without its line end.
    pub text: String,
}

#[derive(Default)]
struct Log {
    lines: Mutex<Vec<Line>>,
    grown: Condvar,
}

/// A running command of a host. It is killed when this value goes.
pub struct Daemon {
    name: String,
    child: Mutex<Child>,
    log: Arc<Log>,
}

impl Daemon {
    pub(crate) fn new(name: String, mut child: Child) -> Self {
        let log = Arc::new(Log::default());
        follow(child.stdout.take(), &log);
        follow(child.stderr.take(), &log);
        Self { name, child: Mutex::new(child), log }
    }

    /// Everything written so far on both streams.
    pub fn log(&self) -> String {
        self.lines().iter().map(|l| l.text.clone() + "\n").collect()
    }

    /// Every line so far, with its time.
    pub fn lines(&self) -> Vec<Line> {
        lock(&self.log.lines).clone()
    }

    /// Waits for a line that contains `part` (one already there counts) and returns it; panics with the log when
    /// none came.
    #[track_caller]
    pub fn wait_for_line(&self, part: &str, deadline: Duration) -> Line {
        self.wait_for_line_after(Time::ZERO, part, deadline)
    }

    /// Like [`Daemon::wait_for_line`], for lines written after `start`.
    #[track_caller]
    pub fn wait_for_line_after(&self, start: Time, part: &str, deadline: Duration) -> Line {
        let end = clock::now() + deadline;
        let mut lines = lock(&self.log.lines);
        loop {
            if let Some(line) = lines.iter().find(|l| l.at >= start && l.text.contains(part)) {
                return line.clone();
            }
            let left = end.since(clock::now());
            if left.is_zero() {
                let text: Vec<_> = lines.iter().map(|l| l.text.as_str()).collect();
                fail(&format!("{}: no line with {part:?} in {deadline:?}:\n{}", self.name, text.join("\n")));
            }
            lines = self
                .log
                .grown
                .wait_timeout(lines, left)
                .map_or_else(|e| e.into_inner().0, |(lines, _)| lines);
        }
    }

    /// Sends a signal; to one that has ended, nothing.
    pub fn signal(&self, signal: Signal) {
        if self.running() {
            // It may end between the question and the signal.
            let _ = kill(self.pid(), signal);
        }
    }

    /// SIGKILL, and waits for the end.
    pub fn kill(&self) {
        self.signal(Signal::SIGKILL);
        self.wait_for_end(Duration::from_secs(10));
    }

    /// SIGTERM, and the exit status; panics when it does not end within `deadline`.
    #[track_caller]
    pub fn stop(&self, deadline: Duration) -> i32 {
        self.signal(Signal::SIGTERM);
        self.wait_for_end(deadline)
    }

    /// The exit status (128 plus the number of a signal), once it has ended.
    #[track_caller]
    pub fn wait_for_end(&self, deadline: Duration) -> i32 {
        let mut end = None;
        wait(deadline, &format!("the end of {}; its log:\n{}", self.name, self.log()), || {
            end = self.ended();
            end.is_some()
        });
        end.unwrap_or_default()
    }

    /// Whether it still runs.
    pub fn running(&self) -> bool {
        self.ended().is_none()
    }

    /// Its number outside of the host; inside, it has another one.
    pub fn pid(&self) -> Pid {
        Pid::from_raw(i32::try_from(lock(&self.child).id()).unwrap_or(i32::MAX))
    }

    fn ended(&self) -> Option<i32> {
        lock(&self.child).try_wait().expect("the status of a child").map(status)
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let mut child = lock(&self.child);
        // Ended already is what we want.
        let _ = child.kill();
        let _ = child.wait();
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // A test thread that panicked has written all that it will write.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn follow(pipe: Option<impl Read + Send + 'static>, log: &Arc<Log>) {
    let Some(pipe) = pipe else { return };
    let log = Arc::clone(log);
    std::thread::spawn(move || {
        let mut pipe = BufReader::new(pipe);
        let mut bytes = Vec::new();
        while pipe.read_until(b'\n', &mut bytes).is_ok_and(|n| n > 0) {
            let text = String::from_utf8_lossy(&bytes).trim_end_matches(['\n', '\r']).to_owned();
            lock(&log.lines).push(Line { at: clock::now(), text });
            log.grown.notify_all();
            bytes.clear();
        }
    });
}
