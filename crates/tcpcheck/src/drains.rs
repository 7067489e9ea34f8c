//! Real servers that the admin took out of service: one a line, an address or an address and port.

use std::collections::BTreeSet;
use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use lvs_core::addr::Endpoint;

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
        server.or_else(|_| text.parse().map(Self::Host)).map_err(|_| {
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
    /// Reads a list: one a line, `#` begins a comment.
    ///
    /// # Errors
    /// The first line that is not a real server.
    pub fn parse(text: &str) -> Result<Self, String> {
        let words = text.lines().map(|l| l.split('#').next().unwrap_or("").trim());
        words.filter(|w| !w.is_empty()).map(str::parse).collect::<Result<_, _>>().map(Self)
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
        let list = Drains::parse("10.0.0.1:80 # disk\n\n# all of it\n10.0.0.2\n[2001:db8::1]:443\n").unwrap();
        let covered = |text: &str| list.cover(text.parse().unwrap());
        assert!(covered("10.0.0.1:80") && covered("10.0.0.2:1") && covered("[2001:db8::1]:443"));
        assert!(!covered("10.0.0.1:81") && !covered("10.0.0.3:80"));
        assert_eq!(Drains::parse(&list.to_string()), Ok(list));
        assert!(Drains::parse("10.0.0.1:80\nweb1\n").unwrap_err().contains("'web1'"));
    }

    #[test]
    fn a_host_given_back_whole_has_no_drained_port_left() {
        let list = Drains::parse("10.0.0.1:80\n10.0.0.1\n10.0.0.2:80\n").unwrap();
        assert_eq!(list.without("10.0.0.1".parse().unwrap()).to_string(), "10.0.0.2:80\n");
        assert_eq!(list.without("10.0.0.2:80".parse().unwrap()).to_string(), "10.0.0.1\n10.0.0.1:80\n");
    }
}
