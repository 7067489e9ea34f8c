//! What is only known when the whole file was read: names that others refer to, and things that must not be twice.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};

use super::leave::{FILE, INSTANCE, PROCESS, SCRIPT, SERVER, SYNC_GROUP, left};
use super::track::OWN;
use super::weightless::weightless;
use super::{At, Cx, Place, vmac};
use crate::conf::model::{
    Config, GroupEntry, Instance, LeftOut, Reference, ServerGroup, SyncDaemon, Target, Tracking,
    VirtualServer, Weight,
};
use crate::desired::leads;

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
    let known = Names::of(config);
    for i in &mut config.instances {
        let own = i.interface.as_ref().map(|i| i.value.clone());
        tracking(cx, &i.name.value, &mut i.track, &known, own.as_deref());
    }
    for g in &mut config.sync_groups {
        tracking(cx, &g.name.value, &mut g.track, &known, None);
    }
    members(cx, config);
    weightless(cx, config);
    sync_daemon(cx, config);
    cx.findings.within(Some(SERVER));
    servers(cx, config);
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
    let mut seen: HashMap<(u8, crate::addr::Family, Option<String>), (String, Place)> = HashMap::new();
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

/// What can be tracked, with its own weight.
struct Names {
    scripts: Things,
    files: Things,
    processes: Things,
}

/// Weight and place of things by name, and the names of those that are left out.
struct Things {
    sound: HashMap<String, (Weight, Place)>,
    lost: HashSet<String>,
}

impl Names {
    fn of(config: &Config) -> Self {
        let with = |block, sound| {
            let lost = left(config, block).map(|l| l.name.clone()).collect();
            Things { sound, lost }
        };
        let scripts = config.scripts.iter().map(|s| (s.name.value.clone(), (s.weight.value, s.name.place)));
        let files = config.track_files.iter().map(|f| (f.name.value.clone(), (f.weight.value, f.name.place)));
        let processes = config.track_processes.iter();
        let processes = processes.map(|p| (p.name.value.clone(), (p.weight.value, p.name.place)));
        Self {
            scripts: with(SCRIPT, scripts.collect()),
            files: with(FILE, files.collect()),
            processes: with(PROCESS, processes.collect()),
        }
    }
}

fn tracking(cx: &mut Cx<'_>, owner: &str, track: &mut Tracking, known: &Names, own: Option<&str>) {
    for r in &mut track.interfaces {
        if r.weight.value == OWN {
            r.weight.value = Weight::default();
        }
    }
    track.interfaces.retain(|r| {
        if own != Some(r.name.as_str()) {
            return true;
        }
        let message =
            format!("{owner} watches its own interface {} anyway; the line has no effect", r.name.value);
        cx.findings.warning("own-interface", r.name.place, message).help("remove the line");
        false
    });
    references(cx, owner, SCRIPT, &mut track.scripts, &known.scripts);
    references(cx, owner, FILE, &mut track.files, &known.files);
    references(cx, owner, PROCESS, &mut track.processes, &known.processes);
}

