//! `virtual_server`.

use std::time::Duration;

use super::check::Schedule;
use super::script::{block, on};
use super::{At, Cx, real};
use crate::addr::{Endpoint, Family};
use crate::conf::model::{Sorry, Target, VirtualServer};
use crate::conf::schema::Block;
use crate::conf::tree::Stmt;
use crate::table::{Forward, Protocol, ServiceFlags};

/// What real servers inherit.
pub(super) struct Defaults {
    pub(super) weight: At<u32>,
    pub(super) inhibit: At<bool>,
    pub(super) forward: At<Forward>,
    pub(super) alpha: At<bool>,
    pub(super) virtualhost: Option<At<String>>,
    pub(super) port: u16,
    /// A group's services have ports of their own.
    pub(super) any_port: bool,
    pub(super) schedule: Schedule,
}

/// A virtual server under way.
struct Draft<'t> {
    out: VirtualServer,
    sorry: Option<Stmt<'t>>,
    sorry_inhibit: At<bool>,
    sorry_forward: Option<At<Forward>>,
    granularity: Option<Stmt<'t>>,
    family: Option<At<Family>>,
    weight: At<u32>,
    inhibit: At<bool>,
    schedule: Schedule,
    servers: Vec<Stmt<'t>>,
}

/// What a virtual server is known by.
const TARGET: &str = "IP PORT, fwmark MARK or group NAME";
const SKIPPED: &str = "the virtual server is left out";

/// `virtual_server IP [PORT] | fwmark N | group NAME { }`.
pub(super) fn read(cx: &mut Cx<'_>, stmt: Stmt<'_>) -> Option<VirtualServer> {
    let keywords = block("virtual_server");
    let target = cx.target(stmt)?;
    if !stmt.has_block() {
        let message = "virtual_server needs a block { ... }; the virtual server is left out".to_owned();
        let help = "write its keywords in braces after it";
        cx.drop_block("missing-block", stmt, stmt.place(0), message, help);
        return None;
    }
    let mut draft = Draft::new(target);
    for s in cx.statements(stmt, keywords) {
        line(cx, s.key, s.stmt, &mut draft, keywords);
    }
    Some(finish(cx, draft, stmt))
}

impl Draft<'_> {
    fn new(target: At<Target>) -> Self {
        let family = match &target.value {
            Target::Addr(e) => Family::of(e.addr),
            _ => Family::Inet,
        };
        Self {
            out: VirtualServer {
                target,
                family,
                mark_family: family,
                protocol: At::assumed(Protocol::Udp),
                delay_loop: At::assumed(Duration::from_secs(60)),
                scheduler: At::assumed("wlc".to_owned()),
                flags: At::default(),
                forward: At::assumed(Forward::Masq),
                persistence: None,
                granularity: At::default(),
                engine: None,
                sorry: None,
                alpha: At::default(),
                omega: At::default(),
                quorum: At::assumed(1),
                hysteresis: At::default(),
                quorum_up: None,
                quorum_down: None,
                mail: None,
                ha_suspend: At::default(),
                virtualhost: None,
                real_servers: Vec::new(),
            },
            sorry: None,
            sorry_inhibit: At::default(),
            sorry_forward: None,
            granularity: None,
            family: None,
            weight: At::assumed(1),
            inhibit: At::default(),
            schedule: Schedule::default(),
            servers: Vec::new(),
        }
    }
}

fn line<'t>(cx: &mut Cx<'_>, key: &str, s: Stmt<'t>, d: &mut Draft<'t>, keywords: &Block) {
    let read = balancing(cx, key, s, d)
        || flags(key, s, &mut d.out.flags)
        || health(cx, key, s, d)
        || d.schedule.line(cx, key, s);
    if !read {
        cx.untyped(key, keywords, s);
    }
}

