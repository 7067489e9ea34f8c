//! `ipvsctl drain`: takes a real server out of service without cutting anybody off.
//!
//! Weight 0 stops new connections; then the drain follows what is left until nothing is, and removes the server
//! if asked to. The weight before is remembered for `--undo`. [`plan`] finds the servers, [`watch`] judges what is
//! left, [`view`] words it, [`record`] keeps the weights; here is the driver.

pub mod plan;
pub mod record;
pub mod view;
pub mod watch;

use std::io::{IsTerminal, stdout};
use std::time::Duration;

use lvs_core::ipvs::{Ipvs, ServerState};
use lvs_core::plan::Op;
use lvs_core::sys::clock;
use lvs_core::sys::ipvs::Client;
use lvs_core::sys::owner::{Owner, OwnerError};
use lvs_core::sys::poll::{Interest, Poll, Signals};
use lvs_core::table::ServiceKey;
use lvs_core::time::parse_duration;
use nix::sys::signal::Signal;

use self::plan::{Target, Undo};
use self::record::Records;
use self::view::View;
use self::watch::{Disturbance, Look, Rules, Watch};
use crate::failure::Failure;
use crate::out::print;
use crate::service::{RealServer, ServiceArgs};
use crate::snapshot::entries;

/// How often the connections are counted.
const INTERVAL: Duration = Duration::from_secs(1);

/// The options of `drain`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    service: ServiceArgs,
    /// The real server; without a port all of its ports, without a service in all services
    #[arg(short, long, value_name = "RIP[:PORT]")]
    real_server: RealServer,
    /// Give up after this time and leave the server at weight 0 (30s, 10m, 2h) [default: never]
    #[arg(long, value_name = "TIME", value_parser = parse_duration, conflicts_with = "undo")]
    timeout: Option<Duration>,
    /// Remove the server from the service when nothing is left
    #[arg(long, conflicts_with = "undo")]
    remove: bool,
    /// Do not wait for inactive connections: those that are being closed, and all of UDP
    #[arg(long, conflicts_with = "undo")]
    skip_inactive: bool,
    /// Give the server the weight back that it had before a drain
    #[arg(long)]
    undo: bool,
}

/// Drains, or undoes a drain.
///
/// # Errors
/// There is no such server, the kernel refused, or the drain did not come to its end.
pub fn run(args: &Args) -> Result<u8, Failure> {
    let service = args.service.key()?;
    let mut client = Client::open()?;
    let targets =
        plan::targets(&entries(&mut client)?, service, args.real_server).map_err(Failure::Refused)?;
    nobody_else_keeps_the_table(args.real_server)?;
    let records = Records::open().map_err(record_failure)?;
    if args.undo {
        undo(&mut client, &records, &targets)
    } else {
        drain(&mut client, &records, targets, args)
    }
}

/// A program that keeps the table true would put the weight back within seconds.
fn nobody_else_keeps_the_table(server: RealServer) -> Result<(), Failure> {
    match Owner::claim("ipvsctl drain") {
        Ok(_) => Ok(()),
        Err(OwnerError::Taken(who)) => Err(Failure::Refused(taken(&who, server))),
        Err(e) => Err(Failure::Refused(e.to_string())),
    }
}

/// What to do about the program that keeps the table.
fn taken(who: &str, server: RealServer) -> String {
    if who.starts_with("tcpcheck") {
        format!(
            "{who} keeps this table and would put the weight back; drain the server there (tcpcheck drain {server})"
        )
    } else {
        format!(
            "{who} keeps this table and might put the weight back; try again when it has ended, or stop it"
        )
    }
}

fn drain(client: &mut Client, records: &Records, targets: Vec<Target>, args: &Args) -> Result<u8, Failure> {
    let signals = Signals::new(&[Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP])
        .map_err(|e| Failure::File("signals".to_owned(), e))?;
    for t in targets.iter() {
        records.keep(t).map_err(record_failure)?;
    }
    let loaded: Vec<&Target> = targets.iter().filter(|t| t.server.weight != 0).collect();
    write(client, &loaded.iter().map(|t| t.weigh(0)).collect::<Vec<_>>())?;
    print(&view::opening(&targets, quiescent_templates_expire()))?;
    let rules = Rules { timeout: args.timeout, skip_inactive: args.skip_inactive };
    let watch = Watch::new(targets, rules, clock::now());
    let mut view = View::new(stdout().is_terminal());
    let look = follow(client, &watch, &mut view, &signals)?;
    print(view.clear())?;
    let known = |t: &Target| records.get(t).ok().flatten().map(|r| r.weight);
    match look {
        Ending::Drained => finish(client, records, &watch, args.remove),
        Ending::Stopped(why, left) => Err(Failure::Refused(view::left_behind(&watch, &why, left, known))),
        Ending::Disturbed(target, what) => {
            records.forget(&target.key, target.endpoint).map_err(record_failure)?;
            Err(Failure::Refused(view::disturbed(&target, what)))
        }
    }
}

