//! One netlink socket: requests, dumps, batches and notifications, over neli's raw socket.
//!
//! neli's own router starts a thread a socket and has no batches; here a thousand changes are one write.

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};

use neli::consts::socket::{Msg, NlFamily};
use neli::socket::NlSocket;
use neli::utils::Groups;
use nix::errno::Errno;

pub use batch::Batch;
pub use error::NetlinkError;
pub use message::Message;
use message::{NLM_F_ACK, NLM_F_REQUEST, NLMSG_ERROR};

mod batch;
mod error;
mod message;

/// Kernel dumps come in datagrams of at most 32 KiB, whatever room there is.
const RECEIVE: usize = 32 * 1024;
/// Datagrams that one system call may bring: a dump's last message comes in a datagram of its own, an answer and its
/// acknowledgement in two. More would only be more memory to touch first.
const AT_ONCE: usize = 2;
/// Room for the answers to a batch; the default of 208 KiB holds 277 of them.
const RECEIVE_QUEUE: usize = 4 << 20;

const NLMSG_DONE: u16 = 3;
const NLM_F_DUMP_INTR: u16 = 0x10;
const NLM_F_DUMP: u16 = 0x300;

/// Create what is asked for (`NLM_F_CREATE`).
pub const CREATE: u16 = 0x400;
/// Refuse if it exists (`NLM_F_EXCL`).
pub const EXCL: u16 = 0x200;
/// Replace what exists (`NLM_F_REPLACE`).
pub const REPLACE: u16 = 0x100;

/// How a dump ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DumpEnd {
    /// The kernel walked the whole list undisturbed.
    Complete,
    /// The list changed meanwhile: entries may be missing or twice; ask again.
    Interrupted,
}

/// A netlink socket of one protocol.
pub struct Netlink {
    socket: NlSocket,
    seq: u32,
    /// The datagrams of the last receive.
    received: [Vec<u8>; AT_ONCE],
    request: Vec<u8>,
    /// Whether the receive queue was enlarged for the answers to a batch.
    roomy: bool,
}

impl Netlink {
    /// A socket for links, addresses, routes and rules.
    pub fn route() -> io::Result<Self> {
        Self::talkative(NlFamily::Route)
    }

    /// A socket for generic netlink families such as IPVS.
    pub fn generic() -> io::Result<Self> {
        Self::open(NlFamily::Generic)
    }

    /// A socket for nftables.
    pub(crate) fn netfilter() -> io::Result<Self> {
        Self::talkative(NlFamily::Netfilter)
    }

    fn talkative(family: NlFamily) -> io::Result<Self> {
        let it = Self::open(family)?;
        // Comfort: an old kernel without it only says less. IPVS never says more than a number.
        let _ = it.socket.enable_ext_ack(true);
        Ok(it)
    }

    /// A non-blocking rtnetlink socket that hears these multicast groups (RTNLGRP_*).
    pub fn monitor(groups: &[u32]) -> io::Result<Self> {
        let mut it = Self::talkative(NlFamily::Route)?;
        it.make_room();
        for group in groups {
            it.socket.add_mcast_membership(Groups::new_groups(&[*group]))?;
        }
        it.socket.nonblock()?;
        Ok(it)
    }

    fn open(family: NlFamily) -> io::Result<Self> {
        let socket = NlSocket::connect(family, None, Groups::empty())?;
        let received = std::array::from_fn(|_| Vec::with_capacity(RECEIVE));
        Ok(Self { socket, seq: 0, received, request: Vec::new(), roomy: false })
    }

    /// What only batches and notifications need: a listing is over before it has paid for itself.
    fn make_room(&mut self) {
        if !self.roomy {
            // Comfort too: without it refusals repeat what they refuse.
            let _ = super::socket::cap_ack(self.socket.as_raw_fd());
            super::socket::receive_queue(self.socket.as_raw_fd(), RECEIVE_QUEUE);
            self.roomy = true;
        }
    }

