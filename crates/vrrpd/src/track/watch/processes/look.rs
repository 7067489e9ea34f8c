//! What /proc says about processes. The command line lies in the memory of its process: reading it waits while that one is
//! changing its memory, or is stuck in doing so.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use crate::track::process::Pattern;

/// Which processes to look at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Among {
    /// All there are.
    All,
    /// These.
    These(BTreeSet<u32>),
}

/// For each pattern the processes that count.
pub(super) fn look(proc: &Path, patterns: &[Pattern], among: &Among) -> Vec<BTreeSet<u32>> {
    let mut found = vec![BTreeSet::new(); patterns.len()];
    let pids = match among {
        Among::All => pids(proc),
        Among::These(pids) => pids.iter().copied().collect(),
    };
    for pid in pids {
        let Some(name) = name(proc, pid) else { continue };
        for (pattern, found) in patterns.iter().zip(&mut found) {
            if counts(proc, pid, &name, pattern) {
                found.insert(pid);
            }
        }
    }
    found
}

fn counts(proc: &Path, pid: u32, name: &str, pattern: &Pattern) -> bool {
    let line = if pattern.needs_command_line() {
        fs::read(proc.join(format!("{pid}/cmdline"))).unwrap_or_default()
    } else {
        Vec::new()
    };
    pattern.matches(name, &line)
}

/// The name in `/proc/PID/stat`; none when there is no such process, or it has ended and only waits to be collected.
fn name(proc: &Path, pid: u32) -> Option<String> {
    let bytes = fs::read(proc.join(format!("{pid}/stat"))).ok()?;
    let text = String::from_utf8_lossy(&bytes);
    // `PID (NAME) STATE ...`; the name itself can hold parentheses.
    let (open, close) = (text.find('(')?, text.rfind(')')?);
    let state = text.get(close + 2..)?.chars().next()?;
    let name = text.get(open + 1..close)?.to_owned();
    (!matches!(state, 'Z' | 'X')).then_some(name)
}

fn pids(proc: &Path) -> Vec<u32> {
    let entries = fs::read_dir(proc).into_iter().flatten().flatten();
    entries.filter_map(|e| e.file_name().to_str()?.parse().ok()).collect()
}
