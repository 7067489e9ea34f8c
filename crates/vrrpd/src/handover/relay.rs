//! The way back to the old director for packets of connections that only it knows.
//!
//! The new director wraps such a packet in another one (IP in IP) to the old one's own address, and that lets its IPVS
//! look at it as if it had come here. The list of all connections may take its time; this does not wait for it.
//! IPv4 only: a raw IPv6 socket does not hear the header of what it receives.

use std::io;
use std::net::IpAddr;

use lvs_core::addr::Family;
use lvs_core::sys::raw::RawIp;
use lvs_core::time::Time;

use super::packet::{AT_ONCE, IPIP, LARGEST, TCP, port_of_known, segment};

/// The old director's end.
pub(super) struct Relay {
    ear: RawIp,
    mouth: RawIp,
    vips: Vec<IpAddr>,
    /// Until then it listens.
    pub(super) until: Time,
    forwarded: u16,
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
        for _ in 0..AT_ONCE {
            let Ok(Some(outer)) = self.ear.receive(&mut buffer) else { return };
            // A TTL below the one that it was sent with: it crossed a router, and no successor is behind one.
            if outer.ttl == u8::MAX {
                self.forward(&buffer[outer.payload]);
            }
        }
    }

    fn forward(&mut self, packet: &[u8]) {
        let inner = segment(packet, self.forwarded);
        let ours = inner.filter(|(route, s)| self.is_for(route.dst) && port_of_known(s).is_some());
        let Some((route, segment)) = ours else { return };
        self.forwarded = self.forwarded.saturating_add(1);
        if let Err(e) = self.mouth.send(route, segment, &mut Vec::new()) {
            log::debug!("a packet of {} is lost in the handover: {e}", route.src);
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
