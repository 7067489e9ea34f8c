//! Addresses and ports by name, as listings without -n show them.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::fmt::{self, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use lvs_core::addr::Endpoint;
use lvs_core::rule::Spelling;
use lvs_core::sys::{clock, names};
use lvs_core::table::Protocol;

/// ipvsadm builds `address:port` in 60 bytes and cuts what is longer.
const LONGEST: usize = 59;
/// What all names of one listing may take together.
const PATIENCE: Duration = Duration::from_secs(1);
/// Look-ups at a time.
const WORKERS: usize = 16;

/// Names for what has one, numbers for the rest.
#[derive(Default)]
pub(crate) struct Resolved {
    hosts: RefCell<HashMap<IpAddr, Option<String>>>,
    services: RefCell<HashMap<(u16, Protocol), Option<String>>>,
    /// Addresses that were not asked for in time stay numbers.
    patient: bool,
}

impl Resolved {
    /// Asks for each name when it is needed and waits as long as the resolver does, as ipvsadm.
    pub(crate) fn patient() -> Self {
        Self { patient: true, ..Self::default() }
    }

    /// Asks for all names at once and takes what came within a second.
    pub(crate) fn within_a_second(addrs: HashSet<IpAddr>) -> Self {
        Self { hosts: RefCell::new(look_up(addrs)), ..Self::default() }
    }

    fn host(&self, out: &mut String, addr: IpAddr) {
        let mut hosts = self.hosts.borrow_mut();
        let name = if self.patient {
            hosts.entry(addr).or_insert_with(|| names::host_name(addr)).as_deref()
        } else {
            hosts.get(&addr).and_then(Option::as_deref)
        };
        let _ = match (name, addr) {
            (Some(name), IpAddr::V4(_)) => write!(out, "{name}"),
            (Some(name), IpAddr::V6(_)) => write!(out, "[{name}]"),
            (None, IpAddr::V4(a)) => write!(out, "{a}"),
            (None, IpAddr::V6(a)) => CLibrary.v6(out, a),
        };
    }

    fn port(&self, out: &mut String, protocol: Option<Protocol>, port: u16) {
        let mut services = self.services.borrow_mut();
        let name = protocol
            .and_then(|p| services.entry((port, p)).or_insert_with(|| names::service(port, p)).as_deref());
        let _ = match name {
            Some(name) => write!(out, "{name}"),
            None => write!(out, "{port}"),
        };
    }
}

impl Spelling for Resolved {
    fn endpoint(&self, out: &mut dyn Write, protocol: Option<Protocol>, e: Endpoint) -> fmt::Result {
        let mut text = String::new();
        self.host(&mut text, e.addr);
        text.push(':');
        self.port(&mut text, protocol, e.port);
        out.write_str(cut(&text, LONGEST))
    }
}

/// Numbers as the C library writes them.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct CLibrary;

impl CLibrary {
    /// An address whose first 96 bits are zero stands with dots, `[::0.1.0.128]`, save `::` and what is as short.
    fn v6(self, out: &mut dyn Write, a: Ipv6Addr) -> fmt::Result {
        let low = Ipv4Addr::from(u128::from(a) as u32);
        match a.segments() {
            [0, 0, 0, 0, 0, 0, high, _] if high != 0 => write!(out, "[::{low}]"),
            _ => write!(out, "[{a}]"),
        }
    }
}

impl Spelling for CLibrary {
    fn endpoint(&self, out: &mut dyn Write, _: Option<Protocol>, e: Endpoint) -> fmt::Result {
        match e.addr {
            IpAddr::V4(_) => write!(out, "{e}"),
            IpAddr::V6(a) => {
                self.v6(out, a)?;
                write!(out, ":{}", e.port)
            }
        }
    }
}

/// At most `bytes` bytes of a text.
pub(crate) fn cut(text: &str, bytes: usize) -> &str {
    let mut end = text.len().min(bytes);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

/// Threads that still wait for a dead name server end with the process.
fn look_up(addrs: HashSet<IpAddr>) -> HashMap<IpAddr, Option<String>> {
    let wanted = addrs.len();
    let queue = Arc::new(Mutex::new(addrs.into_iter()));
    let (send, receive) = mpsc::channel();
    for _ in 0..WORKERS.min(wanted) {
        let (queue, send) = (Arc::clone(&queue), send.clone());
        std::thread::spawn(move || {
            while let Some(addr) = queue.lock().ok().and_then(|mut q| q.next()) {
                if send.send((addr, names::host_name(addr))).is_err() {
                    break;
                }
            }
        });
    }
    let end = clock::now() + PATIENCE;
    let mut found = HashMap::new();
    while found.len() < wanted {
        match receive.recv_timeout(end.since(clock::now())) {
            Ok((addr, name)) => found.insert(addr, name),
            Err(_) => break,
        };
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spelled(names: &Resolved, protocol: Option<Protocol>, e: Endpoint) -> String {
        let mut out = String::new();
        names.endpoint(&mut out, protocol, e).unwrap();
        out
    }

    #[test]
    fn a_mark_has_no_protocol_and_so_no_service_name() {
        let e = Endpoint::new([127, 0, 0, 1], 80);
        let names = Resolved::patient();
        assert_eq!(spelled(&names, Some(Protocol::Tcp), e), "localhost:http");
        assert_eq!(spelled(&names, None, e), "localhost:80");
    }

    #[test]
    fn what_was_not_looked_up_stays_a_number() {
        let names = Resolved::within_a_second(HashSet::new());
        assert_eq!(spelled(&names, None, Endpoint::new([127, 0, 0, 1], 80)), "127.0.0.1:80");
    }

    #[test]
    fn ipv4_compatible_addresses_have_dots() {
        for (addr, text) in
            [("::1:80", "[::0.1.0.128]:9"), ("::1", "[::1]:9"), ("2001:db8::1", "[2001:db8::1]:9")]
        {
            let mut out = String::new();
            CLibrary.endpoint(&mut out, None, Endpoint::new(addr.parse::<IpAddr>().unwrap(), 9)).unwrap();
            assert_eq!(out, text);
        }
    }

    #[test]
    fn long_names_are_cut_where_ipvsadm_cuts_them() {
        let addr = IpAddr::from([192, 0, 2, 1]);
        let names = Resolved::default();
        names.hosts.borrow_mut().insert(addr, Some("x".repeat(70)));
        assert_eq!(spelled(&names, None, Endpoint::new(addr, 80)), "x".repeat(59));
    }
}
