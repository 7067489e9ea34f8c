use proptest::prelude::*;

use super::*;
use crate::host::testing::{alone, held, nic, with};
use crate::host::{Nic, RouteTo, Settings};

fn vip(addr: &str) -> Vip {
    Vip::direct(addr.parse().unwrap())
}

fn text(steps: &[Step]) -> Vec<String> {
    steps.iter().map(ToString::to_string).collect()
}

#[test]
fn the_seeds_real_server_in_the_right_order() {
    let steps = up(&alone(), &[vip("192.168.15.111")], &Wish::default()).unwrap();
    assert_eq!(
        text(&steps),
        [
            "sysctl -qw net.ipv4.conf.all.arp_announce=2",
            "sysctl -qw net.ipv4.conf.all.arp_ignore=1",
            "sysctl -qw net.ipv4.conf.ens192.arp_announce=2",
            "sysctl -qw net.ipv4.conf.ens192.arp_ignore=1",
            "ip address add 192.168.15.111/32 broadcast 192.168.15.111 dev lo label lo:0",
            "ip route add 192.168.15.111/32 dev lo src 192.168.15.111",
        ]
    );
}

#[test]
fn twice_is_once() {
    let wish = Wish::default();
    let vips = [vip("192.168.15.111"), vip("192.168.15.112"), vip("2001:db8::111")];
    let steps = up(&alone(), &vips, &wish).unwrap();
    let after = with(alone(), &steps);
    assert_eq!(up(&after, &vips, &wish), Ok(vec![]));
}

#[test]
fn every_vip_has_its_label() {
    let host = with(alone(), &up(&alone(), &[vip("10.0.0.1")], &Wish::default()).unwrap());
    let steps = up(&host, &[vip("10.0.0.2"), vip("10.0.0.3")], &Wish::default()).unwrap();
    let labels: Vec<_> = steps
        .iter()
        .filter_map(|step| match step {
            Step::AddAddress(p) => p.label.as_deref(),
            _ => None,
        })
        .collect();
    assert_eq!(labels, ["lo:1", "lo:2"]);
    let wish = Wish { label: Some("lo:vip".to_owned()), ..Wish::default() };
    assert_eq!(up(&host, &[vip("10.0.0.2"), vip("10.0.0.3")], &wish), Err(Refusal::Label(2)));
}

#[test]
fn ipv6_needs_neither_settings_nor_route() {
    let steps = up(&alone(), &[vip("2001:db8::111")], &Wish::default()).unwrap();
    assert_eq!(text(&steps), ["ip address add 2001:db8::111/128 dev lo nodad"]);
}

#[test]
fn scope_and_route_are_as_wished() {
    let wish = Wish { route: false, host_scope: Some(true), label: None };
    let steps = up(&alone(), &[vip("10.0.0.1")], &wish).unwrap();
    let last = steps.last().unwrap().to_string();
    assert_eq!(last, "ip address add 10.0.0.1/32 broadcast 10.0.0.1 dev lo label lo:0 scope host");
}

#[test]
fn a_tunnel_is_loaded_filtered_loosely_and_switched_on_before_its_address() {
    let vips = [Vip::tunnel("10.0.0.1".parse().unwrap()), Vip::tunnel("10.0.0.2".parse().unwrap())];
    let steps = text(&up(&alone(), &vips, &Wish::default()).unwrap());
    assert_eq!(steps[0], "modprobe ipip");
    let place = |start: &str| steps.iter().position(|s| s.starts_with(start)).unwrap();
    assert!(place("sysctl -qw net.ipv4.conf.tunl0.rp_filter=2") < place("ip link set dev tunl0 up"));
    assert!(place("ip link set dev tunl0 up") < place("ip address add 10.0.0.1/32"));
    assert_eq!(steps.iter().filter(|s| s.contains("link set")).count(), 1);
    assert!(
        steps.contains(&"ip address add 10.0.0.2/32 broadcast 10.0.0.2 dev tunl0 label tunl0:1".to_owned())
    );
}

#[test]
fn a_vip_on_a_nic_or_with_a_wide_mask_is_refused_untouched() {
    let mut host = alone();
    host.addresses.push(held("192.168.15.111/24", "ens192", "ens192:0"));
    let error = up(&host, &[vip("192.168.15.111")], &Wish::default()).unwrap_err();
    assert!(matches!(error, Refusal::OnNic { .. }), "{error}");
    assert!(!error.to_string().contains("address del"), "it may be the host's own: {error}");
    host.addresses = vec![held("192.168.15.111/24", "lo", "lo:0")];
    let error = up(&host, &[vip("192.168.15.111")], &Wish::default()).unwrap_err();
    assert!(matches!(error, Refusal::Mask { .. }), "{error}");
    host.nics.push(nic("wg0", false, Settings::default()));
    host.addresses = vec![held("192.168.15.111/24", "wg0", "")];
    let error = up(&host, &[vip("192.168.15.111")], &Wish::default()).unwrap_err();
    assert!(matches!(error, Refusal::Network { .. }), "{error}");
}

