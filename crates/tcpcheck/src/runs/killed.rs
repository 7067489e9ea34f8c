//! Commands that were killed and have not ended yet.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use lvs_core::time::Time;

use crate::task::Misc;

/// So long a killed process may take to end; one that takes longer hangs in the kernel.
const GRACE: Duration = Duration::from_secs(1);

/// What was killed, by its number, and when. One that hangs on a dead NFS server cannot be killed until that lives again:
/// to start it anew at each try would leave one more process behind each time.
#[derive(Debug, Default)]
pub(super) struct Killed(BTreeMap<u64, (Arc<Misc>, Time)>);

impl Killed {
    pub(super) fn add(&mut self, number: u64, misc: Arc<Misc>, now: Time) {
        self.0.insert(number, (misc, now));
    }

    pub(super) fn ended(&mut self, number: u64) {
        self.0.remove(&number);
    }

    /// Whether the same command hangs.
    pub(super) fn hangs(&self, misc: &Misc, now: Time) -> bool {
        self.0.values().any(|(m, since)| **m == *misc && now.since(*since) >= GRACE)
    }
}

#[cfg(test)]
mod tests {
    use lvs_core::conf::At;
    use lvs_core::conf::model::Command;

    use super::*;

    fn misc(word: &str) -> Arc<Misc> {
        let command = Command { argv: At::assumed(vec![word.to_owned()]), user: None, group: None };
        Arc::new(Misc { command, dynamic: false })
    }

    #[test]
    fn what_hangs_holds_up_its_own_command_alone_and_until_it_has_ended() {
        let (stuck, other) = (misc("/nfs/check"), misc("/bin/true"));
        let mut killed = Killed::default();
        let at = |ms: u64| Time::from_nanos(ms * 1_000_000);
        killed.add(7, Arc::clone(&stuck), at(5000));
        assert!(!killed.hangs(&stuck, at(5999)), "a process takes a moment to end");
        assert!(killed.hangs(&stuck, at(6000)) && killed.hangs(&stuck, at(60_000)));
        assert!(!killed.hangs(&other, at(60_000)));
        killed.ended(7);
        assert!(!killed.hangs(&stuck, at(60_000)));
    }

    #[test]
    fn a_command_that_hangs_for_ever_leaves_no_pile_of_processes() {
        let stuck = misc("/nfs/check");
        let mut killed = Killed::default();
        let mut started = 0;
        // Every 300 ms for an hour, each killed at once.
        for n in 0..12_000 {
            let now = Time::from_nanos(n * 300_000_000);
            if !killed.hangs(&stuck, now) {
                started += 1;
                killed.add(n, Arc::clone(&stuck), now);
            }
        }
        assert_eq!(started, 4, "those of the first second");
    }
}
