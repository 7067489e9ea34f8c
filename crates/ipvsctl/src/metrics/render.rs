//! From a snapshot to the text exposition format.

use std::fmt::{self, Display, Write};

use lvs_core::addr::{Endpoint, Family};
use lvs_core::ipvs::ServerState;
use lvs_core::plan::DaemonRole;
use lvs_core::table::{Forward, ServiceKey, Tunnel};

use super::family::{Kind, server_families, service_families};
use crate::snapshot::{Entry, Snapshot};

/// The metrics of a snapshot; the text ends with a newline, and samples of one metric stand together.
pub fn render(snapshot: &Snapshot) -> String {
    let mut out = String::new();
    // Writing to a String cannot fail.
    let _ = write(&mut out, snapshot);
    out
}

fn write(out: &mut String, s: &Snapshot) -> fmt::Result {
    kernel(out, s)?;
    let services: Vec<String> = s.entries.iter().map(|e| service_labels(&e.service.key)).collect();
    service_info(out, s, &services)?;
    for f in service_families() {
        head(out, f.name, f.kind, f.help)?;
        for (e, labels) in s.entries.iter().zip(&services) {
            if let Some(value) = (f.value)(&e.service) {
                writeln!(out, "{}{{{labels}}} {value}", f.name)?;
            }
        }
    }
    head(out, "ipvs_service_servers", Kind::Gauge, "Real servers of the virtual service.")?;
    for (e, labels) in s.entries.iter().zip(&services) {
        writeln!(out, "ipvs_service_servers{{{labels}}} {}", e.servers.len())?;
    }
    servers(out, &s.entries, &services)
}

fn head(out: &mut String, name: &str, kind: Kind, help: &str) -> fmt::Result {
    writeln!(out, "# HELP {name} {help}\n# TYPE {name} {}", kind.word())
}

fn single(out: &mut String, name: &str, help: &str, labels: &str, value: u64) -> fmt::Result {
    head(out, name, Kind::Gauge, help)?;
    writeln!(out, "{name}{labels} {value}")
}

/// What concerns the network namespace's IPVS as a whole.
fn kernel(out: &mut String, s: &Snapshot) -> fmt::Result {
    let [a, b, c] = s.info.version;
    let version = format!("{{version=\"{a}.{b}.{c}\"}}");
    single(out, "ipvs_info", "Version of the kernel's IPVS; always 1.", &version, 1)?;
    let size = s.info.connection_table_size.into();
    single(out, "ipvs_connection_table_buckets", "Buckets of the connection table.", "", size)?;
    let name = "ipvs_connection_timeout_seconds";
    head(out, name, Kind::Gauge, "Idle time after which a connection in this state is forgotten.")?;
    let timeouts = [("tcp", s.timeouts.tcp), ("tcp_fin", s.timeouts.tcp_fin), ("udp", s.timeouts.udp)];
    for (state, seconds) in timeouts {
        writeln!(out, "{name}{{state=\"{state}\"}} {seconds}")?;
    }
    let name = "ipvs_sync_daemon_info";
    head(out, name, Kind::Gauge, "A connection synchronisation daemon that runs; always 1.")?;
    for d in &s.daemons {
        let role = match d.role {
            DaemonRole::Master => "master",
            DaemonRole::Backup => "backup",
        };
        let (interface, id) = (Escaped(&d.interface), d.sync_id);
        writeln!(out, "{name}{{role=\"{role}\",interface=\"{interface}\",sync_id=\"{id}\"}} 1")?;
    }
    Ok(())
}

fn service_info(out: &mut String, s: &Snapshot, labels: &[String]) -> fmt::Result {
    let name = "ipvs_service_info";
    head(out, name, Kind::Gauge, "How the virtual service is balanced; always 1.")?;
    for (e, labels) in s.entries.iter().zip(labels) {
        let service = &e.service.service;
        let scheduler = Escaped(&service.scheduler);
        let engine = Escaped(service.engine.as_deref().unwrap_or_default());
        writeln!(out, "{name}{{{labels},scheduler=\"{scheduler}\",persistence_engine=\"{engine}\"}} 1")?;
    }
    Ok(())
}

fn servers(out: &mut String, entries: &[Entry], services: &[String]) -> fmt::Result {
    let mut all: Vec<(String, &ServerState)> = Vec::new();
    for (e, service) in entries.iter().zip(services) {
        all.extend(e.servers.iter().map(|s| (server_labels(service, s), s)));
    }
    let name = "ipvs_server_info";
    head(out, name, Kind::Gauge, "How packets reach the real server; always 1.")?;
    for (labels, s) in &all {
        writeln!(out, "{name}{{{labels},forward=\"{}\"}} 1", forward(s.server.forward))?;
    }
    for f in server_families() {
        head(out, f.name, f.kind, f.help)?;
        for (labels, s) in &all {
            if let Some(value) = (f.value)(s) {
                writeln!(out, "{}{{{labels}}} {value}", f.name)?;
            }
        }
    }
    Ok(())
}

fn service_labels(key: &ServiceKey) -> String {
    match key {
        ServiceKey::Addr { protocol, vip } => format!(
            "local_address=\"{}\",local_port=\"{}\",local_mark=\"\",proto=\"{protocol}\"",
            vip.addr, vip.port
        ),
        ServiceKey::Mark { mark, family } => {
            // One mark can be two services, one a family, and labels must tell them apart.
            let proto = if *family == Family::Inet { "FWM" } else { "FWM6" };
            format!("local_address=\"\",local_port=\"\",local_mark=\"{mark}\",proto=\"{proto}\"")
        }
    }
}

fn server_labels(service: &str, s: &ServerState) -> String {
    let Endpoint { addr, port } = s.endpoint;
    format!("{service},remote_address=\"{addr}\",remote_port=\"{port}\"")
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

/// A label value as the format wants it.
struct Escaped<'a>(&'a str);

impl Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for c in self.0.chars() {
            match c {
                '\\' => f.write_str("\\\\")?,
                '"' => f.write_str("\\\"")?,
                '\n' => f.write_str("\\n")?,
                c => f.write_char(c)?,
            }
        }
        Ok(())
    }
}
