//! `ha_suspend`: this host's addresses are watched, and checks rest where their virtual server's is elsewhere.

use std::collections::BTreeSet;
use std::net::IpAddr;

use lvs_core::sys::clock;
use lvs_core::sys::poll::Interest;
use lvs_core::sys::rtnl::{Monitor as Links, Rtnl};
use lvs_core::time::Time;

use super::{Driver, LINKS};
use crate::pause;

impl Driver {
    /// Watches this host's addresses where `ha_suspend` needs them.
    pub(super) fn watch_links(&mut self, now: Time) {
        if !pause::is_used(self.monitor.config()) {
            return;
        }
        if self.links.is_none() {
            match Links::open().and_then(|l| self.engine.watch(&l, LINKS, Interest::Read).map(|()| l)) {
                Ok(links) => self.links = Some(links),
                Err(e) => log::error!("ha_suspend: this host's addresses cannot be watched: {e}"),
            }
        }
        self.rest(now);
    }

    pub(super) fn addresses_changed(&mut self) {
        if let Some(links) = &mut self.links {
            if let Err(e) = links.changes() {
                log::error!("ha_suspend: {e}");
            }
        }
        self.rest(clock::now());
    }

    fn rest(&mut self, now: Time) {
        match local_addresses() {
            Ok(local) => {
                let resting = pause::resting(self.monitor.config(), &local);
                let orders = self.monitor.rest(resting, now);
                self.obey(orders);
            }
            Err(e) => log::error!("ha_suspend: this host's addresses cannot be read: {e}"),
        }
    }
}

fn local_addresses() -> Result<BTreeSet<IpAddr>, String> {
    let addresses = Rtnl::open().map_err(|e| e.to_string())?.addresses();
    Ok(addresses.map_err(|e| e.to_string())?.iter().map(|a| a.prefix.addr).collect())
}
