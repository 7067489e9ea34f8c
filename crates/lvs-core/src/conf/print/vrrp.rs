//! Instances, groups, static items.

use std::fmt::Write as _;

use super::{Out, quote, version};
use crate::addr::Family;
use crate::conf::model::{
    Address, Broadcast, Config, Extra, Garp, InitialState, Instance, Notify, Reference, SyncGroup, Tracking,
    Unicast, Weight,
};
use crate::conf::place::At;

/// Everything of VRRP that follows the tracked things.
pub(super) fn print(out: &mut Out, config: &Config) {
    config.instances.iter().for_each(|i| instance(out, i));
    config.sync_groups.iter().for_each(|g| sync_group(out, g));
    for g in &config.track_groups {
        out.block(format_args!("track_group {}", quote(&g.name)), |out| members(out, &g.members));
    }
    if !config.static_addresses.is_empty() {
        out.block("static_ipaddress", |out| {
            for a in &config.static_addresses {
                out.line(address(&a.address) + &group(a.track_group.as_ref()));
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

/// The garp settings under the instance's or the global names.
pub(super) fn garp(out: &mut Out, prefix: &str, g: &Garp) {
    out.seconds(&format!("{prefix}garp_master_delay"), g.master_delay.value);
    out.line(format_args!("{prefix}garp_master_repeat {}", g.master_repeat.value));
    out.seconds(&format!("{prefix}garp_master_refresh"), g.refresh.value);
    out.line(format_args!("{prefix}garp_master_refresh_repeat {}", g.refresh_repeat.value));
    out.seconds(&format!("{prefix}garp_lower_prio_delay"), g.lower_prio_delay.value);
    out.line(format_args!("{prefix}garp_lower_prio_repeat {}", g.lower_prio_repeat.value));
    out.seconds(&format!("{prefix}garp_extra_if"), g.extra_if.value);
}

fn instance(out: &mut Out, i: &Instance) {
    out.block(format_args!("vrrp_instance {}", quote(&i.name)), |out| {
        election(out, i);
        network(out, i);
        garp(out, "", &i.garp);
        list(out, "virtual_ipaddress", &i.addresses.iter().map(address).collect::<Vec<_>>());
        list(out, "virtual_ipaddress_excluded", &i.excluded.iter().map(address).collect::<Vec<_>>());
        let routes: Vec<_> = i.routes.iter().map(|r| ip(&r.words, r.family, r.no_track, None)).collect();
        list(out, "virtual_routes", &routes);
        let rules: Vec<_> = i.rules.iter().map(|r| ip(&r.words, r.family, r.no_track, None)).collect();
        list(out, "virtual_rules", &rules);
        tracking(out, &i.track);
        notify(out, &i.notify);
    });
}

fn election(out: &mut Out, i: &Instance) {
    out.line(if i.state.value == InitialState::Master { "state MASTER" } else { "state BACKUP" });
    out.optional("interface", i.interface.as_ref());
    out.line(format_args!("virtual_router_id {}", i.vrid.value));
    out.line(format_args!("priority {}", i.priority.value));
    out.line(format_args!("version {}", version(i.version.value)));
    out.seconds("advert_int", i.advert_interval.value);
    if let Some(auth) = &i.authentication {
        out.block("authentication", |out| {
            out.line("auth_type PASS");
            out.word("auth_pass", &String::from_utf8_lossy(&auth.password));
        });
    }
    out.line(if i.preempt.value { "preempt" } else { "nopreempt" });
    out.seconds("preempt_delay", i.preempt_delay.value);
    out.switch("strict_mode", i.strict.value);
    out.line(if i.accept.value { "accept" } else { "no_accept" });
    out.switch("lower_prio_no_advert", i.lower_prio_no_advert.value);
    out.switch("higher_prio_send_advert", i.higher_prio_send_advert.value);
    out.line(format_args!("down_timer_adverts {}", i.down_timer_adverts.value));
    out.switch("skip_check_adv_addr", i.skip_check_adv_addr.value);
    out.flag("promote_secondaries", i.promote_secondaries.value);
    out.line(format_args!("debug {}", i.debug.value));
}

fn network(out: &mut Out, i: &Instance) {
    if let Some(source) = i.source {
        let key = if i.unicast.is_some() { "unicast_src_ip" } else { "mcast_src_ip" };
        out.line(format_args!("{key} {}", source.value));
    }
    out.line(format_args!("mcast_dst_ip {}", i.mcast_group.value));
    if let Some(u) = &i.unicast {
        unicast(out, u);
    }
    out.flag("track_src_ip", i.track_source.value);
    out.flag("dont_track_primary", !i.track_primary.value);
    if let Some(n) = i.rx_buffer {
        out.line(format_args!("kernel_rx_buf_size {}", n.value));
    }
    if let Some(v) = &i.vmac {
        out.line(format_args!("use_vmac {} {}", quote(&v.name), v.mac.value));
        out.flag("vmac_xmit_base", v.xmit_base.value);
        out.flag("use_vmac_addr", v.on_other_devices.value);
    }
}

fn unicast(out: &mut Out, u: &Unicast) {
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
    out.line(format_args!("unicast_ttl {}", u.ttl.value));
    out.switch("check_unicast_src", u.check_src.value);
    out.flag("unicast_fault_no_peer", u.fault_no_peer.value);
    if let Some(old) = u.old_checksum {
        out.line(if old.value { "old_unicast_checksum" } else { "old_unicast_checksum never" });
    }
}

/// A line of an address block.
fn address(a: &Address) -> String {
    let mut line = a.prefix.value.to_string();
    if !a.dev.is_empty() {
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
    let _ = write!(line, " scope {}", a.scope.value);
    if let Some(peer) = a.peer {
        let _ = write!(line, " peer {}", peer.value);
    }
    let flags = [
        ("use_vmac", a.use_vmac),
        ("home", a.home),
        ("-nodad", a.nodad),
        ("mngtmpaddr", a.mngtmpaddr),
        ("noprefixroute", a.noprefixroute),
        ("autojoin", a.autojoin),
        ("no_track", a.no_track),
    ];
    flags.iter().filter(|(_, on)| *on).for_each(|(key, _)| line.extend([" ", key]));
    match a.preferred_lft {
        Some(n) => line.extend([" preferred_lft ", &n.value.to_string()]),
        None => line.push_str(" preferred_lft forever"),
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

fn tracking(out: &mut Out, t: &Tracking) {
    let lists = [
        ("track_interface", &t.interfaces),
        ("track_script", &t.scripts),
        ("track_file", &t.files),
        ("track_process", &t.processes),
    ];
    for (title, refs) in lists {
        let line = |r: &Reference| format!("{} weight {}", quote(&r.name), weight(r.weight.value));
        list(out, title, &refs.iter().map(line).collect::<Vec<_>>());
    }
}

fn notify(out: &mut Out, n: &Notify) {
    out.command("notify_master", n.master.as_ref());
    out.command("notify_backup", n.backup.as_ref());
    out.command("notify_fault", n.fault.as_ref());
    out.command("notify_stop", n.stop.as_ref());
    out.command("notify_deleted", n.deleted.as_ref());
    out.command("notify_master_rx_lower_pri", n.master_rx_lower_pri.as_ref());
    out.command("notify", n.any.as_ref());
    out.switch("notify_priority_changes", n.priority_changes.value);
}

fn members(out: &mut Out, names: &[At<String>]) {
    list(out, "group", &names.iter().map(|n| quote(n)).collect::<Vec<_>>());
}

fn sync_group(out: &mut Out, g: &SyncGroup) {
    out.block(format_args!("vrrp_sync_group {}", quote(&g.name)), |out| {
        members(out, &g.members);
        out.flag("sync_group_tracking_weight", g.tracking_weight.value);
        tracking(out, &g.track);
        notify(out, &g.notify);
    });
}
