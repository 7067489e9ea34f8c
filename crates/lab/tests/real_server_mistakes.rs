//! Every mistake that is made with real servers: made by hand, found by `rs-prep check` on the real server or by
//! `rs-prep probe` on the director, and mended by what they say.
#![allow(clippy::panic, clippy::unwrap_used)]

use std::collections::BTreeSet;

use lab::{Daemon, Host, Lab, Output, SECONDS, wait};
use lvs_core::sys::clock;
use serde_json::Value;

const VIP: &str = "192.168.15.111";
const PROBE: &str = "rs-prep probe 192.168.15.111 --dev ens192 -p 7885 -r 192.168.15.102 -t 300ms";

/// The director .100 with the VIP, and the real server .102, as yet unprepared.
struct Pair {
    lab: Lab,
    director: Host,
    server: Host,
    _service: Option<Daemon>,
}

impl Pair {
    fn bare() -> Self {
        let lab = Lab::new();
        let director = lab.host("d100", &["192.168.15.100/21", "192.168.15.111/32"]);
        let server = lab.host("r102", &["192.168.15.102/21"]);
        server.ok("ip route add default via 192.168.8.1");
        Self { lab, director, server, _service: None }
    }

    /// Prepared, with a service that listens on `address`.
    fn serving(address: &str) -> Self {
        let mut pair = Self::bare();
        pair.server.ok("rs-prep up 192.168.15.111");
        let service = pair.server.spawn(&format!("lab server r102 {address}"));
        service.wait_for_line("serves", 5 * SECONDS);
        pair._service = Some(service);
        pair
    }

    /// Waits until a look from the director finds just these: neighbours are unlearned in their own time.
    #[track_caller]
    fn probed(&self, want: &[&str]) {
        self.director.wait_for_codes(PROBE, |found| *found == set(want));
    }
}

trait Codes {
    fn wait_for_codes(&self, probe: &str, want: impl Fn(&BTreeSet<String>) -> bool);
}

impl Codes for Host {
    /// Waits until a probe finds what is wanted; panics with the last answer.
    #[track_caller]
    fn wait_for_codes(&self, probe: &str, want: impl Fn(&BTreeSet<String>) -> bool) {
        let mut last = self.run(&format!("{probe} --json"));
        let mut tries = 0;
        while !want(&codes(&last)) && tries < 20 {
            last = self.run(&format!("{probe} --json"));
            tries += 1;
        }
        assert!(want(&codes(&last)), "{last}");
    }
}

fn report(output: &Output) -> Value {
    serde_json::from_str(&output.stdout).unwrap_or_else(|e| panic!("{e}: {output}"))
}

fn codes(output: &Output) -> BTreeSet<String> {
    let found = report(output)["findings"].as_array().cloned().unwrap_or_default();
    found.iter().map(|finding| finding["code"].as_str().unwrap_or_default().to_owned()).collect()
}

fn set(codes: &[&str]) -> BTreeSet<String> {
    codes.iter().map(|code| (*code).to_owned()).collect()
}

/// `check` finds these, `--fix` mends them, and then nothing is left.
fn found_and_mended(server: &Host, args: &str, want: &[&str]) {
    found_and_mended_by(server, args, want, "--fix");
}

fn found_and_mended_by(server: &Host, args: &str, want: &[&str], fix: &str) {
    let check = server.run(&format!("rs-prep check {args} --json"));
    assert_eq!(codes(&check), set(want), "{check}");
    let errors = check.stdout.contains("\"severity\":\"error\"");
    assert_eq!(check.status, i32::from(errors), "{check}");
    let fix = server.run(&format!("rs-prep check {args} {fix} --json"));
    assert_eq!((fix.status, codes(&fix)), (0, set(&[])), "{fix}");
    assert!(!report(&fix)["mended"].as_array().unwrap().is_empty(), "{fix}");
}

#[test]
fn a_well_prepared_real_server_is_found_well() {
    let pair = Pair::serving("7885");
    let check = pair.server.run("rs-prep check 192.168.15.111 -p 7885 --json");
    assert_eq!((check.status, codes(&check)), (0, set(&[])), "{check}");
    pair.probed(&[]);
    let told = pair.director.ok(PROBE);
    assert!(told.contains("192.168.15.102:7885: RIP open, VIP open\n"), "{told}");
}

#[test]
fn settings_of_lo_alone_do_nothing() {
    let pair = Pair::serving("7885");
    let (director, server) = (&pair.director, &pair.server);
    server.ok("sysctl -qw net.ipv4.conf.all.arp_ignore=0 net.ipv4.conf.all.arp_announce=0");
    server.ok("sysctl -qw net.ipv4.conf.ens192.arp_ignore=0 net.ipv4.conf.ens192.arp_announce=0");
    server.ok("sysctl -qw net.ipv4.conf.lo.arp_ignore=1 net.ipv4.conf.lo.arp_announce=2");
    let probe = director.run(PROBE);
    assert_eq!(probe.status, 1, "{probe}");
    assert!(probe.stdout.contains("192.168.15.102 (02:00:c0:a8:0f:66) answers ARP for the VIP"), "{probe}");
    let check = server.run("rs-prep check");
    assert!(check.stdout.contains("the value of lo does nothing, set all"), "{check}");
    found_and_mended(server, "", &["arp-ignore", "arp-announce"]);
    pair.probed(&[]);
}

#[test]
fn announce_1_moves_the_vip_when_the_real_server_asks() {
    let pair = Pair::serving("7885");
    for name in ["all", "ens192"] {
        pair.server.ok(&format!("sysctl -qw net.ipv4.conf.{name}.arp_announce=1"));
    }
    pair.server.ok("ip neighbour flush all");
    // The director holds the VIP and so takes no such question: the answer to the probe never comes.
    pair.director.wait_for_codes(PROBE, |found| *found == set(&["announces"]));
    found_and_mended(&pair.server, "", &["arp-announce"]);
    pair.server.ok("ip neighbour flush all");
    pair.probed(&[]);
}

