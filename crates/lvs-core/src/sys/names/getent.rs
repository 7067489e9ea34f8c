//! Names as getent(1) tells them.
//!
//! A static program starts with half the page faults of a dynamic one, but cannot count on the modules of
//! /etc/nsswitch.conf: they belong to the C library of the system, which changes under it. getent speaks for them.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::process::{Command, Stdio};
use std::sync::Mutex;

use crate::table::Protocol;

/// The first IPv4 address of a host.
pub(super) fn host(name: &str) -> Option<Ipv4Addr> {
    first_line("ahostsv4", name)?.split_whitespace().next()?.parse().ok()
}

/// The port of a service.
pub(super) fn port(name: &str, protocol: Protocol) -> Option<u16> {
    let line = first_line("services", &format!("{name}/{}", word(protocol)))?;
    let mut words = line.split_whitespace();
    let official = words.next()?;
    let port = words.next()?.split('/').next()?.parse().ok()?;
    // getent takes what begins with a digit for a number: only a name of the entry is an answer.
    (official == name || words.any(|alias| alias == name)).then_some(port)
}

pub(super) fn word(protocol: Protocol) -> &'static str {
    match protocol {
        Protocol::Tcp => "tcp",
        Protocol::Udp => "udp",
        Protocol::Sctp => "sctp",
    }
}

/// What was found so far: a restore names the same services thousands of times.
static KNOWN: Mutex<BTreeMap<(&'static str, String), Option<String>>> = Mutex::new(BTreeMap::new());

/// What getent finds for a key; none if it finds nothing or is not there.
fn first_line(database: &'static str, key: &str) -> Option<String> {
    let key = (database, key.to_owned());
    if let Some(known) = KNOWN.lock().ok()?.get(&key) {
        return known.clone();
    }
    let line = ask(database, &key.1);
    KNOWN.lock().ok()?.insert(key, line.clone());
    line
}

fn ask(database: &str, key: &str) -> Option<String> {
    let run = Command::new("getent").args(["--", database, key]).stdin(Stdio::null()).output().ok()?;
    if !run.status.success() {
        return None;
    }
    String::from_utf8(run.stdout).ok()?.lines().next().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The C library says the same of what every system has.
    #[test]
    fn getent_and_the_c_library_agree() {
        assert_eq!(host("localhost"), super::super::host("localhost"));
        for (name, number, protocol) in
            [("http", 80, Protocol::Tcp), ("domain", 53, Protocol::Udp), ("www", 80, Protocol::Tcp)]
        {
            assert_eq!(port(name, protocol), Some(number), "{name}");
            assert_eq!(super::super::port(name, protocol), Some(number), "{name}");
        }
    }

    #[test]
    fn what_has_no_name_has_none() {
        assert_eq!((port("no-such-service", Protocol::Tcp), port("80x", Protocol::Tcp)), (None, None));
        assert_eq!((port("", Protocol::Tcp), port("-s", Protocol::Udp)), (None, None));
        assert_eq!(host("no-such-host.invalid"), None);
    }
}
