//! Routes and rules that someone else takes away, or that cannot be set.

use lab::{Host, Lab, SECONDS, wait};

use super::faults::{RUN, file, holds};

fn director(lines: &str) -> (Lab, Host) {
    let lab = Lab::new();
    let host = lab.host("d100", &["192.168.15.100/21", "2001:db8::100/64"]);
    host.nic("ens224", &["10.1.0.1/24"]);
    host.write("/etc/vrrp.conf", &file(100, lines));
    (lab, host)
}

fn shown(host: &Host) -> String {
    host.ok(&["sh", "-c", "ip -4 route; ip -6 route; ip -4 rule; ip -6 rule"]).replace("keepalived", "18")
}

const LINES: &str = "virtual_routes {\n 10.8.0.0/16 via 10.1.0.9 dev ens224\n 10.9.0.0/16 via 192.168.15.9\n \
                     10.10.0.0/16 dev ens224 no_track\n fd08::/64 dev ens224\n }\n \
                     virtual_rules {\n from 10.8.0.0/16 lookup main preference 77\n from 10.9.0.0/16 lookup main\n \
                     from fd08::/64 lookup main\n }";

#[test]
fn a_route_or_rule_that_someone_removes_is_put_back() {
    let (_lab, host) = director(LINES);
    let daemon = host.spawn(RUN);
    let there = |part: &str| shown(&host).matches(part).count();
    wait(10 * SECONDS, "the last line", || there("from fd08::/64 lookup main") == 1);
    for (family, removal, part) in [
        ("-4", "route del 10.8.0.0/16", "10.8.0.0/16 via 10.1.0.9 dev ens224 proto 18"),
        ("-4", "route del 10.9.0.0/16", "10.9.0.0/16 via 192.168.15.9 dev ens192 proto 18"),
        ("-6", "route del fd08::/64", "fd08::/64 dev ens224 proto 18"),
        ("-4", "rule del preference 77", "77:\tfrom 10.8.0.0/16 lookup main"),
        ("-4", "rule del from 10.9.0.0/16", "from 10.9.0.0/16 lookup main"),
        ("-6", "rule del from fd08::/64", "from fd08::/64 lookup main"),
    ] {
        host.ok(&format!("ip {family} {removal}"));
        wait(5 * SECONDS, &format!("{part} after {removal}\n{}", daemon.log()), || there(part) == 1);
    }
    daemon.wait_for_line(
        "route 10.8.0.0/16 via 10.1.0.9 dev ens224 protocol 18 was gone: put back",
        5 * SECONDS,
    );
    assert_eq!(daemon.log().matches("put back").count(), 1, "one line a minute: {}", daemon.log());
    assert_eq!(daemon.log().matches("becoming master").count(), 1, "{}", daemon.log());
    let restored = "vrrpd_addresses_restored_total{instance=\"VI_1\",interface=\"ens192\",vrid=\"51\"} 6\n";
    wait(5 * SECONDS, "six were put back", || host.ok("vrrpd metrics").contains(restored));
    // What the file does not track stays away, also when there is another reason to look.
    host.ok("ip route del 10.10.0.0/16");
    host.ok("ip route del 10.8.0.0/16");
    wait(5 * SECONDS, "the tracked one", || there("10.8.0.0/16 via") == 1);
    assert_eq!(there("10.10.0.0/16"), 0);
    assert_eq!(daemon.stop(10 * SECONDS), 0);
    assert_eq!(there("proto 18"), 0, "{}", shown(&host));
    assert_eq!(there("from 10.9.0.0/16") + there("from fd08::/64") + there("77:"), 0, "{}", shown(&host));
}

/// The kernel removes it without a word.
#[test]
fn a_route_that_goes_with_its_interface_returns_with_it() {
    let (_lab, host) = director("virtual_routes {\n 10.8.0.0/16 via 10.1.0.9\n }");
    let daemon = host.spawn(RUN);
    let there = || shown(&host).contains("10.8.0.0/16 via 10.1.0.9 dev ens224 proto 18");
    wait(10 * SECONDS, "the route", there);
    host.ok("ip link set ens224 down");
    assert!(!there());
    host.ok("ip link set ens224 up");
    wait(5 * SECONDS, "the route again", there);
    assert!(holds(&host));
    assert_eq!(daemon.log().matches("becoming master").count(), 1, "{}", daemon.log());
}

#[test]
fn a_route_that_cannot_be_set_is_shown_and_tried_again() {
    let (_lab, host) = director("virtual_routes {\n 10.8.0.0/16 via 10.77.0.9 dev ens224\n }");
    let daemon = host.spawn(RUN);
    wait(10 * SECONDS, "the address", || holds(&host));
    let line = "not set    route 10.8.0.0/16 via 10.77.0.9 dev ens224 protocol 18: ";
    wait(5 * SECONDS, "the reason", || host.ok("vrrpd status").contains(line));
    let unset = |n: u8| {
        let gauge = format!("vrrpd_routes_unset{{instance=\"VI_1\",interface=\"ens192\",vrid=\"51\"}} {n}\n");
        host.ok("vrrpd metrics").contains(&gauge)
    };
    assert!(unset(1), "{}", host.ok("vrrpd metrics"));
    host.ok("ip address add 10.77.0.1/24 dev ens224");
    wait(5 * SECONDS, "the route", || shown(&host).contains("10.8.0.0/16 via 10.77.0.9 dev ens224"));
    wait(5 * SECONDS, "nothing is missing", || !host.ok("vrrpd status").contains("not set") && unset(0));
    daemon.wait_for_line("protocol 18 is set at last", 5 * SECONDS);
    assert_eq!(daemon.log().matches("cannot set").count(), 1, "{}", daemon.log());
}
