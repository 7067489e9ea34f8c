//! Carrying out: the difference in batches, proof that it holds, and the way back.

use std::fmt::Write;

use lvs_core::ipvs::{Ipvs, IpvsError};
use lvs_core::plan::{Op, Scope, diff};
use lvs_core::sys::ipvs::BATCH;
use lvs_core::table::Table;

use super::lines;
use crate::failure::Failure;

/// Asked before each batch: why to stop there, if at all.
type Stop<'a> = &'a mut dyn FnMut() -> Option<String>;

/// Reads, writes the difference, reads again and proves that it holds; what was done.
pub(super) fn carry_out(
    kernel: &mut impl Ipvs,
    want: &Table,
    scope: &Scope,
    rollback: bool,
    stop: Stop<'_>,
) -> Result<Vec<Op>, Failure> {
    let before = kernel.read()?;
    let ops = diff(&before, want, scope);
    let (results, stopped) = write(kernel, &ops, stop);
    if stopped.is_some() || results.iter().any(Result::is_err) {
        let mut text = told(&ops, &results, stopped.as_deref());
        if rollback {
            text.push_str(&roll_back(kernel, &before, want, stop)?);
        } else if results.iter().any(Result::is_ok) {
            text.push_str("\nwhat is done stays; --rollback puts the table back when an apply fails");
        }
        return Err(Failure::Refused(text));
    }
    let rest = if ops.is_empty() { Vec::new() } else { diff(&kernel.read()?, want, scope) };
    if rest.is_empty() {
        return Ok(ops);
    }
    let text = "the kernel took every operation, but its table is not the file's; still missing:\n";
    Err(Failure::Refused(text.to_owned() + lines(&rest).trim_end()))
}

/// Writes batch after batch. A batch is never cut, so that what was done is known; one result for each operation that
/// was tried, and why the rest was not.
fn write(kernel: &mut impl Ipvs, ops: &[Op], stop: Stop<'_>) -> (Vec<Result<(), IpvsError>>, Option<String>) {
    let mut results = Vec::with_capacity(ops.len());
    for batch in ops.chunks(BATCH) {
        if let Some(why) = stop() {
            return (results, Some(why));
        }
        results.extend(kernel.apply(batch));
    }
    (results, None)
}

fn told(ops: &[Op], results: &[Result<(), IpvsError>], stopped: Option<&str>) -> String {
    let failed = results.iter().filter(|r| r.is_err()).count();
    let mut text = match stopped {
        Some(why) => format!("{why}: {} of {} operations were done", results.len() - failed, ops.len()),
        None => format!("{failed} of {} operations failed", ops.len()),
    };
    for (i, op) in ops.iter().enumerate() {
        // Into memory: cannot fail.
        let _ = match results.get(i) {
            Some(Ok(())) => write!(text, "\n  done      {op}"),
            Some(Err(e)) => write!(text, "\n  FAILED    {op}: {e}"),
            None => write!(text, "\n  not done  {op}"),
        };
    }
    text
}

/// Puts back what stood before under the services that the file names or that were there. It is not stopped half-way, but
/// a second signal is heard.
fn roll_back(
    kernel: &mut impl Ipvs,
    before: &Table,
    want: &Table,
    stop: Stop<'_>,
) -> Result<String, Failure> {
    let ours = Scope::Services(want.services.keys().copied().collect());
    let ops = diff(&kernel.read()?, before, &ours);
    let (results, _) = write(kernel, &ops, &mut || {
        stop();
        None
    });
    let rest = diff(&kernel.read()?, before, &ours);
    Ok(if rest.is_empty() {
        "\nrolled back: the table is as it was".to_owned()
    } else {
        let told = told(&ops, &results, None);
        format!("\nNOT rolled back: {told}\nstill different:\n{}", lines(&rest).trim_end())
    })
}
