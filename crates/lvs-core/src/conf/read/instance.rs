//! `vrrp_instance`.

mod strict;
mod value;
mod whole;

use std::net::IpAddr;
use std::time::Duration;

use super::script::{block, off, on};
use super::{At, Cx, name};
use crate::addr::Family;
use crate::conf::model::{Garp, InitialState, Instance, Notify, Tracking, Unicast, VrrpVersion};
use crate::conf::place::Place;
use crate::conf::schema::Block;
use crate::conf::tree::Stmt;

/// An instance under way: what is only known when the whole block was read is kept apart.
struct Draft<'t> {
    out: Instance,
    vrid: Option<At<u8>>,
    /// Whether a priority is written, even a wrong one.
    prioritised: bool,
    auth: Option<Stmt<'t>>,
    vips: Vec<Stmt<'t>>,
    excluded: Vec<Stmt<'t>>,
    unicast: Unicast,
    /// The first line of `unicast_peer`.
    peer: Option<Place>,
    unicast_src: Option<Place>,
    accept: Option<At<bool>>,
    group: Option<At<IpAddr>>,
    vmac: Option<Stmt<'t>>,
    xmit_base: At<bool>,
    version: Option<At<VrrpVersion>>,
}

/// `vrrp_instance NAME { }`.
pub(super) fn read(cx: &mut Cx<'_>, stmt: Stmt<'_>) -> Option<Instance> {
    let keywords = block("vrrp_instance");
    let mut draft = Draft::new(cx, stmt);
    for s in cx.statements(stmt, keywords) {
        line(cx, s.key, s.stmt, &mut draft, keywords);
    }
    whole::finish(cx, draft, stmt)
}

fn line<'t>(cx: &mut Cx<'_>, key: &str, s: Stmt<'t>, d: &mut Draft<'t>, keywords: &Block) {
    let read = election(cx, key, s, d)
        || network(cx, key, s, d)
        || vmac(key, s, d)
        || garp(cx, key, s, &mut d.out.garp)
        || cx.tracking(key, s, &mut d.out.track)
        || cx.notify(key, s, &mut d.out.notify)
        || rare(cx, key, s, &mut d.out);
    if !read {
        cx.untyped(key, keywords, s);
    }
}

fn election<'t>(cx: &mut Cx<'_>, key: &str, s: Stmt<'t>, d: &mut Draft<'t>) -> bool {
    match key {
        "state" => {
            let states = [("MASTER", InitialState::Master), ("BACKUP", InitialState::Backup)];
            d.out.state = cx.choice(s, 1, &states).unwrap_or(d.out.state);
        }
        "interface" => d.out.interface = Cx::text(s, 1),
        "virtual_router_id" => d.vrid = cx.count(s, 1, 1..=255).map(byte),
        "priority" => {
            d.prioritised = true;
            d.out.priority = cx.count(s, 1, 1..=255).map_or(d.out.priority, byte);
        }
        "advert_int" => cx.advert_interval(s, &mut d.out.advert_interval),
        "version" => d.version = cx.choice(s, 1, &[("2", VrrpVersion::V2), ("3", VrrpVersion::V3)]),
        "authentication" => d.auth = Some(s),
        "nopreempt" => d.out.preempt = off(s),
        "preempt" => d.out.preempt = on(s),
        "preempt_delay" => {
            let most = Duration::from_secs(1000);
            d.out.preempt_delay = cx.seconds(s, 1, Duration::ZERO, most).unwrap_or(d.out.preempt_delay);
        }
        "strict_mode" => cx.set_switch(s, &mut d.out.strict),
        "accept" => d.accept = Some(on(s)),
        "no_accept" => d.accept = Some(off(s)),
        "virtual_ipaddress" => d.vips.extend(s.children()),
        "virtual_ipaddress_excluded" => d.excluded.extend(s.children()),
        "virtual_routes" => d.out.routes.extend(s.children().filter_map(|s| cx.route(s))),
        "virtual_rules" => d.out.rules.extend(s.children().filter_map(|s| cx.rule(s))),
        _ => return false,
    }
    true
}

fn network<'t>(cx: &mut Cx<'_>, key: &str, s: Stmt<'t>, d: &mut Draft<'t>) -> bool {
    match key {
        "unicast_peer" => {
            for peer in s.children() {
                d.peer = d.peer.or(Some(peer.place(0)));
                let Some(peer) = cx.peer(peer) else { continue };
                // Measured: bounds for one peer shut out those who are none.
                if peer.min_ttl.or(peer.max_ttl).is_some() {
                    d.unicast.check_src = At::new(true, peer.addr.place);
                }
                d.unicast.peers.push(peer);
            }
        }
        "unicast_src_ip" | "mcast_src_ip" => {
            if let Some(addr) = cx.own_address(s, 1) {
                d.out.source = Some(addr);
            }
            if key == "unicast_src_ip" {
                d.unicast_src = Some(s.place(0));
            }
        }
        "unicast_ttl" => d.unicast.ttl = cx.count(s, 1, 0..=255).map_or(d.unicast.ttl, byte),
        "check_unicast_src" => cx.set_switch(s, &mut d.unicast.check_src),
        "unicast_fault_no_peer" => d.unicast.fault_no_peer = on(s),
        "old_unicast_checksum" => {
            d.unicast.old_checksum = Some(At::new(s.get(1) != Some("never"), s.place(0)));
        }
        "mcast_dst_ip" => d.group = cx.own_address(s, 1),
        "track_src_ip" => d.out.track_source = on(s),
        "dont_track_primary" => d.out.track_primary = off(s),
        _ => return false,
    }
    true
}

