//! The protocol's intervals (RFC 9568 6.1), and a router's timers as data.

use std::time::Duration;

use lvs_core::time::Time;

use crate::packet::Version;
use crate::params::Params;

/// The smallest step of the skew: an interval (version 3) or a second (version 2) has 256.
const STEPS: u64 = 256;

/// How much later than three intervals a backup acts: the higher its priority, the sooner.
pub fn skew(version: Version, priority: u8, master_interval: Duration) -> Duration {
    let whole = match version {
        Version::V2 => Duration::from_secs(1),
        Version::V3 => master_interval,
    };
    let nanos = u64::try_from(whole.as_nanos()).unwrap_or(u64::MAX);
    Duration::from_nanos(nanos.saturating_mul(STEPS - u64::from(priority)) / STEPS)
}

/// How long a master may be silent before a backup replaces it.
pub fn master_down(params: &Params, priority: u8, master_interval: Duration) -> Duration {
    master_interval * params.down_adverts + skew(params.version, priority, master_interval)
}

/// The longest that a successor needs after priority 0: the skew of the lowest priority, and one interval until it
/// has surely been heard.
pub fn handover(params: &Params) -> Duration {
    skew(params.version, 1, params.interval) + params.interval
}

/// When a router wants to be called again, and what for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Timers {
    /// The next advertisement.
    pub advert: Option<Time>,
    /// The master has been silent for too long.
    pub down: Option<Time>,
    /// A lower master has been tolerated long enough.
    pub preempt: Option<Time>,
    /// The second burst of gratuitous ARP.
    pub garp: Option<Time>,
    /// The next refresh of gratuitous ARP.
    pub refresh: Option<Time>,
    /// The next gratuitous ARP on other interfaces.
    pub extra: Option<Time>,
    /// Unicast peers that are silent are asked for again.
    pub seek: Option<Time>,
    /// The end of a handover.
    pub leave: Option<Time>,
    /// The addresses of a master that was outdone go.
    pub drop: Option<Time>,
    /// Gratuitous ARP after the end of a handover.
    pub last_word: Option<Time>,
}

impl Timers {
    /// The earliest of all.
    pub fn next(&self) -> Option<Time> {
        // `preempt` is looked at when an advertisement comes; nothing happens at its own moment.
        let all = [
            self.advert,
            self.down,
            self.garp,
            self.refresh,
            self.extra,
            self.seek,
            self.leave,
            self.drop,
            self.last_word,
        ];
        all.into_iter().flatten().min()
    }

    /// Whether a timer has come; it is taken if so.
    pub fn take(timer: &mut Option<Time>, now: Time) -> Option<Time> {
        timer.take_if(|t| *t <= now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_skew_of_version_2_is_a_part_of_a_second_and_of_version_3_of_the_interval() {
        let tenth = Duration::from_millis(100);
        assert_eq!(skew(Version::V2, 100, tenth), Duration::from_micros(609_375));
        assert_eq!(skew(Version::V3, 100, tenth), Duration::from_nanos(60_937_500));
        assert_eq!(skew(Version::V3, 255, Duration::from_secs(1)), Duration::from_nanos(3_906_250));
    }

    #[test]
    fn a_higher_priority_waits_less_and_three_intervals_at_least() {
        let params = Params::default();
        let waits: Vec<Duration> = (1..=254).map(|p| master_down(&params, p, params.interval)).collect();
        assert!(waits.windows(2).all(|w| w[0] > w[1]));
        assert_eq!(waits[99], Duration::from_nanos(3_609_375_000));
        assert!(waits.iter().all(|w| *w > Duration::from_secs(3) && *w < Duration::from_secs(4)));
    }

    #[test]
    fn a_timer_that_has_come_is_taken_once() {
        let mut timer = Some(Time::from_nanos(5));
        assert_eq!(Timers::take(&mut timer, Time::from_nanos(4)), None);
        assert_eq!(Timers::take(&mut timer, Time::from_nanos(5)), Some(Time::from_nanos(5)));
        assert_eq!(timer, None);
    }
}
