//! Blocks with errors are left out as a whole, and with them what belongs together with them.
//!
//! A router without the script that it tracks would be master while the script fails; a sync group without one of its
//! members would let the others go alone; the real servers of two blocks for one service are one pool. Each of them
//! is left out too, with an error that says why.
//!
//! What has errors is marked while it is read and goes last of all, so that whatever else there is to say of it is said.

use std::collections::{HashMap, HashSet};

use super::link::GROUP;
use super::{At, Known, Place, name, vmac};
use crate::conf::findings::Findings;
use crate::conf::model::{Config, LeftOut, SyncGroup, Target, Tracking, VirtualServer};
use crate::table::Protocol;

pub(super) const INSTANCE: &str = "vrrp_instance";
pub(super) const SYNC_GROUP: &str = "vrrp_sync_group";
pub(super) const SCRIPT: &str = "vrrp_script";
pub(super) const FILE: &str = "track_file";
pub(super) const PROCESS: &str = "vrrp_track_process";
pub(super) const SERVER: &str = "virtual_server";

/// How many virtual servers and sync groups there are: what a block adds comes after them.
pub(super) fn count(config: &Config) -> (usize, usize) {
    (config.virtual_servers.len(), config.sync_groups.len())
}

/// Marks a block that has errors. It was read after `before`.
pub(super) fn mark(config: &mut Config, block: Known<'_>, before: (usize, usize), errors: usize) {
    let At { value, place } = name(block.stmt);
    let mut left = LeftOut::named(block.key, value, place, errors);
    if block.key == SERVER {
        left.name = block.stmt.rest(1).to_owned();
        if let Some(vs) = config.virtual_servers.get(before.0) {
            (left.place, left.service) = (vs.target.place, Some(service(vs)));
        }
    }
    left.members = config.sync_groups[before.1..].iter().flat_map(names).collect();
    config.left_out.push(left);
}

impl LeftOut {
    pub(super) fn named(block: &'static str, name: String, place: Place, errors: usize) -> Self {
        Self { block, name, place, errors, service: None, members: Vec::new() }
    }

    pub(super) fn of_service(vs: &VirtualServer) -> Self {
        // As the file writes it, like the others that are left out.
        let name = match &vs.target.value {
            Target::Addr(e) => format!("{} {}", e.addr, e.port),
            other => other.to_string(),
        };
        Self { service: Some(service(vs)), ..Self::named(SERVER, name, vs.target.place, 1) }
    }
}

fn service(vs: &VirtualServer) -> (Target, Protocol) {
    (vs.target.value.clone(), vs.protocol.value)
}

fn names(group: &SyncGroup) -> impl Iterator<Item = String> + use<'_> {
    group.members.iter().map(|m| m.value.clone())
}

/// What is left out of this kind of block.
pub(super) fn left<'c>(config: &'c Config, block: &'static str) -> impl Iterator<Item = &'c LeftOut> {
    config.left_out.iter().filter(move |l| l.block == block)
}

/// Takes out the marked blocks and what belongs together with them.
pub(in crate::conf) fn leave_out(config: &mut Config, findings: &mut Findings) {
    if config.left_out.is_empty() {
        return;
    }
    withdraw(config);
    let of = |block| left(config, block).map(|l| l.name.clone()).collect();
    let mut lost = Lost {
        scripts: of(SCRIPT),
        files: of(FILE),
        processes: of(PROCESS),
        instances: of(INSTANCE),
        members: left(config, SYNC_GROUP).flat_map(|l| l.members.iter().cloned()).collect(),
    };
    while instances(findings, config, &mut lost) || groups(findings, config, &mut lost) {}
    config.track_groups.iter_mut().for_each(|g| g.members.retain(|m| !lost.instances.contains(&m.value)));
    sync_daemon(findings, config, &lost.instances);
    servers(findings, config);
    // The names of those that are left out are free.
    vmac::name(config);
    findings.within(None);
}

/// A marked block is known by its name and place; a place alone may be that of a repeated line.
fn withdraw(config: &mut Config) {
    let marked: HashSet<(&str, String, Place)> =
        config.left_out.iter().map(|l| (l.block, l.name.clone(), l.place)).collect();
    let stays = |block, name: &At<String>| !marked.contains(&(block, name.value.clone(), name.place));
    config.instances.retain(|i| stays(INSTANCE, &i.name));
    config.sync_groups.retain(|g| stays(SYNC_GROUP, &g.name));
    config.scripts.retain(|s| stays(SCRIPT, &s.name));
    config.track_files.retain(|f| stays(FILE, &f.name));
    config.track_processes.retain(|p| stays(PROCESS, &p.name));
    config.server_groups.retain(|g| stays(GROUP, &g.name));
}

