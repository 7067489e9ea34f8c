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
