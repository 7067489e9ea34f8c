//! A policy rule that swallows what this host itself answers from one of its TCP ports.

use std::net::IpAddr;

use super::address::{ip, octets};
use crate::addr::Family;
use crate::nlattr;

/// struct fib_rule_hdr.
pub(super) const HEADER: usize = 12;
/// FR_ACT_BLACKHOLE: a packet that it meets is dropped without a word.
const BLACKHOLE: u8 = 6;
/// IPPROTO_TCP.
const TCP: u8 = 6;
/// Before the rules of tables; after the one of local addresses, which no answer to another host meets.
const PRIORITY: u32 = 112;
/// Who made it, for whoever cleans up: the number of VRRP's protocol, which nobody else uses here.
const MAKER: u8 = 112;

/// FRA_*.
mod fra {
    pub(super) const SRC: u16 = 2;
    pub(super) const IIFNAME: u16 = 3;
    pub(super) const PRIORITY: u16 = 6;
    pub(super) const PROTOCOL: u16 = 21;
    pub(super) const IP_PROTO: u16 = 22;
    pub(super) const SPORT_RANGE: u16 = 23;
}

/// This host's own TCP answers from an address and port go nowhere. What IPVS forwards is not this host's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mute {
    /// The source address.
    pub from: IpAddr,
    /// The source port.
    pub port: u16,
}

impl Mute {
    /// The body that asks for the rules of a family.
    pub(super) fn query(family: Family) -> [u8; HEADER] {
        let mut b = [0; HEADER];
        b[0] = family.number().to_le_bytes()[0];
        b
    }

    /// The body of RTM_NEWRULE and RTM_DELRULE.
    pub(super) fn encode(&self) -> Vec<u8> {
        let family = Family::of(self.from);
        let mut b = Self::query(family).to_vec();
        b[2] = family.host_prefix();
        b[7] = BLACKHOLE;
        nlattr::put(&mut b, fra::SRC, &octets(self.from));
        nlattr::put_str(&mut b, fra::IIFNAME, "lo");
        nlattr::put_u32(&mut b, fra::PRIORITY, PRIORITY);
        nlattr::put_u8(&mut b, fra::PROTOCOL, MAKER);
        nlattr::put_u8(&mut b, fra::IP_PROTO, TCP);
        let [low, high] = self.port.to_ne_bytes();
        nlattr::put(&mut b, fra::SPORT_RANGE, &[low, high, low, high]);
        b
    }

    /// Reads the body of RTM_NEWRULE; none for rules that others made.
    pub(super) fn decode(body: &[u8]) -> Option<Self> {
        let header: &[u8; HEADER] = body.first_chunk()?;
        let (mut from, mut port, mut maker) = (None, None, None);
        for a in nlattr::attrs(&body[HEADER..]) {
            match a.kind {
                fra::SRC => from = ip(a.payload),
                fra::PROTOCOL => maker = a.u8(),
                fra::SPORT_RANGE => port = a.payload.first_chunk().map(|p| u16::from_ne_bytes(*p)),
                _ => {}
            }
        }
        let ours = header[7] == BLACKHOLE && maker == Some(MAKER);
        ours.then_some(Self { from: from?, port: port? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_survives_its_way_to_the_kernel() {
        for from in ["192.168.15.111", "2001:db8::1"] {
            let rule = Mute { from: from.parse().unwrap(), port: 7885 };
            assert_eq!(Mute::decode(&rule.encode()), Some(rule));
        }
    }

    #[test]
    fn rules_of_others_are_not_ours() {
        let mut body = Mute { from: "10.0.0.1".parse().unwrap(), port: 80 }.encode();
        body[7] = 1;
        assert_eq!(Mute::decode(&body), None);
        assert_eq!(Mute::decode(&Mute::query(Family::Inet)), None);
        assert_eq!(Mute::decode(&[]), None);
    }
}
