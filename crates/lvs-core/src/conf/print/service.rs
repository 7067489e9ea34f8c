//! Virtual servers, their groups, real servers and checks.

use std::time::Duration;

use super::{Out, command_line, owner, quote};
use crate::addr::Family;
use crate::conf::model::{
    Check, CheckKind, Config, Global, GroupEntry, Http, HttpVersion, Misc, Other, RealServer, Sorry, Target,
    Url, VirtualServer,
};
use crate::conf::place::At;
use crate::conf::read::retries;
use crate::table::{Forward, Service, ServiceFlags, Tunnel, TunnelChecksum};

/// Everything of IPVS.
pub(super) fn print(out: &mut Out, config: &Config) {
    for g in &config.server_groups {
        out.block(format_args!("virtual_server_group {}", quote(&g.name)), |out| {
            g.entries.iter().for_each(|e| out.line(entry(&e.value)));
        });
    }
    config.virtual_servers.iter().for_each(|vs| virtual_server(out, vs, &config.global));
}

/// ` PORT`, or nothing for every port.
fn port(port: u16) -> String {
    if port == 0 { String::new() } else { format!(" {port}") }
}

fn family(f: Family) -> &'static str {
    match f {
        Family::Inet => "inet",
        Family::Inet6 => "inet6",
    }
}

fn entry(e: &GroupEntry) -> String {
    match e {
        GroupEntry::Range { first, last, port: p } if first == last => format!("{first}{}", port(*p)),
        GroupEntry::Range { first, last, port: p } => format!("{first}-{last}{}", port(*p)),
        GroupEntry::Mark { mark, family: Some(f) } => format!("fwmark {mark} {}", family(*f)),
        GroupEntry::Mark { mark, family: None } => format!("fwmark {mark}"),
    }
}

fn virtual_server(out: &mut Out, vs: &VirtualServer, global: &Global) {
    let title = match &vs.target.value {
        Target::Addr(e) => format!("{}{}", e.addr, port(e.port)),
        Target::Mark(mark) => format!("fwmark {mark}"),
        Target::Group(name) => format!("group {}", quote(name)),
    };
    out.block(format_args!("virtual_server {title}"), |out| {
        balancing(out, vs);
        health(out, vs);
        vs.real_servers.iter().for_each(|rs| real_server(out, rs, vs, global));
    });
}

fn balancing(out: &mut Out, vs: &VirtualServer) {
    out.line(format_args!("lb_algo {}", vs.scheduler.value));
    out.line(format_args!("lb_kind {}", forward(vs.forward.value)));
    if !matches!(vs.target.value, Target::Mark(_)) || vs.protocol.is_written() {
        out.line(format_args!("protocol {}", vs.protocol.value));
    }
    let servers = vs.real_servers.first().map_or(Family::Inet, |s| Family::of(s.endpoint.addr));
    let said = match vs.target.value {
        Target::Addr(_) => false,
        Target::Mark(_) => true,
        Target::Group(_) => vs.mark_family != servers,
    };
    if said {
        out.line(format_args!("ip_family {}", family(vs.mark_family)));
    }
    if let Some(seconds) = vs.persistence {
        out.line(format_args!("persistence_timeout {}", seconds.value));
    }
    if vs.granularity.value != Service::default_netmask(vs.family) {
        match vs.family {
            Family::Inet => out
                .word("persistence_granularity", &std::net::Ipv4Addr::from(vs.granularity.value).to_string()),
            Family::Inet6 => out.line(format_args!("persistence_granularity {}", vs.granularity.value)),
        }
    }
    out.optional("persistence_engine", vs.engine.as_ref());
    let flags = [
        ("ops", ServiceFlags::ONE_PACKET),
        ("flag-1", ServiceFlags::SCHED_1),
        ("flag-2", ServiceFlags::SCHED_2),
        ("flag-3", ServiceFlags::SCHED_3),
    ];
    flags.iter().for_each(|(key, flag)| out.flag(key, vs.flags.has(*flag)));
}

