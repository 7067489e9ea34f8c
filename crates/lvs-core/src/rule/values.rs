//! The forms of values: numbers as C reads them, addresses, ports, scheduler flags.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::{Dialect, Names};
use crate::addr::Family;
use crate::table::{Protocol, Service, ServiceFlags};

/// A decimal number as C's strtol reads it (blanks and a sign may lead), within the bounds.
pub(super) fn number(text: &str, low: i64, high: i64) -> Option<i64> {
    let digits = text.trim_start_matches([' ', '\t', '\n', '\x0b', '\x0c', '\r']);
    let plain = digits.strip_prefix(['+', '-']).unwrap_or(digits);
    if plain.is_empty() || !plain.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    digits.parse().ok().filter(|n| (low..=high).contains(n))
}

/// A number that fits 32 bits, with these bounds.
pub(super) fn number32(text: &str, low: u32, high: u32) -> Option<u32> {
    number(text, low.into(), high.into()).and_then(|n| u32::try_from(n).ok())
}

/// A number that fits 16 bits, with these bounds.
pub(super) fn number16(text: &str, low: u16, high: u16) -> Option<u16> {
    number(text, low.into(), high.into()).and_then(|n| u16::try_from(n).ok())
}

/// An IPv4 address in the forms of inet_aton: one to four parts, decimal, hexadecimal or octal.
pub(super) fn inet_aton(text: &str) -> Option<Ipv4Addr> {
    if let Ok(addr) = text.parse::<Ipv4Addr>() {
        return Some(addr);
    }
    let mut parts = [0u32; 4];
    let mut count = 0;
    for part in text.split('.') {
        *parts.get_mut(count)? = aton_part(part)?;
        count += 1;
    }
    let (last, leading) = parts[..count].split_last()?;
    if leading.iter().any(|p| *p > 255) || u64::from(*last) >= 1 << (8 * (5 - count)) {
        return None;
    }
    let high = leading.iter().enumerate().fold(0, |sum, (i, p)| sum | p << (24 - 8 * i));
    Some(Ipv4Addr::from(high | last))
}

fn aton_part(part: &str) -> Option<u32> {
    let (digits, radix) = match part.strip_prefix("0x").or_else(|| part.strip_prefix("0X")) {
        Some(hex) => (hex, 16),
        None if part.len() > 1 && part.starts_with('0') => (&part[1..], 8),
        None => (part, 10),
    };
    if digits.starts_with('+') {
        return None;
    }
    u32::from_str_radix(digits, radix).ok()
}

/// Which part of an address with a port cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unread {
    /// Neither form, `HOST:PORT` nor `[ADDRESS]:PORT`.
    Form,
    Host,
    Port,
}

/// An address and, if it was given, a port. The protocol finds a service's name; without one only numbers do.
pub(super) fn host_port(
    text: &str,
    protocol: Option<Protocol>,
    names: &dyn Names,
) -> Result<(IpAddr, Option<u16>), Unread> {
    if let Some(rest) = text.strip_prefix('[') {
        return bracketed(rest, protocol, names);
    }
    let (host, after) = halves(text);
    // Digits alone are a forgotten address more often than the 32-bit number that inet_aton would see.
    if after.is_none() && text.bytes().all(|b| b.is_ascii_digit()) {
        return Err(Unread::Form);
    }
    // An IPv6 address has two colons at least.
    if host.bytes().any(|b| b == b':') {
        if let Ok(addr) = text.parse::<Ipv6Addr>() {
            return Ok((addr.into(), None));
        }
    }
    let addr = ipv4(host, names).ok_or(Unread::Host)?;
    match after {
        Some(after) => Ok((addr.into(), Some(port(after, protocol, names).ok_or(Unread::Port)?))),
        None => Ok((addr.into(), None)),
    }
}

/// What stands before the last colon and after it.
pub(super) fn halves(text: &str) -> (&str, Option<&str>) {
    // By bytes: a load of rules spends a seventh of its time in here.
    match text.bytes().rposition(|b| b == b':') {
        Some(colon) => (&text[..colon], Some(&text[colon + 1..])),
        None => (text, None),
    }
}

/// `ADDR]:PORT`. ipvsadm passes over the port of an IPv4 address that stands in brackets.
fn bracketed(
    text: &str,
    protocol: Option<Protocol>,
    names: &dyn Names,
) -> Result<(IpAddr, Option<u16>), Unread> {
    let (addr, after) = text.split_once(']').ok_or(Unread::Form)?;
    let after = after.strip_prefix(':').ok_or(Unread::Form)?;
    match addr.parse::<IpAddr>().map_err(|_| Unread::Host)? {
        IpAddr::V6(addr) => Ok((addr.into(), Some(port(after, protocol, names).ok_or(Unread::Port)?))),
        IpAddr::V4(addr) => Ok((addr.into(), Some(0))),
    }
}

fn ipv4(text: &str, names: &dyn Names) -> Option<Ipv4Addr> {
    if text.is_empty() {
        return None;
    }
    inet_aton(text).or_else(|| names.host(text))
}

fn port(text: &str, protocol: Option<Protocol>, names: &dyn Names) -> Option<u16> {
    number16(text, 0, u16::MAX).or_else(|| {
        let known = !text.is_empty() && number(text, i64::MIN, i64::MAX).is_none();
        protocol.filter(|_| known).and_then(|p| names.port(text, p))
    })
}

/// A persistence mask: IPv4 as an address, IPv6 as a prefix length.
pub(super) fn netmask(text: &str, family: Family, names: &dyn Names) -> Option<u32> {
    match family {
        Family::Inet => ipv4(text, names).map(u32::from),
        Family::Inet6 => number32(text, 1, 128),
    }
}

const FLAGS: [ServiceFlags; 3] = [ServiceFlags::SCHED_1, ServiceFlags::SCHED_2, ServiceFlags::SCHED_3];

const GENERAL: [&str; 3] = ["flag-1", "flag-2", "flag-3"];

/// What a scheduler calls its flags.
fn flag_names(scheduler: &str) -> [&'static str; 3] {
    match scheduler {
        "sh" => ["sh-fallback", "sh-port", GENERAL[2]],
        "mh" => ["mh-fallback", "mh-port", GENERAL[2]],
        _ => GENERAL,
    }
}

/// The names of a service's scheduler flags; none if it has no flag. ipvsadm has no name for the third flag of sh
/// and mh, so there the list may be empty.
pub fn scheduler_flags(
    service: &Service,
    dialect: Dialect,
) -> Option<impl Iterator<Item = &'static str> + use<>> {
    let own = flag_names(&service.scheduler);
    let nameless = dialect == Dialect::Ipvsadm && own != GENERAL;
    let set = FLAGS.map(|flag| service.flags.has(flag));
    let names = own.into_iter().zip(set).take(if nameless { 2 } else { 3 });
    set.contains(&true).then(|| names.filter(|(_, set)| *set).map(|(name, _)| name))
}

/// A list of scheduler flags with commas; the first unknown word is the error.
pub(super) fn parse_flags<'a>(list: &'a str, scheduler: &str) -> Result<ServiceFlags, &'a str> {
    let mut flags = ServiceFlags::default();
    for word in list.split(',').filter(|w| !w.is_empty()) {
        let find = |names: [&str; 3]| names.iter().position(|n| *n == word);
        let place = find(flag_names(scheduler)).or_else(|| find(GENERAL));
        flags = flags.with(FLAGS[place.ok_or(word)?]);
    }
    Ok(flags)
}
