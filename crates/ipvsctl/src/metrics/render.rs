//! From a snapshot to the text exposition format.

use lvs_core::addr::{Endpoint, Family};
use lvs_core::ipvs::ServerState;
use lvs_core::plan::DaemonRole;
use lvs_core::prometheus::{Kind, Labels, Metrics};
use lvs_core::table::{Forward, ServiceKey, Tunnel};

use super::family::{server_families, service_families};
use crate::snapshot::{Entry, Snapshot};

/// The metrics of a snapshot; the text ends with a newline, and samples of one metric stand together.
pub fn render(s: &Snapshot) -> String {
    let mut out = Metrics::default();
    kernel(&mut out, s);
    let services: Vec<Labels> = s.entries.iter().map(|e| service_labels(&e.service.key)).collect();
    service_info(&mut out, s, &services);
    for f in service_families() {
        out.family(f.name, f.kind, f.help);
        for (e, labels) in s.entries.iter().zip(&services) {
            if let Some(value) = (f.value)(&e.service) {
                out.sample(f.name, labels, value);
            }
        }
    }
    out.family("ipvs_service_servers", Kind::Gauge, "Real servers of the virtual service.");
    for (e, labels) in s.entries.iter().zip(&services) {
        out.sample("ipvs_service_servers", labels, e.servers.len());
    }
    servers(&mut out, &s.entries, &services);
    out.text()
}

/// What concerns the network namespace's IPVS as a whole.
fn kernel(out: &mut Metrics, s: &Snapshot) {
    let [a, b, c] = s.info.version;
    let version = Labels::default().with("version", format_args!("{a}.{b}.{c}"));
    out.family("ipvs_info", Kind::Gauge, "Version of the kernel's IPVS; always 1.");
    out.sample("ipvs_info", &version, 1);
    let size = s.info.connection_table_size;
    out.single("ipvs_connection_table_buckets", Kind::Gauge, "Buckets of the connection table.", size);
    let name = "ipvs_connection_timeout_seconds";
    out.family(name, Kind::Gauge, "Idle time after which a connection in this state is forgotten.");
    let timeouts = [("tcp", s.timeouts.tcp), ("tcp_fin", s.timeouts.tcp_fin), ("udp", s.timeouts.udp)];
    for (state, seconds) in timeouts {
        out.sample(name, &Labels::default().with("state", state), seconds);
    }
    let name = "ipvs_sync_daemon_info";
    out.family(name, Kind::Gauge, "A connection synchronisation daemon that runs; always 1.");
    for d in &s.daemons {
        let role = match d.role {
            DaemonRole::Master => "master",
            DaemonRole::Backup => "backup",
        };
        let labels = Labels::default().with("role", role).with("interface", &d.interface);
        out.sample(name, &labels.with("sync_id", d.sync_id), 1);
    }
}

fn service_info(out: &mut Metrics, s: &Snapshot, labels: &[Labels]) {
    let name = "ipvs_service_info";
    out.family(name, Kind::Gauge, "How the virtual service is balanced; always 1.");
    for (e, labels) in s.entries.iter().zip(labels) {
        let service = &e.service.service;
        let engine = service.engine.as_deref().unwrap_or_default();
        let labels = labels.with("scheduler", &service.scheduler).with("persistence_engine", engine);
        out.sample(name, &labels, 1);
    }
}

fn servers(out: &mut Metrics, entries: &[Entry], services: &[Labels]) {
    let mut all: Vec<(Labels, &ServerState)> = Vec::new();
    for (e, service) in entries.iter().zip(services) {
        all.extend(e.servers.iter().map(|s| (server_labels(service, s), s)));
    }
    let name = "ipvs_server_info";
    out.family(name, Kind::Gauge, "How packets reach the real server; always 1.");
    for (labels, s) in &all {
        out.sample(name, &labels.with("forward", forward(s.server.forward)), 1);
    }
    for f in server_families() {
        out.family(f.name, f.kind, f.help);
        for (labels, s) in &all {
            if let Some(value) = (f.value)(s) {
                out.sample(f.name, labels, value);
            }
        }
    }
}

fn service_labels(key: &ServiceKey) -> Labels {
    let labels = |addr: &str, port: &str, mark: &str, proto: &str| {
        let place = Labels::default().with("local_address", addr).with("local_port", port);
        place.with("local_mark", mark).with("proto", proto)
    };
    match key {
        ServiceKey::Addr { protocol, vip } => {
            labels(&vip.addr.to_string(), &vip.port.to_string(), "", &protocol.to_string())
        }
        ServiceKey::Mark { mark, family } => {
            // One mark can be two services, one a family, and labels must tell them apart.
            let proto = if *family == Family::Inet { "FWM" } else { "FWM6" };
            labels("", "", &mark.to_string(), proto)
        }
    }
}

fn server_labels(service: &Labels, s: &ServerState) -> Labels {
    let Endpoint { addr, port } = s.endpoint;
    service.with("remote_address", addr).with("remote_port", port)
}

fn forward(forward: Forward) -> &'static str {
    match forward {
        Forward::Masq => "masq",
        Forward::Local => "local",
        Forward::Route => "route",
        Forward::Bypass => "bypass",
        Forward::Tunnel(Tunnel::Ipip) => "tunnel_ipip",
        Forward::Tunnel(Tunnel::Gue { .. }) => "tunnel_gue",
        Forward::Tunnel(Tunnel::Gre { .. }) => "tunnel_gre",
    }
}
