//! Which servers a drain is about, and the operations that begin, end and undo it.

use lvs_core::addr::Endpoint;
use lvs_core::ipvs::ServerState;
use lvs_core::plan::Op;
use lvs_core::table::{Server, ServiceFlags, ServiceKey};

use super::record::Record;
use crate::service::RealServer;
use crate::snapshot::Entry;

/// A real server of a service, as it was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// The service.
    pub key: ServiceKey,
    /// The persistence of the service in seconds.
    pub persistence: Option<u32>,
    /// The service's scheduler if it goes on sending clients to a server of weight 0, where they are refused.
    pub refuses: Option<String>,
    /// The real server's address and port.
    pub endpoint: Endpoint,
    /// How it was used.
    pub server: Server,
    /// The connections that it has ever had.
    pub connections: u64,
}

impl Target {
    fn new(entry: &Entry, state: &ServerState) -> Self {
        let service = &entry.service;
        let persistence = service.service.persistence;
        let s = &service.service;
        // Seen on 6.1: sh and mh hash onto all servers, and only with their first flag look for another one.
        let hashes = ["sh", "mh"].contains(&s.scheduler.as_str()) && !s.flags.has(ServiceFlags::SCHED_1);
        let refuses = hashes.then(|| s.scheduler.clone());
        let connections = state.stats.connections;
        Self {
            key: service.key,
            persistence,
            refuses,
            endpoint: state.endpoint,
            server: state.server,
            connections,
        }
    }

    /// The operation that gives it a weight and leaves all else.
    pub fn weigh(&self, weight: u32) -> Op {
        Op::EditServer(self.key, self.endpoint, Server { weight, ..self.server })
    }

    /// The operation that removes it.
    pub fn remove(&self) -> Op {
        Op::DelServer(self.key, self.endpoint)
    }
}

/// `192.168.15.102:7885 of -t 192.168.15.111:7885`.
impl std::fmt::Display for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} of {}", self.endpoint, self.key)
    }
}

/// The servers that are meant: `real` in the service, or in every service that has it.
///
/// # Errors
/// There is none; the sentence says what is missing.
pub fn targets(
    entries: &[Entry],
    service: Option<ServiceKey>,
    real: RealServer,
) -> Result<Vec<Target>, String> {
    let mut found = Vec::new();
    let meant = entries.iter().filter(|e| service.is_none_or(|k| k == e.service.key));
    let mut services = 0;
    for entry in meant {
        services += 1;
        let servers = entry.servers.iter().filter(|s| real.covers(s.endpoint));
        found.extend(servers.map(|s| Target::new(entry, s)));
    }
    match (found.is_empty(), service) {
        (false, _) => Ok(found),
        (true, Some(key)) if services == 0 => Err(format!("{key}: no such service (ipvsctl -Ln lists them)")),
        (true, Some(key)) => Err(format!("{key} has no real server {real} (ipvsctl -Ln {key} lists them)")),
        (true, None) => Err(format!("no service has a real server {real} (ipvsctl -Ln lists them)")),
    }
}

/// What an undo does about one server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Undo {
    /// Its old weight comes back.
    Restore(u32),
    /// It has this weight: nobody drains it.
    NotDrained(u32),
    /// It has weight 0, and no drain of ours has remembered another.
    Unknown,
    /// It is not the server that was drained, which had this weight.
    Another(u32),
}

/// What to do about a server, given what was remembered before the drain, if there was one.
pub fn undo(target: &Target, remembered: Option<&Record>) -> Undo {
    match (target.server.weight, remembered) {
        (0, Some(record)) if record.fits(target) => Undo::Restore(record.weight),
        (0, Some(record)) => Undo::Another(record.weight),
        (0, None) => Undo::Unknown,
        (weight, _) => Undo::NotDrained(weight),
    }
}
