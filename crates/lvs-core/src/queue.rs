//! Scripts about the same thing, one after the other.
//!
//! A script begins when the one before has ended, so that what it leaves behind is the last state and not that of
//! whichever ran longest. One that does not end in time is left behind.

use std::collections::VecDeque;
use std::time::Duration;

use crate::time::Time;

/// So long the next script waits for the one before.
pub const PATIENCE: Duration = Duration::from_secs(30);
/// Scripts that wait in one queue; what flaps must not fill the memory.
const LONGEST: usize = 64;

/// The scripts about one thing, one after the other.
#[derive(Clone, Debug)]
pub struct Queue<T> {
    waiting: VecDeque<T>,
    /// The number of the one that runs, and until when the next one waits for it.
    running: Option<(u64, Time)>,
    lost: u64,
}

impl<T> Default for Queue<T> {
    fn default() -> Self {
        Self { waiting: VecDeque::new(), running: None, lost: 0 }
    }
}

impl<T> Queue<T> {
    /// Adds a script; when too many wait, the oldest is given up.
    pub fn push(&mut self, script: T) {
        if self.waiting.len() >= LONGEST {
            self.waiting.pop_front();
            self.lost += 1;
        }
        self.waiting.push_back(script);
    }

    /// The script to start now, if none runs; [`Queue::started`] follows.
    pub fn take(&mut self) -> Option<T> {
        if self.running.is_some() { None } else { self.waiting.pop_front() }
    }

    /// A script was started under this number.
    pub fn started(&mut self, number: u64, now: Time) {
        self.running = Some((number, now + PATIENCE));
    }

    /// A script has ended; true when it was this queue's.
    pub fn ended(&mut self, number: u64) -> bool {
        self.running.take_if(|(n, _)| *n == number).is_some()
    }

    /// Whether the one that runs has taken so long that the next one does not wait any more. It goes on.
    pub fn out_of_patience(&mut self, now: Time) -> bool {
        self.running.take_if(|(_, until)| *until <= now).is_some()
    }

    /// When it wants [`Queue::out_of_patience`].
    pub fn deadline(&self) -> Option<Time> {
        self.running.map(|(_, until)| until)
    }

    /// Whether a script waits.
    pub fn is_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Whether nothing waits or runs.
    pub fn is_idle(&self) -> bool {
        self.waiting.is_empty() && self.running.is_none()
    }

    /// Scripts given up since the last call.
    pub fn take_lost(&mut self) -> u64 {
        std::mem::take(&mut self.lost)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scripts_of_a_queue_follow_each_other() {
        let mut q = Queue::default();
        q.push("a");
        q.push("b");
        assert_eq!(q.take(), Some("a"));
        q.started(1, Time::ZERO);
        assert_eq!(q.take(), None, "the first one runs");
        assert!(!q.ended(2) && q.ended(1));
        assert_eq!(q.take(), Some("b"));
        assert!(q.is_idle());
    }

    #[test]
    fn one_that_does_not_end_is_waited_for_no_longer_than_30_s() {
        let mut q = Queue::default();
        q.push("forever");
        q.take();
        q.started(1, Time::ZERO);
        q.push("next");
        let end = Time::ZERO + PATIENCE;
        assert_eq!(q.deadline(), Some(end));
        assert!(!q.out_of_patience(Time::from_nanos(end.as_nanos() - 1)) && q.out_of_patience(end));
        assert_eq!(q.take(), Some("next"));
        assert!(!q.ended(1), "nobody waits for it any more");
    }

    #[test]
    fn what_flaps_cannot_fill_the_memory_and_the_newest_stay() {
        let mut q = Queue::default();
        for i in 0..1000 {
            q.push(i);
        }
        assert_eq!((q.take(), q.take_lost(), q.take_lost()), (Some(1000 - 64), 1000 - 64, 0));
    }
}
