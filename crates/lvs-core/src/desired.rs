//! From the configuration and what is known of the real servers to the table that should be.
//!
//! Weights, quorum and presence are derived anew each time, never added to, so they cannot drift.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use crate::addr::{Endpoint, Family};
use crate::conf::Config;
use crate::conf::model::{GroupEntry, RealServer, Sorry, Target, VirtualServer};
use crate::table::{Forward, Protocol, Server, Service, ServiceEntry, ServiceKey, Table};

/// What is known of all virtual servers, in the order of the configuration.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Health {
    /// One for each of [`Config::virtual_servers`].
    pub services: Vec<ServiceHealth>,
}

/// What is known of one virtual server.
#[derive(Clone, Debug, PartialEq)]
pub struct ServiceHealth {
    /// Whether enough real servers live; decides between them and the sorry server.
    pub quorum: bool,
    /// One for each of its real servers, in the order of the configuration.
    pub servers: Vec<ServerHealth>,
}

/// What is known of one real server in one virtual server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ServerHealth {
    /// Whether its checks are well.
    pub up: bool,
    /// Dead, but to stay in the table because too many died at once.
    pub kept: bool,
    /// Taken out of service by the admin: no new connections, the old ones go on.
    pub drained: bool,
    /// A weight that replaces the configured one (a dynamic check).
    pub weight: Option<u32>,
    /// The part of its weight that it gets while it starts slowly, in thousandths.
    pub share: u16,
}

impl ServerHealth {
    /// A server that serves, or not, with all of its weight.
    pub fn new(up: bool) -> Self {
        Self { up, kept: false, drained: false, weight: None, share: 1000 }
    }

    /// The weight that the quorum counts: 0 when dead or drained.
    fn counted(&self, server: &RealServer) -> u64 {
        if self.up && !self.drained { u64::from(self.weight.unwrap_or(*server.weight)) } else { 0 }
    }

    /// The weight in the table while the server is in use.
    pub fn effective(&self, server: &RealServer) -> u32 {
        let whole = self.weight.unwrap_or(*server.weight);
        if self.drained || whole == 0 {
            return 0;
        }
        let part = u64::from(whole) * u64::from(self.share.min(1000)) / 1000;
        u32::try_from(part).unwrap_or(whole).max(1)
    }
}

impl ServiceHealth {
    /// What is assumed of a virtual server that nothing is known of: every server lives, but `alpha` ones and
    /// those must prove it first.
    pub fn assumed(vs: &VirtualServer) -> Self {
        let up = |s: &RealServer| s.checks.is_empty() || !starts_down(vs, s);
        let servers = vs.real_servers.iter().map(|s| ServerHealth::new(up(s))).collect();
        let mut health = Self { quorum: false, servers };
        health.settle(vs);
        health
    }

    /// The weights of live real servers together.
    pub fn live_weight(&self, vs: &VirtualServer) -> u64 {
        self.servers.iter().zip(&vs.real_servers).map(|(h, s)| h.counted(s)).sum()
    }

    /// Decides the quorum anew and returns it if it changed.
    ///
    /// It is lost when the live weights together are less than quorum - hysteresis, or nothing; it is gained when
    /// they reach quorum + hysteresis.
    pub fn settle(&mut self, vs: &VirtualServer) -> Option<bool> {
        let sum = self.live_weight(vs);
        let (quorum, slack) = (u64::from(*vs.quorum), u64::from(*vs.hysteresis));
        let need = if self.quorum { quorum.saturating_sub(slack) } else { quorum + slack };
        let now = sum > 0 && sum >= need;
        let changed = now != self.quorum;
        self.quorum = now;
        changed.then_some(now)
    }
}

/// Whether a real server counts as dead until it has passed a check.
pub fn starts_down(vs: &VirtualServer, server: &RealServer) -> bool {
    *vs.alpha || *server.alpha || server.checks.iter().any(|c| *c.alpha)
}

