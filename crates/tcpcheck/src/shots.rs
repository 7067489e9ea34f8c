//! Tries that go to the VIP on a real server: SYNs below IP, all through one channel an interface.
//!
//! An ordinary connection to the VIP would end on this host, which may hold it, or on the master. The frame goes to the
//! MAC of the real server's own address instead; the answer is heard below IP and ended with a reset, so that no kernel
//! needs to be told anything and nothing stays half open.

use std::collections::HashMap;
use std::io;
use std::net::IpAddr;
use std::ops::RangeInclusive;
use std::time::Duration;

use lvs_core::addr::{Endpoint, Mac};
use lvs_core::sys::frame::{self, Heard, Path};
use lvs_core::sys::poll::{Interest, Poll};
use lvs_core::sys::rtnl::{RouteKind, Rtnl};
use lvs_core::sys::wire::Wire;

use crate::outcome::Reason;
use crate::task::Via;

/// Source ports of SYNs: above those that the kernel gives to connections (net.ipv4.ip_local_port_range).
const PORTS: RangeInclusive<u16> = 61_000..=65_534;
/// An unanswered SYN is sent again this often, as TCP does at first.
pub(crate) const AGAIN: Duration = Duration::from_secs(1);

/// All tries under way, and what is known of the way to their servers.
#[derive(Default)]
pub struct Shots {
    wires: Vec<Wire>,
    /// By source port.
    open: HashMap<u16, Shot>,
    next: u16,
    ways: HashMap<IpAddr, Way>,
    macs: HashMap<IpAddr, Mac>,
    /// Real servers whose MAC is asked for, with the ports of those who wait for it.
    asked: HashMap<IpAddr, Vec<u16>>,
}

/// How a real server is reached.
#[derive(Clone, Copy)]
struct Way {
    wire: usize,
    source: IpAddr,
}

/// A try under way.
#[derive(Clone, Copy)]
struct Shot {
    check: u32,
    rip: IpAddr,
    wire: usize,
    from: Endpoint,
    vip: Endpoint,
    /// Where the SYN went, once that is known.
    mac: Option<Mac>,
    sequence: u32,
}

impl Shots {
    /// Begins a try; returns its port, by which it is known, or none where the real server is this host itself.
    /// Channels that are new are watched with `token` and up.
    ///
    /// # Errors
    /// There is no way to the server on this LAN, no free port, or the right CAP_NET_RAW is missing.
    pub fn begin(
        &mut self,
        check: u32,
        via: &Via,
        sequence: u32,
        poll: &Poll,
        token: u64,
    ) -> io::Result<Option<u16>> {
        let rip = via.dial.to.addr;
        let way = match self.ways.get(&rip) {
            Some(way) => *way,
            None => match self.find(via, poll, token)? {
                Some(way) => way,
                None => return Ok(None),
            },
        };
        let port = self.free_port()?;
        let from = Endpoint::new(via.dial.from.unwrap_or(way.source), port);
        let shot = Shot { check, rip, wire: way.wire, from, vip: via.vip, mac: None, sequence };
        self.open.insert(port, shot);
        if let Err(e) = self.fire(port) {
            self.end(port, false);
            return Err(e);
        }
        Ok(Some(port))
    }

    /// Sends a try's frame again: its SYN, or the question for the MAC.
    ///
    /// # Errors
    /// The link went down or away.
    pub fn again(&mut self, port: u16) -> io::Result<()> {
        if let Some(shot) = self.open.get(&port) {
            self.asked.remove(&shot.rip);
        }
        self.fire(port)
    }

    /// Forgets a try. After a failure also the way to its server is found anew the next time.
    pub fn end(&mut self, port: u16, failed: bool) {
        let Some(shot) = self.open.remove(&port) else { return };
        if failed {
            self.ways.remove(&shot.rip);
            self.macs.remove(&shot.rip);
            self.asked.remove(&shot.rip);
        }
    }

    /// What it means that a try had no answer: a host that answers no ARP is gone, another drops what is for the VIP.
    pub fn silence(&self, port: u16) -> Reason {
        let known = self.open.get(&port).is_some_and(|shot| shot.mac.is_some());
        if known { Reason::TimedOut } else { Reason::Unreachable }
    }

