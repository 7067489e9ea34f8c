//! `tcpcheck HOST:PORT...`: checks once and tells.

use std::io::{self, Write};
use std::net::{SocketAddr, ToSocketAddrs};
use std::sync::Arc;
use std::time::Duration;

use lvs_core::addr::Endpoint;
use lvs_core::sys::clock;
use lvs_core::sys::tcp::Dial;
use serde::Serialize;

use crate::engine::Engine;
use crate::outcome::{Outcome, Reason};
use crate::task::Task;

/// How often and how long each target is tried.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// The most that one try may take.
    pub timeout: Duration,
    /// Tries after the first failed one.
    pub retries: u32,
    /// From the end of a failed try to the next.
    pub delay: Duration,
}

/// How the result is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// A line a target.
    Text,
    /// One JSON array.
    Json,
    /// The exit status alone.
    Quiet,
}

/// What is known of one target at the end.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    /// The target as it was written.
    pub target: String,
    /// The address that was tried; none if the name has none.
    pub address: Option<String>,
    /// Whether it answered.
    pub up: bool,
    /// How often it was tried.
    pub tries: u32,
    /// Milliseconds of the good try.
    pub latency_ms: Option<f64>,
    /// Why it is down, for machines: `refused`, `timeout`, `unreachable`, `reset`, `source`, `name`, `error`.
    pub reason: Option<&'static str>,
    /// Why it is down, for people.
    pub detail: Option<String>,
}

/// A target as it is written: a name or address, and a port.
///
/// # Errors
/// It is no `HOST:PORT`.
pub fn target(text: &str) -> Result<String, String> {
    let bad = || format!("'{text}' is not HOST:PORT (10.0.0.1:80, [2001:db8::1]:80 or name:80)");
    let (host, port) = text.rsplit_once(':').ok_or_else(bad)?;
    let unbracketed = host.contains(':') && !(host.starts_with('[') && host.ends_with(']'));
    let port: u16 = port.parse().map_err(|_| bad())?;
    if host.is_empty()
        || unbracketed
        || port == 0
        || text.parse::<SocketAddr>().is_err() && host.starts_with('[')
    {
        return Err(bad());
    }
    Ok(text.to_owned())
}

/// Tries all targets at once and reports in their order.
///
/// # Errors
/// The system gives no descriptor to wait with.
pub fn check(targets: &[String], dial: &Dial, patience: Patience) -> io::Result<Vec<Report>> {
    let mut engine = Engine::new(targets.len())?;
    let mut reports: Vec<_> = targets.iter().map(|t| Report::new(t)).collect();
    let now = clock::now();
    // Equal targets are each tried: who names one twice wants two tries.
    let mut owners = Vec::new();
    for (i, report) in reports.iter_mut().enumerate() {
        if let Some(to) = report.resolve(dial.from_addr().map(|a| a.is_ipv4())) {
            let check = owners.len() as u32;
            engine.put(check, Arc::new(Task::Tcp(Dial { to, ..dial.clone() })), patience.timeout);
            engine.schedule(check, now);
            owners.push(i);
        }
    }
    let mut open = owners.len();
    let (mut done, mut foreign) = (Vec::new(), Vec::new());
    while open > 0 {
        engine.turn(None, &mut done, &mut foreign)?;
        for ended in done.drain(..) {
            let report = &mut reports[owners[ended.check as usize]];
            if report.learn(&ended.outcome) || report.tries > patience.retries {
                open -= 1;
            } else {
                engine.schedule(ended.check, ended.at + patience.delay);
            }
        }
    }
    Ok(reports)
}

impl Report {
    fn new(target: &str) -> Self {
        Self {
            target: target.to_owned(),
            address: None,
            up: false,
            tries: 0,
            latency_ms: None,
            reason: None,
            detail: None,
        }
    }

    /// Finds the address; a name's first one, of the family of the source address if there is one.
    fn resolve(&mut self, v4: Option<bool>) -> Option<Endpoint> {
        let found = self.target.to_socket_addrs();
        let fits = |a: &SocketAddr| v4.is_none_or(|v4| a.is_ipv4() == v4);
        match found.map(|mut all| all.find(fits)) {
            Ok(Some(addr)) => {
                let to = Endpoint::new(addr.ip(), addr.port());
                self.address = Some(to.to_string());
                Some(to)
            }
            other => {
                self.reason = Some("name");
                self.detail = Some(match other {
                    Err(e) => e.to_string(),
                    _ => "the name has no address of the source address's family".to_owned(),
                });
                None
            }
        }
    }

    /// Learns from a try; returns whether the target is up.
    fn learn(&mut self, outcome: &Outcome) -> bool {
        self.tries += 1;
        match outcome {
            Outcome::Pass { latency, .. } => {
                self.up = true;
                // Microseconds are what the clock and the scheduler are good for.
                self.latency_ms = Some((latency.as_secs_f64() * 1e6).round() / 1e3);
                (self.reason, self.detail) = (None, None);
            }
            Outcome::Fail(reason) | Outcome::Unknown(reason) => self.blame(reason),
        }
        self.up
    }

    fn blame(&mut self, reason: &Reason) {
        self.reason = Some(reason.word());
        self.detail = Some(reason.to_string());
    }

    fn line(&self) -> String {
        let name = match &self.address {
            Some(a) if *a != self.target => format!("{} ({a})", self.target),
            _ => self.target.clone(),
        };
        match (&self.detail, self.latency_ms) {
            (Some(detail), _) => format!("{name} down: {detail}"),
            (None, latency) => format!("{name} up {:.3} ms", latency.unwrap_or(0.0)),
        }
    }
}

/// Writes the reports.
///
/// # Errors
/// The output cannot be written.
pub fn tell(reports: &[Report], form: Form, mut out: impl Write) -> io::Result<()> {
    match form {
        Form::Quiet => Ok(()),
        Form::Json => {
            serde_json::to_writer_pretty(&mut out, reports)?;
            writeln!(out)
        }
        Form::Text => reports.iter().try_for_each(|r| writeln!(out, "{}", r.line())),
    }
}

#[cfg(test)]
mod tests;
