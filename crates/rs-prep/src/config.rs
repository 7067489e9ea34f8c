//! Which VIPs this host needs, from keepalived.conf: those of the DR and TUN services in which it is a real server.

use std::net::IpAddr;
use std::path::Path;

use anyhow::bail;
use lvs_core::conf::model::{GroupEntry, Target, VirtualServer};
use lvs_core::conf::schema::Tool;
use lvs_core::conf::{Config, Place};
use lvs_core::sys::conf;
use lvs_core::table::{Forward, Protocol, Tunnel};

use crate::cli::Wrong;
use crate::host::HostState;
use crate::servers::{EVERY, Service};
use crate::tunnel::Wrapped;
use crate::vip::{self, Forwarding, Vip};

/// The most VIPs that a range of a file may stand for on one real server.
const MOST: usize = 4096;

/// A service of the file that this host serves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Served {
    /// The VIP.
    pub vip: Vip,
    /// The port of the service; 0 is every port.
    pub port: u16,
    /// This host's address in the service.
    pub rip: IpAddr,
}

/// What the file asks of this host.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Role {
    /// What it serves, in the order of the file.
    pub served: Vec<Served>,
    /// What the file leaves open, as sentences.
    pub notices: Vec<String>,
    /// What it serves through tunnels that `up` does not open.
    pub wrapped: Vec<Wrapped>,
    /// The directors' own addresses and VIPs, as far as the file names them.
    pub directors: Vec<IpAddr>,
}

impl Role {
    /// Each VIP once, in the order of the file.
    pub fn vips(&self) -> Vec<Vip> {
        vip::once(&self.served.iter().map(|served| served.vip).collect::<Vec<_>>())
    }

    /// Refuses a VIP that would be prepared and get nothing.
    ///
    /// # Errors
    /// The first VIP whose tunnel `up` does not open.
    pub fn can_be_prepared(&self) -> anyhow::Result<()> {
        self.wrapped.first().map_or(Ok(()), |wrapped| bail!("{}", wrapped.refusal()))
    }
}

/// What the file asks of the host.
pub fn role(config: &Config, host: &HostState) -> Role {
    let mut role = Role { directors: directors(config), ..Role::default() };
    for service in &config.virtual_servers {
        for (rip, forward) in servers(service).filter(|(rip, _)| is_rip(host, *rip)) {
            let (forwarding, tunnel) = match forward {
                Forward::Route => (Forwarding::Direct, Tunnel::Ipip),
                Forward::Tunnel(tunnel) => (Forwarding::Tunnel, tunnel),
                _ => {
                    role.notices.push(format!("{rip}: nothing to prepare for a NAT service"));
                    continue;
                }
            };
            let Targets { found, notices } = targets(config, service);
            let usable = found.into_iter().filter(|(addr, _)| usable(*addr));
            for (addr, port) in usable {
                let wrapped = Wrapped::of(addr, tunnel);
                let vip = wrapped.map_or(Vip { addr, forwarding }, |wrapped| wrapped.vip);
                role.served.push(Served { vip, port, rip });
                role.wrapped.extend(wrapped.filter(|wrapped| !role.wrapped.contains(wrapped)));
            }
            role.notices.extend(notices);
        }
    }
    role
}

/// The real servers of a VIP's DR services, with the ports of the services; 0 (every port) is none. With a port: those of
/// the service that answers a SYN to it.
pub fn services(config: &Config, vip: IpAddr, port: Option<u16>) -> Vec<Service> {
    let of_vip = |service| targets(config, service).found.into_iter().filter(|(addr, _)| *addr == vip);
    let listed = config.virtual_servers.iter();
    let mut listed: Vec<_> =
        listed.flat_map(|service| of_vip(service).map(move |(_, at)| (service, at))).collect();
    let is_tcp = |service: &VirtualServer| *service.protocol == Protocol::Tcp;
    if let Some(port) = port {
        let is_there = listed.iter().any(|(service, at)| is_tcp(service) && *at == port);
        let wanted = if is_there { port } else { EVERY };
        listed.retain(|(service, at)| is_tcp(service) && *at == wanted);
    }
    let mut found = Vec::new();
    for (service, at) in listed {
        let direct = service.real_servers.iter().filter(|real| *real.forward == Forward::Route);
        // Only TCP has a SYN to answer.
        let port = port.or((at != EVERY && is_tcp(service)).then_some(at));
        found.extend(direct.map(|real| Service { rip: real.endpoint.addr, port }));
    }
    found
}

