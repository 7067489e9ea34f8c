//! Instances, groups, static items.

use std::fmt::Write as _;
use std::net::IpAddr;
use std::time::Duration;

use super::global::version;
use super::{Out, quote, seconds};
use crate::addr::Family;
use crate::conf::model::{
    Address, Broadcast, Config, Extra, Garp, Global, InitialState, Instance, Notify, Reference, SyncGroup,
    Tracking, Unicast, VrrpVersion, Weight,
};
use crate::conf::place::At;

/// Everything of VRRP that follows the tracked things.
pub(super) fn print(out: &mut Out, config: &Config) {
    config.instances.iter().for_each(|i| instance(out, i, config));
    config.sync_groups.iter().for_each(|g| sync_group(out, g, config));
    for g in &config.track_groups {
        out.block(format_args!("track_group {}", quote(&g.name)), |out| members(out, &g.members));
    }
    if !config.static_addresses.is_empty() {
        let dev = config.global.default_interface.as_ref().map_or("eth0", |d| d.as_str());
        out.block("static_ipaddress", |out| {
            for a in &config.static_addresses {
                out.line(address(&a.address, dev) + &group(a.track_group.as_ref()));
            }
        });
    }
    let routes: Vec<_> = config
        .static_routes
        .iter()
        .map(|r| ip(&r.words, r.family, r.no_track, r.track_group.as_ref()))
        .collect();
    list(out, "static_routes", &routes);
    let rules: Vec<_> = config
        .static_rules
        .iter()
        .map(|r| ip(&r.words, r.family, r.no_track, r.track_group.as_ref()))
        .collect();
    list(out, "static_rules", &rules);
}

/// A block of lines, unless there are none.
fn list(out: &mut Out, title: &str, lines: &[String]) {
    if !lines.is_empty() {
        out.block(title, |out| lines.iter().for_each(|l| out.line(l)));
    }
}

/// `N [reverse]`.
pub(super) fn weight(w: Weight) -> String {
    format!("{}{}", w.value, if w.reverse { " reverse" } else { "" })
}

/// The garp settings under the instance's or the global names, where they differ from others.
pub(super) fn garp(out: &mut Out, prefix: &str, g: &Garp, usual: &Garp) {
    out.seconds(&format!("{prefix}garp_master_delay"), *g.master_delay, *usual.master_delay);
    out.value(&format!("{prefix}garp_master_repeat"), *g.master_repeat, *usual.master_repeat);
    out.seconds(&format!("{prefix}garp_master_refresh"), *g.refresh, *usual.refresh);
    out.value(&format!("{prefix}garp_master_refresh_repeat"), *g.refresh_repeat, *usual.refresh_repeat);
    out.seconds(&format!("{prefix}garp_lower_prio_delay"), *g.lower_prio_delay, *usual.lower_prio_delay);
    out.value(&format!("{prefix}garp_lower_prio_repeat"), *g.lower_prio_repeat, *usual.lower_prio_repeat);
    if (*g.extra_if, g.extra_all) != (*usual.extra_if, usual.extra_all) {
        let all = if g.extra_all { "all " } else { "" };
        out.line(format_args!("{prefix}garp_extra_if {all}{}", seconds(*g.extra_if)));
    }
}

fn instance(out: &mut Out, i: &Instance, config: &Config) {
    let global = &config.global;
    let dev = i.interface.as_ref().map_or("", |d| d.as_str());
    let addresses = |list: &[Address]| list.iter().map(|a| address(a, dev)).collect::<Vec<_>>();
    out.block(format_args!("vrrp_instance {}", quote(&i.name)), |out| {
        election(out, i, global);
        network(out, i, global);
        instance_garp(out, i, global);
        list(out, "virtual_ipaddress", &addresses(&i.addresses));
        list(out, "virtual_ipaddress_excluded", &addresses(&i.excluded));
        let routes: Vec<_> = i.routes.iter().map(|r| ip(&r.words, r.family, r.no_track, None)).collect();
        list(out, "virtual_routes", &routes);
        let rules: Vec<_> = i.rules.iter().map(|r| ip(&r.words, r.family, r.no_track, None)).collect();
        list(out, "virtual_rules", &rules);
        tracking(out, &i.track, config);
        notify(out, &i.notify, global);
    });
}