#[test]
fn a_vip_is_held_once() {
    let addr = "10.0.0.1".parse().unwrap();
    let mut host = alone();
    host.nics.push(nic("tunl0", false, Settings::default()));
    for (first, then) in [(Vip::direct(addr), Vip::tunnel(addr)), (Vip::tunnel(addr), Vip::direct(addr))] {
        let host = with(host.clone(), &up(&host, &[first], &Wish::default()).unwrap());
        let error = up(&host, &[then], &Wish::default()).unwrap_err();
        let words = [first.device(), "held once", "rs-prep down 10.0.0.1"];
        assert!(words.iter().all(|word| error.to_string().contains(word)), "{error}");
    }
}

#[test]
fn a_vip_that_is_held_otherwise_than_asked_for_is_refused() {
    let held = with(alone(), &up(&alone(), &[vip("10.0.0.1")], &Wish::default()).unwrap());
    let label = |label: &str| Wish { label: Some(label.to_owned()), ..Wish::default() };
    let scope = |host| Wish { host_scope: Some(host), ..Wish::default() };
    for (wish, reason) in [
        (label("lo:0"), None),
        (label("lo:4"), Some("with the label lo:0")),
        (scope(false), None),
        (scope(true), Some("with scope global")),
    ] {
        let error = up(&held, &[vip("10.0.0.1")], &wish).err().map(|error| error.to_string());
        assert_eq!(error.is_some(), reason.is_some(), "{error:?}");
        assert!(error.unwrap_or_default().contains(reason.unwrap_or_default()), "{reason:?}");
    }
    let error = up(&alone(), &[vip("2001:db8::1")], &label("lo:4"));
    assert_eq!(error, Err(Refusal::NoLabel("2001:db8::1".parse().unwrap())));
}

#[test]
fn a_silent_holder_elsewhere_will_do() {
    let mut host = alone();
    host.nics.push(nic("kube-dummy", false, Settings::default()));
    host.addresses.push(held("10.0.0.1/32", "kube-dummy", ""));
    let steps = up(&host, &[vip("10.0.0.1")], &Wish::default()).unwrap();
    assert!(!text(&steps).iter().any(|step| step.contains("address add")), "{steps:?}");
}

#[test]
fn a_stricter_value_of_the_admins_stays_and_a_harmful_one_is_mended_aloud() {
    let mut host = alone();
    host.all = Settings { arp_ignore: 2, arp_announce: 2, ..Settings::default() };
    host.nics[1].settings = Settings { arp_ignore: 3, arp_announce: 9, ..Settings::default() };
    let vips = [vip("10.0.0.1")];
    let steps = up(&host, &vips, &Wish::default()).unwrap();
    assert_eq!(
        text(&steps)[..2],
        ["sysctl -qw net.ipv4.conf.ens192.arp_announce=2", "sysctl -qw net.ipv4.conf.ens192.arp_ignore=1"]
    );
    let said = notices(&host, &vips, &steps);
    assert_eq!(said.len(), 2, "{said:?}");
    assert!(said[0].starts_with("ens192: arp_ignore was 3"), "{said:?}");
}

#[test]
fn what_is_in_effect_already_is_not_written() {
    let mut host = alone();
    host.all = Settings { arp_ignore: 1, arp_announce: 2, rp_filter: 2, ..Settings::default() };
    let tunnel = Nic { up: false, ..nic("tunl0", false, Settings::default()) };
    host.nics.push(tunnel);
    for vip in [vip("10.0.0.1"), Vip::tunnel("10.0.0.1".parse().unwrap())] {
        let steps = up(&host, &[vip], &Wish::default()).unwrap();
        assert!(!steps.iter().any(|step| matches!(step, Step::Set { .. })), "{:?}", text(&steps));
    }
}

#[test]
fn a_vip_that_was_there_too_early_is_told_of() {
    let mut host = alone();
    host.addresses.push(held("10.0.0.1/32", "lo", "lo:0"));
    let vips = [vip("10.0.0.1")];
    let steps = up(&host, &vips, &Wish::default()).unwrap();
    let said = notices(&host, &vips, &steps);
    assert!(said[0].contains("rs-prep heal 10.0.0.1"), "{said:?}");
}

#[test]
fn a_route_of_the_kernels_own_is_not_the_runbooks() {
    let mut host = alone();
    let to = "10.0.0.1/32".parse().unwrap();
    host.routes.push(RouteTo { to, device: "lo".to_owned(), gateway: None, source: None, by_kernel: true });
    let steps = up(&host, &[vip("10.0.0.1")], &Wish::default()).unwrap();
    assert!(matches!(steps.last(), Some(Step::AddRoute { .. })));
}

