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
