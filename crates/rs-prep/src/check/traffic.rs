//! What becomes of the packets: dropped on the way in, sent the wrong way out, rewritten.

use std::net::IpAddr;

use lvs_core::addr::Family;
use lvs_core::sys::sysctl::Key;

use super::{Asked, Finding, Seen};
use crate::host::{HostState, Nic, RouteTo};
use crate::shell::word;
use crate::step::Step;

pub(super) fn findings(host: &HostState, asked: &Asked, seen: &Seen) -> Vec<Finding> {
    let mut found = reverse_path(host, asked, seen);
    found.extend(gateways(host, asked));
    found.extend(nat(asked, seen));
    found.extend(invalid(asked, seen));
    found.extend(seen.announcing_files.iter().map(|file| announcing(file)));
    found
}

fn defaults(host: &HostState, family: Family) -> impl Iterator<Item = &RouteTo> {
    host.routes.iter().filter(move |route| route.to.len == 0 && Family::of(route.to.addr) == family)
}

/// A second NIC with strict filtering: the client's packet comes in there, the way back leaves elsewhere.
fn reverse_path(host: &HostState, asked: &Asked, seen: &Seen) -> Vec<Finding> {
    if !asked.vips.iter().any(|vip| vip.addr.is_ipv4()) {
        return Vec::new();
    }
    let leaves_here = |nic: &Nic| defaults(host, Family::Inet).any(|route| route.device == nic.name);
    let strict = host
        .speakers()
        .filter(|nic| nic.up && host.has_ipv4(&nic.name) && host.rp_filter_in_effect(nic) == 1)
        .filter(|nic| defaults(host, Family::Inet).next().is_some() && !leaves_here(nic));
    let found = strict.map(|nic| {
        let name = &nic.name;
        let sentence = format!(
            "rp_filter 1 is in effect on {name}, but the default route leaves elsewhere: packets of distant clients that a \
             director hands over on {name} are dropped ({} dropped so far)",
            seen.reverse_path_drops
        );
        let serves = asked.served.iter().any(|served| host.holding(served.rip).any(|held| held.device == *name));
        let step = loose(name, nic.settings.rp_filter);
        // Only with the real server's own address is it known that directors use this NIC.
        let make = if serves { Finding::error } else { Finding::warning };
        make("rp-filter", name, sentence).steps(vec![step])
    });
    found.collect()
}

pub(super) fn loose(interface: &str, from: i32) -> Step {
    Step::Set { key: Key::conf(Family::Inet, interface, "rp_filter"), from, to: 2 }
}

/// Replies must go to the clients past the director.
fn gateways(host: &HostState, asked: &Asked) -> Vec<Finding> {
    let families = [Family::Inet, Family::Inet6].into_iter();
    let asked_for = families.filter(|family| asked.vips.iter().any(|vip| vip.family() == *family));
    let has_v4 = asked_for.clone().any(|family| family == Family::Inet);
    let missing = asked_for.filter(|family| defaults(host, *family).next().is_none());
    let mut found: Vec<_> = missing.map(no_gateway).collect();
    // Only IPv4 drops replies whose sender is one of the router's own addresses.
    let through = defaults(host, Family::Inet).filter(|_| has_v4).filter_map(|route| route.gateway);
    let is_vip = |gateway| asked.vips.iter().any(|vip| vip.addr == gateway);
    let directors = through.filter(|gateway| asked.directors.contains(gateway) || is_vip(*gateway));
    found.extend(directors.map(gateway_director));
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

fn gateway_director(gateway: IpAddr) -> Finding {
    let sentence = format!(
        "the default gateway {gateway} is a director: with DR it drops replies, as their sender is its own VIP (a habit \
         from NAT)"
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
