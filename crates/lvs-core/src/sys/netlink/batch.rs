//! Many messages in one write, each on its own or all as one transaction.

use super::message::{NLM_F_ACK, NLM_F_REQUEST, NLMSG_ERROR, append};
use super::{Netlink, NetlinkError, messages};

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
        self.number(first);
        self.ask_for_verdict(self.len().saturating_sub(1));
    }

    /// The same for a transaction: the message before the last is acknowledged, for the last is not one. Gives its number.
    fn seal_inner(&mut self, first: u32) -> u32 {
        self.number(first);
        let at = self.len().saturating_sub(2);
        self.ask_for_verdict(at);
        first.wrapping_add(u32::try_from(at).unwrap_or(u32::MAX))
    }

    fn bytes(&self) -> &[u8] {
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

impl Netlink {
    /// Sends all messages of a batch in one write and calls `refused` with the index of each that failed.
    ///
    /// The kernel executes every message in order; an error stops none of the others. Only the last is
    /// acknowledged, so a batch without errors costs one write and one read. An `Err` means that the
    /// conversation itself broke and that what was executed is unknown.
    pub(crate) fn send_batch(
        &mut self,
        batch: &mut Batch,
        mut refused: impl FnMut(usize, NetlinkError),
    ) -> Result<(), NetlinkError> {
        let Some(last) = batch.len().checked_sub(1) else { return Ok(()) };
        let first = self.seq.wrapping_add(1);
        let last_seq = first.wrapping_add(u32::try_from(last).unwrap_or(u32::MAX));
        self.seq = last_seq;
        batch.seal(first);
        self.make_room();
        self.write(batch.bytes())?;
        loop {
            self.receive()?;
            for m in messages(&self.received).filter(|m| m.kind == NLMSG_ERROR) {
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

    /// Sends a batch that the kernel carries out as a whole or not at all: netfilter's, which begins and ends with a message
    /// that is none of them. The error is that of the first message that was refused.
    pub(crate) fn transaction(&mut self, batch: &mut Batch) -> Result<(), NetlinkError> {
        self.make_room();
        let first = self.seq.wrapping_add(1);
        let last = batch.seal_inner(first);
        self.seq = last.wrapping_add(1);
        self.write(batch.bytes())?;
        let mut result = Ok(());
        loop {
            self.receive()?;
            for m in messages(&self.received).filter(|m| m.kind == NLMSG_ERROR) {
                let verdict = m.verdict();
                if m.seq == first && verdict.is_err() {
                    // The batch was refused before anything in it was looked at: nothing more comes.
                    return verdict;
                }
                result = result.and(verdict);
                if m.seq == last {
                    return result;
                }
            }
        }
    }
}
