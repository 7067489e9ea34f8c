//! Which real servers a probe asks: named ones, those of keepalived.conf, or those of this director's IPVS table.

use std::net::IpAddr;
use std::path::Path;

use anyhow::{Result, bail};
use lvs_core::addr::Endpoint;
use lvs_core::ipvs::Ipvs;
use lvs_core::sys::ipvs::Client;
use lvs_core::table::{Forward, Protocol, ServiceEntry, ServiceKey, Table};

use crate::cli::{Probe, Wrong};
use crate::config;
use crate::host::HostState;

/// The port of a service that takes every port that no other service of its address does, as the kernel looks it up.
pub(crate) const EVERY: u16 = 0;

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
/// The file or a named real server is wrong, or no real server of the VIP is known.
pub fn find(args: &Probe) -> Result<Vec<Service>> {
    let mut found = match &args.config {
        Some(file) => of_file(file, args.vip, args.port)?,
        None if args.real_server.is_empty() => of_table(&own_table(), args.vip, args.port),
        None => named(args)?,
    };
    found.retain(|service| service.rip.is_ipv4() == args.vip.is_ipv4());
    found.sort_by_key(|service| (service.rip, service.port));
    found.dedup();
    let at = args.port.map_or(args.vip.to_string(), |port| Endpoint::new(args.vip, port).to_string());
    match &args.config {
        Some(file) if found.is_empty() => {
            bail!("{at}: no real server of it in {} is sent to by DR (lb_kind DR)", file.display())
        }
        None if found.is_empty() && args.port.is_some() => {
            bail!("{at}: which real servers? name them with --real-server RIP, or give --config FILE")
        }
        _ => Ok(found),
    }
}

/// Those of a file, which has to know the VIP.
fn of_file(file: &Path, vip: IpAddr, port: Option<u16>) -> Result<Vec<Service>> {
    let config = config::read(file)?;
    if !config::has(&config, vip) {
        let file = file.display();
        return Err(Wrong(format!(
            "{file}: no virtual_server has the VIP {vip}; is it another file, or address?"
        ))
        .into());
    }
    Ok(config::services(&config, vip, port))
}

/// Those of `--real-server`; one of the other family cannot be a real server of the VIP.
fn named(args: &Probe) -> Result<Vec<Service>> {
    let service = |rip: &IpAddr| {
        let fits = rip.is_ipv4() == args.vip.is_ipv4();
        let (vip, family) = (args.vip, if args.vip.is_ipv4() { "IPv4" } else { "IPv6" });
        let wrong =
            || Wrong(format!("--real-server {rip}: the VIP {vip} needs the real server's {family} address"));
        fits.then_some(Service { rip: *rip, port: args.port }).ok_or_else(wrong)
    };
    Ok(args.real_server.iter().map(service).collect::<Result<_, _>>()?)
}

/// Those that can be asked from this host, and its own addresses among them: nobody hears his own question.
pub fn others(host: &HostState, services: Vec<Service>) -> (Vec<Service>, Vec<IpAddr>) {
    let is_own = |service: &Service| host.holding(service.rip).next().is_some();
    let (own, others): (Vec<_>, Vec<_>) = services.into_iter().partition(is_own);
    let mut own: Vec<_> = own.into_iter().map(|service| service.rip).collect();
    own.dedup();
    (others, own)
}

/// This host's IPVS table; empty where there is no IPVS, which a question must not load, and where it cannot be read.
pub(crate) fn own_table() -> Table {
    if !Path::new("/proc/net/ip_vs").exists() {
        return Table::default();
    }
    Client::open().ok().and_then(|mut client| client.read().ok()).unwrap_or_default()
}

/// The DR servers of a VIP in a table; with a port, those that the service on it sends to.
fn of_table(table: &Table, vip: IpAddr, port: Option<u16>) -> Vec<Service> {
    let is_there = |port: &u16| entries(table, vip, Some(*port)).next().is_some();
    let of = port.map(|port| Some(port).filter(is_there).unwrap_or(EVERY));
    let servers = entries(table, vip, of).flat_map(|entry| &entry.servers);
    let direct = servers.filter(|(_, server)| server.forward == Forward::Route);
    direct.map(|(endpoint, _)| Service { rip: endpoint.addr, port }).collect()
}

