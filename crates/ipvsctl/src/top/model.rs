//! From two looks at the table to the rows of a screen.

use std::cmp::Reverse;
use std::time::Duration;

use lvs_core::ipvs::{ServerState, Stats};
use lvs_core::table::{Protocol, ServiceKey};
use lvs_core::time::Time;

use crate::snapshot::Entry;

/// The table at a moment, sorted as [`crate::snapshot::entries`] sorts it.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// When it was read.
    pub at: Time,
    /// What it held.
    pub entries: Vec<Entry>,
}

/// What rows are sorted by; numbers with the largest first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Sort {
    /// Address
    #[default]
    Name,
    /// Active connections
    Active,
    /// Inactive connections
    Inactive,
    /// Connections a second
    Connections,
    /// Packets a second, both ways
    Packets,
    /// Bytes a second, both ways
    Bytes,
}

/// A second's worth of traffic.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Rates {
    /// New connections.
    pub connections: f64,
    /// Packets, both ways.
    pub packets: f64,
    /// Bytes from clients.
    pub bytes_in: f64,
    /// Bytes to clients.
    pub bytes_out: f64,
}

/// A line of the screen.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// Whether it is a real server of the service above.
    pub server: bool,
    /// `TCP 192.168.15.111:443` or `192.168.15.109:443`.
    pub name: String,
    /// The weight; of a service the sum of its servers'.
    pub weight: u64,
    /// Active connections.
    pub active: u64,
    /// Inactive connections.
    pub inactive: u64,
    /// Persistent clients.
    pub persistent: u64,
    /// Its traffic.
    pub rates: Rates,
}

/// The rows of `now`: each service, and unless `services_only` its servers below it. Rates are differences to
/// `before`; what was not there then, or was zeroed since, has the kernel's own rates.
pub fn rows(before: Option<&Sample>, now: &Sample, sort: Sort, services_only: bool) -> Vec<Row> {
    let time = before.map_or(Duration::ZERO, |b| now.at.since(b.at));
    let mut groups: Vec<(Row, Vec<Row>)> = now
        .entries
        .iter()
        .map(|entry| {
            let old = before.and_then(|b| find(&b.entries, &entry.service.key));
            group(old, entry, time)
        })
        .collect();
    groups.sort_by_key(|(service, _)| order(service, sort));
    let mut rows = Vec::new();
    for (service, mut servers) in groups {
        rows.push(service);
        if !services_only {
            servers.sort_by_key(|s| order(s, sort));
            rows.append(&mut servers);
        }
    }
    rows
}

/// A key that leaves rows as they are, by address, or puts the largest number first.
fn order(row: &Row, sort: Sort) -> Reverse<u64> {
    let r = &row.rates;
    // Rates to the thousandth: whole numbers have an order.
    let whole = |rate: f64| (rate * 1000.0) as u64;
    Reverse(match sort {
        Sort::Name => 0,
        Sort::Active => row.active,
        Sort::Inactive => row.inactive,
        Sort::Connections => whole(r.connections),
        Sort::Packets => whole(r.packets),
        Sort::Bytes => whole(r.bytes_in + r.bytes_out),
    })
}

fn find<'a>(entries: &'a [Entry], key: &ServiceKey) -> Option<&'a Entry> {
    entries.binary_search_by_key(key, |e| e.service.key).ok().map(|i| &entries[i])
}

fn group(old: Option<&Entry>, entry: &Entry, time: Duration) -> (Row, Vec<Row>) {
    let servers: Vec<Row> = entry
        .servers
        .iter()
        .map(|s| {
            let before = old.and_then(|o| {
                o.servers.binary_search_by_key(&s.endpoint, |x| x.endpoint).ok().map(|i| &o.servers[i].stats)
            });
            server(s, rates(before, &s.stats, time))
        })
        .collect();
    let sum = |field: fn(&Row) -> u64| servers.iter().map(field).sum();
    let service = Row {
        server: false,
        name: name(&entry.service.key),
        weight: sum(|r| r.weight),
        active: sum(|r| r.active),
        inactive: sum(|r| r.inactive),
        persistent: sum(|r| r.persistent),
        rates: rates(old.map(|o| &o.service.stats), &entry.service.stats, time),
    };
    (service, servers)
}

fn server(s: &ServerState, rates: Rates) -> Row {
    Row {
        server: true,
        name: s.endpoint.to_string(),
        weight: s.server.weight.into(),
        active: s.active.into(),
        inactive: s.inactive.into(),
        persistent: s.persistent.into(),
        rates,
    }
}

fn name(key: &ServiceKey) -> String {
    match key {
        ServiceKey::Addr { protocol: Protocol::Sctp, vip } => format!("SCTP {vip}"),
        ServiceKey::Addr { protocol, vip } => format!("{protocol}  {vip}"),
        ServiceKey::Mark { mark, family: lvs_core::addr::Family::Inet } => format!("FWM  {mark}"),
        ServiceKey::Mark { mark, .. } => format!("FWM6 {mark}"),
    }
}

fn rates(before: Option<&Stats>, now: &Stats, time: Duration) -> Rates {
    let seconds = time.as_secs_f64();
    let grown = |b: &Stats| b.totals().iter().zip(now.totals()).all(|(b, n)| *b <= n);
    let [connections, packets_in, packets_out, bytes_in, bytes_out] = match before {
        Some(b) if seconds > 0.0 && grown(b) => {
            let (old, new) = (b.totals(), now.totals());
            std::array::from_fn(|i| (new[i] - old[i]) as f64 / seconds)
        }
        _ => now.rates().map(|r| r as f64),
    };
    Rates { connections, packets: packets_in + packets_out, bytes_in, bytes_out }
}
