//! The kernel's IPVS as values: what it holds with its counters, how it is asked ([`encode`]), what it answers
//! ([`decode`]), why it refused ([`explain`]).

pub mod decode;
pub mod encode;
pub mod explain;
pub mod fake;
pub mod sync;
pub mod uapi;

use serde::{Deserialize, Serialize};

use crate::addr::Endpoint;
use crate::plan::Op;
use crate::table::{Server, Service, ServiceEntry, ServiceKey, Table};

/// The table of one network namespace, real or [`fake::Fake`].
pub trait Ipvs {
    /// Reads the whole table.
    fn read(&mut self) -> Result<Table, IpvsError>;

    /// Does the operations in order, each whether or not those before it worked; one result for each.
    fn apply(&mut self, ops: &[Op]) -> Vec<Result<(), IpvsError>>;
}

/// Why the kernel refused: its error number and a sentence for the admin.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub struct IpvsError {
    /// The kernel's errno, positive; 0 if the failure is not the kernel's.
    pub errno: i32,
    /// What is wrong and what to try.
    pub text: String,
}

impl IpvsError {
    /// The error of an operation that the kernel refused with `errno`.
    pub fn of(op: &Op, errno: i32) -> Self {
        Self { errno, text: explain::explain(op, errno) }
    }
}

/// What the kernel counts for a service or server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stats {
    /// Connections scheduled.
    pub connections: u64,
    /// Packets from clients.
    pub packets_in: u64,
    /// Packets to clients (masquerading only).
    pub packets_out: u64,
    /// Bytes from clients.
    pub bytes_in: u64,
    /// Bytes to clients.
    pub bytes_out: u64,
    /// Connections a second.
    pub connections_per_second: u64,
    /// Packets a second from clients.
    pub packets_in_per_second: u64,
    /// Packets a second to clients.
    pub packets_out_per_second: u64,
    /// Bytes a second from clients.
    pub bytes_in_per_second: u64,
    /// Bytes a second to clients.
    pub bytes_out_per_second: u64,
}

impl Stats {
    /// Sets the field with this index, in the kernel's order (0: connections).
    fn set(&mut self, index: usize, value: u64) {
        let field = match index {
            0 => &mut self.connections,
            1 => &mut self.packets_in,
            2 => &mut self.packets_out,
            3 => &mut self.bytes_in,
            4 => &mut self.bytes_out,
            5 => &mut self.connections_per_second,
            6 => &mut self.packets_in_per_second,
            7 => &mut self.packets_out_per_second,
            8 => &mut self.bytes_in_per_second,
            9 => &mut self.bytes_out_per_second,
            _ => return,
        };
        *field = value;
    }

    /// Total connections, packets in and out, bytes in and out.
    pub fn totals(&self) -> [u64; 5] {
        [self.connections, self.packets_in, self.packets_out, self.bytes_in, self.bytes_out]
    }

    /// The same five a second.
    pub fn rates(&self) -> [u64; 5] {
        [
            self.connections_per_second,
            self.packets_in_per_second,
            self.packets_out_per_second,
            self.bytes_in_per_second,
            self.bytes_out_per_second,
        ]
    }
}

/// A service as the kernel shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceState {
    /// Its name.
    pub key: ServiceKey,
    /// How it is balanced.
    pub service: Service,
    /// Its counters.
    pub stats: Stats,
}

/// A real server as the kernel shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerState {
    /// Its address and port.
    pub endpoint: Endpoint,
    /// How it is used.
    pub server: Server,
    /// Connections in which data flows.
    pub active: u32,
    /// Other connections, those that wait for their timeout above all.
    pub inactive: u32,
    /// Persistence templates.
    pub persistent: u32,
    /// Its counters.
    pub stats: Stats,
}

/// What the kernel says of its IPVS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Info {
    /// Version, as in 1.2.1.
    pub version: [u8; 3],
    /// Buckets of the connection table.
    pub connection_table_size: u32,
}

/// Puts what was read together.
pub fn table(entries: impl IntoIterator<Item = (ServiceState, Vec<ServerState>)>) -> Table {
    let mut table = Table::default();
    for (state, servers) in entries {
        let mut entry = ServiceEntry::new(state.service);
        entry.servers = servers.into_iter().map(|s| (s.endpoint, s.server)).collect();
        table.services.insert(state.key, entry);
    }
    table
}

#[cfg(test)]
mod tests;
