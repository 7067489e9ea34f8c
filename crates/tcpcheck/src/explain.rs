//! `--explain`: what a watch would do, in words and as rule lines.

use std::io::{self, Write};

use lvs_core::conf::Config;
use lvs_core::plan::{Scope, diff};
use lvs_core::table::Table;
use lvs_core::time::Time;

use crate::drains::Drains;
use crate::monitor::{Monitor, Remembered, name};
use crate::options::Options;
use crate::roster::{User, servers};

/// Writes the schedule of every check and the rule lines that would be sent to a table that was `found`.
///
/// # Errors
/// The output cannot be written.
pub fn tell(
    config: Config,
    options: Options,
    drains: Drains,
    found: &Table,
    mut out: impl Write,
) -> io::Result<()> {
    let remembered = Remembered { drains, ..Remembered::default() };
    let (monitor, _) = Monitor::start(config, options, remembered, found, 0, Time::ZERO);
    for (user, vs, server) in servers(monitor.config()) {
        if user.rs == 0 {
            writeln!(out, "# {}: quorum {}, hysteresis {}", name(vs), *vs.quorum, *vs.hysteresis)?;
        }
        checks(&monitor, user, &format!("#   {}", *server.endpoint), &mut out)?;
    }
    for op in diff(found, &monitor.table(), &Scope::wanted()) {
        writeln!(out, "{op}")?;
    }
    Ok(())
}

fn checks(monitor: &Monitor, user: User, server: &str, out: &mut impl Write) -> io::Result<()> {
    let mut any = false;
    for check in monitor.checks_of(user) {
        any = true;
        write!(out, "{server}: {} {}", check.identity.task, check.identity.schedule)?;
        match check.users.len() {
            1 => writeln!(out)?,
            n => writeln!(out, " (one check for {n} services)")?,
        }
    }
    if any { Ok(()) } else { writeln!(out, "{server}: no check, always in the table") }
}
