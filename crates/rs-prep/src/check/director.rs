//! A real server that is a director too: whether its own IPVS takes what another director hands over.

use std::net::IpAddr;

use lvs_core::plan::Op;
use lvs_core::table::{Forward, ServiceEntry, ServiceKey};

use super::{Asked, Finding, Seen};
use crate::host::HostState;

/// IPVS looks at a packet before any program does, also at one that was scheduled already.
pub(super) fn findings(host: &HostState, asked: &Asked, seen: &Seen) -> Vec<Finding> {
    let again = seen.own_table.services.iter().filter(|(_, entry)| sends_on(entry));
    let found = again.filter_map(|(key, _)| {
        let ServiceKey::Addr { vip, .. } = key else { return None };
        let asked = asked.vips.iter().any(|asked| asked.addr == vip.addr);
        (asked && is_handed_over(host, vip.addr)).then(|| {
            let sentence = format!(
                "this host's own IPVS schedules {vip} again after the director that handed it over: two directors that are \
                 each other's real servers send its packets to and fro until their TTL ends; only the one that holds the \
                 VIP may have the service, or both by a firewall mark that packets from the other one's MAC do not get"
            );
            Finding::error("own-table", vip, sentence).command(format!("ipvsctl {}", Op::DelService(*key)))
        })
    });
    found.collect()
}

/// Whether a service has somebody else to send to.
fn sends_on(entry: &ServiceEntry) -> bool {
    entry.servers.values().any(|server| server.forward != Forward::Local && server.weight > 0)
}

/// Whether packets for the VIP come from a director: the one that holds it where it speaks ARP is the director.
fn is_handed_over(host: &HostState, vip: IpAddr) -> bool {
    host.holding(vip).next().is_some() && host.holding(vip).all(|held| host.is_quiet(&held.device))
}
