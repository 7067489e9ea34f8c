//! Which check is due when: a heap of one moment a check, changed in place in O(log n).

use lvs_core::time::Time;

/// The heap's place of a check that has no moment.
const NOWHERE: u32 = u32::MAX;

/// One moment at most for each check, the earliest at hand.
#[derive(Clone, Debug, Default)]
pub struct Agenda {
    /// Checks as a binary heap ordered by their moments.
    heap: Vec<u32>,
    /// For each check its moment and its place in the heap.
    slots: Vec<(Time, u32)>,
}

impl Agenda {
    /// Sets or moves the moment of a check.
    pub fn set(&mut self, check: u32, at: Time) {
        let i = check as usize;
        if i >= self.slots.len() {
            self.slots.resize(i + 1, (Time::ZERO, NOWHERE));
        }
        self.slots[i].0 = at;
        if self.slots[i].1 == NOWHERE {
            self.slots[i].1 = self.heap.len() as u32;
            self.heap.push(check);
        }
        let place = self.slots[i].1 as usize;
        let place = self.up(place);
        self.down(place);
    }

    /// Forgets the moment of a check, if it has one.
    pub fn remove(&mut self, check: u32) {
        let Some(&(_, place)) = self.slots.get(check as usize) else { return };
        if place == NOWHERE {
            return;
        }
        self.slots[check as usize].1 = NOWHERE;
        let last = self.heap.pop();
        if let Some(moved) = last.filter(|m| *m != check) {
            self.put(place as usize, moved);
            let place = self.up(place as usize);
            self.down(place);
        }
    }

    /// The earliest moment.
    pub fn next(&self) -> Option<Time> {
        self.heap.first().map(|c| self.at(*c))
    }

    /// Takes out the check with the earliest moment if that is not after `now`.
    pub fn pop_due(&mut self, now: Time) -> Option<u32> {
        let first = *self.heap.first()?;
        if self.at(first) > now {
            return None;
        }
        self.remove(first);
        Some(first)
    }

    fn at(&self, check: u32) -> Time {
        self.slots[check as usize].0
    }

    fn put(&mut self, place: usize, check: u32) {
        self.heap[place] = check;
        self.slots[check as usize].1 = place as u32;
    }

    fn up(&mut self, mut place: usize) -> usize {
        let check = self.heap[place];
        while place > 0 {
            let parent = (place - 1) / 2;
            if self.at(self.heap[parent]) <= self.at(check) {
                break;
            }
            self.put(place, self.heap[parent]);
            place = parent;
        }
        self.put(place, check);
        place
    }

    fn down(&mut self, mut place: usize) {
        let check = self.heap[place];
        loop {
            let (left, right) = (2 * place + 1, 2 * place + 2);
            let Some(&first) = self.heap.get(left) else { break };
            let child = match self.heap.get(right) {
                Some(&second) if self.at(second) < self.at(first) => right,
                _ => left,
            };
            if self.at(check) <= self.at(self.heap[child]) {
                break;
            }
            self.put(place, self.heap[child]);
            place = child;
        }
        self.put(place, check);
    }
}

#[cfg(test)]
mod tests;
