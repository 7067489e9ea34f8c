//! Bounds what a flood of the same event can write to the log.

use std::time::Duration;

use crate::time::Time;

/// Lets the first one through, and then one an interval with the number of those held back.
#[derive(Clone, Copy, Debug, Default)]
pub struct Gate {
    open: Option<Time>,
    held: u64,
}

impl Gate {
    /// Between two lines about the same thing.
    pub const INTERVAL: Duration = Duration::from_secs(60);

    /// Whether this one may pass; then how many were held back before it.
    pub fn pass(&mut self, now: Time) -> Option<u64> {
        self.pass_all(1, now)
    }

    /// The same of so many at once.
    pub fn pass_all(&mut self, count: u64, now: Time) -> Option<u64> {
        if self.open.is_some_and(|open| now < open) {
            self.held += count;
            return None;
        }
        self.open = Some(now + Self::INTERVAL);
        Some(std::mem::take(&mut self.held))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_an_interval_and_nothing_forgotten() {
        let mut gate = Gate::default();
        let at = |s: u64| Time::ZERO + Duration::from_secs(s);
        assert_eq!(gate.pass(at(0)), Some(0));
        assert_eq!((1..60).filter_map(|s| gate.pass(at(s))).count(), 0);
        assert_eq!(gate.pass(at(60)), Some(59));
        assert_eq!(gate.pass_all(3, at(61)), None);
        assert_eq!(gate.pass_all(2, at(120)), Some(3));
    }
}
