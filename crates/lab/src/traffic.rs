//! A client at a steady rate, and what it felt: who served, what failed, how long nobody served.

use std::collections::BTreeMap;
use std::fmt;
use std::io::{Read, Write};
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use anyhow::{Context, Result};
use lvs_core::sys::clock;
use lvs_core::time::Time;
use socket2::{Domain, Socket, Type};

use crate::daemon::Line;
use crate::wait::pause;

/// How many requests may be under way at once: more than come within one timeout at the usual rate, so that a
/// request that waits in vain delays no other one.
const WORKERS: usize = 8;

/// Connects to `service` `rate` times a second until it is killed, each time from the next of the addresses `from`,
/// and writes a line a request: `ok NANOSECONDS MILLISECONDS NAME` or `failed NANOSECONDS MILLISECONDS REASON`, where
/// the nanoseconds are the monotonic clock at its begin. A request has failed when no answer came within `timeout`.
///
/// # Errors
/// When standard output is closed.
pub fn run(service: SocketAddr, from: &[IpAddr], rate: u32, timeout: Duration) -> Result<()> {
    let step = Duration::from_secs(1) / rate.max(1);
    let start = clock::now();
    let turns = AtomicU32::new(0);
    let work = || -> Result<()> {
        loop {
            let turn = turns.fetch_add(1, Ordering::Relaxed);
            pause((start + step * turn).since(clock::now()));
            let source = (!from.is_empty()).then(|| from[turn as usize % from.len()]);
            let begin = clock::now();
            let answer = request(service, source, timeout);
            let took = clock::now().since(begin).as_millis();
            let (word, text) = match answer {
                Ok(name) => ("ok", name),
                Err(reason) => ("failed", format!("{reason:#}")),
            };
            writeln!(std::io::stdout().lock(), "{word} {} {took} {text}", begin.as_nanos())?;
        }
    };
    std::thread::scope(|s| {
        let workers: Vec<_> = (0..WORKERS).map(|_| s.spawn(work)).collect();
        workers.into_iter().try_for_each(|w| w.join().unwrap_or(Ok(())))
    })
}

/// One request: the name of the server that answered.
///
/// # Errors
/// When no answer came within `timeout`.
pub fn request(service: SocketAddr, source: Option<IpAddr>, timeout: Duration) -> Result<String> {
    let mut stream = connect(service, source, timeout)?;
    let mut name = String::new();
    stream.read_to_string(&mut name).context("answer")?;
    anyhow::ensure!(!name.is_empty(), "empty answer");
    Ok(name)
}

/// A connection from an address; what is read on it may take as long as the connection.
pub(crate) fn connect(service: SocketAddr, source: Option<IpAddr>, timeout: Duration) -> Result<TcpStream> {
    let socket = Socket::new(Domain::for_address(service), Type::STREAM, None)?;
    if let Some(source) = source {
        socket.bind(&SocketAddr::new(source, 0).into()).context("source")?;
    }
    socket.connect_timeout(&service.into(), timeout).context("connect")?;
    let stream = TcpStream::from(socket);
    stream.set_read_timeout(Some(timeout))?;
    Ok(stream)
}

/// One request of a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// When it began.
    pub at: Time,
    /// The server's name, or why there was no answer.
    pub answer: Result<String, String>,
}

/// Requests of one client, in the order in which they began.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Traffic(pub Vec<Request>);

/// A time in which requests failed: from the last good answer before to the first after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outage {
    /// The last good answer before.
    pub from: Time,
    /// The first good answer after; the last request when none came.
    pub to: Time,
    /// How many requests failed.
    pub failed: usize,
}

impl Outage {
    /// How long.
    pub fn length(&self) -> Duration {
        self.to.since(self.from)
    }
}

impl Traffic {
    /// What a client (`lab client ..`) wrote; other lines are skipped.
    pub fn read(lines: &[Line]) -> Self {
        let mut requests: Vec<_> = lines.iter().filter_map(|l| parse(&l.text)).collect();
        requests.sort_by_key(|r| r.at);
        Self(requests)
    }

    /// The requests that began in this time.
    pub fn between(&self, from: Time, to: Time) -> Self {
        Self(self.0.iter().filter(|r| r.at >= from && r.at < to).cloned().collect())
    }

    /// Requests answered.
    pub fn ok(&self) -> usize {
        self.0.iter().filter(|r| r.answer.is_ok()).count()
    }

    /// Requests not answered.
    pub fn failed(&self) -> usize {
        self.0.len() - self.ok()
    }

    /// Answers by the name of the server.
    pub fn by_server(&self) -> BTreeMap<String, usize> {
        let mut all = BTreeMap::new();
        for name in self.0.iter().filter_map(|r| r.answer.as_ref().ok()) {
            *all.entry(name.clone()).or_default() += 1;
        }
        all
    }

    /// Each time without an answer in which at least one request failed.
    pub fn outages(&self) -> Vec<Outage> {
        let mut all = Vec::new();
        let mut last_ok = self.0.first().map(|r| r.at);
        let mut failed = 0;
        for request in &self.0 {
            if request.answer.is_err() {
                failed += 1;
                continue;
            }
            if let (Some(from), true) = (last_ok, failed > 0) {
                all.push(Outage { from, to: request.at, failed });
            }
            (last_ok, failed) = (Some(request.at), 0);
        }
        if let (Some(from), Some(end), true) = (last_ok, self.0.last(), failed > 0) {
            all.push(Outage { from, to: end.at, failed });
        }
        all
    }

    /// The longest outage; zero when no request failed.
    pub fn longest_outage(&self) -> Duration {
        self.outages().iter().map(Outage::length).max().unwrap_or_default()
    }
}

impl fmt::Display for Traffic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ok, {} failed", self.ok(), self.failed())?;
        for (name, count) in self.by_server() {
            write!(f, ", {name} {count}")?;
        }
        Ok(())
    }
}

fn parse(line: &str) -> Option<Request> {
    let mut words = line.splitn(4, ' ');
    let word = words.next()?;
    let at = Time::from_nanos(words.next()?.parse().ok()?);
    let text = words.nth(1)?.to_owned();
    match word {
        "ok" => Some(Request { at, answer: Ok(text) }),
        "failed" => Some(Request { at, answer: Err(text) }),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
