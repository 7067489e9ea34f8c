//! `global_defs`.

use std::net::IpAddr;
use std::time::Duration;

use super::{At, Cx};
use crate::conf::model::{Fifo, FlushOnStop, Garp, SyncDaemon, VrrpVersion};
use crate::conf::schema::TOP;
use crate::conf::tree::Stmt;
use crate::plan::Timeouts;

/// Reads a `global_defs` block into `cx.global`.
pub(super) fn read(cx: &mut Cx<'_>, stmt: Stmt<'_>) {
    let Some(block) = TOP.find("global_defs").and_then(|k| k.block) else { return };
    for s in cx.statements(stmt, block) {
        let read = common(cx, s.key, s.stmt)
            || vrrp(cx, s.key, s.stmt)
            || garp(cx, s.key, s.stmt)
            || lvs(cx, s.key, s.stmt)
            || process(cx, s.key, s.stmt)
            || cx.mail(s.key, s.stmt);
        if !read {
            cx.untyped(s.key, block, s.stmt);
        }
    }
}

/// Fills in the defaults that depend on other settings.
pub(super) fn finish(cx: &mut Cx<'_>) {
    let g = &mut cx.global.garp;
    if !g.lower_prio_delay.is_written() {
        g.lower_prio_delay = At::assumed(g.master_delay.value);
    }
    if !g.lower_prio_repeat.is_written() {
        g.lower_prio_repeat = At::assumed(g.master_repeat.value);
    }
}

fn common(cx: &mut Cx<'_>, key: &str, s: Stmt<'_>) -> bool {
    match key {
        "router_id" => cx.global.router_id = Cx::text(s, 1),
        "script_user" => {
            cx.global.script_user = Cx::text(s, 1);
            cx.global.script_group = Cx::text(s, 2);
        }
        "enable_script_security" => set(cx, s, |g| &mut g.script_security),
        "dynamic_interfaces" => cx.global.dynamic_interfaces = At::new(true, s.place(0)),
        "default_interface" => cx.global.default_interface = Cx::text(s, 1),
        "startup_script" => cx.global.startup_script = cx.command(s, 1),
        "startup_script_timeout" => time(cx, s, |g| &mut g.startup_timeout),
        "shutdown_script" => cx.global.shutdown_script = cx.command(s, 1),
        "shutdown_script_timeout" => time(cx, s, |g| &mut g.shutdown_timeout),
        "notify_fifo" => fifo(s, &mut cx.global.notify_fifo),
        "vrrp_notify_fifo" => fifo(s, &mut cx.global.vrrp_fifo),
        "lvs_notify_fifo" => fifo(s, &mut cx.global.lvs_fifo),
        "notify_fifo_script" => fifo_script(cx, s, |g| &mut g.notify_fifo),
        "vrrp_notify_fifo_script" => fifo_script(cx, s, |g| &mut g.vrrp_fifo),
        "lvs_notify_fifo_script" => fifo_script(cx, s, |g| &mut g.lvs_fifo),
        _ => return false,
    }
    true
}

fn vrrp(cx: &mut Cx<'_>, key: &str, s: Stmt<'_>) -> bool {
    match key {
        "vrrp_version" => {
            let versions = [("2", VrrpVersion::V2), ("3", VrrpVersion::V3)];
            if let Some(v) = cx.choice(s, 1, &versions) {
                cx.global.version = v;
            }
        }
        "vmac_prefix" => cx.global.vmac_prefix = Cx::text(s, 1),
        "vmac_addr_prefix" => cx.global.vmac_addr_prefix = Cx::text(s, 1),
        "vrrp_strict" => set(cx, s, |g| &mut g.strict),
        "vrrp_mcast_group4" => {
            if let Some(At { value: IpAddr::V4(a), place }) = multicast(cx, s) {
                cx.global.mcast_group4 = At::new(a, place);
            }
        }
        "vrrp_mcast_group6" => {
            if let Some(At { value: IpAddr::V6(a), place }) = multicast(cx, s) {
                cx.global.mcast_group6 = At::new(a, place);
            }
        }
        "vrrp_skip_check_adv_addr" => set(cx, s, |g| &mut g.skip_check_adv_addr),
        "vrrp_check_unicast_src" => set(cx, s, |g| &mut g.check_unicast_src),
        "vrrp_min_garp" => set(cx, s, |g| &mut g.min_garp),
        "vrrp_lower_prio_no_advert" => set(cx, s, |g| &mut g.lower_prio_no_advert),
        "vrrp_higher_prio_send_advert" => set(cx, s, |g| &mut g.higher_prio_send_advert),
        "vrrp_down_timer_adverts" => count(cx, s, 1, 100, |g| &mut g.down_timer_adverts),
        "vrrp_startup_delay" => time(cx, s, |g| &mut g.startup_delay),
        "vrrp_notify_priority_changes" => set(cx, s, |g| &mut g.notify_priority_changes),
        _ => return false,
    }
    true
}

