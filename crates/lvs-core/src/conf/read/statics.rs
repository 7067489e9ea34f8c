//! `static_*`, `track_group`, and the route and rule lines that instances share with them.

use super::script::block;
use super::{At, Cx, name};
use crate::addr::{Family, Prefix};
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

/// Words of `ip route` that take a value.
const VALUES: [&str; 33] = [
    "via",
    "src",
    "from",
    "to",
    "dev",
    "oif",
    "or",
    "table",
    "metric",
    "preference",
    "priority",
    "proto",
    "protocol",
    "scope",
    "tos",
    "dsfield",
    "mtu",
    "advmss",
    "window",
    "rtt",
    "rttvar",
    "rto_min",
    "ssthresh",
    "cwnd",
    "initcwnd",
    "initrwnd",
    "reordering",
    "features",
    "quickack",
    "congctl",
    "realms",
    "hoplimit",
    "expires",
];

/// Words of `ip route` that stand alone.
const FLAGS: [&str; 5] = ["onlink", "inet", "inet6", "fastopen_no_cookie", "ttl-propagate"];

/// The preference of a file's first rule without one.
pub(super) const PREFERENCE: u32 = 16384;

/// Words of `ip rule` that take a value.
const RULE_VALUES: [&str; 31] = [
    "from",
    "to",
    "tos",
    "dsfield",
    "fwmark",
    "iif",
    "dev",
    "oif",
    "uidrange",
    "ipproto",
    "sport",
    "dport",
    "table",
    "lookup",
    "preference",
    "priority",
    "order",
    "pref",
    "protocol",
    "proto",
    "nat",
    "map-to",
    "realms",
    "goto",
    "type",
    "tun_id",
    "suppress_prefixlength",
    "sup_pl",
    "suppress_ifgroup",
    "sup_group",
    "dscp",
];

