//! How often a check runs and how patient it is.

use std::fmt;
use std::time::Duration;

use lvs_core::time::Time;

/// Tries of one moment start together: fewer wake-ups, and a burst of tries costs less than each by itself. The coarsest
/// that fits is taken; each divides those before it and the usual intervals.
const GRIDS: [Duration; 3] = [Duration::from_millis(10), Duration::from_millis(5), Duration::from_millis(1)];

/// The times and counts of one check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Schedule {
    /// Between two tries while all is well (delay_loop).
    pub interval: Duration,
    /// The most that one try may take (connect_timeout).
    pub timeout: Duration,
    /// Tries after the first failed one before the server is dead (retry, nb_get_retry).
    pub retries: u32,
    /// From a failed try's end to the next try (delay_before_retry).
    pub retry_delay: Duration,
    /// The first try comes at a random moment within this time (warmup).
    pub warmup: Duration,
    /// Passed tries in a row that bring a dead server back.
    pub rise: u32,
    /// Makes a server that keeps dying wait longer each time.
    pub hold: Option<Hold>,
    /// A try comes up to this share of the interval early, by chance.
    pub jitter_percent: u8,
}

/// The wait of a server that dies again and again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Hold {
    /// The wait after the second death; it doubles with each further one.
    pub base: Duration,
    /// The longest wait; a server that lived longer than this starts anew.
    pub most: Duration,
}

impl Default for Schedule {
    /// keepalived's defaults for TCP_CHECK.
    fn default() -> Self {
        Self {
            interval: Duration::from_secs(60),
            timeout: Duration::from_secs(5),
            retries: 1,
            retry_delay: Duration::from_secs(1),
            warmup: Duration::from_secs(60),
            rise: 1,
            hold: None,
            jitter_percent: 5,
        }
    }
}

impl Schedule {
    /// Between two tries of a dead server: the shorter of delay_before_retry and delay_loop.
    pub fn pause(&self) -> Duration {
        // Never a busy loop, whatever the file says.
        self.retry_delay.min(self.interval).max(Duration::from_millis(10))
    }

    /// The longest time from a server's death to its removal when its host refuses connections.
    pub fn removal_if_refused(&self) -> Duration {
        self.interval + self.retry_delay * self.retries
    }

    /// The longest time from a server's death to its removal when nothing answers.
    pub fn removal_if_silent(&self) -> Duration {
        self.removal_if_refused() + self.timeout * (self.retries + 1)
    }

    /// `when`, moved back to the common grid if that is at most a hundredth of the interval and still ahead of `now`.
    pub fn on_grid(&self, now: Time, when: Time) -> Time {
        let Some(grid) = GRIDS.into_iter().find(|grid| *grid * 100 <= self.interval) else { return when };
        let grid = grid.as_nanos() as u64;
        let back = Time::from_nanos(when.as_nanos() / grid * grid);
        if back > now { back } else { when }
    }
}

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (refused, silent) = (self.removal_if_refused(), self.removal_if_silent());
        write!(f, "every {:?}, {:?} for an answer, ", self.interval, self.timeout)?;
        write!(f, "{} more tries {:?} apart: ", self.retries, self.retry_delay)?;
        write!(f, "dead after at most {refused:?} (refused) or {silent:?} (silent), ")?;
        write!(f, "back within {:?}", self.pause() * self.rise)?;
        match self.hold {
            Some(hold) => write!(f, ", held down for {:?} or more from its second death on", hold.base),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Where the grid has a try of 1237567 us, by the interval in milliseconds.
    fn moved(interval: u64, now: u64) -> u64 {
        let schedule = Schedule { interval: Duration::from_millis(interval), ..Schedule::default() };
        let at = |us: u64| Time::from_nanos(us * 1000);
        schedule.on_grid(at(now), at(1_237_567)).as_nanos() / 1000
    }

    #[test]
    fn a_try_comes_at_most_a_hundredth_of_the_interval_early() {
        for interval in [60_000, 1000] {
            assert_eq!(moved(interval, 0), 1_230_000);
        }
        for interval in [999, 500] {
            assert_eq!(moved(interval, 0), 1_235_000);
        }
        assert_eq!(moved(499, 0), 1_237_000);
        assert_eq!(moved(100, 0), 1_237_000);
        assert_eq!(moved(99, 0), 1_237_567);
    }

    #[test]
    fn a_try_is_not_moved_into_the_past() {
        assert_eq!(moved(1000, 1_230_000), 1_237_567);
        assert_eq!(moved(1000, 1_229_999), 1_230_000);
    }
}
