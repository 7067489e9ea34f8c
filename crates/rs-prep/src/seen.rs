//! The edge of `check`: listening sockets, the packet filter's rules, counters, ifcfg files, the IPVS table.

mod daemons;

use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use lvs_core::addr::Endpoint;

use crate::check::{Asked, Seen};
use crate::host::HostState;
use crate::kernel::Kernel;
use crate::servers::own_table;
use crate::{gateway, rules, ways};

/// TCP_LISTEN, and for UDP a socket without a peer (TCP_CLOSE).
const LISTEN: &str = "0A";
const UNCONNECTED: &str = "07";

/// Looks at everything; what cannot be read counts as empty, and missing tools as not seen.
pub fn look(kernel: &mut Kernel, host: &HostState, asked: &Asked) -> Seen {
    let (mut listeners, mut udp_ports) = (Vec::new(), Vec::new());
    for (file, state) in [("tcp", LISTEN), ("tcp6", LISTEN), ("udp", UNCONNECTED), ("udp6", UNCONNECTED)] {
        let text = fs::read_to_string(format!("/proc/net/{file}")).unwrap_or_default();
        let found = text.lines().skip(1).filter_map(|line| listener(line, state));
        let before = listeners.len();
        listeners.extend(found);
        if state == UNCONNECTED {
            udp_ports.extend(listeners[before..].iter().map(|listener| listener.port));
        }
    }
    let ways = ways::look(host, asked, |flow| kernel.way(flow));
    Seen {
        listeners,
        udp_ports,
        rules: rules::look(),
        routers: gateway::look(host, asked, &ways),
        ways,
        reverse_path_drops: drops(&fs::read_to_string("/proc/net/netstat").unwrap_or_default()),
        announcing_files: announcing(),
        own_table: own_table(),
        director_daemons: daemons::look(),
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
