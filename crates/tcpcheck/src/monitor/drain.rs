//! Servers that the admin takes out of service: no new connections, the old ones go on.

use lvs_core::conf::model::VirtualServer;
use lvs_core::desired::ServerHealth;

use super::Monitor;
use crate::change::What;
use crate::drains::{Drained, Drains};
use crate::roster::User;

impl Monitor {
    /// The admin's list of drained servers.
    pub fn drains(&self) -> &Drains {
        &self.drains
    }

    /// In how many virtual servers a real server stands.
    pub fn count(&self, server: Drained) -> usize {
        let list = Drains::default().with(server);
        let covered = |vs: &&VirtualServer| vs.real_servers.iter().any(|s| list.cover(*s.endpoint));
        self.config.virtual_servers.iter().filter(covered).count()
    }

    /// Takes another list of drained servers.
    pub fn drain(&mut self, drains: Drains) {
        self.drains = drains;
        for v in 0..self.config.virtual_servers.len() {
            for r in 0..self.config.virtual_servers[v].real_servers.len() {
                let endpoint = *self.config.virtual_servers[v].real_servers[r].endpoint;
                let now = self.drains.cover(endpoint);
                let h: &mut ServerHealth = &mut self.health.services[v].servers[r];
                if std::mem::replace(&mut h.drained, now) != now {
                    let user = User { vs: v as u32, rs: r as u32 };
                    self.dirty.insert(user.vs);
                    let what = if now { What::Drained } else { What::Resumed };
                    self.tell(user.vs, what(user, endpoint));
                }
            }
        }
    }
}
