//! What of an instance depends on its whole block.

use super::super::{At, Cx};
use super::value::authentication;
use super::{Draft, strict};
use crate::addr::{Family, Mac};
use crate::conf::model::{InitialState, Instance, Vmac, VrrpVersion};
use crate::conf::tree::Stmt;

/// What depends on the whole block; none if nothing sensible is left.
pub(super) fn finish(cx: &mut Cx<'_>, mut d: Draft<'_>, stmt: Stmt<'_>) -> Option<Instance> {
    let title = format!("vrrp_instance {}", d.out.name.value);
    let Some(vrid) = d.vrid else {
        let message = format!("{title} has no valid virtual_router_id; it is left out");
        cx.drop_block(
            "missing-vrid",
            stmt,
            stmt.place(0),
            message,
            "add a line: virtual_router_id N (1 to 255, the same on all its routers)",
        );
        return None;
    };
    d.out.vrid = vrid;
    // With unicast too: its VIPs go there, and the original refuses it as well.
    if d.out.interface.is_none() {
        let message = format!("{title} has no interface; it is left out");
        cx.drop_block("missing-interface", stmt, stmt.place(0), message, "add a line: interface NAME");
        return None;
    }
    addresses(cx, &mut d);
    family(cx, &mut d);
    unicast(cx, &d, &title);
    version(cx, &mut d);
    authentication(cx, &mut d);
    owner(cx, &mut d);
    d.out.accept = d.accept.unwrap_or(At::assumed(true));
    strict::apply(cx, &mut d);
    preemption(cx, &mut d);
    make_vmac(cx, &mut d);
    if !d.unicast.peers.is_empty() || d.unicast.fault_no_peer.value {
        d.out.unicast = Some(d.unicast);
    }
    Some(d.out)
}

fn addresses(cx: &mut Cx<'_>, d: &mut Draft<'_>) {
    let dev = At::assumed(d.out.interface.as_ref().map(|i| i.value.clone()).unwrap_or_default());
    d.out.addresses = d.vips.iter().filter_map(|s| cx.vip(*s, &dev, |_, _| None)).collect();
    d.out.excluded = d.excluded.iter().filter_map(|s| cx.vip(*s, &dev, |_, _| None)).collect();
    let mut seen = std::collections::HashMap::new();
    for a in &d.out.addresses {
        if let Some(first) = seen.insert(a.prefix.addr, a.prefix.place) {
            // Routers refuse an advertisement with another list, so that what one counts twice all must.
            let message = format!("{} is listed twice, and advertised twice", a.prefix.addr);
            let finding = cx.findings.warning("duplicate-vip", a.prefix.place, message);
            finding.see("first here", first).help("remove the line on all routers at once");
        }
    }
}

/// The family is that of the first VIP; advertised addresses and peers of the other are left out.
fn family(cx: &mut Cx<'_>, d: &mut Draft<'_>) {
    let peer = d.unicast.peers.first().map(|p| At::new(Family::of(p.addr.value), p.addr.place));
    let vip = d.out.addresses.first().map(|a| At::new(Family::of(a.prefix.addr), a.prefix.place));
    let family = vip.or(peer).unwrap_or(At::assumed(Family::Inet));
    d.out.family = family;
    let other = match family.value {
        Family::Inet => "IPv4",
        Family::Inet6 => "IPv6",
    };
    d.out.addresses.retain(|a| {
        let fits = Family::of(a.prefix.addr) == family.value;
        if !fits {
            let message =
                format!("the instance speaks {other}: {} cannot be advertised and is skipped", a.prefix.addr);
            let help = "move it to virtual_ipaddress_excluded, or into an instance of its own";
            cx.findings
                .warning("mixed-families", a.prefix.place, message)
                .help(help)
                .see("the family comes from here", family.place);
        }
        fits
    });
    d.unicast.peers.retain(|p| {
        let fits = Family::of(p.addr.value) == family.value;
        if !fits {
            let message = format!("the instance speaks {other}: the peer {} is skipped", p.addr.value);
            let finding = cx.findings.warning("mixed-families", p.addr.place, message);
            finding
                .help("write the peer's address of that family")
                .see("the family comes from here", family.place);
        }
        fits
    });
    d.out.mcast_group = match d.group {
        Some(group) if Family::of(group.value) == family.value => group,
        _ => At::assumed(match family.value {
            Family::Inet => cx.global.mcast_group4.value.into(),
            Family::Inet6 => cx.global.mcast_group6.value.into(),
        }),
    };
}

