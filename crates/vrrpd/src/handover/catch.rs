//! What clients send to the new director before it has been told their connections.
//!
//! A raw socket hears only what IPVS did not know and passed on to this host. That goes to the old director at once, which
//! knows it; and it is kept and sent once more when IPVS can know it here. What comes twice does TCP no harm.

use std::io;
use std::net::IpAddr;
use std::time::Duration;

use lvs_core::addr::Family;
use lvs_core::sys::raw::{RawIp, Route};
use lvs_core::sys::rtnl::Mute;
use lvs_core::time::Time;

use super::relay::IPIP;

/// IPPROTO_TCP.
pub(super) const TCP: u8 = 6;
/// When packets are sent again, after the addresses were taken. The old director gives them up 50 ms after it has
/// heard of it, and tells its connections then.
const AGAIN: [Duration; 5] = [
    Duration::from_millis(60),
    Duration::from_millis(80),
    Duration::from_millis(120),
    Duration::from_millis(180),
    Duration::from_millis(300),
];
/// Packets kept; more are a flood of something else.
const MOST: usize = 1024;
/// A whole IP packet.
const LARGEST: usize = 65_536;
/// The flags byte of a TCP header, and its bit of a first packet.
const FLAGS: usize = 13;
const SYN: u8 = 0x02;

/// The packets of one takeover.
pub(super) struct Catch {
    socket: RawIp,
    begin: Time,
    turn: usize,
    kept: Vec<(Route, Vec<u8>)>,
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
        Ok(Self { socket, begin: now, turn: 0, kept: Vec::new(), back })
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
        for (route, segment) in &self.kept {
            if let Err(e) = self.socket.send(*route, segment, &mut scratch) {
                log::debug!("a packet of {} is lost in the handover: {e}", route.src);
            }
        }
    }

    /// Takes what has come for one of these ports.
    pub(super) fn hear(&mut self, ports: &[(Mute, Time)]) {
        let mut buffer = vec![0; LARGEST];
        while let Ok(Some(packet)) = self.socket.receive(&mut buffer) {
            let segment = &buffer[packet.payload.clone()];
            let wanted = |port| ports.iter().any(|(m, _)| (m.from, m.port) == (packet.dst, port));
            if self.kept.len() >= MOST {
                return;
            }
            if port_of_known(segment).is_some_and(wanted) {
                let id = u16::try_from(self.kept.len()).unwrap_or(0);
                let route = Route { src: packet.src, dst: packet.dst, ttl: packet.ttl, id };
                if let Some(back) = &self.back {
                    back.send(&buffer[..packet.payload.end], id);
                }
                self.kept.push((route, segment.to_vec()));
            }
        }
    }
}

impl Drop for Catch {
    fn drop(&mut self) {
        if !self.kept.is_empty() {
            log::info!(
                "{} packets of connections not yet known were kept during the handover",
                self.kept.len()
            );
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

/// The destination port of a packet that belongs to a connection; a first packet needs no help.
pub(super) fn port_of_known(segment: &[u8]) -> Option<u16> {
    let port = segment.get(2..4)?.first_chunk().map(|b| u16::from_be_bytes(*b))?;
    segment.get(FLAGS).filter(|flags| **flags & SYN == 0).map(|_| port)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_packets_of_a_connection_are_kept() {
        let mut segment = [0; 20];
        segment[2..4].copy_from_slice(&7885_u16.to_be_bytes());
        segment[FLAGS] = 0x10;
        assert_eq!(port_of_known(&segment), Some(7885));
        segment[FLAGS] = SYN;
        assert_eq!(port_of_known(&segment), None);
        assert_eq!(port_of_known(&segment[..12]), None);
    }

    #[test]
    fn the_last_turn_comes_before_the_ports_speak_again() {
        assert!(AGAIN.is_sorted() && AGAIN[AGAIN.len() - 1] < super::super::MUTED);
    }
}