fn balancing<'t>(cx: &mut Cx<'_>, key: &str, s: Stmt<'t>, d: &mut Draft<'t>) -> bool {
    match key {
        "lb_algo" => d.out.scheduler = cx.scheduler(s).unwrap_or_else(|| d.out.scheduler.clone()),
        "lb_kind" => d.out.forward = cx.forward(s).unwrap_or(d.out.forward),
        "protocol" => {
            let known = [
                ("TCP", Protocol::Tcp),
                ("UDP", Protocol::Udp),
                ("SCTP", Protocol::Sctp),
                ("tcp", Protocol::Tcp),
                ("udp", Protocol::Udp),
                ("sctp", Protocol::Sctp),
            ];
            d.out.protocol = cx.choice(s, 1, &known).unwrap_or(d.out.protocol);
        }
        "persistence_timeout" => d.out.persistence = cx.persistence(s),
        "persistence_granularity" => d.granularity = Some(s),
        "persistence_engine" => d.out.engine = Cx::text(s, 1),
        "ip_family" => d.family = cx.choice(s, 1, &[("inet", Family::Inet), ("inet6", Family::Inet6)]),
        "weight" => cx.set_count(s, 0..=65535, &mut d.weight),
        "real_server" => d.servers.push(s),
        _ => return false,
    }
    true
}

fn flags(key: &str, s: Stmt<'_>, to: &mut At<ServiceFlags>) -> bool {
    let flag = match key {
        "ops" => ServiceFlags::ONE_PACKET,
        "flag-1" | "sh-fallback" | "mh-fallback" => ServiceFlags::SCHED_1,
        "flag-2" | "sh-port" | "mh-port" => ServiceFlags::SCHED_2,
        "flag-3" => ServiceFlags::SCHED_3,
        _ => return false,
    };
    *to = At::new(to.value.with(flag), s.place(0));
    true
}

fn health<'t>(cx: &mut Cx<'_>, key: &str, s: Stmt<'t>, d: &mut Draft<'t>) -> bool {
    match key {
        "delay_loop" => cx.set_positive(s, &mut d.out.delay_loop),
        "sorry_server" => d.sorry = Some(s),
        "sorry_server_inhibit" if cx.has_sorry(s, d.sorry) => d.sorry_inhibit = on(s),
        "sorry_server_lvs_method" if cx.has_sorry(s, d.sorry) => d.sorry_forward = cx.forward(s),
        "sorry_server_inhibit" | "sorry_server_lvs_method" => {}
        "alpha" => d.out.alpha = on(s),
        "omega" => d.out.omega = on(s),
        "ha_suspend" => d.out.ha_suspend = on(s),
        "virtualhost" => d.out.virtualhost = Cx::text(s, 1),
        "inhibit_on_failure" => cx.set_switch(s, &mut d.inhibit),
        "quorum" => cx.set_count(s, 1..=u32::MAX, &mut d.out.quorum),
        "hysteresis" => cx.set_count(s, 0..=u32::MAX, &mut d.out.hysteresis),
        "quorum_up" => d.out.quorum_up = cx.command(s, 1),
        "quorum_down" => d.out.quorum_down = cx.command(s, 1),
        "smtp_alert" => cx.set_alert(s, &mut d.out.mail),
        _ => return false,
    }
    true
}

