use super::*;
use crate::check::{self, Asked, Seen};
use crate::host::testing::{alone, held, with};
use crate::host::{Held, RouteTo};
use lvs_core::table::{Service, ServiceEntry, ServiceKey, Table};
use std::net::IpAddr;

fn asked(vip: &str) -> Asked {
    Asked { vips: vec![Vip::direct(vip.parse().unwrap())], named: true, ..Asked::default() }
}

/// Finds, mends, and finds nothing of it any more.
fn mended(host: HostState, asked: &Asked, codes: &[&str]) -> Vec<String> {
    let found = check::findings(&host, asked, &Seen::default());
    let seen: Vec<_> =
        found.iter().map(|finding| finding.code).filter(|code| *code != "no-gateway").collect();
    assert_eq!(seen, codes);
    let Mend { steps, .. } = plan(&host, &asked.vips, &found);
    let after = with(host, &steps);
    let rest = check::findings(&after, asked, &Seen::default());
    assert!(check::ready(&rest), "{rest:?}");
    steps.iter().map(ToString::to_string).collect()
}

#[test]
fn a_vip_on_the_nic_moves_to_lo_and_is_hidden_first() {
    let mut host = alone();
    host.addresses.push(held("192.168.15.111/24", "ens192", "ens192:1"));
    let steps = mended(host, &asked("192.168.15.111"), &["vip-on-nic", "arp-ignore", "arp-announce"]);
    assert_eq!(
        steps[4..],
        [
            "ip address del 192.168.15.111/24 dev ens192",
            "ip address add 192.168.15.111/32 broadcast 192.168.15.111 dev lo label lo:0",
            "ip route add 192.168.15.111/32 dev lo src 192.168.15.111",
        ]
    );
}

#[test]
fn a_wide_mask_of_a_vip_that_up_has_put_becomes_a_host_even_unasked() {
    let mut host = alone();
    host.addresses.push(held("192.168.15.111/24", "lo", "lo:0"));
    let recorded = Asked { recorded: vec![VIP.parse().unwrap()], ..Asked::default() };
    let steps = mended(host, &recorded, &["vip-mask"]);
    assert!(steps[0].starts_with("sysctl"), "{steps:?}");
    assert!(steps.contains(&"ip address del 192.168.15.111/24 dev lo".to_owned()), "{steps:?}");
}

#[test]
fn nothing_found_is_nothing_done() {
    assert_eq!(plan(&alone(), &[], &[]), Mend::default());
}

const VIP: &str = "192.168.15.111";

/// The steps on a host with these addresses of ens192, the first of a network before its secondaries.
fn steps(addresses: &[(&str, bool)], asked: &Asked, seen: &Seen, change: impl Fn(&mut HostState)) -> Mend {
    let mut host = alone();
    host.addresses.truncate(1);
    host.addresses.extend(
        addresses
            .iter()
            .map(|(prefix, secondary)| Held { secondary: *secondary, ..held(prefix, "ens192", "") }),
    );
    change(&mut host);
    plan(&host, &asked.vips, &check::findings(&host, asked, seen))
}

const NOTHING: fn(&mut HostState) = |_| {};

/// What `--fix` takes from the NIC, and what it leaves because the host would be cut off.
#[test]
fn no_address_goes_on_which_others_or_the_hosts_own_traffic_depend() {
    let promote: fn(&mut HostState) = |host| host.nics[1].settings.promotes_secondaries = 1;
    let gateway: fn(&mut HostState) = |host| host.routes.push(default_route(Some("10.1.0.1"), None));
    let source: fn(&mut HostState) = |host| host.routes.push(default_route(Some("192.168.8.1"), Some(VIP)));
    let v6 = "2001:db8::111";
    type Row<'a> = (&'a str, &'a [(&'a str, bool)], fn(&mut HostState), Option<&'a str>);
    let table: &[Row] = &[
        (
            VIP,
            &[("192.168.15.102/21", false), ("192.168.15.111/21", true)],
            NOTHING,
            Some("192.168.15.111/21"),
        ),
        (
            VIP,
            &[("192.168.15.102/21", false), ("192.168.15.111/32", false)],
            NOTHING,
            Some("192.168.15.111/32"),
        ),
        // Named by mistake: the host's own.
        ("192.168.15.102", &[("192.168.15.102/21", false)], NOTHING, None),
        ("192.168.15.102", &[("192.168.15.102/21", false), ("192.168.15.111/32", false)], NOTHING, None),
        ("192.168.15.102", &[("192.168.15.102/32", false), ("192.168.15.111/32", false)], NOTHING, None),
        // The first of its network, with or without those that go with it.
        (VIP, &[("192.168.15.111/21", false), ("192.168.15.102/21", true)], NOTHING, None),
        (VIP, &[("192.168.15.111/21", false), ("192.168.15.102/21", true)], promote, None),
        (
            VIP,
            &[("10.1.0.2/24", false), ("192.168.15.111/21", false), ("192.168.15.102/21", true)],
            NOTHING,
            None,
        ),
        (
            VIP,
            &[("10.1.0.2/24", false), ("192.168.15.111/21", false), ("192.168.15.102/21", true)],
            promote,
            Some("192.168.15.111/21"),
        ),
        // Routes that need it.
        (VIP, &[("192.168.15.102/21", false), ("192.168.15.111/21", true)], source, None),
        ("10.1.0.111", &[("192.168.15.102/21", false), ("10.1.0.111/24", false)], gateway, None),
        ("10.1.0.111", &[("10.1.0.2/24", false), ("10.1.0.111/24", true)], gateway, Some("10.1.0.111/24")),
        // IPv6: the newest is shown first, and the link-local address is no company.
        (
            v6,
            &[("2001:db8::111/128", false), ("2001:db8::102/64", false)],
            NOTHING,
            Some("2001:db8::111/128"),
        ),
        (v6, &[("2001:db8::111/64", false), ("fe80::1/64", false)], NOTHING, None),
    ];
    for (vip, addresses, change, goes) in table {
        let mend = steps(addresses, &asked(vip), &Seen::default(), change);
        let gone: Vec<_> =
            mend.steps.iter().filter(|step| matches!(step, Step::RemoveAddress { .. })).collect();
        let want: Vec<_> = goes.iter().map(|prefix| format!("ip address del {prefix} dev ens192")).collect();
        assert_eq!(gone.iter().map(ToString::to_string).collect::<Vec<_>>(), want, "{vip} {addresses:?}");
        if goes.is_none() {
            assert_eq!(mend, Mend::default(), "{vip} {addresses:?}");
        }
    }
}