    /// Sends one request and waits for its acknowledgement; returns the body of the first answer, if any came.
    pub fn request(&mut self, kind: u16, flags: u16, body: &[u8]) -> Result<Option<Vec<u8>>, NetlinkError> {
        let seq = self.send(kind, flags | NLM_F_ACK, body)?;
        let mut answer = None;
        loop {
            self.receive()?;
            for m in messages(&self.received).filter(|m| m.seq == seq) {
                match m.kind {
                    NLMSG_ERROR => return m.verdict().map(|()| answer),
                    _ => answer = answer.or_else(|| Some(m.body.to_vec())),
                }
            }
        }
    }

    /// Asks for a list and calls `each` with every message of it.
    pub(crate) fn dump(
        &mut self,
        kind: u16,
        body: &[u8],
        mut each: impl FnMut(Message<'_>),
    ) -> Result<DumpEnd, NetlinkError> {
        let seq = self.send(kind, NLM_F_DUMP, body)?;
        let mut end = DumpEnd::Complete;
        loop {
            self.receive()?;
            for m in messages(&self.received).filter(|m| m.seq == seq) {
                if m.flags & NLM_F_DUMP_INTR != 0 && m.kind != NLMSG_ERROR {
                    end = DumpEnd::Interrupted;
                }
                match m.kind {
                    NLMSG_DONE => return done(&m).map(|()| end),
                    NLMSG_ERROR => return m.verdict().map(|()| end),
                    _ => each(m),
                }
            }
        }
    }

    /// Reads some notifications and calls `each` with every message. `Ok(false)`: nothing more has
    /// come. `ENOBUFS`: notifications were lost; read the whole state again.
    pub(crate) fn notifications(&mut self, mut each: impl FnMut(Message<'_>)) -> Result<bool, NetlinkError> {
        match self.receive() {
            Ok(()) => {
                messages(&self.received).for_each(&mut each);
                Ok(true)
            }
            Err(e) if e.errno == Errno::EAGAIN => Ok(false),
            Err(e) => Err(e),
        }
    }

    fn send(&mut self, kind: u16, flags: u16, body: &[u8]) -> Result<u32, NetlinkError> {
        self.seq = self.seq.wrapping_add(1);
        let mut request = std::mem::take(&mut self.request);
        request.clear();
        message::append(&mut request, kind, flags | NLM_F_REQUEST, |b| b.extend_from_slice(body));
        request[8..12].copy_from_slice(&self.seq.to_ne_bytes());
        let sent = self.write(&request);
        self.request = request;
        sent.map(|()| self.seq)
    }

    fn write(&self, bytes: &[u8]) -> Result<(), NetlinkError> {
        let sent = loop {
            match self.socket.send(bytes, Msg::empty()) {
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                other => break other?,
            }
        };
        if sent == bytes.len() { Ok(()) } else { Err(NetlinkError::of(Errno::EMSGSIZE)) }
    }

    /// Waits for a datagram and takes what waits behind it.
    fn receive(&mut self) -> Result<(), NetlinkError> {
        loop {
            match super::socket::receive_waiting(self.socket.as_raw_fd(), &mut self.received) {
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                other => return Ok(other?),
            }
        }
    }
}

fn messages(received: &[Vec<u8>]) -> impl Iterator<Item = Message<'_>> {
    received.iter().flat_map(|datagram| message::all(datagram))
}

/// The status that ends a dump: zero, or an error that came in the middle of it.
fn done(m: &Message<'_>) -> Result<(), NetlinkError> {
    match m.body.first_chunk().map_or(0, |b| i32::from_ne_bytes(*b)) {
        status if status < 0 => Err(NetlinkError::of(Errno::from_raw(-status))),
        _ => Ok(()),
    }
}

impl AsFd for Netlink {
    fn as_fd(&self) -> BorrowedFd<'_> {
        super::socket::borrow(&self.socket)
    }
}

#[cfg(test)]
mod tests;
