//! Whether the router of this host's replies is the director: who answers for the VIP is asked, as `probe` does.

use std::net::IpAddr;
use std::time::Duration;

use anyhow::{Context, Result};
use lvs_core::addr::Mac;
use lvs_core::sys::clock;
use lvs_core::sys::frame::{self, Heard};

use crate::check::Asked;
use crate::check::traffic::{self, Router};
use crate::host::HostState;
use crate::probe;
use crate::ways::Ways;

/// How long an answer is waited for: on a LAN it comes within a millisecond, and nobody waits for `check` gladly.
const PATIENCE: Duration = Duration::from_millis(300);
/// When the question is repeated, in case it was lost.
const AGAIN: Duration = Duration::from_millis(100);
/// The most VIPs that are asked for; a director that is a router holds more than one of them.
const MOST: usize = 16;

/// What was heard of the routers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Routers {
    /// Routers that hold a VIP.
    pub holders: Vec<Holder>,
    /// Why it is not known of a router, as sentences.
    pub unknown: Vec<String>,
}

/// A router that is the director at this moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Holder {
    /// Its address.
    pub gateway: IpAddr,
    /// The VIP for which it answers with the MAC of that address.
    pub vip: IpAddr,
}

/// Asks on each router's interface. The questions change nobody's cache (RFC 5227 section 1.1: their sender is 0.0.0.0).
pub(crate) fn look(host: &HostState, asked: &Asked, ways: &Ways) -> Routers {
    let vips = asked.vips.iter().map(|vip| vip.addr);
    let vips: Vec<_> = vips.filter(|addr| addr.is_ipv4() && !probe::ours(host, *addr)).take(MOST).collect();
    let mut routers = Routers::default();
    for router in traffic::routers(host, ways) {
        let known = asked.directors.contains(&router.gateway) || vips.contains(&router.gateway);
        let speaks = host.nic(router.device).is_some_and(|nic| nic.speaks() && nic.up);
        if vips.is_empty() || known || !speaks {
            continue;
        }
        match hear(host, router, &vips) {
            Ok(claims) => routers.take(router, &vips, &claims),
            Err(error) => routers.unknown.push(format!("{error:#}")),
        }
    }
    routers
}

/// Who answers for the router's address and for the VIPs.
fn hear(host: &HostState, router: Router<'_>, vips: &[IpAddr]) -> Result<Vec<(IpAddr, Mac)>> {
    let mut wire = probe::open(router.device).context("who holds the VIP cannot be asked")?;
    let targets: Vec<_> = [router.gateway].into_iter().chain(vips.iter().copied()).collect();
    let mut claims: Vec<(IpAddr, Mac)> = Vec::new();
    let all_told =
        |claims: &[(IpAddr, Mac)]| targets.iter().all(|t| claims.iter().any(|(addr, _)| addr == t));
    let start = clock::now();
    for until in [start + AGAIN, start + PATIENCE] {
        for target in targets.iter().filter(|target| claims.iter().all(|(addr, _)| addr != *target)) {
            wire.send(&frame::question(wire.mac, *target))?;
        }
        wire.listen(until, |_, heard| {
            if let Heard::Claim { addr, mac, answer: true } = heard {
                // The kernel shows a channel the frames of this host as well.
                if targets.contains(&addr) && host.nics.iter().all(|nic| nic.mac != mac) {
                    claims.push((addr, mac));
                }
            }
            Ok(all_told(&claims))
        })?;
        if all_told(&claims) {
            break;
        }
    }
    Ok(claims)
}

impl Routers {
    /// Compares the router's MAC with those of the VIPs.
    fn take(&mut self, router: Router<'_>, vips: &[IpAddr], claims: &[(IpAddr, Mac)]) {
        let Router { device, gateway } = router;
        let of = |wanted: IpAddr| claims.iter().filter(move |(addr, _)| *addr == wanted).map(|(_, mac)| *mac);
        let holds = |vip: &&IpAddr| of(**vip).any(|mac| of(gateway).any(|its| its == mac));
        let silent = |what: IpAddr| {
            format!(
                "nobody answers for {what} on {device}, so whether the gateway {gateway} is the director is not known"
            )
        };
        match (vips.iter().find(holds), vips.iter().find(|vip| of(**vip).next().is_none())) {
            (Some(vip), _) => self.holders.push(Holder { gateway, vip: *vip }),
            (None, _) if of(gateway).next().is_none() => self.unknown.push(silent(gateway)),
            (None, Some(vip)) => self.unknown.push(silent(*vip)),
            (None, None) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_router_that_answers_for_the_vip_is_the_director() {
        let [gateway, one, two] = ["10.0.0.1", "10.0.0.111", "10.0.0.112"].map(|addr| addr.parse().unwrap());
        let router = Router { device: "ens192", gateway };
        let [a, b] = [1, 2].map(|n| Mac([2, 0, 0, 0, 0, n]));
        let take = |claims: &[(IpAddr, Mac)]| {
            let mut routers = Routers::default();
            routers.take(router, &[one, two], claims);
            (routers.holders.iter().map(|holder| holder.vip).collect::<Vec<_>>(), routers.unknown.len())
        };
        assert_eq!(take(&[(gateway, a), (one, b), (two, a)]), (vec![two], 0));
        assert_eq!(take(&[(gateway, a), (one, b), (two, b)]), (vec![], 0));
        // Two hosts answer for the VIP: one of them is the router.
        assert_eq!(take(&[(gateway, a), (one, b), (one, a)]), (vec![one], 0));
        assert_eq!(take(&[(gateway, a), (one, b)]), (vec![], 1), "a VIP that nobody holds yet");
        assert_eq!(take(&[(one, b), (two, b)]), (vec![], 1), "a router that is silent");
    }
}
