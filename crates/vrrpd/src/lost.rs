//! When a master looks whether its routes and rules are still there.
//!
//! The kernel says that one was removed, but not that a route went with its interface or its source address; so each of these
//! is a reason to look. To look means to run a program, for which the elections wait: it is put off until what happens together
//! has happened, and [`rest`] lies between two.

use std::time::Duration;

use lvs_core::time::Time;

/// What happens together comes within this.
const TOGETHER: Duration = Duration::from_millis(20);
/// Between two looks.
const GAP: Duration = Duration::from_secs(1);
/// A machine on which `ip` is slow gives it no more than this part of the time.
const PART: u32 = 20;

/// How long not to run `ip` again for the same purpose, after it has taken so long.
pub fn rest(took: Duration) -> Duration {
    GAP.max(took * PART)
}

/// Of one virtual router.
#[derive(Clone, Copy, Debug, Default)]
pub struct Search {
    due: Option<Time>,
    free: Option<Time>,
}

impl Search {
    /// There is a reason to look.
    pub fn ask(&mut self, now: Time) {
        let free = self.free.map_or(now, |free| now.max(free));
        self.due.get_or_insert(free.max(now + TOGETHER));
    }

    /// When to look.
    pub fn deadline(&self) -> Option<Time> {
        self.due
    }

    /// Whether to look now.
    pub fn is_due(&self, now: Time) -> bool {
        self.due.is_some_and(|due| due <= now)
    }

    /// That was done, and took so long.
    pub fn done(&mut self, now: Time, took: Duration) {
        *self = Self { due: None, free: Some(now + rest(took)) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_reasons_are_one_look_and_a_flood_of_them_one_a_second() {
        let at = |ms: u64| Time::ZERO + Duration::from_millis(ms);
        let looks = |took: u64| {
            let mut search = Search::default();
            let looks = (0..6000_u64).filter(|ms| {
                search.ask(at(*ms));
                let due = search.is_due(at(*ms));
                if due {
                    search.done(at(*ms), Duration::from_millis(took));
                }
                due
            });
            let looks: Vec<u64> = looks.collect();
            assert!(search.deadline().is_some(), "the last reason counts too");
            looks
        };
        assert_eq!(looks(3), [20, 1020, 2020, 3020, 4020, 5020]);
        assert_eq!(looks(100), [20, 2020, 4020]);
    }
}
