//! Lines for standard output that never hold up the watch.

use std::io::{self, Write};

use lvs_core::ipvs::{Ipvs, IpvsError};
use lvs_core::plan::Op;
use lvs_core::sys::outbox::{Outbox, Refused};
use lvs_core::table::Table;

/// Lines that wait for a slow reader: all of a table of 10,000 servers.
const QUEUE: u64 = 16_384;

/// The writer's end.
#[derive(Clone)]
pub struct Lines(Outbox);

impl Lines {
    /// Starts the thread that writes to `out`, each line at once.
    ///
    /// # Errors
    /// The thread cannot be started.
    pub fn start(out: impl Write + Send + 'static) -> io::Result<Self> {
        Outbox::start("events", QUEUE, false, out, |_| {}).map(Self)
    }

    /// Hands over a line without its end.
    ///
    /// # Errors
    /// The reader is too slow or gone.
    pub fn send(&self, mut line: String) -> Result<(), Refused> {
        line.push('\n');
        self.0.send(line)
    }

    /// Whether the reader is gone.
    pub fn is_closed(&self) -> bool {
        self.0.is_closed()
    }

    /// Waits until all is written, but not long.
    pub fn flush(&self) {
        self.0.flush();
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
            let sent = if behind { Err(Refused::Full) } else { self.send(op.to_string()) };
            behind |= sent.is_err();
            sent.map_err(lost)
        };
        ops.iter().map(&mut one).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Receiver, Sender, channel};

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
    fn rule_lines_for_a_stuck_reader_count_as_refused_until_it_moves() {
        let ((go, stop), (out, seen)) = (channel(), channel());
        let mut lines = Lines::start(Stuck(stop, out)).unwrap();
        (0..QUEUE).for_each(|i| lines.send(i.to_string()).unwrap());
        assert_eq!(lines.send("x".to_owned()), Err(Refused::Full));
        assert!(lines.apply(&[Op::Flush])[0].is_err());
        drop(go);
        let all: String = (0..QUEUE).map(|i| format!("{i}\n")).collect();
        let mut text = Vec::new();
        while text.len() < all.len() {
            text.extend(seen.recv().unwrap());
        }
        assert_eq!(String::from_utf8(text), Ok(all));
        lines.flush();
        assert_eq!(lines.apply(&[Op::Flush]), [Ok(())]);
    }
}
