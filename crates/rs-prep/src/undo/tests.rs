use std::collections::HashMap;

use proptest::prelude::*;

use super::*;
use crate::host::testing::{alone, held, nic, read, with};
use crate::host::{Nic, Settings};
use crate::plan::{self, Wish};
use crate::quiet;

fn vip(addr: &str) -> Vip {
    Vip::direct(addr.parse().unwrap())
}

/// The host and the memory after `up`.
fn after_up(host: &HostState, saved: &Saved, vips: &[Vip]) -> (HostState, Saved) {
    let steps = plan::up(host, vips, &Wish::default()).unwrap();
    (with(host.clone(), &steps), saved.before(host, vips, &steps))
}

fn take(host: &HostState, saved: &Saved, vips: &[Vip]) -> (HostState, Down) {
    let down = down(host, vips, saved, |key| read(host, key));
    (with(host.clone(), &down.steps), down)
}

#[test]
fn the_address_goes_before_the_settings_that_hide_it() {
    let (host, saved) = after_up(&alone(), &Saved::default(), &[vip("10.0.0.1")]);
    let (_, down) = take(&host, &saved, &[vip("10.0.0.1")]);
    let text: Vec<_> = down.steps.iter().map(ToString::to_string).collect();
    assert_eq!(
        text,
        [
            "ip route del 10.0.0.1/32 dev lo",
            "ip address del 10.0.0.1/32 dev lo",
            "sysctl -qw net.ipv4.conf.ens192.arp_ignore=0",
            "sysctl -qw net.ipv4.conf.ens192.arp_announce=0",
            "sysctl -qw net.ipv4.conf.all.arp_ignore=0",
            "sysctl -qw net.ipv4.conf.all.arp_announce=0",
        ]
    );
    assert!(down.saved.is_empty());
}

#[test]
fn several_vips_share_the_settings_until_the_last_is_gone() {
    let (host, saved) = after_up(&alone(), &Saved::default(), &[vip("10.0.0.1"), vip("10.0.0.2")]);
    let (host, first) = take(&host, &saved, &[vip("10.0.0.1")]);
    assert!(first.steps.iter().all(|step| !step.is_setting()), "{first:?}");
    assert_eq!(host.all.arp_ignore, 1);
    let (host, last) = take(&host, &first.saved, &[vip("10.0.0.2")]);
    assert_eq!(host.all, Settings::default());
    assert!(last.saved.is_empty());
}

/// Settings that were mended for somebody else's VIP stay with it, and it stays too.
#[test]
fn a_vip_that_was_only_mended_stays_with_down_all() {
    let mut host = alone();
    host.addresses.push(held("10.0.0.1/32", "lo", "lo:0"));
    let steps = quiet::settings(&host);
    let saved = Saved::default().mending(&host, &[vip("10.0.0.1")], &steps);
    let host = with(host, &steps);
    let (after, all) = take(&host, &saved, &saved.vips);
    assert_eq!((after, all.gone), (host.clone(), vec![]), "{:?}", all.steps);
    assert!(all.notices[0].contains("10.0.0.1/32 is on lo too"), "{:?}", all.notices);
    let (after, _) = take(&host, &saved, &[vip("10.0.0.1")]);
    assert_eq!(after, alone());
}

#[test]
fn an_ipv6_vip_does_not_hold_the_settings() {
    let (host, saved) = after_up(&alone(), &Saved::default(), &[vip("10.0.0.1"), vip("2001:db8::1")]);
    let (host, down) = take(&host, &saved, &[vip("10.0.0.1")]);
    assert_eq!(host.all, Settings::default());
    assert_eq!(down.saved.vips, [vip("2001:db8::1")]);
}

#[test]
fn a_vip_added_by_hand_keeps_the_settings_and_one_from_before_does_not() {
    let mut start = alone();
    start.addresses.push(held("10.9.9.9/32", "lo", "lo"));
    let (mut host, saved) = after_up(&start, &Saved::default(), &[vip("10.0.0.1")]);
    let (gone, down) = take(&host, &saved, &[vip("10.0.0.1")]);
    assert_eq!((gone.all, down.notices), (Settings::default(), vec![]));

    host.addresses.push(held("10.0.0.2/32", "lo", "lo"));
    let (kept, first) = take(&host, &saved, &[vip("10.0.0.1")]);
    assert_eq!(kept.all.arp_ignore, 1);
    assert!(first.notices[0].contains("10.0.0.2/32"), "{:?}", first.notices);
    // Another up and down meanwhile must not take the hand-added one for an old one.
    let (again, saved) = after_up(&kept, &first.saved, &[vip("10.0.0.1")]);
    let (kept, second) = take(&again, &saved, &[vip("10.0.0.1")]);
    assert_eq!(kept.all.arp_ignore, 1);
    // Once it is gone, any down gives the settings back.
    let free = HostState { addresses: start.addresses, ..kept };
    let (free, third) = take(&free, &second.saved, &[]);
    assert_eq!(free.all, Settings::default());
    assert!(third.saved.is_empty());
}

#[test]
fn what_somebody_changed_meanwhile_stays() {
    let (mut host, saved) = after_up(&alone(), &Saved::default(), &[vip("10.0.0.1")]);
    host.all.arp_ignore = 2;
    let (host, down) = take(&host, &saved, &[vip("10.0.0.1")]);
    assert_eq!((host.all.arp_ignore, host.all.arp_announce), (2, 0));
    assert!(down.notices[0].contains("net.ipv4.conf.all.arp_ignore left at 2"), "{:?}", down.notices);
}

#[test]
fn an_interface_that_is_gone_is_no_trouble() {
    let (mut host, saved) = after_up(&alone(), &Saved::default(), &[vip("10.0.0.1")]);
    host.nics.truncate(1);
    let (host, down) = take(&host, &saved, &[vip("10.0.0.1")]);
    assert_eq!((host.all, down.notices), (Settings::default(), vec![]));
}

