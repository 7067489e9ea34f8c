//! Unicast peers that are not known, or cannot be reached.

use std::time::Duration;

use lab::{Host, Lab, SECONDS, pause, wait};

use super::duel::Program;
use super::faults::{RUN, file};

/// The value of a counter of the only instance.
fn metric(host: &Host, name: &str) -> u64 {
    let metrics = host.ok("vrrpd metrics");
    let line = metrics.lines().find(|l| l.starts_with(&format!("{name}{{")));
    line.and_then(|l| l.rsplit(' ').next()?.parse().ok()).expect("a counter")
}

/// A unicast pair: the higher one comes back from a pulled cable while nobody knows its MAC address any more.
fn comes_back_unknown(peer: Program, net: &str, vip: &str) {
    const DELAY: Duration = Duration::from_secs(8);
    let lab = Lab::new();
    let router = |name, here: u8, there: u8, priority| {
        let length = if net.contains(':') { 64 } else { 21 };
        let host = lab.host(name, &[&format!("{net}{here}/{length}")]);
        host.ok("sysctl -qw net.ipv6.conf.ens192.accept_dad=0");
        let lines =
            format!("preempt_delay 8\n unicast_src_ip {net}{here}\n unicast_peer {{\n {net}{there}\n }}");
        host.write("/etc/vrrp.conf", &file(priority, &lines).replace("192.168.15.111", vip));
        host
    };
    let (a, b) = (router("d100", 100, 101, 150), router("d101", 101, 100, 100));
    let holds = |host: &Host| host.ok("ip -o address show dev ens192").contains(&format!(" {vip}/"));
    let high = a.spawn(RUN);
    wait(20 * SECONDS, "the higher one alone", || holds(&a));
    let low = peer.start(&b);
    a.unplug();
    wait(20 * SECONDS, "the lower one is master", || holds(&b) && !holds(&a));
    for host in [&a, &b] {
        host.ok("ip neigh flush dev ens192");
    }
    let given_up =
        || ["INCOMPLETE", "FAILED"].iter().any(|w| b.ok(&format!("ip neigh show {net}100")).contains(w));
    wait(20 * SECONDS, "it asks in vain", given_up);
    pause(SECONDS / 2);
    let plugged = lvs_core::sys::clock::now();
    a.plug();
    let back = high.wait_for_line_after(plugged, "backup with priority 150", 20 * SECONDS).at;
    high.wait_for_line_after(plugged, &format!("{net}101 stays master with the lower priority 100"), SECONDS);
    // Nor does it know its peer when it takes over; the first advertisement waits for the answer and is not lost.
    let shark = [
        "tshark",
        "-l",
        "-i",
        "br0",
        "-f",
        "proto 112 and src 192.168.15.100",
        "-T",
        "fields",
        "-e",
        "ip.id",
    ];
    let shark = lab.switch().spawn(&shark);
    shark.wait_for_line("Capturing", 20 * SECONDS);
    a.ok("ip neigh flush dev ens192");
    let sent = metric(&a, "vrrpd_advertisements_sent_total");
    let again = high.wait_for_line_after(plugged, "becoming master", 20 * SECONDS).at;
    // IPv6 packets have no number.
    if !net.contains(':') {
        let first = shark.wait_for_line("0x", 5 * SECONDS).text;
        assert_eq!(first, format!("0x{:04x}", sent + 1), "the first of all that were sent");
    }
    assert!(again - back >= DELAY, "{:?} after the fault: {}", again - back, high.log());
    wait(5 * SECONDS, "the higher one alone", || holds(&a) && !holds(&b));
    assert_eq!(high.log().matches("becoming master").count(), 2, "{}\n{}", high.log(), low.log());
}

#[test]
fn who_comes_back_from_a_fault_is_found_by_its_unicast_peer_before_it_takes_over() {
    std::thread::scope(|scope| {
        for peer in [Program::Keepalived, Program::Vrrpd] {
            scope.spawn(move || comes_back_unknown(peer, "192.168.15.", "192.168.15.111"));
            scope.spawn(move || comes_back_unknown(peer, "2001:db8::", "fe80::1:1"));
        }
    });
}

#[test]
fn a_peer_that_cannot_be_reached_is_told_of_once_and_counted() {
    let lab = Lab::new();
    // An IPv6 packet needs a route also where its interface is given.
    let [a, b] = [("d100", 100, 150, "2001:db8::101\n 2001:db8:9::1"), ("d101", 101, 100, "2001:db8::100")]
        .map(|(name, last, priority, peers)| {
            let host = lab.host(name, &[&format!("2001:db8::{last}/64")]);
            let lines = format!("unicast_src_ip 2001:db8::{last}\n unicast_peer {{\n {peers}\n }}");
            host.write("/etc/vrrp.conf", &file(priority, &lines).replace(" 192.168.15.111", " fe80::1:1"));
            host
        });
    let high = a.spawn(RUN);
    high.wait_for_line("becoming master", 20 * SECONDS);
    let low = b.spawn(RUN);
    high.wait_for_line("cannot send an advertisement on ens192: to 2001:db8:9::1: ", SECONDS);
    wait(20 * SECONDS, "twenty of them", || metric(&a, "vrrpd_send_errors_total") >= 20);
    assert!(a.ok("vrrpd status").contains("not sent"), "{}", a.ok("vrrpd status"));
    assert_eq!(high.log().matches("cannot send").count(), 1, "{}", high.log());
    low.wait_for_line("backup with priority 100", 20 * SECONDS);
    assert!(!low.log().contains("becoming master"), "the other peer hears: {}", low.log());
}

/// A stranger's multicast with the number of a unicast router, on an interface where another instance has joined the group.
fn stays_deaf(program: Program) {
    let lab = Lab::new();
    let host = lab.host("d100", &["192.168.15.100/21"]);
    let own = "unicast_src_ip 192.168.15.100\n unicast_peer {\n 192.168.15.101\n }";
    let other = file(100, "").replace("VI_1", "VI_2").replace("router_id 51", "router_id 60");
    let other = other.replace("192.168.15.111", "192.168.15.112");
    host.write("/etc/vrrp.conf", &(file(150, own) + &other));
    let holds = |host: &Host, vip: &str| host.ok("ip -o address").contains(&format!(" {vip}/"));
    let daemon = program.start(&host);
    wait(20 * SECONDS, "both are master", || {
        holds(&host, "192.168.15.111") && holds(&host, "192.168.15.112")
    });
    let stranger = lab.host("stranger", &["192.168.15.200/21"]);
    stranger.write("/etc/vrrp.conf", &file(200, "").replace("192.168.15.111", "192.168.15.119"));
    let theirs = Program::Keepalived.start(&stranger);
    wait(20 * SECONDS, "the stranger is master", || holds(&stranger, "192.168.15.119"));
    // Ten of its advertisements.
    pause(2 * SECONDS);
    assert!(holds(&host, "192.168.15.111"), "{program:?}: {}\n{}", daemon.log(), theirs.log());
    if program == Program::Vrrpd {
        daemon.wait_for_line("rejected: it was sent to 224.0.0.18", SECONDS);
        assert!(host.ok("vrrpd metrics").contains("reason=\"group\""), "{}", host.ok("vrrpd metrics"));
    }
}

#[test]
fn a_strangers_multicast_does_not_depose_a_unicast_router() {
    std::thread::scope(|scope| {
        for program in [Program::Keepalived, Program::Vrrpd] {
            scope.spawn(move || stays_deaf(program));
        }
    });
}
