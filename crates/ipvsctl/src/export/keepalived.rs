//! A table as the virtual_server blocks of a keepalived.conf.

use std::fmt::Write;
use std::net::Ipv4Addr;

use lvs_core::addr::{Endpoint, Family};
use lvs_core::rule::{Dialect, scheduler_flags};
use lvs_core::table::{
    Forward, Server, Service, ServiceEntry, ServiceFlags, ServiceKey, Table, Tunnel, TunnelChecksum,
};

/// keepalived reads weights up to this.
const HEAVIEST: u32 = 65535;

/// A file without a service: one with nothing in it is taken for one that was cut off.
const NONE: &str = "global_defs {\n}\n";

pub(super) fn render(table: &Table) -> Result<String, String> {
    if table.services.is_empty() {
        return Ok(NONE.to_owned());
    }
    let mut out = String::new();
    for (key, entry) in &table.services {
        if !out.is_empty() {
            out.push('\n');
        }
        // Writing to a String cannot fail.
        let _ = block(&mut out, key, entry)?;
    }
    Ok(out)
}

fn block(out: &mut String, key: &ServiceKey, entry: &ServiceEntry) -> Result<std::fmt::Result, String> {
    // What most servers have stands once.
    let common = entry.servers.values().next().map_or(Forward::Route, |s| s.forward);
    let mut written = service(out, key, &entry.service, common);
    for (endpoint, server) in &entry.servers {
        sayable(key, *endpoint, server)?;
        written = written.and(real_server(out, *endpoint, server, common));
    }
    out.push_str("}\n");
    Ok(written)
}

fn service(out: &mut String, key: &ServiceKey, s: &Service, common: Forward) -> std::fmt::Result {
    match key {
        ServiceKey::Addr { protocol, vip } => {
            let port = if vip.port == 0 { String::new() } else { format!(" {}", vip.port) };
            writeln!(out, "virtual_server {}{port} {{", vip.addr)?;
            writeln!(out, "    protocol {protocol}")?;
        }
        ServiceKey::Mark { mark, family } => {
            writeln!(out, "virtual_server fwmark {mark} {{")?;
            let family = if *family == Family::Inet { "inet" } else { "inet6" };
            writeln!(out, "    ip_family {family}")?;
        }
    }
    writeln!(out, "    lb_algo {}", s.scheduler)?;
    writeln!(out, "    lb_kind {}", method(common))?;
    if let Some(seconds) = s.persistence {
        writeln!(out, "    persistence_timeout {seconds}")?;
        match key.family() {
            family if s.netmask == Service::default_netmask(family) => {}
            Family::Inet => writeln!(out, "    persistence_granularity {}", Ipv4Addr::from(s.netmask))?,
            Family::Inet6 => writeln!(out, "    persistence_granularity {}", s.netmask)?,
        }
    }
    if let Some(engine) = &s.engine {
        writeln!(out, "    persistence_engine {engine}")?;
    }
    if s.flags.has(ServiceFlags::ONE_PACKET) {
        writeln!(out, "    ops")?;
    }
    scheduler_flags(s, Dialect::Ours).into_iter().flatten().try_for_each(|flag| writeln!(out, "    {flag}"))
}

fn real_server(out: &mut String, e: Endpoint, s: &Server, common: Forward) -> std::fmt::Result {
    // Port 0 is what a server without a port has.
    let port = if e.port == 0 { String::new() } else { format!(" {}", e.port) };
    writeln!(out, "    real_server {}{port} {{\n        weight {}", e.addr, s.weight)?;
    if s.forward != common {
        writeln!(out, "        lvs_method {}", method(s.forward))?;
    }
    if s.upper != 0 {
        writeln!(out, "        uthreshold {}", s.upper)?;
    }
    if s.lower != 0 {
        writeln!(out, "        lthreshold {}", s.lower)?;
    }
    writeln!(out, "    }}")
}

/// The kernel's own methods become DR, which the kernel turns into them again.
fn method(forward: Forward) -> String {
    let checksum = |c| match c {
        TunnelChecksum::None => "nocsum",
        TunnelChecksum::Full => "csum",
        TunnelChecksum::Remote => "remcsum",
    };
    match forward {
        Forward::Masq => "NAT".to_owned(),
        Forward::Route | Forward::Local | Forward::Bypass => "DR".to_owned(),
        Forward::Tunnel(Tunnel::Ipip) => "TUN".to_owned(),
        Forward::Tunnel(Tunnel::Gue { port, checksum: c }) => {
            format!("TUN type gue port {port} {}", checksum(c))
        }
        Forward::Tunnel(Tunnel::Gre { checksum: c }) => format!("TUN type gre {}", checksum(c)),
    }
}

fn sayable(key: &ServiceKey, endpoint: Endpoint, server: &Server) -> Result<(), String> {
    if server.weight > HEAVIEST {
        return Err(format!(
            "real server {endpoint} of {key}: weight {} cannot be said in keepalived.conf (at most {HEAVIEST})",
            server.weight
        ));
    }
    let port = match key {
        ServiceKey::Addr { vip, .. } => vip.port,
        ServiceKey::Mark { .. } => 0,
    };
    if server.forward != Forward::Masq && endpoint.port != port {
        return Err(format!(
            "real server {endpoint} of {key}: keepalived.conf cannot say another port than {port} without NAT"
        ));
    }
    Ok(())
}
