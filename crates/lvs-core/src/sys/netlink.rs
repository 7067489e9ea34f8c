//! One netlink socket: requests, dumps, batches and notifications, over neli's raw socket.
//!
//! neli's own router starts a thread a socket and has no batches; here a thousand changes are one write.

use std::fmt;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};

use neli::consts::socket::{Msg, NlFamily};
use neli::socket::NlSocket;
use neli::utils::Groups;
use nix::errno::Errno;

use crate::nlattr;

/// The length of a netlink header.
const HEADER: usize = 16;
/// Kernel dumps come in datagrams of at most 32 KiB.
const RECEIVE: usize = 64 * 1024;
/// Datagrams that one system call may bring; their memory is not touched before it is needed.
const AT_ONCE: usize = 4;
/// Room for the answers to a batch; the default of 208 KiB holds 277 of them.
const RECEIVE_QUEUE: usize = 4 << 20;

const NLMSG_ERROR: u16 = 2;
const NLMSG_DONE: u16 = 3;
const NLM_F_REQUEST: u16 = 0x01;
const NLM_F_ACK: u16 = 0x04;
const NLM_F_DUMP_INTR: u16 = 0x10;
const NLM_F_DUMP: u16 = 0x300;
/// NLMSG_ERROR: the message that was refused is not repeated in full.
const NLM_F_CAPPED: u16 = 0x100;
/// NLMSG_ERROR: attributes with the kernel's own words follow.
const NLM_F_ACK_TLVS: u16 = 0x200;
const NLMSGERR_ATTR_MSG: u16 = 1;

/// Create what is asked for (`NLM_F_CREATE`).
pub const CREATE: u16 = 0x400;
/// Refuse if it exists (`NLM_F_EXCL`).
pub const EXCL: u16 = 0x200;
/// Replace what exists (`NLM_F_REPLACE`).
pub const REPLACE: u16 = 0x100;

/// The kernel's refusal: the error number and, where it said more, its words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NetlinkError {
    /// The error number.
    pub errno: Errno,
    /// The kernel's extended acknowledgement, if it sent one.
    pub text: Option<String>,
}

impl NetlinkError {
    fn of(errno: Errno) -> Self {
        Self { errno, text: None }
    }
}

impl From<io::Error> for NetlinkError {
    fn from(e: io::Error) -> Self {
        Self::of(e.raw_os_error().map_or(Errno::EIO, Errno::from_raw))
    }
}

impl From<NetlinkError> for io::Error {
    fn from(e: NetlinkError) -> Self {
        Self::from(e.errno)
    }
}

impl fmt::Display for NetlinkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.text {
            Some(text) => write!(f, "{} ({text})", self.errno.desc()),
            None => f.write_str(self.errno.desc()),
        }
    }
}

impl std::error::Error for NetlinkError {}

/// How a dump ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DumpEnd {
    /// The kernel walked the whole list undisturbed.
    Complete,
    /// The list changed meanwhile: entries may be missing or twice; ask again.
    Interrupted,
}

/// Messages to be sent in one write; see [`Netlink::send_batch`].
#[derive(Default)]
pub struct Batch {
    bytes: Vec<u8>,
    starts: Vec<usize>,
}

impl Batch {
    /// Appends a message of this type; `fill` appends its body.
    pub fn push(&mut self, kind: u16, flags: u16, fill: impl FnOnce(&mut Vec<u8>)) {
        let start = self.bytes.len();
        self.starts.push(start);
        append(&mut self.bytes, kind, flags | NLM_F_REQUEST, fill);
    }

    /// The number of messages.
    pub fn len(&self) -> usize {
        self.starts.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.starts.is_empty()
    }

    /// Forgets the messages and keeps the memory.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.starts.clear();
    }

    /// Numbers the messages from `first` on and asks for an acknowledgement of the last.
    fn seal(&mut self, first: u32) {
        for (i, start) in self.starts.iter().enumerate() {
            let seq = first.wrapping_add(u32::try_from(i).unwrap_or(u32::MAX));
            self.bytes[start + 8..start + 12].copy_from_slice(&seq.to_ne_bytes());
        }
        if let Some(last) = self.starts.last() {
            let flags = u16::from_ne_bytes([self.bytes[last + 6], self.bytes[last + 7]]) | NLM_F_ACK;
            self.bytes[last + 6..last + 8].copy_from_slice(&flags.to_ne_bytes());
        }
    }
}