/// Strict instances do not answer a lower advertisement, whatever is written.
fn instance_garp(out: &mut Out, i: &Instance, global: &Global) {
    let mut usual = global.garp;
    if i.strict.value {
        (usual.lower_prio_delay, usual.lower_prio_repeat) =
            (i.garp.lower_prio_delay, i.garp.lower_prio_repeat);
    }
    garp(out, "", &i.garp, &usual);
}

fn election(out: &mut Out, i: &Instance, global: &Global) {
    out.line(if i.state.value == InitialState::Master { "state MASTER" } else { "state BACKUP" });
    out.optional("interface", i.interface.as_ref());
    out.line(format_args!("virtual_router_id {}", i.vrid.value));
    out.line(format_args!("priority {}", i.priority.value));
    // IPv6 has no other version.
    let usual = if *i.family == Family::Inet6 { VrrpVersion::V3 } else { *global.version };
    out.value("version", version(*i.version), version(usual));
    out.line(format_args!("advert_int {}", seconds(*i.advert_interval)));
    if let Some(auth) = &i.authentication {
        out.block("authentication", |out| {
            out.line("auth_type PASS");
            out.word("auth_pass", &String::from_utf8_lossy(&auth.password));
        });
    }
    out.flag("nopreempt", !i.preempt.value);
    out.seconds("preempt_delay", *i.preempt_delay, Duration::ZERO);
    out.switch("strict_mode", *i.strict, *global.strict);
    if i.accept.value == i.strict.value {
        out.line(if i.accept.value { "accept" } else { "no_accept" });
    }
    let no_advert = i.strict.value || *global.lower_prio_no_advert;
    out.switch("lower_prio_no_advert", *i.lower_prio_no_advert, no_advert);
    out.switch("higher_prio_send_advert", *i.higher_prio_send_advert, *global.higher_prio_send_advert);
    out.value("down_timer_adverts", *i.down_timer_adverts, *global.down_timer_adverts);
    out.switch("skip_check_adv_addr", *i.skip_check_adv_addr, *global.skip_check_adv_addr);
    out.flag("promote_secondaries", i.promote_secondaries.value);
    out.value("debug", *i.debug, 0);
}

fn network(out: &mut Out, i: &Instance, global: &Global) {
    if let Some(source) = i.source {
        let key = if i.unicast.is_some() { "unicast_src_ip" } else { "mcast_src_ip" };
        out.line(format_args!("{key} {}", source.value));
    }
    let group: IpAddr = match *i.family {
        Family::Inet => (*global.mcast_group4).into(),
        Family::Inet6 => (*global.mcast_group6).into(),
    };
    out.value("mcast_dst_ip", *i.mcast_group, group);
    if let Some(u) = &i.unicast {
        unicast(out, u, *global.check_unicast_src);
    }
    out.flag("track_src_ip", i.track_source.value);
    out.flag("dont_track_primary", !i.track_primary.value);
    if let Some(n) = i.rx_buffer {
        out.line(format_args!("kernel_rx_buf_size {}", n.value));
    }
    if let Some(v) = &i.vmac {
        // What is not written is found again from the whole file; an address has no place without a name.
        let mac = v.mac.is_written().then(|| v.mac.value.to_string());
        let name = (mac.is_some() || v.name.is_written()).then(|| quote(&v.name).to_string());
        let words: Vec<String> = ["use_vmac".to_owned()].into_iter().chain(name).chain(mac).collect();
        out.line(words.join(" "));
        out.flag("vmac_xmit_base", v.xmit_base.value);
    }
    out.flag("use_vmac_addr", i.vmac_addresses.value);
}

fn unicast(out: &mut Out, u: &Unicast, check_src: bool) {
    let peers: Vec<String> = u
        .peers
        .iter()
        .map(|p| {
            let mut line = p.addr.value.to_string();
            for (key, ttl) in [("min_ttl", p.min_ttl), ("max_ttl", p.max_ttl)] {
                let _ = ttl.map(|n| write!(line, " {key} {n}"));
            }
            line
        })
        .collect();
    list(out, "unicast_peer", &peers);
    out.value("unicast_ttl", *u.ttl, 255);
    out.switch("check_unicast_src", *u.check_src, check_src);
    out.flag("unicast_fault_no_peer", u.fault_no_peer.value);
    if let Some(old) = u.old_checksum {
        out.line(if old.value { "old_unicast_checksum" } else { "old_unicast_checksum never" });
    }
}

