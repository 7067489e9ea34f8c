//! A real server that is a director too: whether its own IPVS takes what another director hands over.

use std::net::IpAddr;

use lvs_core::addr::{Endpoint, Family};
use lvs_core::plan::Op;
use lvs_core::table::{Forward, Server, ServiceEntry, ServiceKey};

use super::{Asked, Finding, Seen};
use crate::host::HostState;
use crate::rules::Marking;

const BOUNCE: &str =
    "two directors that are each other's real servers send its packets to and fro until their TTL ends";

/// What a service of this host does to a packet that was handed over.
#[derive(Clone, Copy)]
enum Fate {
    /// It may go to somebody else.
    SentOn,
    /// No server may take it, and IPVS lets nothing past it: ICMP port unreachable (ip_vs_leave).
    Refused,
}

/// IPVS looks at a packet before any program does, also at one that was scheduled already.
pub(super) fn findings(host: &HostState, asked: &Asked, seen: &Seen) -> Vec<Finding> {
    let handed_over = |addr: IpAddr| asked.vips.iter().any(|v| v.addr == addr) && is_handed_over(host, addr);
    let services = seen.own_table.services.iter();
    let harmful = services.filter_map(|(key, entry)| Some((key, fate(host, entry)?)));
    let found = harmful.flat_map(|(key, fate)| match *key {
        ServiceKey::Addr { vip, .. } if handed_over(vip.addr) => vec![by_address(key, vip, fate)],
        ServiceKey::Addr { .. } => Vec::new(),
        ServiceKey::Mark { mark, family } => {
            let vips =
                asked.vips.iter().map(|v| v.addr).filter(|a| Family::of(*a) == family && handed_over(*a));
            vips.filter_map(|vip| Some(by_mark(key, vip, marking(seen, vip, mark)?, fate))).collect()
        }
    });
    found.collect()
}

fn by_address(key: &ServiceKey, vip: Endpoint, fate: Fate) -> Finding {
    if let Fate::Refused = fate {
        return refused(key, &vip, "");
    }
    let sentence = format!(
        "this host's own IPVS schedules {vip} again after the director that handed it over: {BOUNCE}; only the one that \
         holds the VIP may have the service, or both by a firewall mark that packets from the other one's MAC do not get"
    );
    Finding::error("own-table", &vip, sentence).command(delete(key))
}

fn by_mark(key: &ServiceKey, vip: IpAddr, marking: &Marking, fate: Fate) -> Finding {
    let Marking { mark, rule } = marking;
    if let Fate::Refused = fate {
        return refused(key, &vip, &format!(", by the firewall mark {mark} ({rule})"));
    }
    let sentence = format!(
        "this host's own IPVS schedules {vip} again, by the firewall mark {mark}, after the director that handed it over: \
         {BOUNCE}; packets from the other director's MAC must not get the mark: {rule}"
    );
    let looks = if rule.starts_with("-A ") { "-m mac ! --mac-source" } else { "ether saddr !=" };
    Finding::error("own-table", &vip, sentence)
        .advice(format!("add to the rule: {looks} MAC-OF-THE-OTHER-DIRECTOR"))
}

/// A service without a server hides the program that would answer.
fn refused(key: &ServiceKey, vip: &impl ToString, how: &str) -> Finding {
    let sentence = format!(
        "this host's own IPVS refuses every new connection to {}{how}: its service has no server, or only those of weight \
         0, and what a director hands over meets it before any program of this host",
        vip.to_string()
    );
    Finding::error("own-table", vip, sentence)
        .command(delete(key))
        .advice("or give the service a server with a weight above 0".to_owned())
}

fn delete(key: &ServiceKey) -> String {
    format!("ipvsctl {}", Op::DelService(*key))
}

/// The rule that gives packets for a VIP a mark, whoever hands them over. Where some rule looks at MACs, it is taken to
/// be the one that keeps the mark from those of another director.
fn marking(seen: &Seen, vip: IpAddr, mark: u32) -> Option<&Marking> {
    let rules = seen.rules.as_ref().filter(|rules| !rules.by_mac)?;
    rules.marks.iter().find(|marking| marking.mark == mark && marking.concerns(vip))
}

/// The harm that a service does; none where only this host's own program gets new connections.
fn fate(host: &HostState, entry: &ServiceEntry) -> Option<Fate> {
    let mut usable = entry.servers.iter().filter(|(_, server)| server.weight > 0).peekable();
    if usable.peek().is_none() {
        return Some(Fate::Refused);
    }
    // The kernel delivers here what is for one of its own addresses, whatever way of forwarding is written.
    let is_here = |(at, server): (&Endpoint, &Server)| {
        server.forward == Forward::Local || host.holding(at.addr).next().is_some()
    };
    (!usable.all(is_here)).then_some(Fate::SentOn)
}

/// Whether packets for the VIP come from a director: the one that holds it where it speaks ARP is the director.
fn is_handed_over(host: &HostState, vip: IpAddr) -> bool {
    host.holding(vip).next().is_some() && host.holding(vip).all(|held| host.is_quiet(&held.device))
}