fn multicast(cx: &mut Cx<'_>, s: Stmt<'_>) -> Option<At<IpAddr>> {
    let addr = cx.address(s, 1)?;
    if addr.is_multicast() {
        return Some(addr);
    }
    let message = format!("{} is no multicast address; the default is used", addr.value);
    cx.findings.warning("bad-address", addr.place, message).help("write one of 224.0.0.0/4 or ff00::/8");
    None
}

fn garp(cx: &mut Cx<'_>, key: &str, s: Stmt<'_>) -> bool {
    match key {
        "vrrp_garp_master_delay" => time(cx, s, |g| &mut g.garp.master_delay),
        "vrrp_garp_master_repeat" => repeat(cx, s, |g| &mut g.master_repeat),
        "vrrp_garp_master_refresh" => time(cx, s, |g| &mut g.garp.refresh),
        "vrrp_garp_master_refresh_repeat" => repeat(cx, s, |g| &mut g.refresh_repeat),
        "vrrp_garp_lower_prio_delay" => time(cx, s, |g| &mut g.garp.lower_prio_delay),
        "vrrp_garp_lower_prio_repeat" => count(cx, s, 0, 255, |g| &mut g.garp.lower_prio_repeat),
        "vrrp_garp_interval" => gap(cx, s, |g| &mut g.garp_interval),
        "vrrp_gna_interval" => gap(cx, s, |g| &mut g.gna_interval),
        "vrrp_garp_extra_if" => {
            let mut garp = cx.global.garp;
            cx.extra_if(s, &mut garp);
            cx.global.garp = garp;
        }
        _ => return false,
    }
    true
}

fn lvs(cx: &mut Cx<'_>, key: &str, s: Stmt<'_>) -> bool {
    match key {
        "lvs_sync_daemon" => cx.global.sync_daemon = sync_daemon(cx, s),
        "lvs_timeouts" => cx.global.timeouts = Some(timeouts(cx, s)),
        "lvs_flush" => cx.global.flush = At::new(true, s.place(0)),
        "lvs_flush_on_stop" => {
            let own = cx.choice(s, 1, &[("VS", FlushOnStop::Own)]);
            let all = s.get(1).is_none().then(|| At::new(FlushOnStop::All, s.place(0)));
            cx.global.flush_on_stop = own.or(all).unwrap_or_default();
        }
        "checker_log_all_failures" => set(cx, s, |g| &mut g.log_all_failures),
        "rs_init_notifies" => cx.global.rs_init_notifies = At::new(true, s.place(0)),
        _ => return false,
    }
    true
}

fn process(cx: &mut Cx<'_>, key: &str, s: Stmt<'_>) -> bool {
    match key {
        "vrrp_rt_priority" => cx.global.rt_priority = cx.count(s, 1, 1..=99),
        "vrrp_no_swap" => cx.global.no_swap = At::new(true, s.place(0)),
        "max_auto_priority" => auto_priority(cx, s),
        "min_auto_priority_delay" => {
            if let Some(micros) = cx.count(s, 1, 1..=10_000_000) {
                let delay = Duration::from_micros(u64::from(micros.value));
                cx.global.min_auto_priority_delay = At::new(delay, micros.place);
            }
        }
        "checker_rt_priority" => cx.global.checker_rt_priority = cx.count(s, 1, 1..=99),
        "checker_no_swap" => cx.global.checker_no_swap = At::new(true, s.place(0)),
        _ => return false,
    }
    true
}

/// Without a number: as far as it goes. Below zero keepalived only spares itself a line of its log.
fn auto_priority(cx: &mut Cx<'_>, s: Stmt<'_>) {
    let most = match s.get(1) {
        None => Some(At::new(99, s.place(0))),
        Some(_) => cx.number(s, 1, -1..=99).map(|n| At::new(u32::try_from(n.value).unwrap_or(0), n.place)),
    };
    if let Some(most) = most {
        cx.global.max_auto_priority = most;
    }
}

type Global = crate::conf::model::Global;

fn set(cx: &mut Cx<'_>, s: Stmt<'_>, field: fn(&mut Global) -> &mut At<bool>) {
    if let Some(value) = cx.switch(s) {
        *field(&mut cx.global) = value;
    }
}

fn time(cx: &mut Cx<'_>, s: Stmt<'_>, field: fn(&mut Global) -> &mut At<Duration>) {
    let mut value = *field(&mut cx.global);
    cx.set_seconds(s, &mut value);
    *field(&mut cx.global) = value;
}