#[test]
fn a_larger_number_on_the_interface_defeats_all() {
    let pair = Pair::serving("7885");
    for (name, value, code) in [("arp_ignore", 5, "arp-ignore"), ("arp_announce", 3, "arp-announce")] {
        pair.server.ok(&format!("sysctl -qw net.ipv4.conf.ens192.{name}={value}"));
        if code == "arp-ignore" {
            pair.probed(&["leak"]);
        }
        found_and_mended(&pair.server, "", &[code]);
        pair.probed(&[]);
    }
    pair.server.ok("sysctl -qw net.ipv4.conf.ens192.arp_ignore=8");
    pair.probed(&["no-server"]);
    found_and_mended(&pair.server, "", &["arp-mute"]);
}

#[test]
fn an_interface_that_comes_later_is_judged_too() {
    let pair = Pair::serving("7885");
    pair.server.ok("sysctl -qw net.ipv4.conf.all.arp_ignore=0 net.ipv4.conf.all.arp_announce=0");
    pair.server.nic("ens224", &["192.168.15.202/21"]);
    pair.director.wait_for_codes(PROBE, |found| found.contains("leak"));
    let probe = pair.director.run(PROBE);
    assert!(probe.stdout.contains("(02:00:c0:a8:0f:ca) answers ARP for the VIP"), "{probe}");
    let check = pair.server.run("rs-prep check");
    assert!(check.stdout.contains("ens224 answers ARP for the VIP"), "{check}");
    assert!(!check.stdout.contains("ens192 answers"), "{check}");
    found_and_mended(&pair.server, "", &["arp-ignore", "arp-announce"]);
    pair.probed(&[]);
}

#[test]
fn a_bridge_counts_and_its_port_does_not() {
    let lab = Lab::new();
    let director = lab.host("d100", &["192.168.15.100/21", "192.168.15.111/32"]);
    let server = lab.host("r102", &[]);
    server.ok("ip link add br0 type bridge");
    server.ok("ip link set br0 address 02:00:c0:a8:0f:66 up");
    server.ok("ip link set ens192 master br0");
    server.ok("ip address add 192.168.15.102/21 dev br0");
    server.ok("ip route add default via 192.168.8.1");
    server.ok("sysctl -qw net.ipv4.conf.ens192.arp_ignore=1 net.ipv4.conf.ens192.arp_announce=2");
    server.ok("ip address add 192.168.15.111/32 dev lo");
    let probe = "rs-prep probe 192.168.15.111 --dev ens192 -r 192.168.15.102 -t 300ms --json";
    wait(10 * SECONDS, "the bridge to forward", || codes(&director.run(probe)) == set(&["leak"]));
    found_and_mended(&server, "", &["arp-ignore", "arp-announce"]);
    assert_eq!(codes(&director.run(probe)), set(&[]));
}

#[test]
fn a_wide_mask_on_lo() {
    let pair = Pair::serving("7885");
    pair.server.ok("rs-prep down --all");
    pair.server.ok("ip address add 192.168.15.111/24 dev lo");
    let up = pair.server.run("rs-prep up 192.168.15.111");
    assert_eq!(up.status, 1, "{up}");
    assert!(up.stderr.contains("ip address del 192.168.15.111/24 dev lo"), "{up}");
    let check = pair.server.run("rs-prep check 192.168.15.111 --json");
    assert_eq!(codes(&check), set(&["vip-mask", "arp-ignore", "arp-announce"]), "{check}");
    found_and_mended(&pair.server, VIP, &["vip-mask", "arp-ignore", "arp-announce"]);
    assert!(pair.server.ok("ip address show dev lo").contains("192.168.15.111/32 brd"));
    pair.probed(&[]);
}

#[test]
fn the_vip_on_the_real_servers_nic() {
    let pair = Pair::serving("7885");
    pair.server.ok("ip address del 192.168.15.111/32 dev lo");
    pair.server.ok("ip address add 192.168.15.111/21 dev ens192");
    pair.probed(&["leak"]);
    assert_eq!(pair.server.run("rs-prep up 192.168.15.111").status, 1);
    found_and_mended(&pair.server, VIP, &["vip-on-nic"]);
    pair.probed(&[]);
}

#[test]
fn the_vip_is_missing_and_the_check_of_the_rip_stays_green() {
    let pair = Pair::serving("7885");
    pair.server.ok("rs-prep down --all");
    assert_eq!(pair.director.ok("lab get 192.168.15.102:7885"), "r102\n", "what a TCP check sees");
    pair.probed(&["vip-missing"]);
    let told = pair.director.run(PROBE).stdout;
    assert!(told.contains("RIP open, VIP silent: the VIP is missing there"), "{told}");
    found_and_mended(&pair.server, VIP, &["vip-missing", "arp-ignore", "arp-announce"]);
    pair.probed(&[]);
}

#[test]
fn a_service_bound_to_the_rip_only() {
    let pair = Pair::serving("192.168.15.102:7885");
    pair.probed(&["rip-only"]);
    let told = pair.director.run(PROBE).stdout;
    assert!(told.contains("RIP open, VIP closed: the service is bound to the RIP only"), "{told}");
    let check = pair.server.run("rs-prep check 192.168.15.111 -p 7885 --json");
    assert_eq!((check.status, codes(&check)), (1, set(&["rip-only"])), "{check}");
    assert!(check.stdout.contains("let the service listen on 0.0.0.0:7885"), "{check}");
    let guessed = pair.server.run("rs-prep check --json");
    assert_eq!(
        (guessed.status, codes(&guessed)),
        (0, set(&["rip-only"])),
        "a warning without the port: {guessed}"
    );
    drop(pair);

    // What the sentence says to do.
    let mended = Pair::serving("0.0.0.0:7885");
    mended.probed(&[]);
    assert_eq!(mended.server.run("rs-prep check 192.168.15.111 -p 7885").status, 0);
}

