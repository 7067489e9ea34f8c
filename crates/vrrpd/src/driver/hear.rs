//! What comes from the network.

use lvs_core::sys::clock;
use lvs_core::sys::raw::Received;
use lvs_core::time::Time;

use super::{Driver, Source};
use crate::door::{Reject, Way};
use crate::packet::{Addresses, Malformed, Packet};
use crate::tell;
use crate::words::Input;

/// Packets taken from one socket before the timers are looked at again: a flood must not delay an advertisement.
const AT_ONCE: usize = 64;
/// After a standstill all that waits is heard: more than any receive queue of the default size holds.
const ALL: usize = 4096;

impl<S: Source> Driver<S> {
    /// Takes what has come on a line.
    pub(super) fn hear(&mut self, line: usize) {
        self.hear_some(line, AT_ONCE);
    }

    /// Takes what has come on all lines while nobody listened.
    pub(super) fn hear_all(&mut self) {
        for line in 0..self.edge.lines.len() {
            self.hear_some(line, ALL);
        }
    }

    fn hear_some(&mut self, line: usize, most: usize) {
        let mut buffer = std::mem::take(&mut self.buffer);
        for _ in 0..most {
            let Some(l) = self.edge.lines.get_mut(line) else { break };
            match l.socket.receive(&mut buffer) {
                Ok(Some(received)) => self.judge(line, &received, &buffer, clock::now()),
                Ok(None) => break,
                // The link went down: the monitor says so too, and with more words.
                Err(_) => break,
            }
        }
        self.buffer = buffer;
    }

    fn judge(&mut self, line: usize, received: &Received, buffer: &[u8], now: Time) {
        let payload = &buffer[received.payload.clone()];
        let way = Way { src: received.src, dst: received.dst, ttl: received.ttl };
        let packet = Packet::parse(payload, way.src, way.dst);
        // A packet that cannot be read is held against the router that it names.
        let vrid = packet.as_ref().map_or_else(|_| payload.get(1).copied(), |p| Some(p.vrid));
        let Some(vrid) = vrid else { return };
        let Some(at) = self.edge.lines[line].routers[usize::from(vrid)] else { return };
        self.judge_for(at.into(), packet, payload, way, now);
        for n in 0..self.edge.lines[line].leaving.len() {
            let at = usize::from(self.edge.lines[line].leaving[n]);
            if self.instances[at].spec.vrid == vrid {
                self.judge_for(at, packet, payload, way, now);
            }
        }
    }

    fn judge_for(
        &mut self,
        at: usize,
        packet: Result<Packet<Addresses<'_>>, Malformed>,
        payload: &[u8],
        way: Way,
        now: Time,
    ) {
        let instance = &mut self.instances[at];
        let new = packet.is_ok();
        let packet = packet.or_else(|why| instance.spec.door.read_old(payload, way).ok_or(why));
        let admitted = packet.map_err(Reject::from).and_then(|p| {
            let advert = instance.spec.door.admit(&p, way, instance.source)?;
            if instance.spec.door.lists_others(&p) {
                tell::other_vips(instance, &p, way, now);
            }
            Ok(advert)
        });
        self.record_packet(at, payload, way, admitted, now);
        let instance = &mut self.instances[at];
        match admitted {
            Ok(advert) => {
                if std::mem::replace(&mut instance.old_sum, !new) == new {
                    tell::other_sum(instance, way);
                }
                instance.stats.heard(advert, now);
                self.feed(at, Input::Advert(advert), now);
            }
            Err(why) => tell::refused(instance, why, way, now),
        }
    }
}
