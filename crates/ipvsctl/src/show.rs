//! `ipvsctl list`: everything that the kernel tells.

use std::io::{self, BufWriter, Write};

use lvs_core::rule::{Dialect, Numeric};
use lvs_core::sys::ipvs::Client;

use crate::document::View;
use crate::failure::Failure;
use crate::layout::{Columns, Layout, heading};
use crate::list::{Print, daemon};
use crate::out::print;
use crate::snapshot::Snapshot;

/// The options of `list`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// As JSON (schema/list.schema.json), which 'apply' and 'diff' read
    #[arg(long)]
    json: bool,
}

/// Reads the table and prints it.
///
/// # Errors
/// The kernel refused to tell.
pub fn run(args: &Args) -> Result<u8, Failure> {
    let snapshot = Snapshot::read(&mut Client::open()?)?;
    if args.json {
        json(&View::from(&snapshot))?;
    } else {
        print(&text(&snapshot).map_err(|_| Failure::Refused("a value cannot be printed".to_owned()))?)?;
    }
    Ok(0)
}

fn json(document: &View<'_>) -> Result<(), Failure> {
    let mut out = BufWriter::with_capacity(64 * 1024, io::stdout().lock());
    let written = serde_json::to_writer_pretty(&mut out, document).map_err(io::Error::from);
    match written.and_then(|()| writeln!(out)).and_then(|()| out.flush()) {
        Err(e) if e.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::File("standard output".to_owned(), e))
        }
        _ => Ok(()),
    }
}

/// The table in the columns of -Ln, with thresholds where there are any, then the timeouts and
/// the daemons.
fn text(s: &Snapshot) -> Result<String, std::fmt::Error> {
    use std::fmt::Write;
    let layout = Layout { columns: Columns::TunInfo, exact: true, dialect: Dialect::Ours, spell: &Numeric };
    let mut out = String::new();
    heading(&mut out, s.info)?;
    layout.titles(&mut out)?;
    for entry in &s.entries {
        layout.service(&mut out, &entry.service)?;
        for server in &entry.servers {
            layout.server(&mut out, &entry.service.key, server)?;
            let (upper, lower) = (server.server.upper, server.server.lower);
            if upper != 0 || lower != 0 {
                writeln!(out, "       at most {upper} connections, again below {lower}")?;
            }
        }
    }
    let t = s.timeouts;
    writeln!(out, "timeouts: tcp {} s, tcp after fin {} s, udp {} s", t.tcp, t.tcp_fin, t.udp)?;
    s.daemons.iter().try_for_each(|d| daemon(&mut out, d))?;
    Ok(out)
}
