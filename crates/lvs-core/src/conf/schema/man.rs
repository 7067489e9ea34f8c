//! lvs-keepalived.conf(5), made from the table of keywords.

use std::fmt::Write as _;

use super::{Block, Keyword, Status, blocks};

const HEAD: &str = include_str!("man/head.mdoc");
const TAIL: &str = include_str!("man/tail.mdoc");

/// What `check` prints about a file of `examples/broken`.
macro_rules! said {
    ($($name:literal),* $(,)?) => {
        [$(include_str!(concat!("../../../../../examples/broken/", $name, ".txt"))),*]
    };
}

/// Ten broken files; a test keeps each text what `check` prints.
const BROKEN: [&str; 10] = said![
    "missing-brace",
    "misspelt",
    "no-vrid",
    "other-port",
    "password",
    "quorum",
    "same-vrid",
    "shell",
    "undefined",
    "wrong-block",
];

/// The whole page, in mdoc.
pub fn page() -> String {
    let mut out = HEAD.to_owned();
    blocks(&mut |path, block| section(&mut out, path, block));
    out.push_str(".Sh DIAGNOSTICS\nTen broken files of\n.Pa examples/broken\nand what\n.Ic check\nprints about them.\n");
    BROKEN.iter().for_each(|text| literal(&mut out, text));
    out.push_str(TAIL);
    out
}

/// Text as it is.
fn literal(out: &mut String, text: &str) {
    out.push_str(".Bd -literal\n");
    for line in text.lines() {
        let _ = writeln!(out, "{}", escape(line));
    }
    out.push_str(".Ed\n");
}

/// A block's keywords. Lists have none: their lines are told where the list is.
fn section(out: &mut String, path: &[&'static str], block: &'static Block) {
    if block.keywords.is_empty() {
        return;
    }
    let title = if path.is_empty() { "Outside all blocks".to_owned() } else { path.join(" > ") };
    let _ = writeln!(out, ".Ss {}\n.Bl -tag -width Ds", escape(&title));
    block.iter().for_each(|k| item(out, k));
    out.push_str(".El\n");
}

fn item(out: &mut String, k: &Keyword) {
    let _ = write!(out, ".It Ic {}", escape(k.name));
    if !k.takes.is_empty() {
        let _ = write!(out, " Ar {}", k.takes.split(' ').map(escape).collect::<Vec<_>>().join(" "));
    }
    out.push_str(if k.block.is_some() { " Brq ...\n" } else { "\n" });
    if !k.about.is_empty() {
        let _ = writeln!(out, "{}.", escape(k.about));
    }
    let _ = match k.status {
        Status::Used(tools) => {
            let names: Vec<&str> = tools.iter().map(|t| t.name()).collect();
            writeln!(out, ".Em Used by {} .", names.join(", "))
        }
        Status::Ignored => writeln!(out, ".Em \\&No effect ."),
        Status::Unsupported(differs) => writeln!(out, ".Em Not supported :\n{}.", escape(differs)),
        Status::Old(of) => writeln!(out, "Old name of\n.Ic {of} ."),
        Status::Foreign(instead) => writeln!(out, ".Em Skipped :\n{}.", escape(instead)),
    };
}

/// Text that begins no macro and holds no escape; words that are macros' names are protected.
fn escape(text: &str) -> String {
    let text = text.replace('\\', "\\e").replace('-', "\\-");
    let protect = text.starts_with(['.', '\'']) || matches!(text.as_str(), "|" | "[" | "]");
    if protect { format!("\\&{text}") } else { text }
}
