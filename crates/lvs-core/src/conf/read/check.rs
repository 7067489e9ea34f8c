//! Checkers.

use std::net::IpAddr;
use std::time::Duration;

use super::http;
use super::real::{Base, keywords};
use super::{At, Cx};
use crate::addr::Endpoint;
use crate::conf::model::{Check, CheckKind, Command, Misc, Other, Probe};
use crate::conf::place::Place;
use crate::conf::schema::Block;
use crate::conf::tree::Stmt;

/// When checks happen, as far as a block says so.
#[derive(Clone, Debug, Default)]
pub(super) struct Schedule {
    pub(super) interval: Option<At<Duration>>,
    pub(super) retry: Option<At<u32>>,
    pub(super) retry_delay: Option<At<Duration>>,
    pub(super) timeout: Option<At<Duration>>,
    pub(super) warmup: Option<At<Duration>>,
}

impl Schedule {
    /// A line of a virtual server, real server or checker; false if it is another's.
    pub(super) fn line(&mut self, cx: &mut Cx<'_>, key: &str, s: Stmt<'_>) -> bool {
        match key {
            "retry" => self.retry = cx.count(s, 1, 0..=u32::MAX).or(self.retry),
            "delay_before_retry" => self.retry_delay = cx.interval(s).or(self.retry_delay),
            "connect_timeout" => self.timeout = cx.interval(s).or(self.timeout),
            "warmup" => self.warmup = cx.seconds(s, 1, Duration::ZERO, Duration::MAX).or(self.warmup),
            _ => return false,
        }
        true
    }
}

impl Cx<'_> {
    /// A time above zero.
    pub(super) fn interval(&mut self, s: Stmt<'_>) -> Option<At<Duration>> {
        self.seconds(s, 1, Duration::from_micros(1), Duration::MAX)
    }
}

/// Whether a keyword is a checker's.
pub(super) fn is_one(key: &str) -> bool {
    key.ends_with("_CHECK") || key.ends_with("_GET")
}

/// A checker under way.
struct Draft<'t> {
    schedule: Schedule,
    connect_ip: Option<At<IpAddr>>,
    connect_port: Option<At<u16>>,
    probe: Probe,
    alpha: At<bool>,
    log_all: At<bool>,
    command: Option<Command>,
    user: Option<Stmt<'t>>,
    misc_timeout: Option<At<Duration>>,
    dynamic: At<bool>,
    http: http::Draft<'t>,
}

/// One checker of a real server.
pub(super) fn read(cx: &mut Cx<'_>, key: &str, stmt: Stmt<'_>, base: &Base<'_>) -> Option<Check> {
    let keywords = keywords().find(key).and_then(|k| k.block)?;
    let mut draft = Draft::new(cx, base);
    for s in cx.statements(stmt, keywords) {
        line(cx, s.key, s.stmt, &mut draft, keywords);
    }
    finish(cx, key, draft, stmt, base)
}

impl Draft<'_> {
    fn new(cx: &Cx<'_>, base: &Base<'_>) -> Self {
        Self {
            schedule: base.schedule.clone(),
            connect_ip: None,
            connect_port: None,
            probe: Probe {
                connect_to: At::assumed(base.target),
                bind_addr: None,
                bind_port: None,
                bind_if: None,
                mark: At::default(),
                timeout: At::assumed(Duration::from_secs(5)),
            },
            alpha: base.alpha,
            log_all: At::assumed(cx.global.log_all_failures.value),
            command: None,
            user: None,
            misc_timeout: None,
            dynamic: At::default(),
            http: http::Draft::default(),
        }
    }
}

fn line<'t>(cx: &mut Cx<'_>, key: &str, s: Stmt<'t>, d: &mut Draft<'t>, keywords: &Block) {
    let read = d.schedule.line(cx, key, s)
        || connect(cx, key, s, d)
        || misc(cx, key, s, d)
        || d.http.line(cx, key, s);
    if !read {
        cx.untyped(key, keywords, s);
    }
}

fn connect(cx: &mut Cx<'_>, key: &str, s: Stmt<'_>, d: &mut Draft<'_>) -> bool {
    match key {
        "connect_ip" => d.connect_ip = cx.address(s, 1),
        "connect_port" => d.connect_port = cx.port(s, 1),
        "bindto" => d.probe.bind_addr = cx.address(s, 1),
        "bind_port" => d.probe.bind_port = cx.port(s, 1),
        "bind_if" => d.probe.bind_if = Cx::text(s, 1),
        "fwmark" => cx.set_count(s, 0..=u32::MAX, &mut d.probe.mark),
        "delay_loop" => d.schedule.interval = cx.interval(s).or(d.schedule.interval),
        "alpha" => cx.set_switch(s, &mut d.alpha),
        "log_all_failures" => cx.set_switch(s, &mut d.log_all),
        _ => return false,
    }
    true
}

