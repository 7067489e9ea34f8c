//! Lines for standard output that never hold up the watch: a queue, and a thread that writes it.

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::time::Duration;

use lvs_core::ipvs::{Ipvs, IpvsError};
use lvs_core::plan::Op;
use lvs_core::table::Table;
use nix::sys::signal::SigSet;

/// Lines that wait for a slow reader.
const QUEUE: usize = 16_384;
/// What the end of the program waits for a reader that may be stuck.
const PATIENCE: Duration = Duration::from_millis(250);

enum Item {
    Line(String),
    End(SyncSender<()>),
}

/// The writer's end.
#[derive(Clone)]
pub struct Lines {
    queue: SyncSender<Item>,
    closed: Arc<AtomicBool>,
}

/// Why a line was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lost {
    /// The reader is too slow.
    Full,
    /// The reader is gone.
    Closed,
}

impl Lines {
    /// Starts the thread that writes to `out`, each line at once.
    ///
    /// # Errors
    /// The thread cannot be started.
    pub fn start(out: impl Write + Send + 'static) -> io::Result<Self> {
        let (queue, lines) = sync_channel(QUEUE);
        let closed = Arc::new(AtomicBool::new(false));
        let gone = Arc::clone(&closed);
        std::thread::Builder::new()
            .name("events".to_owned())
            .stack_size(64 * 1024)
            .spawn(move || write(&lines, out, &gone))?;
        Ok(Self { queue, closed })
    }

    /// Hands over a line without its end.
    ///
    /// # Errors
    /// The reader is too slow or gone.
    pub fn send(&self, line: String) -> Result<(), Lost> {
        if self.is_closed() {
            return Err(Lost::Closed);
        }
        self.queue.try_send(Item::Line(line)).map_err(|e| match e {
            TrySendError::Full(_) => Lost::Full,
            TrySendError::Disconnected(_) => Lost::Closed,
        })
    }

    /// Whether the reader is gone.
    pub fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Relaxed)
    }

    /// Waits until all is written, but not long.
    pub fn flush(&self) {
        let (done, wait) = sync_channel(1);
        if self.queue.try_send(Item::End(done)).is_ok() {
            // A reader that is stuck does not hold up the end.
            let _ = wait.recv_timeout(PATIENCE);
        }
    }
}

fn write(lines: &Receiver<Item>, mut out: impl Write, closed: &AtomicBool) {
    // The watch reads its signals from a descriptor; none may be delivered here instead and end it.
    let _ = SigSet::all().thread_block();
    while let Ok(item) = lines.recv() {
        match item {
            Item::Line(mut line) => {
                line.push('\n');
                if out.write_all(line.as_bytes()).and_then(|()| out.flush()).is_err() {
                    closed.store(true, Ordering::Relaxed);
                    return;
                }
            }
            Item::End(done) => drop(done.send(())),
        }
    }
}

/// Operations as rule lines, for a reader such as `ipvsadm -R` that begins with an empty table.
///
/// A line that is not taken counts as refused, so that it is sent again as soon as the reader moves.
impl Ipvs for Lines {
    /// What the reader holds is not known here; whoever keeps it knows what was sent.
    fn read(&mut self) -> Result<Table, IpvsError> {
        Ok(Table::default())
    }

    fn apply(&mut self, ops: &[Op]) -> Vec<Result<(), IpvsError>> {
        let lost = |_| IpvsError { errno: 0, text: "the reader of the rule lines is too slow".to_owned() };
        let mut behind = false;
        let mut one = |op: &Op| {
            // After one is lost the others would not fit the reader's table.
            let sent = if behind { Err(Lost::Full) } else { self.send(op.to_string()) };
            behind |= sent.is_err();
            sent.map_err(lost)
        };
        ops.iter().map(&mut one).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Sender, channel};

    use super::*;

    /// A reader that takes nothing until it is let go.
    struct Stuck(Receiver<()>, Sender<Vec<u8>>);

    impl Write for Stuck {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let _ = self.0.recv();
            let _ = self.1.send(bytes.to_vec());
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_stuck_reader_costs_lines_and_no_time() {
        let ((go, stop), (out, seen)) = (channel(), channel());
        let mut lines = Lines::start(Stuck(stop, out)).unwrap();
        let lost = (0..QUEUE + 10).filter(|i| lines.send(i.to_string()).is_err()).count();
        assert!((9..=10).contains(&lost), "{lost}");
        assert!(lines.apply(&[Op::Flush])[0].is_err());
        drop(go);
        assert_eq!(seen.recv(), Ok(b"0\n".to_vec()));
        lines.flush();
        assert_eq!(lines.apply(&[Op::Flush]), [Ok(())]);
    }

    #[test]
    fn a_reader_that_is_gone_is_noticed() {
        let (reader, writer) = std::os::unix::net::UnixStream::pair().unwrap();
        let lines = Lines::start(writer).unwrap();
        drop(reader);
        assert_eq!(lines.send("x".to_owned()), Ok(()));
        lines.flush();
        assert!(lines.is_closed());
        assert_eq!(lines.send("y".to_owned()), Err(Lost::Closed));
    }
}
