//! `virtual_routes` and `virtual_rules`: lines of iproute2, carried out by iproute2.
//!
//! The configuration speaks `ip`'s own language, with every option that `ip` will ever learn.

use std::fmt;
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
/// RTPROT_KEEPALIVED.
const MARK: u8 = 18;
const OURS: &str = "protocol 18";

/// A route or rule, as arguments of `ip`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// To set it.
    pub add: String,
    /// To remove it.
    pub remove: String,
    /// Its loss does not matter.
    pub no_track: bool,
}

/// Those of an instance, in the file's order.
pub fn lines(routes: &[model::Route], rules: &[model::Rule]) -> Vec<Line> {
    let routes = routes.iter().map(|r| line(r.family, ["route", "replace"], &r.words, r.no_track));
    routes.chain(rules.iter().map(|r| line(r.family, ["rule", "add"], &r.words, r.no_track))).collect()
}

fn line(family: Family, [what, set]: [&str; 2], words: &model::Extra, no_track: bool) -> Line {
    let words: Vec<&str> = words.iter().map(|w| w.value.as_str()).collect();
    // As keepalived marks what it sets (linux/rtnetlink.h: RTPROT_KEEPALIVED); a removal then takes nothing of others.
    let marked = words.iter().any(|w| matches!(*w, "proto" | "protocol"));
    let (words, family) = (words.join(" "), if family == Family::Inet { "-4" } else { "-6" });
    let words = if marked { words } else { with(&words, OURS) };
    let add = format!("{family} {what} {set} {words}");
    let ranked = what != "route" || words.split(' ').any(|w| RANKS.contains(&w));
    let words = if ranked || family == "-4" { words } else { with(&words, METRIC) };
    Line { add, remove: format!("{family} {what} del {words}"), no_track }
}

/// What removes them: what was set last goes first.
pub fn removals<'a>(lines: impl DoubleEndedIterator<Item = &'a Line>) -> Vec<String> {
    lines.rev().map(|l| l.remove.clone()).collect()
}

/// The mark of all these routes, so far as `ip` does not get its own from the file.
pub fn mark<'a>(mut lines: impl Iterator<Item = &'a Line>) -> Option<u8> {
    lines.all(|l| l.add.contains(OURS)).then_some(MARK)
}

/// `route 10.9.0.0/16 dev ens192 protocol 18`.
impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&shown(&self.add))
    }
}

fn shown(line: &str) -> String {
    let line = line.get(FAMILIES[0].len() + 1..).unwrap_or_default();
    [" replace ", " add ", " del "].iter().fold(line.to_owned(), |l, verb| l.replacen(verb, " ", 1))
}

/// A line with something more. Next hops end a route for `ip`: after them it takes nothing else.
fn with(line: &str, more: &str) -> String {
    match line.split_once(" nexthop ") {
        Some((route, hops)) => format!("{route} {more} nexthop {hops}"),
        None => format!("{line} {more}"),
    }
}

/// Runs lines; each is tried, whatever became of the one before, and `Ok(false)`: it was there already. One process a family
/// carries out all of them: the advertisements of other instances wait for it.
pub fn try_each(lines: &[String]) -> Vec<Result<bool, String>> {
    let mut results = vec![Ok(false); lines.len()];
    for family in FAMILIES {
        let own = |(_, l): &(usize, &'_ String)| l.starts_with(family);
        let (places, own): (Vec<usize>, Vec<&str>) =
            lines.iter().enumerate().filter(own).map(|(n, l)| (n, &l[family.len() + 1..])).unzip();
        let mut rest = own.as_slice();
        let mut ends = Vec::new();
        while !rest.is_empty() {
            let (now, later) = rest.split_at(fitting(rest));
            ends.extend(carry_out(family, now));
            rest = later;
        }
        places.into_iter().zip(ends).for_each(|(n, end)| results[n] = end);
    }
    results
}

/// The same where only failures matter.
///
/// # Errors
/// What `ip` says.
pub fn run(lines: &[String]) -> Result<(), String> {
    let ends = lines.iter().zip(try_each(lines));
    let failed: Vec<String> = ends.filter_map(|(l, end)| Some(format!("ip {l}: {}", end.err()?))).collect();
    if failed.is_empty() { Ok(()) } else { Err(failed.join("; ")) }
}

/// Which of these are not there.
///
/// # Errors
/// `ip` cannot be run.
pub fn missing(lines: &[&Line]) -> Result<Vec<Line>, String> {
    let mut missing = Vec::new();
    for family in FAMILIES {
        let own = lines.iter().filter_map(|l| Search::new(&l.remove).map(|s| (*l, s)));
        let own: Vec<(&Line, Search)> = own.filter(|(_, s)| s.family() == family).collect();
        let queries: Vec<&str> = own.iter().map(|(_, s)| s.query.as_str()).collect();
        let found = look(family, &queries)?;
        missing.extend(
            own.iter().zip(&found).filter(|((_, s), f)| !s.is_there(f)).map(|((l, _), _)| (*l).clone()),
        );
    }
    Ok(missing)
}

/// Sets what is missing, and takes no place that another has by now: `Ok(false)`.
pub fn put_back(lines: &[Line]) -> Vec<Result<bool, String>> {
    let lines: Vec<String> = lines.iter().map(|l| l.add.replacen(" replace ", " add ", 1)).collect();
    try_each(&lines)
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
    Ok(left.iter().map(|l| shown(l)).collect())
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

fn carry_out(family: &str, lines: &[&str]) -> Vec<Result<bool, String>> {
    let said = match batch(&[family], lines) {
        Ok(output) => String::from_utf8_lossy(&output.stderr).into_owned(),
        Err(e) => return vec![Err(cannot_run(&e)); lines.len()],
    };
    let (failed, rest) = failures(&said);
    match lines {
        // A line that `ip` cannot even read ends it there: the others are tried one by one.
        [_, _, ..] if !rest.is_empty() => lines.iter().flat_map(|l| carry_out(family, &[l])).collect(),
        [_] if !rest.is_empty() => vec![Err(rest)],
        _ => (0..lines.len()).map(|n| end(failed.iter().find(|(at, _)| *at == n))).collect(),
    }
}

fn end(failure: Option<&(usize, String)>) -> Result<bool, String> {
    match failure {
        None => Ok(true),
        Some((_, why)) if why.contains("File exists") => Ok(false),
        Some((_, why)) => Err(why.clone()),
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

/// The numbers of the lines that failed, from 0 on, each with the reason, and what was said at the end without a number.
fn failures(said: &str) -> (Vec<(usize, String)>, String) {
    let (mut failed, mut reason) = (Vec::new(), Vec::new());
    for text in said.lines() {
        let Some(number) = text.strip_prefix("Command failed -:") else {
            reason.push(text.trim());
            continue;
        };
        let why = std::mem::take(&mut reason).join(" ");
        let at = number.trim().parse::<usize>().ok().and_then(|n| n.checked_sub(1));
        failed.extend(at.map(|at| (at, why)));
    }
    (failed, reason.join(" "))
}

#[cfg(test)]
mod tests;
