//! What becomes of the packets: dropped on the way in, sent the wrong way out, rewritten.

use std::net::IpAddr;

use lvs_core::addr::Family;
use lvs_core::sys::sysctl::Key;

use super::{Asked, Finding, Seen};
use crate::gateway::Holder;
use crate::host::HostState;
use crate::shell::word;
use crate::step::Step;
use crate::ways::Ways;

/// How many networks a sentence names.
const SHOWN: usize = 3;

pub(super) fn findings(host: &HostState, asked: &Asked, seen: &Seen) -> Vec<Finding> {
    let mut found = reverse_path(host, asked, seen);
    found.extend(gateways(host, asked, seen));
    found.extend(nat(asked, seen));
    found.extend(invalid(asked, seen));
    found.extend(seen.announcing_files.iter().map(|file| announcing(file)));
    found
}

/// Strict filtering: a client's packet comes in on one NIC, and the way back to him leaves by another.
fn reverse_path(host: &HostState, asked: &Asked, seen: &Seen) -> Vec<Finding> {
    let filtered = &seen.ways.filtered;
    let nics = host.nics.iter().filter(|nic| filtered.iter().any(|filtered| filtered.nic == nic.name));
    let found = nics.filter_map(|nic| {
        let networks: Vec<_> =
            filtered.iter().filter(|filtered| filtered.nic == nic.name).map(|filtered| filtered.network).collect();
        // Where nobody far away can be answered, the way is what is missing.
        let shut = seen.ways.shut.contains(&Family::Inet);
        let far = !shut && networks.iter().any(|network| network.len == 0);
        let near: Vec<_> =
            networks.iter().filter(|network| network.len > 0).take(SHOWN).map(ToString::to_string).collect();
        let whom = match (far, near.as_slice()) {
            (true, _) => "distant clients".to_owned(),
            (false, []) => return None,
            (false, near) => format!("clients of {}", near.join(", ")),
        };
        let sentence = format!(
            "rp_filter 1 is in effect on {}, but the way back to {whom} leaves elsewhere: their packets that a director hands \
             over on {} are dropped ({} dropped so far)",
            nic.name, nic.name, seen.reverse_path_drops
        );
        let serves =
            asked.served.iter().any(|served| host.holding(served.rip).any(|held| held.device == nic.name));
        let step = loose(&nic.name, nic.settings.rp_filter);
        // It is sure only where directors are known to use this NIC; a single network may have no clients.
        let make = if serves && far { Finding::error } else { Finding::warning };
        Some(make("rp-filter", &nic.name, sentence).steps(vec![step]))
    });
    found.collect()
}

pub(super) fn loose(interface: &str, from: i32) -> Step {
    Step::Set { key: Key::conf(Family::Inet, interface, "rp_filter"), from, to: 2 }
}

/// Replies must go to the clients past the director.
fn gateways(host: &HostState, asked: &Asked, seen: &Seen) -> Vec<Finding> {
    let mut found: Vec<_> = seen.ways.shut.iter().map(|family| no_gateway(*family)).collect();
    let is_vip = |gateway| asked.vips.iter().any(|vip| vip.addr == gateway);
    let through = routers(host, &seen.ways).into_iter().map(|router| router.gateway);
    let directors = through.filter(|gateway| asked.directors.contains(gateway) || is_vip(*gateway));
    found.extend(directors.map(|gateway| gateway_director(gateway, "is a director")));
    found.extend(seen.routers.holders.iter().map(|Holder { gateway, vip }| {
        gateway_director(*gateway, &format!("is the director: it answers ARP for {vip} with its own MAC"))
    }));
    found
}

/// A router of replies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Router<'a> {
    /// The interface towards it.
    pub(crate) device: &'a str,
    /// Its address.
    pub(crate) gateway: IpAddr,
}

/// The routers of replies. Only IPv4 drops replies whose sender is one of the router's own addresses. The kernel names
/// one next hop of a default route of several: its fellows count as well.
pub(crate) fn routers<'a>(host: &'a HostState, ways: &'a Ways) -> Vec<Router<'a>> {
    let router = |device: &'a str, gateway: Option<IpAddr>| {
        Some(Router { device, gateway: gateway.filter(IpAddr::is_ipv4)? })
    };
    let mut found: Vec<_> = ways.out.iter().filter_map(|out| router(&out.device, out.gateway)).collect();
    let defaults = host.routes.iter().filter(|route| route.to.len == 0);
    let hops: Vec<_> = defaults.filter_map(|route| router(&route.device, route.gateway)).collect();
    if hops.iter().any(|hop| found.contains(hop)) {
        found.extend(hops);
    }
    found.sort_unstable();
    found.dedup();
    found
}