/// What is left out, by name; grows until nothing more follows.
struct Lost {
    scripts: HashSet<String>,
    files: HashSet<String>,
    processes: HashSet<String>,
    instances: HashSet<String>,
    /// Members of groups that are left out.
    members: HashSet<String>,
}

fn instances(findings: &mut Findings, config: &mut Config, lost: &mut Lost) -> bool {
    findings.within(Some(INSTANCE));
    let Config { instances, left_out, .. } = config;
    let before = instances.len();
    instances.retain(|i| {
        let why = match lost.tracked(&i.track) {
            Some(what) => format!("it tracks {what}, which is left out"),
            None if lost.members.contains(&i.name.value) => "its vrrp_sync_group is left out".to_owned(),
            None => return true,
        };
        left_out.push(follow(findings, INSTANCE, &i.name, &why));
        lost.instances.insert(i.name.value.clone());
        false
    });
    instances.len() < before
}

fn groups(findings: &mut Findings, config: &mut Config, lost: &mut Lost) -> bool {
    findings.within(Some(SYNC_GROUP));
    let Config { sync_groups, left_out, .. } = config;
    let before = sync_groups.len();
    sync_groups.retain(|group| {
        let member = group.members.iter().find(|m| lost.instances.contains(&m.value));
        let what = member.map(|m| m.value.clone()).or_else(|| lost.tracked(&group.track));
        let Some(what) = what else { return true };
        let why = format!("it does not go without {what}, which is left out");
        let left = follow(findings, SYNC_GROUP, &group.name, &why);
        left_out.push(LeftOut { members: names(group).collect(), ..left });
        lost.members.extend(names(group));
        false
    });
    sync_groups.len() < before
}

impl Lost {
    /// The first thing that is tracked and left out.
    fn tracked(&self, track: &Tracking) -> Option<String> {
        let lists = [
            (&track.scripts, &self.scripts),
            (&track.files, &self.files),
            (&track.processes, &self.processes),
        ];
        lists.into_iter().find_map(|(list, lost)| {
            list.iter().find(|r| lost.contains(&r.name.value)).map(|r| r.name.value.clone())
        })
    }
}

fn follow(findings: &mut Findings, block: &'static str, name: &At<String>, why: &str) -> LeftOut {
    let message = format!("{block} {} is left out: {why}", name.value);
    findings.error("left-out", name.place, message).help("mend the errors of that block");
    LeftOut::named(block, name.value.clone(), name.place, 1)
}

fn sync_daemon(findings: &mut Findings, config: &mut Config, lost: &HashSet<String>) {
    let follows = config.global.sync_daemon.as_ref().map(|d| &d.instance);
    if let Some(instance) = follows.filter(|i| lost.contains(&i.value)) {
        let message =
            format!("lvs_sync_daemon follows {}, which is left out; it does not start", instance.value);
        findings.within(Some(INSTANCE));
        findings.warning("left-out", instance.place, message).help("mend the errors of that block");
        config.global.sync_daemon = None;
    }
}

/// A service of which another block is left out would be half of itself, one without its group nothing.
fn servers(findings: &mut Findings, config: &mut Config) {
    findings.within(Some(SERVER));
    let Config { virtual_servers, left_out, .. } = config;
    let mut lost: HashMap<Target, Vec<Place>> = HashMap::new();
    for l in left_out.iter() {
        match &l.service {
            Some((target, _)) => lost.entry(target.clone()).or_default().push(l.place),
            None if l.block == GROUP => lost.entry(Target::Group(l.name.clone())).or_default().push(l.place),
            None => {}
        }
    }
    virtual_servers.retain(|vs| {
        let Some(places) = lost.get(&vs.target.value) else { return true };
        if !places.contains(&vs.target.place) {
            let message = "this virtual server is left out: another block of it is".to_owned();
            let finding = findings.error("left-out", vs.target.place, message);
            finding.help("mend the errors of that block").see("the other block", places[0]);
            left_out.push(LeftOut::of_service(vs));
        }
        false
    });
}

#[cfg(test)]
mod tests;