#[test]
fn a_service_bound_to_the_vip_only_or_not_at_all() {
    let pair = Pair::serving("192.168.15.111:7885");
    pair.probed(&["vip-only"]);
    let check = pair.server.run("rs-prep check 192.168.15.111 -p 7885 -p 80 --json");
    assert_eq!((check.status, codes(&check)), (1, set(&["vip-only", "no-listener"])), "{check}");
    let other = pair.director.run(&format!("{} --json", PROBE.replace("7885", "80")));
    assert_eq!(codes(&other), set(&["no-service"]), "{other}");
}

#[test]
fn a_firewall_that_drops_the_vip() {
    let pair = Pair::serving("7885");
    pair.server.ok("iptables-legacy -A INPUT -d 192.168.15.111 -j DROP");
    pair.probed(&["vip-missing"]);
    let told = pair.director.run(PROBE).stdout;
    assert!(told.contains("or a firewall or rp_filter drops its packets"), "{told}");
    pair.server.ok("iptables-legacy -F");
    pair.probed(&[]);
}

#[test]
fn nat_rules_of_the_vip_and_what_deletes_them() {
    let pair = Pair::serving("7885");
    pair.server.ok("iptables-legacy -t nat -A POSTROUTING -s 192.168.15.111 -j MASQUERADE");
    let check = pair.server.run("rs-prep check --json");
    assert_eq!((check.status, codes(&check)), (1, set(&["nat"])), "{check}");
    let command = report(&check)["findings"][0]["commands"][0].as_str().unwrap().to_owned();
    // Which of the two iptables it is depends on the host.
    pair.server.ok(&command.replace("iptables", "iptables-legacy"));
    assert_eq!(pair.server.run("rs-prep check").status, 0);
}

/// A connection that tracking did not see begin stands still, and goes on after the printed commands.
#[test]
fn a_rule_that_drops_invalid_packets() {
    let pair = Pair::serving("7885");
    let server = &pair.server;
    let echo = server.spawn("lab echo r102 7886");
    echo.wait_for_line("echoes", 5 * SECONDS);
    let client = pair.lab.host("c50", &["192.168.8.50/21"]);
    // What the director would do: the packet goes to the real server's MAC.
    client.ok("ip neighbour replace 192.168.15.111 lladdr 02:00:c0:a8:0f:66 dev ens192 nud permanent");
    let talk = client.spawn("lab talk 192.168.15.111:7886");
    talk.wait_for_line("r102 5", 5 * SECONDS);
    server.ok("sysctl -qw net.netfilter.nf_conntrack_tcp_loose=0");
    server.ok("iptables-legacy -A INPUT -m conntrack --ctstate INVALID -j DROP");
    let check = server.run("rs-prep check --json");
    assert_eq!((check.status, codes(&check)), (0, set(&["conntrack-invalid"])), "{check}");
    let dropped = || {
        let list = server.ok("iptables-legacy -L INPUT -v -x -n");
        let line = list.lines().find(|line| line.contains("INVALID")).unwrap_or_default().to_owned();
        line.split_whitespace().next().and_then(|n| n.parse::<u64>().ok()).unwrap_or_default()
    };
    wait(10 * SECONDS, "a packet of the connection to be dropped", || dropped() > 0);
    for command in report(&check)["findings"][0]["commands"].as_array().unwrap() {
        server.ok(&command.as_str().unwrap().replace("iptables", "iptables-legacy"));
    }
    let mended = clock::now();
    talk.wait_for_line_after(mended, "r102 ", 10 * SECONDS);
}

/// A real server with a second, strict NIC, and a client behind a router on that side. The director hands over on ens192.
fn two_nics() -> (Pair, Host, [Host; 2]) {
    let pair = Pair::serving("7885");
    pair.lab.segment("outside");
    pair.lab.segment("far");
    pair.server.nic_on("outside", "ens224", &["10.1.1.2/24"]);
    let router = pair.lab.bare_host("gw");
    router.nic_on("outside", "ens192", &["10.1.1.1/24"]);
    router.nic_on("far", "ens224", &["10.9.0.1/24"]);
    router.ok("sysctl -qw net.ipv4.ip_forward=1");
    let client = pair.lab.bare_host("c50");
    client.nic_on("far", "ens192", &["10.9.0.50/24"]);
    client.ok("ip route add default via 10.9.0.1");
    // The client's way to the director is of no matter here: what the director would send comes from another host's
    // ens192, with the client's address, to the real server's MAC.
    let sender = pair.lab.host("d101", &["192.168.15.101/21"]);
    sender.ok("ip address add 10.9.0.50/32 dev lo");
    sender.ok("ip neighbour replace 192.168.15.111 lladdr 02:00:c0:a8:0f:66 dev ens192 nud permanent");
    sender.ok("ip route add 192.168.15.111/32 dev ens192 src 10.9.0.50");
    pair.server.ok("sysctl -qw net.ipv4.conf.all.rp_filter=1");
    (pair, sender, [router, client])
}

/// What the reverse path filter of a host has dropped.
fn dropped(host: &Host) -> u64 {
    let text = host.read("/proc/net/netstat");
    let mut lines = text.lines().filter(|line| line.starts_with("TcpExt: "));
    let (names, values) = (lines.next().unwrap_or_default(), lines.next().unwrap_or_default());
    let mut pairs = names.split_whitespace().zip(values.split_whitespace());
    pairs.find(|(name, _)| *name == "IPReversePathFilter").and_then(|(_, n)| n.parse().ok()).unwrap()
}

