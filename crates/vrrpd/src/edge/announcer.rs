//! Gratuitous ARP, and what else tells hosts and switches where an address is.

use std::collections::VecDeque;
use std::io;
use std::net::IpAddr;
use std::time::Duration;

use lvs_core::addr::Family;
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
    lanes: Vec<Lane>,
    gaps: [Duration; 2],
}

/// The frames of one kind on one interface, between which the gap lies.
struct Lane {
    link: u32,
    family: Family,
    /// The gap after the last one is over then.
    free: Time,
    waiting: VecDeque<IpAddr>,
}

impl Lane {
    fn next(&mut self, now: Time) -> Option<IpAddr> {
        if self.free <= now { self.waiting.pop_front() } else { None }
    }
}

impl Announcer {
    /// With these gaps between gratuitous ARPs and between neighbour advertisements.
    ///
    /// # Errors
    /// `EPERM` without CAP_NET_RAW.
    pub fn open(garp_gap: Duration, gna_gap: Duration) -> io::Result<Self> {
        Ok(Self { frames: Frames::open()?, lanes: Vec::new(), gaps: [garp_gap, gna_gap] })
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
        let addr = vip.prefix.addr;
        if self.gap(Family::of(addr)).is_zero() {
            return u64::from(self.announce_one(host, link, addr));
        }
        let waiting: usize = self.lanes.iter().map(|l| l.waiting.len()).sum();
        if waiting < MOST {
            self.lane(link, Family::of(addr), now).waiting.push_back(addr);
        }
        0
    }

    fn gap(&self, family: Family) -> Duration {
        self.gaps[usize::from(family == Family::Inet6)]
    }

    fn lane(&mut self, link: u32, family: Family, now: Time) -> &mut Lane {
        let at = self.lanes.iter().position(|l| l.link == link && l.family == family);
        let at = at.unwrap_or_else(|| {
            self.lanes.push(Lane { link, family, free: now, waiting: VecDeque::new() });
            self.lanes.len() - 1
        });
        &mut self.lanes[at]
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
        self.lanes.iter().filter(|l| !l.waiting.is_empty()).map(|l| l.free).min()
    }

    /// Sends the frames whose gap is over.
    pub fn announce_due(&mut self, host: &Host, now: Time) -> u64 {
        let mut lanes = std::mem::take(&mut self.lanes);
        // Without a frame and a gap there is nothing to remember, and the interface may be gone.
        lanes.retain(|l| l.free > now || !l.waiting.is_empty());
        let mut sent = 0;
        for lane in &mut lanes {
            let gap = self.gap(lane.family);
            while let Some(addr) = lane.next(now) {
                sent += u64::from(self.announce_one(host, lane.link, addr));
                // Counted from now: frames that are late are not sent all at once.
                lane.free = now + gap;
            }
        }
        self.lanes = lanes;
        sent
    }

    /// Frames of an address that was given up must not follow.
    pub fn silence(&mut self, gone: IpAddr) {
        self.lanes.iter_mut().for_each(|l| l.waiting.retain(|addr| *addr != gone));
    }

    fn announce_one(&self, host: &Host, link: u32, addr: IpAddr) -> bool {
        let Some(mac) = host.mac(link) else { return false };
        self.frames.send(link, &frame::announcement(mac, addr)).is_ok()
    }
}
