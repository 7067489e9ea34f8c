//! TCP packets of connections, as raw sockets hear and send them.

use lvs_core::sys::raw::{Received, Route};

/// IPPROTO_TCP.
pub(super) const TCP: u8 = 6;
/// IPPROTO_IPIP: an IPv4 packet in another one.
pub(super) const IPIP: u8 = 4;
/// A whole IP packet.
pub(super) const LARGEST: usize = 65_536;
/// Packets taken before the timers are looked at again: a flood must not delay an advertisement.
pub(super) const AT_ONCE: usize = 64;
/// The protocol byte of an IPv4 header.
const PROTOCOL: usize = 9;
/// The flags byte of a TCP header, and its bit of a first packet.
const FLAGS: usize = 13;
const SYN: u8 = 0x02;

/// The destination port of a segment that belongs to a connection; a first one needs no help.
pub(super) fn port_of_known(segment: &[u8]) -> Option<u16> {
    let port = segment.get(2..4)?.first_chunk().map(|b| u16::from_be_bytes(*b))?;
    segment.get(FLAGS).filter(|flags| **flags & SYN == 0).map(|_| port)
}

/// The TCP segment in a whole IPv4 packet, and where it came from and goes.
pub(super) fn segment(packet: &[u8], id: u16) -> Option<(Route, &[u8])> {
    let inner = Received::of_v4(packet).filter(|_| packet[PROTOCOL] == TCP)?;
    let route = Route { src: inner.src, dst: inner.dst, ttl: inner.ttl, id };
    Some((route, &packet[inner.payload]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_packets_of_a_connection_have_a_port() {
        let mut segment = [0; 20];
        segment[2..4].copy_from_slice(&7885_u16.to_be_bytes());
        segment[FLAGS] = 0x10;
        assert_eq!(port_of_known(&segment), Some(7885));
        segment[FLAGS] = SYN;
        assert_eq!(port_of_known(&segment), None);
        assert_eq!(port_of_known(&segment[..12]), None);
    }

    #[test]
    fn a_segment_is_found_in_its_packet_and_nothing_else() {
        let mut packet = vec![0x45, 0, 0, 40, 0, 7, 0x40, 0, 63, TCP, 0, 0, 10, 0, 0, 1, 10, 0, 0, 200];
        packet.extend([0; 20]);
        let (route, found) = segment(&packet, 7).unwrap();
        assert_eq!((route.src, route.dst), ("10.0.0.1".parse().unwrap(), "10.0.0.200".parse().unwrap()));
        assert_eq!((route.ttl, route.id, found.len()), (63, 7, 20));
        packet[PROTOCOL] = 17;
        assert!(segment(&packet, 7).is_none());
        packet[0] = 0x60;
        assert!(segment(&packet, 7).is_none());
        assert!((0..40).all(|n| segment(&packet[..n], 7).is_none()));
    }
}
