//! Where virtual and real servers stand in a configuration, so that they are found again in another one.

use std::collections::HashMap;

use lvs_core::addr::Endpoint;
use lvs_core::conf::Config;
use lvs_core::conf::model::{ServiceId, VirtualServer};
use lvs_core::table::ServiceKey;

use crate::roster::{User, servers};

/// The places of one configuration.
pub(super) struct Places {
    named: HashMap<ServiceId, usize>,
    services: HashMap<ServiceKey, usize>,
    servers: HashMap<(usize, Endpoint), User>,
}

impl Places {
    pub(super) fn new(config: &Config, keys: &[Vec<ServiceKey>]) -> Self {
        let named = config.virtual_servers.iter().enumerate().map(|(v, vs)| (vs.id(), v));
        let services = keys.iter().enumerate().flat_map(|(v, keys)| keys.iter().map(move |k| (*k, v)));
        let servers = servers(config).map(|(u, _, s)| ((u.vs as usize, *s.endpoint), u));
        Self { named: named.collect(), services: services.collect(), servers: servers.collect() }
    }

    /// The same virtual server: known by the same, else one of whose services is the same.
    pub(super) fn service(&self, vs: &VirtualServer, keys: &[ServiceKey]) -> Option<usize> {
        let named = self.named.get(&vs.id());
        named.or_else(|| keys.iter().find_map(|k| self.services.get(k))).copied()
    }

    pub(super) fn user(&self, service: Option<usize>, endpoint: Endpoint) -> Option<User> {
        self.servers.get(&(service?, endpoint)).copied()
    }
}