fn default_route(gateway: Option<&str>, source: Option<&str>) -> RouteTo {
    let addr = |text: &str| text.parse().unwrap();
    let (gateway, source) = (gateway.map(addr), source.map(addr));
    RouteTo {
        to: "0.0.0.0/0".parse().unwrap(),
        device: "ens192".to_owned(),
        gateway,
        source,
        by_kernel: false,
    }
}

#[test]
fn a_director_keeps_its_vip_and_says_so() {
    let addresses = [("192.168.15.102/21", false), ("192.168.15.111/32", false)];
    let key = ServiceKey::tcp(VIP.parse::<IpAddr>().unwrap(), 7885);
    let entry = ServiceEntry { service: Service::new("rr", key.family()), servers: [].into() };
    let scheduling = Seen { own_table: Table { services: [(key, entry)].into() }, ..Seen::default() };
    let daemon = Seen { director_daemons: vec!["vrrpd".to_owned()], ..Seen::default() };
    for (seen, sign) in
        [(&daemon, "vrrpd runs here"), (&scheduling, "IPVS here has a service for 192.168.15.111")]
    {
        assert_eq!(steps(&addresses, &asked(VIP), seen, NOTHING), Mend::default());
        let mut host = alone();
        host.addresses.push(held("192.168.15.111/32", "ens192", ""));
        let found = check::findings(&host, &asked(VIP), seen);
        assert_eq!(found[0].code, "vip-on-nic");
        assert!(found[0].sentence.contains(sign), "{}", found[0].sentence);
        let by_hand = ["ip address del 192.168.15.111/32 dev ens192", "rs-prep up 192.168.15.111"];
        assert_eq!(found[0].commands, by_hand);
    }
    // A real server's own service of a VIP that is on lo as well.
    let both = |host: &mut HostState| host.addresses.push(held("192.168.15.111/32", "lo", "lo:0"));
    assert!(!steps(&addresses, &asked(VIP), &scheduling, both).steps.is_empty());
}

/// One VIP that stays does not keep the other from being mended.
#[test]
fn what_can_be_mended_is() {
    let asked =
        Asked { vips: [VIP, "10.0.0.1"].map(|a| Vip::direct(a.parse().unwrap())).to_vec(), ..asked(VIP) };
    let mend = steps(&[("192.168.15.111/21", false)], &asked, &Seen::default(), NOTHING);
    assert_eq!(mend.vips, asked.vips[1..]);
    assert!(mend.steps.iter().any(|step| step.to_string().contains("address add 10.0.0.1/32")), "{mend:?}");
}

#[test]
fn a_step_of_two_findings_is_done_once() {
    use crate::host::{Settings, testing::nic};
    let mut host = alone();
    host.nics.push(nic("ens224", true, Settings::default()));
    host.addresses.push(held("10.0.0.2/24", "ens224", "ens224"));
    host.all.proxy_arp = 1;
    let named = Asked { also_mended: vec!["proxy-arp".to_owned()], ..Asked::default() };
    let found = check::findings(&host, &named, &Seen::default());
    assert_eq!(found.iter().map(|finding| finding.code).collect::<Vec<_>>(), ["proxy-arp", "proxy-arp"]);
    let steps: Vec<_> = plan(&host, &[], &found).steps.iter().map(ToString::to_string).collect();
    assert_eq!(steps, ["sysctl -qw net.ipv4.conf.all.proxy_arp=0"]);
}