fn health(out: &mut Out, vs: &VirtualServer) {
    out.seconds("delay_loop", *vs.delay_loop, Duration::from_secs(60));
    out.flag("alpha", vs.alpha.value);
    out.flag("omega", vs.omega.value);
    out.flag("ha_suspend", vs.ha_suspend.value);
    out.value("quorum", *vs.quorum, 1);
    out.value("hysteresis", *vs.hysteresis, 0);
    out.command("quorum_up", vs.quorum_up.as_ref());
    out.command("quorum_down", vs.quorum_down.as_ref());
    out.nearest("smtp_alert", vs.mail);
    out.optional("virtualhost", vs.virtualhost.as_ref());
    if let Some(s) = &vs.sorry {
        sorry(out, s, *vs.forward);
    }
}

fn sorry(out: &mut Out, s: &Sorry, usual: Forward) {
    out.line(format_args!("sorry_server {}{}", s.endpoint.addr, port(s.endpoint.port)));
    method(out, "sorry_server_lvs_method", *s.forward, usual);
    out.flag("sorry_server_inhibit", s.inhibit.value);
}

/// A forwarding method other than the virtual server's.
fn method(out: &mut Out, key: &str, f: Forward, usual: Forward) {
    if f != usual {
        out.line(format_args!("{key} {}", forward(f)));
    }
}

fn forward(f: Forward) -> String {
    let checksum = |c| match c {
        TunnelChecksum::None => "nocsum",
        TunnelChecksum::Full => "csum",
        TunnelChecksum::Remote => "remcsum",
    };
    match f {
        Forward::Masq => "NAT".to_owned(),
        Forward::Tunnel(Tunnel::Ipip) => "TUN".to_owned(),
        Forward::Tunnel(Tunnel::Gue { port: p, checksum: c }) => {
            format!("TUN type gue port {p} {}", checksum(c))
        }
        Forward::Tunnel(Tunnel::Gre { checksum: c }) => format!("TUN type gre {}", checksum(c)),
        // The kernel's own methods are never wished for.
        Forward::Route | Forward::Local | Forward::Bypass => "DR".to_owned(),
    }
}

fn real_server(out: &mut Out, rs: &RealServer, vs: &VirtualServer, global: &Global) {
    out.block(format_args!("real_server {}{}", rs.endpoint.addr, port(rs.written_port)), |out| {
        out.line(format_args!("weight {}", rs.weight.value));
        method(out, "lvs_method", *rs.forward, *vs.forward);
        out.value("uthreshold", *rs.upper, 0);
        out.value("lthreshold", *rs.lower, 0);
        out.switch("inhibit_on_failure", *rs.inhibit_on_failure, false);
        out.switch("alpha", *rs.alpha, *vs.alpha);
        out.command("notify_up", rs.notify_up.as_deref());
        out.command("notify_down", rs.notify_down.as_deref());
        out.nearest("smtp_alert", rs.mail);
        // Checks that make no connection have no keyword for it and get the time from here.
        let unconnected = rs.checks.iter().find(|c| !connects(&c.kind));
        let timeout = unconnected.map_or(TIMEOUT, |c| *c.probe.timeout);
        out.seconds("connect_timeout", timeout, TIMEOUT);
        let from = Usual { timeout, rs, vs, global };
        rs.checks.iter().for_each(|c| check(out, c, &from));
    });
}

/// `connect_timeout` where nothing is written.
const TIMEOUT: Duration = Duration::from_secs(5);

/// Where a check has from what it does not say.
struct Usual<'a> {
    timeout: Duration,
    rs: &'a RealServer,
    vs: &'a VirtualServer,
    global: &'a Global,
}

fn connects(kind: &CheckKind) -> bool {
    !matches!(kind, CheckKind::Misc(_) | CheckKind::Other(Other::Bfd | Other::File))
}

