//! `tcpcheck HOST:PORT...`: checks once and tells.

mod names;

use std::io::{self, Write};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use lvs_core::addr::Endpoint;
use lvs_core::sys::clock;
use lvs_core::sys::tcp::Dial;
use serde::Serialize;

use crate::engine::{self, Engine};
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

/// The host of a target, without the brackets of an IPv6 address.
fn host(target: &str) -> &str {
    let host = target.rsplit_once(':').map_or(target, |(host, _)| host);
    host.strip_prefix('[').and_then(|h| h.strip_suffix(']')).unwrap_or(host)
}

fn port(target: &str) -> u16 {
    target.rsplit_once(':').and_then(|(_, port)| port.parse().ok()).unwrap_or(0)
}

/// What there is to say before so many targets are tried: that not all can be tried at once.
///
/// # Errors
/// The limit of descriptors cannot be read.
pub fn crowd(targets: usize) -> io::Result<Option<String>> {
    let limit = engine::limit(targets)?;
    let wait = || {
        format!(
            "{limit} of {targets} targets are tried at a time, the others wait for a descriptor; raise 'ulimit -n'"
        )
    };
    Ok((limit < targets).then(wait))
}

/// Tries all targets at once and reports in their order.
///
/// # Errors
/// The system gives no descriptor to wait with.
pub fn check(targets: &[String], dial: &Dial, patience: Patience) -> io::Result<Vec<Report>> {
    let mut engine = Engine::new(targets.len())?;
    let mut reports: Vec<_> = targets.iter().map(|t| Report::new(t)).collect();
    let found = names::look_up(targets.iter().map(|t| host(t)), patience.timeout);
    let now = clock::now();
    // Equal targets are each tried: who names one twice wants two tries.
    let mut owners = Vec::new();
    for (i, report) in reports.iter_mut().enumerate() {
        if let Some(to) = report.resolve(&found[i], dial.from_addr().map(|a| a.is_ipv4())) {
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

    /// Takes the address; a name's first one, of the family of the source address if there is one.
    fn resolve(&mut self, found: &Result<Vec<IpAddr>, String>, v4: Option<bool>) -> Option<Endpoint> {
        let fits = |a: &&IpAddr| v4.is_none_or(|v4| a.is_ipv4() == v4);
        let to = match found {
            Ok(all) => all.iter().find(fits).ok_or("the name has no address of the source address's family"),
            Err(why) => Err(why.as_str()),
        };
        match to {
            Ok(addr) => {
                let to = Endpoint::new(*addr, port(&self.target));
                self.address = Some(to.to_string());
                Some(to)
            }
            Err(why) => {
                self.reason = Some("name");
                self.detail = Some(why.to_owned());
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