/// What comes in on ens192 from 10.9.0.50 is dropped, or taken and answered by the way back to the client.
#[track_caller]
fn is_dropped(server: &Host, sender: &Host, want: bool) {
    let counts = || (dropped(server), counter(server, "Tcp", "InSegs"));
    let before = counts();
    // The answer goes to the client, so the sender gets none.
    assert_eq!(sender.run("lab get 192.168.15.111:7885").status, 1);
    let after = counts();
    assert_eq!((after.0 > before.0, after.1 > before.1), (want, !want), "{before:?} {after:?}");
}

#[test]
fn strict_filtering_on_a_second_nic() {
    let (pair, sender, _far) = two_nics();
    let server = &pair.server;
    server.ok("ip route replace default via 10.1.1.1");
    is_dropped(server, &sender, true);
    // The RIP is on ens192, so that is where directors send; distant clients are answered by ens224.
    found_and_mended(server, "192.168.15.111 -p 7885", &["rp-filter"]);
    assert_eq!(server.ok("sysctl -n net.ipv4.conf.ens192.rp_filter"), "2\n");
    is_dropped(server, &sender, false);
    server.ok("rs-prep down --all");
    assert_ne!(server.ok("sysctl -n net.ipv4.conf.ens192.rp_filter"), "2\n", "down gives it back");
}

/// The default route is where the director is, and one network of clients is elsewhere.
#[test]
fn strict_filtering_of_one_network_of_clients() {
    let (pair, sender, _far) = two_nics();
    let server = &pair.server;
    server.ok("ip route add 10.9.0.0/16 via 10.1.1.1");
    is_dropped(server, &sender, true);
    let check = server.run("rs-prep check 192.168.15.111 -p 7885 --json");
    assert_eq!((check.status, codes(&check)), (0, set(&["rp-filter"])), "{check}");
    assert!(check.stdout.contains("clients of 10.9.0.0/16"), "{check}");
    server.ok(report(&check)["findings"][0]["commands"][0].as_str().unwrap());
    is_dropped(server, &sender, false);
    assert_eq!(codes(&server.run("rs-prep check 192.168.15.111 -p 7885 --json")), set(&[]));
    server.ok("sysctl -qw net.ipv4.conf.ens192.rp_filter=1");
    found_and_mended_by(server, "192.168.15.111 -p 7885", &["rp-filter"], "--fix=rp-filter");
    is_dropped(server, &sender, false);
}

/// Rules lead replies from the VIP to a table of their own: the main table's default route is not theirs.
#[test]
fn rules_and_their_tables_are_asked_not_guessed() {
    let (pair, sender, _far) = two_nics();
    let server = &pair.server;
    server.ok("ip route replace default via 10.1.1.1");
    server.ok("ip route add default via 192.168.8.1 dev ens192 table 100");
    server.ok("ip rule add from 192.168.15.111 table 100");
    is_dropped(server, &sender, false);
    assert_eq!(codes(&server.run("rs-prep check 192.168.15.111 -p 7885 --json")), set(&[]));
    server.ok("ip rule del from 192.168.15.111 table 100");
    is_dropped(server, &sender, true);
    assert_eq!(codes(&server.run("rs-prep check 192.168.15.111 -p 7885 --json")), set(&["rp-filter"]));
    // The only default route is in another table.
    server.ok("ip route del default");
    server.ok("ip rule add lookup 100");
    assert_eq!(codes(&server.run("rs-prep check 192.168.15.111 -p 7885 --json")), set(&[]));
    server.ok("ip rule del lookup 100");
    assert_eq!(codes(&server.run("rs-prep check 192.168.15.111 -p 7885 --json")), set(&["no-gateway"]));
}

#[test]
fn the_director_as_the_default_gateway() {
    let pair = Pair::serving("7885");
    pair.server.ok("ip route replace default via 192.168.15.100");
    let check = pair.server.run("rs-prep check --director 192.168.15.100 --json");
    assert_eq!((check.status, codes(&check)), (1, set(&["gateway-director"])), "{check}");
    pair.server.ok("ip route replace default via 192.168.8.1");
    assert_eq!(pair.server.run("rs-prep check --director 192.168.15.100").status, 0);
    // One of two gateways: it is half of the replies that go missing.
    pair.server.ok("ip route replace default nexthop via 192.168.8.1 nexthop via 192.168.15.100");
    let check = pair.server.run("rs-prep check --director 192.168.15.100 --json");
    assert_eq!((check.status, codes(&check)), (1, set(&["gateway-director"])), "{check}");
    pair.server.ok("ip route del default");
    let check = pair.server.run("rs-prep check --json");
    assert_eq!((check.status, codes(&check)), (0, set(&["no-gateway"])), "{check}");
}

/// The file of a pair of directors names only their VIP, and neither of them by its own address.
#[test]
fn the_director_as_the_default_gateway_is_known_by_its_mac() {
    let pair = Pair::serving("7885");
    let (server, check) = (&pair.server, "rs-prep check --config /etc/keepalived.conf --json");
    server.write(
        "/etc/keepalived.conf",
        "vrrp_instance VI_1 {\n interface ens192\n virtual_router_id 51\n priority 100\n virtual_ipaddress {\n  \
         192.168.15.111\n }\n}\nvirtual_server 192.168.15.111 7885 {\n lb_algo rr\n lb_kind DR\n protocol TCP\n \
         real_server 192.168.15.102 7885 {\n  TCP_CHECK {\n  }\n }\n}\n",
    );
    server.ok("ip route replace default via 192.168.15.100");
    // Without the state, which changes by itself.
    let cache = |host: &Host| host.sh("ip neighbour show | cut -d' ' -f1-5 | sort").stdout;
    let before = (cache(server), cache(&pair.director));
    let found = server.run(check);
    assert_eq!((found.status, codes(&found)), (1, set(&["gateway-director"])), "{found}");
    assert!(found.stdout.contains("it answers ARP for 192.168.15.111 with its own MAC"), "{found}");
    assert_eq!((cache(server), cache(&pair.director)), before);

    // Another router; then one that nobody has ever heard of.
    let _router = pair.lab.host("gw", &["192.168.8.1/21"]);
    server.ok("ip route replace default via 192.168.8.1");
    let well = server.run(check);
    assert_eq!((well.status, codes(&well)), (0, set(&[])), "{well}");
    assert_eq!(report(&well)["not_checked"].as_array().unwrap().len(), 0, "{well}");
    server.ok("ip route replace default via 192.168.8.2");
    let silent = server.run(check);
    assert!(
        silent.status == 0 && silent.stdout.contains("nobody answers for 192.168.8.2 on ens192"),
        "{silent}"
    );
    let reader = server.run(&format!("setpriv --reuid 65534 --regid 65534 --clear-groups {check}"));
    assert!(reader.stdout.contains("gateway-director: who holds the VIP cannot be asked"), "{reader}");
}

