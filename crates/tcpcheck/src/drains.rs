//! Real servers that the admin took out of service: one a line, an address or an address and port.

use std::collections::BTreeSet;
use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use lvs_core::addr::Endpoint;
use lvs_core::conf::Config;

use crate::roster::servers;

/// A real server, or all of a host's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Drained {
    /// Every port of this address.
    Host(IpAddr),
    /// One.
    Server(Endpoint),
}

impl FromStr for Drained {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let server = text.parse().map(Self::Server);
        // An address of IPv6 in the brackets that it has with a port.
        let inner = text.strip_prefix('[').and_then(|t| t.strip_suffix(']')).filter(|t| t.contains(':'));
        server.or_else(|_| inner.unwrap_or(text).parse().map(Self::Host)).map_err(|_| {
            format!("'{text}' is not a real server: ADDRESS:PORT or ADDRESS (10.0.0.1:80, 10.0.0.1, [2001:db8::1]:80)")
        })
    }
}

impl fmt::Display for Drained {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Host(addr) => addr.fmt(f),
            Self::Server(endpoint) => endpoint.fmt(f),
        }
    }
}

/// All that are out of service.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Drains(BTreeSet<Drained>);

impl Drains {
    /// Reads a list: one a line, `#` begins a comment. Lines that are no real server come back with their numbers.
    pub fn parse(text: &str) -> (Self, Vec<(usize, String)>) {
        let (mut all, mut wrong) = (BTreeSet::new(), Vec::new());
        for (number, line) in (1..).zip(text.lines()) {
            let word = line.split('#').next().unwrap_or("").trim();
            match word.parse() {
                _ if word.is_empty() => {}
                Ok(one) => drop(all.insert(one)),
                Err(why) => wrong.push((number, why)),
            }
        }
        (Self(all), wrong)
    }

    /// Those that are no real server of a configuration.
    pub fn strangers<'a>(&'a self, config: &'a Config) -> impl Iterator<Item = Drained> + 'a {
        let known: BTreeSet<_> = servers(config)
            .flat_map(|(_, _, s)| [Drained::Server(*s.endpoint), Drained::Host(s.endpoint.addr)])
            .collect();
        self.0.iter().copied().filter(move |one| !known.contains(one))
    }

    /// Whether a real server is out of service.
    pub fn cover(&self, endpoint: Endpoint) -> bool {
        self.0.contains(&Drained::Server(endpoint)) || self.0.contains(&Drained::Host(endpoint.addr))
    }

    /// Whether one that was given back is still out of service, because its whole host is.
    pub fn is_covered(&self, one: Drained) -> bool {
        matches!(one, Drained::Server(server) if self.cover(server))
    }

    /// The list with one more.
    #[must_use]
    pub fn with(&self, one: Drained) -> Self {
        let mut all = self.clone();
        all.0.insert(one);
        all
    }

    /// The list without one, and without single servers of a host that is given back whole.
    #[must_use]
    pub fn without(&self, one: Drained) -> Self {
        let covered = |d: &Drained| match (one, d) {
            (Drained::Host(host), Drained::Server(server)) => server.addr == host,
            _ => *d == one,
        };
        Self(self.0.iter().filter(|d| !covered(d)).copied().collect())
    }
}

/// One a line.
impl fmt::Display for Drains {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|d| writeln!(f, "{d}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_of_servers_and_hosts_with_comments() {
        let (list, wrong) = Drains::parse("10.0.0.1:80 # disk\n\n# all of it\n10.0.0.2\n[2001:db8::1]:443\n");
        assert_eq!(wrong, []);
        let covered = |text: &str| list.cover(text.parse().unwrap());
        assert!(covered("10.0.0.1:80") && covered("10.0.0.2:1") && covered("[2001:db8::1]:443"));
        assert!(!covered("10.0.0.1:81") && !covered("10.0.0.3:80"));
        assert_eq!(Drains::parse(&list.to_string()).0, list);
    }

    #[test]
    fn a_host_may_stand_in_brackets_as_it_does_with_a_port() {
        let host = "fd00::102".parse::<Drained>();
        assert_eq!("[fd00::102]".parse::<Drained>(), host);
        assert_eq!(host.unwrap().to_string(), "fd00::102");
        for wrong in ["[10.0.0.1]", "[fd00::102", "fd00::102]", "[]"] {
            assert!(wrong.parse::<Drained>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_line_that_is_wrong_is_named_and_takes_no_other_along() {
        let (list, wrong) = Drains::parse("10.0.0.1:80\nweb1\n\n10.0.0.2 10.0.0.3\n10.0.0.4\n");
        assert_eq!(list.to_string(), "10.0.0.4\n10.0.0.1:80\n");
        assert_eq!(wrong.iter().map(|(line, _)| *line).collect::<Vec<_>>(), [2, 4]);
        assert!(wrong[0].1.contains("'web1'"), "{wrong:?}");
    }

    #[test]
    fn a_server_that_no_virtual_server_has_is_a_stranger() {
        let text = "virtual_server 10.0.0.100 80 {\nreal_server 10.0.0.1 80 {\n}\n}\n";
        let (config, _) = lvs_core::conf::parse(
            "f",
            text.as_bytes(),
            &mut lvs_core::conf::NoFiles,
            &lvs_core::conf::Env::default(),
        );
        let (list, _) = Drains::parse("10.0.0.1\n10.0.0.1:80\n10.0.0.1:81\n10.0.0.2\n");
        let strangers: Vec<_> = list.strangers(&config).map(|d| d.to_string()).collect();
        assert_eq!(strangers, ["10.0.0.2", "10.0.0.1:81"]);
    }

    #[test]
    fn a_host_given_back_whole_has_no_drained_port_left() {
        let list = Drains::parse("10.0.0.1:80\n10.0.0.1\n10.0.0.2:80\n").0;
        assert_eq!(list.without("10.0.0.1".parse().unwrap()).to_string(), "10.0.0.2:80\n");
        assert_eq!(list.without("10.0.0.2:80".parse().unwrap()).to_string(), "10.0.0.1\n10.0.0.1:80\n");
    }
}
