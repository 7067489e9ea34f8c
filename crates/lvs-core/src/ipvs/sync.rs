//! Connections as the kernel's synchronisation protocol carries them (version 1, `struct ip_vs_sync_mesg`), so that a
//! director that leaves can hand over what it has: the kernel's own sender waits up to two seconds before it sends.
//!
//! All numbers are in network order. What is not known of a connection here (sequence deltas of NAT helpers, engine
//! data) is left out; such connections are not told, nor are those that have ended.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};

use crate::addr::Endpoint;
use crate::connection::Connection;
use crate::table::{Forward, Protocol, ServiceKey, Table};

/// The multicast group of the kernel's daemons, unless configured otherwise.
pub const GROUP: Ipv4Addr = Ipv4Addr::new(224, 0, 0, 81);
/// Their UDP port.
pub const PORT: u16 = 8848;

/// Reserved byte, synchronisation number, size, number of connections, version, spare.
const HEADER: usize = 8;
const VERSION: u8 = 1;
/// Fits an Ethernet frame with IPv6, UDP and a VLAN tag or tunnel around it.
const LARGEST: usize = 1400;
/// The type byte of a record: IPv6.
const TYPE_INET6: u8 = 1;
/// IP_VS_CONN_F_INACTIVE: counted among the server's inactive connections.
const INACTIVE: u32 = 0x0100;
/// IP_VS_CONN_F_TEMPLATE: says where the next connections of a client go.
const TEMPLATE: u32 = 0x1000;
/// The kernel's names of TCP's states, in the order of their numbers.
const TCP_STATES: [&str; 11] = [
    "NONE",
    "ESTABLISHED",
    "SYN_SENT",
    "SYN_RECV",
    "FIN_WAIT",
    "TIME_WAIT",
    "CLOSE",
    "CLOSE_WAIT",
    "LAST_ACK",
    "LISTEN",
    "SYNACK",
];
const ESTABLISHED: u16 = 1;

/// What a table knows of the servers that connections name only by their address.
pub struct Servers {
    of: BTreeMap<(Option<Protocol>, Endpoint, Endpoint), Forward>,
    marked: BTreeMap<Endpoint, BTreeMap<u32, Forward>>,
}

impl Servers {
    /// Reads a table.
    pub fn new(table: &Table) -> Self {
        let mut it = Self { of: BTreeMap::new(), marked: BTreeMap::new() };
        for (key, entry) in &table.services {
            for (server, how) in &entry.servers {
                match *key {
                    ServiceKey::Addr { protocol, vip } => {
                        it.of.insert((Some(protocol), vip, *server), how.forward);
                    }
                    ServiceKey::Mark { mark, .. } => {
                        it.marked.entry(*server).or_default().insert(mark, how.forward);
                    }
                }
            }
        }
        it
    }

    /// The mark (0: none) of the service that a connection belongs to, and the forwarding method; services for every port
    /// are found too.
    fn find(&self, protocol: Option<Protocol>, vip: Endpoint, server: Endpoint) -> Option<(u32, Forward)> {
        let any = |e: Endpoint| Endpoint { port: 0, ..e };
        let direct = self.of.get(&(protocol, vip, server));
        let direct = direct.or_else(|| self.of.get(&(protocol, any(vip), any(server))));
        direct.map(|f| (0, *f)).or_else(|| self.marked(protocol, vip, server))
    }

    /// A template names its mark where others have an address, in the first four bytes; for a connection any mark finds its
    /// server.
    fn marked(&self, protocol: Option<Protocol>, vip: Endpoint, server: Endpoint) -> Option<(u32, Forward)> {
        let any = Endpoint { port: 0, ..server };
        let marks = self.marked.get(&server).or_else(|| self.marked.get(&any))?;
        let mark = match vip.addr {
            IpAddr::V4(a) => u32::from(a),
            IpAddr::V6(a) => u32::try_from(u128::from(a) >> 96).unwrap_or_default(),
        };
        let named = if protocol.is_none() { marks.get_key_value(&mark) } else { marks.first_key_value() };
        named.map(|(mark, forward)| (*mark, *forward))
    }
}

/// One connection as a record of the protocol; none when it cannot be told.
pub fn record(c: &Connection<'_>, servers: &Servers) -> Option<Vec<u8>> {
    let (protocol, number) = match c.protocol {
        "TCP" => (Some(Protocol::Tcp), 6),
        "UDP" => (Some(Protocol::Udp), 17),
        "IP" => (None, 0),
        _ => return None,
    };
    let (mark, forward) = servers.find(protocol, c.virtual_service, c.server)?;
    let template = c.client.port == 0;
    if matches!(c.state, "TIME_WAIT" | "CLOSE") {
        return None;
    }
    let state = if protocol == Some(Protocol::Tcp) && !template { tcp_state(c.state)? } else { 0 };
    if c.engine.is_some() || (protocol.is_none() && !template) {
        return None;
    }
    let mut flags = method(forward)?;
    if template {
        flags |= TEMPLATE;
    } else if protocol == Some(Protocol::Tcp) && state != ESTABLISHED {
        flags |= INACTIVE;
    }
    let mut b = vec![if c.client.addr.is_ipv6() { TYPE_INET6 } else { 0 }, number, 0, 0];
    b.extend(flags.to_be_bytes());
    b.extend(state.to_be_bytes());
    for e in [c.client, c.virtual_service, c.server] {
        b.extend(e.port.to_be_bytes());
    }
    b.extend(mark.to_be_bytes());
    b.extend(u32::try_from(c.expires).unwrap_or(u32::MAX).to_be_bytes());
    for e in [c.client, c.virtual_service, c.server] {
        put_address(&mut b, e.addr);
    }
    let size = u16::try_from(b.len()).ok()?;
    b[2..4].copy_from_slice(&size.to_be_bytes());
    Some(b)
}

fn put_address(b: &mut Vec<u8>, addr: IpAddr) {
    match addr {
        IpAddr::V4(a) => b.extend(a.octets()),
        IpAddr::V6(a) => b.extend(a.octets()),
    }
}

fn tcp_state(name: &str) -> Option<u16> {
    TCP_STATES.iter().position(|s| *s == name).and_then(|at| u16::try_from(at).ok())
}

/// IP_VS_CONN_F_*; what goes to the director itself is nothing to its successor.
fn method(forward: Forward) -> Option<u32> {
    match forward {
        Forward::Masq => Some(0),
        Forward::Tunnel(_) => Some(2),
        Forward::Route => Some(3),
        Forward::Local | Forward::Bypass => None,
    }
}

/// Packs records into messages for the daemons with one number.
pub struct Packer {
    message: Vec<u8>,
}

impl Packer {
    /// An empty message for the daemons with this number.
    pub fn new(id: u8) -> Self {
        let mut message = vec![0; HEADER];
        message[1] = id;
        message[5] = VERSION;
        Self { message }
    }

    /// Adds a record; gives the message that was full before it.
    pub fn push(&mut self, record: &[u8]) -> Option<Vec<u8>> {
        let full = self.message.len() + record.len() > LARGEST || self.message[4] == u8::MAX;
        let done = if full { self.finish() } else { None };
        self.message.extend(record);
        self.message[4] += 1;
        done
    }

    /// What is left, unless nothing is.
    pub fn finish(&mut self) -> Option<Vec<u8>> {
        let next = Self::new(self.message[1]);
        let mut message = std::mem::replace(self, next).message;
        let size = u16::try_from(message.len()).unwrap_or(u16::MAX);
        message[2..4].copy_from_slice(&size.to_be_bytes());
        (message[4] > 0).then_some(message)
    }
}

#[cfg(test)]
mod tests;
