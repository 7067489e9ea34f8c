//! One line of /proc/net/ip_vs_conn, which netlink does not tell.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::addr::Endpoint;

/// Where the kernel lists its connections.
pub const PATH: &str = "/proc/net/ip_vs_conn";

/// One connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Connection<'a> {
    /// `TCP`, `UDP`, `SCTP`, or `IP` for a template of a firewall mark.
    pub protocol: &'a str,
    /// The client; port 0 in a template.
    pub client: Endpoint,
    /// The virtual service; in a template of a firewall mark the address is the mark.
    pub virtual_service: Endpoint,
    /// The real server.
    pub server: Endpoint,
    /// The kernel's name of the state: `ESTABLISHED`, `SYN_RECV`, ...
    pub state: &'a str,
    /// Seconds.
    pub expires: u64,
    /// Persistence engine and what it knows the client by.
    pub engine: Option<(&'a str, &'a str)>,
}

/// Reads one line; none for the title and for what is not understood.
pub fn parse(line: &str) -> Option<Connection<'_>> {
    let mut words = line.split_ascii_whitespace();
    let protocol = words.next()?;
    let mut endpoint = || Some(Endpoint { addr: address(words.next()?)?, port: hex16(words.next()?)? });
    let (client, virtual_service, server) = (endpoint()?, endpoint()?, endpoint()?);
    let (state, expires) = (words.next()?, words.next()?.parse().ok()?);
    let engine = words.next().map(|name| (name, words.next().unwrap_or_default()));
    Some(Connection { protocol, client, virtual_service, server, state, expires, engine })
}

fn hex16(text: &str) -> Option<u16> {
    u16::from_str_radix(text, 16).ok()
}

/// IPv4 in eight hexadecimal digits, IPv6 in eight groups of four.
fn address(text: &str) -> Option<IpAddr> {
    if text.contains(':') {
        return text.parse::<Ipv6Addr>().ok().map(IpAddr::V6);
    }
    u32::from_str_radix(text, 16).ok().map(|n| Ipv4Addr::from(n).into())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn any_line_is_survived(line in "\\PC{0,120}") {
            let _ = parse(&line);
        }

        #[test]
        fn any_words_are_survived(words in proptest::collection::vec("[0-9A-F:\\[\\]]{0,40}", 0..12)) {
            let _ = parse(&words.join(" "));
        }
    }
}