/// Words of `ip rule` that stand alone.
const RULE_FLAGS: [&str; 8] =
    ["not", "l3mdev", "nop", "unreachable", "prohibit", "blackhole", "throw", "unicast"];

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
        let words = todays(words);
        let first = words.first()?;
        self.places(&words, &["via", "src", "from", "to"])?;
        let kinds =
            ["unicast", "local", "broadcast", "multicast", "throw", "unreachable", "prohibit", "blackhole"];
        let named =
            kinds.contains(&first.as_str()) || matches!(first.as_str(), "default" | "to" | "src" | "via");
        if !named && first.parse::<Prefix>().is_err() {
            let message = format!("'{}' is no destination of a route; the line is skipped", first.value);
            self.findings
                .warning("bad-address", first.place, message)
                .help("write ADDRESS/LENGTH or default first");
            return None;
        }
        self.route_words(&words, named)?;
        let has_dev = words.iter().any(|w| matches!(w.as_str(), "dev" | "oif" | "nexthop"));
        if !has_dev && !no_track {
            let message = "the route names no interface: that its interface fails is not noticed".to_owned();
            self.findings
                .warning("untracked-route", first.place, message)
                .help("add dev INTERFACE, or no_track");
        }
        Some(Route { family, words, no_track, track_group })
    }

    /// Every word after the destination is known to `ip route`; none if one is not.
    fn route_words(&mut self, words: &[At<String>], named: bool) -> Option<()> {
        // Encapsulations and next hops have languages of their own, which the kernel's door will judge.
        if words.iter().any(|w| matches!(w.as_str(), "encap" | "nexthop")) {
            return Some(());
        }
        // The destination stands first, after the kind of route, or after options.
        let (mut n, mut destined) = match words[0].as_str() {
            "to" | "src" | "via" => (0, false),
            _ if !named || words[0].as_str() == "default" => (1, true),
            _ => (2, true),
        };
        while let Some(word) = words.get(n) {
            n += if VALUES.contains(&word.as_str()) {
                // `mtu lock N`: not to be changed by what the path says.
                if words.get(n + 1).is_some_and(|w| w.as_str() == "lock") { 3 } else { 2 }
            } else if FLAGS.contains(&word.as_str()) {
                1
            } else if !destined && (word.as_str() == "default" || word.parse::<Prefix>().is_ok()) {
                destined = true;
                1
            } else {
                let message = format!("'{}' is no word of a route; the line is skipped", word.value);
                let help = "write it as for `ip route add`, with long names";
                self.findings.warning("unknown-option", word.place, message).help(help);
                return None;
            };
        }
        Some(())
    }

    /// A line of `virtual_rules` or `static_rules`.
    pub(super) fn rule(&mut self, s: Stmt<'_>) -> Option<Rule> {
        let Words { mut words, no_track, track_group, family } = ip_words(s);
        let first = words.first()?;
        self.places(&words, &["from", "to"])?;
        self.rule_words(&words)?;
        let first = At::new((), first.place);
        let given = words.iter().any(|w| matches!(w.as_str(), "preference" | "priority" | "order" | "pref"));
        if !given && words.iter().any(|w| w.as_str() == "goto") {
            let message = "a rule with goto needs a preference; the line is skipped".to_owned();
            self.findings.warning("rule-preference", first.place, message).help("add preference N");
            return None;
        }
        if !given {
            let number = self.preference(family).to_string();
            let message = format!("the rule has no preference: it gets {number}");
            self.findings.warning("rule-preference", first.place, message).help("add preference N");
            words.extend(["preference".to_owned(), number].map(At::assumed));
        }
        Some(Rule { family, words, no_track, track_group })
    }

    /// As keepalived gives them (measured): each family counts down through the whole file, so that a later rule goes first.
    fn preference(&mut self, family: Family) -> u32 {
        let next = &mut self.preferences[usize::from(family == Family::Inet6)];
        std::mem::replace(next, next.saturating_sub(1))
    }

    /// Every word is known to `ip rule`; none if one is not.
    fn rule_words(&mut self, words: &[At<String>]) -> Option<()> {
        let mut n = 0;
        while let Some(word) = words.get(n) {
            let valued = RULE_VALUES.contains(&word.as_str());
            if valued && words.get(n + 1).is_none() {
                let message = format!("{} has no value; the line is skipped", word.value);
                self.findings.warning("missing-value", word.place, message);
                return None;
            }
            if !valued && !RULE_FLAGS.contains(&word.as_str()) {
                let message = format!("'{}' is no word of a rule; the line is skipped", word.value);
                let near = crate::text::nearest(word, RULE_VALUES.into_iter());
                let finding = self.findings.warning("unknown-option", word.place, message);
                finding.help(
                    near.map_or("'man ip-rule' lists them".to_owned(), |n| format!("did you mean '{n}'?")),
                );
                return None;
            }
            n += if valued { 2 } else { 1 };
        }
        Some(())
    }

    /// Checks the addresses that follow certain words; none if one of them is no address.
    fn places(&mut self, words: &[At<String>], before: &[&str]) -> Option<()> {
        for pair in words.windows(2) {
            let value = &pair[1];
            let free = matches!(value.as_str(), "all" | "any" | "default" | "inet" | "inet6");
            if before.contains(&pair[0].as_str()) && !free && value.parse::<Prefix>().is_err() {
                let message =
                    format!("'{}' after {} is no address; the line is skipped", value.value, pair[0].value);
                self.findings
                    .warning("bad-address", value.place, message)
                    .help("write ADDRESS or ADDRESS/LENGTH");
                return None;
            }
        }
        Some(())
    }
}

/// keepalived's own words in those of `ip route`: `gw A` is `via A`, and `via A or B` two next hops.
fn todays(words: Vec<At<String>>) -> Vec<At<String>> {
    let hops = words.iter().any(|w| w.as_str() == "or");
    let mut out = Vec::with_capacity(words.len());
    for word in words {
        let via = matches!(word.as_str(), "gw" | "via" | "or");
        if via && hops {
            out.push(At::new("nexthop".to_owned(), word.place));
        }
        out.push(if via { At::new("via".to_owned(), word.place) } else { word });
    }
    out
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
