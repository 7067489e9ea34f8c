//! Which of a file's routes and rules an earlier run has left, by what `ip -j` shows.
//!
//! A removal names what it removes by the words of the file, and the kernel takes the first that has them, whatever else it
//! has: a route of any metric, a rule with further selectors. So that nothing of others goes, what is there is looked at first.

use serde_json::Value;

/// What a word of `ip` is when something is looked for.
enum Word {
    /// Asked for: what is shown has it. In JSON it is under these keys.
    Asked(&'static [&'static str]),
    /// It cannot be asked for, but is shown under this key.
    Shown(&'static str),
    /// Where it stands among others: compared as a number.
    Rank,
    /// It does not tell one from another (and `ip` compares it, if the kernel keeps it).
    Other,
}

/// Words of `ip route` with a value.
fn route_word(word: &str) -> Word {
    match word {
        "via" => Word::Asked(&["gateway", "via"]),
        "src" => Word::Asked(&["prefsrc"]),
        "tos" | "dsfield" => Word::Asked(&["tos"]),
        "dev" | "oif" | "table" | "proto" | "protocol" => Word::Asked(&[]),
        "from" => Word::Shown("from"),
        "metric" | "preference" | "priority" => Word::Rank,
        _ => Word::Other,
    }
}

/// Words of `ip rule` with a value.
fn rule_word(word: &str) -> Word {
    match word {
        "from" => Word::Asked(&["src"]),
        "to" => Word::Asked(&["dst"]),
        "tos" | "dsfield" => Word::Asked(&["tos"]),
        "fwmark" => Word::Asked(&["fwmark"]),
        "iif" | "dev" => Word::Asked(&["iif"]),
        "oif" => Word::Asked(&["oif"]),
        "uidrange" => Word::Asked(&["uid_start"]),
        "ipproto" => Word::Asked(&["ipproto"]),
        "sport" => Word::Asked(&["sport", "sport_start"]),
        "dport" => Word::Asked(&["dport", "dport_start"]),
        "table" | "lookup" => Word::Asked(&["table"]),
        // `ip rule show` takes the word and shows those of others all the same.
        "proto" | "protocol" => Word::Shown("protocol"),
        "goto" => Word::Shown("goto"),
        "type" => Word::Shown("action"),
        "nat" | "map-to" => Word::Shown("nat"),
        "tun_id" => Word::Shown("tun_id"),
        "dscp" => Word::Shown("dscp"),
        "suppress_prefixlength" | "sup_pl" => Word::Shown("suppress_prefixlen"),
        "suppress_ifgroup" | "sup_group" => Word::Shown("suppress_ifgroup"),
        "preference" | "priority" | "order" | "pref" => Word::Rank,
        _ => Word::Other,
    }
}

/// What tells a route from another one with the same destination, table and protocol.
const ROUTE_KEYS: [&str; 9] =
    ["gateway", "via", "prefsrc", "tos", "type", "from", "nexthops", "nhid", "encap"];
/// What tells a rule from another one.
const RULE_KEYS: [&str; 20] = [
    "src",
    "dst",
    "tos",
    "fwmark",
    "iif",
    "oif",
    "uid_start",
    "ipproto",
    "sport",
    "sport_start",
    "dport",
    "dport_start",
    "goto",
    "action",
    "nat",
    "tun_id",
    "dscp",
    "suppress_prefixlen",
    "suppress_ifgroup",
    "not",
];

/// A removal, and how to find what it is for.
#[derive(PartialEq)]
pub(super) struct Search<'a> {
    line: &'a str,
    family: &'a str,
    route: bool,
    /// For `ip -j`.
    pub(super) query: String,
    /// Keys that what is looked for has.
    keys: Vec<&'static str>,
    /// Those that the query does not settle, with their values where these can be compared.
    shown: Vec<(&'static str, Option<&'a str>)>,
    rank: Option<u64>,
    has_table: bool,
}

impl<'a> Search<'a> {
    /// For a line of [`Lines::remove`](super::Lines), `-4 route del ...`; none for anything else.
    pub(super) fn new(line: &'a str) -> Option<Self> {
        let mut words = line.split_whitespace();
        let (family, what, _del) = (words.next()?, words.next()?, words.next()?);
        let (route, query) = (what == "route", format!("{what} show"));
        let mut search = Self {
            line,
            family,
            route,
            query,
            keys: Vec::new(),
            shown: Vec::new(),
            rank: None,
            has_table: false,
        };
        let words: Vec<&str> = words.collect();
        if route {
            search.route(&words);
        } else {
            search.rule(&words);
        }
        Some(search)
    }

