//! Time as a value: no decision asks what time it is, it is told.

use std::ops::{Add, Sub};
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// A moment on the machine's monotonic clock, in nanoseconds since an arbitrary start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Time(u64);

impl Time {
    /// The clock's start; tests and simulations begin here.
    pub const ZERO: Self = Self(0);

    /// The moment `nanos` nanoseconds after the start.
    pub const fn from_nanos(nanos: u64) -> Self {
        Self(nanos)
    }

    /// Nanoseconds since the start.
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// How long ago `earlier` was; zero if it lies ahead.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}

impl Add<Duration> for Time {
    type Output = Self;

    fn add(self, d: Duration) -> Self {
        Self(self.0.saturating_add(u64::try_from(d.as_nanos()).unwrap_or(u64::MAX)))
    }
}

impl Sub for Time {
    type Output = Duration;

    fn sub(self, earlier: Self) -> Duration {
        self.since(earlier)
    }
}

/// Not before the clock's start.
impl Sub<Duration> for Time {
    type Output = Self;

    fn sub(self, d: Duration) -> Self {
        Self(self.0.saturating_sub(u64::try_from(d.as_nanos()).unwrap_or(u64::MAX)))
    }
}

/// Reads a duration as the command lines take it: seconds with an optional unit (`2`, `0.5`, `2s`, `500ms`, `5m`).
///
/// # Errors
/// Not a duration, or more than a hundred years.
pub fn parse_duration(text: &str) -> Result<Duration, DurationError> {
    let bad = || DurationError(text.to_owned());
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = match &text[digits.len()..] {
        "us" => 1e-6,
        "ms" => 1e-3,
        "" | "s" => 1.0,
        "m" | "min" => 60.0,
        "h" => 3600.0,
        _ => return Err(bad()),
    };
    let plain = digits.chars().all(|c| c.is_ascii_digit() || c == '.');
    let number: f64 = digits.parse().ok().filter(|_| plain).ok_or_else(bad)?;
    let nanos = number * unit * 1e9;
    if nanos > 3.2e18 {
        return Err(bad());
    }
    // Rounded, so that 0.3 is 300 ms and not a nanosecond less.
    Ok(Duration::from_nanos(nanos.round() as u64))
}

/// A text that should be a duration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is not a duration: seconds with an optional unit, as 2, 0.5, 2s, 500ms or 5m")]
pub struct DurationError(String);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_seconds_unless_they_say_otherwise() {
        let ms = |text| parse_duration(text).map(|d| d.as_micros());
        assert_eq!(ms("2"), Ok(2_000_000));
        assert_eq!(ms("0.3"), Ok(300_000));
        assert_eq!(ms("2s"), Ok(2_000_000));
        assert_eq!(ms("500ms"), Ok(500_000));
        assert_eq!(ms("1.5m"), Ok(90_000_000));
        assert_eq!(ms("7us"), Ok(7));
        for bad in ["", "s", "-1", "+1", "1 s", "1d", "inf", "NaN", "1e3", "1.2.3", "9999999999999"] {
            assert!(parse_duration(bad).is_err(), "{bad}");
        }
    }
}