fn no_gateway(family: Family) -> Finding {
    let (ip, name) = match family {
        Family::Inet => ("ip", "default"),
        Family::Inet6 => ("ip -6", "default IPv6"),
    };
    let sentence = format!("there is no {name} route: only clients of the own network get replies");
    Finding::warning("no-gateway", "default", sentence).command(format!("{ip} route add default via ROUTER"))
}

fn gateway_director(gateway: IpAddr, what: &str) -> Finding {
    let sentence = format!(
        "the default gateway {gateway} {what}; with DR it drops replies, as their sender is its own VIP (a habit from NAT)"
    );
    Finding::error("gateway-director", &gateway, sentence)
        .command("ip route replace default via ROUTER".to_owned())
        .advice(format!(
            "or on {gateway}, if it has to be the router: sysctl -w net.ipv4.conf.all.accept_local=1"
        ))
}

/// Rules that rewrite packets of a VIP.
fn nat(asked: &Asked, seen: &Seen) -> Vec<Finding> {
    let mut found = Vec::new();
    for vip in &asked.vips {
        let word = vip.addr.to_string();
        let rules = seen.rules.iter().flat_map(|rules| &rules.nat).filter(|rule| mentions(rule, &word));
        found.extend(rules.map(|rule| nat_rule(&word, rule)));
    }
    found
}

/// Rules that drop what connection tracking does not understand: after a failover, or where the ways in and out differ,
/// that is what clients of a VIP send.
fn invalid(asked: &Asked, seen: &Seen) -> Vec<Finding> {
    let Some(vip) = asked.vips.first().map(|vip| vip.addr) else { return Vec::new() };
    let rules = seen.rules.iter().flat_map(|rules| &rules.invalid);
    let found = rules.map(|rule| {
        let sentence = format!(
            "a rule drops what connection tracking calls invalid: connections to a VIP that it saw only a part of hang: {rule}"
        );
        let table = if vip.is_ipv4() { "iptables" } else { "ip6tables" };
        Finding::warning("conntrack-invalid", &vip, sentence)
            .command(format!("{table} -t raw -A PREROUTING -d {vip} -j CT --notrack"))
            .command(format!("{table} -t raw -A OUTPUT -s {vip} -j CT --notrack"))
    });
    found.collect()
}

fn mentions(rule: &str, addr: &str) -> bool {
    rule.split_whitespace().any(|word| word.trim_end_matches(',') == addr || host_part(word) == Some(addr))
}

/// The address of `ADDR/32` or `ADDR/128`.
fn host_part(word: &str) -> Option<&str> {
    word.strip_suffix("/32").or_else(|| word.strip_suffix("/128"))
}

fn nat_rule(vip: &str, rule: &str) -> Finding {
    let lower = rule.to_lowercase();
    let source = lower.contains("snat") || lower.contains("masquerade");
    let finding = if source {
        let sentence = format!(
            "a NAT rule changes the sender of packets from {vip}: clients do not know the new one: {rule}"
        );
        Finding::error("nat", &vip, sentence)
    } else {
        let sentence = format!("a NAT rule takes packets for {vip} before the service sees them: {rule}");
        Finding::warning("nat", &vip, sentence)
    };
    match rule.strip_prefix("-A ") {
        Some(rest) if vip.contains(':') => finding.command(format!("ip6tables -t nat -D {rest}")),
        Some(rest) => finding.command(format!("iptables -t nat -D {rest}")),
        None => finding.command(format!("nft delete rule {}", handle(rule))),
    }
}

/// `FAMILY TABLE CHAIN handle N` of a rule that was read with them in front.
fn handle(rule: &str) -> String {
    let place: Vec<_> = rule.split_whitespace().take(3).collect();
    let number = rule.rsplit("# handle ").next().unwrap_or_default();
    format!("{} handle {number}", place.join(" "))
}

fn announcing(file: &str) -> Finding {
    let sentence = format!(
        "{file} lets ifup announce its address with gratuitous ARP at the next start: ARPUPDATE=no is missing"
    );
    Finding::warning("ifup-announces", file, sentence).command(format!("echo ARPUPDATE=no >> {}", word(file)))
}
