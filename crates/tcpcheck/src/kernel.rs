//! The kernel's table while it is ours: sent to, looked at, and told when others meddle.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

use lvs_core::plan::{Op, Timeouts};
use lvs_core::sys::ipvs::Client;
use lvs_core::sys::owner::Owner;
use lvs_core::table::{ServiceKey, Table};
use lvs_core::time::Time;

use crate::keeper::{Keeper, Refusal};

/// Rule lines of one repair that are logged one by one.
const SHOWN: usize = 20;
/// After a refusal the table is looked at again this soon.
const SOON: Duration = Duration::from_secs(1);
/// The kernel's table while it is ours.
pub struct Kernel {
    keeper: Keeper<Client>,
    _owner: Owner,
    /// How often to look at it.
    pub every: Duration,
    /// When to look at the table again.
    pub look: Time,
    /// It could not be read the last time.
    lost: bool,
    timeouts: Option<Timeouts>,
    /// Where what outlives us is kept.
    pub state: PathBuf,
}

impl Kernel {
    /// A table that is kept, looked at `every` so often; `state` is where what outlives us is kept.
    pub fn new(keeper: Keeper<Client>, owner: Owner, every: Duration, state: PathBuf) -> Self {
        // Twice a second is as often as anybody can want; zero would be a busy loop.
        let every = every.max(Duration::from_millis(500));
        Self { keeper, _owner: owner, every, look: Time::ZERO, lost: false, timeouts: None, state }
    }

    /// Makes the services of `want` as they are there and removes those in `gone`.
    pub fn keep(&mut self, want: &Table, gone: &BTreeSet<ServiceKey>, now: Time) {
        let (_, refused) = self.keeper.keep(want, gone);
        if !refused.is_empty() {
            tell_refusals(&refused);
            self.look = self.look.min(now + SOON);
        }
    }

    /// Removes all services; those that are not our `own` are named.
    pub fn empty(&mut self, own: &BTreeSet<ServiceKey>) {
        match self.keeper.empty() {
            Ok((done, refused)) => {
                let foreign = |op: &&Op| !matches!(op, Op::DelService(key) if own.contains(key));
                done.iter()
                    .filter(foreign)
                    .for_each(|op| log::warn!("lvs_flush_on_stop: {op}, which was not ours"));
                tell_refusals(&refused);
            }
            Err(e) => log::error!("lvs_flush_on_stop: the IPVS table cannot be read: {e}"),
        }
    }

    /// Sets the connection timeouts, and again when IPVS was loaded anew; none leaves them as they are.
    pub fn set_timeouts(&mut self, timeouts: Option<Timeouts>) {
        self.timeouts = timeouts;
        if let Some(Err(e)) = timeouts.map(|t| self.keeper.set(Op::SetTimeouts(t))) {
            log::error!("lvs_timeouts: {e}");
        }
    }

    /// Reads the table and mends it; `want` is all of it.
    pub fn look(&mut self, want: &Table, now: Time) {
        self.look = now + self.every;
        let none = BTreeSet::new();
        let mut looked = self.keeper.look(want, &none);
        if looked.is_err() {
            // A module that was unloaded and loaded again has another family number: begin anew.
            if let Ok(client) = Client::open() {
                self.keeper.replace(client);
                looked = self.keeper.look(want, &none);
                self.set_timeouts(self.timeouts);
            }
        }
        match looked {
            Err(e) => {
                if !std::mem::replace(&mut self.lost, true) {
                    log::error!("the IPVS table cannot be read: {e}; trying again every second");
                }
                self.look = now + SOON.min(self.every);
            }
            Ok((done, refused)) => {
                if std::mem::take(&mut self.lost) {
                    log::warn!("the IPVS table can be read again");
                }
                tell_repair(&done);
                tell_refusals(&refused);
            }
        }
    }
}

fn tell_repair(done: &[Op]) {
    if done.is_empty() {
        return;
    }
    log::warn!("the IPVS table was changed by somebody else; {} changes to restore it:", done.len());
    done.iter().take(SHOWN).for_each(|op| log::warn!("restored: {op}"));
}

fn tell_refusals(refused: &[Refusal]) {
    for (op, e) in refused.iter().take(SHOWN) {
        log::error!("'{op}' was refused: {e}");
    }
    if refused.len() > SHOWN {
        log::error!("... and {} more refusals", refused.len() - SHOWN);
    }
}
