//! What vrrpd would run from a configuration, in keepalived's words.

use std::collections::{BTreeMap, BTreeSet};

use lvs_core::addr::Family;
use lvs_core::conf::model::{InitialState, Instance, Reference};
use lvs_core::conf::{At, Config};
use vrrpd::packet::{Auth, Version};
use vrrpd::spec::{Spec, Vip, setup};

use super::Fields;

/// The virtual routers of a configuration by name.
pub(super) fn routers(config: &Config) -> BTreeMap<String, Fields> {
    let setup = setup(config);
    let pairs = config.instances.iter().zip(&setup.instances);
    pairs.map(|(instance, spec)| (spec.name.clone(), fields(instance, spec))).collect()
}

fn fields(instance: &Instance, spec: &Spec) -> Fields {
    let mut fields = Fields::new();
    let lists = [
        ("advertised", list(spec.door.vips.iter())),
        ("addresses", list(spec.vips.iter().map(|v| address(v, spec)).collect::<BTreeSet<_>>())),
        ("Unicast Peer", peers(spec)),
        ("Tracked interfaces", references(&spec.track.interfaces, "")),
        ("Tracked scripts", references(&spec.track.scripts, "")),
        ("Tracked files", references(&spec.track.files, ",")),
        ("Tracked processes", references(&spec.track.processes, ",")),
    ];
    let all =
        once(instance, spec).into_iter().chain(garp(spec)).chain(sometimes(instance, spec)).chain(lists);
    for (name, value) in all.filter(|(_, value)| !value.is_empty()) {
        fields.insert(name.to_owned(), value);
    }
    fields
}

fn switch(on: bool, yes: &str, no: &str) -> String {
    if on { yes } else { no }.to_owned()
}

/// What every dump says.
fn once(instance: &Instance, spec: &Spec) -> Vec<(&'static str, String)> {
    let p = &spec.params;
    let three = p.version == Version::V3;
    let interval = if three { p.interval.as_millis() } else { p.interval.as_secs().into() };
    vec![
        ("VRRP Version", switch(three, "3", "2")),
        ("Interface", spec.vmac.as_ref().map_or(&spec.interface, |v| &v.name).clone()),
        ("Virtual Router ID", spec.vrid.to_string()),
        ("Priority", p.priority.to_string()),
        ("Advert interval", format!("{interval} {}", if three { "milli-sec" } else { "sec" })),
        ("Down timer adverts", p.down_adverts.to_string()),
        ("Send advert after receive lower priority advert", (!p.lower_prio_no_advert).to_string()),
        ("Send advert after receive higher priority advert", instance.higher_prio_send_advert.to_string()),
        ("Accept", switch(*instance.accept, "enabled", "disabled")),
        ("Preempt", switch(p.preempt, "enabled", "disabled")),
        ("Promote_secondaries", switch(*instance.promote_secondaries, "enabled", "disabled")),
        ("Notify deleted", switch(*instance.notify.says_deleted, "Deleted", "Fault")),
        ("Notify priority changes", instance.notify.priority_changes.to_string()),
    ]
}

fn garp(spec: &Spec) -> Vec<(&'static str, String)> {
    let g = &spec.params.garp;
    let extra = if spec.extra().is_empty() || g.extra.is_zero() {
        String::new()
    } else {
        g.extra.as_secs().to_string()
    };
    let what = ["Gratuitous ARP for each secondary VMAC", "Gratuitous ARP for each secondary i/f"];
    vec![
        (what[usize::from(spec.extra_all)], extra),
        ("Gratuitous ARP delay", g.delay.as_secs().to_string()),
        ("Gratuitous ARP repeat", g.repeat.to_string()),
        ("Gratuitous ARP refresh", g.refresh.as_secs().to_string()),
        ("Gratuitous ARP refresh repeat", g.refresh_repeat.to_string()),
        ("Gratuitous ARP lower priority delay", g.lower_delay.as_secs().to_string()),
        ("Gratuitous ARP lower priority repeat", g.lower_repeat.to_string()),
    ]
}

