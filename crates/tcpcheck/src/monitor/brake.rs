//! The brake: when too many servers die at once, the fault is more likely ours than theirs.

use lvs_core::desired::ServerHealth;
use lvs_core::time::Time;

/// Keeps dead servers in the table that would make more than `percent` of all go; the first to die go first.
/// Returns how many are kept if that number changed. One may always go.
pub(super) fn apply(
    servers: &mut [ServerHealth],
    percent: u8,
    died: impl Fn(usize) -> Time,
) -> Option<usize> {
    let before = servers.iter().filter(|h| h.kept).count();
    let may_go = (servers.len() * usize::from(percent) / 100).max(1);
    let mut dead: Vec<_> = (0..servers.len()).filter(|r| !servers[*r].up).collect();
    dead.sort_by_key(|r| (died(*r), *r));
    servers.iter_mut().for_each(|h| h.kept = false);
    for r in dead.iter().skip(may_go) {
        servers[*r].kept = true;
    }
    let kept = dead.len().saturating_sub(may_go);
    (kept != before).then_some(kept)
}
