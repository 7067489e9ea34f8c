//! ipvsadm's language: one command line, or the scripts ipvsadm-save and ipvsadm-restore.

use std::fs::File;
use std::io::Read;
use std::os::fd::AsFd;

use lvs_core::plan::Op;
use lvs_core::rule::{self, Command};
use lvs_core::sys::names::System;

use crate::drain::record::Records;
use crate::face::Face;
use crate::help;
use crate::list;
use crate::out::complain;
use crate::restore;
use crate::save;
use crate::session::{Failure, MISSING, REFUSED, Session};

/// Runs a command line; its exit status. No words: a listing with names.
pub(crate) fn run(face: Face, words: &[String]) -> u8 {
    let parse = || -> Result<Command, Failure> {
        if words.is_empty() {
            return Ok(Command::List(rule::List::default()));
        }
        Ok(rule::parse(words.iter().map(String::as_str), &System)?)
    };
    // Help must not need rights or a kernel; ipvsadm asks for both before it looks at its options.
    let early = if face.exact() { None } else { Some(parse()) };
    if let Some(Ok(Command::Help | Command::Version) | Err(_)) = &early {
        return without_kernel(face, early.unwrap_or_else(parse));
    }
    match Session::open(face) {
        Ok(mut s) => {
            let result = early.unwrap_or_else(parse).and_then(|command| execute(&mut s, command));
            s.finish(result)
        }
        Err(failure) => fail(face, &failure),
    }
}

fn fail(face: Face, failure: &Failure) -> u8 {
    complain(face.name(), &failure.text);
    failure.status
}

fn without_kernel(face: Face, command: Result<Command, Failure>) -> u8 {
    let mut out = crate::out::Out::new();
    match command {
        Ok(Command::Version) => help::version(out.text(), face),
        Ok(_) => help::help(out.text(), face),
        Err(failure) => return fail(face, &failure),
    }
    match out.finish() {
        Ok(()) => 0,
        Err(e) => fail(face, &Failure::new(MISSING, format!("standard output: {e}"))),
    }
}

/// Carries out one command; the exit status.
pub(crate) fn execute(s: &mut Session, command: Command) -> Result<u8, Failure> {
    match command {
        Command::Op(op) => change(s, op),
        Command::List(list) => list::run(s, &list).map(|()| 0),
        Command::Save { numeric } => save::run(s, numeric).map(|()| 0),
        Command::Restore => restore::run(s, standard_input()?),
        Command::Help => {
            help::help(s.out.text(), s.face);
            Ok(0)
        }
        Command::Version => {
            help::version(s.out.text(), s.face);
            Ok(0)
        }
    }
}

/// Without std's buffer: what it holds would be read and yet not be waiting.
fn standard_input() -> Result<File, Failure> {
    let owned = std::io::stdin().as_fd().try_clone_to_owned();
    owned.map(File::from).map_err(|e| Failure::new(2, format!("standard input: {e}")))
}

fn change(s: &mut Session, op: Op) -> Result<u8, Failure> {
    let mut refusal = None;
    let ops = [op];
    s.client.write(&ops, |_, e| refusal = Some(e)).map_err(|e| Failure::new(REFUSED, e.text))?;
    match refusal {
        None => {
            Records::follow(&ops);
            Ok(0)
        }
        Some(e) => Err(Failure { status: REFUSED, text: format!("{}: {e}", ops[0]), ends_restore: false }),
    }
}

/// ipvsadm-save: -n and plain words, else its usage.
pub(crate) fn save_script(words: &[String]) -> u8 {
    let mut numeric = false;
    for option in words.iter().filter(|w| w.starts_with('-')) {
        if option != "-n" {
            complain(
                Face::Save.name(),
                "saves the IPVS table as rule lines; the only option is -n (no names)",
            );
            return 1;
        }
        numeric = true;
    }
    match Session::open(Face::Save) {
        Ok(mut s) => {
            let result = save::run(&mut s, numeric).map(|()| 0);
            s.finish(result)
        }
        Err(failure) => fail(Face::Save, &failure),
    }
}

/// ipvsadm-restore: the input without its comments into a cleared table.
pub(crate) fn restore_script() -> u8 {
    match Session::open(Face::Restore) {
        Ok(mut s) => {
            let result = change(&mut s, Op::Flush).and_then(|_| restore_lines(&mut s));
            s.finish(result)
        }
        Err(failure) => fail(Face::Restore, &failure),
    }
}

fn restore_lines(s: &mut Session) -> Result<u8, Failure> {
    let mut text = Vec::new();
    let read = std::io::stdin().lock().read_to_end(&mut text);
    read.map_err(|e| Failure::new(2, format!("standard input: {e}")))?;
    if text.contains(&0) {
        // ipvsadm's script sorts comments out with grep, which takes this for no text, says so and lets nothing pass.
        complain(
            s.face.name(),
            "standard input has a NUL byte in it: nothing is restored (ipvsctl -R names its line)",
        );
        return Ok(0);
    }
    // A comment begins in the first column; an empty line keeps the numbers of the others.
    let lines = text.split(|b| *b == b'\n').map(|line| if line.starts_with(b"#") { &[][..] } else { line });
    let kept: Vec<u8> = lines.collect::<Vec<_>>().join(&b'\n');
    restore::run(s, kept.as_slice())
}
