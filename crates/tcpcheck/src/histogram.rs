//! How long good tries took.

use std::time::Duration;

/// Upper bounds in seconds.
pub const BOUNDS: [f64; 13] =
    [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 10.0];

/// Counts by duration.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Histogram {
    counts: [u64; BOUNDS.len()],
    count: u64,
    sum: f64,
}

impl Histogram {
    /// Counts one.
    pub fn add(&mut self, took: Duration) {
        let seconds = took.as_secs_f64();
        if let Some(i) = BOUNDS.iter().position(|b| seconds <= *b) {
            self.counts[i] += 1;
        }
        self.count += 1;
        self.sum += seconds;
    }

    /// For each bound how many took at most that long.
    pub fn cumulative(&self) -> impl Iterator<Item = u64> {
        self.counts.iter().scan(0, |sum, n| {
            *sum += n;
            Some(*sum)
        })
    }

    /// All of them.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Seconds together.
    pub fn sum(&self) -> f64 {
        self.sum
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_counted_in_every_bucket_that_holds_it() {
        let mut h = Histogram::default();
        for ms in [0, 1, 2, 20_000] {
            h.add(Duration::from_millis(ms));
        }
        let counts: Vec<_> = h.cumulative().collect();
        assert_eq!(counts, [1, 1, 1, 2, 3, 3, 3, 3, 3, 3, 3, 3, 3]);
        assert_eq!((h.count(), h.sum()), (4, 20.003));
    }
}
