//! Tries that go to the VIP on a real server: SYNs below IP, all through one channel an interface.
//!
//! An ordinary connection to the VIP would end on this host, which may hold it, or on the master. The frame goes to the
//! MAC of the real server's own address instead; the answer is heard below IP and ended with a reset, so that no kernel
//! needs to be told anything and nothing stays half open.

mod asked;
mod source;

use std::collections::{BTreeSet, HashMap, HashSet};
use std::io;
use std::net::IpAddr;
use std::time::Duration;

use anyhow::Context;
use lvs_core::addr::{Endpoint, Mac};
use lvs_core::sys::frame::{self, Heard, Path};
use lvs_core::sys::frames::Frames;
use lvs_core::sys::poll::{Interest, Poll};
use lvs_core::sys::rtnl::{RouteKind, Rtnl};
use lvs_core::sys::wire::{Arp, PORTS, Wire};

use crate::outcome::Reason;
use crate::task::Via;
use asked::Asked;

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
    asked: Asked,
    /// What no frame may come from.
    vips: BTreeSet<IpAddr>,
    /// Real servers of which it was said that no frame reaches them from here.
    plain: HashSet<IpAddr>,
}

/// How a real server is reached.
#[derive(Clone, Copy)]
struct Way {
    wire: usize,
    /// None where this host has no address but VIPs; then the check's own must do.
    source: Option<IpAddr>,
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

/// Whether this process may send and hear frames.
///
/// # Errors
/// It may not, and what helps.
pub fn permitted() -> anyhow::Result<()> {
    Frames::open().map(drop).context(
        "--via vip: frames cannot be sent: run it as root, give its unit CAP_NET_RAW, or leave --via vip out",
    )
}

impl Shots {
    /// Takes the VIPs of a configuration: a frame that came from one would have the real server answer itself.
    pub fn avoid(&mut self, vips: BTreeSet<IpAddr>) {
        self.vips = vips;
        self.ways.clear();
    }

    /// Begins a try; returns its port, by which it is known. None where no frame goes to the real server, which says
    /// nothing about its life: it is this host itself, or behind a router, or the link is no Ethernet (said once).
    /// Channels that are new are watched with `token` and up.
    ///
    /// # Errors
    /// No free port, the link is down, or the right CAP_NET_RAW is missing.
    pub fn begin(
        &mut self,
        check: u32,
        via: &Via,
        sequence: u32,
        poll: &Poll,
        token: u64,
    ) -> io::Result<Option<u16>> {
        let (rip, bound) = (via.dial.to.addr, via.dial.from_addr());
        let known = self.ways.get(&rip).copied().filter(|way| bound.or(way.source).is_some());
        let way = match known {
            Some(way) => Some(way),
            None => self.find(via, poll, token)?,
        };
        let Some((way, source)) = way.and_then(|way| Some((way, bound.or(way.source)?))) else {
            return Ok(None);
        };
        let port = self.free_port()?;
        let from = Endpoint::new(source, port);
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
        self.fire(port)
    }

    /// Forgets a try. After a failure also the way to its server is found anew the next time.
    pub fn end(&mut self, port: u16, failed: bool) {
        let Some(shot) = self.open.remove(&port) else { return };
        self.asked.leave(shot.rip, port);
        if failed {
            self.ways.remove(&shot.rip);
            self.macs.remove(&shot.rip);
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
        if let Some(waiting) = self.asked.answered(rip) {
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
        if !self.asked.join(shot.rip, port) {
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

    /// Asks the kernel for the way to a real server and opens the channel there; none where there is none for a frame.
    fn find(&mut self, via: &Via, poll: &Poll, token: u64) -> io::Result<Option<Way>> {
        let rip = via.dial.to.addr;
        let mut rtnl = Rtnl::open()?;
        let route = match rtnl.route_to(rip) {
            Ok(Some(route)) if route.kind == RouteKind::Unicast => route,
            // This host itself, or no route at all: an ordinary connection tells.
            _ => return Ok(None),
        };
        let (None, Some(link)) = (route.gateway, route.link) else {
            return Ok(self.go_plain(rip, "it is not on a LAN of this host"));
        };
        let Some(wire) = self.wire(link, &mut rtnl, poll, token)? else {
            return Ok(self.go_plain(rip, "the interface to it is no Ethernet"));
        };
        let source = match route.source.filter(|source| !self.vips.contains(source)) {
            Some(source) => Some(source),
            None => source::choose(&rtnl.addresses()?, link, rip, &self.vips),
        };
        if source.or(via.dial.from_addr()).is_none() {
            let why = "the interface to it has no address but VIPs (bindto would name one to ask from)";
            return Ok(self.go_plain(rip, why));
        }
        let way = Way { wire, source };
        self.ways.insert(rip, way);
        self.plain.remove(&rip);
        Ok(Some(way))
    }

    fn go_plain(&mut self, rip: IpAddr, why: &str) -> Option<Way> {
        if self.plain.insert(rip) {
            log::warn!("--via vip: {rip}: {why}, so it is not asked for the VIP: its own address is checked");
        }
        None
    }

    /// The channel of an interface, opened if it is the first time; none of one that is no Ethernet.
    fn wire(&mut self, index: u32, rtnl: &mut Rtnl, poll: &Poll, token: u64) -> io::Result<Option<usize>> {
        // Gone since the route was asked for: the next try asks anew.
        let link = rtnl.link_at(index).ok().flatten().ok_or(nix::errno::Errno::EAGAIN)?;
        if let Some(at) = self.wires.iter().position(|w| w.link == index) {
            // A bond may take over another card's: an old one in our questions would lead real servers astray.
            self.wires[at].mac = link.mac.unwrap_or(self.wires[at].mac);
            return Ok(Some(at));
        }
        let Some(wire) = Wire::open(&link, Arp::Replies)? else { return Ok(None) };
        poll.add(&wire, token + self.wires.len() as u64, Interest::Read)?;
        self.wires.push(wire);
        Ok(Some(self.wires.len() - 1))
    }
}

impl Shot {
    fn path(&self, own: Mac, mac: Mac) -> Path {
        Path { own, mac, from: self.from, to: self.vip }
    }
}
