//! Routes and rules that a kill leaves behind, among those of others that resemble them.

use lab::{Host, Lab, SECONDS, wait};

use super::faults::{RUN, file, holds};

const LINES: &str = "virtual_ipaddress_excluded {\n 192.168.15.112\n }\n virtual_routes {\n \
                     10.9.0.0/16 via 192.168.15.1 dev ens192\n \
                     10.8.0.0/16 dev ens192 table 7 src 192.168.15.100\n \
                     10.7.0.0/16 via 192.168.15.1 or 192.168.15.2\n \
                     blackhole 10.6.0.0/16 metric 9\n \
                     2001:db8:9::/48 via 2001:db8::1 dev ens192\n }\n virtual_rules {\n \
                     from 10.8.0.0/16 table 7\n \
                     to 10.5.0.0/16 fwmark 1 lookup main preference 100\n \
                     prohibit from 10.3.0.0/16 preference 101\n \
                     from 2001:db8:9::/48 table 7 preference 100\n }";

/// What others set; each differs from one of those in a single thing.
const OTHERS: [&str; 10] = [
    "-4 route add 10.9.0.0/16 via 192.168.15.1 dev ens192 metric 50 protocol 18",
    "-4 route add 10.9.0.0/16 via 192.168.15.1 dev ens192 metric 60 protocol static",
    "-4 route add 10.9.0.0/16 via 192.168.15.1 dev ens192 table 8 protocol 18",
    "-4 route add 10.6.0.0/16 via 192.168.15.1 dev ens192 metric 9 tos 0x10 protocol 18",
    "-6 route add 2001:db8:9::/48 via 2001:db8::1 dev ens192 metric 5 protocol 18",
    "-4 rule add from 10.8.0.0/16 table 7 preference 80",
    "-4 rule add from 10.8.0.0/16 iif ens192 table 7 preference 90 protocol 18",
    "-4 rule add to 10.5.0.0/16 fwmark 1 lookup main preference 99 protocol 18",
    "-4 rule add blackhole from 10.3.0.0/16 preference 102 protocol 18",
    "-6 rule add from 2001:db8:9::/48 table 8 preference 100 protocol 18",
];

/// All routes and rules but those that the kernel keeps for addresses.
fn state(host: &Host) -> Vec<String> {
    let show = "for f in -4 -6; do ip $f rule; ip -o $f route show table all; done";
    let lines = host.ok(&["sh", "-c", show]);
    let kernel = |l: &&str| l.contains("proto kernel") || l.contains("fe80:") || l.contains("ff00:");
    let mut lines: Vec<String> = lines.lines().filter(|l| !kernel(l)).map(str::to_owned).collect();
    lines.sort();
    lines
}

#[test]
fn routes_and_rules_that_a_kill_leaves_go_at_the_next_start_or_by_flush_and_no_others() {
    let lab = Lab::new();
    let host = lab.host("d100", &["192.168.15.100/21", "2001:db8::100/64"]);
    host.write("/etc/vrrp.conf", &file(100, LINES));
    OTHERS.iter().for_each(|line| drop(host.ok(&format!("ip {line}"))));
    let before = state(&host);
    let killed = || {
        let daemon = host.spawn(RUN);
        wait(20 * SECONDS, "the VIP and nine lines", || {
            holds(&host) && state(&host).len() == before.len() + 9
        });
        daemon.kill();
    };
    killed();
    let text = host.ok("vrrpd flush --config /etc/vrrp.conf");
    assert_eq!(text.lines().count(), 11, "{text}");
    assert!(text.contains("removed route 10.9.0.0/16 via 192.168.15.1 dev ens192 protocol 18\n"), "{text}");
    assert_eq!(state(&host), before, "{text}");
    assert!(!host.ok("ip -o address").contains("192.168.15.11"), "both kinds of addresses are gone");
    assert_eq!(host.ok("vrrpd flush --config /etc/vrrp.conf"), "", "nothing is left");

    killed();
    let daemon = host.spawn(RUN);
    daemon.wait_for_line("becoming master", 20 * SECONDS);
    let log = daemon.log();
    assert_eq!(log.matches("by an earlier run: removed").count(), 11, "{log}");
    assert_eq!(daemon.stop(10 * SECONDS), 0);
    assert_eq!(state(&host), before, "{log}");
}