fn check(out: &mut Out, c: &Check, usual: &Usual<'_>) {
    let title = match &c.kind {
        CheckKind::Tcp => "TCP_CHECK",
        CheckKind::Http(_) => "HTTP_GET",
        CheckKind::Ssl(_) => "SSL_GET",
        CheckKind::Misc(_) => "MISC_CHECK",
        CheckKind::Other(Other::Smtp) => "SMTP_CHECK",
        CheckKind::Other(Other::Dns) => "DNS_CHECK",
        CheckKind::Other(Other::Udp) => "UDP_CHECK",
        CheckKind::Other(Other::Ping) => "PING_CHECK",
        CheckKind::Other(Other::Bfd) => "BFD_CHECK",
        CheckKind::Other(Other::File) => "FILE_CHECK",
    };
    let host = usual.vs.virtualhost.as_ref();
    out.block(title, |out| {
        match &c.kind {
            CheckKind::Http(h) | CheckKind::Ssl(h) => http(out, h, host),
            CheckKind::Misc(m) => misc(out, m, *c.interval),
            CheckKind::Tcp | CheckKind::Other(_) => {}
        }
        if connects(&c.kind) {
            connection(out, c, usual);
        }
        let (retry, delay) = retries(&c.kind, *c.interval);
        out.value("retry", *c.retry, retry);
        out.seconds("delay_before_retry", *c.retry_delay, delay);
        out.seconds("delay_loop", *c.interval, *usual.vs.delay_loop);
        out.seconds("warmup", *c.warmup, *c.interval);
        out.switch("alpha", *c.alpha, *usual.rs.alpha);
        out.switch("log_all_failures", *c.log_all_failures, *usual.global.log_all_failures);
    });
}

fn connection(out: &mut Out, c: &Check, usual: &Usual<'_>) {
    let to = c.probe.connect_to.value;
    out.value("connect_ip", to.addr, usual.rs.endpoint.addr);
    out.value("connect_port", to.port, usual.rs.written_port);
    if let Some(a) = c.probe.bind_addr {
        out.line(format_args!("bindto {}", a.value));
    }
    if let Some(p) = c.probe.bind_port {
        out.line(format_args!("bind_port {}", p.value));
    }
    out.optional("bind_if", c.probe.bind_if.as_ref());
    out.value("fwmark", *c.probe.mark, 0);
    out.seconds("connect_timeout", *c.probe.timeout, usual.timeout);
}

fn misc(out: &mut Out, m: &Misc, interval: Duration) {
    out.line(format_args!("misc_path {}", command_line(&m.command.argv)));
    if let Some(user) = &m.command.user {
        out.line(format_args!("user{}", owner(Some(user), m.command.group.as_ref())));
    }
    out.seconds("misc_timeout", *m.timeout, interval);
    out.flag("misc_dynamic", m.dynamic.value);
}

fn http(out: &mut Out, h: &Http, host: Option<&At<String>>) {
    match h.version.value {
        HttpVersion::V1_0 => {}
        HttpVersion::V1_0Close => out.line("http_protocol 1.0C"),
        HttpVersion::V1_1 => out.line("http_protocol 1.1"),
    }
    out.optional("virtualhost", h.virtualhost.as_ref().filter(|own| Some(*own) != host));
    out.switch("enable_sni", *h.sni, false);
    out.switch("fast_recovery", *h.fast_recovery, false);
    h.urls.iter().for_each(|u| url(out, u));
}

fn url(out: &mut Out, u: &Url) {
    out.block("url", |out| {
        out.word("path", &u.path);
        if let Some(digest) = u.digest {
            let hex: String = digest.iter().map(|b| format!("{b:02x}")).collect();
            out.line(format_args!("digest {hex}"));
        }
        if !u.status.is_empty() {
            let codes: Vec<String> = u.status.iter().map(|s| format!("{}-{}", s.from, s.to)).collect();
            out.line(format_args!("status_code {}", codes.join(" ")));
        }
        out.optional("virtualhost", u.virtualhost.as_ref());
        out.optional("regex", u.regex.as_ref());
        out.flag("regex_no_match", u.regex_no_match.value);
        if !u.regex_options.is_empty() {
            let words: Vec<String> = u.regex_options.iter().map(|w| quote(w)).collect();
            out.line(format_args!("regex_options {}", words.join(" ")));
        }
        out.value("regex_min_offset", *u.regex_min_offset, 0);
        if let Some(n) = u.regex_max_offset {
            out.line(format_args!("regex_max_offset {}", n.value));
        }
    });
}
