//! What is written down for whoever comes after a kill, and what was.

use std::net::IpAddr;

use lvs_core::time::Time;

use super::{Driver, Source};
use crate::estate::Estate;
use crate::words::Input;

impl<S: Source> Driver<S> {
    /// Writes down what is set, between two events: never while a takeover is under way.
    pub(super) fn write_estate(&mut self) {
        let mut estate = Estate::of(&self.instances);
        if self.stopping {
            // All have stopped or will; who was released stays so over the end.
            estate.released = self.keeper.released();
        }
        self.keeper.keep(estate);
    }

    /// Removes what an earlier run has left and the configuration does not know any more.
    pub(super) fn clean_left(&mut self, left: &Estate) {
        let owned: Vec<IpAddr> = self.instances.iter().flat_map(|i| i.owned.iter().copied()).collect();
        let (removed, failed) = left.remove(&mut self.edge, &mut self.claims, &owned);
        for what in removed {
            log::warn!("{what} was left by an earlier run, and is not in the configuration: removed");
        }
        failed.iter().for_each(|e| log::error!("cannot remove what an earlier run has left: {e}"));
        self.claims.keep(self.instances.iter().map(|i| &i.spec));
    }

    /// Whom the administrator had released before this start takes no part.
    pub(super) fn stay_released(&mut self, names: &[String], now: Time) {
        for at in 0..self.instances.len() {
            let name = &self.instances[at].spec.name;
            if names.contains(name) {
                log::warn!(
                    "{name} was released before this start: it takes no part until 'vrrpd resume {name}'"
                );
                self.feed(at, Input::Release, now);
            }
        }
    }
}
