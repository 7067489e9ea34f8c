//! FILE: a table as keepalived.conf, as the JSON of `list --json`, or as rule lines; `-` is standard input.

use std::io::Read;
use std::path::Path;

use lvs_core::conf::schema::Tool;
use lvs_core::conf::{self, Diag, Severity};
use lvs_core::desired::{self, Health, ServerHealth, ServiceHealth};
use lvs_core::plan::{Op, step};
use lvs_core::rule::{self, Command};
use lvs_core::sys::conf::{self as conf_file, Disk, env};
use lvs_core::sys::names::System;
use lvs_core::table::Table;

use crate::document::Document;
use crate::restore;
use crate::verbs::Failure;

/// What a text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// keepalived.conf.
    Keepalived,
    /// The JSON of `list --json`.
    Json,
    /// Rule lines.
    Rules,
}

/// Tells the form by the first character that is neither blank nor in a comment.
pub(crate) fn form(text: &str) -> Form {
    let mut lines = text.lines().map(str::trim_start);
    match lines.find(|l| !l.is_empty() && !l.starts_with(['#', '!'])) {
        Some(line) if line.starts_with('{') => Form::Json,
        Some(line) if line.starts_with('-') || line.starts_with("ipvsadm") => Form::Rules,
        // Nothing at all is an empty list of rules, which means the same in every form.
        None => Form::Rules,
        Some(_) => Form::Keepalived,
    }
}

/// What a file holds.
pub(crate) enum Content {
    /// A keepalived.conf, with more in it than a table.
    Config(Box<conf::Config>),
    /// A table, from JSON or rule lines.
    Table(Table),
}

impl From<Content> for Table {
    fn from(content: Content) -> Self {
        match content {
            Content::Config(config) => desired::table(&config, &everybody_lives(&config)),
            Content::Table(table) => table,
        }
    }
}

/// Reads the table in a file; warnings go to standard error. What is wrong with blocks that say nothing of the table is no
/// obstacle.
///
/// # Errors
/// It cannot be read, or anything of the table in it is wrong: then all that is wrong is in the failure.
pub(crate) fn table(file: &str) -> Result<Table, Failure> {
    content(file, |d| d.stops(Tool::Ipvsctl, false)).map(Table::from)
}

/// Reads a file; warnings go to standard error.
///
/// # Errors
/// It cannot be read, or anything in it is wrong.
pub(crate) fn read(file: &str) -> Result<Content, Failure> {
    content(file, |d| d.severity == Severity::Error)
}

fn content(file: &str, stops: impl Fn(&Diag) -> bool) -> Result<Content, Failure> {
    let name = name(file);
    let bytes = bytes(file).map_err(|why| Failure::Usage(format!("{name}: {why}")))?;
    let text = String::from_utf8_lossy(&bytes);
    match form(&text) {
        Form::Keepalived => {
            let (config, findings) = conf::parse(name, &bytes, &mut Disk::default(), &env());
            judge(&findings, stops)?;
            Ok(Content::Config(Box::new(config)))
        }
        Form::Json => json(&text).map(Content::Table).map_err(|e| Failure::Usage(format!("{name}: {e}"))),
        Form::Rules => rules(&text).map(Content::Table).map_err(|all| {
            let lines: Vec<String> = all.iter().map(|(line, e)| format!("{name}:{line}: {e}")).collect();
            Failure::Usage(lines.join("\nipvsctl: "))
        }),
    }
}

/// How messages call a file.
pub(crate) fn name(file: &str) -> &str {
    if file == "-" { "standard input" } else { file }
}

/// The file's bytes, or standard input's.
///
/// # Errors
/// Why it cannot be read, as a clause.
pub(crate) fn bytes(file: &str) -> Result<Vec<u8>, String> {
    match file {
        "-" => {
            let mut bytes = Vec::new();
            std::io::stdin().lock().read_to_end(&mut bytes).map(|_| bytes).map_err(|e| e.to_string())
        }
        path => conf_file::read(Path::new(path)),
    }
}

/// All that is wrong at once: a failure if any of it `stops` the work, else said.
fn judge(findings: &[Diag], stops: impl Fn(&Diag) -> bool) -> Result<(), Failure> {
    let said = findings.iter().filter(|d| d.severity >= Severity::Warning);
    let said = said.map(ToString::to_string).collect::<Vec<_>>().join("\nipvsctl: ");
    if findings.iter().any(stops) {
        return Err(Failure::Usage(said));
    }
    if !said.is_empty() {
        crate::out::complain("ipvsctl", &said);
    }
    Ok(())
}

/// A file that is applied is meant as a whole: which servers really live is tcpcheck's matter.
fn everybody_lives(config: &conf::Config) -> Health {
    let services = config.virtual_servers.iter().map(|vs| {
        let servers = vs.real_servers.iter().map(|_| ServerHealth::new(true)).collect();
        let mut health = ServiceHealth { quorum: false, servers };
        health.settle(vs);
        health
    });
    Health { services: services.collect() }
}

fn json(text: &str) -> Result<Table, String> {
    serde_json::from_str::<Document>(text).map_err(|e| e.to_string())?.table()
}

/// The table after these lines from an empty one; every line that is wrong otherwise, with its number.
fn rules(text: &str) -> Result<Table, Vec<(usize, String)>> {
    let mut table = Table::default();
    let mut wrong = Vec::new();
    for (i, line) in text.lines().enumerate() {
        if restore::is_comment(line) || restore::words(line).next().is_none() {
            continue;
        }
        if let Err(e) = rule_line(&mut table, line) {
            wrong.push((i + 1, e));
        }
    }
    if wrong.is_empty() { Ok(table) } else { Err(wrong) }
}

fn rule_line(table: &mut Table, line: &str) -> Result<(), String> {
    match rule::parse(restore::words(line), &System) {
        Ok(
            Command::Op(Op::SetTimeouts(_) | Op::StartDaemon(_) | Op::StopDaemon(..) | Op::Zero(_))
            | Command::List(_),
        ) => Err("a table has services and real servers only".to_owned()),
        Ok(Command::Op(op)) if step(table, &op) => Ok(()),
        Ok(Command::Op(op)) => {
            Err(format!("{op}: the lines before it do not fit (is it there twice, or missing?)"))
        }
        Ok(_) => Err("a table has services and real servers only".to_owned()),
        Err(refusal) => Err(refusal.text),
    }
}

#[cfg(test)]
mod tests;
