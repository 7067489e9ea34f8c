//! `virtual_routes` and `virtual_rules`: lines of iproute2, carried out by iproute2.
//!
//! The configuration speaks `ip`'s own language, with every option that `ip` will ever learn.

use std::io;
use std::process::{Command, Output};
use std::time::Duration;

use lvs_core::addr::Family;
use lvs_core::conf::model;
use lvs_core::sys::child;
use serde_json::{Deserializer, Value};

use left::Search;

mod left;

/// The words of a route's metric.
const RANKS: [&str; 3] = ["metric", "preference", "priority"];
/// IP6_RT_PRIO_USER, the metric of an IPv6 route that is set without one. To a removal without one any metric is right, the
/// lowest first; for IPv4 that is 0, the one that it was set with.
const METRIC: &str = "metric 1024";

/// Routes and rules of an instance, as arguments of `ip`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lines {
    /// To set them, in the file's order.
    pub add: Vec<String>,
    /// To remove them, the last one first.
    pub remove: Vec<String>,
}

impl Lines {
    /// Those of an instance.
    pub fn new(routes: &[model::Route], rules: &[model::Rule]) -> Self {
        let mut lines = Self::default();
        for r in routes {
            lines.push(r.family, "route", "replace", &r.words);
        }
        for r in rules {
            lines.push(r.family, "rule", "add", &r.words);
        }
        lines.remove.reverse();
        lines
    }

    fn push(&mut self, family: Family, what: &str, set: &str, words: &model::Extra) {
        let words: Vec<&str> = words.iter().map(|w| w.value.as_str()).collect();
        // As keepalived marks what it sets (linux/rtnetlink.h: RTPROT_KEEPALIVED); a removal then takes nothing of others.
        let marked = words.iter().any(|w| matches!(*w, "proto" | "protocol"));
        let (words, family) = (words.join(" "), if family == Family::Inet { "-4" } else { "-6" });
        let words = if marked { words } else { with(&words, "protocol 18") };
        self.add.push(format!("{family} {what} {set} {words}"));
        let ranked = what != "route" || words.split(' ').any(|w| RANKS.contains(&w));
        let words = if ranked || family == "-4" { words } else { with(&words, METRIC) };
        self.remove.push(format!("{family} {what} del {words}"));
    }
}

/// A line with something more. Next hops end a route for `ip`: after them it takes nothing else.
fn with(line: &str, more: &str) -> String {
    match line.split_once(" nexthop ") {
        Some((route, hops)) => format!("{route} {more} nexthop {hops}"),
        None => format!("{line} {more}"),
    }
}

/// Runs lines; each is tried, whatever became of the one before. One process a family carries out all of them: the
/// advertisements of other instances wait for it.
///
/// # Errors
/// What `ip` says.
pub fn run(lines: &[String]) -> Result<(), String> {
    let mut failed = Vec::new();
    for family in FAMILIES {
        let own: Vec<&str> = lines.iter().filter_map(|l| l.strip_prefix(family)?.strip_prefix(' ')).collect();
        let mut rest = own.as_slice();
        while !rest.is_empty() {
            let (now, later) = rest.split_at(fitting(rest));
            failed.extend(carry_out(family, now).into_iter().map(|f| format!("ip {family} {f}")));
            rest = later;
        }
    }
    if failed.is_empty() { Ok(()) } else { Err(failed.join("; ")) }
}

/// Removes what an earlier run has left of lines that remove routes and rules, and nothing that only resembles it; gives
/// what was removed, `route 10.9.0.0/16 dev ens192 protocol 18`.
///
/// # Errors
/// What `ip` says.
pub fn remove_left<'a>(lines: impl Iterator<Item = &'a String>) -> Result<Vec<String>, String> {
    let mut searches: Vec<Search> = Vec::new();
    for search in lines.filter_map(|l| Search::new(l)) {
        if !searches.contains(&search) {
            searches.push(search);
        }
    }
    let mut left = Vec::new();
    for family in FAMILIES {
        let own: Vec<&Search> = searches.iter().filter(|s| s.family() == family).collect();
        let queries: Vec<&str> = own.iter().map(|s| s.query.as_str()).collect();
        let found = look(family, &queries)?;
        left.extend(own.iter().zip(&found).flat_map(|(s, f)| s.removals(f)));
    }
    run(&left)?;
    Ok(left.iter().map(|l| l[FAMILIES[0].len() + 1..].replacen(" del ", " ", 1)).collect())
}