/// A line of an address block whose addresses without a `dev` are on `dev`.
fn address(a: &Address, dev: &str) -> String {
    let mut line = a.prefix.value.to_string();
    if a.dev.value != dev {
        let _ = write!(line, " dev {}", quote(&a.dev));
    }
    match a.broadcast.map(|b| b.value) {
        Some(Broadcast::Address(b)) => line.extend([" brd ", &b.to_string()]),
        Some(Broadcast::Ones) => line.push_str(" brd +"),
        Some(Broadcast::Zeros) => line.push_str(" brd -"),
        None => {}
    }
    if let Some(label) = &a.label {
        let _ = write!(line, " label {}", quote(label));
    }
    if a.scope.value != 0 {
        let _ = write!(line, " scope {}", a.scope.value);
    }
    if let Some(peer) = a.peer {
        let _ = write!(line, " peer {}", peer.value);
    }
    let flags = [
        ("use_vmac", a.use_vmac),
        ("home", a.home),
        ("mngtmpaddr", a.mngtmpaddr),
        ("noprefixroute", a.noprefixroute),
        ("autojoin", a.autojoin),
        ("no_track", a.no_track),
    ];
    flags.iter().filter(|(_, on)| *on).for_each(|(key, _)| line.extend([" ", key]));
    let deprecated = Family::of(a.prefix.addr) == Family::Inet6 && a.prefix.is_host();
    match a.preferred_lft.map(|n| n.value) {
        Some(0) if deprecated => {}
        Some(n) => line.extend([" preferred_lft ", &n.to_string()]),
        None if deprecated => line.push_str(" preferred_lft forever"),
        None => {}
    }
    line
}

fn group(name: Option<&At<String>>) -> String {
    name.map_or(String::new(), |g| format!(" track_group {}", quote(g)))
}

/// A route or rule.
fn ip(words: &Extra, family: Family, no_track: bool, track_group: Option<&At<String>>) -> String {
    let mut line = words.iter().map(|w| quote(w)).collect::<Vec<_>>().join(" ");
    line.push_str(if family == Family::Inet6 { " inet6" } else { "" });
    line.push_str(if no_track { " no_track" } else { "" });
    line + &group(track_group)
}

fn tracking(out: &mut Out, t: &Tracking, config: &Config) {
    let script = |name: &str| config.scripts.iter().find(|s| *s.name == name).map(|s| *s.weight);
    let file = |name: &str| config.track_files.iter().find(|f| *f.name == name).map(|f| *f.weight);
    let process = |name: &str| config.track_processes.iter().find(|p| *p.name == name).map(|p| *p.weight);
    references(out, "track_interface", &t.interfaces, |_| Some(Weight::default()));
    references(out, "track_script", &t.scripts, script);
    references(out, "track_file", &t.files, file);
    references(out, "track_process", &t.processes, process);
}

/// What is tracked, with the weight unless it is the thing's own.
fn references(out: &mut Out, title: &str, refs: &[Reference], own: impl Fn(&str) -> Option<Weight>) {
    let line = |r: &Reference| {
        if own(&r.name) == Some(*r.weight) {
            quote(&r.name)
        } else {
            format!("{} weight {}", quote(&r.name), weight(*r.weight))
        }
    };
    list(out, title, &refs.iter().map(line).collect::<Vec<_>>());
}

fn notify(out: &mut Out, n: &Notify, global: &Global) {
    out.command("notify_master", n.master.as_ref());
    out.command("notify_backup", n.backup.as_ref());
    out.command("notify_fault", n.fault.as_ref());
    out.command("notify_stop", n.stop.as_ref());
    out.command("notify_deleted", n.deleted.as_ref());
    out.command("notify_master_rx_lower_pri", n.master_rx_lower_pri.as_ref());
    out.command("notify", n.any.as_ref());
    out.switch("notify_priority_changes", *n.priority_changes, *global.notify_priority_changes);
    out.nearest("smtp_alert", n.mail);
}

fn members(out: &mut Out, names: &[At<String>]) {
    list(out, "group", &names.iter().map(|n| quote(n)).collect::<Vec<_>>());
}

fn sync_group(out: &mut Out, g: &SyncGroup, config: &Config) {
    out.block(format_args!("vrrp_sync_group {}", quote(&g.name)), |out| {
        members(out, &g.members);
        out.flag("sync_group_tracking_weight", g.tracking_weight.value);
        tracking(out, &g.track, config);
        notify(out, &g.notify, &config.global);
    });
}
