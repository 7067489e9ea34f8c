use super::*;
use crate::check::{self, Asked, Seen};
use crate::host::testing::{alone, held, with};

fn asked(vip: &str) -> Asked {
    Asked { vips: vec![Vip::direct(vip.parse().unwrap())], named: true, ..Asked::default() }
}

/// Finds, mends, and finds nothing of it any more.
fn mended(host: HostState, asked: &Asked, codes: &[&str]) -> Vec<String> {
    let found = check::findings(&host, asked, &Seen::default());
    let seen: Vec<_> =
        found.iter().map(|finding| finding.code).filter(|code| *code != "no-gateway").collect();
    assert_eq!(seen, codes);
    let steps = plan(&host, &asked.vips, &found).unwrap();
    let after = with(host, &steps);
    let rest = check::findings(&after, asked, &Seen::default());
    assert!(check::ready(&rest), "{rest:?}");
    steps.iter().map(ToString::to_string).collect()
}

#[test]
fn a_vip_on_the_nic_moves_to_lo_and_is_hidden_first() {
    let mut host = alone();
    host.addresses.push(held("192.168.15.111/24", "ens192", "ens192:1"));
    let steps =
        mended(host, &asked("192.168.15.111"), &["vip-on-nic", "vip-missing", "arp-ignore", "arp-announce"]);
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
fn a_wide_mask_becomes_a_host_even_unasked() {
    let mut host = alone();
    host.addresses.push(held("192.168.15.111/24", "lo", "lo:0"));
    let none = Asked::default();
    let steps = mended(host, &none, &["vip-mask"]);
    assert!(steps[0].starts_with("sysctl"), "{steps:?}");
    assert!(steps.contains(&"ip address del 192.168.15.111/24 dev lo".to_owned()), "{steps:?}");
}

#[test]
fn nothing_found_is_nothing_done() {
    assert_eq!(plan(&alone(), &[], &[]), Ok(vec![]));
}