/// A gap above zero; zero is the default and cannot be written.
fn gap(cx: &mut Cx<'_>, s: Stmt<'_>, field: fn(&mut Global) -> &mut At<Duration>) {
    let mut value = *field(&mut cx.global);
    cx.set_positive(s, &mut value);
    *field(&mut cx.global) = value;
}

fn count(cx: &mut Cx<'_>, s: Stmt<'_>, least: u32, most: u32, field: fn(&mut Global) -> &mut At<u32>) {
    if let Some(value) = cx.count(s, 1, least..=most) {
        *field(&mut cx.global) = value;
    }
}

fn repeat(cx: &mut Cx<'_>, s: Stmt<'_>, field: fn(&mut Garp) -> &mut At<u32>) {
    let mut garp = cx.global.garp;
    cx.set_repeat(s, field(&mut garp));
    cx.global.garp = garp;
}

fn fifo(s: Stmt<'_>, to: &mut Option<Fifo>) {
    let script = to.take().and_then(|f| f.script);
    *to = Cx::text(s, 1).map(|path| Fifo { path, user: Cx::text(s, 2), group: Cx::text(s, 3), script });
}

fn fifo_script(cx: &mut Cx<'_>, s: Stmt<'_>, field: fn(&mut Global) -> &mut Option<Fifo>) {
    let script = cx.command(s, 1);
    match field(&mut cx.global) {
        Some(fifo) => fifo.script = script,
        None => {
            let message = format!("{} without its pipe before it; the line is skipped", s.key());
            let help = format!("write {} PATH above it", s.key().trim_end_matches("_script"));
            cx.findings.warning("missing-value", s.place(0), message).help(help);
        }
    }
}

fn sync_daemon(cx: &mut Cx<'_>, s: Stmt<'_>) -> Option<SyncDaemon> {
    let interface = Cx::text(s, 1)?;
    let Some(instance) = Cx::text(s, 2) else {
        let message = "lvs_sync_daemon needs the instance that it follows; the line is skipped".to_owned();
        cx.findings
            .warning("missing-value", s.place(1), message)
            .help("write lvs_sync_daemon INTERFACE INSTANCE");
        return None;
    };
    let zero = At::assumed(0);
    // 256 stands for "the instance's VRID" until the instances are known.
    let id = At::assumed(SyncDaemon::VRID);
    let mut daemon = SyncDaemon {
        interface,
        instance,
        id,
        max_len: At::assumed(0),
        port: At::assumed(0),
        ttl: At::assumed(0),
        group: None,
    };
    let mut n = 3;
    while let Some(word) = s.get(n) {
        match word {
            "inst" => daemon.instance = Cx::text(s, n + 1)?,
            "id" => daemon.id = cx.count(s, n + 1, 0..=255).unwrap_or(zero),
            "maxlen" => daemon.max_len = cx.number(s, n + 1, 1..=65507).map_or(At::assumed(0), narrow),
            "port" => daemon.port = cx.port(s, n + 1).unwrap_or(At::assumed(0)),
            "ttl" => daemon.ttl = cx.number(s, n + 1, 1..=255).map_or(At::assumed(0), narrow),
            "group" => daemon.group = cx.address(s, n + 1),
            _ if n == 3 && cx.count(s, n, 0..=255).is_some() => {
                // The old form: a bare number is the id.
                daemon.id = cx.count(s, n, 0..=255).unwrap_or(zero);
                n += 1;
                continue;
            }
            other => {
                let message = format!("lvs_sync_daemon knows no '{other}'; it is skipped");
                let help = "write id, maxlen, port, ttl or group, each with its value";
                cx.findings.warning("unknown-option", s.place(n), message).help(help);
                n += 1;
                continue;
            }
        }
        n += 2;
    }
    Some(daemon)
}

fn narrow<T: TryFrom<i64> + Default>(n: At<i64>) -> At<T> {
    At::new(T::try_from(n.value).unwrap_or_default(), n.place)
}

fn timeouts(cx: &mut Cx<'_>, s: Stmt<'_>) -> At<Timeouts> {
    let mut out = Timeouts::default();
    let mut n = 1;
    while let Some(word) = s.get(n) {
        let slot = match word {
            "tcp" => &mut out.tcp,
            "tcpfin" => &mut out.tcp_fin,
            "udp" => &mut out.udp,
            other => {
                let message = format!("lvs_timeouts knows no '{other}'; it is skipped");
                cx.findings
                    .warning("unknown-option", s.place(n), message)
                    .help("write tcp, tcpfin or udp, each with seconds");
                n += 1;
                continue;
            }
        };
        if let Some(value) = cx.count(s, n + 1, 0..=2_147_483) {
            *slot = value.value;
        }
        n += 2;
    }
    At::new(out, s.place(0))
}
