//! `ipvsctl apply` and `ipvsctl diff`: from the table that is to the one in a file, with the least change.

use std::fmt::Write;

use lvs_core::ipvs::{Ipvs, IpvsError};
use lvs_core::plan::{Op, Scope, diff};
use lvs_core::sys::owner::{Owner, OwnerError};
use lvs_core::table::Table;

use crate::source::{self, Purpose};
use crate::verbs::{Failure, open, print};

/// The options of `apply`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// keepalived.conf, the JSON of 'list --json', or rule lines; - is standard input
    file: String,
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
    let want = source::table(&args.file, args.purpose)?;
    let trouble = |text: String| Failure::Usage(text);
    let mut client = open().map_err(|e| trouble(e.to_string()))?;
    let now = client.read().map_err(|e| trouble(e.text))?;
    let ops = diff(&now, &want, &scope(args.purpose.prune));
    print(&lines(&ops))?;
    Ok(u8::from(!ops.is_empty()))
}

/// Makes the kernel's table the file's.
///
/// # Errors
/// The file is wrong, another program keeps the table, or the kernel refused something: then what was done, what was
/// not and why is in the failure.
pub fn run(args: &Args) -> Result<u8, Failure> {
    let want = source::table(&args.file, args.purpose)?;
    let mut client = open()?;
    if args.dry_run {
        let now = client.read()?;
        print(&lines(&diff(&now, &want, &scope(args.purpose.prune))))?;
        return Ok(0);
    }
    let _owner = claim()?;
    let report = carry_out(&mut client, &want, &scope(args.purpose.prune), args.rollback)?;
    print(&report)?;
    Ok(0)
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

/// Reads, writes the difference, reads again and proves that it holds; what was done, as text.
pub(crate) fn carry_out(
    kernel: &mut impl Ipvs,
    want: &Table,
    scope: &Scope,
    rollback: bool,
) -> Result<String, Failure> {
    let before = kernel.read()?;
    let ops = diff(&before, want, scope);
    if ops.is_empty() {
        return Ok("nothing to do\n".to_owned());
    }
    let results = kernel.apply(&ops);
    if results.iter().any(Result::is_err) {
        let mut text = told(&ops, &results);
        if rollback {
            text.push_str(&roll_back(kernel, &before, want)?);
        }
        return Err(Failure::Refused(text));
    }
    let rest = diff(&kernel.read()?, want, scope);
    if rest.is_empty() {
        return Ok(lines(&ops));
    }
    let text = "the kernel took every operation, but its table is not the file's; still missing:\n";
    Err(Failure::Refused(text.to_owned() + lines(&rest).trim_end()))
}

fn told(ops: &[Op], results: &[Result<(), IpvsError>]) -> String {
    let failed = results.iter().filter(|r| r.is_err()).count();
    let mut text = format!("{failed} of {} operations failed", ops.len());
    for (op, result) in ops.iter().zip(results) {
        let _ = match result {
            Ok(()) => write!(text, "\n  done    {op}"),
            Err(e) => write!(text, "\n  FAILED  {op}: {e}"),
        };
    }
    text
}

/// Puts back what stood before under the services that the file names or that were there.
fn roll_back(kernel: &mut impl Ipvs, before: &Table, want: &Table) -> Result<String, Failure> {
    let ours = Scope::Services(want.services.keys().copied().collect());
    let ops = diff(&kernel.read()?, before, &ours);
    let results = kernel.apply(&ops);
    let rest = diff(&kernel.read()?, before, &ours);
    Ok(if rest.is_empty() {
        "\nrolled back: the table is as it was".to_owned()
    } else {
        format!("\nNOT rolled back: {}\nstill different:\n{}", told(&ops, &results), lines(&rest).trim_end())
    })
}

#[cfg(test)]
mod tests;