#[test]
fn a_renamed_interface_gets_its_settings_back() {
    let mut start = alone();
    start.nics[1].index = 2;
    let (mut host, saved) = after_up(&start, &Saved::default(), &[vip("10.0.0.1")]);
    host.nics[1].name = "lan0".to_owned();
    let (host, down) = take(&host, &saved, &[vip("10.0.0.1")]);
    assert_eq!((host.nics[1].settings, down.notices), (Settings::default(), vec![]));
}

#[test]
fn a_directors_vip_and_a_vpns_own_address_are_not_touched() {
    let mut host = alone();
    host.nics.push(nic("wg0", false, Settings::default()));
    host.addresses.push(held("10.0.0.1/32", "ens192", "ens192"));
    host.addresses.push(held("10.0.0.1/24", "wg0", ""));
    let (after, down) = take(&host, &Saved::default(), &[vip("10.0.0.1"), vip("10.0.0.2")]);
    assert_eq!(after, host);
    assert!(down.notices[0].contains("left on ens192"), "{:?}", down.notices);
    assert!(down.notices[1].contains("left on wg0"), "{:?}", down.notices);
    assert!(down.notices[2].contains("10.0.0.2: not on this host"), "{:?}", down.notices);
    assert_eq!(down.gone, [], "neither was here and is not now");
}

#[test]
fn a_tunnel_is_switched_off_with_its_last_vip() {
    let mut host = alone();
    let mut tunnel = nic("tunl0", false, Settings::default());
    tunnel.up = false;
    host.nics.push(tunnel);
    let vips = [Vip::tunnel("10.0.0.1".parse().unwrap()), Vip::tunnel("10.0.0.2".parse().unwrap())];
    let (up, saved) = after_up(&host, &Saved::default(), &vips);
    let (one, first) = take(&up, &saved, &vips[..1]);
    assert!(one.nic("tunl0").unwrap().up);
    let (none, last) = take(&one, &first.saved, &vips[1..]);
    assert_eq!(none, host);
    assert!(last.saved.is_empty());
}

/// Earlier versions took `up V` and `up --tunnel V` for two VIPs; the address was on the device of the first, or on both.
#[test]
fn a_memory_with_both_kinds_of_a_vip_is_undone_once() {
    let addr = "10.0.0.1".parse().unwrap();
    let mut start = alone();
    start.nics.push(Nic { up: false, ..nic("tunl0", false, Settings::default()) });
    let both = [Vip::direct(addr), Vip::tunnel(addr)];
    for devices in [&["lo"][..], &["tunl0"], &["lo", "tunl0"]] {
        let (mut host, mut saved) = after_up(&start, &Saved::default(), &both[1..]);
        saved.vips = both.to_vec();
        host.addresses.retain(|held| held.prefix.addr != addr);
        host.addresses.extend(devices.iter().map(|device| held("10.0.0.1/32", device, "")));
        let (after, down) = take(&host, &saved, &both);
        assert_eq!((after, down.saved.is_empty()), (start.clone(), true), "{devices:?}");
        let removals = down.steps.iter().filter(|step| matches!(step, Step::RemoveAddress { .. }));
        assert_eq!(removals.count(), devices.len(), "{:?}", down.steps);
    }
}

#[test]
fn what_is_remembered_of_a_vip_is_how_it_was_put_last() {
    let addr = "10.0.0.1".parse().unwrap();
    let (_, saved) = after_up(&alone(), &Saved::default(), &[Vip::direct(addr)]);
    // Somebody took it away by hand.
    let next = saved.before(&alone(), &[Vip::tunnel(addr)], &[]);
    assert_eq!(next.vips, [Vip::tunnel(addr)]);
}

#[test]
fn another_boot_knows_nothing() {
    let old = Saved { boot: "a".to_owned(), vips: vec![vip("10.0.0.1")], ..Saved::default() };
    assert_eq!(old.clone().of_boot("a"), old);
    assert_eq!(old.of_boot("b"), Saved { boot: "b".to_owned(), ..Saved::default() });
}

proptest! {
    /// Up and down of VIPs in any order: the first values come back, and no state on the way leaks.
    #[test]
    fn any_sequence_ends_where_it_began(
        ops in proptest::collection::vec((any::<bool>(), 0u8..4), 1..20),
        ignore in 0..=8, announce in 0..=3, own in 0..=8,
    ) {
        let mut start = alone();
        start.all = Settings { arp_ignore: ignore, arp_announce: announce, ..Settings::default() };
        start.nics[1].settings.arp_ignore = own;
        let (mut host, mut saved) = (start.clone(), Saved::default());
        let mut present: HashMap<u8, Vip> = HashMap::new();
        for (add, n) in ops {
            let vip = vip(&format!("10.0.0.{n}"));
            let steps = if add {
                present.insert(n, vip);
                let steps = plan::up(&host, &[vip], &Wish::default()).unwrap();
                saved = saved.before(&host, &[vip], &steps);
                steps
            } else {
                present.remove(&n);
                let down = down(&host, &[vip], &saved, |key| read(&host, key));
                saved = down.saved;
                down.steps
            };
            for step in &steps {
                host = with(host, std::slice::from_ref(step));
                let leaks = host.speakers().any(|nic| !quiet::leaks(&host, nic).is_empty());
                prop_assert!(!leaks || host.vips_on("lo").next().is_none());
            }
        }
        let rest: Vec<_> = present.into_values().collect();
        let (host, down) = take(&host, &saved, &rest);
        prop_assert_eq!(host, start);
        prop_assert!(down.saved.is_empty());
    }
}
