//! Programs of a director that run in this network namespace.

use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// Their names; a process may add a word of its own (`keepalived_vrrp`).
const NAMES: [&str; 2] = ["vrrpd", "keepalived"];

/// The names of those that run here.
pub(super) fn look() -> Vec<String> {
    let Ok(processes) = fs::read_dir("/proc") else { return Vec::new() };
    let mut found: Vec<_> =
        processes.filter_map(|process| name(&process.ok()?.path())).map(str::to_owned).collect();
    found.sort_unstable();
    found.dedup();
    found
}

/// The name, if it is one of theirs and the process is here.
fn name(process: &Path) -> Option<&'static str> {
    let comm = fs::read_to_string(process.join("comm")).ok()?;
    let name = NAMES.into_iter().find(|name| comm.starts_with(name))?;
    is_here(process).then_some(name)
}

/// Whether a process is in this network namespace. Of one that must not be looked at (by others than root) it is assumed;
/// one that has ended has no namespace.
fn is_here(process: &Path) -> bool {
    let namespace =
        |process: &Path| fs::metadata(process.join("ns/net")).map(|meta| (meta.dev(), meta.ino()));
    match (namespace(process), namespace(Path::new("/proc/self"))) {
        (Ok(its), Ok(ours)) => its == ours,
        (Err(e), _) => e.kind() != ErrorKind::NotFound,
        (_, Err(_)) => true,
    }
}