/// Appends a message with sequence number zero.
fn append(bytes: &mut Vec<u8>, kind: u16, flags: u16, fill: impl FnOnce(&mut Vec<u8>)) {
    let start = bytes.len();
    bytes.extend_from_slice(&[0; HEADER]);
    fill(bytes);
    let len = u32::try_from(bytes.len() - start).unwrap_or(u32::MAX);
    bytes[start..start + 4].copy_from_slice(&len.to_ne_bytes());
    bytes[start + 4..start + 6].copy_from_slice(&kind.to_ne_bytes());
    bytes[start + 6..start + 8].copy_from_slice(&flags.to_ne_bytes());
    bytes.resize((bytes.len() + 3) & !3, 0);
}

/// A received message.
#[derive(Clone, Copy, Debug)]
pub struct Message<'a> {
    /// The message type.
    pub kind: u16,
    flags: u16,
    seq: u32,
    /// What follows the header.
    pub body: &'a [u8],
}

/// The messages in a datagram, in order; it ends at the first that does not fit.
struct Messages<'a>(&'a [u8]);

impl<'a> Iterator for Messages<'a> {
    type Item = Message<'a>;

    fn next(&mut self) -> Option<Message<'a>> {
        let h: &[u8; HEADER] = self.0.first_chunk()?;
        let word = |i: usize| u32::from_ne_bytes([h[i], h[i + 1], h[i + 2], h[i + 3]]);
        let half = |i: usize| u16::from_ne_bytes([h[i], h[i + 1]]);
        let len = usize::try_from(word(0)).ok()?;
        let message = Message { kind: half(4), flags: half(6), seq: word(8), body: self.0.get(HEADER..len)? };
        self.0 = self.0.get((len + 3) & !3..).unwrap_or(&[]);
        Some(message)
    }
}

impl Message<'_> {
    /// The verdict of an NLMSG_ERROR; errno 0 is an acknowledgement.
    fn verdict(&self) -> Result<(), NetlinkError> {
        let raw = self.body.first_chunk().map_or(-libc_eio(), |b| i32::from_ne_bytes(*b));
        if raw == 0 {
            return Ok(());
        }
        Err(NetlinkError { errno: Errno::from_raw(-raw), text: self.extended_text() })
    }

    fn extended_text(&self) -> Option<String> {
        if self.flags & NLM_F_ACK_TLVS == 0 {
            return None;
        }
        let refused = self.body.get(4..8).and_then(|b| b.first_chunk()).map(|b| u32::from_ne_bytes(*b))?;
        let full = if self.flags & NLM_F_CAPPED == 0 { usize::try_from(refused).ok()? } else { HEADER };
        let tlvs = self.body.get(4 + ((full + 3) & !3)..)?;
        nlattr::attrs(tlvs).find(|a| a.kind == NLMSGERR_ATTR_MSG)?.text().map(str::to_owned)
    }
}

/// EIO, for an error message too short to hold its number.
fn libc_eio() -> i32 {
    Errno::EIO as i32
}

/// A netlink socket of one protocol.
pub struct Netlink {
    socket: NlSocket,
    seq: u32,
    /// Datagrams that wait together; a single one goes to the first.
    buffers: [Vec<u8>; AT_ONCE],
    request: Vec<u8>,
}

impl Netlink {
    /// A socket for links, addresses, routes and rules.
    pub fn route() -> io::Result<Self> {
        Self::open(NlFamily::Route, Groups::empty())
    }

    /// A socket for generic netlink families such as IPVS.
    pub fn generic() -> io::Result<Self> {
        Self::open(NlFamily::Generic, Groups::empty())
    }

    /// A non-blocking rtnetlink socket that hears these multicast groups (RTNLGRP_*).
    pub fn monitor(groups: &[u32]) -> io::Result<Self> {
        let it = Self::open(NlFamily::Route, Groups::empty())?;
        for group in groups {
            it.socket.add_mcast_membership(Groups::new_groups(&[*group]))?;
        }
        it.socket.nonblock()?;
        Ok(it)
    }

    fn open(family: NlFamily, groups: Groups) -> io::Result<Self> {
        let socket = NlSocket::connect(family, None, groups)?;
        close_on_exec(&socket)?;
        // Both are comfort: an old kernel without them only says less.
        let _ = socket.enable_ext_ack(true);
        let _ = super::socket::cap_ack(socket.as_raw_fd());
        super::socket::receive_queue(socket.as_raw_fd(), RECEIVE_QUEUE);
        Ok(Self { socket, seq: 0, buffers: std::array::from_fn(|_| vec![0; RECEIVE]), request: Vec::new() })
    }

