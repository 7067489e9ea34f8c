//! The edge of `check`: listening sockets, NAT rules, counters, ifcfg files.

use std::fs;
use std::io::ErrorKind;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::Path;
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

/// The rules of NAT chains; none if there are some that cannot be asked for. Only what the kernel has loaded is asked:
/// the question `iptables -t nat` alone would make it track connections.
fn nat() -> Option<Vec<String>> {
    let mut rules = Vec::new();
    if Path::new("/sys/module/nf_tables").exists() {
        let nft = output("nft", &["-a", "-nn", "list", "ruleset"]).map(|text| nft_rules(&text));
        rules.extend(nft.or_else(|| saved(&["iptables-nft-save", "ip6tables-nft-save"]))?);
    }
    for (names, tools) in [
        ("/proc/net/ip_tables_names", ["iptables-legacy-save", "iptables-save"]),
        ("/proc/net/ip6_tables_names", ["ip6tables-legacy-save", "ip6tables-save"]),
    ] {
        match fs::read_to_string(names) {
            Ok(text) if text.lines().any(|name| name == "nat") => {
                rules.extend(saved(&tools[..1]).or_else(|| saved(&tools[1..]))?);
            }
            Err(e) if e.kind() != ErrorKind::NotFound => return None,
            _ => {}
        }
    }
    Some(rules)
}

/// The rules that all of these tools print together.
fn saved(tools: &[&str]) -> Option<Vec<String>> {
    let texts: Option<Vec<_>> = tools.iter().map(|tool| output(tool, &["-t", "nat"])).collect();
    let texts = texts?;
    let rules = texts.iter().flat_map(|text| text.lines()).filter(|line| line.starts_with("-A "));
    Some(rules.map(str::to_owned).collect())
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
