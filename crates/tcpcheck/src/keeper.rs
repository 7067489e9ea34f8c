//! Keeps a table as it should be: knows what it holds, sends the difference, looks again for what others did.

use std::collections::BTreeSet;

use lvs_core::ipvs::{Ipvs, IpvsError};
use lvs_core::plan::{Op, Scope, diff, step};
use lvs_core::table::{ServiceKey, Table};

/// A table that is kept.
pub struct Keeper<I> {
    ipvs: I,
    /// What the table holds as far as we know.
    mirror: Table,
    /// Services that are to go and are still there.
    unwanted: BTreeSet<ServiceKey>,
}

/// An operation that was refused.
pub type Refusal = (Op, IpvsError);

impl<I: Ipvs> Keeper<I> {
    /// Keeps `ipvs`, which holds `mirror`.
    pub fn new(ipvs: I, mirror: Table) -> Self {
        Self { ipvs, mirror, unwanted: BTreeSet::new() }
    }

    /// Makes the services in `want` as they are there and removes those in `gone`; other services stay. Returns
    /// what was done and what was refused; after a refusal the table should be looked at again.
    pub fn keep(&mut self, want: &Table, gone: &BTreeSet<ServiceKey>) -> (Vec<Op>, Vec<Refusal>) {
        self.unwanted.extend(gone);
        // Once it is gone it is no longer ours: who makes it again by hand may keep it.
        self.unwanted.retain(|k| self.mirror.services.contains_key(k) && !want.services.contains_key(k));
        let concerned = want.services.keys().chain(&self.unwanted);
        let now = concerned.filter_map(|k| self.mirror.services.get(k).map(|e| (*k, e.clone())));
        let now = Table { services: now.collect() };
        self.send(diff(&now, want, &Scope::Services(self.unwanted.clone())))
    }

    /// Reads the table and mends what others changed in the services of `want`; returns that.
    ///
    /// # Errors
    /// The table cannot be read.
    pub fn look(
        &mut self,
        want: &Table,
        gone: &BTreeSet<ServiceKey>,
    ) -> Result<(Vec<Op>, Vec<Refusal>), IpvsError> {
        self.mirror = self.ipvs.read()?;
        Ok(self.keep(want, gone))
    }

    /// Removes all services, whoever made them; returns that.
    ///
    /// # Errors
    /// The table cannot be read.
    pub fn empty(&mut self) -> Result<(Vec<Op>, Vec<Refusal>), IpvsError> {
        self.mirror = self.ipvs.read()?;
        Ok(self.send(diff(&self.mirror, &Table::default(), &Scope::Everything)))
    }

    /// Does an operation that is about no service.
    ///
    /// # Errors
    /// It was refused.
    pub fn set(&mut self, op: Op) -> Result<(), IpvsError> {
        self.ipvs.apply(&[op]).pop().unwrap_or(Ok(()))
    }

    /// Takes another way to the same table.
    pub fn replace(&mut self, ipvs: I) {
        self.ipvs = ipvs;
    }

    fn send(&mut self, ops: Vec<Op>) -> (Vec<Op>, Vec<Refusal>) {
        if ops.is_empty() {
            return Default::default();
        }
        let results = self.ipvs.apply(&ops);
        let (mut done, mut refused) = (Vec::new(), Vec::new());
        for (op, result) in ops.into_iter().zip(results) {
            match result {
                Ok(()) => {
                    step(&mut self.mirror, &op);
                    done.push(op);
                }
                Err(e) => refused.push((op, e)),
            }
        }
        (done, refused)
    }
}

#[cfg(test)]
mod tests;
