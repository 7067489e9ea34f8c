//! Which real servers a probe asks: named ones, those of keepalived.conf, or those of this director's IPVS table.

use std::net::IpAddr;
use std::path::Path;

use anyhow::Result;
use lvs_core::ipvs::Ipvs;
use lvs_core::sys::ipvs::Client;
use lvs_core::table::{Forward, ServiceKey, Table};

use crate::cli::Probe;
use crate::config;

/// A real server of a VIP, and the port to try on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Service {
    /// Its address.
    pub rip: IpAddr,
    /// The port; none: it is only asked for its MAC.
    pub port: Option<u16>,
}

/// The real servers that the command line means.
///
/// # Errors
/// The file is wrong, or knows no real server of the VIP.
pub fn find(args: &Probe) -> Result<Vec<Service>> {
    let mut found = match &args.config {
        Some(file) => config::services(&config::read(file)?, args.vip),
        None if args.real_server.is_empty() => table(args.vip),
        None => args.real_server.iter().map(|rip| Service { rip: *rip, port: args.port }).collect(),
    };
    if args.config.is_none() {
        found.iter_mut().for_each(|service| service.port = args.port);
    } else if args.port.is_some() {
        found.retain(|service| service.port == args.port);
    }
    found.retain(|service| service.rip.is_ipv4() == args.vip.is_ipv4());
    found.sort_by_key(|service| (service.rip, service.port));
    found.dedup();
    if found.is_empty() && (args.port.is_some() || args.config.is_some()) {
        anyhow::bail!(
            "{}: which real servers? name them with --real-server RIP, or give --config FILE",
            args.vip
        );
    }
    Ok(found)
}

/// This host's IPVS table; empty where there is no IPVS, which a question must not load, and where it cannot be read.
pub(crate) fn own_table() -> Table {
    if !Path::new("/proc/net/ip_vs").exists() {
        return Table::default();
    }
    Client::open().ok().and_then(|mut client| client.read().ok()).unwrap_or_default()
}

/// Those of this host's table.
fn table(vip: IpAddr) -> Vec<Service> {
    let table = own_table();
    let of_vip = table
        .services
        .iter()
        .filter(|(key, _)| matches!(key, ServiceKey::Addr { vip: at, .. } if at.addr == vip));
    let servers = of_vip.flat_map(|(_, entry)| &entry.servers);
    servers
        .filter(|(_, server)| server.forward == Forward::Route)
        .map(|(endpoint, _)| Service { rip: endpoint.addr, port: None })
        .collect()
}