/// The services of each virtual server. A service that two virtual servers name belongs to the first, and to none of
/// them if it is reserved.
pub fn keys(config: &Config) -> Vec<Vec<ServiceKey>> {
    let mut taken = reserved(config).keys;
    let mut own = |vs: &VirtualServer| {
        let all = expand(config, &vs.target, *vs.protocol, vs.mark_family);
        all.into_iter().filter(|k| taken.insert(*k)).collect()
    };
    config.virtual_servers.iter().map(&mut own).collect()
}

/// The services of virtual servers that were left out for an error: they stay as they are, whoever made them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reserved {
    keys: BTreeSet<ServiceKey>,
    /// A virtual server was left out of which the services cannot be told: each could be its.
    pub unknown: bool,
}

impl Reserved {
    /// Whether a service that no virtual server wants must stay.
    pub fn holds(&self, key: &ServiceKey) -> bool {
        self.unknown || self.keys.contains(key)
    }
}

/// The services that nobody may take or remove.
pub fn reserved(config: &Config) -> Reserved {
    let mut reserved = Reserved::default();
    for left in config.left_out.iter().filter(|l| l.block == "virtual_server") {
        let known = left.service.as_ref().filter(|(target, _)| match target {
            Target::Group(name) => config.server_groups.iter().any(|g| *g.name == *name),
            _ => true,
        });
        let Some((target, protocol)) = known else {
            reserved.unknown = true;
            continue;
        };
        // The family of a mark comes from the block, which is not to be relied on.
        for family in [Family::Inet, Family::Inet6] {
            reserved.keys.extend(expand(config, target, *protocol, family));
        }
    }
    reserved
}

fn expand(config: &Config, target: &Target, protocol: Protocol, family: Family) -> Vec<ServiceKey> {
    let addr = |vip| ServiceKey::Addr { protocol, vip };
    match target {
        Target::Addr(vip) => vec![addr(*vip)],
        Target::Mark(mark) => vec![ServiceKey::Mark { mark: *mark, family }],
        Target::Group(name) => {
            let group = config.server_groups.iter().find(|g| *g.name == *name);
            let entries = group.into_iter().flat_map(|g| &g.entries);
            entries
                .flat_map(|e| match &**e {
                    GroupEntry::Range { port, .. } => {
                        e.addresses().map(|a| addr(Endpoint::new(a, *port))).collect()
                    }
                    GroupEntry::Mark { mark, family: own } => {
                        vec![ServiceKey::Mark { mark: *mark, family: own.unwrap_or(family) }]
                    }
                })
                .collect()
        }
    }
}

/// The table that should be.
pub fn table(config: &Config, health: &Health) -> Table {
    let mut services = BTreeMap::new();
    let each = config.virtual_servers.iter().zip(&health.services).zip(keys(config));
    for ((vs, health), keys) in each {
        services.extend(entries(vs, health, &keys));
    }
    Table { services }
}

/// What one virtual server puts under its services.
pub fn entries<'a>(
    vs: &'a VirtualServer,
    health: &ServiceHealth,
    keys: &'a [ServiceKey],
) -> impl Iterator<Item = (ServiceKey, ServiceEntry)> + use<'a> {
    let open = health.quorum || vs.sorry.is_none();
    let real = vs.real_servers.iter().zip(&health.servers);
    let mut wanted: Vec<(Endpoint, Server)> = real
        .filter_map(|(server, h)| {
            let (upper, lower) = (*server.upper, *server.lower);
            let value = Server { upper, lower, ..Server::new(*server.forward, weight(server, *h, open)?) };
            Some((*server.endpoint, value))
        })
        .collect();
    wanted.extend(vs.sorry.as_ref().and_then(|s| sorry(s, health.quorum)));
    keys.iter().map(move |key| {
        let mut servers = BTreeMap::new();
        for (endpoint, server) in wanted.iter().filter(|(e, s)| leads(key.family(), e.addr, s.forward)) {
            servers.entry(place(*endpoint, server.forward, key)).or_insert(*server);
        }
        (*key, ServiceEntry { service: service(vs, key.family()), servers })
    })
}