fn vmac<'t>(key: &str, s: Stmt<'t>, d: &mut Draft<'t>) -> bool {
    match key {
        // A later line without a name keeps the name of the one before.
        "use_vmac" if s.len() > 1 || d.vmac.is_none() => d.vmac = Some(s),
        "use_vmac" => {}
        "vmac_xmit_base" => d.xmit_base = on(s),
        "use_vmac_addr" => d.out.vmac_addresses = on(s),
        _ => return false,
    }
    true
}

fn garp(cx: &mut Cx<'_>, key: &str, s: Stmt<'_>, g: &mut Garp) -> bool {
    match key {
        "garp_master_delay" => cx.set_seconds(s, &mut g.master_delay),
        "garp_master_repeat" => cx.set_repeat(s, &mut g.master_repeat),
        "garp_master_refresh" => cx.set_seconds(s, &mut g.refresh),
        "garp_master_refresh_repeat" => cx.set_repeat(s, &mut g.refresh_repeat),
        "garp_lower_prio_delay" => cx.set_seconds(s, &mut g.lower_prio_delay),
        "garp_lower_prio_repeat" => cx.set_count(s, 0..=255, &mut g.lower_prio_repeat),
        "garp_extra_if" => cx.extra_if(s, g),
        _ => return false,
    }
    true
}

fn rare(cx: &mut Cx<'_>, key: &str, s: Stmt<'_>, out: &mut Instance) -> bool {
    match key {
        "lower_prio_no_advert" => cx.set_switch(s, &mut out.lower_prio_no_advert),
        "higher_prio_send_advert" => cx.set_switch(s, &mut out.higher_prio_send_advert),
        "down_timer_adverts" => cx.set_count(s, 1..=100, &mut out.down_timer_adverts),
        "skip_check_adv_addr" => cx.set_switch(s, &mut out.skip_check_adv_addr),
        "promote_secondaries" => out.promote_secondaries = on(s),
        "kernel_rx_buf_size" => out.rx_buffer = cx.count(s, 1, 1..=i32::MAX as u32),
        "debug" => out.debug = cx.count(s, 1, 0..=4).unwrap_or(out.debug),
        _ => return false,
    }
    true
}

fn byte(n: At<u32>) -> At<u8> {
    At::new(u8::try_from(n.value).unwrap_or(u8::MAX), n.place)
}

impl Draft<'_> {
    fn new(cx: &Cx<'_>, stmt: Stmt<'_>) -> Self {
        let g = &cx.global;
        let unicast = Unicast {
            peers: Vec::new(),
            ttl: At::assumed(255),
            check_src: At::assumed(g.check_unicast_src.value),
            fault_no_peer: At::default(),
            old_checksum: None,
        };
        Self {
            out: blank(cx, stmt),
            vrid: None,
            prioritised: false,
            auth: None,
            vips: Vec::new(),
            excluded: Vec::new(),
            unicast,
            peer: None,
            unicast_src: None,
            accept: None,
            group: None,
            vmac: None,
            xmit_base: At::default(),
            version: None,
        }
    }
}

/// An instance that says nothing.
fn blank(cx: &Cx<'_>, stmt: Stmt<'_>) -> Instance {
    let g = &cx.global;
    Instance {
        name: name(stmt),
        state: At::default(),
        interface: None,
        vrid: At::default(),
        version: At::default(),
        family: At::assumed(Family::Inet),
        priority: At::assumed(100),
        advert_interval: At::assumed(Duration::from_secs(1)),
        authentication: None,
        addresses: Vec::new(),
        excluded: Vec::new(),
        routes: Vec::new(),
        rules: Vec::new(),
        preempt: At::assumed(true),
        preempt_delay: At::default(),
        unicast: None,
        source: None,
        track_source: At::default(),
        mcast_group: At::assumed(g.mcast_group4.value.into()),
        garp: inherited(&g.garp),
        vmac: None,
        vmac_addresses: At::default(),
        accept: At::assumed(true),
        strict: At::assumed(g.strict.value),
        track_primary: At::assumed(true),
        track: Tracking::default(),
        notify: Notify {
            priority_changes: At::assumed(g.notify_priority_changes.value),
            ..Notify::default()
        },
        lower_prio_no_advert: At::assumed(g.lower_prio_no_advert.value),
        higher_prio_send_advert: At::assumed(g.higher_prio_send_advert.value),
        down_timer_adverts: At::assumed(g.down_timer_adverts.value),
        skip_check_adv_addr: At::assumed(g.skip_check_adv_addr.value),
        promote_secondaries: At::default(),
        rx_buffer: None,
        debug: At::default(),
    }
}

/// The global values as defaults: they are not written in the instance.
fn inherited(g: &Garp) -> Garp {
    Garp {
        master_delay: At::assumed(g.master_delay.value),
        master_repeat: At::assumed(g.master_repeat.value),
        refresh: At::assumed(g.refresh.value),
        refresh_repeat: At::assumed(g.refresh_repeat.value),
        lower_prio_delay: At::assumed(g.lower_prio_delay.value),
        lower_prio_repeat: At::assumed(g.lower_prio_repeat.value),
        extra_if: At::assumed(g.extra_if.value),
        extra_all: g.extra_all,
    }
}
