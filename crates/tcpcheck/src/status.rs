//! What a running watch knows, for people, machines and Prometheus.

use std::fmt::{Display, Write};

use lvs_core::desired::ServerHealth;
use lvs_core::prometheus::{Kind, Labels, Metrics};
use lvs_core::time::Time;
use serde::{Deserialize, Serialize};

use crate::histogram::{BOUNDS, Histogram};
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
    /// Its name: `192.168.15.111:443`, `192.168.15.111:53/udp`, `fwmark 7`, `group web`.
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
    /// Why it died last.
    pub died: Option<Death>,
    /// Its checks.
    pub checks: Vec<Check>,
}

/// When and why a real server died.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Death {
    /// Seconds ago.
    pub since: f64,
    /// Why.
    pub reason: String,
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
        since: ago(monitor.changed(user), now),
        died: monitor.died(user).map(|(at, why)| Death { since: ago(*at, now), reason: why.to_string() }),
        checks: monitor.checks_of(user).map(|c| check(c, now)).collect(),
    }
}

/// Seconds, to a tenth.
fn ago(then: Time, now: Time) -> f64 {
    (now.since(then).as_secs_f64() * 10.0).round() / 10.0
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
    if let Some(death) = s.died.as_ref().filter(|_| s.up) {
        let _ = write!(out, "  died {} ago: {}", span(death.since), death.reason);
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
    let mut out = Metrics::default();
    let [passed, failed] = monitor.checks().fold([0, 0], |[p, f], c| [p + c.tries[0], f + c.tries[1]]);
    out.family("tcpcheck_quorum", Kind::Gauge, "Whether enough real servers live.");
    for service in &status.services {
        out.sample("tcpcheck_quorum", &labels(service), u8::from(service.quorum));
    }
    let mut servers = |name: &str, help: &str, value: fn(&Server) -> u32| {
        out.family(name, Kind::Gauge, help);
        for service in &status.services {
            let labels = labels(service);
            service
                .servers
                .iter()
                .for_each(|s| out.sample(name, &labels.with("server", &s.address), value(s)));
        }
    };
    servers("tcpcheck_server_up", "Whether a real server is alive.", |s| s.up.into());
    servers("tcpcheck_server_weight", "Its weight while in use.", |s| s.weight);
    servers("tcpcheck_server_drained", "Whether it is drained.", |s| s.drained.into());
    out.family("tcpcheck_tries_total", Kind::Counter, "Tries of the checks in force.");
    for (result, n) in [("passed", passed), ("failed", failed)] {
        out.sample("tcpcheck_tries_total", &Labels::default().with("result", result), n);
    }
    out.single("tcpcheck_in_flight", Kind::Gauge, "Tries in flight.", status.in_flight);
    latencies(&mut out, monitor.latencies());
    out.text()
}

fn labels(service: &Service) -> Labels {
    Labels::default().with("service", &service.name)
}

fn latencies(out: &mut Metrics, h: &Histogram) {
    out.family("tcpcheck_latency_seconds", Kind::Histogram, "Time of good tries.");
    let bucket = |bound: &dyn Display| Labels::default().with("le", bound);
    for (bound, n) in BOUNDS.iter().zip(h.cumulative()) {
        out.sample("tcpcheck_latency_seconds_bucket", &bucket(bound), n);
    }
    out.sample("tcpcheck_latency_seconds_bucket", &bucket(&"+Inf"), h.count());
    out.sample("tcpcheck_latency_seconds_sum", &Labels::default(), h.sum());
    out.sample("tcpcheck_latency_seconds_count", &Labels::default(), h.count());
}
