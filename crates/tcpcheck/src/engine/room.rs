//! Descriptors for tries: how many are taken, and who waits for one.

use std::collections::VecDeque;
use std::io;

use lvs_core::sys::limit;

/// Descriptors that are not for tries: log, netlink, control connections, scripts.
const SPARE: u64 = 64;

/// The room that the limit of descriptors leaves for tries.
pub(super) struct Room {
    /// Due, but without a descriptor.
    queue: VecDeque<u32>,
    taken: usize,
    limit: usize,
    /// No descriptor was to be had although fewer than `limit` are taken.
    stuck: bool,
    short: bool,
}

impl Room {
    /// Room for about so many tries; raises the limit of descriptors as far as it may.
    pub(super) fn new(tries: usize) -> io::Result<Self> {
        let got = limit::raise_descriptors(tries as u64 + SPARE)?;
        let limit = usize::try_from(got.saturating_sub(SPARE)).unwrap_or(usize::MAX).max(8);
        Ok(Self { queue: VecDeque::new(), taken: 0, limit, stuck: false, short: false })
    }

    /// How many tries may be in flight at once.
    pub(super) fn limit(&self) -> usize {
        self.limit
    }

    #[cfg(test)]
    pub(super) fn set_limit(&mut self, limit: usize) {
        self.limit = limit;
    }

    /// How many tries are in flight.
    pub(super) fn taken(&self) -> usize {
        self.taken
    }

    /// Whether nobody else has room.
    pub(super) fn is_full(&self) -> bool {
        self.stuck || self.taken >= self.limit
    }

    /// Whether somebody who waits has room now.
    pub(super) fn has_for_waiting(&self) -> bool {
        !self.queue.is_empty() && !self.is_full()
    }

    /// Takes room for one more.
    pub(super) fn take(&mut self) {
        self.taken += 1;
    }

    /// Gives the room of one back.
    pub(super) fn give_back(&mut self) {
        self.taken -= 1;
        self.stuck = false;
    }

    /// Has one wait behind the others.
    pub(super) fn wait(&mut self, check: u32) {
        self.queue.push_back(check);
    }

    /// Puts one back that found no descriptor: other parts of the program hold them, so all wait until a try gives one
    /// back.
    pub(super) fn wait_first(&mut self, check: u32) {
        self.queue.push_front(check);
        self.stuck = true;
    }

    /// The one that has waited longest, if there is room.
    pub(super) fn next(&mut self) -> Option<u32> {
        if self.is_full() { None } else { self.queue.pop_front() }
    }

    /// Notes whether somebody has to wait for want of room.
    pub(super) fn note(&mut self) {
        self.short |= self.is_full() && !self.queue.is_empty();
    }

    /// Whether tries had to wait since this was last asked.
    pub(super) fn was_short(&mut self) -> bool {
        std::mem::take(&mut self.short)
    }
}
