//! `ipvsctl apply` and `ipvsctl diff`: from the table that is to the one in a file, with the least change.

mod carry;

use std::fmt::Write;

use lvs_core::ipvs::Ipvs;
use lvs_core::plan::{Op, Scope, diff};
use lvs_core::sys::conf::go_by;
use lvs_core::sys::ipvs::Client;
use lvs_core::sys::owner::{Owner, OwnerError};
use lvs_core::sys::poll::Signals;
use nix::sys::signal::Signal;

use self::carry::carry_out;
use crate::drain::record::Records;
use crate::failure::Failure;
use crate::out::{complain, print};
use crate::source::{self, Purpose};

/// The options of `apply`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// keepalived.conf, the JSON of 'list --json', or rule lines; - is standard input
    file: String,
    /// Take the @NAME lines of keepalived.conf [default: this host's name to its first dot]
    #[arg(long, short = 'i', value_name = "NAME")]
    config_id: Option<String>,
    #[command(flatten)]
    purpose: Purpose,
    /// Only print the rule lines that would be carried out
    #[arg(long)]
    dry_run: bool,
    /// If anything fails, put the table back as it was
    #[arg(long)]
    rollback: bool,
}

/// The options of `diff`.
#[derive(Debug, clap::Args)]
pub struct DiffArgs {
    /// keepalived.conf, the JSON of 'list --json', or rule lines; - is standard input
    file: String,
    /// Take the @NAME lines of keepalived.conf [default: this host's name to its first dot]
    #[arg(long, short = 'i', value_name = "NAME")]
    config_id: Option<String>,
    #[command(flatten)]
    purpose: Purpose,
}

fn scope(prune: bool) -> Scope {
    if prune { Scope::Everything } else { Scope::wanted() }
}

fn lines(ops: &[Op]) -> String {
    ops.iter().fold(String::new(), |mut text, op| {
        // Into memory: cannot fail.
        let _ = writeln!(text, "{op}");
        text
    })
}

/// Prints the rule lines from the kernel's table to the file's; 1 if there are any.
///
/// # Errors
/// The file is wrong, or the kernel cannot be read: both are trouble, status 2, as in diff(1).
pub fn run_diff(args: &DiffArgs) -> Result<u8, Failure> {
    go_by(args.config_id.clone());
    let want = source::table(&args.file, args.purpose)?;
    let trouble = |text: String| Failure::Usage(text);
    let mut client = Client::open().map_err(|e| trouble(e.to_string()))?;
    let now = client.read().map_err(|e| trouble(e.text))?;
    let ops = diff(&now, &want, &scope(args.purpose.prune));
    print(&lines(&ops))?;
    Ok(u8::from(!ops.is_empty()))
}

/// Makes the kernel's table the file's.
///
/// # Errors
/// The file is wrong, another program keeps the table, a signal came, or the kernel refused something: then what was
/// done, what was not and why is in the failure.
pub fn run(args: &Args) -> Result<u8, Failure> {
    go_by(args.config_id.clone());
    let want = source::table(&args.file, args.purpose)?;
    let mut client = Client::open()?;
    let scope = scope(args.purpose.prune);
    if args.dry_run {
        let now = client.read()?;
        print(&lines(&diff(&now, &want, &scope)))?;
        return Ok(0);
    }
    let signals = Signals::new(&[Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP])
        .map_err(|e| Failure::File("signals".to_owned(), e))?;
    let _owner = claim()?;
    let ops = carry_out(&mut client, &want, &scope, args.rollback, &mut || ended(&signals))?;
    drained(&ops);
    print(&if ops.is_empty() { "nothing to do\n".to_owned() } else { lines(&ops) })?;
    Ok(0)
}

/// Says which servers a drain had taken out that serve again, and forgets what no longer holds.
fn drained(ops: &[Op]) {
    match Records::open().and_then(|records| records.after(ops)) {
        Ok(back) => {
            for op in back {
                complain("ipvsctl", &format!("{op}: it was drained, and has the file's weight again"));
            }
        }
        Err(e) => complain("ipvsctl", &format!("the weights before drains (/run/lvs): {e}")),
    }
}

/// The signal that has come, in words; the next one ends the program at once.
fn ended(signals: &Signals) -> Option<String> {
    let signal = signals.next().ok()??;
    // If that fails, the next one waits too: the table comes first.
    let _ = signals.give_back();
    Some(format!("ended by {signal}"))
}

/// Whoever keeps the table true would undo what we do.
fn claim() -> Result<Owner, Failure> {
    Owner::claim("ipvsctl apply").map_err(|e| match e {
        OwnerError::Taken(who) => Failure::Refused(format!(
            "{who} keeps this table and would undo the change: change its file instead, or stop it first"
        )),
        other @ OwnerError::File { .. } => Failure::Refused(other.to_string()),
    })
}

#[cfg(test)]
mod tests;