/// A reply that goes through the director has the director's own VIP as its sender: the kernel drops it as a martian.
#[test]
fn replies_through_the_director_are_martians() {
    let pair = Pair::serving("7885");
    let (director, server) = (&pair.director, &pair.server);
    pair.lab.segment("outside");
    let router = pair.lab.host("gw", &["192.168.8.1/21"]);
    router.nic_on("outside", "ens224", &["10.9.0.1/24"]);
    let client = pair.lab.bare_host("c50");
    client.nic_on("outside", "ens192", &["10.9.0.50/24"]);
    client.ok("ip route add default via 10.9.0.1");
    director.ok("ip route add default via 192.168.8.1");
    for host in [&router, director] {
        host.ok("sysctl -qw net.ipv4.ip_forward=1");
    }
    director.ok("ipvsctl -A -t 192.168.15.111:7885 -s rr");
    director.ok("ipvsctl -a -t 192.168.15.111:7885 -r 192.168.15.102:7885 -g");
    assert_eq!(client.ok("lab get 192.168.15.111:7885"), "r102\n", "past the director");

    server.ok("ip route replace default via 192.168.15.100");
    let before = martians(director);
    assert_eq!(client.run("lab get 192.168.15.111:7885").status, 1);
    assert!(martians(director) > before, "dropped elsewhere: {}", director.ok("ip -s link show ens192"));
    let check = server.run("rs-prep check --director 192.168.15.100 --json");
    assert_eq!((check.status, codes(&check)), (1, set(&["gateway-director"])), "{check}");
    // Either of the two that it prints.
    let finding = &report(&check)["findings"][0];
    let (here, elsewhere) =
        (finding["commands"][0].as_str().unwrap(), finding["advice"][0].as_str().unwrap());
    let there = elsewhere.split_once("router: ").unwrap().1;
    director.ok(there);
    for strict in [0, 1] {
        director.ok(&format!("sysctl -qw net.ipv4.conf.all.rp_filter={strict}"));
        assert_eq!(client.ok("lab get 192.168.15.111:7885"), "r102\n", "accept_local, rp_filter {strict}");
    }
    director.ok("sysctl -qw net.ipv4.conf.all.accept_local=0");
    assert_eq!(client.run("lab get 192.168.15.111:7885").status, 1);
    server.ok(&here.replace("ROUTER", "192.168.8.1"));
    assert_eq!(client.ok("lab get 192.168.15.111:7885"), "r102\n");
}

/// Packets whose sender cannot be, since the kernel started (in_martian_src, the eighth number of each processor).
fn martians(host: &Host) -> u64 {
    let text = host.read("/proc/net/stat/rt_cache");
    let mut lines = text.lines();
    let names = lines.next().unwrap_or_default();
    let at = names.split_whitespace().position(|name| name == "in_martian_src").unwrap();
    lines.map(|line| u64::from_str_radix(line.split_whitespace().nth(at).unwrap(), 16).unwrap()).sum()
}

/// Two directors, of which the second is prepared as a real server, and a client.
fn director_pair() -> [Host; 3] {
    let lab = Lab::new();
    let master = lab.host("d100", &["192.168.15.100/21", "192.168.15.111/32"]);
    let backup = lab.host("d101", &["192.168.15.101/21"]);
    backup.ok("rs-prep up 192.168.15.111");
    backup.ok("ip route add default via 192.168.8.1");
    [master, backup, lab.host("c50", &["192.168.8.50/21"])]
}

/// Two directors that are each other's real servers, both with the table of the same file: what the master hands over
/// the other one's IPVS schedules again.
#[test]
fn packets_bounce_between_two_directors_that_are_real_servers() {
    let [master, backup, client] = director_pair();
    let mut services = Vec::new();
    for host in [&master, &backup] {
        let service = host.spawn(&format!("lab server {} 7885", host.name()));
        service.wait_for_line("serves", 5 * SECONDS);
        services.push(service);
        host.ok("ipvsctl -A -t 192.168.15.111:7885 -s rr");
        host.ok("ipvsctl -a -t 192.168.15.111:7885 -r 192.168.15.100:7885 -g");
        host.ok("ipvsctl -a -t 192.168.15.111:7885 -r 192.168.15.101:7885 -g");
    }
    let sent = || counter(&client, "Tcp", "OutSegs") + counter(&client, "Tcp", "RetransSegs");
    // Four connections: the master gives two of them to the other, which gives one of these two back.
    let ask = || (0..4).filter(|_| client.run("lab get 192.168.15.111:7885").status == 0).count();
    assert_eq!(ask(), 3, "one in four is lost");
    for host in [&master, &backup] {
        let what = format!("{} to have taken in more than the client's {}", host.name(), sent());
        wait(5 * SECONDS, &what, || taken_in(host) > sent() + 5);
    }

    let check = backup.run("rs-prep check 192.168.15.111 -p 7885 --json");
    assert_eq!((check.status, codes(&check)), (1, set(&["own-table"])), "{check}");
    backup.ok(report(&check)["findings"][0]["commands"][0].as_str().unwrap());
    assert_eq!(backup.run("rs-prep check 192.168.15.111 -p 7885").status, 0);
    let received = || counter(&master, "Ip", "InReceives");
    let (before, sent_before) = (received(), sent());
    assert_eq!(ask(), 4);
    let taken = received() - before;
    assert!(taken <= sent() - sent_before, "something came back: {taken}");
}

