//! What is checked: a table with the places where its services and servers are written.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};

use lvs_core::addr::Endpoint;
use lvs_core::conf::check::{contents, many};
use lvs_core::conf::{Config, Diag, Excerpt, Files, Place, Severity};
use lvs_core::desired;
use lvs_core::plan::{Op, step};
use lvs_core::rule::{Command, Names, parse};
use lvs_core::table::{ServiceKey, Table};

use crate::document::Document;
use crate::restore;

/// Texts by file name: where excerpts come from.
pub(crate) type Texts = HashMap<String, Vec<u8>>;

/// A table, where it is written, and what a keepalived.conf says beyond it.
#[derive(Debug, Default)]
pub(crate) struct Subject {
    pub(crate) table: Table,
    /// Places of services (no endpoint) and of their servers.
    pub(crate) places: BTreeMap<(ServiceKey, Option<Endpoint>), Excerpt>,
    /// Ports that were written for servers whose packets arrive unchanged.
    pub(crate) written_ports: Vec<(ServiceKey, Endpoint, u16)>,
    /// Servers that stay in the table with weight 0 when they fail.
    pub(crate) inhibited: Vec<(ServiceKey, Endpoint)>,
    /// Services whose servers are watched, so that weights change.
    pub(crate) watched: Vec<ServiceKey>,
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

/// Texts whose lines are found by number: there may be a hundred thousand places to look up.
struct Pages<'t>(HashMap<&'t str, (Cow<'t, str>, Vec<usize>)>);

impl<'t> Pages<'t> {
    fn new(texts: &'t Texts) -> Self {
        let page = |text: &'t Vec<u8>| {
            let text = String::from_utf8_lossy(text);
            let ends = text.bytes().enumerate().filter(|(_, b)| *b == b'\n').map(|(i, _)| i + 1);
            let starts = std::iter::once(0).chain(ends).collect();
            (text, starts)
        };
        Self(texts.iter().map(|(name, text)| (name.as_str(), page(text))).collect())
    }

    /// The line of a place as it is written.
    fn excerpt(&self, files: &Files, place: Place) -> Option<Excerpt> {
        let file = files.name(place.file);
        let (text, starts) = self.0.get(file).filter(|_| place.is_written())?;
        let line = text[*starts.get(place.line as usize - 1)?..].lines().next()?.to_owned();
        Some(Excerpt { file: file.to_owned(), place, text: line })
    }
}

impl Subject {
    /// From a keepalived.conf, every server taken as alive.
    pub(crate) fn of_config(config: &Config, findings: Vec<Diag>, texts: &Texts) -> Self {
        let health = desired::Health {
            services: config.virtual_servers.iter().map(desired::ServiceHealth::assumed).collect(),
        };
        let table = desired::table(config, &health);
        let mut it = Self { table, findings, contents: contents(config), ..Self::default() };
        let pages = Pages::new(texts);
        for (vs, keys) in config.virtual_servers.iter().zip(desired::keys(config)) {
            for key in keys {
                it.place((key, None), pages.excerpt(&config.files, vs.target.place));
                for server in &vs.real_servers {
                    let endpoint = *server.endpoint;
                    it.place((key, Some(endpoint)), pages.excerpt(&config.files, server.endpoint.place));
                    if *server.inhibit_on_failure {
                        it.inhibited.push((key, endpoint));
                    }
                }
                if vs.real_servers.iter().any(|s| !s.checks.is_empty()) {
                    it.watched.push(key);
                }
            }
        }
        it
    }

    /// From the JSON of `list --json`, whose items have no places.
    pub(crate) fn of_json(name: &str, text: &str) -> Self {
        let read = serde_json::from_str::<Document>(text);
        let table = match read {
            Ok(document) => document.table().map_err(|e| wrong("bad-table", None, format!("{name}: {e}"))),
            Err(e) => Err(wrong("bad-json", line(name, text, e.line(), e.column()), e.to_string())),
        };
        match table {
            Ok(table) => Self { contents: count(&table), table, ..Self::default() },
            Err(finding) => Self { findings: vec![finding], ..Self::default() },
        }
    }

    /// From rule lines.
    pub(crate) fn of_rules(name: &str, text: &str, names: &dyn Names) -> Self {
        let mut it = Self::default();
        for (i, words) in text.lines().enumerate() {
            if !restore::is_comment(words) && restore::words(words).next().is_some() {
                it.rule(words, line(name, text, i + 1, 0), names);
            }
        }
        it.contents = count(&it.table);
        it
    }

    fn rule(&mut self, words: &str, at: Option<Excerpt>, names: &dyn Names) {
        let op = match parse(restore::words(words), names) {
            Ok(Command::Op(op)) => op,
            Ok(_) => {
                return self.findings.push(wrong("not-a-change", at, "this line changes nothing".to_owned()));
            }
            Err(refusal) => return self.findings.push(wrong("bad-rule", at, refusal.text)),
        };
        if !step(&mut self.table, &op) {
            let text =
                "the lines before it do not fit: what it adds is there already, or what it needs is missing";
            self.findings.push(wrong("bad-order", at.clone(), text.to_owned()));
        }
        match op {
            Op::AddService(key, _) | Op::EditService(key, _) => self.place((key, None), at),
            Op::AddServer(key, endpoint, _) | Op::EditServer(key, endpoint, _) => {
                self.place((key, Some(endpoint)), at);
                if let Some(port) = written_port(words, &key, names) {
                    self.written_ports.push((key, endpoint, port));
                }
            }
            _ => {}
        }
    }

    fn place(&mut self, key: (ServiceKey, Option<Endpoint>), at: Option<Excerpt>) {
        if let Some(at) = at {
            self.places.entry(key).or_insert(at);
        }
    }
}

fn count(table: &Table) -> String {
    let servers = table.services.values().map(|e| e.servers.len()).sum();
    format!("{} with {}", many(table.services.len(), "virtual server"), many(servers, "real server"))
}

/// A line by its number; no column means the whole line.
fn line(name: &str, text: &str, number: usize, column: usize) -> Option<Excerpt> {
    let line = text.lines().nth(number.checked_sub(1)?)?;
    let indent = line.len() - line.trim_start().len();
    let (col, len) = if column == 0 { (indent + 1, line.trim().chars().count()) } else { (column, 1) };
    let small = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    let place =
        Place { line: small(number), col: small(col), file: 0, len: u16::try_from(len).unwrap_or(u16::MAX) };
    Some(Excerpt { file: name.to_owned(), place, text: line.to_owned() })
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
