//! What a file must not be taken for: a wish to delete what it does not name, because it was not understood.

use lvs_core::conf::model::Outline;
use lvs_core::conf::{Diag, Severity};

/// Why a table without services is no wish.
pub(super) const EMPTY: &str = "it has no virtual service, and --prune would delete every service of the kernel; if \
                                that is meant, add --allow-empty";

/// The finding of an include that leads nowhere.
const MISSING: &str = "include-missing";

/// The finding that says no more than the refusal does.
const NOTHING: &str = "nothing-here";

/// Characters of a first line that are shown.
const SHOWN: usize = 40;

/// Says that nothing of a file is understood, what is, and what this looks like.
pub(crate) fn nothing(name: &str, text: &str, findings: &[Diag]) -> String {
    let cause = |d: &Diag| d.help.clone().or((d.code == MISSING).then(|| d.message.clone()));
    let mut causes = findings.iter().filter(|d| d.code != NOTHING);
    let cause = causes.find_map(|d| Some(format!("line {}: {}", d.line(), cause(d)?)));
    let hint = looks_like(text).map(str::to_owned).or(cause).unwrap_or_else(|| beginning(text));
    format!(
        "{name}: nothing of it is understood; what is read is keepalived.conf, the JSON of 'ipvsctl list --json', or \
         rule lines as 'ipvsctl -Sn' prints them ({hint})"
    )
}

/// What admins give instead, and what to give.
fn looks_like(text: &str) -> Option<&'static str> {
    let starts = |words: &[&str]| text.lines().any(|l| words.iter().any(|w| l.trim_start().starts_with(w)));
    if starts(&["IP Virtual Server version ", "Prot LocalAddress:Port"]) {
        return Some(
            "this is a listing, which does not tell everything: use 'ipvsadm-save -n' or 'ipvsctl list --json'",
        );
    }
    let commands = |l: &str| {
        let mut words = l.split_whitespace();
        let path = words.next().is_some_and(|w| w.ends_with("ipvsadm") || w.ends_with("ipvsctl"));
        path && words.next().is_some_and(|w| w.starts_with('-'))
    };
    text.lines().any(commands).then_some("these are commands: a rule line begins with its option, as -A")
}

fn beginning(text: &str) -> String {
    let line = text.lines().find(|l| !l.trim().is_empty()).unwrap_or_default();
    let shown: String =
        line.chars().take(SHOWN).map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
    format!("this begins with '{shown}'")
}

/// Makes errors of the findings about what is passed over: with --prune its services would be deleted.
pub(super) fn sharpen(findings: &mut [Diag], outline: &Outline) {
    let skipped = |d: &Diag| {
        let at_top = d.at.as_ref().is_some_and(|e| outline.skipped.contains(&e.place));
        at_top || matches!(d.code, MISSING | "unexpected-brace")
    };
    for d in findings.iter_mut().filter(|d| d.severity == Severity::Warning && skipped(d)) {
        d.severity = Severity::Error;
        // An error outside of all blocks, whoever's block it may have been meant for.
        d.block = None;
        d.message.push_str("; with --prune, what is not read would be deleted");
    }
}