/// What `ip` shows for each query; `Null` where it cannot look, as for an interface that is not there.
fn look(family: &str, queries: &[&str]) -> Result<Vec<Value>, String> {
    let (mut found, mut rest) = (Vec::new(), queries);
    while !rest.is_empty() {
        let (now, later) = rest.split_at(fitting(rest));
        found.extend(look_at(family, now).map_err(|e| cannot_run(&e))?);
        rest = later;
    }
    Ok(found)
}

fn look_at(family: &str, queries: &[&str]) -> io::Result<Vec<Value>> {
    let shown = batch(&[family, "-json"], queries)?.stdout;
    let found: Vec<Value> = Deserializer::from_slice(&shown).into_iter().map_while(Result::ok).collect();
    match queries {
        _ if found.len() == queries.len() => Ok(found),
        [_] => Ok(vec![Value::Null]),
        // Nothing says whose answer is missing.
        _ => queries.iter().map(|q| Ok(look_at(family, &[q])?.swap_remove(0))).collect(),
    }
}

fn cannot_run(e: &io::Error) -> String {
    if e.kind() == io::ErrorKind::TimedOut {
        let secs = LIMIT.as_secs();
        return format!(
            "was not done in {secs} s and is killed: some of the routes and rules may not be as they must be"
        );
    }
    format!("cannot be run: {e}; try: apt install iproute2")
}

/// The first option of every line.
const FAMILIES: [&str; 2] = ["-4", "-6"];

/// For so long the elections wait for `ip` at most: three intervals of the usual length.
const LIMIT: Duration = Duration::from_secs(3);

/// At most so many bytes are handed over at once: they fit into a pipe, whatever `ip` has to say before it reads them.
const AT_ONCE: usize = 60_000;

/// Gives the lines that failed, each with the reason.
fn carry_out(family: &str, lines: &[&str]) -> Vec<String> {
    let said = match batch(&[family], lines) {
        Ok(output) => String::from_utf8_lossy(&output.stderr).into_owned(),
        Err(e) => return vec![cannot_run(&e)],
    };
    let (failed, rest) = failures(&said, lines);
    match lines {
        // A line that `ip` cannot even read ends it there: the others are tried one by one.
        [_, _, ..] if !rest.is_empty() => lines.iter().flat_map(|l| carry_out(family, &[l])).collect(),
        [line] if !rest.is_empty() => vec![format!("{line}: {rest}")],
        _ => failed,
    }
}

/// How many of the lines are handed over at once; one at least.
fn fitting(lines: &[&str]) -> usize {
    let ends = lines.iter().scan(0, |end, line| {
        *end += line.len() + 1;
        Some(*end)
    });
    ends.take_while(|end| *end <= AT_ONCE).count().max(1)
}

/// What `ip` says to these lines.
fn batch(options: &[&str], lines: &[&str]) -> io::Result<Output> {
    let mut ip = Command::new("ip");
    ip.args(options).args(["-force", "-batch", "-"]);
    child::unburden(&mut ip);
    child::run(&mut ip, (lines.join("\n") + "\n").as_bytes(), LIMIT)
}

/// The lines that failed, each with the reason (that something is there already is no failure), and what was said at the
/// end without a line's number.
fn failures(said: &str, lines: &[&str]) -> (Vec<String>, String) {
    let (mut failed, mut reason) = (Vec::new(), Vec::new());
    for text in said.lines() {
        let Some(number) = text.strip_prefix("Command failed -:") else {
            reason.push(text.trim());
            continue;
        };
        let why = std::mem::take(&mut reason).join(" ");
        let at = number.trim().parse::<usize>().ok().and_then(|n| n.checked_sub(1));
        let line = at.and_then(|n| lines.get(n)).copied().unwrap_or_default();
        if !why.contains("File exists") {
            failed.push(format!("{line}: {why}"));
        }
    }
    (failed, reason.join(" "))
}

