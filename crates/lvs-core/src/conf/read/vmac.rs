//! Which VMACs there are, and what they are called: only known when the whole file was read.
//!
//! All of it was measured with keepalived 2.2.7: names are found in the file's order, the addresses of one interface and
//! one MAC address share a VMAC, and a VMAC belongs to one instance.

use std::collections::{HashMap, HashSet};

use super::leave::INSTANCE;
use super::{At, Cx};
use crate::addr::{Family, Mac};
use crate::conf::model::{Address, AddressVmac, Config, Instance, LeftOut};

/// A macvlan is known by the interface below it and its MAC address.
type Key = (String, Mac);

/// Leaves out an instance that needs a VMAC of another one.
pub(super) fn once(cx: &mut Cx<'_>, instances: &mut Vec<Instance>, left: &mut Vec<LeftOut>) {
    let mut claimed: HashMap<Key, At<String>> = HashMap::new();
    instances.retain(|i| {
        let keys = keys(i);
        if let Some((key, first)) = keys.iter().find_map(|k| Some((k, claimed.get(k)?))) {
            left.push(leave(cx, i, key, first));
            return false;
        }
        claimed.extend(keys.into_iter().map(|k| (k, i.name.clone())));
        true
    });
}

/// A name that an instance before has is not used.
pub(super) fn names_once(cx: &mut Cx<'_>, instances: &mut [Instance]) {
    let mut seen: HashMap<String, At<String>> = HashMap::new();
    for i in instances {
        let Some(vmac) = i.vmac.as_mut().filter(|v| v.name.is_written()) else { continue };
        let Some(first) = seen.get(&vmac.name.value) else {
            seen.insert(vmac.name.value.clone(), i.name.clone());
            continue;
        };
        let message =
            format!("{} has a VMAC of the name {} already; another is found", first.value, *vmac.name);
        cx.findings
            .warning("duplicate-vmac", vmac.name.place, message)
            .help("give each VMAC its own name, or none")
            .see("the first is here", first.place);
        vmac.name = At::default();
    }
}

/// Finds the names that are not written, of the instances that stay.
pub(super) fn name(config: &mut Config) {
    let global = &config.global;
    let own_prefix = global.vmac_prefix.as_ref().map_or("vrrp", |p| p.as_str());
    let prefix = global.vmac_addr_prefix.as_ref().map_or(own_prefix, |p| p.as_str());
    let own = config.instances.iter().filter_map(|i| i.vmac.as_ref());
    let mut names = Names(own.filter(|v| v.name.is_written()).map(|v| v.name.value.clone()).collect());
    for i in &mut config.instances {
        name_own(i, own_prefix, &mut names);
        name_addresses(i, prefix, &mut names);
    }
}

/// The VMACs that an instance needs.
fn keys(i: &Instance) -> HashSet<Key> {
    let interface = i.interface.as_ref().map(|n| n.value.clone()).unwrap_or_default();
    let own = i.vmac.iter().map(|v| (interface.clone(), *v.mac));
    own.chain(i.addresses.iter().chain(&i.excluded).filter(|a| wants(i, a)).map(|a| key(i, a))).collect()
}

/// Whether an address has a VMAC that is not its instance's.
fn wants(i: &Instance, a: &Address) -> bool {
    let own_link = i.interface.as_ref().is_some_and(|n| n.value == a.dev.value);
    let same_family = Family::of(a.prefix.addr) == *i.family;
    let served = i.vmac.as_ref().is_some_and(|v| own_link && same_family || v.name.value == a.dev.value);
    !served && (a.use_vmac || *i.vmac_addresses && !(own_link && same_family))
}

/// A MAC address that the instance names is that of all its VMACs.
fn key(i: &Instance, a: &Address) -> Key {
    let written = i.vmac.as_ref().filter(|v| v.mac.is_written()).map(|v| *v.mac);
    let usual = || Mac::virtual_router(Family::of(a.prefix.addr), *i.vrid);
    (a.dev.value.clone(), written.unwrap_or_else(usual))
}

/// Two virtual routers with one MAC address on one network would pull each other's frames away.
fn leave(cx: &mut Cx<'_>, i: &Instance, key: &Key, first: &At<String>) -> LeftOut {
    let name = &i.name.value;
    let message = format!(
        "{name} and {} both need a VMAC with the address {} on interface {}; {name} is left out",
        first.value, key.1, key.0
    );
    cx.findings
        .error("duplicate-vmac", i.vrid.place, message)
        .help("give one of them another virtual_router_id, on all its routers")
        .see("the first is here", first.place);
    LeftOut::named(INSTANCE, name.clone(), i.name.place, 1)
}

fn name_own(i: &mut Instance, prefix: &str, names: &mut Names) {
    if let Some(vmac) = i.vmac.as_mut().filter(|v| !v.name.is_written()) {
        vmac.name.value = names.find(prefix, *i.family, *i.vrid);
    }
}

fn name_addresses(i: &mut Instance, prefix: &str, names: &mut Names) {
    let interface = i.interface.as_ref().map(|n| n.value.clone()).unwrap_or_default();
    let own = i.vmac.iter().map(|v| ((interface.clone(), *v.mac), v.name.value.clone()));
    let mut known: HashMap<Key, String> = own.collect();
    let all = i.addresses.iter().chain(&i.excluded);
    let keys: Vec<Option<Key>> = all.map(|a| wants(i, a).then(|| key(i, a))).collect();
    for (a, key) in i.addresses.iter_mut().chain(&mut i.excluded).zip(keys) {
        let family = Family::of(a.prefix.addr);
        a.vmac = key.map(|key| {
            let mac = key.1;
            let name = known.entry(key).or_insert_with(|| names.find(prefix, family, *i.vrid));
            AddressVmac { name: name.clone(), mac }
        });
    }
}

/// The names in use.
struct Names(HashSet<String>);

impl Names {
    /// The first that is free of `vrrp.51`, for IPv6 `vrrp6.51`, `vrrp1.51`, `vrrp2.51`, ...
    fn find(&mut self, prefix: &str, family: Family, vrid: u8) -> String {
        let six = (family == Family::Inet6).then(|| format!("{prefix}6.{vrid}"));
        let rest = (1_usize..).map(|n| format!("{prefix}{n}.{vrid}"));
        let mut all = [format!("{prefix}.{vrid}")].into_iter().chain(six).chain(rest);
        let name = all.find(|n| !self.0.contains(n)).unwrap_or_default();
        self.0.insert(name.clone());
        name
    }
}

#[cfg(test)]
mod tests;
