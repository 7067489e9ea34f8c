//! Verbs that ask a running daemon.

use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use lvs_core::sys::clock;
use lvs_core::sys::poll::Poll;
use nix::errno::Errno;

use super::complain;
use crate::claim::Claims;
use crate::control::{self, Answer, Question};
use crate::driver::{Source, cannot};
use crate::edge::Edge;
use crate::estate::Keeper;
use crate::file::File;
use crate::handover::Handover;
use crate::host::Host;
use crate::iproute;
use crate::metrics;
use crate::params::OWNER;
use crate::place::{self, Place, RUN};
use crate::spec::{Setup, Spec};
use crate::status::Report;
use crate::vmac;

/// Top left, and everything below erased.
const CLEAR: &str = "\x1b[H\x1b[J";

/// Asks the daemon of this name.
fn ask(name: &str, question: &Question) -> Result<Answer, String> {
    let socket =
        place::socket(Path::new(RUN), name).map_err(|e| format!("cannot tell where vrrpd listens: {e}"))?;
    control::ask(&socket, question)
}

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
    let mut removed = String::new();
    let result = flush_all(config, socket, &mut removed);
    // Also what went before something was in the way.
    let _ = print(&removed);
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err((status, text)) => {
            complain(&text);
            ExitCode::from(status)
        }
    }
}

fn flush_all(config: PathBuf, socket: &str, removed: &mut String) -> Result<(), (u8, String)> {
    let no = |text: String| (1, text);
    // Held until the end: none may start in between.
    let place = Place::take(Path::new(RUN), socket).map_err(|e| match e.kind() {
        io::ErrorKind::AddrInUse => {
            no(format!("a vrrpd runs here ({e}) and keeps its addresses: stop it first"))
        }
        _ => no(e.to_string()),
    })?;
    let mut edge = Edge::open(socket, Duration::ZERO, Duration::ZERO)
        .map_err(|e| no(cannot("open sockets", &e).text))?;
    // A wrong file keeps nothing of that in its place.
    let _place = remove_written(place, &mut edge, removed).map_err(no)?;
    let setup = File::new(config).read().map_err(|text| (2, text))?;
    // Held until the end, too: a daemon of another name may run these routers.
    let mut claims = Claims::default();
    claims.take(setup.instances.iter()).map_err(no)?;
    remove_all(&setup, &mut edge, removed).map_err(no)
}

/// What a killed daemon has written down; of that only who was released stays.
fn remove_written(place: Place, edge: &mut Edge, text: &mut String) -> Result<Keeper, String> {
    let (mut keeper, left) = Keeper::open(place);
    let (removed, failed) = left.remove(edge, &mut Claims::default(), &[]);
    removed.iter().for_each(|what| *text += &format!("removed {what}\n"));
    if !failed.is_empty() {
        return Err(format!("cannot remove {}", failed.join("; ")));
    }
    keeper.keep(left.cleared());
    edge.host = Host::read(&mut edge.rtnl).map_err(|e| e.to_string())?;
    Ok(keeper)
}

/// The addresses first: they are what a successor must not find.
fn remove_all(setup: &Setup, edge: &mut Edge, text: &mut String) -> Result<(), String> {
    let ours = setup.instances.iter().filter(|i| i.params.priority < OWNER);
    for vip in ours.flat_map(|i| &i.vips) {
        let removed = edge.unset(vip).map_err(|e| {
            let hint = if e.starts_with(Errno::EPERM.desc()) { ": run it as root" } else { "" };
            format!("cannot remove {} from {}: {e}{hint}", vip.prefix, vip.dev)
        })?;
        if removed {
            *text += &format!("removed {vip}\n");
        }
    }
    let specs: Vec<&Spec> = setup.instances.iter().filter(|i| i.params.priority < OWNER).collect();
    for link in vmac::ours(&edge.host, &specs) {
        vmac::remove(link, &mut edge.rtnl)?;
        *text += &format!("removed {}\n", link.name);
    }
    let lines = iproute::removals(setup.instances.iter().flat_map(|i| &i.lines));
    for line in
        iproute::remove_left(lines.iter()).map_err(|e| format!("cannot remove routes and rules: {e}"))?
    {
        *text += &format!("removed {line}\n");
    }
    if Handover::clean(&mut edge.rtnl)? > 0 {
        *text += "removed the rules of a handover that was not finished\n";
    }
    edge.guard.flush()
}
