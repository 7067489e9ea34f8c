//! What the actions do to the host: advertisements, addresses, gratuitous ARP.

use std::io;
use std::time::Duration;

use lvs_core::addr::Family;
use lvs_core::sys::raw::{RawIp, Route};
use lvs_core::sys::rtnl::{Address, Rtnl};
use nix::errno::Errno;

use crate::accept::Guard;
use crate::host::Host;
use crate::instance::Instance;
use crate::packet::{PROTOCOL, Packet};
use crate::spec::{Spec, Vip};
use announcer::Announcer;

pub mod announcer;

/// RFC 9568 5.1.1.3.
const TTL: u8 = 255;

/// A raw socket on one interface, and which router listens there.
pub struct Line {
    /// The interface.
    pub link: u32,
    /// The family of its packets.
    pub family: Family,
    /// The socket.
    pub socket: RawIp,
    /// The index of the instance of each VRID.
    pub routers: [Option<u16>; 256],
    /// Those that hand over what another instance has taken up since a reload: they wait for its advertisements.
    pub leaving: Vec<u16>,
}

impl Line {
    /// A number that no other line has, whichever come and go.
    pub fn key(&self) -> u64 {
        u64::from(self.link) << 1 | u64::from(self.family == Family::Inet6)
    }
}

/// Sockets and netlink, and what is known of the host.
pub struct Edge {
    /// Links and addresses.
    pub host: Host,
    /// To change them.
    pub rtnl: Rtnl,
    /// One for each interface and family in use.
    pub lines: Vec<Line>,
    /// Gratuitous ARP and its like.
    pub announcer: Announcer,
    packet: Vec<u8>,
    scratch: Vec<u8>,
    /// What must not be talked to.
    pub guard: Guard,
}

impl Edge {
    /// Opens the sockets that do not depend on an interface; `name` is the daemon's, and its packet filter's.
    ///
    /// # Errors
    /// `EPERM` without CAP_NET_RAW.
    pub fn open(name: &str, garp_gap: Duration, gna_gap: Duration) -> io::Result<Self> {
        // The lists need large buffers, once; what follows are short requests.
        let host = Host::read(&mut Rtnl::open()?).map_err(io::Error::other)?;
        Ok(Self {
            host,
            rtnl: Rtnl::open()?,
            lines: Vec::new(),
            announcer: Announcer::open(garp_gap, gna_gap)?,
            packet: Vec::new(),
            scratch: Vec::new(),
            guard: Guard::new(name),
        })
    }

    /// The line of an interface and family, opened if there is none yet.
    fn line(&mut self, spec: &Spec, link: u32) -> io::Result<usize> {
        if let Some(at) = self.lines.iter().position(|l| l.link == link && l.family == spec.family) {
            return Ok(at);
        }
        let name = self.host.link_at(link).map(|l| l.name.clone()).unwrap_or_default();
        let socket = RawIp::open(spec.family, PROTOCOL, &name, link)?;
        self.lines.push(Line {
            link,
            family: spec.family,
            socket,
            routers: [None; 256],
            leaving: Vec::new(),
        });
        Ok(self.lines.len() - 1)
    }

    /// Makes the VMACs of an instance that are missing; true when something was done.
    ///
    /// # Errors
    /// What the kernel says.
    pub fn prepare_vmacs(&mut self, spec: &Spec) -> Result<bool, String> {
        let mut done = false;
        for vmac in spec.vmacs() {
            if vmac.make(&self.host, &mut self.rtnl)? {
                self.host = Host::read(&mut self.rtnl).map_err(|e| e.to_string())?;
                done = true;
            }
        }
        Ok(done)
    }

    /// Where an instance hears. The kernel gives a frame that comes from a virtual MAC address to the macvlan of that address
    /// alone, and all other multicast to it too: with a VMAC that is the place to listen.
    pub fn ear(&self, spec: &Spec, base: u32) -> u32 {
        spec.ear().and_then(|v| self.host.link(&v.name)).map_or(base, |l| l.index)
    }

    /// Where its advertisements leave.
    fn mouth(&self, spec: &Spec, base: u32) -> u32 {
        spec.mouth().and_then(|v| self.host.link(&v.name)).map_or(base, |l| l.index)
    }

