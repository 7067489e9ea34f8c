//! The way back to the old director for packets of connections that only it knows.
//!
//! The new director wraps such a packet in another one (IP in IP) to the old one's own address, and that lets its IPVS
//! look at it as if it had come here. The list of all connections may take its time; this does not wait for it.
//! IPv4 only: a raw IPv6 socket does not hear the header of what it receives.

use std::io;
use std::net::{IpAddr, Ipv4Addr};

use lvs_core::addr::Family;
use lvs_core::sys::raw::{RawIp, Route};
use lvs_core::time::Time;

use super::catch::{TCP, port_of_known};

/// IPPROTO_IPIP.
pub(super) const IPIP: u8 = 4;
/// Packets taken before the timers are looked at again.
const AT_ONCE: usize = 64;
/// A whole IP packet.
const LARGEST: usize = 65_536;
/// An IPv4 header without options.
const HEADER: usize = 20;

/// The old director's end.
pub(super) struct Relay {
    ear: RawIp,
    mouth: RawIp,
    vips: Vec<IpAddr>,
    /// Until then it listens.
    pub(super) until: Time,
    forwarded: usize,
}

impl Relay {
    /// Listens on the interface of that name and index for packets to these addresses.
    ///
    /// # Errors
    /// `EPERM` without CAP_NET_RAW.
    pub(super) fn open(interface: &str, link: u32, vips: Vec<IpAddr>, until: Time) -> io::Result<Self> {
        let ear = RawIp::open(Family::Inet, IPIP, interface, link)?;
        let mouth = RawIp::open(Family::Inet, TCP, interface, link)?;
        Ok(Self { ear, mouth, vips, until, forwarded: 0 })
    }

    /// What is waited for.
    pub(super) fn ear(&self) -> &RawIp {
        &self.ear
    }

    /// Whether it hears for this address.
    pub(super) fn is_for(&self, vip: IpAddr) -> bool {
        self.vips.contains(&vip)
    }

    /// Gives IPVS what has come.
    pub(super) fn hear(&mut self) {
        let mut buffer = vec![0; LARGEST];
        let mut scratch = Vec::new();
        for _ in 0..AT_ONCE {
            let Ok(Some(outer)) = self.ear.receive(&mut buffer) else { return };
            let Some((route, segment)) = unwrap(&buffer[outer.payload]) else { continue };
            if self.is_for(route.dst) && port_of_known(segment).is_some() {
                self.forwarded += 1;
                if let Err(e) = self.mouth.send(route, segment, &mut scratch) {
                    log::debug!("a packet of {} is lost in the handover: {e}", route.src);
                }
            }
        }
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        if self.forwarded > 0 {
            log::info!("{} packets forwarded for the successor during the handover", self.forwarded);
        }
    }
}

/// The TCP segment in an IPv4 packet, and where it came from and goes.
fn unwrap(packet: &[u8]) -> Option<(Route, &[u8])> {
    let header: &[u8; HEADER] = packet.first_chunk()?;
    let address = |at: usize| header.get(at..)?.first_chunk().map(|b: &[u8; 4]| Ipv4Addr::from(*b).into());
    let segment = packet.get(usize::from(header[0] & 0xf) * 4..)?;
    let route = Route {
        src: address(12)?,
        dst: address(16)?,
        ttl: header[8],
        id: u16::from_be_bytes([header[4], header[5]]),
    };
    (header[0] >> 4 == 4 && header[9] == TCP).then_some((route, segment))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_inner_packet_is_found_and_nothing_else() {
        let mut packet = vec![0x45, 0, 0, 40, 0, 7, 0x40, 0, 63, TCP, 0, 0, 10, 0, 0, 1, 10, 0, 0, 200];
        packet.extend([0; 20]);
        let (route, segment) = unwrap(&packet).unwrap();
        assert_eq!((route.src, route.dst), ("10.0.0.1".parse().unwrap(), "10.0.0.200".parse().unwrap()));
        assert_eq!((route.ttl, route.id, segment.len()), (63, 7, 20));
        packet[9] = 17;
        assert!(unwrap(&packet).is_none());
        packet[0] = 0x60;
        assert!(unwrap(&packet).is_none());
        assert!((0..40).all(|n| unwrap(&packet[..n]).is_none()));
    }
}
