//! Rules that give packets a firewall mark, by which IPVS may know a service.

use std::net::IpAddr;

use lvs_core::addr::{Family, Prefix};

/// A rule that sets a mark.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Marking {
    /// The mark.
    pub mark: u32,
    /// The rule, as it was listed.
    pub rule: String,
}

impl Marking {
    /// The rule that has these words, if it sets a mark: `-j MARK --set-xmark 0x7/0xffffffff`, `meta mark set 0x7`.
    pub(super) fn read(words: &[&str], rule: &str) -> Option<Self> {
        let saved = words.iter().position(|word| ["--set-xmark", "--set-mark"].contains(word));
        let mark = match saved {
            // `-j CONNMARK` has the same option.
            Some(at) if words[..at].contains(&"MARK") => number(words.get(at + 1)?.split('/').next()?),
            Some(_) => None,
            None => {
                let at = words.windows(3).position(|w| w[0] == "meta" && w[1..] == ["mark", "set"])?;
                let value = words[at + 3..].iter().take_while(|word| **word != "#");
                // What is added to the bits that are there comes last: `meta mark | 0x10`.
                value.filter_map(|word| number(word)).last()
            }
        };
        mark.map(|mark| Self { mark, rule: rule.to_owned() })
    }

    /// Whether it is about packets for an address: it names the address or a network of it, or no destination.
    pub fn concerns(&self, addr: IpAddr) -> bool {
        let words: Vec<_> = self.rule.split_whitespace().collect();
        let Some(at) = words.iter().position(|word| ["-d", "daddr"].contains(word)) else { return true };
        let negated = at > 0 && words[at - 1] == "!";
        !negated && named(&words[at + 1..], addr)
    }
}

/// Whether the words of a rule begin with an address, a network of it, or a set with one of these.
pub(super) fn named(words: &[&str], addr: IpAddr) -> bool {
    let set = words.first() == Some(&"{");
    let named = words.iter().skip(usize::from(set));
    let mut named = named.take_while(|word| **word != "}").take(if set { usize::MAX } else { 1 });
    named.any(|word| prefix(word.trim_end_matches(',')).is_some_and(|prefix| prefix.contains(addr)))
}

/// Whether a rule looks at who sent the frame: `-m mac --mac-source`, `ether saddr`.
pub(super) fn looks_at_mac(words: &[&str]) -> bool {
    words.contains(&"--mac-source") || words.windows(2).any(|w| w == ["ether", "saddr"])
}

fn number(word: &str) -> Option<u32> {
    match word.strip_prefix("0x") {
        Some(hex) => u32::from_str_radix(hex, 16).ok(),
        None => word.parse().ok(),
    }
}

fn prefix(word: &str) -> Option<Prefix> {
    let (addr, len) = word.split_once('/').map_or((word, None), |(addr, len)| (addr, Some(len)));
    let addr: IpAddr = addr.parse().ok()?;
    let len = len.map_or(Some(Family::of(addr).host_prefix()), |len| len.parse().ok())?;
    Some(Prefix { addr, len })
}

#[cfg(test)]
mod tests {
    use super::*;

    const VIP: &str = "192.168.15.111";

    fn read(rule: &str) -> Option<Marking> {
        Marking::read(&rule.split_whitespace().collect::<Vec<_>>(), rule)
    }

    /// The mark of a rule, if it is about packets for the VIP.
    fn mark(rule: &str) -> Option<u32> {
        read(rule).filter(|m| m.concerns(VIP.parse().unwrap())).map(|m| m.mark)
    }

    #[test]
    fn marks_are_read_in_the_writing_of_every_tool() {
        for rule in [
            "-A PREROUTING -d 192.168.15.111/32 -p tcp -m tcp --dport 80 -j MARK --set-xmark 0x7/0xffffffff",
            "-A PREROUTING -d 192.168.15.0/24 -j MARK --set-mark 7",
            "-A PREROUTING -p tcp -m tcp --dport 80 -j MARK --set-xmark 0x7/0xff",
            "ip mangle PREROUTING ip daddr 192.168.15.111 counter packets 0 bytes 0 meta mark set 0x7 # handle 2",
            "ip m p ip daddr { 192.168.15.110, 192.168.15.111 } meta mark set 0x00000007 # handle 5",
            "ip m p meta mark set mark and 0xffffff00 xor 0x7 # handle 3",
        ] {
            assert_eq!(mark(rule), Some(7), "{rule}");
        }
    }

    #[test]
    fn what_is_for_others_or_no_mark_of_the_packet_is_not_meant() {
        for rule in [
            "-A PREROUTING -d 192.168.15.112/32 -j MARK --set-xmark 0x7/0xffffffff",
            "-A PREROUTING ! -d 192.168.15.111/32 -j MARK --set-xmark 0x7/0xffffffff",
            "-A PREROUTING -j CONNMARK --set-xmark 0x7/0xffffffff",
            "ip m p ip daddr 2001:db8::1 meta mark set 0x7",
            "ip m p ip daddr != 192.168.15.111 meta mark set 0x7",
            "ip m p ct mark set 0x7",
            "ip m p meta mark 0x7 accept",
        ] {
            assert_eq!(mark(rule), None, "{rule}");
        }
    }

    #[test]
    fn a_look_at_the_senders_mac_is_known() {
        let looks = |rule: &str| looks_at_mac(&rule.split_whitespace().collect::<Vec<_>>());
        assert!(looks(
            "-A PREROUTING -m mac ! --mac-source 02:00:00:00:00:01 -j MARK --set-xmark 0x7/0xffffffff"
        ));
        assert!(looks("ip m p ether saddr != 02:00:00:00:00:01 meta mark set 0x7"));
        assert!(!looks("ip m p ip saddr 10.0.0.1 meta mark set 0x7"));
    }
}
