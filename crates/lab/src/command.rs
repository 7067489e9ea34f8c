//! Commands in a host: their words, what they answered, their deadline.

use std::fmt;
use std::io::{Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, ExitStatus};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use lvs_core::sys::clock;

use crate::wait::pause;

/// A command line: `"ip addr show"`, split at blanks (there is no quoting), or a list of words.
pub trait Words {
    /// The words; the first one is the program.
    fn words(&self) -> Vec<String>;
}

impl Words for str {
    fn words(&self) -> Vec<String> {
        self.split_whitespace().map(str::to_owned).collect()
    }
}

impl Words for String {
    fn words(&self) -> Vec<String> {
        self.as_str().words()
    }
}

impl<S: AsRef<str>> Words for [S] {
    fn words(&self) -> Vec<String> {
        self.iter().map(|w| w.as_ref().to_owned()).collect()
    }
}

impl<S: AsRef<str>, const N: usize> Words for [S; N] {
    fn words(&self) -> Vec<String> {
        self.as_slice().words()
    }
}

impl<S: AsRef<str>> Words for Vec<S> {
    fn words(&self) -> Vec<String> {
        self.as_slice().words()
    }
}

/// What a command answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Output {
    /// The command line, for messages.
    pub line: String,
    /// The exit status; 128 plus the number for a signal, as the shell has it.
    pub status: i32,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl fmt::Display for Output {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "$ {}\n{}{}(status {})", self.line, self.stdout, self.stderr, self.status)
    }
}

/// 128 plus the signal for one that a signal ended.
pub(crate) fn status(status: ExitStatus) -> i32 {
    status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0))
}

/// Feeds `input` to the child, collects what it writes, and kills it at the deadline.
#[track_caller]
pub(crate) fn finish(mut child: Child, line: String, input: &str, deadline: Duration) -> Output {
    let end = clock::now() + deadline;
    if let Some(mut stdin) = child.stdin.take() {
        let input = input.to_owned();
        // A command that does not read its input closes it: not our affair.
        std::thread::spawn(move || stdin.write_all(input.as_bytes()));
    }
    let stdout = collect(child.stdout.take());
    let stderr = collect(child.stderr.take());
    let took_too_long = |child: &mut Child| {
        // It is our child and not yet collected, so there is nothing that could fail here.
        let _ = child.kill();
        let _ = child.wait();
        assert!(clock::now() < end, "{line}: not done after {deadline:?}, killed");
    };
    let mut texts = Vec::new();
    for pipe in [&stdout, &stderr] {
        texts.push(pipe.recv_timeout(end.since(clock::now())).unwrap_or_else(|_| {
            took_too_long(&mut child);
            String::new()
        }));
    }
    let done = loop {
        if let Some(status) = child.try_wait().expect("the status of a child") {
            break status;
        }
        if clock::now() >= end {
            took_too_long(&mut child);
        }
        pause(Duration::from_millis(1));
    };
    let stderr = texts.pop().unwrap_or_default();
    Output { line, status: status(done), stdout: texts.pop().unwrap_or_default(), stderr }
}

fn collect(pipe: Option<impl Read + Send + 'static>) -> Receiver<String> {
    let (send, receive) = channel();
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut pipe) = pipe {
            // What came before an error is still worth showing.
            let _ = pipe.read_to_end(&mut bytes);
        }
        // Nobody waits any more after the deadline.
        let _ = send.send(String::from_utf8_lossy(&bytes).into_owned());
    });
    receive
}
