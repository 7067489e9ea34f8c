//! `no_accept` (and `vrrp_strict`): a master that is not the owner of its addresses takes no packets to them (RFC 9568
//! 6.1, Accept_Mode). The kernel would; a packet filter drops them.

use std::collections::BTreeSet;
use std::fmt::Display;
use std::net::IpAddr;

use lvs_core::sys::nft::{self, Filter};

use crate::instance::Instance;
use crate::params::OWNER;
use crate::spec::Spec;

/// The packet filter, and what it holds.
pub struct Guard {
    /// The name of its table.
    table: String,
    /// None before it was needed.
    filter: Option<Filter>,
    held: BTreeSet<IpAddr>,
}

/// Whether packets to its addresses are to be dropped while it is master.
fn refuses(spec: &Spec) -> bool {
    !spec.accept && spec.params.priority < OWNER
}

/// The addresses that are set and must not be talked to.
pub fn wanted(instances: &[Instance]) -> BTreeSet<IpAddr> {
    let masters = instances.iter().filter(|i| refuses(&i.spec) && i.router.holds());
    masters.flat_map(|i| &i.spec.vips).map(|v| v.prefix.addr).collect()
}

impl Guard {
    /// A filter in a table of this name; nothing is done yet.
    pub fn new(table: &str) -> Self {
        Self { table: table.to_owned(), filter: None, held: BTreeSet::new() }
    }

    /// Makes the table if some instance will need it, so that its lack is known before an election is won; if none does,
    /// what a killed daemon has left goes.
    ///
    /// # Errors
    /// What the kernel says.
    pub fn prepare<'a>(&mut self, mut specs: impl Iterator<Item = &'a Spec>) -> Result<(), String> {
        if self.filter.is_some() {
            return Ok(());
        }
        if !specs.any(refuses) {
            return self.flush();
        }
        let mut filter = Filter::open(&self.table).map_err(open_to_all)?;
        filter.install().map_err(open_to_all)?;
        self.filter = Some(filter);
        Ok(())
    }

    /// Lets the filter hold these addresses too: before they are set.
    ///
    /// # Errors
    /// What the kernel says.
    pub fn cover(&mut self, wanted: &BTreeSet<IpAddr>) -> Result<(), String> {
        self.change(&wanted.difference(&self.held).copied().collect::<Vec<_>>(), &[])
    }

    /// Lets the filter hold these addresses alone: after others are gone.
    ///
    /// # Errors
    /// What the kernel says.
    pub fn settle(&mut self, wanted: &BTreeSet<IpAddr>) -> Result<(), String> {
        let add: Vec<_> = wanted.difference(&self.held).copied().collect();
        let remove: Vec<_> = self.held.difference(wanted).copied().collect();
        self.change(&add, &remove)
    }

    fn change(&mut self, add: &[IpAddr], remove: &[IpAddr]) -> Result<(), String> {
        let Some(filter) = self.filter.as_mut().filter(|_| !(add.is_empty() && remove.is_empty())) else {
            return Ok(());
        };
        let outcome = if add.is_empty() { closed_for_good } else { open_to_all };
        filter.change(add, remove).map_err(outcome)?;
        self.held.extend(add);
        self.held.retain(|a| !remove.contains(a));
        Ok(())
    }

    /// Removes the table.
    ///
    /// # Errors
    /// What the kernel says.
    pub fn end(&mut self) -> Result<(), String> {
        let Some(mut filter) = self.filter.take() else { return Ok(()) };
        filter.remove().map_err(closed_for_good)
    }

    /// Removes what a killed daemon has left; whether there was anything cannot be told.
    ///
    /// # Errors
    /// What the kernel says.
    pub fn flush(&mut self) -> Result<(), String> {
        // Where nftables was never used there is no table, and to ask would load it.
        if self.filter.is_some() || !nft::is_loaded() {
            return Ok(());
        }
        // A kernel without nftables holds no table.
        let Ok(mut filter) = Filter::open(&self.table) else { return Ok(()) };
        match filter.remove() {
            Err(e) if e.is_unsupported() => Ok(()),
            outcome => outcome.map_err(closed_for_good),
        }
    }
}

fn open_to_all(why: impl Display) -> String {
    format!(
        "no_accept: nftables: {why}: the addresses answer while it is master; try: modprobe nf_tables, and a kernel that has it"
    )
}

fn closed_for_good(why: impl Display) -> String {
    format!(
        "no_accept: nftables: {why}: addresses stay closed; try: nft delete table inet vrrpd ('nft list tables' shows its name)"
    )
}
