//! A layer-2 channel for checks: frames out of one interface, and of what comes in only what answers them.

use std::io;
use std::ops::RangeInclusive;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};

use nix::libc;
use nix::sys::socket::{AddressFamily, MsgFlags, SockFlag, SockType, bind, recv, socket};
use socket2::{SockFilter, Socket};

use super::frame::{self, Heard};
use super::frames::{Frames, link_address};
use super::rtnl::Link;
use crate::addr::Mac;

/// Headers are all that is read of a frame.
const LONGEST: usize = 256;
/// Frames taken at once.
const AT_ONCE: usize = 64;

/// Source ports of SYNs: above the ports that the kernel gives to connections (net.ipv4.ip_local_port_range).
pub const PORTS: RangeInclusive<u16> = 61_000..=65_534;

/// Which ARP packets a channel hears.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arp {
    /// Replies: on a busy network few of all.
    Replies,
    /// Requests as well, in which hosts tell of themselves unasked.
    All,
}

/// A channel of one Ethernet interface. It needs CAP_NET_RAW and never blocks.
pub struct Wire {
    hears: Socket,
    sends: Frames,
    /// The interface's index.
    pub link: u32,
    /// The interface's MAC.
    pub mac: Mac,
}

impl Wire {
    /// Opens the channel; it hears ARP, neighbour advertisements, and TCP segments to [`PORTS`]. None where the interface is no
    /// Ethernet.
    ///
    /// # Errors
    /// The right CAP_NET_RAW is missing, or the interface is gone.
    pub fn open(link: &Link, arp: Arp) -> io::Result<Option<Self>> {
        let Some(mac) = link.mac.filter(|_| link.arp) else { return Ok(None) };
        let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
        // Protocol 0 hears nothing until the filter stands.
        let hears = Socket::from(socket(AddressFamily::Packet, SockType::Raw, flags, None)?);
        hears.attach_filter(&filter(&PORTS, arp))?;
        let every = u16::try_from(libc::ETH_P_ALL).map_err(io::Error::other)?.to_be();
        bind(hears.as_raw_fd(), &link_address(link.index, every)?)?;
        Ok(Some(Self { hears, sends: Frames::open()?, link: link.index, mac }))
    }

    /// Sends one frame, its Ethernet header included.
    ///
    /// # Errors
    /// What the kernel says: the link is down or gone, its queue is full.
    pub fn send(&self, frame: &[u8]) -> io::Result<()> {
        self.sends.send(self.link, frame)
    }

    /// What was heard, as far as it is understood; at most so many frames at once, for a flood must not hold up the caller.
    ///
    /// # Errors
    /// `ENETDOWN` once when the link went down.
    pub fn receive(&self) -> io::Result<Vec<Heard>> {
        let mut buffer = [0; LONGEST];
        let mut heard = Vec::new();
        for _ in 0..AT_ONCE {
            match recv(self.hears.as_raw_fd(), &mut buffer, MsgFlags::MSG_DONTWAIT) {
                Err(nix::errno::Errno::EAGAIN) => break,
                Err(e) => return Err(e.into()),
                Ok(n) => heard.extend(frame::parse(&buffer[..n])),
            }
        }
        Ok(heard)
    }
}

impl AsFd for Wire {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.hears.as_fd()
    }
}

/// The kernel's filter: without it every packet of a busy director would be copied here.
fn filter(ports: &RangeInclusive<u16>, arp: Arp) -> [SockFilter; 23] {
    // linux/filter.h: load a half word or byte, the same after the IPv4 header; jump always, if equal, greater or
    // equal, greater, any bit set; return so many bytes. The numbers after k: instructions skipped if true, if false.
    let [half, byte, half_x, header_x] = [0x28, 0x30, 0x48, 0xb1];
    let [always, eq, ge, gt, set, give] = [0x05, 0x15, 0x35, 0x25, 0x45, 0x06];
    let op = |code, k: u32, jt, jf| SockFilter::new(code, jt, jf, k);
    let (low, high) = (u32::from(*ports.start()), u32::from(*ports.end()));
    let all = u32::try_from(LONGEST).unwrap_or(u32::MAX);
    let request = if arp == Arp::All { 18 } else { 17 };
    [
        op(half, 12, 0, 0),
        op(eq, 0x0806, 0, 2), // ARP: a reply, or any
        op(half, 20, 0, 0),
        op(eq, 2, 18, request),
        op(eq, 0x0800, 0, 7), // IPv4: TCP, no later fragment
        op(byte, 23, 0, 0),
        op(eq, 6, 0, 14),
        op(half, 20, 0, 0),
        op(set, 0x1fff, 12, 0),
        op(header_x, 14, 0, 0),
        op(half_x, 16, 0, 0),
        op(always, 7, 0, 0),
        op(eq, 0x86dd, 0, 8), // IPv6: a neighbour advertisement, or TCP
        op(byte, 20, 0, 0),
        op(eq, 58, 0, 2),
        op(byte, 54, 0, 0),
        op(eq, 136, 5, 4),
        op(eq, 6, 0, 3),
        op(half, 56, 0, 0),
        op(ge, low, 0, 1), // the port
        op(gt, high, 0, 1),
        op(give, 0, 0, 0),
        op(give, all, 0, 0),
    ]
}

#[cfg(test)]
mod tests;
