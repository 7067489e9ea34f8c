//! Standard output in big pieces; a reader that goes away ends the program quietly.

use std::fmt;
use std::io::{self, StdoutLock, Write};

use crate::failure::Failure;

use lvs_core::text::plain_lines;

/// Text is written in pieces of this size, so a listing is never held as a whole.
const PIECE: usize = 64 * 1024;

/// A text that flows to standard output.
pub(crate) struct Out {
    text: String,
    to: StdoutLock<'static>,
    failed: Option<io::Error>,
}

impl Out {
    pub(crate) fn new() -> Self {
        Self { text: String::with_capacity(PIECE + 256), to: io::stdout().lock(), failed: None }
    }

    /// The text that is waiting; append to it and call [`Self::flow`] now and then.
    pub(crate) fn text(&mut self) -> &mut String {
        &mut self.text
    }

    /// Writes what is waiting if that is worth a system call.
    pub(crate) fn flow(&mut self) {
        if self.text.len() >= PIECE {
            self.flush();
        }
    }

    /// Writes what is waiting.
    pub(crate) fn flush(&mut self) {
        if self.failed.is_none() {
            let done = self.to.write_all(self.text.as_bytes()).and_then(|()| self.to.flush());
            self.failed = done.err();
        }
        self.text.clear();
    }

    /// Whether nobody reads any more, or the disk is full.
    pub(crate) fn broken(&self) -> bool {
        self.failed.is_some()
    }

    /// Writes the rest. An error other than a reader that went away is the caller's.
    pub(crate) fn finish(&mut self) -> io::Result<()> {
        self.flush();
        match self.failed.take() {
            Some(e) if e.kind() != io::ErrorKind::BrokenPipe => Err(e),
            _ => Ok(()),
        }
    }
}

impl fmt::Write for Out {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.text.push_str(text);
        self.flow();
        Ok(())
    }
}

/// Writes text to standard output; a reader that has gone away ends it quietly.
pub(crate) fn print(text: &str) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(e) if e.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::File("standard output".to_owned(), e))
        }
        _ => Ok(()),
    }
}

/// One line to standard error; nobody can be told if that fails.
pub(crate) fn complain(tool: &str, text: &str) {
    let _ = writeln!(io::stderr().lock(), "{tool}: {}", plain_lines(text));
}
