//! Addresses and ports by name, as listings without -n show them.

use std::cell::RefCell;
use std::collections::HashSet;
use std::fmt::{self, Write};
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use lvs_core::addr::Endpoint;
use lvs_core::rule::{Numeric, Spelling};
use lvs_core::sys::clock;
use lvs_core::sys::names::listed::{Answers, Key, names};
use lvs_core::table::Protocol;
use lvs_core::time::Time;

use crate::face::Face;
use crate::out::complain;
use crate::session::Failure;

/// ipvsadm builds `address:port` in 60 bytes and cuts what is longer.
const LONGEST: usize = 59;
/// What all names of one listing may take together.
const PATIENCE: Duration = Duration::from_secs(1);

/// What a listing needs names for.
#[derive(Default)]
pub(crate) struct Questions {
    hosts: HashSet<IpAddr>,
    services: HashSet<(u16, Protocol)>,
}

impl Questions {
    pub(crate) fn add(&mut self, protocol: Option<Protocol>, e: Endpoint) {
        self.hosts.insert(e.addr);
        self.services.extend(protocol.map(|p| (e.port, p)));
    }
}

/// Numbers, or names: ipvsadm waits for each, ipvsctl a second for all of them.
pub(crate) fn spelling(
    face: Face,
    numeric: bool,
    questions: impl FnOnce() -> Result<Questions, Failure>,
) -> Result<Box<dyn Spelling>, Failure> {
    Ok(match face {
        Face::Ipvsctl if numeric => Box::new(Numeric),
        _ if numeric => Box::new(CLibrary),
        face => Box::new(Resolved::ask(&questions()?, face)),
    })
}

/// Names for what has one, numbers for the rest.
#[derive(Default)]
pub(crate) struct Resolved {
    hosts: RefCell<Answers<IpAddr>>,
    services: RefCell<Answers<(u16, Protocol)>>,
    /// What came into the table only now is asked for, too.
    patient: bool,
}

impl Resolved {
    /// Asks for all names at once, and says how many did not come.
    fn ask(questions: &Questions, face: Face) -> Self {
        let patient = face.exact();
        let end = (!patient).then(|| clock::now() + PATIENCE);
        let mut given_up = 0;
        let services = all(&questions.services, end, &mut given_up);
        let hosts = all(&questions.hosts, end, &mut given_up);
        match services.and_then(|services| Ok((services, hosts?))) {
            Err(e) => {
                complain(face.name(), &format!("no names: getent: {e}; -n asks for none"));
                Self::default()
            }
            Ok((services, hosts)) => {
                if given_up > 0 {
                    complain(face.name(), &unanswered(given_up));
                }
                Self { hosts: RefCell::new(hosts), services: RefCell::new(services), patient }
            }
        }
    }

    fn host(&self, out: &mut String, addr: IpAddr) {
        let mut hosts = self.hosts.borrow_mut();
        let _ = match (self.name(&mut hosts, addr), addr) {
            (Some(name), IpAddr::V4(_)) => write!(out, "{name}"),
            (Some(name), IpAddr::V6(_)) => write!(out, "[{name}]"),
            (None, IpAddr::V4(a)) => write!(out, "{a}"),
            (None, IpAddr::V6(a)) => CLibrary.v6(out, a),
        };
    }

    fn port(&self, out: &mut String, protocol: Option<Protocol>, port: u16) {
        let mut services = self.services.borrow_mut();
        let _ = match protocol.and_then(|p| self.name(&mut services, (port, p))) {
            Some(name) => write!(out, "{name}"),
            None => write!(out, "{port}"),
        };
    }

    fn name<'a, K: Key>(&self, known: &'a mut Answers<K>, key: K) -> Option<&'a str> {
        if self.patient && !known.contains_key(&key) {
            known.extend(names(&[key], None).unwrap_or_default());
        }
        known.get(&key)?.as_deref()
    }
}

fn all<K: Key>(keys: &HashSet<K>, end: Option<Time>, given_up: &mut usize) -> io::Result<Answers<K>> {
    let keys: Vec<K> = keys.iter().copied().collect();
    let answers = names(&keys, end)?;
    *given_up += keys.len() - answers.len();
    Ok(answers)
}

fn unanswered(count: usize) -> String {
    let (names, are) = if count == 1 {
        ("name was", "is shown as a number")
    } else {
        ("names were", "are shown as numbers")
    };
    format!("{count} {names} not answered within {} s and {are}; -n asks for none", PATIENCE.as_secs())
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
        let names = Resolved { patient: true, ..Resolved::default() };
        assert_eq!(spelled(&names, Some(Protocol::Tcp), e), "localhost:http");
        assert_eq!(spelled(&names, None, e), "localhost:80");
    }

    #[test]
    fn what_was_not_looked_up_stays_a_number() {
        let names = Resolved::default();
        assert_eq!(spelled(&names, None, Endpoint::new([127, 0, 0, 1], 80)), "127.0.0.1:80");
    }

    #[test]
    fn names_that_did_not_come_are_counted() {
        assert_eq!(
            [1, 12].map(unanswered),
            [
                "1 name was not answered within 1 s and is shown as a number; -n asks for none",
                "12 names were not answered within 1 s and are shown as numbers; -n asks for none"
            ]
        );
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