    /// Sends one request and waits for its acknowledgement; returns the body of the first answer, if any came.
    pub fn request(&mut self, kind: u16, flags: u16, body: &[u8]) -> Result<Option<Vec<u8>>, NetlinkError> {
        let seq = self.send(kind, flags | NLM_F_ACK, body)?;
        let mut answer = None;
        loop {
            let len = self.receive()?;
            for m in Messages(&self.buffers[0][..len]).filter(|m| m.seq == seq) {
                match m.kind {
                    NLMSG_ERROR => return m.verdict().map(|()| answer),
                    _ => answer = answer.or_else(|| Some(m.body.to_vec())),
                }
            }
        }
    }

    /// Asks for a list and calls `each` with every message of it.
    pub fn dump(
        &mut self,
        kind: u16,
        body: &[u8],
        mut each: impl FnMut(Message<'_>),
    ) -> Result<DumpEnd, NetlinkError> {
        let seq = self.send(kind, NLM_F_DUMP, body)?;
        let mut end = DumpEnd::Complete;
        loop {
            let lengths = self.receive_waiting()?;
            for (buffer, len) in self.buffers.iter().zip(lengths) {
                for m in Messages(&buffer[..len]).filter(|m| m.seq == seq) {
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
    }

    /// Sends all messages of a batch in one write and calls `refused` with the index of each that failed.
    ///
    /// The kernel executes every message in order; an error stops none of the others. Only the last is
    /// acknowledged, so a batch without errors costs one write and one read. An `Err` means that the
    /// conversation itself broke and that what was executed is unknown.
    pub fn send_batch(
        &mut self,
        batch: &mut Batch,
        mut refused: impl FnMut(usize, NetlinkError),
    ) -> Result<(), NetlinkError> {
        let Some(last) = batch.len().checked_sub(1) else { return Ok(()) };
        let first = self.seq.wrapping_add(1);
        let last_seq = first.wrapping_add(u32::try_from(last).unwrap_or(u32::MAX));
        self.seq = last_seq;
        batch.seal(first);
        self.write(&batch.bytes)?;
        loop {
            let len = self.receive()?;
            for m in Messages(&self.buffers[0][..len]).filter(|m| m.kind == NLMSG_ERROR) {
                let index = usize::try_from(m.seq.wrapping_sub(first)).unwrap_or(usize::MAX);
                if index > last {
                    continue;
                }
                if let Err(e) = m.verdict() {
                    refused(index, e);
                }
                if m.seq == last_seq {
                    return Ok(());
                }
            }
        }
    }

    /// Reads one datagram of notifications and calls `each` with every message. `Ok(false)`: nothing more has
    /// come. `ENOBUFS`: notifications were lost; read the whole state again.
    pub fn notifications(&mut self, mut each: impl FnMut(Message<'_>)) -> Result<bool, NetlinkError> {
        match self.receive() {
            Ok(len) => {
                Messages(&self.buffers[0][..len]).for_each(&mut each);
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
        append(&mut request, kind, flags | NLM_F_REQUEST, |b| b.extend_from_slice(body));
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

    fn receive_waiting(&mut self) -> Result<impl Iterator<Item = usize> + use<>, NetlinkError> {
        let fd = self.socket.as_raw_fd();
        loop {
            match super::socket::receive_waiting(fd, &mut self.buffers) {
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(e.into()),
                Ok(lengths) => return Ok(lengths),
            }
        }
    }

    fn receive(&mut self) -> Result<usize, NetlinkError> {
        loop {
            match self.socket.recv(&mut self.buffers[0], Msg::empty()) {
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                other => return Ok(other?.0),
            }
        }
    }
}

/// The status that ends a dump: zero, or an error that came in the middle of it.
fn done(m: &Message<'_>) -> Result<(), NetlinkError> {
    match m.body.first_chunk().map_or(0, |b| i32::from_ne_bytes(*b)) {
        status if status < 0 => Err(NetlinkError::of(Errno::from_raw(-status))),
        _ => Ok(()),
    }
}

fn close_on_exec(socket: &NlSocket) -> io::Result<()> {
    super::socket::close_on_exec(socket.as_raw_fd())
}

impl AsFd for Netlink {
    fn as_fd(&self) -> BorrowedFd<'_> {
        super::socket::borrow(&self.socket)
    }
}

#[cfg(test)]
mod tests;
