//! The JSON of `ipvsctl list --json`, which `apply` and `diff` read too. schema/list.schema.json describes it.
//!
//! What is counted may be missing on reading; what is configured may be where rule lines have a default too.

mod places;
mod plain;
mod read;

pub(crate) use places::Places;
pub use read::Misfit;
pub(crate) use read::{Fault, read};

use std::net::{IpAddr, Ipv4Addr};

use lvs_core::addr::{Endpoint, Family};
use lvs_core::ipvs::{ServerState, ServiceState, Stats};
use lvs_core::plan::{Daemon, Timeouts};
use lvs_core::table::{
    Forward, Protocol, Server, Service, ServiceFlags, ServiceKey, Table, Tunnel, TunnelChecksum,
};
use serde::{Deserialize, Serialize, Serializer};

use crate::snapshot::{Entry, Snapshot};

/// Everything that the kernel tells.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Document {
    /// IPVS version, as `1.2.1`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Buckets of the connection table.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connection_table_size: Option<u32>,
    /// Connection timeouts in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeouts: Option<Timeouts>,
    /// Sync daemons that run.
    #[serde(default)]
    pub daemons: Vec<Daemon>,
    /// Virtual services.
    pub services: Vec<ServiceDoc>,
}

/// A virtual service: `protocol`, `address` and `port`, or `mark` and `family`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServiceDoc {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    protocol: Option<Protocol>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    address: Option<IpAddr>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    port: Option<u16>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    mark: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    family: Option<Family>,
    #[serde(default = "read::scheduler")]
    scheduler: String,
    #[serde(default)]
    scheduler_flags: [bool; 3],
    #[serde(default)]
    one_packet: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    persistence: Option<Persistence>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    engine: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    stats: Option<Stats>,
    #[serde(default)]
    servers: Vec<ServerDoc>,
}

/// How long a client keeps its server, and which clients count as one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Persistence {
    timeout: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    netmask: Option<Ipv4Addr>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    prefix_length: Option<u32>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Method {
    Masq,
    Local,
    Tunnel,
    #[default]
    Route,
    Bypass,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase", deny_unknown_fields)]
enum TunnelDoc {
    Ipip,
    Gue { port: u16, checksum: TunnelChecksum },
    Gre { checksum: TunnelChecksum },
}

/// A real server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServerDoc {
    address: IpAddr,
    /// None: the service's.
    port: Option<u16>,
    #[serde(default)]
    forward: Method,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    tunnel: Option<TunnelDoc>,
    #[serde(default = "read::weight")]
    weight: u32,
    #[serde(default)]
    upper_threshold: u32,
    #[serde(default)]
    lower_threshold: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    active_connections: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    inactive_connections: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    persistent_connections: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    stats: Option<Stats>,
}

const FLAGS: [ServiceFlags; 3] = [ServiceFlags::SCHED_1, ServiceFlags::SCHED_2, ServiceFlags::SCHED_3];

/// A snapshot as a [`Document`], made service by service while it is written: a big table is not held twice.
#[derive(Serialize)]
pub struct View<'a> {
    version: String,
    connection_table_size: u32,
    timeouts: Timeouts,
    daemons: &'a [Daemon],
    #[serde(serialize_with = "one_by_one")]
    services: &'a [Entry],
}

impl<'a> From<&'a Snapshot> for View<'a> {
    fn from(s: &'a Snapshot) -> Self {
        let [major, minor, patch] = s.info.version;
        Self {
            version: format!("{major}.{minor}.{patch}"),
            connection_table_size: s.info.connection_table_size,
            timeouts: s.timeouts,
            daemons: &s.daemons,
            services: &s.entries,
        }
    }
}

fn one_by_one<S: Serializer>(entries: &[Entry], to: S) -> Result<S::Ok, S::Error> {
    to.collect_seq(entries.iter().map(ServiceDoc::from))
}