fn version(cx: &mut Cx<'_>, d: &mut Draft<'_>) {
    let wished = d.version.unwrap_or(At::assumed(cx.global.version.value));
    d.out.version = wished;
    if d.out.family.value == Family::Inet6 && wished.value == VrrpVersion::V2 {
        d.out.version = At::assumed(VrrpVersion::V3);
        if wished.is_written() {
            let message = "version 2 knows IPv4 only: this IPv6 instance uses version 3".to_owned();
            cx.findings.warning("ipv6-version", wished.place, message).help("write version 3");
        }
    }
    cx.fit_interval(d.out.version.value, &mut d.out.advert_interval);
}

/// Unicast that is asked for and cannot be is no multicast: the other routers send unicast, and there would be two masters.
fn unicast(cx: &mut Cx<'_>, d: &Draft<'_>, title: &str) {
    if !d.unicast.peers.is_empty() {
        return;
    }
    if let Some(peer) = d.peer {
        let message = format!("{title} has unicast_peer, but no peer that it can reach; it is left out");
        let help = "write an address a line, of the family of the instance's addresses";
        cx.findings.error("no-unicast-peer", peer, message).help(help);
    } else if let Some(place) = d.unicast_src {
        let message = format!("{title} has no unicast_peer: advertisements go to the multicast group");
        let help = "add unicast_peer { ADDRESS }, of the family of its addresses, or write mcast_src_ip";
        cx.findings.warning("no-unicast-peer", place, message).help(help);
    }
}

/// MASTER is a hint with side effects; all were measured with keepalived 2.2.7.
fn owner(cx: &mut Cx<'_>, d: &mut Draft<'_>) {
    if d.out.state.value == InitialState::Master && !d.prioritised {
        let message =
            "state MASTER without a priority means priority 255: master at once, without an election";
        let help = "write a priority from 1 to 254, higher than that of the other routers";
        cx.findings.warning("master-255", d.out.state.place, message.to_owned()).help(help);
        d.out.priority = At::assumed(255);
    }
}

fn preemption(cx: &mut Cx<'_>, d: &mut Draft<'_>) {
    let master = d.out.state.value == InitialState::Master;
    if !d.out.preempt.value && (master || d.out.priority.value == 255) {
        let (why, help) = if d.out.priority.value == 255 {
            ("priority 255", "write a priority below 255")
        } else {
            ("state MASTER", "write state BACKUP on all routers of the group")
        };
        let message =
            format!("nopreempt has no effect with {why}: after a failure this router takes over again");
        cx.findings.warning("master-nopreempt", d.out.preempt.place, message).help(help);
        d.out.preempt = At::assumed(true);
    }
    if d.out.preempt_delay.is_zero() {
        return;
    }
    let place = d.out.preempt_delay.place;
    if master {
        let message = "preempt_delay has no effect with state MASTER: it takes over at once".to_owned();
        cx.findings.warning("master-preempt-delay", place, message).help("write state BACKUP");
    } else if !d.out.preempt.value {
        let message = "preempt_delay has no effect with nopreempt: it never takes over".to_owned();
        cx.findings.warning("no-effect", place, message).help("remove one of the two lines");
    } else {
        return;
    }
    d.out.preempt_delay = At::default();
}

fn make_vmac(cx: &mut Cx<'_>, d: &mut Draft<'_>) {
    let Some(s) = d.vmac else {
        if d.xmit_base.value {
            let message = "vmac_xmit_base without use_vmac has no effect".to_owned();
            cx.findings.warning("no-effect", d.xmit_base.place, message).help("add use_vmac");
        }
        return;
    };
    let (vrid, place) = (d.out.vrid.value, s.place(0));
    let mac = s.get(2).and_then(|text| cx.mac(text, s.place(2)));
    // A word of unicast is enough, also where the advertisements then go to the group (measured).
    let unicast = d.peer.or(d.unicast_src).is_some();
    if unicast && !d.xmit_base.value && !d.out.strict.value {
        let message = "unicast with use_vmac needs vmac_xmit_base; it is set".to_owned();
        cx.findings.warning("unicast-vmac", place, message).help("add vmac_xmit_base");
        d.xmit_base = At::assumed(true);
    }
    if d.out.strict.value && d.xmit_base.value {
        d.xmit_base = strict::xmit_base(cx, d.xmit_base);
    }
    d.out.vmac = Some(Vmac {
        // Found when those of the whole file are known.
        name: Cx::text(s, 1).unwrap_or_default(),
        mac: mac.unwrap_or(At::assumed(Mac::virtual_router(d.out.family.value, vrid))),
        xmit_base: d.xmit_base,
    });
}
