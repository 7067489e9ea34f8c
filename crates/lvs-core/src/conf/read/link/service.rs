//! Services that are listed twice, and the groups that virtual servers name.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use super::{At, Cx};
use crate::addr::Family;
use crate::conf::model::{Config, GroupEntry, LeftOut, ServerGroup, ServiceId, Target, VirtualServer};
use crate::desired::leads;

/// Groups of virtual servers that do not exist, and services that are listed twice.
pub(super) fn resolve(cx: &mut Cx<'_>, config: &mut Config) {
    let groups: HashMap<&str, _> = config.server_groups.iter().map(|g| (g.name.as_str(), g)).collect();
    let left = &mut config.left_out;
    config.virtual_servers.retain_mut(|vs| {
        let sound = grouped(cx, vs, &groups);
        if !sound {
            left.push(LeftOut::of_service(vs));
        }
        sound
    });
    let mut seen: HashMap<ServiceId, usize> = HashMap::with_capacity(config.virtual_servers.len());
    let mut kept: Vec<VirtualServer> = Vec::with_capacity(config.virtual_servers.len());
    for vs in std::mem::take(&mut config.virtual_servers) {
        match seen.entry(vs.id()) {
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
    super::super::real::once(cx, &mut first.real_servers);
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
        vs.family = Family::of(first);
    }
    strangers(cx, vs, group);
    true
}

/// Real servers that the kernel takes for no more than a part of a group, for the rest is of the other family.
fn strangers(cx: &mut Cx<'_>, vs: &VirtualServer, group: &ServerGroup) {
    let family = |entry: &GroupEntry| match entry {
        GroupEntry::Range { first, .. } => Family::of(*first),
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
