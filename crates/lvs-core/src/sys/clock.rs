//! The only reader of the clock.

use nix::time::{ClockId, clock_gettime};

use crate::time::Time;

/// The monotonic clock now. It stands still while the machine sleeps, as do the peers' timers on it.
pub fn now() -> Time {
    // CLOCK_MONOTONIC is always there; a kernel without it cannot run us.
    clock_gettime(ClockId::CLOCK_MONOTONIC).map_or(Time::ZERO, |t| {
        let nanos = i128::from(t.tv_sec()) * 1_000_000_000 + i128::from(t.tv_nsec());
        Time::from_nanos(u64::try_from(nanos).unwrap_or(0))
    })
}

/// The time of day: since 1970, for people and for what leaves this machine; no decision hangs on it.
pub fn unix() -> std::time::Duration {
    clock_gettime(ClockId::CLOCK_REALTIME).map_or(std::time::Duration::ZERO, |t| {
        let (seconds, nanos) =
            (u64::try_from(t.tv_sec()).unwrap_or(0), u32::try_from(t.tv_nsec()).unwrap_or(0));
        std::time::Duration::new(seconds, nanos)
    })
}