fn service(vs: &VirtualServer, family: Family) -> Service {
    let persistence = vs.persistence.map(|p| *p);
    // The mask belongs to persistence, and to the family that it was written for.
    let written = persistence.is_some() && family == vs.family;
    Service {
        scheduler: (*vs.scheduler).clone(),
        flags: *vs.flags,
        persistence,
        netmask: if written { *vs.granularity } else { Service::default_netmask(family) },
        engine: vs.engine.as_ref().map(|e| (**e).clone()),
    }
}

/// Whether the kernel takes a real server for a service of this family: of the other one only through a tunnel.
pub(crate) fn leads(service: Family, server: IpAddr, forward: Forward) -> bool {
    service == Family::of(server) || matches!(forward, Forward::Tunnel(_))
}

/// Where a real server stands under a service. Direct routing and tunnels leave the packet's port as it is, so that the
/// server's is the service's, which for a firewall mark is any (0); keepalived sees to it likewise.
pub fn place(server: Endpoint, forward: Forward, key: &ServiceKey) -> Endpoint {
    match forward {
        Forward::Route | Forward::Tunnel(_) => Endpoint { port: key.port(), ..server },
        Forward::Masq | Forward::Local | Forward::Bypass => server,
    }
}

fn sorry(sorry: &Sorry, quorum: bool) -> Option<(Endpoint, Server)> {
    let weight = if quorum { sorry.inhibit.then_some(0) } else { Some(1) };
    Some((*sorry.endpoint, Server::new(*sorry.forward, weight?)))
}

/// A real server's weight in the table; none when it has no place there.
fn weight(server: &RealServer, h: ServerHealth, open: bool) -> Option<u32> {
    match (h.up || h.kept, open) {
        (true, true) => Some(h.effective(server)),
        // The sorry server takes over. A drained server keeps what it has: that is what draining is for; and one that is
        // to be inhibited is inhibited, as with keepalived.
        (true, false) => (h.drained || *server.inhibit_on_failure).then_some(0),
        (false, _) => server.inhibit_on_failure.then_some(0),
    }
}

/// Which real servers of a virtual server serve according to a table; none if it has none of its services.
///
/// A server with weight 0 serves unless that is how a dead one would stand there.
pub fn serving(vs: &VirtualServer, keys: &[ServiceKey], table: &Table) -> Option<Vec<bool>> {
    let serves = |(s, found): (&RealServer, Option<u32>)| {
        found.is_some_and(|weight| weight > 0 || *s.weight == 0 || !*s.inhibit_on_failure)
    };
    Some(vs.real_servers.iter().zip(standing(vs, keys, table)?).map(serves).collect())
}

/// The weight of each real server of a virtual server in a table; none if it has none of its services.
pub fn standing(vs: &VirtualServer, keys: &[ServiceKey], table: &Table) -> Option<Vec<Option<u32>>> {
    let first = |family| {
        let own = keys.iter().filter(move |k| k.family() == family);
        own.clone().find_map(|k| Some((k, table.services.get(k)?)))
    };
    // One service tells of all, but for servers that stand under those of one family only.
    let found: Vec<_> = [Family::Inet, Family::Inet6].into_iter().filter_map(first).collect();
    if found.is_empty() {
        return None;
    }
    let found = |s: &RealServer| {
        let led = found.iter().find(|(key, _)| leads(key.family(), s.endpoint.addr, *s.forward));
        led.and_then(|(key, entry)| entry.servers.get(&place(*s.endpoint, *s.forward, key))).map(|f| f.weight)
    };
    Some(vs.real_servers.iter().map(found).collect())
}

#[cfg(test)]
mod tests;
