//! What this tool remembers between `up` and `down`: earlier settings, and which VIPs share them.

use lvs_core::addr::Prefix;
use lvs_core::sys::sysctl::Key;
use serde::{Deserialize, Serialize};

use crate::host::HostState;
use crate::step::Step;
use crate::vip::Vip;

/// The memory of one network namespace. It is written before anything is changed, so whatever stands in the
/// kernel after a crash stands here too.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Saved {
    /// The boot that it is about; after another boot it is void.
    pub boot: String,
    /// The VIPs that `up` has put on this host: as long as there is one, the settings stay.
    pub vips: Vec<Vip>,
    /// Settings that were changed, in the order of the change.
    pub settings: Vec<Kept>,
    /// Tunnel devices that were switched on.
    pub links: Vec<String>,
    /// Host addresses that `lo` had before the first VIP; they never needed the settings.
    pub foreign: Vec<Prefix>,
}

/// A setting that was changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    /// Which.
    pub key: Key,
    /// What it held before.
    pub before: i32,
    /// What it was given.
    pub given: i32,
    /// The index of its interface, which may be renamed meanwhile; 0 is none.
    #[serde(default)]
    pub link: u32,
}

impl Saved {
    /// The memory with which `up` begins: nothing from another boot.
    pub fn of_boot(self, boot: &str) -> Self {
        if self.boot == boot { self } else { Self { boot: boot.to_owned(), ..Self::default() } }
    }

    /// The memory that must be written before `steps` are done for `vips`.
    pub fn before(&self, host: &HostState, vips: &[Vip], steps: &[Step]) -> Self {
        let mut next = self.clone();
        if next.vips.is_empty() && next.settings.is_empty() {
            next.foreign = host.vips_on("lo").map(|held| held.prefix).collect();
            next.foreign.retain(|prefix| !vips.iter().any(|vip| vip.addr == prefix.addr));
        }
        next.vips.retain(|known| !vips.iter().any(|vip| vip.addr == known.addr));
        next.vips.extend(vips);
        steps.iter().for_each(|step| next.keep(host, step));
        next
    }

    /// The memory that must be written before `steps` mend what `vips` need. A VIP that somebody else has put here is none
    /// of ours because a setting was mended for it: `down --all` would take it from him.
    pub fn mending(&self, host: &HostState, vips: &[Vip], steps: &[Step]) -> Self {
        let known = |vip: &Vip| self.vips.iter().any(|known| known.addr == vip.addr);
        let added = |vip: &Vip| {
            steps.iter().any(|step| matches!(step, Step::AddAddress(p) if p.prefix.addr == vip.addr))
        };
        let mut next = self.before(host, vips, steps);
        next.vips.retain(|vip| known(vip) || added(vip));
        next
    }

    /// Remembers what a step changes; the value of the first time is the one to give back.
    fn keep(&mut self, host: &HostState, step: &Step) {
        match step {
            Step::Set { key, from, to } => match self.settings.iter_mut().find(|kept| kept.key == *key) {
                Some(kept) => kept.given = *to,
                None => {
                    let link = key.interface().and_then(|name| host.nic(name)).map_or(0, |nic| nic.index);
                    self.settings.push(Kept { key: key.clone(), before: *from, given: *to, link });
                }
            },
            Step::LinkUp { device } if device != "lo" && !self.links.contains(device) => {
                self.links.push(device.clone());
            }
            _ => {}
        }
    }

    /// Whether there is nothing to remember.
    pub fn is_empty(&self) -> bool {
        self.vips.is_empty() && self.settings.is_empty() && self.links.is_empty()
    }

    /// The memory without these VIPs.
    pub fn without(&self, vips: &[Vip]) -> Self {
        let mut next = self.clone();
        next.vips.retain(|known| !vips.iter().any(|vip| vip.addr == known.addr));
        next
    }
}