/// How the following ended.
enum Ending {
    Drained,
    Stopped(String, watch::Counts),
    Disturbed(Target, Disturbance),
}

fn follow(client: &mut Client, watch: &Watch, view: &mut View, signals: &Signals) -> Result<Ending, Failure> {
    let io = |e| Failure::File("waiting".to_owned(), e);
    let mut poll = Poll::new().map_err(io)?;
    poll.add(signals, 0, Interest::Read).map_err(io)?;
    let mut events = Vec::new();
    loop {
        let now = clock::now();
        let left = match watch.look(&servers(client, &watch.keys())?, now) {
            Look::Left(left) => left,
            Look::Drained(_) => return Ok(Ending::Drained),
            Look::TimedOut(left) => return Ok(Ending::Stopped(view::time_is_over(watch), left)),
            Look::Disturbed(target, what) => return Ok(Ending::Disturbed(*target, what)),
        };
        if let Some(text) = view.show(watch, left, now) {
            print(&text)?;
        }
        let next = watch.deadline().map_or(now + INTERVAL, |d| d.min(now + INTERVAL));
        poll.wait(Some(next), &mut events).map_err(io)?;
        if let Some(signal) = signals.next().map_err(io)? {
            return Ok(Ending::Stopped(format!("ended by {signal}"), left));
        }
    }
}

fn servers(client: &mut Client, keys: &[ServiceKey]) -> Result<Vec<(ServiceKey, ServerState)>, Failure> {
    let mut all = Vec::new();
    for key in keys {
        client.servers(key, |s| all.push((*key, s)))?;
    }
    Ok(all)
}

fn finish(client: &mut Client, records: &Records, watch: &Watch, remove: bool) -> Result<u8, Failure> {
    if remove {
        write(client, &watch.targets().iter().map(Target::remove).collect::<Vec<_>>())?;
        for target in watch.targets() {
            records.forget(&target.key, target.endpoint).map_err(record_failure)?;
        }
    }
    print(&view::closing(watch, clock::now(), remove))?;
    Ok(0)
}

fn undo(client: &mut Client, records: &Records, targets: &[Target]) -> Result<u8, Failure> {
    let mut status = 0;
    for target in targets {
        let what = plan::undo(target, records.get(target).map_err(record_failure)?.as_ref());
        match what {
            Undo::Restore(weight) => write(client, &[target.weigh(weight)])?,
            Undo::Unknown | Undo::Another(_) | Undo::NotDrained(_) => status = 1,
        }
        records.forget(&target.key, target.endpoint).map_err(record_failure)?;
        print(&view::undone(target, &what))?;
    }
    Ok(status)
}

/// Does the operations; a failure says which were done and which were not.
fn write(client: &mut Client, ops: &[Op]) -> Result<(), Failure> {
    let results = client.apply(ops);
    if results.iter().all(Result::is_ok) {
        return Ok(());
    }
    let lines = ops.iter().zip(&results).map(|(op, result)| match result {
        Ok(()) => format!("done: {op}"),
        Err(e) => format!("not done: {op}: {e}"),
    });
    Err(Failure::Refused(lines.collect::<Vec<_>>().join("\n  ")))
}

/// Whether the kernel sends a bound client elsewhere when its server has weight 0.
fn quiescent_templates_expire() -> bool {
    let path = "/proc/sys/net/ipv4/vs/expire_quiescent_template";
    std::fs::read_to_string(path).is_ok_and(|text| text.trim() != "0")
}

fn record_failure(e: std::io::Error) -> Failure {
    Failure::File("the weights before the drain (/run/lvs)".to_owned(), e)
}

#[cfg(test)]
mod tests;
