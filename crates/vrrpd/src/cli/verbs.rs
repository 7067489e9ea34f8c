//! Verbs that ask a running daemon.

use std::io::{self, IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use lvs_core::sys::clock;
use lvs_core::sys::poll::Poll;
use nix::errno::Errno;

use super::complain;
use crate::claim::Claims;
use crate::control::{Answer, Listener, Question, ask};
use crate::driver::{Source, cannot};
use crate::edge::Edge;
use crate::file::File;
use crate::handover::Handover;
use crate::holder::{Holder, taken};
use crate::iproute;
use crate::metrics;
use crate::params::OWNER;
use crate::spec::{Setup, Spec};
use crate::status::Report;
use crate::vmac;

/// Top left, and everything below erased.
const CLEAR: &str = "\x1b[H\x1b[J";

fn read(socket: &str) -> Result<Report, String> {
    match ask(socket, &Question::Status)? {
        Answer::Status(report) => Ok(*report),
        Answer::Done(text) | Answer::Refused(text) => Err(text),
    }
}

/// Prints; a reader that went away ends it quietly.
fn print(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    out.flush()
}

fn finish(result: Result<String, String>) -> ExitCode {
    match result {
        Ok(text) => {
            // The reader of a status may have seen enough.
            let _ = print(&text);
            ExitCode::SUCCESS
        }
        Err(text) => {
            complain(&text);
            ExitCode::FAILURE
        }
    }
}

/// `vrrpd status`.
pub(super) fn status(socket: &str, json: bool, watch: bool) -> ExitCode {
    let once = || {
        let status = read(socket)?;
        if json {
            return serde_json::to_string(&status).map(|s| s + "\n").map_err(|e| e.to_string());
        }
        Ok(status.to_string())
    };
    if !watch {
        return finish(once());
    }
    let Ok(mut poll) = Poll::new() else { return finish(Err("out of file descriptors".to_owned())) };
    let clear = if io::stdout().is_terminal() && !json { CLEAR } else { "" };
    let mut next = clock::now();
    loop {
        match once() {
            Ok(text) if print(&format!("{clear}{text}")).is_err() => return ExitCode::SUCCESS,
            Ok(_) => (),
            Err(text) => return finish(Err(text)),
        }
        next = next + Duration::from_secs(1);
        if poll.wait(Some(next), &mut Vec::new()).is_err() {
            return ExitCode::FAILURE;
        }
    }
}

/// `vrrpd metrics`.
pub(super) fn metrics(socket: &str) -> ExitCode {
    finish(read(socket).map(|s| metrics::render(&s)))
}

/// A verb that changes something.
pub(super) fn order(socket: &str, question: &Question) -> ExitCode {
    finish(ask(socket, question).and_then(|answer| match answer {
        Answer::Done(text) => Ok(text + "\n"),
        Answer::Refused(text) => Err(text),
        Answer::Status(_) => Err("vrrpd's answer is not understood".to_owned()),
    }))
}

/// `vrrpd flush`: only where no daemon runs, for it would put the addresses back.
pub(super) fn flush(config: PathBuf, socket: &str) -> ExitCode {
    // Held until the end: none may start in between.
    let _listener = match Listener::open(socket) {
        Ok(listener) => listener,
        Err(e) if e.kind() == io::ErrorKind::AddrInUse => {
            let ours = "a vrrpd runs here and keeps its addresses: stop it first";
            complain(&taken(socket, &format!("@{socket}"), Holder::of(socket), ours));
            return ExitCode::FAILURE;
        }
        Err(e) => {
            complain(&format!("cannot listen at @{socket}: {e}"));
            return ExitCode::FAILURE;
        }
    };
    let setup = match File::new(config).read() {
        Ok(setup) => setup,
        Err(text) => {
            complain(&text);
            return ExitCode::from(2);
        }
    };
    // Held until the end, too: a daemon of another name may run these routers.
    let mut claims = Claims::default();
    let edge = claims.take(setup.instances.iter()).and_then(|()| {
        Edge::open(socket, Duration::ZERO, Duration::ZERO).map_err(|e| cannot("open sockets", &e).text)
    });
    finish(edge.and_then(|mut edge| remove_all(&setup, &mut edge)))
}

/// The addresses first: they are what a successor must not find.
fn remove_all(setup: &Setup, edge: &mut Edge) -> Result<String, String> {
    let mut text = String::new();
    let ours = setup.instances.iter().filter(|i| i.params.priority < OWNER);
    for vip in ours.flat_map(|i| &i.vips) {
        let removed = edge.unset(vip).map_err(|e| {
            let hint = if e.starts_with(Errno::EPERM.desc()) { ": run it as root" } else { "" };
            format!("cannot remove {} from {}: {e}{hint}", vip.prefix, vip.dev)
        })?;
        if removed {
            text += &format!("removed {} from {}\n", vip.prefix, vip.dev);
        }
    }
    let specs: Vec<&Spec> = setup.instances.iter().filter(|i| i.params.priority < OWNER).collect();
    for link in vmac::ours(&edge.host, &specs) {
        vmac::remove(link, &mut edge.rtnl)?;
        text += &format!("removed {}\n", link.name);
    }
    let lines = iproute::removals(setup.instances.iter().flat_map(|i| &i.lines));
    for line in iproute::remove_left(lines.iter()).map_err(|e| format!("cannot remove routes and rules: {e}"))? {
        text += &format!("removed {line}\n");
    }
    if Handover::clean(&mut edge.rtnl)? > 0 {
        text += "removed the rules of a handover that was not finished\n";
    }
    edge.guard.flush()?;
    Ok(text)
}
