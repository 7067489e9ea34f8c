//! What is only known when the whole file was read: names that others refer to, and things that must not be twice.

use std::collections::{HashMap, HashSet};

use super::leave::{FILE, INSTANCE, PROCESS, SCRIPT, SERVER, SYNC_GROUP};
use super::weightless::weightless;
use super::{At, Cx, Place, vmac};
use crate::addr::Family;
use crate::conf::model::{Config, Instance, LeftOut, SyncDaemon};

mod service;
mod tracked;

/// Checks and fills in every reference.
pub(super) fn resolve(cx: &mut Cx<'_>, config: &mut Config) {
    let left = &mut config.left_out;
    once(cx, INSTANCE, &mut config.instances, left, |i| &i.name);
    once(cx, SCRIPT, &mut config.scripts, left, |s| &s.name);
    once(cx, FILE, &mut config.track_files, left, |f| &f.name);
    once(cx, PROCESS, &mut config.track_processes, left, |p| &p.name);
    once(cx, SYNC_GROUP, &mut config.sync_groups, left, |g| &g.name);
    once(cx, GROUP, &mut config.server_groups, left, |g| &g.name);
    cx.findings.within(Some(INSTANCE));
    same_vrid(cx, &mut config.instances, &mut config.left_out);
    vmac::once(cx, &mut config.instances, &mut config.left_out);
    vmac::names_once(cx, &mut config.instances);
    vmac::name(config);
    tracked::resolve(cx, config);
    members(cx, config);
    weightless(cx, config);
    sync_daemon(cx, config);
    cx.findings.within(Some(SERVER));
    service::resolve(cx, config);
}

pub(super) const GROUP: &str = "virtual_server_group";

/// Drops all but the first of a name, as keepalived does: the first is whole, and so is what belongs together with it. Of a
/// second group of servers it says no word.
fn once<T>(
    cx: &mut Cx<'_>,
    what: &'static str,
    list: &mut Vec<T>,
    left: &mut Vec<LeftOut>,
    name: fn(&T) -> &At<String>,
) {
    cx.findings.within(Some(what));
    let mut seen: HashMap<String, Place> = HashMap::new();
    list.retain(|item| {
        let name = name(item);
        match seen.get(&name.value) {
            Some(first) => {
                let message = format!("{what} {} is already defined; this one is left out", name.value);
                let finding = if what == GROUP {
                    cx.findings.warning("duplicate-name", name.place, message)
                } else {
                    cx.findings.error("duplicate-name", name.place, message)
                };
                finding.help("give it another name").see("first defined here", *first);
                false
            }
            None => {
                seen.insert(name.value.clone(), name.place);
                true
            }
        }
    });
    // Errors in a second one do not make its name one that is left out.
    if what != GROUP {
        left.retain(|l| l.block != what || seen.get(&l.name).is_none_or(|first| *first == l.place));
    }
}

/// Two instances with one VRID on one interface would be one virtual router that contradicts itself.
fn same_vrid(cx: &mut Cx<'_>, instances: &mut Vec<Instance>, left: &mut Vec<LeftOut>) {
    let mut seen: HashMap<(u8, Family, Option<String>), (String, Place)> = HashMap::new();
    instances.retain(|i| {
        let key = (i.vrid.value, i.family.value, i.interface.as_ref().map(|i| i.value.clone()));
        let Some((name, place)) = seen.get(&key) else {
            seen.insert(key, (i.name.value.clone(), i.vrid.place));
            return true;
        };
        let interface = key.2.as_deref().unwrap_or("(none)");
        let message = format!(
            "{} and {name} both use VRID {} on interface {interface}; {} is left out",
            i.name.value, i.vrid.value, i.name.value
        );
        cx.findings
            .error("duplicate-vrid", i.vrid.place, message)
            .help("give one of them another virtual_router_id, on all its routers")
            .see("the first is here", *place);
        left.push(LeftOut::named(INSTANCE, i.name.value.clone(), i.name.place, 1));
        false
    });
}

/// Members of groups that are no instances.
fn members(cx: &mut Cx<'_>, config: &mut Config) {
    let lost = config.left_out.iter().filter(|l| l.block == INSTANCE).map(|l| l.name.as_str());
    let lost: HashSet<&str> = lost.collect();
    let instances: HashSet<&str> = config.instances.iter().map(|i| i.name.as_str()).collect();
    let mut check = |group: &str, list: &mut Vec<At<String>>| {
        list.retain(|m| {
            if lost.contains(m.as_str()) {
                let message = format!("{group} names {}, which is left out", m.value);
                cx.findings.warning("unknown-name", m.place, message).help("mend the errors of that block");
                return true;
            }
            let found = instances.contains(m.as_str());
            if !found {
                let message = format!(
                    "{group} names {}, but there is no sound vrrp_instance of this name; it is skipped",
                    m.value
                );
                let near = crate::text::nearest(m, instances.iter().copied());
                let finding = cx.findings.warning("unknown-name", m.place, message);
                if let Some(near) = near {
                    finding.help(format!("did you mean '{near}'?"));
                }
            }
            found
        });
    };
    for g in &mut config.sync_groups {
        check(&g.name.value, &mut g.members);
    }
    for g in &mut config.track_groups {
        check(&g.name.value, &mut g.members);
    }
    config.sync_groups.retain(|g| {
        let empty = g.members.is_empty();
        if empty {
            let message = format!("vrrp_sync_group {} has no members; it is left out", g.name.value);
            cx.findings.warning("empty-group", g.name.place, message).help("add group { INSTANCE INSTANCE }");
        }
        !empty
    });
}

/// The instance whose state the sync daemon follows, and the id that it has from it.
fn sync_daemon(cx: &mut Cx<'_>, config: &mut Config) {
    let Some(daemon) = &mut config.global.sync_daemon else { return };
    match config.instances.iter().find(|i| i.name.value == daemon.instance.value) {
        Some(instance) if daemon.id.value == SyncDaemon::VRID => {
            daemon.id = At::assumed(u32::from(instance.vrid.value));
        }
        Some(_) => {}
        None => {
            let message = format!(
                "lvs_sync_daemon follows {}, but there is no sound vrrp_instance of this name; it does not start",
                daemon.instance.value
            );
            cx.findings
                .warning("unknown-name", daemon.instance.place, message)
                .help("write the name of a vrrp_instance");
            config.global.sync_daemon = None;
        }
    }
}
