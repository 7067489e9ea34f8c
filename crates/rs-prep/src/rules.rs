//! The packet filter's rules that touch a real server's work, as the tools of the system list them.

use std::fs;
use std::io::ErrorKind;
use std::process::{Command, Stdio};

use lvs_core::sys::nft;

mod arp;
mod mark;

pub use arp::ArpRule;
pub use mark::Marking;

/// Rules, one a line: those of nft with family, table and chain in front, those of iptables as it saves them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rules {
    /// Those that translate addresses.
    pub nat: Vec<String>,
    /// Those that drop what connection tracking calls invalid.
    pub invalid: Vec<String>,
    /// Those that give packets a firewall mark.
    pub marks: Vec<Marking>,
    /// Those for ARP packets that come in or go out.
    pub arp: Vec<ArpRule>,
    /// Whether any of all the rules looks at who sent a frame.
    pub by_mac: bool,
}

/// The rules of this network namespace; none if there are some that cannot be asked for. Only tables that are there are
/// asked for: the question `iptables -t nat` alone would make the kernel track connections.
pub fn look() -> Option<Rules> {
    let mut rules = Rules::default();
    if nft::any_table().ok()? {
        match output("nft", &["-a", "-nn", "list", "ruleset"]) {
            Some(text) => rules.take_nft(&text),
            None => {
                let [v4, v6] = ["iptables-nft-save", "ip6tables-nft-save"].map(|tool| output(tool, &[]));
                rules.take_saved(&[&v4?, &v6?]);
            }
        }
    }
    for (names, tools) in [
        ("/proc/net/ip_tables_names", ["iptables-legacy-save", "iptables-save"]),
        ("/proc/net/ip6_tables_names", ["ip6tables-legacy-save", "ip6tables-save"]),
    ] {
        let names = match fs::read_to_string(names) {
            Ok(text) => text,
            Err(e) if e.kind() == ErrorKind::NotFound => continue,
            Err(_) => return None,
        };
        for table in names.lines() {
            let saved = |tool: &str| output(tool, &["-t", table]);
            rules.take_saved(&[&saved(tools[0]).or_else(|| saved(tools[1]))?]);
        }
    }
    if fs::read_to_string("/proc/net/arp_tables_names").is_ok_and(|names| !names.is_empty()) {
        let saved = output("arptables-legacy-save", &[]).or_else(|| output("arptables-save", &[]));
        rules.take_arptables(&saved?);
    }
    Some(rules)
}

fn output(tool: &str, args: &[&str]) -> Option<String> {
    let done = Command::new(tool).args(args).stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
    done.status.success().then(|| String::from_utf8_lossy(&done.stdout).into_owned())
}

impl Rules {
    #[cfg(test)]
    pub(crate) fn of_nft(text: &str) -> Self {
        let mut rules = Self::default();
        rules.take_nft(text);
        rules
    }

    /// Takes the rules of `nft -a list ruleset`.
    fn take_nft(&mut self, text: &str) {
        let (mut table, mut chain, mut hook) = (String::new(), String::new(), "");
        for line in text.lines().map(str::trim) {
            let words: Vec<_> = line.split_whitespace().collect();
            match words.as_slice() {
                ["table", family, name, ..] => table = format!("{family} {name}"),
                ["chain", name, ..] => (chain, hook) = ((*name).to_owned(), ""),
                ["type", _, "hook", name, ..] => hook = *name,
                ["}"] => hook = "",
                _ if table.starts_with("arp ") => {
                    self.arp.extend(ArpRule::read(hook, &format!("{table} {chain} {line}")));
                }
                words if translates(words) => self.nat.push(format!("{table} {chain} {line}")),
                words => self.take(words, &format!("{table} {chain} {line}")),
            }
        }
    }

    /// Takes the rules of `arptables-save`.
    fn take_arptables(&mut self, text: &str) {
        let rules =
            text.lines().filter_map(|line| Some((line.strip_prefix("-A ")?.split(' ').next()?, line)));
        self.arp.extend(rules.filter_map(|(chain, line)| ArpRule::read(chain, line)));
    }

    /// Takes the rules of texts of `iptables-save`.
    fn take_saved(&mut self, texts: &[&str]) {
        let mut table = "";
        for line in texts.iter().flat_map(|text| text.lines()) {
            match line.strip_prefix('*') {
                Some(name) => table = name,
                None if !line.starts_with("-A ") => {}
                None if table == "nat" => self.nat.push(line.to_owned()),
                None => self.take(&line.split_whitespace().collect::<Vec<_>>(), line),
            }
        }
    }

    /// Takes a rule that translates no address.
    fn take(&mut self, words: &[&str], rule: &str) {
        if drops_invalid(words) {
            self.invalid.push(rule.to_owned());
        }
        self.by_mac |= mark::looks_at_mac(words);
        self.marks.extend(Marking::read(words, rule));
    }
}

fn translates(words: &[&str]) -> bool {
    let verbs = ["snat", "dnat", "masquerade", "redirect", "SNAT", "DNAT", "MASQUERADE", "REDIRECT"];
    words.iter().any(|word| verbs.contains(word))
}

/// `ct state invalid drop` (nft may write the number, 0x1), the same in a set or a `vmap`, `--ctstate INVALID -j DROP`.
fn drops_invalid(words: &[&str]) -> bool {
    let Some(at) = words.iter().rposition(|word| ["state", "--state", "--ctstate"].contains(word)) else {
        return false;
    };
    let rest = &words[at + 1..];
    let end = match rest.first() {
        Some(&("{" | "vmap")) => rest.iter().position(|word| *word == "}").unwrap_or(rest.len()),
        _ => rest.len().min(1),
    };
    let invalid = |word: &&str| word.split(',').any(|state| ["invalid", "INVALID", "0x1"].contains(&state));
    let verdict = |word: &&str| ["drop", "reject", "DROP", "REJECT"].contains(&word.trim_end_matches(','));
    match rest[..end].iter().position(invalid) {
        Some(at) if rest.get(at + 1) == Some(&":") => rest.get(at + 2).is_some_and(verdict),
        Some(_) => rest[end..].iter().any(verdict),
        None => false,
    }
}

#[cfg(test)]
mod tests;
