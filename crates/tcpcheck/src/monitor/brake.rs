//! The brake: when too many servers die at once, the fault is more likely ours than theirs.

use lvs_core::desired::ServerHealth;
use lvs_core::time::Time;

/// Keeps dead servers in the table that would make more than `percent` of all go; those that are not in it have gone, of
/// the others the first to die go first. Returns how many are kept if that number changed. One may always go.
pub(super) fn apply(
    servers: &mut [ServerHealth],
    percent: u8,
    serves: impl Fn(usize) -> bool,
    died: impl Fn(usize) -> Time,
) -> Option<usize> {
    let before = servers.iter().filter(|h| h.kept).count();
    let may_go = (servers.len() * usize::from(percent) / 100).max(1);
    let mut dead: Vec<_> = (0..servers.len()).filter(|r| !servers[*r].up).collect();
    dead.sort_by_key(|r| (serves(*r), died(*r), *r));
    servers.iter_mut().for_each(|h| h.kept = false);
    // The brake holds what there is: to add a dead server would send clients where none were sent.
    for r in dead.iter().skip(may_go).filter(|r| serves(**r)) {
        servers[*r].kept = true;
    }
    let kept = servers.iter().filter(|h| h.kept).count();
    (kept != before).then_some(kept)
}