    /// As an option of `ip`.
    pub(super) fn family(&self) -> &'a str {
        self.family
    }

    fn ask(&mut self, words: &[&str]) {
        for word in words {
            self.query.push(' ');
            self.query.push_str(word);
        }
    }

    fn show(&mut self, key: &'static str, value: Option<&'a str>) {
        self.keys.push(key);
        self.shown.push((key, value));
    }

    fn route(&mut self, words: &[&'a str]) {
        let mut n = 0;
        while let Some(word) = words.get(n) {
            let value = words.get(n + 1).copied().unwrap_or_default();
            match *word {
                "unicast" => {}
                "local" | "broadcast" | "multicast" | "throw" | "unreachable" | "prohibit" | "blackhole" => {
                    self.ask(&["type", word]);
                    self.keys.push("type");
                }
                // The rest of the line is about them, and a removal compares all of them.
                "nexthop" => return self.show("nexthops", None),
                "encap" => {
                    self.keys.extend(["gateway", "via"]);
                    return self.show("encap", None);
                }
                "to" => {
                    self.ask(&["exact", value]);
                    n += 1;
                }
                "onlink" | "lock" | "inet" | "inet6" | "fastopen_no_cookie" | "ttl-propagate" => {}
                text if text == "default"
                    || text.starts_with(|c: char| c.is_ascii_digit())
                    || text.contains(':') =>
                {
                    self.ask(&["exact", text]);
                }
                text => {
                    self.valued(text, value, &route_word(text));
                    n += 1;
                }
            }
            n += 1;
        }
    }

    fn rule(&mut self, words: &[&'a str]) {
        let mut n = 0;
        while let Some(word) = words.get(n) {
            let value = words.get(n + 1).copied().unwrap_or_default();
            match *word {
                "not" => {
                    self.ask(&["not"]);
                    self.keys.push("not");
                }
                "unreachable" | "prohibit" | "blackhole" | "throw" => self.show("action", Some(word)),
                "l3mdev" | "nop" | "unicast" => {}
                // No selector: `ip` shows it of every rule without one.
                "from" | "to" if matches!(value, "all" | "any" | "default") => n += 1,
                text => {
                    self.valued(text, value, &rule_word(text));
                    n += 1;
                }
            }
            n += 1;
        }
    }

    fn valued(&mut self, word: &str, value: &'a str, kind: &Word) {
        self.has_table |= matches!(word, "table" | "lookup");
        match *kind {
            Word::Asked(keys) => {
                // `via inet6 ADDR` is more than a word; the removal compares it.
                if !value.starts_with("inet") {
                    self.ask(&[word, value]);
                }
                self.keys.extend(keys);
            }
            Word::Shown(key) => self.show(key, Some(value)),
            Word::Rank => self.rank = value.parse().ok(),
            Word::Other => {}
        }
    }

    /// The lines that remove what was found, if that is what the file sets and nothing else.
    pub(super) fn removals(&self, found: &Value) -> Vec<String> {
        let found = found.as_array().map_or(&[][..], Vec::as_slice);
        let mut ranks: Vec<u64> = found.iter().map(|f| self.rank_of(f)).collect();
        ranks.sort_unstable();
        ranks.dedup();
        ranks.retain(|r| self.is_rank(*r));
        // Of two at one place the kernel would take the first, which may be the other.
        ranks.retain(|r| found.iter().filter(|f| self.rank_of(f) == *r).all(|f| self.is_it(f)));
        ranks.into_iter().map(|r| self.removal(r)).collect()
    }

    /// Whether what was found is this, so far as that can be told. A rule without a preference that is taken for missing would be
    /// there twice: with the file's mark it counts as this one, and so it does where `ip` cannot look.
    pub(super) fn is_there(&self, found: &Value) -> bool {
        let placed = self.route || self.rank.is_some();
        let Some(found) = found.as_array() else { return !placed };
        let shown = |f: &Value| self.shown.iter().all(|(key, value)| is_shown(f, key, *value));
        let marked = |f: &Value| {
            self.shown
                .iter()
                .filter(|(key, _)| *key == "protocol")
                .all(|(key, value)| is_shown(f, key, *value))
        };
        found.iter().any(|f| if placed { self.is_rank(self.rank_of(f)) && shown(f) } else { marked(f) })
    }

    fn rank_of(&self, found: &Value) -> u64 {
        found[if self.route { "metric" } else { "priority" }].as_u64().unwrap_or(0)
    }

    /// A rule without a preference stands where the kernel has put it.
    fn is_rank(&self, rank: u64) -> bool {
        match self.rank {
            Some(wanted) => wanted == rank,
            None => !self.route || rank == 0,
        }
    }

    /// Whether what is shown has all that the file's line names, and no more.
    fn is_it(&self, found: &Value) -> bool {
        let keys = if self.route { &ROUTE_KEYS[..] } else { &RULE_KEYS[..] };
        let foreign =
            |key: &str| !self.keys.contains(&key) && found[key] != Value::Null && found[key] != "all";
        // JSON's null is a value for a flag.
        let flagged = found.get("not").is_some() && !self.keys.contains(&"not");
        !self.is_in_other_table(found)
            && !flagged
            && !keys.iter().any(|k| foreign(k))
            && self.shown.iter().all(|(key, value)| is_shown(found, key, *value))
    }

    /// A rule that names no table is for the main one.
    fn is_in_other_table(&self, found: &Value) -> bool {
        !self.route && !self.has_table && found["table"].as_str().is_some_and(|t| t != "main")
    }

    /// With its place, which the file may have left open.
    fn removal(&self, rank: u64) -> String {
        let placed = self.route || self.rank.is_some();
        if placed { self.line.to_owned() } else { format!("{} preference {rank}", self.line) }
    }
}

/// One that `ip` writes in another way than the file counts as another one: what cannot be told for certain stays.
fn is_shown(found: &Value, key: &str, value: Option<&str>) -> bool {
    match (&found[key], value) {
        (Value::Null, _) => false,
        (_, None) => true,
        // The name of our mark, where /etc/iproute2 has it.
        (Value::String(text), Some("18")) if text == "keepalived" => true,
        (Value::String(text), Some(value)) => text == value,
        (number, Some(value)) => value.parse().is_ok_and(|value: u64| number.as_u64() == Some(value)),
    }
}

#[cfg(test)]
mod tests;
