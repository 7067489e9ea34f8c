//! `-R`: rule lines from standard input, many in one write to the kernel.
//!
//! A line's changes are sent when there is nothing more to read at once, so that a program that writes rules into a
//! pipe sees each take effect, and a big file goes in batches.

use std::fs::File;
use std::io::{self, Read};

use lvs_core::plan::Op;
use lvs_core::rule::{self, Command};
use lvs_core::sys::ipvs::BATCH;
use lvs_core::sys::names::System;
use lvs_core::sys::poll;

use crate::adm;
use crate::names;
use crate::out::complain;
use crate::session::{Failure, REFUSED, Session};

/// What one read may bring: about a batch, and little memory to touch first.
const PIECE: usize = 16 * 1024;
/// The word that is passed over, so that a line may be a command.
const NAME: &str = "ipvsadm";
/// Bytes of a word in ipvsadm's memory.
const LONGEST: usize = 4096;
/// ipvsctl's status if any line failed.
const SOME_FAILED: u8 = 1;

/// Where rule lines come from.
pub(crate) trait Lines: Read {
    /// Whether another read would bring something at once, be it the end.
    fn ready(&self) -> bool;
}

impl Lines for File {
    fn ready(&self) -> bool {
        poll::readable(self)
    }
}

/// Text that is there already.
impl Lines for &[u8] {
    fn ready(&self) -> bool {
        true
    }
}

/// Operations that wait for their batch, each with its line.
struct Pending {
    ops: Vec<Op>,
    lines: Vec<usize>,
    /// What ipvsadm returns: the status of the last line.
    last_status: u8,
    failures: usize,
    line: usize,
    /// The rest of the input is not read.
    ended: bool,
}

/// Carries out the lines of `input`; the exit status.
pub(crate) fn run(s: &mut Session, mut input: impl Lines) -> Result<u8, Failure> {
    let mut pending = Pending {
        ops: Vec::with_capacity(BATCH),
        lines: Vec::with_capacity(BATCH),
        last_status: 0,
        failures: 0,
        line: 0,
        ended: false,
    };
    let mut buffer = vec![0; PIECE];
    let mut kept = 0;
    loop {
        if kept == buffer.len() {
            buffer.resize(kept * 2, 0);
        }
        let got = read(&mut input, &mut buffer[kept..])?;
        let end = kept + got;
        let mut start = 0;
        while let Some(len) = buffer[start..end].iter().position(|b| *b == b'\n').filter(|_| !pending.ended) {
            pending.line(s, &buffer[start..start + len])?;
            start += len + 1;
        }
        if got == 0 || pending.ended {
            if !pending.ended {
                // The last line may lack its newline.
                pending.line(s, &buffer[start..end])?;
            }
            pending.send(s)?;
            return Ok(pending.status(s));
        }
        buffer.copy_within(start..end, 0);
        kept = end - start;
        if !input.ready() {
            pending.send(s)?;
        }
    }
}

fn read(input: &mut impl Read, buffer: &mut [u8]) -> Result<usize, Failure> {
    loop {
        match input.read(buffer) {
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            other => return other.map_err(|e| Failure::new(2, format!("standard input: {e}"))),
        }
    }
}

/// The words of a line, as ipvsadm splits it: no quoting, and its own name is passed over.
pub(crate) fn words(line: &str) -> impl Iterator<Item = &str> {
    let mut rest = line;
    // By bytes: looking for characters costs a third of what reading a rule costs in all.
    std::iter::from_fn(move || {
        let start = rest.bytes().position(|b| !is_blank(b))?;
        let (word, after) =
            rest[start..].split_at(rest[start..].bytes().position(is_blank).unwrap_or(rest.len() - start));
        rest = after;
        Some(word)
    })
    .filter(|w| *w != NAME)
}

/// The words of a line as ipvsadm holds them: it has 4,096 bytes for a word, and what is longer is several; a word ends
/// at a NUL byte, wherever the next one begins.
fn words_in_c(line: &str) -> impl Iterator<Item = &str> {
    words(line).flat_map(pieces).map(|p| p.split('\0').next().unwrap_or_default()).filter(|w| *w != NAME)
}

fn pieces(word: &str) -> impl Iterator<Item = &str> {
    let mut rest = word;
    std::iter::from_fn(move || {
        let piece = (!rest.is_empty()).then(|| names::cut(rest, LONGEST))?;
        rest = &rest[piece.len()..];
        Some(piece)
    })
}

fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r')
}

/// Whether a line is a comment; only ipvsctl knows comments.
pub(crate) fn is_comment(line: &str) -> bool {
    line.trim_start().starts_with('#')
}

impl Pending {
    fn line(&mut self, s: &mut Session, bytes: &[u8]) -> Result<(), Failure> {
        self.line += 1;
        let text = String::from_utf8_lossy(bytes);
        if (!s.face.exact() && is_comment(&text)) || words(&text).next().is_none() {
            return Ok(());
        }
        let odd = s.face.exact() && (bytes.len() > LONGEST || bytes.contains(&0));
        let command =
            if odd { rule::parse(words_in_c(&text), &System) } else { rule::parse(words(&text), &System) };
        match command {
            Ok(Command::Op(op)) => {
                self.ops.push(op);
                self.lines.push(self.line);
                self.last_status = 0;
                if self.ops.len() == BATCH { self.send(s) } else { Ok(()) }
            }
            other => {
                self.send(s)?;
                self.other(s, other.map_err(Failure::from))
            }
        }
    }

    /// A line that is no change of the table, or is wrong.
    fn other(&mut self, s: &mut Session, command: Result<Command, Failure>) -> Result<(), Failure> {
        let ends = matches!(command, Ok(Command::Help | Command::Version));
        let result = command.and_then(|command| match command {
            Command::Restore => Err(Failure::new(REFUSED, "-R does not go into the input of -R; try -h")),
            command => adm::execute(s, command),
        });
        match result {
            Ok(status) => {
                self.last_status = status;
                self.ended = ends && s.face.exact();
                Ok(())
            }
            Err(failure) if s.face.exact() && failure.ends_restore => {
                Err(Failure { text: format!("line {}: {}", self.line, failure.text), ..failure })
            }
            Err(failure) => {
                self.failed(s, self.line, &failure.text);
                self.last_status = failure.status;
                Ok(())
            }
        }
    }

    fn failed(&mut self, s: &mut Session, line: usize, text: &str) {
        self.failures += 1;
        s.out.flush();
        complain(s.face.name(), &format!("line {line}: {text}"));
    }

    fn send(&mut self, s: &mut Session) -> Result<(), Failure> {
        if self.ops.is_empty() {
            return Ok(());
        }
        let mut refused = Vec::new();
        let written = s.client.write(&self.ops, |i, e| refused.push((i, e)));
        for (i, e) in &refused {
            self.failed(s, self.lines[*i], &format!("{}: {e}", self.ops[*i]));
            if *i + 1 == self.ops.len() {
                self.last_status = REFUSED;
            }
        }
        self.ops.clear();
        self.lines.clear();
        written.map_err(|e| Failure::new(REFUSED, e.text))
    }

    fn status(&self, s: &Session) -> u8 {
        match self.failures {
            _ if s.face.exact() => self.last_status,
            0 => 0,
            _ => SOME_FAILED,
        }
    }
}
