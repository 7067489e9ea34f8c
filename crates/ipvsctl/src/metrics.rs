//! `ipvsctl metrics`: the table's counters in Prometheus' text exposition format.
//!
//! Names follow Prometheus' conventions (base units, `_total` on counters); the labels that name a service or a
//! server are those of node_exporter's ipvs collector, so that a dashboard needs only another prefix. Rates are
//! left out: Prometheus computes them from the counters.

mod family;
mod render;
mod write;

use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

pub use family::{ServerFamily, ServiceFamily, server_families, service_families};
pub use render::render;

use lvs_core::sys::ipvs::Client;

use crate::failure::Failure;
use crate::out::print;
use crate::snapshot::Snapshot;

/// Names that mean standard output, even where that is a file to which others write too.
const STANDARD_OUTPUT: [&[u8]; 2] = [b"-", b"/dev/stdout"];

/// The options of `metrics`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Write FILE in one piece, as node_exporter's textfile collector needs it; - is standard output
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// Reads the table and writes its metrics.
///
/// # Errors
/// The kernel refused to tell, or the file cannot be written.
pub fn run(args: &Args) -> Result<u8, Failure> {
    let text = render(&Snapshot::read(&mut Client::open()?)?);
    match args.output.as_deref() {
        Some(path) if !STANDARD_OUTPUT.contains(&path.as_os_str().as_bytes()) => {
            write::write(path, &text).map_err(|e| Failure::File(path.display().to_string(), e))?;
        }
        _ => print(&text)?,
    }
    Ok(0)
}

#[cfg(test)]
mod tests;
