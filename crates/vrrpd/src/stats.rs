//! What one virtual router has seen and done, in bounded memory.

use std::collections::VecDeque;
use std::net::IpAddr;

use lvs_core::gate::Gate;
use lvs_core::time::Time;

use crate::door::{Advert, Reject};
use crate::words::{Cause, State};

/// Peers remembered; a LAN may hold more senders than routers.
const PEERS: usize = 16;
/// Transitions remembered.
const HISTORY: usize = 16;

/// Counters and memories.
#[derive(Clone, Debug, Default)]
pub struct Stats {
    /// Advertisements sent, those of priority 0 too.
    pub sent: u64,
    /// Sends that the kernel refused.
    pub send_errors: u64,
    /// Advertisements that counted.
    pub received: u64,
    /// Of those, with priority 0.
    pub received_zero: u64,
    /// Refused packets by [`Reject::kind`].
    pub rejected: [u64; Reject::KINDS.len()],
    /// Advertisements with another list of addresses.
    pub other_vips: u64,
    /// Gratuitous ARP and neighbour advertisements sent.
    pub garps: u64,
    /// Times it became master.
    pub became_master: u64,
    /// Addresses, routes and rules put back after someone took them away.
    pub restored: u64,
    /// Who was heard, in the order of their last advertisements when the last new one came.
    pub peers: Vec<Seen>,
    /// The last transitions, the latest last.
    pub history: VecDeque<Transition>,
    /// Of what the log has told, by [`Reject::kind`] and the numbers after those: few of them ever happen to one router.
    gates: Vec<(usize, Gate)>,
}

/// Numbers of gates after those of [`Reject::kind`].
const OTHER_VIPS: usize = Reject::KINDS.len();
const LOWER_MASTER: usize = OTHER_VIPS + 1;
const UNSENT: usize = OTHER_VIPS + 2;
const PUT_BACK: usize = OTHER_VIPS + 3;

/// A sender of advertisements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    /// Its address.
    pub addr: IpAddr,
    /// In its last advertisement.
    pub priority: u8,
    /// When that came.
    pub at: Time,
    /// How many counted.
    pub adverts: u64,
}

/// A change of state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transition {
    /// When.
    pub at: Time,
    /// Before.
    pub from: State,
    /// After.
    pub to: State,
    /// Why.
    pub cause: Cause,
    /// Who moved, and why, where it was another member of the sync group.
    pub group: Option<String>,
}

impl Transition {
    /// Why, in words.
    pub fn why(&self) -> String {
        self.group.clone().unwrap_or_else(|| self.cause.to_string())
    }
}

impl Stats {
    /// Counts an advertisement that was let in.
    pub fn heard(&mut self, advert: Advert, now: Time) {
        self.received += 1;
        self.received_zero += u64::from(advert.priority == 0);
        let seen = match self.peers.iter_mut().find(|p| p.addr == advert.src) {
            Some(seen) => seen,
            None => self.remember(advert, now),
        };
        (seen.priority, seen.at, seen.adverts) = (advert.priority, now, seen.adverts + 1);
    }

    fn remember(&mut self, advert: Advert, now: Time) -> &mut Seen {
        let new = Seen { addr: advert.src, priority: advert.priority, at: now, adverts: 0 };
        if self.peers.len() < PEERS {
            self.peers.push(new);
        } else if let Some(oldest) = self.peers.iter_mut().min_by_key(|p| p.at) {
            *oldest = new;
        }
        self.peers.sort_by_key(|p| p.at);
        let last = self.peers.len() - 1;
        &mut self.peers[last]
    }

    /// Counts a refused packet; some when the log may say so, with the number it left out before.
    pub fn refused(&mut self, why: Reject, now: Time) -> Option<u64> {
        self.rejected[why.kind()] += 1;
        self.gate(why.kind()).pass(now)
    }

    /// Counts another list of addresses; as [`Stats::refused`].
    pub fn listed_others(&mut self, now: Time) -> Option<u64> {
        self.other_vips += 1;
        self.gate(OTHER_VIPS).pass(now)
    }

    /// Counts an advertisement that did not leave; as [`Stats::refused`].
    pub fn not_sent(&mut self, now: Time) -> Option<u64> {
        self.send_errors += 1;
        self.gate(UNSENT).pass(now)
    }

    /// So many were put back at once; as [`Stats::refused`], by their number.
    pub fn put_back(&mut self, count: usize, now: Time) -> Option<u64> {
        self.restored += count as u64;
        self.gate(PUT_BACK).pass_all(count as u64, now)
    }

    /// A lower master was answered; as [`Stats::refused`].
    pub fn outdid(&mut self, now: Time) -> Option<u64> {
        self.gate(LOWER_MASTER).pass(now)
    }

    fn gate(&mut self, number: usize) -> &mut Gate {
        let at = self.gates.iter().position(|g| g.0 == number).unwrap_or_else(|| {
            self.gates.push((number, Gate::default()));
            self.gates.len() - 1
        });
        &mut self.gates[at].1
    }

    /// Remembers a change of state.
    pub fn moved(&mut self, transition: Transition) {
        self.became_master += u64::from(transition.to == State::Master);
        if self.history.len() == HISTORY {
            self.history.pop_front();
        }
        self.history.push_back(transition);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn of_sends_that_fail_the_first_is_told_and_all_are_counted() {
        let mut stats = Stats::default();
        let at = |tenths: u64| Time::ZERO + Duration::from_millis(100 * tenths);
        let told: Vec<_> = (0..1201).filter_map(|n| stats.not_sent(at(n))).collect();
        assert_eq!(told, [0, 599, 599]);
        assert_eq!(stats.send_errors, 1201);
    }

    #[test]
    fn every_reason_has_a_gate_of_its_own() {
        let mut stats = Stats::default();
        let now = Time::ZERO;
        assert_eq!(stats.not_sent(now), Some(0));
        assert_eq!(stats.listed_others(now), Some(0));
        assert_eq!(stats.outdid(now), Some(0));
        assert_eq!((stats.not_sent(now), stats.listed_others(now), stats.outdid(now)), (None, None, None));
    }

    #[test]
    fn a_thousand_senders_do_not_grow_it_and_push_out_the_oldest() {
        let mut stats = Stats::default();
        for i in 0..1000_u32 {
            let src = IpAddr::from(i.to_be_bytes());
            let advert = Advert { src, priority: 1, interval: Duration::from_secs(1) };
            stats.heard(advert, Time::from_nanos(u64::from(i)));
        }
        assert_eq!(stats.received, 1000);
        assert_eq!(stats.peers.len(), PEERS);
        assert!(stats.peers.iter().any(|p| p.addr == IpAddr::from(999_u32.to_be_bytes())));
        assert!(stats.peers.iter().all(|p| p.at >= Time::from_nanos(1000 - 16)));
    }
}
