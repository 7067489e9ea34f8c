//! The expressions that rules are made of.

use super::family::{Facts, facts};
use super::uapi::{self, expr, list};
use crate::addr::Family;
use crate::nlattr::{nest, put, put_str};

/// nftables' numbers are in network order.
pub(super) fn number(b: &mut Vec<u8>, kind: u16, value: u32) {
    put(b, kind, &value.to_be_bytes());
}

fn expression(b: &mut Vec<u8>, name: &str, fill: impl FnOnce(&mut Vec<u8>)) {
    nest(b, list::ELEM, |b| {
        put_str(b, expr::NAME, name);
        nest(b, expr::DATA, fill);
    });
}

fn meta_is(b: &mut Vec<u8>, key: u32, value: u8) {
    expression(b, "meta", |b| {
        number(b, expr::META_DREG, uapi::REGISTER);
        number(b, expr::META_KEY, key);
    });
    equals(b, value);
}

fn equals(b: &mut Vec<u8>, value: u8) {
    expression(b, "cmp", |b| {
        number(b, expr::CMP_SREG, uapi::REGISTER);
        number(b, expr::CMP_OP, 0);
        nest(b, expr::CMP_DATA, |b| put(b, uapi::VALUE, &[value]));
    });
}

fn load(b: &mut Vec<u8>, base: u32, offset: u32, len: u32) {
    expression(b, "payload", |b| {
        number(b, expr::PAYLOAD_DREG, uapi::REGISTER);
        number(b, expr::PAYLOAD_BASE, base);
        number(b, expr::PAYLOAD_OFFSET, offset);
        number(b, expr::PAYLOAD_LEN, len);
    });
}

fn verdict(b: &mut Vec<u8>, code: u32) {
    expression(b, "immediate", |b| {
        number(b, expr::IMMEDIATE_DREG, 0);
        nest(b, expr::IMMEDIATE_DATA, |b| {
            nest(b, uapi::VERDICT, |b| number(b, uapi::VERDICT_CODE, code));
        });
    });
}

/// `meta nfproto ipv6 meta l4proto ipv6-icmp icmpv6 type KIND accept`
pub(super) fn accept_discovery(b: &mut Vec<u8>, kind: u8) {
    meta_is(b, uapi::META_NFPROTO, facts(Family::Inet6).number);
    meta_is(b, uapi::META_L4PROTO, uapi::ICMPV6);
    load(b, uapi::TRANSPORT, 0, 1);
    equals(b, kind);
    verdict(b, uapi::ACCEPT);
}

/// `ip daddr @SET drop`
pub(super) fn drop_listed(b: &mut Vec<u8>, family: &Facts) {
    meta_is(b, uapi::META_NFPROTO, family.number);
    load(b, uapi::NETWORK, family.destination, family.len);
    expression(b, "lookup", |b| {
        put_str(b, expr::LOOKUP_SET, family.set);
        number(b, expr::LOOKUP_SREG, uapi::REGISTER);
    });
    verdict(b, uapi::DROP);
}