    /// Opens what an instance speaks and hears on; gives the places of lines that are new.
    ///
    /// # Errors
    /// What the kernel says.
    pub fn connect(&mut self, spec: &Spec, base: u32) -> io::Result<std::ops::Range<usize>> {
        let before = self.lines.len();
        let (ear, mouth) = (self.ear(spec, base), self.mouth(spec, base));
        let at = self.line(spec, ear)?;
        if spec.door.peers.is_empty() {
            self.lines[at].socket.join(spec.group)?;
        }
        if let Some(bytes) = spec.rx_buffer {
            self.lines[at].socket.set_receive_buffer(bytes)?;
        }
        if ear != base {
            // A switch that looks at membership reports must hear of one from here: a VMAC may be silent.
            let at = self.line(spec, base)?;
            self.lines[at].socket.join(spec.group)?;
        }
        let at = self.line(spec, mouth)?;
        if mouth != base {
            self.lines[at].socket.speak_for_others()?;
        }
        Ok(before..self.lines.len())
    }

    /// Sends an advertisement, to the group or to every peer.
    ///
    /// # Errors
    /// The last refusal of the kernel.
    pub fn advertise(&mut self, instance: &mut Instance, priority: u8) -> io::Result<()> {
        let (Some(link), Some(src)) = (instance.link, instance.source) else {
            return Err(io::ErrorKind::AddrNotAvailable.into());
        };
        let spec = &instance.spec;
        let link = self.mouth(spec, link);
        let Some(line) = self.lines.iter().find(|l| l.link == link && l.family == spec.family) else {
            return Err(io::ErrorKind::NotConnected.into());
        };
        let packet = Packet {
            version: spec.params.version,
            vrid: spec.vrid,
            priority,
            interval: spec.params.interval,
            auth: spec.door.auth,
            vips: &spec.door.vips[..],
        };
        let old_sum = spec.door.old_sum.filter(|_| spec.old_sum || instance.old_sum);
        let group = [spec.group];
        let peers = spec.door.peers.iter().map(|p| (p.addr, spec.unicast_ttl));
        let targets = group.iter().filter(|_| spec.door.peers.is_empty()).map(|g| (*g, TTL)).chain(peers);
        let mut result = Ok(());
        for (dst, ttl) in targets {
            instance.ip_id = instance.ip_id.wrapping_add(1);
            self.packet.clear();
            packet.emit(src, old_sum.unwrap_or(dst), &mut self.packet);
            let route = Route { src, dst, ttl, id: instance.ip_id };
            if let Err(e) = line.socket.send(route, &self.packet, &mut self.scratch) {
                result = Err(io::Error::new(e.kind(), format!("to {dst}: {e}")));
            }
        }
        result
    }

    /// Sets one address. `Ok(true)`: it was not there before.
    ///
    /// # Errors
    /// What the kernel says, or that the interface is missing.
    pub fn set(&mut self, vip: &Vip) -> Result<bool, String> {
        let address = self.address(vip)?;
        match self.rtnl.add_address(&address) {
            Ok(()) => Ok(true),
            Err(e) if e.errno == Errno::EEXIST => Ok(false),
            Err(e) => Err(e.to_string()),
        }
    }

    /// Removes one address. `Ok(false)`: it was not there.
    ///
    /// # Errors
    /// What the kernel says.
    pub fn unset(&mut self, vip: &Vip) -> Result<bool, String> {
        let Ok(address) = self.address(vip) else { return Ok(false) };
        match self.rtnl.remove_address(&address) {
            Ok(()) => Ok(true),
            Err(e) if matches!(e.errno, Errno::EADDRNOTAVAIL | Errno::ENODEV) => Ok(false),
            Err(e) => Err(e.to_string()),
        }
    }

    /// Whether an address of ours is set on its interface, with the same prefix length.
    pub fn is_set(&self, vip: &Vip) -> bool {
        let Some(link) = self.host.link(&vip.dev) else { return false };
        self.host.addresses().iter().any(|a| a.link == link.index && a.prefix == vip.prefix)
    }

    fn address(&self, vip: &Vip) -> Result<Address, String> {
        let link = self.host.link(&vip.dev).ok_or_else(|| format!("there is no interface {}", vip.dev))?;
        let mut address = Address::new(link.index, vip.prefix);
        address.broadcast = vip.broadcast;
        address.label.clone_from(&vip.label);
        address.scope = vip.scope;
        address.peer = vip.peer;
        address.flags = vip.flags;
        address.lifetimes = vip.preferred.map(|p| (p, u32::MAX));
        Ok(address)
    }
}
