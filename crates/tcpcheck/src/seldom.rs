//! What is said again and again, but not all the time.

use std::time::Duration;

use lvs_core::time::Time;

/// Between two times that the same is said.
const PAUSE: Duration = Duration::from_secs(60);

/// When something was last said.
#[derive(Clone, Copy, Debug, Default)]
pub struct Seldom(Option<Time>);

impl Seldom {
    /// Whether it is to be said now; then not for a minute.
    pub fn is_due(&mut self, now: Time) -> bool {
        let due = self.0.is_none_or(|last| now.since(last) >= PAUSE);
        if due {
            self.0 = Some(now);
        }
        due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn once_a_minute() {
        let mut seldom = Seldom::default();
        let said = (0..150).filter(|n| seldom.is_due(Time::from_nanos(n * 1_000_000_000)));
        assert_eq!(said.collect::<Vec<_>>(), [0, 60, 120]);
    }
}
