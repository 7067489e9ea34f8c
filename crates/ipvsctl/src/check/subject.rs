//! What is checked: a table with the places where its services and servers are written.

mod json;

use std::collections::{BTreeMap, BTreeSet};

use lvs_core::addr::Endpoint;
use lvs_core::conf::check::{contents, many};
use lvs_core::conf::{Config, Diag, Excerpt, Place, Severity};
use lvs_core::desired;
use lvs_core::plan::{Op, step};
use lvs_core::rule::{Command, Names, parse};
use lvs_core::table::{ServiceKey, Table};

use super::pages::{Pages, Texts};
use crate::restore;
use crate::source::rules::misfit;

/// A service, or a server of one.
type Item = (ServiceKey, Option<Endpoint>);

/// A table, where it is written, and what a keepalived.conf says beyond it.
#[derive(Debug, Default)]
pub(crate) struct Subject {
    pub(crate) table: Table,
    /// Where services and their servers are written, in order once all are there; of two places the first counts.
    places: Vec<(Item, Place)>,
    /// The files that the places are in.
    pages: Pages,
    /// Ports that were written for servers whose packets arrive unchanged.
    pub(crate) written_ports: Vec<(ServiceKey, Endpoint, u16)>,
    /// Servers that stay in the table with weight 0 when they fail.
    pub(crate) inhibited: BTreeMap<ServiceKey, Vec<Endpoint>>,
    /// Services whose servers are watched, so that weights change.
    pub(crate) watched: BTreeSet<ServiceKey>,
    /// What the file holds, in words.
    pub(crate) contents: String,
    /// What is wrong with the file itself.
    pub(crate) findings: Vec<Diag>,
}

/// An error of the file.
fn wrong(code: &'static str, at: Option<Excerpt>, message: String) -> Diag {
    Diag {
        severity: Severity::Error,
        code,
        at,
        until: 0,
        block: None,
        message,
        help: None,
        related: Vec::new(),
    }
}

impl Subject {
    /// A file of which nothing is understood.
    pub(crate) fn unreadable(message: String) -> Self {
        Self { findings: vec![wrong("not-understood", None, message)], ..Self::default() }
    }

    /// From a keepalived.conf, every server taken as alive.
    pub(crate) fn of_config(config: &Config, findings: Vec<Diag>, texts: Texts) -> Self {
        let health = desired::Health {
            services: config.virtual_servers.iter().map(desired::ServiceHealth::assumed).collect(),
        };
        let table = desired::table(config, &health);
        let pages = Pages::new(&config.files, texts);
        let mut it = Self { table, findings, contents: contents(config), pages, ..Self::default() };
        for (vs, keys) in config.virtual_servers.iter().zip(desired::keys(config)) {
            for key in keys {
                it.places.push(((key, None), vs.target.place));
                for server in &vs.real_servers {
                    let endpoint = *server.endpoint;
                    it.places.push(((key, Some(endpoint)), server.endpoint.place));
                    if *server.inhibit_on_failure {
                        it.inhibited.entry(key).or_default().push(endpoint);
                    }
                }
                if vs.real_servers.iter().any(|s| !s.checks.is_empty()) {
                    it.watched.insert(key);
                }
            }
        }
        it.ordered()
    }

    /// From rule lines.
    pub(crate) fn of_rules(name: &str, text: &str, names: &dyn Names) -> Self {
        let mut it = Self { pages: Pages::one(name, text), ..Self::default() };
        for (i, words) in text.lines().enumerate() {
            if !restore::is_comment(words) && restore::words(words).next().is_some() {
                it.rule(words, place(words, i + 1, 0), names);
            }
        }
        it.contents = count(&it.table);
        it.ordered()
    }

    fn rule(&mut self, words: &str, at: Place, names: &dyn Names) {
        let op = match parse(restore::words(words), names) {
            Ok(Command::Op(op)) => op,
            Ok(_) => return self.wrong("not-a-change", at, "this line changes nothing".to_owned()),
            Err(refusal) => return self.wrong("bad-rule", at, refusal.text),
        };
        if !step(&mut self.table, &op) {
            self.wrong("bad-order", at, misfit(&self.table, &op));
        }
        match op {
            Op::AddService(key, _) | Op::EditService(key, _) => self.places.push(((key, None), at)),
            Op::AddServer(key, endpoint, _) | Op::EditServer(key, endpoint, _) => {
                self.places.push(((key, Some(endpoint)), at));
                if let Some(port) = written_port(words, &key, names) {
                    self.written_ports.push((key, endpoint, port));
                }
            }
            _ => {}
        }
    }

    fn wrong(&mut self, code: &'static str, at: Place, message: String) {
        let at = self.pages.excerpt(at);
        self.findings.push(wrong(code, at, message));
    }

    /// Stable: of two places the first stays before the other.
    fn ordered(mut self) -> Self {
        self.places.sort_by_key(|(item, _)| *item);
        self
    }

    /// The line where a service or a server is written.
    pub(crate) fn excerpt(&self, item: Item) -> Option<Excerpt> {
        let first = self.places.partition_point(|(other, _)| *other < item);
        let (_, place) = self.places.get(first).filter(|(other, _)| *other == item)?;
        self.pages.excerpt(*place)
    }
}

fn count(table: &Table) -> String {
    let servers = table.services.values().map(|e| e.servers.len()).sum();
    format!("{} with {}", many(table.services.len(), "virtual server"), many(servers, "real server"))
}

/// The place of a line; no column means the whole line.
fn place(line: &str, number: usize, column: usize) -> Place {
    let indent = line.len() - line.trim_start().len();
    let (col, len) = if column == 0 { (indent + 1, line.trim().chars().count()) } else { (column, 1) };
    let small = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    Place { line: small(number), col: small(col), file: 0, len: u16::try_from(len).unwrap_or(u16::MAX) }
}

/// The port as it stands after -r. A rule that adds takes the service's instead where packets arrive unchanged; the
/// rule that deletes takes what is written.
fn written_port(line: &str, key: &ServiceKey, names: &dyn Names) -> Option<u16> {
    let mut words = restore::words(line).skip_while(|w| *w != "-r" && *w != "--real-server");
    let value = words.nth(1)?;
    let service = key.to_string();
    let delete = ["-d"].into_iter().chain(service.split(' ')).chain(["-r", value]);
    match parse(delete, names) {
        Ok(Command::Op(Op::DelServer(_, endpoint))) => Some(endpoint.port),
        _ => None,
    }
}
