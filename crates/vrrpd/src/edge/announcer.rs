//! Gratuitous ARP, and what else tells hosts and switches where an address is.

use std::collections::VecDeque;
use std::io;
use std::net::IpAddr;
use std::time::Duration;

use lvs_core::sys::frame;
use lvs_core::sys::frames::Frames;
use lvs_core::time::Time;

use crate::host::Host;
use crate::instance::Instance;
use crate::spec::{Spec, Vip};

/// No more frames wait for their gap than this.
const MOST: usize = 20_000;

/// Sends such frames, each now or after the gap that the configuration asks for.
pub struct Announcer {
    frames: Frames,
    /// When, on which interface, for which address.
    waiting: VecDeque<(Time, u32, IpAddr)>,
    gaps: [Duration; 2],
}

impl Announcer {
    /// With these gaps between gratuitous ARPs and between neighbour advertisements.
    ///
    /// # Errors
    /// `EPERM` without CAP_NET_RAW.
    pub fn open(garp_gap: Duration, gna_gap: Duration) -> io::Result<Self> {
        Ok(Self { frames: Frames::open()?, waiting: VecDeque::new(), gaps: [garp_gap, gna_gap] })
    }

    /// Changes the gaps between gratuitous ARPs and between neighbour advertisements.
    pub fn set_gaps(&mut self, garp_gap: Duration, gna_gap: Duration) {
        self.gaps = [garp_gap, gna_gap];
    }

    /// Tells the hosts of each VIP's network where it is, `count` times over; gives the number of frames sent now.
    pub fn announce(&mut self, host: &Host, spec: &Spec, count: u32, now: Time) -> u64 {
        let sent: u64 = (0..count).flat_map(|_| &spec.vips).map(|v| self.announce_vip(host, v, now)).sum();
        sent + self.announce_due(host, now)
    }

    /// Tells switches where the MAC addresses of interfaces are that no advertisement leaves.
    pub fn announce_extra(&mut self, host: &Host, spec: &Spec, now: Time) -> u64 {
        let sent: u64 = spec.extra().into_iter().map(|v| self.announce_vip(host, v, now)).sum();
        sent + self.announce_due(host, now)
    }

    /// Now, or after the gap.
    fn announce_vip(&mut self, host: &Host, vip: &Vip, now: Time) -> u64 {
        let Some(link) = host.link(&vip.dev).map(|l| l.index) else { return 0 };
        let gap = self.gaps[usize::from(vip.prefix.addr.is_ipv6())];
        if gap.is_zero() {
            return u64::from(self.announce_one(host, link, vip.prefix.addr));
        }
        if self.waiting.len() < MOST {
            let after = self.waiting.iter().rev().find(|g| g.1 == link).map_or(now, |g| g.0 + gap);
            self.waiting.push_back((after, link, vip.prefix.addr));
        }
        0
    }

    /// Asks for the MAC address of every peer, in the name of the source address: the answer is not needed, the question
    /// makes a host or a router in between learn ours (RFC 826; RFC 4861 7.2.3).
    pub fn seek_peers(&self, host: &Host, instance: &Instance) {
        let (Some(link), Some(source)) = (instance.link, instance.source) else { return };
        let Some(mac) = host.mac(link) else { return };
        for peer in &instance.spec.door.peers {
            // What does not leave now is asked again an interval later.
            let _ = self.frames.send(link, &frame::acquaint(mac, source, peer.addr));
        }
    }

    /// When the next waiting frame is due.
    pub fn deadline(&self) -> Option<Time> {
        self.waiting.iter().map(|g| g.0).min()
    }

    /// Sends the frames whose gap is over.
    pub fn announce_due(&mut self, host: &Host, now: Time) -> u64 {
        let mut sent = 0;
        for _ in 0..self.waiting.len() {
            let Some((at, link, addr)) = self.waiting.pop_front() else { break };
            if at <= now {
                sent += u64::from(self.announce_one(host, link, addr));
            } else {
                self.waiting.push_back((at, link, addr));
            }
        }
        sent
    }

    /// Frames of an address that was given up must not follow.
    pub fn silence(&mut self, gone: IpAddr) {
        self.waiting.retain(|(_, _, addr)| *addr != gone);
    }

    fn announce_one(&self, host: &Host, link: u32, addr: IpAddr) -> bool {
        let Some(mac) = host.mac(link) else { return false };
        self.frames.send(link, &frame::announcement(mac, addr)).is_ok()
    }
}
