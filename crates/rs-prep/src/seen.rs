//! The edge of `check`: listening sockets, NAT rules, counters, ifcfg files.

use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::process::{Command, Stdio};

use lvs_core::addr::Endpoint;

use crate::check::Seen;

/// TCP_LISTEN, and for UDP a socket without a peer (TCP_CLOSE).
const LISTEN: &str = "0A";
const UNCONNECTED: &str = "07";

/// Looks at everything; what cannot be read counts as empty, and missing tools as not seen.
pub fn look() -> Seen {
    let mut listeners = Vec::new();
    for (file, state) in [("tcp", LISTEN), ("tcp6", LISTEN), ("udp", UNCONNECTED), ("udp6", UNCONNECTED)] {
        let text = fs::read_to_string(format!("/proc/net/{file}")).unwrap_or_default();
        listeners.extend(text.lines().skip(1).filter_map(|line| listener(line, state)));
    }
    Seen {
        listeners,
        nat: nat(),
        reverse_path_drops: drops(&fs::read_to_string("/proc/net/netstat").unwrap_or_default()),
        announcing_files: announcing(),
    }
}

/// `sl local_address rem_address st ...` with the address in hexadecimal words of the machine's byte order.
fn listener(line: &str, state: &str) -> Option<Endpoint> {
    let mut words = line.split_whitespace().skip(1);
    let (local, found) = (words.next()?, words.nth(1)?);
    let (addr, port) = local.split_once(':').filter(|_| found == state)?;
    Some(Endpoint { addr: hex_addr(addr)?, port: u16::from_str_radix(port, 16).ok()? })
}

fn hex_addr(text: &str) -> Option<IpAddr> {
    let word = |i: usize| u32::from_str_radix(text.get(i * 8..i * 8 + 8)?, 16).ok().map(u32::to_ne_bytes);
    match text.len() {
        8 => word(0).map(|b| Ipv4Addr::from(b).into()),
        32 => {
            let words = [word(0)?, word(1)?, word(2)?, word(3)?];
            let addr = Ipv6Addr::from(<[u8; 16]>::try_from(words.as_flattened()).ok()?);
            Some(addr.to_ipv4_mapped().map_or(IpAddr::V6(addr), IpAddr::V4))
        }
        _ => None,
    }
}

/// TcpExt: IPReversePathFilter, from a line of names and a line of values.
fn drops(netstat: &str) -> u64 {
    let mut lines = netstat.lines().filter(|line| line.starts_with("TcpExt:"));
    let (Some(names), Some(values)) = (lines.next(), lines.next()) else { return 0 };
    let pairs = names.split_whitespace().zip(values.split_whitespace());
    let value = pairs.into_iter().find(|(name, _)| *name == "IPReversePathFilter").map(|(_, value)| value);
    value.and_then(|value| value.parse().ok()).unwrap_or(0)
}

/// The rules of NAT chains. nft shows those of iptables-nft too; the older iptables has tables of its own.
fn nat() -> Option<Vec<String>> {
    let nft = output("nft", &["-a", "-nn", "list", "ruleset"]).map(|text| nft_rules(&text));
    let tools: &[&str] = match nft {
        Some(_) => &["iptables-legacy-save", "ip6tables-legacy-save"],
        None => &["iptables-legacy-save", "ip6tables-legacy-save", "iptables-save", "ip6tables-save"],
    };
    let old = tools.iter().filter_map(|tool| output(tool, &["-t", "nat"]));
    let old = old.map(|text| text.lines().filter(|l| l.starts_with("-A ")).map(str::to_owned).collect());
    let lists: Vec<Vec<String>> = nft.into_iter().chain(old).collect();
    (!lists.is_empty()).then(|| lists.concat())
}

fn output(tool: &str, args: &[&str]) -> Option<String> {
    let done = Command::new(tool).args(args).stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
    done.status.success().then(|| String::from_utf8_lossy(&done.stdout).into_owned())
}

/// Rules of `nft -a list ruleset` that translate addresses, each with family, table and chain in front.
fn nft_rules(text: &str) -> Vec<String> {
    let (mut table, mut chain, mut rules) = (String::new(), String::new(), Vec::new());
    for line in text.lines().map(str::trim) {
        let words: Vec<_> = line.split_whitespace().collect();
        match words.as_slice() {
            ["table", family, name, ..] => table = format!("{family} {name}"),
            ["chain", name, ..] => chain = (*name).to_owned(),
            words if translates(words) => rules.push(format!("{table} {chain} {line}")),
            _ => {}
        }
    }
    rules
}

fn translates(words: &[&str]) -> bool {
    let verbs = ["snat", "dnat", "masquerade", "redirect", "SNAT", "DNAT", "MASQUERADE", "REDIRECT"];
    words.iter().any(|word| verbs.contains(word))
}

/// ifcfg files of `lo:N` without ARPUPDATE=no (initscripts before RHEL 8 announced each new address).
fn announcing() -> Vec<String> {
    let Ok(dir) = fs::read_dir("/etc/sysconfig/network-scripts") else { return Vec::new() };
    let paths = dir.filter_map(|entry| Some(entry.ok()?.path()));
    let of_lo = paths.filter(|path| {
        path.file_name().and_then(|name| name.to_str()).is_some_and(|name| name.starts_with("ifcfg-lo:"))
    });
    let loud = of_lo.filter(|path| {
        let text = fs::read_to_string(path).unwrap_or_default();
        !text.lines().any(|line| line.trim().replace(['"', '\''], "") == "ARPUPDATE=no")
    });
    loud.map(|path| path.display().to_string()).collect()
}

#[cfg(test)]
mod tests;