/// A real server among those that it asks hears no answer of its own.
#[test]
fn a_real_server_leaves_itself_out() {
    let pair = Pair::serving("7885");
    let probe = pair.server.run(&format!("{PROBE} --json"));
    assert_eq!((probe.status, codes(&probe)), (0, set(&[])), "{probe}");
    assert!(probe.stderr.contains("192.168.15.102: left out, as it is this host"), "{probe}");
}

/// A service without a usable server stands before the program that would answer.
#[test]
fn a_service_of_its_own_without_a_server_refuses_everybody() {
    let [_master, backup, client] = director_pair();
    let service = backup.spawn("lab server d101 7885");
    service.wait_for_line("serves", 5 * SECONDS);
    // What the director does: the VIP as destination, the real server's MAC.
    client.ok("ip neighbour replace 192.168.15.111 lladdr 02:00:c0:a8:0f:65 dev ens192");
    let asks = || client.run("lab get 192.168.15.111:7885").status;
    assert_eq!(asks(), 0);
    backup.ok("ipvsctl -A -t 192.168.15.111:7885 -s rr");
    assert_ne!(asks(), 0, "no server at all");
    backup.ok("ipvsctl -a -t 192.168.15.111:7885 -r 192.168.15.101:7885 -g -w 0");
    assert_ne!(asks(), 0, "a server without weight");
    let check = backup.run("rs-prep check 192.168.15.111 -p 7885 --json");
    assert_eq!((check.status, codes(&check)), (1, set(&["own-table"])), "{check}");
    backup.ok("ipvsctl -e -t 192.168.15.111:7885 -r 192.168.15.101:7885 -g -w 1");
    assert_eq!((asks(), backup.run("rs-prep check 192.168.15.111 -p 7885").status), (0, 0));
    backup.ok("ipvsctl -e -t 192.168.15.111:7885 -r 192.168.15.101:7885 -g -w 0");
    backup.ok(report(&check)["findings"][0]["commands"][0].as_str().unwrap());
    assert_eq!((asks(), backup.run("rs-prep check 192.168.15.111 -p 7885").status), (0, 0));
}

/// Services by a firewall mark bounce as well, which is mended by the rule that sets it.
#[test]
fn packets_bounce_by_a_mark_unless_the_other_directors_get_none() {
    let [master, backup, client] = director_pair();
    let rule = |more: &str| {
        format!(
            "iptables-legacy -t mangle -A PREROUTING -d 192.168.15.111 -p tcp {more} -j MARK --set-mark 7"
        )
    };
    let mut services = Vec::new();
    for host in [&master, &backup] {
        let service = host.spawn(&format!("lab server {} 7885", host.name()));
        service.wait_for_line("serves", 5 * SECONDS);
        services.push(service);
        host.ok(&rule(""));
        host.ok("ipvsctl -A -f 7 -s rr");
        host.ok("ipvsctl -a -f 7 -r 192.168.15.100 -g");
        host.ok("ipvsctl -a -f 7 -r 192.168.15.101 -g");
    }
    let ask = || (0..4).filter(|_| client.run("lab get 192.168.15.111:7885").status == 0).count();
    assert_eq!(ask(), 3, "one in four is lost");
    let check = backup.run("rs-prep check 192.168.15.111 -p 7885 --json");
    assert_eq!((check.status, codes(&check)), (1, set(&["own-table"])), "{check}");
    let advice = report(&check)["findings"][0]["advice"][0].as_str().unwrap().to_owned();
    let more =
        advice.split_once("rule: ").unwrap().1.replace("MAC-OF-THE-OTHER-DIRECTOR", "02:00:c0:a8:0f:64");
    backup.ok("iptables-legacy -t mangle -F PREROUTING");
    backup.ok(&rule(&more));
    assert_eq!(backup.run("rs-prep check 192.168.15.111 -p 7885").status, 0);
    assert_eq!(ask(), 4);
}

/// A counter of /proc/net/snmp.
fn counter(host: &Host, group: &str, name: &str) -> u64 {
    let text = host.read("/proc/net/snmp");
    let mut lines = text.lines().filter(|line| line.starts_with(&format!("{group}: ")));
    let (names, values) = (lines.next().unwrap_or_default(), lines.next().unwrap_or_default());
    let mut pairs = names.split_whitespace().zip(values.split_whitespace());
    pairs
        .find(|(n, _)| *n == name)
        .and_then(|(_, value)| value.parse().ok())
        .unwrap_or_else(|| panic!("{text}"))
}

/// The packets that a host's IPVS took in for its one service (the InPkts of `ipvsadm -L --stats`); the kernel sums them
/// up every two seconds.
fn taken_in(host: &Host) -> u64 {
    let list = host.ok("ipvsadm -Ln --stats --exact");
    let line = list.lines().find(|line| line.starts_with("TCP")).unwrap_or_else(|| panic!("{list}"));
    line.split_whitespace().nth(3).and_then(|n| n.parse().ok()).unwrap()
}

#[test]
fn a_host_route_left_over() {
    let pair = Pair::bare();
    pair.server.ok("ip route add 192.168.15.111/32 dev lo");
    pair.server.ok("ip address add 192.168.15.112/32 dev lo");
    found_and_mended(&pair.server, "192.168.15.112", &["stale-route", "arp-ignore", "arp-announce"]);
    assert!(!pair.server.ok("ip route show dev lo").contains(VIP));
}

