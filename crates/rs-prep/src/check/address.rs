//! Where the VIPs are: missing, on a NIC, with a wide mask, or gone and their route left over.

use lvs_core::addr::Prefix;

use super::stay::{self, Stay};
use super::{Asked, Finding, Seen};
use crate::host::{Held, HostState};
use crate::plan;
use crate::step::Step;
use crate::vip::{Forwarding, Vip};

pub(super) fn findings(host: &HostState, asked: &Asked, seen: &Seen) -> Vec<Finding> {
    let mut found: Vec<_> = asked.vips.iter().flat_map(|vip| of_vip(host, asked, seen, *vip)).collect();
    found.extend(host.addresses.iter().filter_map(|held| mask(host, asked, held)));
    found.extend(host.routes.iter().filter(|route| !route.by_kernel && route.to.is_host()).filter_map(
        |route| {
            let addr = route.to.addr;
            let stale = route.gateway.is_none()
                && host.is_loopback(&route.device)
                && host.holding(addr).next().is_none();
            stale.then(|| stale_route(addr, &route.device))
        },
    ));
    found.extend(devices(host, asked));
    found
}

fn of_vip(host: &HostState, asked: &Asked, seen: &Seen, vip: Vip) -> Vec<Finding> {
    let loud = host.holding(vip.addr).filter(|held| !host.is_quiet(&held.device));
    let mut found: Vec<_> =
        loud.map(|held| on_nic(held, vip, stay::reason(host, asked, seen, held))).collect();
    if host.holding(vip.addr).next().is_none() {
        let sentence = format!(
            "{vip} is not on this host, so packets that a director sends for it are dropped (or sent back, with \
             ip_forward)"
        );
        found.push(Finding::error("vip-missing", &vip, sentence).up(up_command(vip)));
    }
    found
}

fn up_command(vip: Vip) -> String {
    match vip.forwarding {
        Forwarding::Direct => format!("rs-prep up {vip}"),
        Forwarding::Tunnel => format!("rs-prep up --tunnel {vip}"),
    }
}

fn remove(held: &Held) -> Step {
    Step::RemoveAddress { prefix: held.prefix, device: held.device.clone() }
}

/// `stays` says why it must not be taken from there without asking.
fn on_nic(held: &Held, vip: Vip, stays: Option<Stay>) -> Finding {
    let mut sentence = format!(
        "{} is on {}, which answers for it whatever the settings say; on a real server it belongs on lo",
        held.prefix, held.device
    );
    if held.dad_failed {
        sentence.push_str("; the kernel found the director's and has switched it off (dadfailed)");
    }
    let Some(Stay { why, before }) = stays else {
        return Finding::error("vip-on-nic", &vip, sentence).steps(vec![remove(held)]);
    };
    sentence.push_str(&format!("; --fix leaves it there: {why}"));
    let by_hand = before.into_iter().chain([remove(held).to_string(), up_command(vip)]);
    by_hand.fold(Finding::error("vip-on-nic", &vip, sentence), Finding::command)
}

/// An address on `lo` that stands for a whole network. That is a mistake of a VIP; of any other address it may be what
/// somebody wants: the whole network for this host (AnyIP).
fn mask(host: &HostState, asked: &Asked, held: &Held) -> Option<Finding> {
    let (addr, right) = (held.prefix.addr, Prefix::host(held.prefix.addr));
    // Other silent devices, such as VPNs, have networks behind them.
    let wide = !held.prefix.is_host() && !addr.is_loopback() && host.is_loopback(&held.device);
    if !wide {
        return None;
    }
    let takes = format!(
        "{} on {} makes this host take that whole network for its own: it cannot reach its neighbours, and without the ARP \
         settings answers for each of them",
        held.prefix, held.device
    );
    Some(if asked.is_vip(addr) {
        let found = Finding::error("vip-mask", &addr, format!("{takes}; the mask must be /{}", right.len));
        found.steps(vec![remove(held)]).up(format!("rs-prep up {right}"))
    } else {
        Finding::warning(
            "vip-mask",
            &addr,
            format!("{takes}; nobody said that it is a VIP, so it is left alone"),
        )
        .advice(format!("if it is one: rs-prep check --fix {addr}"))
    })
}

fn stale_route(addr: std::net::IpAddr, device: &str) -> Finding {
    let sentence = format!(
        "a host route for {addr} is left over on {device}, so this host cannot reach {addr} elsewhere"
    );
    Finding::error("stale-route", &addr, sentence)
        .steps(vec![Step::RemoveRoute { addr, device: device.to_owned() }])
}

/// The devices of the VIPs are there and up. A missing VIP's is made with it.
fn devices(host: &HostState, asked: &Asked) -> Vec<Finding> {
    let mut found: Vec<Finding> = Vec::new();
    let quiet = |vip: &&Vip| host.holding(vip.addr).any(|held| host.is_quiet(&held.device));
    for vip in asked.vips.iter().filter(quiet) {
        let name = vip.device();
        let (code, what) = match host.nic(name) {
            Some(nic) if nic.up => continue,
            Some(_) => ("device-down", format!("{name} is down, so nothing sent to the VIP arrives")),
            None => (
                "no-tunnel",
                format!("there is no {name}, so what a director sends through a tunnel is dropped"),
            ),
        };
        if found.iter().all(|other| other.subject != name) {
            let made = plan::device(host, *vip);
            found.push(Finding::error(code, name, what).steps(made));
        }
    }
    found
}
