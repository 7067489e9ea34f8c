//! Lines of `virtual_ipaddress` and its like.

use std::net::IpAddr;

use super::{At, Cx};
use crate::addr::{Family, Prefix};
use crate::conf::model::{Address, Broadcast};
use crate::conf::tree::Stmt;

/// Scopes by name, with the kernel's numbers.
const SCOPES: [(&str, u8); 5] =
    [("global", 0), ("site", 200), ("link", 253), ("host", 254), ("nowhere", 255)];

/// Options with a value.
const VALUED: [&str; 7] = ["dev", "label", "scope", "brd", "broadcast", "peer", "preferred_lft"];

impl Cx<'_> {
    /// An address line; `dev` is the interface when the line names none. Options that are not its own are handed to
    /// `other`, which takes the number of words it used.
    pub(super) fn vip(
        &mut self,
        s: Stmt<'_>,
        dev: &At<String>,
        mut other: impl FnMut(&str, usize) -> Option<usize>,
    ) -> Option<Address> {
        let prefix = self.prefix(s, 0)?;
        let mut vip = plain(prefix, dev.clone());
        let mut n = 1;
        while let Some(word) = s.get(n) {
            n += match other(word, n) {
                Some(used) => used,
                None => self.option(s, n, &mut vip),
            };
        }
        Some(vip)
    }

    fn prefix(&mut self, s: Stmt<'_>, n: usize) -> Option<At<Prefix>> {
        let text = s.get(n)?;
        match text.parse::<Prefix>() {
            Ok(prefix) => Some(At::new(prefix, s.place(n))),
            Err(_) => {
                let message = format!("'{text}' is no address; the block is left out");
                let help = "write ADDRESS or ADDRESS/LENGTH, one a line";
                self.findings.error("bad-address", s.place(n), message).help(help);
                None
            }
        }
    }

    /// One option of an address line; gives the number of words it takes.
    fn option(&mut self, s: Stmt<'_>, n: usize, vip: &mut Address) -> usize {
        let value = |n: usize| Cx::text(s, n + 1);
        let word = s.get(n).unwrap_or("");
        if VALUED.contains(&word) && s.get(n + 1).is_none() {
            // Without it the address could come to another place than was meant.
            let message = format!("{word} has no value; the block is left out");
            self.findings.error("missing-value", s.place(n), message).help(format!("write {word} VALUE"));
            return 1;
        }
        match word {
            "dev" => vip.dev = value(n).unwrap_or_else(|| vip.dev.clone()),
            "label" => vip.label = value(n),
            "scope" => vip.scope = self.scope(s, n + 1).unwrap_or(vip.scope),
            "brd" | "broadcast" => vip.broadcast = self.broadcast(s, n + 1, *vip.prefix),
            "peer" => vip.peer = self.prefix(s, n + 1),
            // keepalived reads it for IPv4 and does nothing with it.
            "preferred_lft" if Family::of(vip.prefix.addr) == Family::Inet => {}
            "preferred_lft" => vip.preferred_lft = self.lifetime(s, n + 1),
            switch => return self.flag(switch, s, n, vip),
        }
        2
    }

    fn flag(&mut self, word: &str, s: Stmt<'_>, n: usize, vip: &mut Address) -> usize {
        match word {
            "use_vmac" => vip.use_vmac = true,
            "home" => vip.home = true,
            "-nodad" => {
                // Where a director hands over, both hold the address for a moment: the test would find the other one.
                let message =
                    "-nodad has no effect: VIPs are set without duplicate address detection".to_owned();
                self.findings.warning("no-effect", s.place(n), message).help("leave it out");
            }
            "mngtmpaddr" => vip.mngtmpaddr = true,
            "noprefixroute" => vip.noprefixroute = true,
            "autojoin" => vip.autojoin = true,
            "no_track" => vip.no_track = true,
            other => {
                let message = format!("'{other}' is no option of an address; it is skipped");
                let help = if other.parse::<Prefix>().is_ok() {
                    "write one address a line"
                } else {
                    "write dev IF, label L, scope S, brd A, peer A, use_vmac, home, no_track, ..."
                };
                self.findings.warning("unknown-option", s.place(n), message).help(help);
            }
        }
        1
    }

    fn scope(&mut self, s: Stmt<'_>, n: usize) -> Option<At<u8>> {
        match s.get(n).and_then(|t| t.parse().ok()) {
            Some(number) => Some(At::new(number, s.place(n))),
            None => self.choice(s, n, &SCOPES),
        }
    }

    fn broadcast(&mut self, s: Stmt<'_>, n: usize, prefix: Prefix) -> Option<At<Broadcast>> {
        let value = match s.get(n)? {
            // No network, or one of two hosts (RFC 3021), has a broadcast address.
            sign @ ("+" | "-") if prefix.len > 30 => {
                let message = format!("{prefix} has no broadcast address: brd {sign} has no effect");
                self.findings
                    .warning("no-effect", s.place(n), message)
                    .help("write brd ADDRESS, or leave it out");
                return None;
            }
            "+" => Broadcast::Ones,
            "-" => Broadcast::Zeros,
            _ => match self.address(s, n)?.value {
                IpAddr::V4(a) => Broadcast::Address(a),
                IpAddr::V6(_) => return None,
            },
        };
        Some(At::new(value, s.place(n)))
    }

    fn lifetime(&mut self, s: Stmt<'_>, n: usize) -> Option<At<u32>> {
        if s.get(n) == Some("forever") { None } else { self.count(s, n, 0..=u32::MAX) }
    }
}

fn plain(prefix: At<Prefix>, dev: At<String>) -> Address {
    // An address of a /128 VIP must not become the source of the host's own connections.
    let vip6 = Family::of(prefix.addr) == Family::Inet6 && prefix.is_host();
    Address {
        prefix,
        dev,
        broadcast: None,
        label: None,
        scope: At::default(),
        peer: None,
        use_vmac: false,
        vmac: None,
        home: false,
        mngtmpaddr: false,
        noprefixroute: false,
        autojoin: false,
        no_track: false,
        preferred_lft: vip6.then(|| At::assumed(0)),
    }
}
