//! What a running watch knows, for people, machines and Prometheus.

use std::fmt::Write;

use lvs_core::desired::ServerHealth;
use lvs_core::time::Time;
use serde::{Deserialize, Serialize};

use crate::histogram::BOUNDS;
use crate::monitor::{Monitor, Watched, name};
use crate::outcome::Outcome;
use crate::roster::User;

/// All of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Status {
    /// Checks that are made, each once however many services share it.
    pub checks: usize,
    /// Tries in flight.
    pub in_flight: usize,
    /// Tries that may be in flight at once.
    pub limit: usize,
    /// The virtual servers in the order of the file.
    pub services: Vec<Service>,
}

/// A virtual server.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Service {
    /// Its name: `192.168.15.111:443`, `fwmark 7`, `group web`.
    pub name: String,
    /// Whether enough of its real servers live.
    pub quorum: bool,
    /// Whether its sorry server serves.
    pub sorry: bool,
    /// Its real servers in the order of the file.
    pub servers: Vec<Server>,
}

/// A real server in a virtual server.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Server {
    /// Its address and port in the table.
    pub address: String,
    /// Whether it is alive.
    pub up: bool,
    /// Its weight while it is in use.
    pub weight: u32,
    /// Whether the admin took it out of service.
    pub drained: bool,
    /// Whether it is dead and stays in the table because too many died at once.
    pub kept: bool,
    /// Seconds since it last changed between alive and dead, or since the watch began.
    pub since: f64,
    /// Its checks.
    pub checks: Vec<Check>,
}

/// A check.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Check {
    /// What it does.
    pub what: String,
    /// Whether it is content.
    pub up: bool,
    /// Tries that passed.
    pub passed: u64,
    /// Tries that failed.
    pub failed: u64,
    /// Failed tries in a row.
    pub failures: u32,
    /// Milliseconds of the last try, if it passed.
    pub latency_ms: Option<f64>,
    /// Why the last try failed.
    pub reason: Option<String>,
    /// Seconds for which it counts as dead still although it answers.
    pub held_down: Option<f64>,
}

impl Status {
    /// What a monitor knows; the engine's numbers are added by the driver.
    pub fn of(monitor: &Monitor, in_flight: usize, limit: usize, now: Time) -> Self {
        let config = monitor.config();
        let service = |(v, vs): (usize, &lvs_core::conf::model::VirtualServer)| {
            let health = &monitor.health().services[v];
            let each = vs.real_servers.iter().zip(&health.servers).enumerate();
            let servers =
                each.map(|(r, (s, h))| server(monitor, User { vs: v as u32, rs: r as u32 }, s, h, now));
            let sorry = vs.sorry.is_some() && !health.quorum;
            Service { name: name(vs), quorum: health.quorum, sorry, servers: servers.collect() }
        };
        let services = config.virtual_servers.iter().enumerate().map(service).collect();
        Self { checks: monitor.checks().count(), in_flight, limit, services }
    }

    /// Whether every real server lives.
    pub fn is_well(&self) -> bool {
        self.services.iter().flat_map(|s| &s.servers).all(|s| s.up)
    }

    /// A line a server.
    pub fn text(&self) -> String {
        let mut out = String::new();
        for service in &self.services {
            let quorum = if service.quorum { "" } else { "  QUORUM LOST" };
            let sorry = if service.sorry { ", the sorry server serves" } else { "" };
            // Writing to a string cannot fail.
            let _ = writeln!(out, "{}{quorum}{sorry}", service.name);
            service.servers.iter().for_each(|s| line(&mut out, s));
        }
        out
    }
}

fn server(
    monitor: &Monitor,
    user: User,
    server: &lvs_core::conf::model::RealServer,
    health: &ServerHealth,
    now: Time,
) -> Server {
    Server {
        address: server.endpoint.to_string(),
        up: health.up,
        weight: health.effective(server),
        drained: health.drained,
        kept: health.kept,
        since: (now.since(monitor.changed(user)).as_secs_f64() * 10.0).round() / 10.0,
        checks: monitor.checks_of(user).map(|c| check(c, now)).collect(),
    }
}

fn check(c: &Watched, now: Time) -> Check {
    let (latency_ms, reason) = match &c.last {
        Some(Outcome::Pass { latency, .. }) => (Some((latency.as_secs_f64() * 1e6).round() / 1e3), None),
        Some(Outcome::Fail(why) | Outcome::Unknown(why)) => (None, Some(why.to_string())),
        None => (None, None),
    };
    Check {
        what: c.identity.task.to_string(),
        up: c.checker.is_up(),
        passed: c.tries[0],
        failed: c.tries[1],
        failures: c.checker.failures(),
        latency_ms,
        reason,
        held_down: c.checker.held_down(now).map(|rest| (rest.as_secs_f64() * 10.0).ceil() / 10.0),
    }
}

