//! The `check` verb of all tools: findings as text or JSON, and the exit status.

use std::fmt::Write as _;
use std::str::FromStr;

use super::diag::{Diag, Excerpt, Severity};
use super::model::Config;

/// How findings are shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// For people: the line with a caret, and a summary.
    #[default]
    Text,
    /// For programs: one JSON object a line and finding.
    Json,
}

impl FromStr for Format {
    type Err = String;

    fn from_str(s: &str) -> Result<Self, String> {
        match s {
            "text" => Ok(Self::Text),
            "json" => Ok(Self::Json),
            _ => Err("write text or json".to_owned()),
        }
    }
}

/// What `check` prints, and its exit status: 0 unless there are errors (2), or `strict` was asked for and there are
/// warnings (1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// For standard output, with its last newline.
    pub text: String,
    /// The exit status.
    pub status: u8,
}

/// Shows what reading a file gave, or why it could not be read. With `strict` warnings count.
pub fn run(name: &str, read: Result<(Config, Vec<Diag>), String>, format: Format, strict: bool) -> Report {
    let (config, findings) = read.unwrap_or_else(|why| (Config::default(), vec![unreadable(name, &why)]));
    report(name, &findings, &contents(&config), format, strict)
}

/// Shows findings; `contents` says what the file holds, for the summary.
pub fn report(name: &str, findings: &[Diag], contents: &str, format: Format, strict: bool) -> Report {
    let text = match format {
        Format::Text => text(name, contents, findings),
        Format::Json => findings.iter().map(|d| json(name, d) + "\n").collect(),
    };
    let status = match findings.iter().map(|d| d.severity).max() {
        Some(Severity::Error) => 2,
        Some(Severity::Warning) if strict => 1,
        _ => 0,
    };
    Report { text, status }
}

fn unreadable(name: &str, why: &str) -> Diag {
    Diag {
        severity: Severity::Error,
        code: "unreadable",
        at: None,
        until: 0,
        block: None,
        message: format!("{name}: {why}"),
        help: None,
        related: Vec::new(),
    }
}

fn text(name: &str, contents: &str, findings: &[Diag]) -> String {
    let mut out = String::new();
    for d in findings {
        let _ = writeln!(out, "{d}\n");
    }
    let count = |s: Severity| findings.iter().filter(|d| d.severity == s).count();
    let _ = write!(
        out,
        "{name}: {}, {}, {}",
        many(count(Severity::Error), "error"),
        many(count(Severity::Warning), "warning"),
        many(count(Severity::Note), "note"),
    );
    // A file that was not understood has no contents.
    let _ = if contents.is_empty() { writeln!(out) } else { writeln!(out, "; {contents}") };
    out
}

/// How many blocks of the kinds that matter a configuration has.
pub fn contents(config: &Config) -> String {
    let servers: usize = config.virtual_servers.iter().map(|vs| vs.real_servers.len()).sum();
    format!(
        "{}, {} with {}",
        many(config.instances.len(), "virtual router"),
        many(config.virtual_servers.len(), "virtual server"),
        many(servers, "real server"),
    )
}

/// `1 server`, `2 servers`.
pub fn many(n: usize, what: &str) -> String {
    format!("{n} {what}{}", if n == 1 { "" } else { "s" })
}

/// One finding as a JSON object. `line`, `column` and `end_line` are 0 for the file as a whole.
fn json(name: &str, d: &Diag) -> String {
    let related: Vec<_> = d
        .related
        .iter()
        .map(|(why, e)| serde_json::json!({ "why": why, "file": e.file, "line": e.place.line, "column": e.place.col }))
        .collect();
    serde_json::json!({
        "severity": d.severity,
        "file": d.at.as_ref().map_or(name, |e| &e.file),
        "line": d.line(),
        "column": d.at.as_ref().map_or(0, |e: &Excerpt| e.place.col),
        "end_line": d.until,
        "code": d.code,
        "message": d.message,
        "help": d.help,
        "related": related,
    })
    .to_string()
}

#[cfg(test)]
mod tests;