/// What a dump says only where it holds; an empty value is not said.
fn sometimes(instance: &Instance, spec: &Spec) -> Vec<(&'static str, String)> {
    let p = &spec.params;
    let unicast = !spec.door.peers.is_empty();
    let checksum = match instance.unicast.as_ref().and_then(|u| u.old_checksum.as_ref()) {
        None => "no",
        Some(At { value: true, .. }) => "yes",
        Some(_) => "never",
    };
    // The dump shows the instance's own line; a global one counts beside it.
    let own_check = instance.unicast.as_ref().is_some_and(|u| u.check_src.is_written() && *u.check_src);
    let (kind, password) = match (&spec.door.auth, p.version) {
        (Auth::Pass(text), _) => {
            let text: Vec<u8> = text.iter().copied().take_while(|b| *b != 0).collect();
            ("SIMPLE_PASSWORD", String::from_utf8_lossy(&text).into_owned())
        }
        (_, Version::V2) => ("none", String::new()),
        (_, Version::V3) => ("", String::new()),
    };
    let some = |text: Option<String>| text.unwrap_or_default();
    let only = |condition: bool, text: &str| switch(condition, text, "");
    let state = if *instance.state == InitialState::Master { "MASTER" } else { "BACKUP" };
    vec![
        // A group decides for its members.
        ("Wantstate", only(spec.group_name.is_none(), state)),
        ("Virtual Routes", only(!instance.routes.is_empty(), &instance.routes.len().to_string())),
        ("Virtual Rules", only(!instance.rules.is_empty(), &instance.rules.len().to_string())),
        ("Unicast checksum compatibility", only(unicast, checksum)),
        ("Authentication type", kind.to_owned()),
        ("Password", password),
        ("source", some(spec.source.map(|s| s.to_string()))),
        ("group", if unicast { String::new() } else { spec.group.to_string() }),
        ("Sync group", some(spec.group_name.clone())),
        ("Using Native IPv6", only(spec.family == Family::Inet6, "yes")),
        ("Enforcing strict VRRP compliance", only(*instance.strict, "yes")),
        ("Skip checking advert IP addresses", only(*instance.skip_check_adv_addr, "yes")),
        ("Unicast TTL", if unicast { spec.unicast_ttl.to_string() } else { String::new() }),
        ("Check unicast src", if unicast { switch(own_check, "yes", "no") } else { String::new() }),
        ("VMAC", some(spec.vmac.as_ref().map(|v| v.name.clone()))),
        ("xmit_base", some(spec.vmac.as_ref().map(|_| spec.xmit_base.to_string()))),
        ("Use VMAC for VIPs on other interfaces", only(*instance.vmac_addresses, "yes")),
        ("Preempt delay", only(!p.preempt_delay.is_zero(), &format!("{} secs", p.preempt_delay.as_secs()))),
    ]
}

fn list(items: impl IntoIterator<Item = impl ToString>) -> String {
    items.into_iter().map(|i| i.to_string()).collect::<Vec<_>>().join("; ")
}

/// `192.168.15.111/24 brd 192.168.15.255 dev eth0 scope global label eth0:1`.
fn address(vip: &Vip, spec: &Spec) -> String {
    let mut words = vec![vip.prefix.to_string()];
    if vip.prefix.is_host() {
        words[0] = vip.prefix.addr.to_string();
    }
    words.extend(vip.broadcast.map(|b| format!("brd {b}")));
    let vmac = spec.vmacs().find(|v| v.name == vip.dev);
    words.push(format!("dev {}{}", vip.dev, vmac.map(|v| format!("@{}", v.base)).unwrap_or_default()));
    let scope = match vip.scope {
        0 => "global",
        200 => "site",
        253 => "link",
        254 => "host",
        _ => "nowhere",
    };
    words.push(format!("scope {scope}"));
    words.extend(vip.label.as_ref().map(|l| format!("label {l}")));
    match (vip.prefix.addr.is_ipv6(), vip.preferred) {
        (true, Some(0)) => words.push("deprecated".to_owned()),
        (true, None) => words.push("preferred_lft forever".to_owned()),
        (_, Some(seconds)) => words.push(format!("preferred_lft {seconds}")),
        (false, None) => {}
    }
    words.join(" ")
}

fn peers(spec: &Spec) -> String {
    let one = |p: &vrrpd::door::Peer| format!("{} min_ttl {} max_ttl {}", p.addr, p.min_ttl, p.max_ttl);
    list(spec.door.peers.iter().map(one))
}

fn references(tracked: &[Reference], comma: &str) -> String {
    let reverse = |r: &Reference| if r.weight.value.reverse { " reverse" } else { "" };
    list(
        tracked
            .iter()
            .map(|r| format!("{}{comma} weight {}{}", r.name.value, r.weight.value.value, reverse(r))),
    )
}