/// The services of a VIP; with a port, the one that answers a SYN to it.
fn entries(table: &Table, vip: IpAddr, port: Option<u16>) -> impl Iterator<Item = &ServiceEntry> {
    let of_vip = table.services.iter().filter(move |(key, _)| match **key {
        ServiceKey::Addr { vip: at, protocol } => {
            at.addr == vip && port.is_none_or(|port| protocol == Protocol::Tcp && at.port == port)
        }
        ServiceKey::Mark { .. } => false,
    });
    of_vip.map(|(_, entry)| entry)
}

#[cfg(test)]
mod tests {
    use super::*;
    use lvs_core::table::Server;

    const VIP: &str = "192.168.15.111";

    fn entry(protocol: Protocol, port: u16, servers: &[(&str, Forward)]) -> (ServiceKey, ServiceEntry) {
        let vip = Endpoint::new(VIP.parse::<IpAddr>().unwrap(), port);
        let key = ServiceKey::Addr { protocol, vip };
        let server = |(at, forward): &(&str, Forward)| (at.parse().unwrap(), Server::new(*forward, 1));
        let service = lvs_core::table::Service::new("rr", key.family());
        (key, ServiceEntry { service, servers: servers.iter().map(server).collect() })
    }

    fn asked(table: &Table, port: Option<u16>) -> Vec<String> {
        let found = of_table(table, VIP.parse().unwrap(), port);
        assert!(found.iter().all(|service| service.port == port));
        found.iter().map(|service| service.rip.to_string()).collect()
    }

    fn probe(line: &str) -> Probe {
        use clap::Parser;
        let words = format!("rs-prep probe 192.168.15.111 -d ens192 {line}");
        match crate::cli::Cli::parse_from(words.split_whitespace()).verb {
            crate::cli::Verb::Probe(probe) => probe,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_real_server_of_the_other_family_is_an_error_of_the_command_line() {
        for line in ["-r fd00::2", "-r 192.168.15.102 -r fd00::2 -p 80"] {
            let error = find(&probe(line)).unwrap_err();
            assert!(error.is::<Wrong>() && error.to_string().contains("fd00::2"), "{error}");
        }
        assert_eq!(find(&probe("-r 192.168.15.102")).unwrap().len(), 1);
    }

    #[test]
    fn this_host_is_not_asked_by_itself() {
        let [own, other] = ["192.168.15.102", "192.168.15.103"].map(|rip| rip.parse().unwrap());
        let services =
            [(own, 80), (own, 81), (other, 80)].map(|(rip, port)| Service { rip, port: Some(port) });
        let host = crate::host::testing::alone();
        assert_eq!(others(&host, services.to_vec()), (vec![services[2]], vec![own]));
    }

    #[test]
    fn a_port_asks_the_servers_of_its_service_alone() {
        let mut table = Table::default();
        table.services.extend([
            entry(Protocol::Tcp, 443, &[("192.168.15.109:443", Forward::Route)]),
            entry(Protocol::Udp, 7885, &[("192.168.15.108:7885", Forward::Route)]),
            entry(
                Protocol::Tcp,
                7885,
                &[("192.168.15.102:7885", Forward::Route), ("192.168.15.103:7885", Forward::Masq)],
            ),
        ]);
        assert_eq!(asked(&table, Some(7885)), ["192.168.15.102"]);
        assert_eq!(asked(&table, Some(80)), [""; 0]);
        assert_eq!(asked(&table, None).len(), 3, "without a port: all that may leak");
        table.services.extend([entry(Protocol::Tcp, 0, &[("192.168.15.104:0", Forward::Route)])]);
        assert_eq!(asked(&table, Some(7885)), ["192.168.15.102"]);
        assert_eq!(asked(&table, Some(80)), ["192.168.15.104"]);
    }
}