/// Whether some service of the file names this VIP.
pub fn has(config: &Config, vip: IpAddr) -> bool {
    let mut found = config.virtual_servers.iter().flat_map(|service| targets(config, service).found);
    found.any(|(addr, _)| addr == vip)
}

fn usable(addr: IpAddr) -> bool {
    vip::parse(&addr.to_string()).is_ok()
}

/// Real servers and the sorry server: it too must take packets for the VIP when its hour comes.
fn servers(service: &VirtualServer) -> impl Iterator<Item = (IpAddr, Forward)> {
    let sorry = service.sorry.iter().map(|sorry| (sorry.endpoint.addr, *sorry.forward));
    service.real_servers.iter().map(|real| (real.endpoint.addr, *real.forward)).chain(sorry)
}

/// Whether an address is this host's own, and not a VIP that it holds already.
fn is_rip(host: &HostState, addr: IpAddr) -> bool {
    host.holding(addr).any(|held| !host.is_quiet(&held.device))
}

/// What a service says of its VIPs.
#[derive(Default)]
struct Targets {
    /// Those that it names, each with its port.
    found: Vec<(IpAddr, u16)>,
    /// What it leaves open, as sentences.
    notices: Vec<String>,
}

fn targets(config: &Config, service: &VirtualServer) -> Targets {
    match &service.target.value {
        Target::Addr(endpoint) => {
            Targets { found: vec![(endpoint.addr, endpoint.port)], ..Targets::default() }
        }
        Target::Mark(mark) => {
            Targets { notices: vec![unnamed(config, service.target.place, *mark)], ..Targets::default() }
        }
        Target::Group(name) => group(config, name),
    }
}

fn unnamed(config: &Config, place: Place, mark: u32) -> String {
    let place = config.files.show(place);
    format!("{place}: firewall mark {mark} does not say its VIP; name it: rs-prep up VIP")
}

/// A mark of a group hides its own VIP alone: the addresses beside it are VIPs like any other.
fn group(config: &Config, name: &str) -> Targets {
    let groups = config.server_groups.iter().filter(|group| *group.name == name);
    let mut targets = Targets::default();
    for entry in groups.flat_map(|group| &group.entries) {
        match entry.value {
            GroupEntry::Range { port, .. } => {
                targets.found.extend(entry.addresses().take(MOST + 1).map(|addr| (addr, port)));
            }
            GroupEntry::Mark { mark, .. } => targets.notices.push(unnamed(config, entry.place, mark)),
        }
    }
    if targets.found.len() > MOST {
        targets.found.clear();
        let sentence = "addresses; name those of this host";
        targets.notices.push(format!("virtual_server_group {name}: more than {MOST} {sentence}"));
    }
    targets
}

/// The addresses under which directors stand in the file: VIPs of the instances, unicast peers and sources.
fn directors(config: &Config) -> Vec<IpAddr> {
    let mut found = Vec::new();
    for instance in &config.instances {
        found.extend(instance.addresses.iter().chain(&instance.excluded).map(|a| a.prefix.addr));
        found.extend(instance.unicast.iter().flat_map(|unicast| &unicast.peers).map(|peer| *peer.addr));
        found.extend(instance.source.as_ref().map(|source| source.value));
    }
    found
}

/// Reads a file; an error in it is the end, but for one in a block that says nothing of real servers.
///
/// # Errors
/// [`Wrong`]: the file cannot be read or has errors.
pub fn read(path: &Path) -> anyhow::Result<Config> {
    let name = path.display().to_string();
    let (config, findings) = conf::load(&name).map_err(|reason| Wrong(format!("{name}: {reason}")))?;
    let errors = findings.iter().filter(|finding| finding.stops(Tool::RsPrep, false));
    let wrong = errors.map(ToString::to_string).collect::<Vec<_>>();
    match wrong.as_slice() {
        [] => Ok(config),
        wrong => Err(Wrong(format!("{name} has errors, nothing was touched\n{}", wrong.join("\n"))).into()),
    }
}

#[cfg(test)]
mod tests;
