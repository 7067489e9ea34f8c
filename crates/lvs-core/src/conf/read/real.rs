//! `real_server`.

use super::check::{self, Schedule};
use super::service::Defaults;
use super::{At, Cx};
use crate::addr::{Endpoint, Family};
use crate::conf::model::RealServer;
use crate::conf::schema::{Block, TOP};
use crate::conf::tree::Stmt;
use crate::desired::leads;
use crate::table::Forward;

pub(super) const SERVER: &str = "real_server";

/// The keywords of `real_server`.
pub(super) fn keywords() -> &'static Block {
    let server = TOP.find("virtual_server").and_then(|k| k.block).and_then(|b| b.find(SERVER));
    server.and_then(|k| k.block).unwrap_or(&TOP)
}

/// `real_server IP [PORT] { }`.
pub(super) fn read(cx: &mut Cx<'_>, stmt: Stmt<'_>, defaults: &Defaults) -> Option<RealServer> {
    complete(cx, stmt)?;
    let (mut forward, mut virtualhost) = (None, defaults.virtualhost.clone());
    let (mut weight, mut inhibit, mut alpha) = (defaults.weight, defaults.inhibit, defaults.alpha);
    let (mut upper, mut lower) = (At::default(), At::default());
    let (mut notify_up, mut notify_down, mut mail) = (None, None, None);
    let mut schedule = defaults.schedule.clone();
    let mut checks = Vec::new();
    let keywords = keywords();
    for s in cx.statements(stmt, keywords) {
        let (key, s) = (s.key, s.stmt);
        match key {
            "weight" => cx.set_count(s, 0..=65535, &mut weight),
            "inhibit_on_failure" => cx.set_switch(s, &mut inhibit),
            "alpha" => cx.set_switch(s, &mut alpha),
            "notify_up" => notify_up = cx.command(s, 1).map(Box::new),
            "notify_down" => notify_down = cx.command(s, 1).map(Box::new),
            "smtp_alert" => cx.set_alert(s, &mut mail),
            "uthreshold" => cx.set_count(s, 0..=u32::MAX, &mut upper),
            "lthreshold" => cx.set_count(s, 0..=u32::MAX, &mut lower),
            "lvs_method" => forward = cx.forward(s),
            "virtualhost" => virtualhost = Cx::text(s, 1),
            "delay_loop" => schedule.interval = cx.interval(s).or(schedule.interval),
            _ if schedule.line(cx, key, s) => {}
            _ if check::is_one(key) => checks.push((key, s)),
            other => cx.untyped(other, keywords, s),
        }
    }
    let forward = forward.unwrap_or(defaults.forward);
    let (endpoint, written_port) = cx.server_endpoint(stmt, forward.value, defaults)?;
    let target = Endpoint { addr: endpoint.addr, port: written_port };
    let base = Base { target, alpha, schedule: &schedule, virtualhost: virtualhost.as_ref() };
    let mut all = Vec::with_capacity(checks.len());
    all.extend(checks.into_iter().filter_map(|(key, s)| check::read(cx, key, s, &base)));
    Some(RealServer {
        endpoint,
        written_port,
        weight,
        forward,
        upper,
        lower,
        inhibit_on_failure: inhibit,
        alpha,
        notify_up,
        notify_down,
        mail,
        checks: all,
    })
}

/// Whether there are an address and a block; if not, that is an error.
fn complete(cx: &mut Cx<'_>, stmt: Stmt<'_>) -> Option<()> {
    let (code, needs) = match (stmt.len(), stmt.has_block()) {
        (0 | 1, _) => ("missing-value", "IP [PORT]"),
        (_, false) => ("missing-block", "a block { ... }"),
        _ => return Some(()),
    };
    let message = format!("real_server needs {needs}; the virtual server is left out");
    cx.drop_block(code, stmt, stmt.place(0), message, "write real_server IP [PORT] { ... }");
    None
}

/// Drops real servers that are listed twice.
pub(super) fn once(cx: &mut Cx<'_>, servers: &mut Vec<RealServer>) {
    let mut seen = std::collections::HashMap::with_capacity(servers.len());
    servers.retain(|rs| match seen.get(&rs.endpoint.value) {
        None => {
            seen.insert(rs.endpoint.value, rs.endpoint.place);
            true
        }
        Some(first) => {
            let message =
                format!("real_server {} is listed twice; the second is left out", rs.endpoint.value);
            cx.findings.warning("duplicate-server", rs.endpoint.place, message).see("first here", *first);
            false
        }
    });
}

/// What checks inherit from their real server.
pub(super) struct Base<'a> {
    pub(super) target: Endpoint,
    pub(super) alpha: At<bool>,
    pub(super) schedule: &'a Schedule,
    pub(super) virtualhost: Option<&'a At<String>>,
}

impl Cx<'_> {
    /// Whether the kernel takes a server for a service of this family: of the other one only through a tunnel.
    pub(super) fn reachable(
        &mut self,
        key: &str,
        server: At<Endpoint>,
        forward: Forward,
        family: Option<Family>,
    ) -> bool {
        let other = family.is_some_and(|family| !leads(family, server.addr, forward));
        if other {
            let message = format!(
                "{key} {} is of another family than its virtual_server; it is left out",
                server.value
            );
            let help = "only lb_kind TUN leads from one family to the other";
            self.findings.warning("family-differs", server.place, message).help(help);
        }
        !other
    }

    /// Address and port of a real or sorry server for the table, and the port as written.
    ///
    /// With direct routing and tunnels a packet reaches the server with the service's own port, so that another
    /// port cannot be meant; keepalived sets it right with a warning, and checks still go to the written one.
    pub(super) fn server_endpoint(
        &mut self,
        s: Stmt<'_>,
        forward: Forward,
        defaults: &Defaults,
    ) -> Option<(At<Endpoint>, u16)> {
        let text = s.get(1)?;
        let Ok(addr) = text.parse() else {
            let message = format!("'{text}' is no IP address; the virtual server is left out");
            self.findings
                .error("bad-address", s.place(1), message)
                .help("write an IPv4 or IPv6 address; names are not looked up");
            return None;
        };
        let written = self.own_port(s, 2, "the virtual server is left out")?;
        let port = if written == 0 { defaults.port } else { written };
        let mut endpoint = At::new(Endpoint { addr, port }, s.place(1));
        let unchanged = !matches!(forward, Forward::Masq);
        if unchanged && !defaults.any_port && defaults.port != port {
            let message = format!(
                "direct routing and tunnels keep the port: {port} becomes {} in the table, checks go to {port}",
                defaults.port
            );
            let help =
                format!("write {} {addr} {}, or lb_kind NAT to translate ports", s.key(), defaults.port);
            self.findings.warning("port-differs", s.place(2), message).help(help);
            endpoint.value.port = defaults.port;
        }
        Some((endpoint, port))
    }
}