fn references(cx: &mut Cx<'_>, owner: &str, what: &str, list: &mut Vec<Reference>, known: &Things) {
    list.retain_mut(|r| {
        if known.lost.contains(&r.name.value) {
            let message = format!("{owner} tracks {}, which is left out", r.name.value);
            cx.findings.warning("unknown-name", r.name.place, message).help("mend the errors of that block");
            // Who tracks it is left out as well.
            return true;
        }
        let Some((weight, place)) = known.sound.get(&r.name.value) else {
            let message = format!(
                "{owner} tracks {}, but there is no sound {what} of this name; the line is skipped",
                r.name.value
            );
            let near = crate::text::nearest(&r.name, known.sound.keys().map(String::as_str));
            let help = near
                .map_or(format!("add {what} {} {{ ... }}", r.name.value), |n| format!("did you mean '{n}'?"));
            cx.findings.warning("unknown-name", r.name.place, message).help(help);
            return false;
        };
        if r.weight.value == OWN {
            r.weight = At::assumed(*weight);
        }
        if place.file == r.name.place.file && place.line > r.name.place.line {
            let message = format!(
                "{} is defined below: keepalived does not find it here and does not track it; vrrpd does",
                r.name.value
            );
            cx.findings
                .warning("defined-later", r.name.place, message)
                .help(format!("move the {what} above {owner}"))
                .see("defined here", *place);
        }
        true
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

/// A service is known by its address and port (or mark, or group), its protocol and its family.
type Key = (Target, Option<crate::table::Protocol>, crate::addr::Family);

/// Groups of virtual servers that do not exist, and services that are listed twice.
fn servers(cx: &mut Cx<'_>, config: &mut Config) {
    let groups: HashMap<&str, _> = config.server_groups.iter().map(|g| (g.name.as_str(), g)).collect();
    let left = &mut config.left_out;
    config.virtual_servers.retain_mut(|vs| {
        let sound = grouped(cx, vs, &groups);
        if !sound {
            left.push(LeftOut::of_service(vs));
        }
        sound
    });
    let mut seen: HashMap<Key, usize> = HashMap::with_capacity(config.virtual_servers.len());
    let mut kept: Vec<VirtualServer> = Vec::with_capacity(config.virtual_servers.len());
    for vs in std::mem::take(&mut config.virtual_servers) {
        let protocol = (!matches!(vs.target.value, Target::Mark(_))).then_some(vs.protocol.value);
        match seen.entry((vs.target.value.clone(), protocol, vs.family)) {
            Entry::Vacant(slot) => {
                slot.insert(kept.len());
                kept.push(vs);
            }
            Entry::Occupied(slot) => merge(cx, &mut kept[*slot.get()], vs),
        }
    }
    config.virtual_servers = kept;
}

/// Keepalived adds the real servers of both to the one service that the kernel can have.
fn merge(cx: &mut Cx<'_>, first: &mut VirtualServer, second: VirtualServer) {
    let message = "this virtual server is already defined; its real servers join the first, its settings have no effect";
    cx.findings
        .warning("duplicate-service", second.target.place, message.to_owned())
        .help("put its real servers into the first block")
        .see("first here", first.target.place);
    first.real_servers.extend(second.real_servers);
    super::real::once(cx, &mut first.real_servers);
}

/// Whether the group of a virtual server exists; the family is that of its first address.
fn grouped(cx: &mut Cx<'_>, vs: &mut VirtualServer, groups: &HashMap<&str, &ServerGroup>) -> bool {
    let Target::Group(name) = &vs.target.value else { return true };
    let Some(group) = groups.get(name.as_str()) else {
        let message = format!("there is no virtual_server_group {name}; the virtual server is left out");
        let help = format!("add virtual_server_group {name} {{ ... }}");
        cx.findings.error("unknown-name", vs.target.place, message).help(help);
        return false;
    };
    let first = group.entries.iter().find_map(|e| match &e.value {
        GroupEntry::Range { first, .. } => Some(*first),
        GroupEntry::Mark { .. } => None,
    });
    if let Some(first) = first {
        vs.family = crate::addr::Family::of(first);
    }
    strangers(cx, vs, group);
    true
}

/// Real servers that the kernel takes for no more than a part of a group, for the rest is of the other family.
fn strangers(cx: &mut Cx<'_>, vs: &VirtualServer, group: &ServerGroup) {
    let family = |entry: &GroupEntry| match entry {
        GroupEntry::Range { first, .. } => crate::addr::Family::of(*first),
        GroupEntry::Mark { family, .. } => family.unwrap_or(vs.mark_family),
    };
    let servers = vs.real_servers.iter().map(|s| ("real_server", s.endpoint, s.forward.value));
    let sorry = vs.sorry.iter().map(|s| ("sorry_server", s.endpoint, s.forward.value));
    for (key, server, forward) in servers.chain(sorry) {
        let other = |e: &&At<GroupEntry>| !leads(family(e), server.addr, forward);
        let Some(entry) = group.entries.iter().find(other) else { continue };
        let message =
            format!("{key} {} is of another family than this entry; it is left out there", server.value);
        cx.findings
            .warning("family-differs", server.place, message)
            .help("only lb_kind TUN leads from one family to the other")
            .see("the entry", entry.place);
    }
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
