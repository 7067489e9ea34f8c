//! Lines for a reader that may stall or go away, written by a thread of their own: whoever sends never waits. Lines that wait are written
//! together.
//!
//! At most so many lines wait; what comes on top is refused, and the sender decides whether it is lost. Memory is taken
//! as lines come. The sender takes no lock that the writing thread holds while it writes, so a stuck reader cannot hold it up.

use std::io::{self, ErrorKind, Write};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use nix::sys::signal::SigSet;

/// How long [`Outbox::flush`] waits for a reader that may be stuck.
const PATIENCE: Duration = Duration::from_millis(250);
/// So much a pipe takes whole (pipe(7)): the lines of several programs that share one do not get mixed up.
const PIPE_BUF: usize = 4096;
/// The writing thread needs little, and `mlockall` would lock all of it.
const STACK: usize = 64 * 1024;

/// The sender's end; the thread ends with the last one.
#[derive(Clone)]
pub struct Outbox {
    queue: Sender<String>,
    shared: Arc<Shared>,
}

struct Shared {
    room: u64,
    patient: bool,
    taken: AtomicU64,
    written: AtomicU64,
    closed: AtomicBool,
    /// Only for those who wait in `flush`.
    turn: Mutex<()>,
    moved: Condvar,
}

/// Why a line was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// The reader is too slow.
    Full,
    /// The reader is gone.
    Closed,
}

impl Outbox {
    /// Starts the thread `name`, which writes to `out`, what waits at once; at most `room` lines wait. `patient`: a reader that has
    /// gone may come back, as that of a named pipe does; otherwise everything is refused from then on.
    ///
    /// `then` runs after each write, with `out`: for a word about lines that were lost.
    ///
    /// # Errors
    /// The thread cannot be started.
    pub fn start<W: Write + Send + 'static>(
        name: &str,
        room: u64,
        patient: bool,
        out: W,
        then: impl Fn(&mut W) + Send + 'static,
    ) -> io::Result<Self> {
        let (queue, lines) = channel();
        let shared = Arc::new(Shared {
            room,
            patient,
            taken: AtomicU64::new(0),
            written: AtomicU64::new(0),
            closed: AtomicBool::new(false),
            turn: Mutex::new(()),
            moved: Condvar::new(),
        });
        let writer = Arc::clone(&shared);
        std::thread::Builder::new()
            .name(name.to_owned())
            .stack_size(STACK)
            .spawn(move || writer.write(&lines, out, then))?;
        Ok(Self { queue, shared })
    }

    /// Hands over a line with its end.
    ///
    /// # Errors
    /// The reader is too slow or gone.
    pub fn send(&self, line: String) -> Result<(), Refused> {
        if self.is_closed() {
            return Err(Refused::Closed);
        }
        let before = self.shared.taken.fetch_add(1, Ordering::AcqRel);
        if before.saturating_sub(self.shared.written.load(Ordering::Acquire)) >= self.shared.room {
            self.shared.taken.fetch_sub(1, Ordering::AcqRel);
            return Err(Refused::Full);
        }
        self.queue.send(line).map_err(|_| Refused::Closed)
    }

    /// Whether the reader is gone: nothing that is sent will ever be read.
    pub fn is_closed(&self) -> bool {
        self.shared.closed.load(Ordering::Acquire)
    }

    /// Waits until what was sent is written, but not long: the program's end is not held up by a stuck reader.
    pub fn flush(&self) {
        let until = self.shared.taken.load(Ordering::Acquire);
        let waits = |_: &mut ()| self.shared.written.load(Ordering::Acquire) < until && !self.is_closed();
        let turn = self.shared.turn.lock().unwrap_or_else(PoisonError::into_inner);
        let _ = self.shared.moved.wait_timeout_while(turn, PATIENCE, waits);
    }
}

impl Shared {
    fn write<W: Write>(&self, lines: &Receiver<String>, mut out: W, then: impl Fn(&mut W)) {
        // The program reads its signals from a descriptor; none may be delivered here instead.
        let _ = SigSet::all().thread_block();
        let mut first = lines.recv().ok();
        while let Some(line) = first {
            let (text, count, rest) = together(line, lines);
            let done = out.write_all(text.as_bytes()).and_then(|()| out.flush());
            then(&mut out);
            // A full disk may have room again.
            let gone = !self.patient && done.is_err_and(|e| e.kind() == ErrorKind::BrokenPipe);
            let turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
            self.written.fetch_add(count, Ordering::AcqRel);
            self.closed.fetch_or(gone, Ordering::AcqRel);
            self.moved.notify_all();
            drop(turn);
            first = rest.or_else(|| lines.recv().ok());
        }
    }
}

/// A line and those that wait behind it, as one text that a pipe takes whole; how many they are, and the first that has no
/// room in it.
fn together(line: String, lines: &Receiver<String>) -> (String, u64, Option<String>) {
    let (mut text, mut count) = (line, 1);
    while let Ok(next) = lines.try_recv() {
        if text.len() + next.len() > PIPE_BUF {
            return (text, count, Some(next));
        }
        text.push_str(&next);
        count += 1;
    }
    (text, count, None)
}

#[cfg(test)]
mod tests;