fn line(out: &mut String, s: &Server) {
    let state = match (s.up, s.drained, s.kept) {
        (true, true, _) => "drained",
        (true, false, _) => "up",
        (false, false, true) => "KEPT",
        (false, true, true) => "KEPT, drained",
        (false, false, false) => "DOWN",
        (false, true, false) => "DOWN, drained",
    };
    let _ = write!(out, "  {:<24} {state:<8} weight {:<5} for {:<8}", s.address, s.weight, span(s.since));
    for c in &s.checks {
        let last = match (&c.reason, c.latency_ms) {
            (Some(reason), _) => reason.clone(),
            (None, Some(ms)) => format!("{ms:.3} ms"),
            (None, None) => "not tried yet".to_owned(),
        };
        let _ = write!(out, "  {} of {} passed, last: {last}", c.passed, c.passed + c.failed);
        if let Some(rest) = c.held_down {
            let _ = write!(out, ", held down for {rest} s more");
        }
    }
    let _ = writeln!(out);
}

/// Seconds as people say them: `3s`, `12m`, `5h`, `9d`.
fn span(seconds: f64) -> String {
    match seconds {
        s if s < 60.0 => format!("{s:.0}s"),
        s if s < 3600.0 => format!("{:.0}m", (s / 60.0).floor()),
        s if s < 86_400.0 => format!("{:.0}h", (s / 3600.0).floor()),
        s => format!("{:.0}d", (s / 86_400.0).floor()),
    }
}

/// The metrics in Prometheus' text format.
pub fn metrics(monitor: &Monitor, status: &Status) -> String {
    let mut out = String::new();
    let mut family = |name: &str, kind: &str, help: &str, samples: &[(String, String)]| {
        let _ = writeln!(out, "# HELP {name} {help}\n# TYPE {name} {kind}");
        for (labels, value) in samples {
            let _ = writeln!(out, "{name}{labels} {value}");
        }
    };
    let services = |value: fn(&Service) -> u64| -> Vec<_> {
        let each = status.services.iter();
        each.map(|s| (format!("{{service=\"{}\"}}", s.name), value(s).to_string())).collect()
    };
    let servers = |value: fn(&Server) -> u64| -> Vec<_> {
        let each = status.services.iter().flat_map(|v| v.servers.iter().map(move |s| (v, s)));
        let labels = |v: &Service, s: &Server| format!("{{service=\"{}\",server=\"{}\"}}", v.name, s.address);
        each.map(|(v, s)| (labels(v, s), value(s).to_string())).collect()
    };
    let plain = |value: String| vec![(String::new(), value)];
    let [passed, failed] = monitor.checks().fold([0, 0], |[p, f], c| [p + c.tries[0], f + c.tries[1]]);
    family("tcpcheck_quorum", "gauge", "Whether enough real servers live.", &services(|s| s.quorum.into()));
    family("tcpcheck_server_up", "gauge", "Whether a real server is alive.", &servers(|s| s.up.into()));
    family("tcpcheck_server_weight", "gauge", "Its weight while in use.", &servers(|s| s.weight.into()));
    family("tcpcheck_server_drained", "gauge", "Whether it is drained.", &servers(|s| s.drained.into()));
    let tries = [("passed", passed), ("failed", failed)];
    let tries = tries.map(|(result, n)| (format!("{{result=\"{result}\"}}"), n.to_string()));
    family("tcpcheck_tries_total", "counter", "Tries of the checks in force.", &tries);
    family("tcpcheck_in_flight", "gauge", "Tries in flight.", &plain(status.in_flight.to_string()));
    let h = monitor.latencies();
    let mut samples: Vec<_> = BOUNDS
        .iter()
        .zip(h.cumulative())
        .map(|(bound, n)| (format!("_bucket{{le=\"{bound}\"}}"), n.to_string()))
        .collect();
    samples.push(("_bucket{le=\"+Inf\"}".to_owned(), h.count().to_string()));
    samples.push(("_sum".to_owned(), h.sum().to_string()));
    samples.push(("_count".to_owned(), h.count().to_string()));
    family("tcpcheck_latency_seconds", "histogram", "Time of good tries.", &samples);
    out
}
