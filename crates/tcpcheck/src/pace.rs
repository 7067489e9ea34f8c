//! When changes reach the table: the first at once, those that follow closely together.

use std::time::Duration;

use lvs_core::time::Time;

/// Changes of so short a time reach the table together: where a thousand servers die, a hundred writes a second.
const TOGETHER: Duration = Duration::from_millis(10);

/// The pace of the writes.
#[derive(Clone, Copy, Debug, Default)]
pub struct Pace {
    /// None yet is as good as long ago.
    last: Time,
}

impl Pace {
    /// When the next write is due, if there is news; a moment that has passed means at once.
    pub fn due(&self, news: bool) -> Option<Time> {
        news.then(|| self.last + TOGETHER)
    }

    /// Notes a write.
    pub fn wrote(&mut self, now: Time) {
        self.last = now;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(n: u64) -> Time {
        Time::from_nanos(n * 1_000_000)
    }

    /// The moments of the writes when there is news at these moments.
    fn writes(news: &[u64]) -> Vec<u64> {
        let (mut pace, mut at, mut waiting) = (Pace::default(), Vec::new(), false);
        for now in 1000..2000 {
            waiting |= news.contains(&now);
            if pace.due(waiting).is_some_and(|due| due <= ms(now)) {
                pace.wrote(ms(now));
                waiting = false;
                at.push(now);
            }
        }
        at
    }

    #[test]
    fn the_first_change_is_written_at_once_and_those_of_the_next_10_ms_together() {
        assert_eq!(writes(&[1100]), [1100]);
        assert_eq!(writes(&[1100, 1101, 1105, 1109]), [1100, 1110]);
        assert_eq!(writes(&[1100, 1110]), [1100, 1110]);
        assert_eq!(writes(&[1100, 1103, 1111, 1150]), [1100, 1110, 1120, 1150]);
    }

    #[test]
    fn a_thousand_changes_in_a_row_are_a_hundred_writes_a_second() {
        assert_eq!(writes(&(1000..2000).collect::<Vec<_>>()).len(), 100);
    }

    #[test]
    fn without_news_nothing_is_due() {
        assert_eq!(Pace::default().due(false), None);
    }
}