    /// Reads what came in on a channel; returns the checks whose tries were answered, and whether they were refused.
    pub fn hear(&mut self, wire: usize) -> Vec<(u32, bool)> {
        let mut answered = Vec::new();
        // A link that went down is said once; the tries on it end by their deadlines.
        let heard = self.wires.get(wire).and_then(|w| w.receive().ok()).unwrap_or_default();
        for heard in heard {
            match heard {
                Heard::Claim { addr, mac, answer: true } => self.learn(addr, mac),
                Heard::Claim { .. } => {}
                Heard::Tcp { .. } => answered.extend(self.take(heard)),
            }
        }
        answered
    }

    /// Takes a segment, if it answers a try; another host's answer for the VIP does not.
    fn take(&mut self, heard: Heard) -> Option<(u32, bool)> {
        let Heard::Tcp { from, port, open, reset, ack, mac } = heard else { return None };
        let shot = *self.open.get(&port).filter(|s| s.vip == from && s.mac == Some(mac))?;
        if !reset {
            // Ends what the SYN began. The answer counts even if this does not leave.
            let wire = &self.wires[shot.wire];
            let _ = wire.send(&frame::rst(&shot.path(wire.mac, mac), ack));
        }
        if !open && !reset {
            // The server still remembered an older SYN from this port; that is ended now.
            let _ = self.fire(port);
            return None;
        }
        Some((shot.check, reset))
    }

    fn learn(&mut self, rip: IpAddr, mac: Mac) {
        if let Some(waiting) = self.asked.remove(&rip) {
            self.macs.insert(rip, mac);
            for port in waiting {
                // Who cannot be sent to now is sent to again in a second.
                let _ = self.fire(port);
            }
        }
    }

    /// Sends the SYN, or first asks where to.
    fn fire(&mut self, port: u16) -> io::Result<()> {
        let Some(shot) = self.open.get_mut(&port) else { return Ok(()) };
        let wire = &self.wires[shot.wire];
        if let Some(mac) = self.macs.get(&shot.rip) {
            shot.mac = Some(*mac);
            return wire.send(&frame::syn(&shot.path(wire.mac, *mac), shot.sequence));
        }
        let waiting = self.asked.entry(shot.rip).or_default();
        waiting.push(port);
        if waiting.len() > 1 {
            return Ok(());
        }
        wire.send(&frame::request(wire.mac, shot.from.addr, shot.rip))
    }

    fn free_port(&mut self) -> io::Result<u16> {
        for _ in PORTS {
            self.next = if PORTS.contains(&(self.next + 1)) { self.next + 1 } else { *PORTS.start() };
            if !self.open.contains_key(&self.next) {
                return Ok(self.next);
            }
        }
        Err(nix::errno::Errno::EAGAIN.into())
    }

    /// Asks the kernel for the way to a real server and opens the channel there; none to this host itself.
    fn find(&mut self, via: &Via, poll: &Poll, token: u64) -> io::Result<Option<Way>> {
        let rip = via.dial.to.addr;
        let mut rtnl = Rtnl::open()?;
        let route = rtnl.route_to(rip).map_err(io::Error::other)?;
        if route.as_ref().is_some_and(|r| r.kind == RouteKind::Local) {
            return Ok(None);
        }
        let route = route.filter(|r| r.kind == RouteKind::Unicast && r.gateway.is_none());
        let Some((link, source)) = route.and_then(|r| Some((r.link?, r.source.or(via.dial.from)?))) else {
            let why = format!("{rip} is not on a LAN of this host: no frame for its VIP reaches it");
            return Err(io::Error::other(why));
        };
        let way = Way { wire: self.wire(link, &mut rtnl, poll, token)?, source };
        self.ways.insert(rip, way);
        Ok(Some(way))
    }

    /// The channel of an interface, opened if it is the first time.
    fn wire(&mut self, index: u32, rtnl: &mut Rtnl, poll: &Poll, token: u64) -> io::Result<usize> {
        if let Some(wire) = self.wires.iter().position(|w| w.link == index) {
            return Ok(wire);
        }
        let links = rtnl.links().map_err(io::Error::other)?;
        let link = links.into_iter().find(|l| l.index == index);
        let wire = Wire::open(&link.ok_or_else(|| io::Error::other("the interface is gone"))?, &PORTS)?;
        poll.add(&wire, token + self.wires.len() as u64, Interest::Read)?;
        self.wires.push(wire);
        Ok(self.wires.len() - 1)
    }
}

impl Shot {
    fn path(&self, own: Mac, mac: Mac) -> Path {
        Path { own, mac, from: self.from, to: self.vip }
    }
}
