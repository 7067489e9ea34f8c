//! Finds dead real servers and keeps the IPVS table true.
//!
//! Decisions are in [`checker`], [`agenda`] and [`schedule`] and know neither sockets nor the clock; [`engine`]
//! and [`flight`] make connections; [`once`] is the command `tcpcheck HOST:PORT...`.

pub mod agenda;
pub mod answer;
pub mod ask;
pub mod change;
pub mod checker;
pub mod cli;
pub mod control;
pub mod differences;
pub mod drains;
pub mod driver;
pub mod engine;
pub mod explain;
pub mod few;
pub mod fifos;
pub mod flight;
pub mod histogram;
mod idle;
pub mod keeper;
pub mod kernel;
pub mod lines;
mod mail;
pub mod monitor;
pub mod notify;
pub mod once;
pub mod options;
pub mod outcome;
pub mod pace;
pub mod pause;
pub mod programs;
pub mod roster;
pub mod runs;
pub mod schedule;
pub mod shots;
pub mod state;
pub mod status;
pub mod task;
mod title;
pub mod told;
pub mod watch;
pub mod web;

use std::ffi::OsString;
use std::io::{self, BufRead, Write};
use std::process::ExitCode;

use clap::Parser;
use lvs_core::addr::Endpoint;
use lvs_core::sys::conf::{go_by, run_check_by};
use lvs_core::sys::tcp::{self, Dial, Source};

use cli::{Cli, Close, Once, Verb};
use once::{Form, Patience};

/// The command line was wrong, or the file.
const WRONG: u8 = 2;

/// Runs the command and returns its exit status: 0 all is up, 1 something is not, 2 wrong usage or file.
pub fn main(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let cli = match Cli::try_parse_from(args) {
        Ok(cli) => cli,
        Err(e) => {
            // --help and --version come this way too; a closed pipe is no error.
            let _ = e.print();
            return ExitCode::from(u8::try_from(e.exit_code()).unwrap_or(WRONG));
        }
    };
    let done = match cli.verb {
        None => check_once(cli.once),
        Some(Verb::Watch(mut args)) => {
            go_by(args.config_id.take());
            watch::run(&args)
        }
        Some(Verb::Status(args)) => ask::status(&args),
        Some(Verb::Metrics(args)) => ask::metrics(&args),
        Some(Verb::Drain(args)) => ask::drain(&args),
        Some(Verb::Resume(args)) => ask::change("resume", &args),
        Some(Verb::Check(a)) => {
            go_by(a.config_id);
            Ok(run_check_by(&a.config, a.format, a.strict, Some(web::judge)))
        }
    };
    match done {
        Ok(status) => ExitCode::from(status),
        Err(e) if is_closed_pipe(&e) => ExitCode::SUCCESS,
        Err(e) => {
            let _ = writeln!(io::stderr().lock(), "tcpcheck: {e:#}");
            ExitCode::from(1)
        }
    }
}

fn is_closed_pipe(e: &anyhow::Error) -> bool {
    let kind = e.root_cause().downcast_ref::<io::Error>().map(io::Error::kind);
    kind == Some(io::ErrorKind::BrokenPipe)
}

fn check_once(args: Once) -> anyhow::Result<u8> {
    let targets = match targets(args.targets) {
        Ok(targets) => targets,
        Err(why) => {
            let _ = writeln!(io::stderr().lock(), "tcpcheck: standard input: {why}");
            return Ok(WRONG);
        }
    };
    let any = Endpoint::new(std::net::Ipv4Addr::UNSPECIFIED, 0);
    let reset = args.close == Close::Rst;
    let source = Source { addr: args.bind, device: args.dev, ..Source::default() };
    // The fault is this host's or the caller's, whatever the targets do.
    if let Some(why) = impossible(&source) {
        let _ = writeln!(io::stderr().lock(), "tcpcheck: {why}");
        return Ok(WRONG);
    }
    let dial = Dial { reset, ..Dial::to(any).from(source) };
    let patience = Patience { timeout: args.timeout, retries: args.retries, delay: args.delay };
    let form = match (args.json, args.quiet) {
        (true, _) => Form::Json,
        (_, true) => Form::Quiet,
        _ => Form::Text,
    };
    if let (Some(crowd), false) = (once::crowd(targets.len())?, args.quiet) {
        let _ = writeln!(io::stderr().lock(), "tcpcheck: {crowd}");
    }
    let reports = once::check(&targets, &dial, patience)?;
    once::tell(&reports, form, io::stdout().lock())?;
    Ok(u8::from(!reports.iter().all(|r| r.up)))
}

