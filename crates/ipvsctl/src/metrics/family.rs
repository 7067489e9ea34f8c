//! The metrics of services and servers, each said once: name, kind, help, value.

use lvs_core::ipvs::{ServerState, ServiceState};
use lvs_core::prometheus::Kind;

/// A metric that each `T` has, or lacks.
pub struct Family<T> {
    /// Its whole name.
    pub name: &'static str,
    /// Counter (until it is made anew or zeroed) or gauge.
    pub kind: Kind,
    /// What it is, for the HELP line.
    pub help: &'static str,
    /// Its value; none where it does not apply.
    pub value: fn(&T) -> Option<u64>,
}

/// A metric of a virtual service.
pub type ServiceFamily = Family<ServiceState>;
/// A metric of a real server.
pub type ServerFamily = Family<ServerState>;

const fn counter<T>(name: &'static str, help: &'static str, value: fn(&T) -> Option<u64>) -> Family<T> {
    Family { name, kind: Kind::Counter, help, value }
}

const fn gauge<T>(name: &'static str, help: &'static str, value: fn(&T) -> Option<u64>) -> Family<T> {
    Family { name, kind: Kind::Gauge, help, value }
}

/// Thresholds of 0 mean that there is none.
fn set(threshold: u32) -> Option<u64> {
    (threshold != 0).then_some(u64::from(threshold))
}

static SERVICE: [ServiceFamily; 6] = [
    counter("ipvs_service_connections_total", "Connections scheduled by the virtual service.", |s| {
        Some(s.stats.connections)
    }),
    counter("ipvs_service_incoming_packets_total", "Packets from clients to the virtual service.", |s| {
        Some(s.stats.packets_in)
    }),
    counter(
        "ipvs_service_outgoing_packets_total",
        "Packets from the virtual service to clients that passed the director (masquerading only).",
        |s| Some(s.stats.packets_out),
    ),
    counter("ipvs_service_incoming_bytes_total", "Bytes from clients to the virtual service.", |s| {
        Some(s.stats.bytes_in)
    }),
    counter(
        "ipvs_service_outgoing_bytes_total",
        "Bytes from the virtual service to clients that passed the director (masquerading only).",
        |s| Some(s.stats.bytes_out),
    ),
    gauge(
        "ipvs_service_persistence_timeout_seconds",
        "How long a client stays with its real server; only for persistent services.",
        |s| s.service.persistence.map(u64::from),
    ),
];

static SERVER: [ServerFamily; 11] = [
    counter("ipvs_server_connections_total", "Connections scheduled to the real server.", |s| {
        Some(s.stats.connections)
    }),
    counter("ipvs_server_incoming_packets_total", "Packets from clients to the real server.", |s| {
        Some(s.stats.packets_in)
    }),
    counter(
        "ipvs_server_outgoing_packets_total",
        "Packets from the real server to clients that passed the director (masquerading only).",
        |s| Some(s.stats.packets_out),
    ),
    counter("ipvs_server_incoming_bytes_total", "Bytes from clients to the real server.", |s| {
        Some(s.stats.bytes_in)
    }),
    counter(
        "ipvs_server_outgoing_bytes_total",
        "Bytes from the real server to clients that passed the director (masquerading only).",
        |s| Some(s.stats.bytes_out),
    ),
    gauge("ipvs_server_active_connections", "Connections of the real server in which data may flow.", |s| {
        Some(s.active.into())
    }),
    gauge(
        "ipvs_server_inactive_connections",
        "Other connections of the real server, above all those that wait for their timeout.",
        |s| Some(s.inactive.into()),
    ),
    gauge("ipvs_server_persistent_connections", "Clients that persistence binds to the real server.", |s| {
        Some(s.persistent.into())
    }),
    gauge("ipvs_server_weight", "Weight of the real server; 0 takes no new connections.", |s| {
        Some(s.server.weight.into())
    }),
    gauge(
        "ipvs_server_upper_threshold_connections",
        "The real server gets no new connections above this many; absent without a limit.",
        |s| set(s.server.upper),
    ),
    gauge(
        "ipvs_server_lower_threshold_connections",
        "The real server gets new connections again below this many; absent where the kernel takes its default.",
        |s| set(s.server.lower),
    ),
];

/// The metrics of each virtual service.
pub fn service_families() -> &'static [ServiceFamily] {
    &SERVICE
}

/// The metrics of each real server.
pub fn server_families() -> &'static [ServerFamily] {
    &SERVER
}
