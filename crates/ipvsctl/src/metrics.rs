//! `ipvsctl metrics`: the table's counters in Prometheus' text exposition format.
//!
//! Names follow Prometheus' conventions (base units, `_total` on counters); the labels that name a service or a
//! server are those of node_exporter's ipvs collector, so that a dashboard needs only another prefix. Rates are
//! left out: Prometheus computes them from the counters.

mod family;
mod render;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

pub use family::{Kind, ServerFamily, ServiceFamily, server_families, service_families};
pub use render::render;

use crate::snapshot::Snapshot;
use crate::verbs::{Failure, open, print};

/// The options of `metrics`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Write FILE in one piece instead of standard output, as node_exporter's textfile collector needs it
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// Reads the table and writes its metrics.
///
/// # Errors
/// The kernel refused to tell, or the file cannot be written.
pub fn run(args: &Args) -> Result<u8, Failure> {
    let text = render(&Snapshot::read(&mut open()?)?);
    match &args.output {
        None => print(&text)?,
        Some(path) => replace(path, &text).map_err(|e| Failure::File(path.display().to_string(), e))?,
    }
    Ok(0)
}

/// Puts `text` into the file at once: a reader sees the old one or the new one, never half of it.
fn replace(path: &Path, text: &str) -> io::Result<()> {
    let mut name = path.file_name().ok_or(io::ErrorKind::InvalidInput)?.to_owned();
    // The collector reads *.prom only, so the half-written file must end otherwise.
    name.push(format!(".{}", std::process::id()));
    let half = path.with_file_name(name);
    let done = fs::write(&half, text).and_then(|()| fs::rename(&half, path));
    if done.is_err() {
        // What went wrong is told; that the rest could not be removed either adds nothing.
        let _ = fs::remove_file(&half);
    }
    done
}

#[cfg(test)]
mod tests;