/// Why no connection can come from there, by the option that says so.
fn impossible(source: &Source) -> Option<String> {
    let device = Source { addr: None, ..source.clone() };
    if let (Some(name), Err(e)) = (&source.device, tcp::possible(&device)) {
        return Some(format!("--dev {name}: this host cannot send by it: {e}"));
    }
    let (Some(addr), Err(e)) = (source.addr, tcp::possible(source)) else { return None };
    Some(match e.kind() {
        io::ErrorKind::AddrNotAvailable => format!("--bind {addr}: this host does not have the address"),
        _ => format!("--bind {addr}: {e}"),
    })
}

/// The targets of the command line, `-` replaced by those of standard input.
fn targets(named: Vec<String>) -> Result<Vec<String>, String> {
    let mut all = Vec::with_capacity(named.len());
    for name in named {
        if name == "-" {
            all.append(&mut listed(io::stdin().lock())?);
        } else {
            all.push(name);
        }
    }
    Ok(all)
}

/// The targets of a list, one a line; to check none of them would be a success that says nothing.
fn listed(list: impl BufRead) -> Result<Vec<String>, String> {
    let mut all = Vec::new();
    for (number, line) in (1..).zip(list.lines()) {
        let line = line.map_err(|e| format!("line {number}: {e}"))?;
        let word = line.trim();
        if !word.is_empty() && !word.starts_with('#') {
            all.push(once::target(word).map_err(|why| format!("line {number}: {why}"))?);
        }
    }
    if all.is_empty() { Err("no target in it: one HOST:PORT a line".to_owned()) } else { Ok(all) }
}

#[cfg(test)]
mod tests {
    use super::{Source, impossible, listed};

    /// Dead real servers stay in the table for as long as nobody watches them.
    #[test]
    fn its_unit_is_never_given_up_but_for_a_wrong_file() {
        let unit = include_str!("../../../systemd/tcpcheck.service");
        for line in ["StartLimitIntervalSec=0", "Restart=on-failure", "RestartPreventExitStatus=2"] {
            assert!(unit.lines().any(|l| l == line), "{line}");
        }
    }

    #[test]
    fn a_source_that_this_host_does_not_have_is_named_by_its_option() {
        let device = Source { device: Some("nope".to_owned()), ..Source::default() };
        let why = impossible(&device).unwrap();
        assert!(why.starts_with("--dev nope: this host cannot send by it: No such device"), "{why}");
        let foreign =
            Source { addr: Some(std::net::Ipv4Addr::new(192, 0, 2, 1).into()), ..Source::default() };
        assert_eq!(impossible(&foreign).unwrap(), "--bind 192.0.2.1: this host does not have the address");
        assert_eq!(impossible(&Source::default()), None);
    }

    #[test]
    fn a_list_names_its_bad_line_and_is_not_empty() {
        let good = listed("# web\n10.0.0.1:80\n\n web2:443 \n".as_bytes());
        assert_eq!(good, Ok(vec!["10.0.0.1:80".to_owned(), "web2:443".to_owned()]));
        let bad = listed("10.0.0.1:80\n\n10.0.0.2\n".as_bytes()).unwrap_err();
        assert!(bad.starts_with("line 3: '10.0.0.2' is not HOST:PORT"), "{bad}");
        assert!(listed("# none\n".as_bytes()).unwrap_err().starts_with("no target"));
    }
}
