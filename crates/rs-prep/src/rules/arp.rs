//! Rules of the packet filter for ARP: they may hide a VIP where the settings do not.

use std::net::IpAddr;

use super::mark::named;

/// A rule for ARP packets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArpRule {
    /// Whether it sees what comes in; else what this host sends.
    incoming: bool,
    /// The rule, as it was listed.
    pub rule: String,
}

/// Where a rule looks: nft's words, and arptables' option.
type Field = (&'static str, &'static str);
const SENDER: Field = ("saddr", "-s");
const TARGET: Field = ("daddr", "-d");
/// What makes a rule count for some interfaces or hosts alone.
const NARROW: [&str; 9] = ["iif", "iifname", "oif", "oifname", "meta", "ether", "!", "-i", "-o"];

impl ArpRule {
    /// A rule of a chain on this hook (`input`, `OUTPUT`); none of any other.
    pub(super) fn read(hook: &str, rule: &str) -> Option<Self> {
        let incoming = match hook {
            "input" | "INPUT" => true,
            "output" | "OUTPUT" => false,
            _ => return None,
        };
        Some(Self { incoming, rule: rule.to_owned() })
    }

    /// Whether it keeps this host from answering for an address: the question is dropped, or the answer.
    pub fn hides_answers(&self, addr: IpAddr) -> bool {
        let field = if self.incoming { TARGET } else { SENDER };
        self.drops() && self.is_about(field, addr)
    }

    /// Whether it keeps an address from being the sender of this host's questions.
    pub fn hides_sender(&self, addr: IpAddr) -> bool {
        let changes = self.rule.contains("arp saddr ip set ") || self.rule.contains("--mangle-ip-s ");
        !self.incoming && (self.drops() || changes) && self.is_about(SENDER, addr)
    }

    fn drops(&self) -> bool {
        self.words().iter().any(|word| ["drop", "DROP"].contains(word))
    }

    /// Whether it names the address there, and looks at nothing that would make it count for some packets alone.
    fn is_about(&self, (field, option): Field, addr: IpAddr) -> bool {
        let words = self.words();
        let nft = words.windows(4).position(|w| w[..3] == ["arp", field, "ip"] && w[3] != "set");
        let at = nft.map(|at| at + 3).or_else(|| words.iter().position(|w| *w == option).map(|at| at + 1));
        let narrow = words.iter().any(|word| NARROW.contains(word) || *word == "!=");
        !narrow && at.is_some_and(|at| named(&words[at..], addr))
    }

    fn words(&self) -> Vec<&str> {
        self.rule.split_whitespace().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_hides_what_it_drops_or_changes_for_the_vip() {
        let vip = "192.168.15.111".parse().unwrap();
        let hidden = |hook: &str, rule: &str| {
            let rule = ArpRule::read(hook, rule).unwrap();
            (rule.hides_answers(vip), rule.hides_sender(vip))
        };
        for (hook, rule, want) in [
            ("input", "arp f i arp daddr ip 192.168.15.111 drop # handle 3", (true, false)),
            ("input", "arp f i arp daddr ip { 192.168.15.110, 192.168.15.111 } drop", (true, false)),
            (
                "output",
                "arp f o arp saddr ip 192.168.15.111 arp saddr ip set 192.168.15.102 # handle 4",
                (false, true),
            ),
            ("output", "arp f o arp saddr ip 192.168.15.111 counter packets 0 bytes 0 drop", (true, true)),
            (
                "INPUT",
                "arp filter INPUT arp htype 1 arp hlen 6 arp plen 4 arp daddr ip 192.168.15.111 counter drop",
                (true, false),
            ),
            ("INPUT", "-A INPUT -j DROP -d 192.168.15.111", (true, false)),
            ("OUTPUT", "-A OUTPUT -j mangle -s 192.168.15.111 --mangle-ip-s 192.168.15.102 ", (false, true)),
            ("input", "arp f i arp daddr ip 192.168.15.112 drop", (false, false)),
            ("input", "arp f i arp daddr ip != 192.168.15.111 drop", (false, false)),
            ("input", "arp f i iifname \"ens192\" arp daddr ip 192.168.15.111 drop", (false, false)),
            ("input", "arp f i arp daddr ip 192.168.15.111 accept", (false, false)),
            ("input", "arp f i arp saddr ip 192.168.15.111 drop", (false, false)),
        ] {
            assert_eq!(hidden(hook, rule), want, "{rule}");
        }
        assert_eq!(ArpRule::read("forward", "arp daddr ip 192.168.15.111 drop"), None);
    }
}