#[test]
fn answering_for_others() {
    let pair = Pair::serving("7885");
    pair.server.ok("sysctl -qw net.ipv4.conf.ens192.proxy_arp=1");
    let fix = pair.server.run("rs-prep check --fix --json");
    assert_eq!((fix.status, codes(&fix)), (0, set(&["proxy-arp"])), "it may be meant: {fix}");
    assert_eq!(pair.server.ok("sysctl -n net.ipv4.conf.ens192.proxy_arp"), "1\n");
    found_and_mended_by(&pair.server, "", &["proxy-arp"], "--fix=proxy-arp");
    pair.server.ok("sysctl -qw net.ipv4.conf.ens192.proxy_arp_pvlan=1");
    found_and_mended_by(&pair.server, "", &["proxy-arp"], "--fix=proxy-arp");
    pair.server.ok("ip neighbour add proxy 192.168.15.111 dev ens192");
    found_and_mended(&pair.server, "", &["proxy-entry"]);
}

#[test]
fn a_loopback_that_is_down() {
    let pair = Pair::serving("7885");
    pair.server.ok("ip link set lo down");
    let check = pair.server.run("rs-prep check --json");
    assert!(codes(&check).contains("device-down"), "{check}");
    pair.server.ok("rs-prep check --fix");
    pair.probed(&[]);
}

#[test]
fn a_real_server_on_another_network() {
    let pair = Pair::serving("7885");
    pair.director.ok("ip route add 10.5.5.5/32 via 192.168.8.1");
    let probe = pair.director.run(&format!("{PROBE} -r 10.5.5.5 --json"));
    assert_eq!(codes(&probe), set(&["no-server"]), "{probe}");
}

#[test]
fn a_real_servers_address_on_two_hosts() {
    let pair = Pair::serving("7885");
    pair.probed(&[]);
    let other = pair.lab.host("r103", &["192.168.15.103/21"]);
    other.ok("ip address add 192.168.15.102/32 dev ens192");
    pair.director.wait_for_codes(PROBE, |found| found.contains("two-servers"));
    assert_eq!(pair.director.run(PROBE).status, 1);
    other.ok("ip address del 192.168.15.102/32 dev ens192");
    pair.probed(&[]);
}

#[test]
fn two_directors_hold_the_vip_or_none() {
    let lab = Lab::new();
    let (one, two) = (lab.host("d100", &["192.168.15.100/21"]), lab.host("d101", &["192.168.15.101/21"]));
    let client = lab.host("c50", &["192.168.8.50/21"]);
    let server = lab.host("r102", &["192.168.15.102/21"]);
    server.ok("rs-prep up 192.168.15.111");
    let probe = "rs-prep probe 192.168.15.111 --dev ens192 -r 192.168.15.102 -t 300ms --json";
    assert_eq!(codes(&client.run(probe)), set(&["no-holder"]));
    one.ok("ip address add 192.168.15.111/32 dev ens192");
    assert_eq!((codes(&client.run(probe)), codes(&one.run(probe))), (set(&[]), set(&[])));
    two.ok("ip address add 192.168.15.111/32 dev ens192");
    for host in [&client, &one, &two] {
        let answer = host.run(probe);
        assert_eq!((answer.status, codes(&answer)), (1, set(&["two-holders"])), "{answer}");
    }
    let told = one.run(&probe.replace("--json", "")).stdout;
    assert!(told.contains("two directors hold the VIP: this one and"), "{told}");
}

/// Whoever prepares a director as if it were a real server takes the VIP off the LAN.
#[test]
fn the_vip_on_lo_of_the_director() {
    let pair = Pair::serving("7885");
    pair.director.ok("ip address del 192.168.15.111/32 dev ens192");
    pair.director.ok("rs-prep up 192.168.15.111");
    pair.probed(&["no-holder"]);
    pair.director.ok("rs-prep down 192.168.15.111");
    pair.director.ok("ip address add 192.168.15.111/32 dev ens192");
    pair.probed(&[]);
}

/// The route of a real server's runbook on a director: it does no harm to the one that holds the VIP, and keeps the one
/// that does not from reaching it.
#[test]
fn a_host_route_by_lo_on_a_director() {
    let pair = Pair::bare();
    let backup = pair.lab.host("d101", &["192.168.15.101/21"]);
    let service = pair.director.spawn("lab server d100 7885");
    service.wait_for_line("serves", 5 * SECONDS);
    for director in [&pair.director, &backup] {
        director.ok("route add -host 192.168.15.111 dev lo");
    }
    assert_eq!(pair.server.ok("lab get 192.168.15.111:7885"), "d100\n");
    assert_eq!(backup.run("lab get 192.168.15.111:7885").status, 1);
    let check = backup.run("rs-prep check --json");
    assert_eq!(codes(&check), set(&["stale-route"]), "{check}");
    backup.ok(report(&check)["findings"][0]["commands"][0].as_str().unwrap());
    assert_eq!(backup.ok("lab get 192.168.15.111:7885"), "d100\n");
}

/// initscripts before RHEL 8: ifup announces every address of its files with gratuitous ARP.
#[test]
fn an_ifcfg_file_that_announces_the_vip() {
    let pair = Pair::serving("7885");
    let dir = "/etc/sysconfig/network-scripts";
    pair.server.ok(&format!("mkdir -p {dir}"));
    pair.server
        .write(&format!("{dir}/ifcfg-lo:0"), "DEVICE=lo:0\nIPADDR=192.168.15.111\nNETMASK=255.255.255.255\n");
    let check = pair.server.run("rs-prep check --json");
    assert_eq!((check.status, codes(&check)), (0, set(&["ifup-announces"])), "{check}");
    let command = report(&check)["findings"][0]["commands"][0].as_str().unwrap().to_owned();
    pair.server.sh(&command);
    let check = pair.server.run("rs-prep check --json");
    assert_eq!((check.status, codes(&check)), (0, set(&[])), "{check}");
}