fn misc<'t>(cx: &mut Cx<'_>, key: &str, s: Stmt<'t>, d: &mut Draft<'t>) -> bool {
    match key {
        "misc_path" => d.command = cx.command(s, 1),
        "misc_timeout" => d.misc_timeout = cx.interval(s),
        "misc_dynamic" => d.dynamic = At::new(true, s.place(0)),
        "user" => d.user = Some(s),
        _ => return false,
    }
    true
}

fn finish(cx: &mut Cx<'_>, key: &str, mut d: Draft<'_>, stmt: Stmt<'_>, base: &Base<'_>) -> Option<Check> {
    let interval = d.schedule.interval.unwrap_or(At::assumed(Duration::from_secs(60)));
    let http = std::mem::take(&mut d.http);
    let kind = match key {
        "TCP_CHECK" => CheckKind::Tcp,
        "HTTP_GET" => CheckKind::Http(Box::new(http.finish(cx, stmt, base)?)),
        "SSL_GET" => CheckKind::Ssl(Box::new(http.finish(cx, stmt, base)?)),
        "MISC_CHECK" => CheckKind::Misc(Box::new(cx.misc_check(&mut d, stmt, interval.value)?)),
        "SMTP_CHECK" => CheckKind::Other(Other::Smtp),
        "DNS_CHECK" => CheckKind::Other(Other::Dns),
        "UDP_CHECK" => CheckKind::Other(Other::Udp),
        "PING_CHECK" => CheckKind::Other(Other::Ping),
        "BFD_CHECK" => CheckKind::Other(Other::Bfd),
        _ => CheckKind::Other(Other::File),
    };
    let (retry, delay) = retries(&kind, interval.value);
    d.probe.connect_to = connect_to(&d, base.target);
    d.probe.timeout = d.schedule.timeout.unwrap_or(d.probe.timeout);
    Some(Check {
        place: At::new((), stmt.place(0)),
        kind,
        probe: d.probe,
        retry: d.schedule.retry.unwrap_or(At::assumed(retry)),
        retry_delay: d.schedule.retry_delay.unwrap_or(At::assumed(delay)),
        interval,
        warmup: d.schedule.warmup.unwrap_or(At::assumed(interval.value)),
        alpha: d.alpha,
        log_all_failures: d.log_all,
    })
}

/// `retry` and `delay_before_retry` of a kind of check that says nothing.
pub(in crate::conf) fn retries(kind: &CheckKind, interval: Duration) -> (u32, Duration) {
    let second = Duration::from_secs(1);
    match kind {
        CheckKind::Misc(_) => (0, second),
        CheckKind::Http(_) | CheckKind::Ssl(_) => (1, Duration::from_secs(3)),
        CheckKind::Other(Other::Dns) => (3, interval),
        _ => (1, second),
    }
}

fn connect_to(d: &Draft<'_>, target: Endpoint) -> At<Endpoint> {
    let addr = d.connect_ip.map_or(target.addr, |a| a.value);
    let port = d.connect_port.map_or(target.port, |p| p.value);
    let place = d.connect_port.map(|p| p.place).or(d.connect_ip.map(|a| a.place)).unwrap_or(Place::NONE);
    At::new(Endpoint { addr, port }, place)
}

impl Cx<'_> {
    fn misc_check(&mut self, d: &mut Draft<'_>, stmt: Stmt<'_>, interval: Duration) -> Option<Misc> {
        let Some(mut command) = d.command.take() else {
            let message = "MISC_CHECK has no misc_path; the virtual server is left out".to_owned();
            self.drop_block(
                "missing-script",
                stmt,
                stmt.place(0),
                message,
                "add a line: misc_path \"/path/of/a/program ARGUMENTS\"",
            );
            return None;
        };
        if let Some(user) = d.user {
            (command.user, command.group) = (Self::text(user, 1), Self::text(user, 2));
        }
        Some(Misc { command, timeout: d.misc_timeout.unwrap_or(At::assumed(interval)), dynamic: d.dynamic })
    }
}
