//! The packets that a takeover keeps, each once.

use lvs_core::sys::raw::Route;

/// More are a flood of something else.
const MOST: usize = 1024;

/// Packets with their ways. One that the old director does not know either may come from there once more; that it is not
/// kept again ends its way.
#[derive(Default)]
pub(super) struct Kept(Vec<(Route, Vec<u8>)>);

impl Kept {
    /// Whether it was taken: there is room, and it was not here before.
    pub(super) fn add(&mut self, route: Route, segment: &[u8]) -> bool {
        let known = |(r, s): &(Route, Vec<u8>)| (r.src, r.dst) == (route.src, route.dst) && s == segment;
        let new = self.0.len() < MOST && !self.0.iter().any(known);
        if new {
            self.0.push((route, segment.to_vec()));
        }
        new
    }

    /// How many.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// All of them.
    pub(super) fn iter(&self) -> impl Iterator<Item = (Route, &[u8])> {
        self.0.iter().map(|(route, segment)| (*route, segment.as_slice()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn route(ttl: u8) -> Route {
        Route { src: [10, 0, 0, 1].into(), dst: [10, 0, 0, 200].into(), ttl, id: u16::from(ttl) }
    }

    #[test]
    fn what_comes_back_is_not_kept_again() {
        let mut kept = Kept::default();
        assert!(kept.add(route(64), b"ack"));
        assert!(!kept.add(route(63), b"ack"), "a hop later it is the same");
        assert!(kept.add(route(64), b"data"));
        let elsewhere = Route { src: [10, 0, 0, 2].into(), ..route(64) };
        assert!(kept.add(elsewhere, b"ack"));
        assert_eq!(kept.iter().count(), 3);
    }

    #[test]
    fn a_flood_fills_no_memory() {
        let mut kept = Kept::default();
        let taken = (0..3000_u32).filter(|n| kept.add(route(64), &n.to_be_bytes())).count();
        assert_eq!((taken, kept.len()), (MOST, MOST));
    }
}