#[test]
fn a_route_of_the_admins_to_the_vip_stays_and_is_told_of() {
    let mut host = alone();
    let (to, device, gateway) =
        ("10.0.0.1/32".parse().unwrap(), "ens192".to_owned(), "192.168.8.1".parse().ok());
    host.routes.push(RouteTo { to, device, gateway, source: None, by_kernel: false });
    let vips = [vip("10.0.0.1")];
    let steps = up(&host, &vips, &Wish::default()).unwrap();
    assert!(matches!(steps.last(), Some(Step::AddAddress { .. })));
    let said = notices(&host, &vips, &steps);
    assert!(said[0].contains("a route by ens192 is there for it already"), "{said:?}");
}

fn values() -> impl Strategy<Value = Settings> {
    (0..=9, 0..=9, 0..=2, 0..=1).prop_map(|(arp_ignore, arp_announce, rp_filter, proxy_arp)| Settings {
        arp_ignore,
        arp_announce,
        rp_filter,
        proxy_arp,
        ..Settings::default()
    })
}

proptest! {
    /// Whatever the values were and wherever it stops, there is no moment with the address and a leak.
    #[test]
    fn no_prefix_of_the_plan_leaks(all in values(), one in values(), two in values(), addressed in any::<bool>()) {
        let mut host = alone();
        host.all = all;
        host.nics[1].settings = one;
        host.nics.push(nic("ens224", true, two));
        if addressed {
            host.addresses.push(held("10.1.0.1/24", "ens224", "ens224"));
        }
        let steps = up(&host, &[vip("10.0.0.1")], &Wish::default()).unwrap();
        for end in 0..=steps.len() {
            let now = with(host.clone(), &steps[..end]);
            let leaks = now.speakers().any(|nic| !quiet::leaks(&now, nic).is_empty());
            prop_assert!(!leaks || now.holding("10.0.0.1".parse().unwrap()).next().is_none());
        }
        let done = with(host, &steps);
        prop_assert!(done.holding("10.0.0.1".parse().unwrap()).next().is_some());
    }
}

#[test]
fn scope_host_is_of_ipv4_alone() {
    let wish = Wish { host_scope: Some(true), ..Wish::default() };
    let (v4, v6) = (vip("10.0.0.1"), vip("fd00::7"));
    assert_eq!(up(&alone(), &[v6], &wish), Err(Refusal::NoScope(v6.addr)));
    let steps = up(&alone(), &[v4, v6], &wish).unwrap();
    let scopes: Vec<_> = text(&steps).iter().filter(|step| step.ends_with("scope host")).cloned().collect();
    assert_eq!(scopes, ["ip address add 10.0.0.1/32 broadcast 10.0.0.1 dev lo label lo:0 scope host"]);
    assert!(unheeded(&[v4, v6], &wish).unwrap().starts_with("fd00::7: "));
    assert_eq!((unheeded(&[v4], &wish), unheeded(&[v4, v6], &Wish::default())), (None, None));
    assert_eq!(up(&with(alone(), &steps), &[v4, v6], &wish), Ok(vec![]), "twice is once");
}

#[test]
fn a_label_begins_with_the_device_of_the_vip() {
    let (direct, tunnel) = (vip("10.0.0.1"), Vip::tunnel("10.0.0.1".parse().unwrap()));
    for (vip, label, fits) in [
        (direct, "lo", true),
        (direct, "lo:web", true),
        (direct, "lo1:web", false),
        (direct, "eth9:1", false),
        (direct, "tunl0:0", false),
        (tunnel, "tunl0:0", true),
        (tunnel, "lo:0", false),
    ] {
        let wish = Wish { label: Some(label.to_owned()), ..Wish::default() };
        let plan = up(&alone(), &[vip], &wish);
        assert_eq!(plan.is_ok(), fits, "{label}: {plan:?}");
        assert!(plan.err().is_none_or(|refusal| refusal.is_usage()), "{label}");
    }
}

#[test]
fn the_broadcast_address_of_a_network_is_no_vip() {
    let refused = up(&alone(), &[vip("192.168.15.255")], &Wish::default());
    assert!(matches!(refused, Err(Refusal::Broadcast { .. })), "{refused:?}");
    for fine in ["192.168.14.255", "127.255.255.1", "192.168.16.255"] {
        assert!(up(&alone(), &[vip(fine)], &Wish::default()).is_ok(), "{fine}");
    }
    let mut pair = alone();
    pair.addresses.push(held("10.0.0.0/31", "ens192", "ens192"));
    assert!(up(&pair, &[vip("10.0.0.1")], &Wish::default()).is_ok(), "two hosts need no broadcast");
}