fn finish(cx: &mut Cx<'_>, d: Draft<'_>, stmt: Stmt<'_>) -> VirtualServer {
    let mut out = d.out;
    cx.protocol(&out, stmt);
    cx.one_packet(&mut out);
    cx.port_zero(&mut out);
    let (port, any_port) = match &out.target.value {
        Target::Addr(e) => (e.port, false),
        _ => (0, true),
    };
    let defaults = Defaults {
        weight: At::assumed(d.weight.value),
        inhibit: d.inhibit,
        forward: At::assumed(out.forward.value),
        alpha: out.alpha,
        virtualhost: out.virtualhost.clone(),
        port,
        any_port,
        schedule: Schedule { interval: Some(out.delay_loop), ..d.schedule },
    };
    out.real_servers = Vec::with_capacity(d.servers.len());
    for s in d.servers {
        out.real_servers.extend(real::read(cx, s, &defaults));
    }
    real::once(cx, &mut out.real_servers);
    if any_port {
        let servers = out.real_servers.first().map(|r| Family::of(r.endpoint.addr));
        out.family = d.family.map(|f| f.value).or(servers).unwrap_or(Family::Inet);
        out.mark_family = out.family;
    }
    // Of a group only link::resolve knows what its services are.
    let family = (!matches!(out.target.value, Target::Group(_))).then_some(out.family);
    out.real_servers.retain(|r| cx.reachable(real::SERVER, r.endpoint, r.forward.value, family));
    out.granularity = cx.granularity(d.granularity, out.family);
    if out.granularity.is_written() && out.persistence.is_none() {
        let message = "persistence_granularity alone means persistence_timeout 360".to_owned();
        let place = out.granularity.place;
        cx.findings.note("persistence-implied", place, message).help("write persistence_timeout too");
        out.persistence = Some(At::assumed(360));
    }
    out.sorry = d.sorry.and_then(|s| {
        let forward = d.sorry_forward.unwrap_or(defaults.forward);
        let (endpoint, _) = cx.server_endpoint(s, forward.value, &defaults)?;
        cx.reachable("sorry_server", endpoint, forward.value, family).then_some(())?;
        Some(Sorry { endpoint, forward, inhibit: d.sorry_inhibit })
    });
    cx.quorum(&mut out);
    out
}

impl Cx<'_> {
    /// What stands after `virtual_server`.
    fn target(&mut self, s: Stmt<'_>) -> Option<At<Target>> {
        match s.get(1).unwrap_or_default() {
            "" => {
                let message = format!("virtual_server needs {TARGET}; {SKIPPED}");
                let help = format!("write virtual_server {TARGET}");
                self.drop_block("missing-value", s, s.place(0), message, &help);
                None
            }
            "group" => self.group_target(s),
            "fwmark" => self.mark_target(s),
            text => self.address_target(s, text),
        }
    }

    fn group_target(&mut self, s: Stmt<'_>) -> Option<At<Target>> {
        let Some(group) = s.get(2) else {
            let message = format!("virtual_server group needs a name; {SKIPPED}");
            self.drop_block("missing-value", s, s.place(1), message, "write virtual_server group NAME");
            return None;
        };
        Some(At::new(Target::Group(group.to_owned()), s.place(2)))
    }

    fn mark_target(&mut self, s: Stmt<'_>) -> Option<At<Target>> {
        let Some(mark) = s.get(2).and_then(|m| m.parse().ok()).filter(|m| *m > 0) else {
            let message = format!("virtual_server fwmark needs a mark; {SKIPPED}");
            self.drop_block("bad-mark", s, s.place(2), message, "write a number from 1 to 4294967295");
            return None;
        };
        Some(At::new(Target::Mark(mark), s.place(2)))
    }

    fn address_target(&mut self, s: Stmt<'_>, text: &str) -> Option<At<Target>> {
        let Ok(addr) = text.parse() else {
            let message = format!("'{text}' is no IP address; {SKIPPED}");
            let help = format!("write virtual_server {TARGET}");
            self.drop_block("bad-address", s, s.place(1), message, &help);
            return None;
        };
        let port = self.own_port(s, 2, SKIPPED)?;
        Some(At::new(Target::Addr(Endpoint { addr, port }), s.place(1)))
    }

    /// Never more than all weights together, as in keepalived: it could not be gained.
    fn quorum(&mut self, vs: &mut VirtualServer) {
        let sum: u64 = vs.real_servers.iter().map(|r| u64::from(r.weight.value)).sum();
        let sum = u32::try_from(sum).unwrap_or(u32::MAX);
        if vs.quorum.value > sum.max(1) {
            let message = format!(
                "quorum {} is more than all weights together; {} is used",
                vs.quorum.value,
                sum.max(1)
            );
            let help = format!("the weights of the real servers make {sum}");
            self.findings.warning("quorum-too-high", vs.quorum.place, message).help(help);
            vs.quorum.value = sum.max(1);
        }
    }
}
