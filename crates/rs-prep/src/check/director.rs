//! A real server that is a director too: whether its own IPVS takes what another director hands over.

use std::net::IpAddr;

use lvs_core::addr::{Endpoint, Family};
use lvs_core::plan::Op;
use lvs_core::table::{Forward, ServiceEntry, ServiceKey};

use super::{Asked, Finding, Seen};
use crate::host::HostState;
use crate::rules::Marking;

const BOUNCE: &str =
    "two directors that are each other's real servers send its packets to and fro until their TTL ends";

/// IPVS looks at a packet before any program does, also at one that was scheduled already.
pub(super) fn findings(host: &HostState, asked: &Asked, seen: &Seen) -> Vec<Finding> {
    let again = seen.own_table.services.iter().filter(|(_, entry)| sends_on(entry));
    let handed_over = |addr: IpAddr| asked.vips.iter().any(|v| v.addr == addr) && is_handed_over(host, addr);
    let found = again.flat_map(|(key, _)| match *key {
        ServiceKey::Addr { vip, .. } if handed_over(vip.addr) => vec![by_address(key, vip)],
        ServiceKey::Addr { .. } => Vec::new(),
        ServiceKey::Mark { mark, family } => {
            let vips =
                asked.vips.iter().map(|v| v.addr).filter(|a| Family::of(*a) == family && handed_over(*a));
            vips.filter_map(|vip| Some(by_mark(vip, marking(seen, vip, mark)?))).collect()
        }
    });
    found.collect()
}

fn by_address(key: &ServiceKey, vip: Endpoint) -> Finding {
    let sentence = format!(
        "this host's own IPVS schedules {vip} again after the director that handed it over: {BOUNCE}; only the one that \
         holds the VIP may have the service, or both by a firewall mark that packets from the other one's MAC do not get"
    );
    Finding::error("own-table", &vip, sentence).command(format!("ipvsctl {}", Op::DelService(*key)))
}

fn by_mark(vip: IpAddr, marking: &Marking) -> Finding {
    let Marking { mark, rule } = marking;
    let sentence = format!(
        "this host's own IPVS schedules {vip} again, by the firewall mark {mark}, after the director that handed it over: \
         {BOUNCE}; packets from the other director's MAC must not get the mark: {rule}"
    );
    let looks = if rule.starts_with("-A ") { "-m mac ! --mac-source" } else { "ether saddr !=" };
    Finding::error("own-table", &vip, sentence)
        .advice(format!("add to the rule: {looks} MAC-OF-THE-OTHER-DIRECTOR"))
}

/// The rule that gives packets for a VIP a mark, whoever hands them over. Where some rule looks at MACs, it is taken to
/// be the one that keeps the mark from those of another director.
fn marking(seen: &Seen, vip: IpAddr, mark: u32) -> Option<&Marking> {
    let rules = seen.rules.as_ref().filter(|rules| !rules.by_mac)?;
    rules.marks.iter().find(|marking| marking.mark == mark && marking.concerns(vip))
}

/// Whether a service has somebody else to send to.
fn sends_on(entry: &ServiceEntry) -> bool {
    entry.servers.values().any(|server| server.forward != Forward::Local && server.weight > 0)
}

/// Whether packets for the VIP come from a director: the one that holds it where it speaks ARP is the director.
fn is_handed_over(host: &HostState, vip: IpAddr) -> bool {
    host.holding(vip).next().is_some() && host.holding(vip).all(|held| host.is_quiet(&held.device))
}
