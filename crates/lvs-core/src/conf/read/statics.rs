//! `static_*`, `track_group`, and the route and rule lines that instances share with them.

use super::script::block;
use super::{At, Cx, name};
use crate::addr::Family;
use crate::conf::model::{Route, Rule, StaticAddress, TrackGroup};
use crate::conf::tree::Stmt;

/// `static_ipaddress { }`.
pub(super) fn addresses(cx: &mut Cx<'_>, stmt: Stmt<'_>, out: &mut Vec<StaticAddress>) {
    let dev = cx.global.default_interface.clone().unwrap_or_else(|| At::assumed("eth0".to_owned()));
    for s in stmt.children() {
        let mut track_group = None;
        let address = cx.vip(s, &dev, |word, n| {
            (word == "track_group").then(|| {
                track_group = Cx::text(s, n + 1);
                2
            })
        });
        out.extend(address.map(|address| StaticAddress { address, track_group }));
    }
}

/// `static_routes { }`.
pub(super) fn routes(cx: &mut Cx<'_>, stmt: Stmt<'_>, out: &mut Vec<Route>) {
    out.extend(stmt.children().filter_map(|s| cx.route(s)));
}

/// `static_rules { }`.
pub(super) fn rules(cx: &mut Cx<'_>, stmt: Stmt<'_>, out: &mut Vec<Rule>) {
    out.extend(stmt.children().filter_map(|s| cx.rule(s)));
}

/// `track_group NAME { group { } }`.
pub(super) fn track_group(cx: &mut Cx<'_>, stmt: Stmt<'_>) -> Option<TrackGroup> {
    let keywords = block("track_group");
    let mut members = Vec::new();
    for s in cx.statements(stmt, keywords) {
        match s.key {
            "group" => members.extend(names(s.stmt)),
            other => cx.untyped(other, keywords, s.stmt),
        }
    }
    Some(TrackGroup { name: name(stmt), members })
}

/// All words of a list of names, however they are spread over lines.
pub(super) fn names(stmt: Stmt<'_>) -> Vec<At<String>> {
    stmt.children().flat_map(|s| (0..s.len()).filter_map(move |n| Cx::text(s, n))).collect()
}

/// The words of a line that `ip` takes, and keepalived's own.
struct Words {
    words: Vec<At<String>>,
    no_track: bool,
    track_group: Option<At<String>>,
    family: Family,
}

impl Cx<'_> {
    /// A line of `virtual_routes` or `static_routes`.
    pub(super) fn route(&mut self, s: Stmt<'_>) -> Option<Route> {
        let Words { words, no_track, track_group, family } = ip_words(s);
        if words.is_empty() {
            return None;
        }
        Some(Route { family, words, no_track, track_group })
    }

    /// A line of `virtual_rules` or `static_rules`.
    pub(super) fn rule(&mut self, s: Stmt<'_>) -> Option<Rule> {
        let Words { words, no_track, track_group, family } = ip_words(s);
        if words.is_empty() {
            return None;
        }
        Some(Rule { family, words, no_track, track_group })
    }
}

fn ip_words(s: Stmt<'_>) -> Words {
    let mut out = Words { words: Vec::new(), no_track: false, track_group: None, family: Family::Inet };
    let mut n = 0;
    while let Some(word) = Cx::text(s, n) {
        match word.as_str() {
            "no_track" => out.no_track = true,
            "track_group" => {
                n += 1;
                out.track_group = Cx::text(s, n);
            }
            "inet6" => out.family = Family::Inet6,
            "inet" => out.family = Family::Inet,
            text => {
                // An IPv6 address anywhere makes it an IPv6 line; MAC addresses have no "::" and five colons.
                if text.split('/').next().is_some_and(|a| a.parse::<std::net::Ipv6Addr>().is_ok()) {
                    out.family = Family::Inet6;
                }
                out.words.push(word);
            }
        }
        n += 1;
    }
    out
}
