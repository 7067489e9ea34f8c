//! From the state of the real servers to the table.

use std::collections::BTreeSet;

use lvs_core::desired;
use lvs_core::table::{ServiceKey, Table};

use super::{Monitor, brake};
use crate::change::What;

impl Monitor {
    /// Whether [`Self::settle`] or [`Self::take_changes`] has something to give.
    pub fn has_news(&self) -> bool {
        !(self.dirty.is_empty() && self.gone.is_empty() && self.changes.is_empty())
    }

    /// Decides quorums and brakes of what changed, and gives the services that have to be looked at as they should
    /// be, together with those that should be no more.
    pub fn settle(&mut self) -> Option<(Table, BTreeSet<ServiceKey>)> {
        if self.dirty.is_empty() && self.gone.is_empty() {
            return None;
        }
        let mut want = Table::default();
        for v in std::mem::take(&mut self.dirty) {
            self.settle_one(v);
            let i = v as usize;
            let (vs, health) = (&self.config.virtual_servers[i], &self.health.services[i]);
            want.services.extend(desired::entries(vs, health, &self.keys[i]));
        }
        Some((want, std::mem::take(&mut self.gone)))
    }

    fn settle_one(&mut self, v: u32) {
        let i = v as usize;
        let vs = &self.config.virtual_servers[i];
        let sorry = vs.sorry.is_some();
        let gained = self.health.services[i].settle(vs);
        // Where the sorry server serves, no real server does, and there is nothing to hold.
        let none = sorry && !self.health.services[i].quorum;
        let braked = self.options.brake_percent.and_then(|p| {
            let percent = if none { 100 } else { p };
            let known = &self.servers[i];
            let servers = &mut self.health.services[i].servers;
            brake::apply(servers, percent, |r| known[r].serves, |r| known[r].changed)
        });
        let health = &self.health.services[i];
        let open = health.quorum || !sorry;
        for (known, h) in self.servers[i].iter_mut().zip(&health.servers) {
            known.serves = open && (h.up || h.kept);
        }
        match gained {
            Some(true) => self.tell(v, What::QuorumGained),
            Some(false) => self.tell(v, What::QuorumLost(sorry)),
            None => {}
        }
        match braked {
            Some(0) => self.tell(v, What::Released),
            Some(n) => self.tell(v, What::Braked(n)),
            None => {}
        }
    }

    /// The whole table that should be.
    pub fn table(&self) -> Table {
        let each = self.config.virtual_servers.iter().zip(&self.health.services).zip(&self.keys);
        Table { services: each.flat_map(|((vs, h), keys)| desired::entries(vs, h, keys)).collect() }
    }
}