/// A network that hands over only what is for a host's own address (a cloud, port security): every real server is well
/// by itself, and none gets a packet for the VIP.
#[test]
fn a_network_that_drops_what_is_for_the_vip() {
    let pair = Pair::serving("7885");
    let second = pair.lab.host("r103", &["192.168.15.103/21"]);
    second.ok("rs-prep up 192.168.15.111");
    let service = second.spawn("lab server r103 7885");
    service.wait_for_line("serves", 5 * SECONDS);
    let probe = format!("{PROBE} -r 192.168.15.103");
    pair.director.wait_for_codes(&probe, BTreeSet::is_empty);
    for server in [&pair.server, &second] {
        server.ok("iptables-legacy -t raw -A PREROUTING -d 192.168.15.111 -j DROP");
        assert_eq!(server.run("rs-prep check 192.168.15.111 -p 7885").status, 0);
    }
    let probed = pair.director.run(&probe);
    assert_eq!(
        probed.stdout.matches("RIP open, VIP silent: the VIP is missing there").count(),
        2,
        "{probed}"
    );
}

/// A client that learned a real server's MAC keeps it while it talks; the director's announcement moves it.
#[test]
fn a_poisoned_client_is_healed_by_the_holder_alone() {
    let pair = Pair::serving("7885");
    let client = pair.lab.host("c50", &["192.168.8.50/21"]);
    let cache = || client.ok("ip neighbour show 192.168.15.111");
    client.ok("ip neighbour replace 192.168.15.111 lladdr 02:00:c0:a8:0f:66 dev ens192 nud reachable");
    assert_eq!(client.ok("lab get 192.168.15.111:7885"), "r102\n", "past the director");
    assert_eq!(pair.server.run("rs-prep heal 192.168.15.111 --dev ens192").status, 1, "not the holder");
    assert_eq!(pair.director.run(PROBE).status, 0, "a probe heals nothing and says that all is well now");
    assert!(cache().contains("02:00:c0:a8:0f:66"));
    pair.director.ok("rs-prep heal 192.168.15.111 --dev ens192");
    assert!(cache().contains("02:00:c0:a8:0f:64"), "{}", cache());

    // While somebody leaks, an announcement would not last.
    for name in ["all", "ens192"] {
        pair.server.ok(&format!("sysctl -qw net.ipv4.conf.{name}.arp_ignore=0"));
    }
    let heal = pair.director.run("rs-prep heal 192.168.15.111 --dev ens192 -c 1");
    assert_eq!(heal.status, 1, "{heal}");
    assert!(heal.stdout.contains("not announced: mend that first"), "{heal}");
    pair.director.ok("rs-prep heal 192.168.15.111 --dev ens192 -c 1 --force");
}

#[test]
fn a_poisoned_ipv6_client_is_healed_too() {
    let lab = Lab::new();
    let director = lab.host("d100", &["192.168.15.100/21", "2001:db8::100/64", "2001:db8::111/128"]);
    let server = lab.host("r102", &["192.168.15.102/21", "2001:db8::102/64"]);
    let client = lab.host("c50", &["192.168.8.50/21", "2001:db8::50/64"]);
    wait(10 * SECONDS, "addresses without doubt", || {
        [&director, &server, &client].iter().all(|host| !host.ok("ip -6 address").contains("tentative"))
    });
    let cache = || client.ok("ip neighbour show 2001:db8::111");
    client.ok("ip neighbour replace 2001:db8::111 lladdr 02:00:c0:a8:0f:66 dev ens192 nud reachable");
    director.ok("rs-prep heal 2001:db8::111 --dev ens192 -c 1");
    assert!(cache().contains("02:00:c0:a8:0f:64"), "{}", cache());

    // While somebody leaks, an announcement would not last.
    server.ok("ip address add 2001:db8::111/128 dev ens192 nodad");
    let heal = director.run("rs-prep heal 2001:db8::111 --dev ens192 -c 1");
    assert_eq!(heal.status, 1, "{heal}");
    assert!(heal.stdout.contains("not announced: mend that first"), "{heal}");
}

#[test]
fn ipv6_vips_leak_only_from_the_nic_or_by_proxy() {
    let lab = Lab::new();
    let director = lab.host("d100", &["2001:db8::100/64", "2001:db8::111/128"]);
    let server = lab.host("r102", &["2001:db8::102/64"]);
    let service = server.spawn("lab server r102 7885");
    service.wait_for_line("serves", 5 * SECONDS);
    server.ok("rs-prep up 2001:db8::111");
    let probe = "rs-prep probe 2001:db8::111 --dev ens192 -p 7885 -r 2001:db8::102 -t 300ms";
    let probed = || codes(&director.run(&format!("{probe} --json")));
    wait(10 * SECONDS, "addresses without doubt", || probed() == set(&[]));
    assert!(director.ok(probe).contains("[2001:db8::102]:7885: RIP open, VIP open\n"));
    let check = server.run("rs-prep check 2001:db8::111 --json");
    assert_eq!((check.status, codes(&check)), (0, set(&["no-gateway"])), "{check}");
    server.ok("ip -6 route add default via 2001:db8::1");

    server.ok("rs-prep down --all");
    server.ok("ip address add 2001:db8::111/128 dev ens192 nodad");
    wait(10 * SECONDS, "the leak", || probed() == set(&["leak"]));
    found_and_mended(&server, "2001:db8::111", &["vip-on-nic"]);
    assert_eq!(probed(), set(&[]));

    server.ok("ip neighbour add proxy 2001:db8::111 dev ens192");
    server.ok("sysctl -qw net.ipv6.conf.ens192.proxy_ndp=1");
    found_and_mended(&server, "2001:db8::111", &["proxy-entry"]);
    assert_eq!(probed(), set(&[]));
}
