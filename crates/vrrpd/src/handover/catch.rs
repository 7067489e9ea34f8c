//! What clients send to the new director before it has been told their connections.
//!
//! A raw socket hears only what IPVS did not know and passed on to this host. That goes to the old director at once, which
//! knows it; and it is kept and sent once more when IPVS can know it here. What comes twice does TCP no harm.

use std::io;
use std::net::IpAddr;
use std::time::Duration;

use lvs_core::addr::Family;
use lvs_core::sys::raw::{RawIp, Route};
use lvs_core::time::Time;

use super::kept::Kept;
use super::packet::{AT_ONCE, IPIP, LARGEST, TCP, port_of_known};

/// When packets are sent again, after the addresses were taken. The old director gives them up 50 ms after it has
/// heard of it, and tells its connections then.
const AGAIN: [Duration; 5] = [
    Duration::from_millis(60),
    Duration::from_millis(80),
    Duration::from_millis(120),
    Duration::from_millis(180),
    Duration::from_millis(300),
];

/// The packets of one takeover.
pub(super) struct Catch {
    socket: RawIp,
    begin: Time,
    turn: usize,
    kept: Kept,
    back: Option<Back>,
}

/// The way to the old director.
struct Back {
    socket: RawIp,
    src: IpAddr,
    dst: IpAddr,
}

/// Whose place is taken, and from where that is asked.
#[derive(Clone, Copy, Debug)]
pub(super) struct Move {
    /// The new director's own address.
    pub(super) to: IpAddr,
    /// The old one's.
    pub(super) from: IpAddr,
}

impl Catch {
    /// Begins to listen on the interface of that name and index.
    ///
    /// # Errors
    /// `EPERM` without CAP_NET_RAW.
    pub(super) fn open(interface: &str, link: u32, way: Move, now: Time) -> io::Result<Self> {
        let family = Family::of(way.to);
        let socket = RawIp::open(family, TCP, interface, link)?;
        socket.speak_for_others()?;
        let back = if family == Family::Inet {
            Some(Back { socket: RawIp::open(family, IPIP, interface, link)?, src: way.to, dst: way.from })
        } else {
            None
        };
        Ok(Self { socket, begin: now, turn: 0, kept: Kept::default(), back })
    }

    /// What is waited for.
    pub(super) fn socket(&self) -> &RawIp {
        &self.socket
    }

    /// When it is its turn; none when it is over.
    pub(super) fn deadline(&self) -> Option<Time> {
        AGAIN.get(self.turn).map(|after| self.begin + *after)
    }

    /// Sends again what came.
    pub(super) fn turn(&mut self) {
        self.turn += 1;
        let mut scratch = Vec::new();
        for (route, segment) in self.kept.iter() {
            if let Err(e) = self.socket.send(route, segment, &mut scratch) {
                log::debug!("a packet of {} is lost in the handover: {e}", route.src);
            }
        }
    }

    /// Takes what has come for an address and port that `wanted` knows.
    pub(super) fn hear(&mut self, wanted: impl Fn(IpAddr, u16) -> bool) {
        let mut buffer = vec![0; LARGEST];
        for _ in 0..AT_ONCE {
            let Ok(Some(packet)) = self.socket.receive(&mut buffer) else { return };
            let segment = &buffer[packet.payload.clone()];
            if !port_of_known(segment).is_some_and(|port| wanted(packet.dst, port)) {
                continue;
            }
            let id = u16::try_from(self.kept.len()).unwrap_or(0);
            let route = Route { src: packet.src, dst: packet.dst, ttl: packet.ttl, id };
            if self.kept.add(route, segment) {
                self.back.iter().for_each(|back| back.send(&buffer[..packet.payload.end], id));
            }
        }
    }
}

impl Drop for Catch {
    fn drop(&mut self) {
        if self.kept.len() > 0 {
            log::info!("{} packets came before their connections were known here", self.kept.len());
        }
    }
}

impl Back {
    /// What does not fit into a frame with its wrapping is lost here, and sent again later.
    fn send(&self, packet: &[u8], id: u16) {
        let route = Route { src: self.src, dst: self.dst, ttl: u8::MAX, id };
        if let Err(e) = self.socket.send(route, packet, &mut Vec::new()) {
            log::debug!("a packet cannot be given to {}: {e}", self.dst);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_turn_comes_before_the_ports_speak_again() {
        assert!(AGAIN.is_sorted() && AGAIN[AGAIN.len() - 1] < super::super::silence::LENGTH);
    }
}
