//! `global_defs`.

use std::fmt::Write as _;
use std::time::Duration;

use super::{Out, owner, quote, vrrp};
use crate::conf::model::{Fifo, FlushOnStop, Garp, Global, Mail, SyncDaemon, VrrpVersion};

pub(super) fn print(out: &mut Out, g: &Global) {
    let mut inside = Out { depth: 1, ..Out::default() };
    lines(&mut inside, g, &Global::default());
    if !inside.text.is_empty() {
        out.block("global_defs", |out| out.text.push_str(&inside.text));
    }
}

fn lines(out: &mut Out, g: &Global, usual: &Global) {
    out.optional("router_id", g.router_id.as_ref());
    out.optional("vmac_prefix", g.vmac_prefix.as_ref());
    out.optional("vmac_addr_prefix", g.vmac_addr_prefix.as_ref());
    if let Some(user) = &g.script_user {
        out.line(format_args!("script_user{}", owner(Some(user), g.script_group.as_ref())));
    }
    out.switch("enable_script_security", *g.script_security, false);
    out.flag("dynamic_interfaces", g.dynamic_interfaces.value);
    out.optional("default_interface", g.default_interface.as_ref());
    out.command("startup_script", g.startup_script.as_ref());
    out.seconds("startup_script_timeout", *g.startup_timeout, *usual.startup_timeout);
    out.command("shutdown_script", g.shutdown_script.as_ref());
    out.seconds("shutdown_script_timeout", *g.shutdown_timeout, *usual.shutdown_timeout);
    fifo(out, "notify_fifo", g.notify_fifo.as_ref());
    fifo(out, "vrrp_notify_fifo", g.vrrp_fifo.as_ref());
    fifo(out, "lvs_notify_fifo", g.lvs_fifo.as_ref());
    mail(out, &g.mail, &usual.mail);
    instances(out, g, usual);
    balancer(out, g);
}

fn mail(out: &mut Out, m: &Mail, usual: &Mail) {
    if !m.to.is_empty() {
        out.block("notification_email", |out| m.to.iter().for_each(|to| out.line(quote(to))));
    }
    out.optional("notification_email_from", m.from.as_ref());
    if let Some(server) = &m.server {
        out.line(format_args!("smtp_server {} {}", quote(server), *m.port));
    }
    out.seconds("smtp_connect_timeout", *m.timeout, *usual.timeout);
    out.optional("smtp_helo_name", m.helo.as_ref());
    out.nearest("smtp_alert", m.any);
    out.nearest("smtp_alert_vrrp", m.vrrp);
    out.nearest("smtp_alert_checker", m.checker);
    out.flag("no_email_faults", *m.no_faults);
}

fn fifo(out: &mut Out, key: &str, fifo: Option<&Fifo>) {
    if let Some(f) = fifo {
        out.line(format_args!("{key} {}{}", quote(&f.path), owner(f.user.as_ref(), f.group.as_ref())));
        out.command(&format!("{key}_script"), f.script.as_ref());
    }
}

fn instances(out: &mut Out, g: &Global, usual: &Global) {
    out.value("vrrp_version", version(*g.version), version(*usual.version));
    out.switch("vrrp_strict", *g.strict, false);
    out.value("vrrp_mcast_group4", *g.mcast_group4, *usual.mcast_group4);
    out.value("vrrp_mcast_group6", *g.mcast_group6, *usual.mcast_group6);
    out.switch("vrrp_skip_check_adv_addr", *g.skip_check_adv_addr, false);
    out.switch("vrrp_check_unicast_src", *g.check_unicast_src, false);
    // Without lines of their own these are what masters do.
    let garp =
        Garp { lower_prio_delay: g.garp.master_delay, lower_prio_repeat: g.garp.master_repeat, ..usual.garp };
    vrrp::garp(out, "vrrp_", &g.garp, &garp);
    out.seconds("vrrp_garp_interval", *g.garp_interval, Duration::ZERO);
    out.seconds("vrrp_gna_interval", *g.gna_interval, Duration::ZERO);
    out.switch("vrrp_min_garp", *g.min_garp, false);
    out.switch("vrrp_lower_prio_no_advert", *g.lower_prio_no_advert, false);
    out.switch("vrrp_higher_prio_send_advert", *g.higher_prio_send_advert, false);
    out.value("vrrp_down_timer_adverts", *g.down_timer_adverts, *usual.down_timer_adverts);
    out.seconds("vrrp_startup_delay", *g.startup_delay, Duration::ZERO);
    out.switch("vrrp_notify_priority_changes", *g.notify_priority_changes, false);
    if let Some(n) = g.rt_priority {
        out.line(format_args!("vrrp_rt_priority {}", n.value));
    }
    out.flag("vrrp_no_swap", g.no_swap.value);
    out.value("max_auto_priority", *g.max_auto_priority, *usual.max_auto_priority);
    let delay = |g: &Global| g.min_auto_priority_delay.as_micros();
    out.value("min_auto_priority_delay", delay(g), delay(usual));
}

pub(super) fn version(v: VrrpVersion) -> u8 {
    match v {
        VrrpVersion::V2 => 2,
        VrrpVersion::V3 => 3,
    }
}

fn balancer(out: &mut Out, g: &Global) {
    if let Some(n) = g.checker_rt_priority {
        out.line(format_args!("checker_rt_priority {}", n.value));
    }
    out.flag("checker_no_swap", g.checker_no_swap.value);
    if let Some(d) = &g.sync_daemon {
        out.line(sync_daemon(d));
    }
    if let Some(t) = g.timeouts {
        out.line(format_args!("lvs_timeouts tcp {} tcpfin {} udp {}", t.tcp, t.tcp_fin, t.udp));
    }
    out.flag("lvs_flush", g.flush.value);
    match g.flush_on_stop.value {
        FlushOnStop::Nothing => {}
        FlushOnStop::Own => out.line("lvs_flush_on_stop VS"),
        FlushOnStop::All => out.line("lvs_flush_on_stop"),
    }
    out.switch("checker_log_all_failures", *g.log_all_failures, false);
    out.flag("rs_init_notifies", g.rs_init_notifies.value);
}

fn sync_daemon(d: &SyncDaemon) -> String {
    let mut line =
        format!("lvs_sync_daemon {} {} id {}", quote(&d.interface), quote(&d.instance), d.id.value);
    let numbers = [("maxlen", d.max_len.value), ("port", d.port.value), ("ttl", u16::from(d.ttl.value))];
    for (key, value) in numbers.into_iter().filter(|(_, v)| *v > 0) {
        let _ = write!(line, " {key} {value}");
    }
    if let Some(group) = d.group {
        let _ = write!(line, " group {}", group.value);
    }
    line
}
