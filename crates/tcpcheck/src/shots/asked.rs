//! Who waits for the MAC of a real server.

use std::collections::HashMap;
use std::net::IpAddr;

/// Real servers whose MAC is asked for, with the ports of the tries that wait for it, the longest waiting first.
#[derive(Default)]
pub(super) struct Asked(HashMap<IpAddr, Vec<u16>>);

impl Asked {
    /// Has a try wait, once. True for the one that asks, and asks again, for all of them.
    pub(super) fn join(&mut self, rip: IpAddr, port: u16) -> bool {
        let waiting = self.0.entry(rip).or_default();
        if !waiting.contains(&port) {
            waiting.push(port);
        }
        waiting.first() == Some(&port)
    }

    /// A try that has ended waits no more; the next one asks in its place.
    pub(super) fn leave(&mut self, rip: IpAddr, port: u16) {
        if let Some(waiting) = self.0.get_mut(&rip) {
            waiting.retain(|p| *p != port);
            if waiting.is_empty() {
                self.0.remove(&rip);
            }
        }
    }

    /// Takes all who wait for a real server; none where nobody asked.
    pub(super) fn answered(&mut self, rip: IpAddr) -> Option<Vec<u16>> {
        self.0.remove(&rip)
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    const RIP: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 0, 0, 1));
    const OTHER: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 0, 0, 2));

    #[test]
    fn one_asks_for_all_and_again_until_there_is_an_answer() {
        let mut asked = Asked::default();
        assert!(asked.join(RIP, 1));
        assert!(!asked.join(RIP, 2));
        assert!(asked.join(OTHER, 3));
        // A second later: the first asks again, and nobody is forgotten over it.
        assert!(asked.join(RIP, 1));
        assert!(!asked.join(RIP, 2));
        assert_eq!(asked.answered(RIP), Some(vec![1, 2]));
        assert_eq!(asked.answered(RIP), None);
        assert_eq!(asked.answered(OTHER), Some(vec![3]));
    }

    #[test]
    fn a_try_that_ends_leaves_the_others_waiting_and_the_next_asks() {
        let mut asked = Asked::default();
        assert!(asked.join(RIP, 1));
        assert!(!asked.join(RIP, 2));
        asked.leave(RIP, 1);
        assert!(asked.join(RIP, 2));
        asked.leave(OTHER, 2);
        asked.leave(RIP, 2);
        assert_eq!(asked.answered(RIP), None);
        // Nobody is left over: whoever comes next asks.
        assert!(asked.join(RIP, 4));
    }
}