#[cfg(test)]
mod tests {
    use lvs_core::conf::At;

    use super::*;

    #[test]
    fn no_more_is_handed_over_at_once_than_a_pipe_holds() {
        let long = "x".repeat(AT_ONCE / 3);
        let lines = [long.as_str(); 7];
        assert_eq!((fitting(&lines), fitting(&lines[..1])), (2, 1));
        let endless = "x".repeat(2 * AT_ONCE);
        assert_eq!(fitting(&[&endless, "y"]), 1);
        assert_eq!(fitting(&["a"; 10]), 10);
    }

    #[test]
    fn why_ip_did_nothing_is_told_apart() {
        let text = |kind: io::ErrorKind| cannot_run(&kind.into());
        assert!(text(io::ErrorKind::NotFound).contains("apt install iproute2"));
        assert!(text(io::ErrorKind::TimedOut).starts_with("was not done in 3 s and is killed"));
    }

    #[test]
    fn what_is_set_last_is_removed_first() {
        let words = |text: &str| text.split(' ').map(|w| At::assumed(w.to_owned())).collect();
        let route = model::Route {
            family: Family::Inet,
            words: words("10.0.0.0/8 via 192.168.15.1"),
            no_track: false,
            track_group: None,
        };
        let rule = model::Rule {
            family: Family::Inet6,
            words: words("from fd00::1 table 7"),
            no_track: false,
            track_group: None,
        };
        let lines = Lines::new(&[route], &[rule]);
        assert_eq!(
            lines.add,
            [
                "-4 route replace 10.0.0.0/8 via 192.168.15.1 protocol 18",
                "-6 rule add from fd00::1 table 7 protocol 18"
            ]
        );
        assert_eq!(
            lines.remove,
            [
                "-6 rule del from fd00::1 table 7 protocol 18",
                "-4 route del 10.0.0.0/8 via 192.168.15.1 protocol 18"
            ]
        );
    }

    #[test]
    fn each_line_that_failed_is_named_with_its_reason() {
        let lines = [
            "route replace 10.9.0.0/16 via 1.2.3.4",
            "rule add from 10.8.0.0/16",
            "route replace 10.7.0.0/16 dev x",
        ];
        let said = "Error: Nexthop has invalid gateway.\nCommand failed -:1\nRTNETLINK answers: File exists\nCommand failed -:2\n\
                    Cannot find device \"x\"\nCommand failed -:3\n";
        let (found, rest) = failures(said, &lines);
        assert_eq!(
            found,
            [
                "route replace 10.9.0.0/16 via 1.2.3.4: Error: Nexthop has invalid gateway.",
                "route replace 10.7.0.0/16 dev x: Cannot find device \"x\""
            ]
        );
        assert_eq!(rest, "");
        let unread = "Command line is not complete. Try option \"help\"\n";
        assert_eq!(failures(unread, &lines), (Vec::new(), unread.trim().to_owned()));
    }

    #[test]
    fn the_mark_comes_before_next_hops() {
        let words = "10.9.0.0/16 nexthop via 10.0.0.1 nexthop via 10.0.0.2";
        let words = words.split(' ').map(|w| At::assumed(w.to_owned())).collect();
        let route = model::Route { family: Family::Inet, words, no_track: false, track_group: None };
        let wanted = "-4 route del 10.9.0.0/16 protocol 18 nexthop via 10.0.0.1 nexthop via 10.0.0.2";
        assert_eq!(Lines::new(&[route], &[]).remove, [wanted]);
    }

    #[test]
    fn the_removal_of_an_ipv6_route_takes_no_other_metric() {
        let route = |words: &str| {
            let words = words.split(' ').map(|w| At::assumed(w.to_owned())).collect();
            model::Route { family: Family::Inet6, words, no_track: false, track_group: None }
        };
        let lines = Lines::new(&[route("fd09::/64 dev x"), route("fd08::/64 dev x metric 5")], &[]);
        assert_eq!(
            lines.remove,
            [
                "-6 route del fd08::/64 dev x metric 5 protocol 18",
                "-6 route del fd09::/64 dev x protocol 18 metric 1024"
            ]
        );
    }
}
