//! FILE: a table as keepalived.conf, as the JSON of `list --json`, or as rule lines; `-` is standard input.

pub(crate) mod doubt;
pub(crate) mod rules;

use std::io::Read;
use std::path::Path;

use lvs_core::conf::schema::Tool;
use lvs_core::conf::{self, Diag, Severity};
use lvs_core::desired::{self, Health, ServerHealth, ServiceHealth};
use lvs_core::sys::conf::{self as conf_file, Disk, env};
use lvs_core::table::Table;

use crate::document;
use crate::failure::Failure;

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
        Some(line) if line.starts_with(['{', '[']) => Form::Json,
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

/// What a table is read for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::Args)]
pub(crate) struct Purpose {
    /// Services that are not in the file go
    #[arg(long)]
    pub(crate) prune: bool,
    /// With --prune: a file without a service is meant as it is, and every service goes
    #[arg(long, requires = "prune")]
    allow_empty: bool,
}

/// Reads the table in a file; warnings go to standard error. What is wrong with blocks that say nothing of the table is no
/// obstacle.
///
/// # Errors
/// It cannot be read, nothing of it is understood, or anything of the table in it is wrong: then all that is wrong is in
/// the failure. Where services that are not in the file go, nothing may be passed over, and a service must be there.
pub(crate) fn table(file: &str, purpose: Purpose) -> Result<Table, Failure> {
    let care = if purpose.prune { Care::Prune } else { Care::Table };
    let table = Table::from(content(file, care)?);
    if purpose.prune && !purpose.allow_empty && table.services.is_empty() {
        return Err(Failure::Usage(format!("{}: {}", name(file), doubt::EMPTY)));
    }
    Ok(table)
}

/// Reads a file; warnings go to standard error.
///
/// # Errors
/// It cannot be read, nothing of it is understood, or anything in it is wrong.
pub(crate) fn read(file: &str) -> Result<Content, Failure> {
    content(file, Care::All)
}

/// Which findings are obstacles.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Care {
    /// Errors of the table.
    Table,
    /// Those, and whatever is passed over.
    Prune,
    /// Errors of any kind.
    All,
}

impl Care {
    fn stops(self, finding: &Diag) -> bool {
        match self {
            Self::All => finding.severity == Severity::Error,
            Self::Table | Self::Prune => finding.stops(Tool::Ipvsctl, false),
        }
    }
}

fn content(file: &str, care: Care) -> Result<Content, Failure> {
    let name = name(file);
    let bytes = bytes(file).map_err(|why| Failure::Usage(format!("{name}: {why}")))?;
    let text = String::from_utf8_lossy(&bytes);
    match form(&text) {
        Form::Keepalived => {
            let (config, mut findings) = conf::parse(name, &bytes, &mut Disk::default(), &env());
            if config.outline.known == 0 {
                return Err(Failure::Usage(doubt::nothing(name, &text, &findings)));
            }
            if care == Care::Prune {
                doubt::sharpen(&mut findings, &config.outline);
            }
            judge(&findings, |d| care.stops(d))?;
            Ok(Content::Config(Box::new(config)))
        }
        Form::Json => match document::read(&text) {
            Ok((_, table)) => Ok(Content::Table(table)),
            Err(e) => Err(Failure::Usage(format!("{name}:{}:{}: {}", e.line, e.column, e.text))),
        },
        Form::Rules => rules::table(&text).map(Content::Table).map_err(|all| {
            let lines: Vec<String> = all.iter().map(|(line, e)| format!("{name}:{line}: {e}")).collect();
            Failure::Usage(lines.join("\nipvsctl: "))
        }),
    }
}

/// How messages call a file.
pub(crate) fn name(file: &str) -> &str {
    if file == "-" { "standard input" } else { file }
}

/// The mark that some editors put before a text.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// The file's bytes, or standard input's, without a byte order mark.
///
/// # Errors
/// Why it cannot be read, as a clause.
pub(crate) fn bytes(file: &str) -> Result<Vec<u8>, String> {
    let mut bytes = all_bytes(file)?;
    if bytes.starts_with(BYTE_ORDER_MARK) {
        bytes.drain(..BYTE_ORDER_MARK.len());
    }
    Ok(bytes)
}

fn all_bytes(file: &str) -> Result<Vec<u8>, String> {
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

#[cfg(test)]
mod tests;
