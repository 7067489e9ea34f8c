//! Netlink messages as bytes: written one after the other into one buffer, read without copying.

use nix::errno::Errno;

use super::NetlinkError;
use crate::nlattr;

/// The length of a netlink header.
const HEADER: usize = 16;

pub(super) const NLMSG_ERROR: u16 = 2;
pub(super) const NLM_F_REQUEST: u16 = 0x01;
pub(super) const NLM_F_ACK: u16 = 0x04;
/// NLMSG_ERROR: the message that was refused is not repeated in full.
const NLM_F_CAPPED: u16 = 0x100;
/// NLMSG_ERROR: attributes with the kernel's own words follow.
const NLM_F_ACK_TLVS: u16 = 0x200;
const NLMSGERR_ATTR_MSG: u16 = 1;

/// Messages to be sent in one write; see [`super::Netlink::send_batch`].
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
    pub(super) fn seal(&mut self, first: u32) {
        self.number(first);
        self.ask_for_verdict(self.len().saturating_sub(1));
    }

    /// The same for a transaction: the message before the last is acknowledged, for the last is not one. Gives its number.
    pub(super) fn seal_inner(&mut self, first: u32) -> u32 {
        self.number(first);
        let at = self.len().saturating_sub(2);
        self.ask_for_verdict(at);
        first.wrapping_add(u32::try_from(at).unwrap_or(u32::MAX))
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    fn number(&mut self, first: u32) {
        for (i, start) in self.starts.iter().enumerate() {
            let seq = first.wrapping_add(u32::try_from(i).unwrap_or(u32::MAX));
            self.bytes[start + 8..start + 12].copy_from_slice(&seq.to_ne_bytes());
        }
    }

    fn ask_for_verdict(&mut self, message: usize) {
        if let Some(start) = self.starts.get(message) {
            let flags = u16::from_ne_bytes([self.bytes[start + 6], self.bytes[start + 7]]) | NLM_F_ACK;
            self.bytes[start + 6..start + 8].copy_from_slice(&flags.to_ne_bytes());
        }
    }
}

/// Appends a message with sequence number zero.
pub(super) fn append(bytes: &mut Vec<u8>, kind: u16, flags: u16, fill: impl FnOnce(&mut Vec<u8>)) {
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
    pub(super) flags: u16,
    /// The number of the request that it answers.
    pub(super) seq: u32,
    /// What follows the header.
    pub body: &'a [u8],
}

/// The messages in a datagram, in order; it ends at the first that does not fit.
pub(super) fn all(datagram: &[u8]) -> impl Iterator<Item = Message<'_>> {
    Messages(datagram)
}

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
    pub(super) fn verdict(&self) -> Result<(), NetlinkError> {
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
