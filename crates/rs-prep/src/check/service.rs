//! Whether a program listens where the packets go: on the VIP.

use std::net::IpAddr;

use lvs_core::addr::Endpoint;

use super::{Asked, Finding, Seen};
use crate::host::HostState;
use crate::vip::{self, Vip};

pub(super) fn findings(host: &HostState, asked: &Asked, seen: &Seen) -> Vec<Finding> {
    let mut found = Vec::new();
    for served in asked.served.iter().filter(|served| served.port != 0) {
        found.extend(named(host, seen, served.vip, served.rip, served.port));
    }
    if asked.served.is_empty() {
        found.extend(asked.vips.iter().flat_map(|vip| guessed(host, seen, *vip)));
    }
    found
}

/// Whether a socket takes packets for an address: bound to it, or to all of its family; `::` takes IPv4 as well.
fn takes(listener: Endpoint, addr: IpAddr) -> bool {
    listener.addr == addr
        || (listener.addr.is_unspecified() && (listener.addr.is_ipv4() == addr.is_ipv4() || addr.is_ipv4()))
}

fn listens(seen: &Seen, addr: IpAddr, port: u16) -> bool {
    seen.listeners.iter().any(|l| l.port == port && takes(*l, addr))
}

/// A service of the file: its port is known.
fn named(host: &HostState, seen: &Seen, vip: Vip, rip: IpAddr, port: u16) -> Option<Finding> {
    // Until the VIP is here nothing can be bound to it.
    host.holding(vip.addr).next()?;
    let service = Endpoint::new(vip.addr, port);
    match (listens(seen, vip.addr, port), listens(seen, rip, port)) {
        (true, true) => None,
        (true, false) => Some(
            Finding::warning(
                "vip-only",
                &service,
                format!("a program listens on {service} only: a check that goes to {rip} finds it dead"),
            )
            .advice(anywhere(vip.addr, port)),
        ),
        (false, true) => Some(rip_only(service, rip)),
        (false, false) => Some(
            Finding::error("no-listener", &service, format!("no program listens on {service}"))
                .advice(anywhere(vip.addr, port)),
        ),
    }
}

fn anywhere(vip: IpAddr, port: u16) -> String {
    let all = Endpoint::new(vip::every(vip), port);
    format!("let the service listen on {all} (or on both addresses) and restart it")
}

fn rip_only(service: Endpoint, rip: IpAddr) -> Finding {
    let sentence = format!(
        "the service is bound to {} only: checks of it succeed while clients of {service} are refused",
        Endpoint::new(rip, service.port)
    );
    Finding::error("rip-only", &service, sentence).advice(anywhere(service.addr, service.port))
}

/// Without a file: a port on which only the host's own address is listened to is probably such a mistake.
fn guessed(host: &HostState, seen: &Seen, vip: Vip) -> Vec<Finding> {
    if host.holding(vip.addr).next().is_none() {
        return Vec::new();
    }
    let on_rip = seen.listeners.iter().filter(|l| {
        l.addr.is_ipv4() == vip.addr.is_ipv4()
            && host.holding(l.addr).any(|held| !host.is_quiet(&held.device))
    });
    let mut alone: Vec<_> = on_rip.filter(|l| !listens(seen, vip.addr, l.port)).collect();
    alone.sort_unstable();
    alone.dedup();
    let found = alone.into_iter().map(|l| {
        let service = Endpoint::new(vip.addr, l.port);
        let sentence =
            format!("a program listens on {l} only: if it is to serve {service}, its clients are refused");
        Finding::warning("rip-only", &service, sentence).advice(anywhere(vip.addr, l.port))
    });
    found.collect()
}
