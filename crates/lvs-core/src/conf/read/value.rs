//! Values of statements: numbers, times, switches, addresses. What is wrong is said with what is allowed and what is
//! used instead; `None` then leaves the default in place.

use std::net::IpAddr;
use std::ops::RangeInclusive;
use std::time::Duration;

use super::{At, Cx};
use crate::conf::tree::Stmt;

/// Longest time that makes sense anywhere: what fits the original's 32-bit microseconds.
const LONGEST: Duration = Duration::from_micros(4_294_967_295);

impl Cx<'_> {
    /// A whole number in a range, from the n-th word.
    pub(super) fn number(&mut self, s: Stmt<'_>, n: usize, range: RangeInclusive<i64>) -> Option<At<i64>> {
        let text = s.get(n)?;
        match whole(text) {
            Some(value) if range.contains(&value) => Some(At::new(value, s.place(n))),
            Some(_) => {
                let message = format!("{} {text} is out of range; {}", s.key(), instead(s.key()));
                let help = format!("write a number from {} to {}", range.start(), range.end());
                self.findings.warning("out-of-range", s.place(n), message).help(help);
                None
            }
            None => {
                let message = format!("{} takes a number, '{text}' is none; {}", s.key(), instead(s.key()));
                let help = format!("write a number from {} to {}", range.start(), range.end());
                self.findings.warning("bad-number", s.place(n), message).help(help);
                None
            }
        }
    }

    /// A whole number that is not negative.
    pub(super) fn count(&mut self, s: Stmt<'_>, n: usize, range: RangeInclusive<u32>) -> Option<At<u32>> {
        let found = self.number(s, n, i64::from(*range.start())..=i64::from(*range.end()))?;
        u32::try_from(found.value).ok().map(|v| At::new(v, found.place))
    }

    /// Puts a number where the default stands.
    pub(super) fn set_count(&mut self, s: Stmt<'_>, range: RangeInclusive<u32>, to: &mut At<u32>) {
        if let Some(value) = self.count(s, 1, range) {
            *to = value;
        }
    }

    /// A time in seconds with decimals, from the first argument; `least` is the shortest that is allowed.
    pub(super) fn seconds(
        &mut self,
        s: Stmt<'_>,
        n: usize,
        least: Duration,
        most: Duration,
    ) -> Option<At<Duration>> {
        let text = s.get(n)?;
        let range =
            || format!("write seconds from {} to {}", least.as_secs_f64(), most.min(LONGEST).as_secs_f64());
        match time(text) {
            Some(value) if (least..=most.min(LONGEST)).contains(&value) => Some(At::new(value, s.place(n))),
            Some(_) => {
                let message = format!("{} {text} is out of range; the default is used", s.key());
                self.findings.warning("out-of-range", s.place(n), message).help(range());
                None
            }
            None => {
                let message = format!("'{text}' is no time in seconds; the default of {} is used", s.key());
                self.findings.warning("bad-number", s.place(n), message).help(range());
                None
            }
        }
    }

    /// Puts a time of any length where the default stands.
    pub(super) fn set_seconds(&mut self, s: Stmt<'_>, to: &mut At<Duration>) {
        if let Some(value) = self.seconds(s, 1, Duration::ZERO, LONGEST) {
            *to = value;
        }
    }

    /// Puts a time above zero where the default stands.
    pub(super) fn set_positive(&mut self, s: Stmt<'_>, to: &mut At<Duration>) {
        if let Some(value) = self.seconds(s, 1, Duration::from_micros(1), LONGEST) {
            *to = value;
        }
    }

    /// A switch: the bare keyword is on.
    pub(super) fn switch(&mut self, s: Stmt<'_>) -> Option<At<bool>> {
        let value = match s.get(1) {
            None | Some("on" | "true" | "yes") => true,
            Some("off" | "false" | "no") => false,
            Some(other) => {
                let message = format!("'{other}' is neither on nor off; {} is left as it is", s.key());
                let help = "write on, off, true, false, yes, no or nothing";
                self.findings.warning("bad-switch", s.place(1), message).help(help);
                return None;
            }
        };
        Some(At::new(value, s.place(0)))
    }

    /// Puts a switch where the default stands.
    pub(super) fn set_switch(&mut self, s: Stmt<'_>, to: &mut At<bool>) {
        if let Some(value) = self.switch(s) {
            *to = value;
        }
    }

    /// An address, from the n-th word.
    pub(super) fn address(&mut self, s: Stmt<'_>, n: usize) -> Option<At<IpAddr>> {
        let text = s.get(n)?;
        match text.parse() {
            Ok(addr) => Some(At::new(addr, s.place(n))),
            Err(_) => {
                let message = format!("'{text}' is no IP address; the line is skipped");
                let help = "write an IPv4 or IPv6 address; host names are not looked up";
                self.findings.warning("bad-address", s.place(n), message).help(help);
                None
            }
        }
    }

    /// An address of an instance, from the n-th word. A prefix length is cut off, as keepalived does without a word.
    pub(super) fn own_address(&mut self, s: Stmt<'_>, n: usize) -> Option<At<IpAddr>> {
        let (text, length) = s.get(n)?.split_once('/').unzip();
        let (Some(text), Some(length)) = (text, length) else { return self.address(s, n) };
        let Ok(addr) = text.parse() else { return self.address(s, n) };
        let message = format!("'/{length}' after the address has no effect");
        self.findings.note("prefix-length", s.place(n), message).help(format!("write {text} alone"));
        Some(At::new(addr, s.place(n)))
    }

    /// A port, from the n-th word.
    pub(super) fn port(&mut self, s: Stmt<'_>, n: usize) -> Option<At<u16>> {
        let found = self.number(s, n, 1..=65535)?;
        u16::try_from(found.value).ok().map(|v| At::new(v, found.place))
    }

    /// The port that a service or server has, from the n-th word; 0, as written or without the word, is none.
    ///
    /// One that cannot be read is an error, for its default would be every port. keepalived skips such a block, too.
    pub(super) fn own_port(&mut self, s: Stmt<'_>, n: usize, skipped: &str) -> Option<u16> {
        let Some(text) = s.get(n) else { return Some(0) };
        let port = whole(text).and_then(|p| u16::try_from(p).ok());
        if port.is_none() {
            let message = format!("{} {text} is no port; {skipped}", s.get(n - 1).unwrap_or_default());
            let help = "write a number from 1 to 65535";
            self.findings.error("bad-port", s.place(n), message).help(help);
        }
        port
    }

    /// A word as it is.
    pub(super) fn text(s: Stmt<'_>, n: usize) -> Option<At<String>> {
        s.get(n).map(|t| At::new(t.to_owned(), s.place(n)))
    }

    /// One of a few words.
    pub(super) fn choice<T: Copy>(&mut self, s: Stmt<'_>, n: usize, choices: &[(&str, T)]) -> Option<At<T>> {
        let text = s.get(n)?;
        if let Some((_, value)) = choices.iter().find(|(name, _)| *name == text) {
            return Some(At::new(*value, s.place(n)));
        }
        let names: Vec<&str> = choices.iter().map(|(name, _)| *name).collect();
        let message = format!("{} cannot be '{text}'; the default is used", s.key());
        self.findings.warning("bad-choice", s.place(n), message).help(format!("write {}", names.join(", ")));
        None
    }
}

/// What happens when a value is not taken.
fn instead(key: &str) -> &'static str {
    if key == "virtual_router_id" { "it has no default" } else { "the default is used" }
}

/// A whole number: digits with an optional sign, or hexadecimal after 0x.
fn whole(text: &str) -> Option<i64> {
    match text.strip_prefix("0x") {
        Some(hex) => i64::from_str_radix(hex, 16).ok(),
        None => text.parse().ok(),
    }
}

/// Seconds with at most six decimals.
fn time(text: &str) -> Option<Duration> {
    let (secs, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = |t: &str| t.bytes().all(|b| b.is_ascii_digit());
    if !digits(secs)
        || !digits(fraction)
        || secs.is_empty() && fraction.is_empty()
        || secs.len() > 10
        || fraction.len() > 6
    {
        return None;
    }
    let secs: u64 = if secs.is_empty() { 0 } else { secs.parse().ok()? };
    let micros: u64 = if fraction.is_empty() { 0 } else { format!("{fraction:0<6}").parse().ok()? };
    Some(Duration::from_secs(secs) + Duration::from_micros(micros))
}
