//! What the tool says: results on standard output, the rest on standard error.

use std::fmt::Display;
use std::io::{self, Write};

/// Standard output and error of one run.
pub struct Output {
    out: io::StdoutLock<'static>,
    quiet: bool,
}

impl Output {
    /// The process's own; `quiet` leaves out what only tells that all is well.
    pub fn new(quiet: bool) -> Self {
        Self { out: io::stdout().lock(), quiet }
    }

    /// A line that was asked for.
    ///
    /// # Errors
    /// Standard output cannot be written to; a closed pipe is none.
    pub fn line(&mut self, text: impl Display) -> io::Result<()> {
        match writeln!(self.out, "{text}") {
            // The reader (head, a pager) has seen enough.
            Err(e) if e.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            done => done,
        }
    }

    /// A line that tells that all is well.
    ///
    /// # Errors
    /// As [`Output::line`].
    pub fn done(&mut self, text: impl Display) -> io::Result<()> {
        if self.quiet { Ok(()) } else { self.line(text) }
    }

    /// A sentence for the admin.
    pub fn notice(&self, text: impl Display) {
        say(text);
    }
}

/// A sentence on standard error under the tool's name. Nobody may be there to hear it.
pub fn say(text: impl Display) {
    let _ = writeln!(io::stderr().lock(), "rs-prep: {text}");
}