/// A table without anything counted.
impl From<&Table> for Document {
    fn from(table: &Table) -> Self {
        let services = table.services.iter().map(|(key, entry)| {
            let state = |(endpoint, server): (&Endpoint, &Server)| ServerState {
                endpoint: *endpoint,
                server: *server,
                active: 0,
                inactive: 0,
                persistent: 0,
                stats: Stats::default(),
            };
            let service = ServiceState { key: *key, service: entry.service.clone(), stats: Stats::default() };
            let servers = entry.servers.iter().map(state).collect();
            ServiceDoc::from(&Entry { service, servers }).uncounted()
        });
        let services = services.collect();
        Self { version: None, connection_table_size: None, timeouts: None, daemons: Vec::new(), services }
    }
}

impl ServiceDoc {
    fn uncounted(mut self) -> Self {
        self.stats = None;
        for s in &mut self.servers {
            s.stats = None;
            (s.active_connections, s.inactive_connections, s.persistent_connections) = (None, None, None);
        }
        self
    }
}

impl From<&Entry> for ServiceDoc {
    fn from(entry: &Entry) -> Self {
        let ServiceState { key, service, stats } = &entry.service;
        let (vip, mark) = match key {
            ServiceKey::Addr { protocol, vip } => (Some((*protocol, *vip)), None),
            ServiceKey::Mark { mark, family } => (None, Some((*mark, *family))),
        };
        Self {
            protocol: vip.map(|(p, _)| p),
            address: vip.map(|(_, v)| v.addr),
            port: vip.map(|(_, v)| v.port),
            mark: mark.map(|(m, _)| m),
            family: mark.map(|(_, f)| f),
            scheduler: service.scheduler.clone(),
            scheduler_flags: FLAGS.map(|f| service.flags.has(f)),
            one_packet: service.flags.has(ServiceFlags::ONE_PACKET),
            persistence: service.persistence.map(|t| Persistence::new(t, key.family(), service.netmask)),
            engine: service.engine.clone(),
            stats: Some(*stats),
            servers: entry.servers.iter().map(ServerDoc::from).collect(),
        }
    }
}

impl Persistence {
    fn new(timeout: u32, family: Family, mask: u32) -> Self {
        match family {
            Family::Inet => Self { timeout, netmask: Some(Ipv4Addr::from(mask)), prefix_length: None },
            Family::Inet6 => Self { timeout, netmask: None, prefix_length: Some(mask) },
        }
    }

    fn mask(&self, family: Family) -> u32 {
        let mask = match family {
            Family::Inet => self.netmask.map(u32::from),
            Family::Inet6 => self.prefix_length,
        };
        mask.unwrap_or_else(|| Service::default_netmask(family))
    }
}

impl From<&ServerState> for ServerDoc {
    fn from(s: &ServerState) -> Self {
        let (forward, tunnel) = match s.server.forward {
            Forward::Masq => (Method::Masq, None),
            Forward::Local => (Method::Local, None),
            Forward::Route => (Method::Route, None),
            Forward::Bypass => (Method::Bypass, None),
            Forward::Tunnel(tunnel) => (Method::Tunnel, Some(TunnelDoc::from(tunnel))),
        };
        Self {
            address: s.endpoint.addr,
            port: Some(s.endpoint.port),
            forward,
            tunnel,
            weight: s.server.weight,
            upper_threshold: s.server.upper,
            lower_threshold: s.server.lower,
            active_connections: Some(s.active),
            inactive_connections: Some(s.inactive),
            persistent_connections: Some(s.persistent),
            stats: Some(s.stats),
        }
    }
}

impl From<Tunnel> for TunnelDoc {
    fn from(tunnel: Tunnel) -> Self {
        match tunnel {
            Tunnel::Ipip => Self::Ipip,
            Tunnel::Gue { port, checksum } => Self::Gue { port, checksum },
            Tunnel::Gre { checksum } => Self::Gre { checksum },
        }
    }
}

#[cfg(test)]
mod tests;
