//! From the table that is and the table that should be to the operations between them.

use std::collections::BTreeSet;

use crate::addr::{Endpoint, Family};
use crate::table::{Forward, Server, Service, ServiceEntry, ServiceKey, Table};

/// One change of the table. It prints itself as a rule line (`-A -t 10.0.0.1:80 -s rr`), see [`crate::rule`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Op {
    /// Add a virtual service.
    AddService(ServiceKey, Service),
    /// Replace every field of a virtual service; connections stay.
    EditService(ServiceKey, Service),
    /// Delete a virtual service with its servers.
    DelService(ServiceKey),
    /// Add a real server.
    AddServer(ServiceKey, Endpoint, Server),
    /// Replace every field of a real server; connections and counters stay.
    EditServer(ServiceKey, Endpoint, Server),
    /// Delete a real server.
    DelServer(ServiceKey, Endpoint),
    /// Delete everything; timeouts and sync daemons stay.
    Flush,
    /// Set the counters of one service, or of all, to zero.
    Zero(Option<ServiceKey>),
    /// Set the connection timeouts.
    SetTimeouts(Timeouts),
    /// Start a sync daemon.
    StartDaemon(Daemon),
    /// Stop the sync daemon of a role.
    StopDaemon(DaemonRole, u32),
}

/// Connection timeouts in seconds; 0 keeps a value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Timeouts {
    /// Established TCP.
    pub tcp: u32,
    /// TCP after FIN.
    pub tcp_fin: u32,
    /// UDP.
    pub udp: u32,
}

/// Which side of connection synchronisation a daemon is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DaemonRole {
    /// Sends (IP_VS_STATE_MASTER, 1).
    Master,
    /// Receives (IP_VS_STATE_BACKUP, 2).
    Backup,
}

/// A connection synchronisation daemon; zero or none leaves a choice to the kernel.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Daemon {
    /// Sender or receiver.
    pub role: DaemonRole,
    /// The interface of the multicast group.
    pub interface: String,
    /// Only daemons with the same number hear each other, 0 to 255.
    pub sync_id: u32,
    /// Largest message in bytes.
    pub max_len: u16,
    /// The multicast group.
    pub group: Option<std::net::IpAddr>,
    /// The UDP port.
    pub port: u16,
    /// The multicast TTL.
    pub ttl: u8,
}

/// Which services a difference may touch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Every service: what is not wanted goes.
    Everything,
    /// These services and those wanted; others are somebody else's.
    Services(BTreeSet<ServiceKey>),
}

impl Scope {
    /// Only the wanted services.
    pub fn wanted() -> Self {
        Self::Services(BTreeSet::new())
    }

    fn covers(&self, key: &ServiceKey) -> bool {
        match self {
            Self::Everything => true,
            Self::Services(keys) => keys.contains(key),
        }
    }
}

/// The operations that turn `now` into `want`, within `scope`.
///
/// It promises: applied to `now` they give `want` within the scope; equal tables give nothing; what is on both
/// sides is edited, never deleted and added, so connections and counters stay; what is added comes before what
/// is removed or gets no weight any more, so traffic never lacks a server that it will have anyway.
pub fn diff(now: &Table, want: &Table, scope: &Scope) -> Vec<Op> {
    let mut ops = Vec::new();
    for (key, entry) in &want.services {
        add_or_edit(*key, now.services.get(key), entry, &mut ops);
    }
    for (key, entry) in &want.services {
        if let Some(old) = now.services.get(key) {
            let leaves = |(endpoint, found): (&Endpoint, &Server)| match entry.servers.get(endpoint) {
                None => Some(Op::DelServer(*key, *endpoint)),
                Some(new) => idles(found, new).then_some(Op::EditServer(*key, *endpoint, *new)),
            };
            ops.extend(old.servers.iter().filter_map(leaves));
        }
    }
    let gone = now.services.keys().filter(|k| scope.covers(k) && !want.services.contains_key(k));
    ops.extend(gone.map(|k| Op::DelService(*k)));
    ops
}

fn add_or_edit(key: ServiceKey, old: Option<&ServiceEntry>, new: &ServiceEntry, ops: &mut Vec<Op>) {
    match old {
        None => ops.push(Op::AddService(key, new.service.clone())),
        Some(old) if !same_service(key.family(), &old.service, &new.service) => {
            ops.push(Op::EditService(key, new.service.clone()));
        }
        Some(_) => {}
    }
    for (endpoint, server) in &new.servers {
        match old.and_then(|o| o.servers.get(endpoint)) {
            None => ops.push(Op::AddServer(key, *endpoint, *server)),
            Some(o) if !same_server(o, server) && !idles(o, server) => {
                ops.push(Op::EditServer(key, *endpoint, *server));
            }
            Some(_) => {}
        }
    }
}

/// Whether a server of the table is as wanted. The kernel turns every method into `Local` where the address is
/// its own, so editing would change nothing, each time anew.
fn same_server(found: &Server, wanted: &Server) -> bool {
    let forward = if found.forward == Forward::Local { Forward::Local } else { wanted.forward };
    *found == Server { forward, ..*wanted }
}

/// Whether a server of the table gets no new connections any more.
fn idles(found: &Server, wanted: &Server) -> bool {
    found.weight > 0 && wanted.weight == 0
}

/// Whether two services behave the same. The netmask only means something with persistence, and the kernel
/// keeps whatever was set before when persistence is off.
fn same_service(family: Family, a: &Service, b: &Service) -> bool {
    let plain = |s: &Service| match s.persistence {
        Some(_) => s.clone(),
        None => Service { netmask: Service::default_netmask(family), ..s.clone() },
    };
    plain(a) == plain(b)
}

/// What a table is after an operation: the model that the tests and the fake kernel share.
///
/// An operation that the kernel would refuse (adding what exists, touching what is missing) changes nothing and
/// returns false.
pub fn step(table: &mut Table, op: &Op) -> bool {
    match op {
        Op::AddService(key, service) => {
            let fresh = !table.services.contains_key(key);
            if fresh {
                table.services.insert(*key, ServiceEntry::new(service.clone()));
            }
            fresh
        }
        Op::EditService(key, service) => {
            table.services.get_mut(key).map(|e| e.service = service.clone()).is_some()
        }
        Op::DelService(key) => table.services.remove(key).is_some(),
        Op::AddServer(key, endpoint, server) => match table.services.get_mut(key) {
            Some(e) if !e.servers.contains_key(endpoint) => e.servers.insert(*endpoint, *server).is_none(),
            _ => false,
        },
        Op::EditServer(key, endpoint, server) => table
            .services
            .get_mut(key)
            .and_then(|e| e.servers.get_mut(endpoint))
            .map(|s| *s = *server)
            .is_some(),
        Op::DelServer(key, endpoint) => {
            table.services.get_mut(key).and_then(|e| e.servers.remove(endpoint)).is_some()
        }
        Op::Flush => {
            table.services.clear();
            true
        }
        Op::Zero(key) => key.is_none_or(|k| table.services.contains_key(&k)),
        Op::SetTimeouts(_) | Op::StartDaemon(_) | Op::StopDaemon(..) => true,
    }
}

#[cfg(test)]
mod tests;
