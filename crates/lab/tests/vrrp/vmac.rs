//! VMACs of single addresses, and what `garp_extra_if` sends: the same file, first keepalived, then vrrpd.

use std::collections::{BTreeMap, BTreeSet};

use lab::{Daemon, Host, Lab, SECONDS, Signal, pause, wait};

use super::duel::Program;
use super::faults::RUN;
use super::shark;

/// A router and a neighbour on two segments.
struct Scene {
    lab: Lab,
    router: Host,
    neighbour: Host,
}

impl Scene {
    fn new() -> Self {
        let lab = Lab::new();
        lab.segment("br1");
        let [router, neighbour] = [("d100", "100"), ("n150", "150")].map(|(name, last)| {
            let host = lab.host(name, &[&format!("192.168.15.{last}/21"), &format!("2001:db8::{last}/64")]);
            let second = [format!("192.168.32.{last}/24"), format!("2001:db8:1::{last}/64")];
            host.nic_on("br1", "ens224", &second.each_ref().map(String::as_str));
            host
        });
        Self { lab, router, neighbour }
    }

    fn file(&self, lines: &str) {
        let head = "interface ens192\n virtual_router_id 51\n priority 100\n version 3\n advert_int 0.2\n \
                    garp_master_repeat 1\n garp_master_delay 60";
        self.router.write("/etc/vrrp.conf", &format!("vrrp_instance V {{\n {head}\n {lines}\n}}\n"));
    }

    /// Every address but the host's own with its place: `192.168.15.111/32 vrrp.51@ens192 00:00:5e:00:01:33`.
    fn state(&self) -> Vec<String> {
        let links = self.router.ok("ip -o -d link");
        let link = |name: &str| {
            let line = links.lines().find(|l| l.split(' ').nth(1).unwrap_or_default().starts_with(name));
            let words: Vec<&str> = line.unwrap_or_default().split_whitespace().collect();
            let after = |word: &str, n: usize| {
                let at = words.iter().position(|w| *w == word);
                at.map(|at| words[at + n]).unwrap_or_default()
            };
            format!("{} {} {}", words[1].trim_end_matches(':'), after("link/ether", 1), after("macvlan", 2))
        };
        let own = [
            "127.",
            "::1/",
            "fe80:",
            "192.168.15.100/",
            "192.168.32.100/",
            "2001:db8::100/",
            "2001:db8:1::100/",
        ];
        let mut state = Vec::new();
        for line in self.router.ok("ip -o address").lines() {
            let words: Vec<&str> = line.split_whitespace().collect();
            if !own.iter().any(|o| words[3].starts_with(o)) {
                let place = link(words[1]);
                // The other end of a veth has a number that says nothing.
                let place = place.replace("@if", " @if");
                state.push(format!("{} {}", words[3], place.split(" @if").next().unwrap_or_default()));
            }
        }
        state.sort();
        state
    }

    /// The MAC address that the neighbour knows of an address.
    fn known(&self, address: &str) -> String {
        let line = self.neighbour.ok(&format!("ip neigh show {address}"));
        line.split_whitespace().skip_while(|w| *w != "lladdr").nth(1).unwrap_or_default().to_owned()
    }

    /// All that answer when the neighbour asks who has an address.
    fn answers(&self, address: &str, nic: &str) -> BTreeSet<String> {
        let asking = self.neighbour.spawn(&format!("lab ask {address} {nic} 200"));
        asking.wait_for_line("asked", 20 * SECONDS);
        asking.kill();
        asking.log().lines().filter_map(|l| l.strip_prefix("answer ")).map(str::to_owned).collect()
    }

    /// Begins to look at announcements on both segments.
    fn listen(&self) -> Daemon {
        let fields = [
            "frame.interface_name",
            "eth.src",
            "arp.src.proto_ipv4",
            "arp.dst.proto_ipv4",
            "icmpv6.nd.na.target_address",
        ];
        shark::listen(&self.lab, &["br0", "br1"], "arp or (icmp6 and ip6[40] == 136)", &fields)
    }
}

/// How often each address was announced: `br1 00:00:5e:00:01:33 192.168.32.9`.
fn announcements(shark: &Daemon) -> BTreeMap<String, usize> {
    shark.signal(Signal::SIGINT);
    shark.wait_for_end(10 * SECONDS);
    let mut counts = BTreeMap::new();
    for line in shark.log().lines().filter(|l| l.starts_with("br")) {
        let f: Vec<&str> = line.split('\t').collect();
        let address = if f[4].is_empty() { f[2] } else { f[4] };
        if f[2] == f[3] && address.contains("11") {
            *counts.entry(format!("{} {} {address}", f[0], f[1])).or_insert(0) += 1;
        }
    }
    counts
}

/// With and without a VMAC of the instance; in each there are addresses of the other interface and of the other family.
const ADDRESSES: &str = "virtual_ipaddress {\n 192.168.15.111\n 192.168.32.111 dev ens224 use_vmac\n \
                         192.168.32.112 dev ens224 use_vmac\n }\n \
                         virtual_ipaddress_excluded {\n 192.168.32.113 dev ens224\n \
                         2001:db8:1::111 dev ens224 use_vmac\n 2001:db8::111 use_vmac\n }";

/// What a program makes of a file: where the addresses are, and what is announced.
fn played(program: Program, lines: &str) -> (Vec<String>, Vec<String>) {
    let scene = Scene::new();
    scene.file(lines);
    let shark = scene.listen();
    let daemon = program.start(&scene.router);
    wait(20 * SECONDS, "all addresses", || scene.state().len() == 6);
    let state = scene.state();
    // Announced when set: all of them are out soon.
    pause(SECONDS);
    let announced = announcements(&shark).into_keys().collect();
    if program == Program::Vrrpd {
        answered(&scene, lines);
    }
    daemon.stop(20 * SECONDS);
    assert_eq!(scene.state(), [""; 0], "{program:?} takes them along");
    assert!(!scene.router.ok("ip link").contains("vrrp"), "{program:?} takes its interfaces along");
    (state, announced)
}

/// One MAC address answers for each. keepalived's IPv6 VMAC answers for all IPv4 addresses of the host too: its arp_ignore
/// is 0.
fn answered(scene: &Scene, lines: &str) {
    let (four, six) = ("00:00:5e:00:01:33", "00:00:5e:00:02:33");
    let (own, elsewhere) = (lines.starts_with("use_vmac"), lines.contains("use_vmac_addr"));
    for (address, nic, mac) in [
        ("192.168.15.111", "ens192", if own { four } else { "02:00:c0:a8:0f:64" }),
        ("192.168.15.100", "ens192", "02:00:c0:a8:0f:64"),
        ("192.168.32.112", "ens224", four),
        ("192.168.32.113", "ens224", if elsewhere { four } else { "02:00:c0:a8:20:64" }),
        ("2001:db8:1::111", "ens224", six),
        ("2001:db8::111", "ens192", six),
    ] {
        assert_eq!(scene.answers(address, nic), BTreeSet::from([mac.to_owned()]), "{address}: {lines}");
    }
}

#[test]
fn single_addresses_stand_on_the_same_vmacs() {
    let files = ["", "use_vmac\n", "use_vmac\n use_vmac_addr\n"].map(|head| format!("{head} {ADDRESSES}"));
    std::thread::scope(|scope| {
        for lines in &files {
            scope.spawn(move || {
                let theirs = played(Program::Keepalived, lines);
                assert_eq!(theirs.1.len(), 6, "{theirs:?}");
                assert!(
                    theirs.0.iter().any(|l| l.contains("@ens224 00:00:5e:00:01:33 private")),
                    "{theirs:?}"
                );
                assert_eq!(played(Program::Vrrpd, lines), theirs, "{lines}");
            });
        }
    });
}

/// The announcements that come again and again.
fn repeated(program: Program, lines: &str) -> Vec<String> {
    let scene = Scene::new();
    scene.file(lines);
    let shark = scene.listen();
    let daemon = program.start(&scene.router);
    wait(20 * SECONDS, "all addresses", || scene.state().len() == 6);
    pause(4 * SECONDS);
    let counts = announcements(&shark);
    daemon.stop(20 * SECONDS);
    counts.into_iter().filter(|(_, n)| *n >= 4).map(|(what, _)| what).collect()
}

#[test]
fn garp_extra_if_repeats_the_same_announcements() {
    let files = [
        ("garp_extra_if 1", 3),
        ("garp_extra_if all 1", 4),
        ("use_vmac\n vmac_xmit_base\n garp_extra_if 1", 4),
        ("use_vmac\n garp_extra_if all 1", 4),
    ];
    std::thread::scope(|scope| {
        for (head, count) in files {
            scope.spawn(move || {
                let lines = format!("{head}\n {ADDRESSES}");
                let theirs = repeated(Program::Keepalived, &lines);
                assert_eq!(theirs.len(), count, "{head}: {theirs:?}");
                assert_eq!(repeated(Program::Vrrpd, &lines), theirs, "{head}");
            });
        }
    });
}

#[test]
fn a_reload_moves_addresses_to_vmacs_and_back_and_costs_no_mastership() {
    let scene = Scene::new();
    let plain = ADDRESSES.replace(" use_vmac", "");
    scene.file(&plain);
    let daemon = scene.router.spawn(RUN);
    wait(20 * SECONDS, "all addresses", || scene.state().len() == 6);
    let before = scene.state();
    let asked = || scene.answers("2001:db8:1::111", "ens224");
    scene.neighbour.ok(&["bash", "-c", "echo x >/dev/udp/192.168.32.111/9"]);
    wait(5 * SECONDS, "the neighbour has asked", || scene.known("192.168.32.111") == "02:00:c0:a8:20:64");
    for (lines, mac, six) in [
        (ADDRESSES, "00:00:5e:00:01:33", "00:00:5e:00:02:33"),
        (plain.as_str(), "02:00:c0:a8:20:64", "02:00:c0:a8:20:64"),
    ] {
        scene.file(lines);
        scene.router.ok("vrrpd reload");
        assert_eq!(scene.state().len(), 6, "{:?}", scene.state());
        wait(5 * SECONDS, "the neighbour is told", || scene.known("192.168.32.111") == mac);
        assert_eq!(asked(), BTreeSet::from([six.to_owned()]));
    }
    assert_eq!(scene.state(), before);
    assert!(!scene.router.ok("ip link").contains("vrrp"), "nobody wants them any more");
    assert_eq!(daemon.log().matches("becoming master").count(), 1, "{}", daemon.log());
}

#[test]
fn a_vmac_that_is_removed_or_whose_base_returns_comes_back_with_its_addresses() {
    let scene = Scene::new();
    scene.file(ADDRESSES);
    let daemon = scene.router.spawn(RUN);
    wait(20 * SECONDS, "all addresses", || scene.state().len() == 6);
    let before = scene.state();
    scene.router.ok("ip link delete vrrp.51");
    wait(10 * SECONDS, "it is made again", || scene.state() == before);
    // Of the right name, but of no use.
    scene.router.ok("ip link delete vrrp6.51");
    scene.router.sh("ip link add vrrp6.51 link ens192 type macvlan");
    wait(10 * SECONDS, "it is replaced", || scene.state() == before);
    scene.router.ok("ip link set vrrp.51 down");
    wait(10 * SECONDS, "it is up again", || scene.router.ok("ip link show up").contains("vrrp.51"));
    let answers = scene.answers("192.168.32.111", "ens224");
    assert_eq!(answers, BTreeSet::from(["00:00:5e:00:01:33".to_owned()]));
    scene.router.ok("ip link delete ens224");
    // Without one of its interfaces it serves nobody.
    wait(10 * SECONDS, "all are given up", || scene.state().is_empty());
    assert_eq!(daemon.log().matches("becoming master").count(), 1, "{}", daemon.log());
    scene.router.nic_on("br1", "ens224", &["192.168.32.100/24"]);
    wait(10 * SECONDS, "they are back", || {
        scene.state().iter().any(|l| l.starts_with("192.168.32.112/32 vrrp.51"))
    });
    assert_eq!(daemon.stop(10 * SECONDS), 0);
    assert!(!scene.router.ok("ip link").contains("vrrp"));
}

#[test]
fn vmacs_that_a_kill_leaves_go_at_the_next_start_or_by_flush() {
    let scene = Scene::new();
    let left = || scene.router.ok("ip link").contains("vrrp");
    scene.file(ADDRESSES);
    let killed = || {
        let daemon = scene.router.spawn(RUN);
        wait(20 * SECONDS, "all addresses", || scene.state().len() == 6);
        daemon.kill();
        assert!(left(), "nobody could remove them");
    };
    killed();
    let text = scene.router.ok("vrrpd flush --config /etc/vrrp.conf");
    assert!(text.contains("removed vrrp.51") && text.contains("removed vrrp6.51"), "{text}");
    assert!(!left() && scene.state().is_empty(), "{:?}", scene.state());

    killed();
    // The next start knows them though its file says nothing of them.
    scene.file("virtual_ipaddress {\n 192.168.15.111\n 192.168.32.111 dev ens224\n }");
    let daemon = scene.router.spawn(RUN);
    daemon.wait_for_line("vrrp.51 was left by an earlier run: removed", 10 * SECONDS);
    let only = |state: &[String]| state.iter().any(|l| l.starts_with("192.168.32.111/32 ens224"));
    wait(20 * SECONDS, "what is configured now", || only(&scene.state()) && scene.state().len() == 2);
    assert!(!left(), "{}", scene.router.ok("ip link"));
    assert_eq!(daemon.stop(10 * SECONDS), 0);
}

#[test]
fn a_reload_gives_renames_and_takes_the_vmac_of_the_instance() {
    let scene = Scene::new();
    let vips = "virtual_ipaddress {\n 192.168.15.111\n }";
    let host = "02:00:c0:a8:0f:64";
    scene.file(vips);
    let daemon = scene.router.spawn(RUN);
    wait(20 * SECONDS, "the address", || scene.state().len() == 1);
    for (lines, device, mac) in [
        ("use_vmac\n", "vrrp.51", "00:00:5e:00:01:33"),
        ("use_vmac other\n", "other", "00:00:5e:00:01:33"),
        ("use_vmac other\n vmac_xmit_base\n", "other", "00:00:5e:00:01:33"),
        ("", "ens192", host),
    ] {
        scene.file(&format!("{lines}{vips}"));
        scene.router.ok("vrrpd reload");
        assert!(scene.state()[0].starts_with(&format!("192.168.15.111/32 {device}")), "{:?}", scene.state());
        assert_eq!(scene.answers("192.168.15.111", "ens192"), BTreeSet::from([mac.to_owned()]), "{lines}");
        let links = scene.router.ok("ip link");
        assert_eq!(links.matches("00:00:5e:00:01:33").count(), usize::from(mac != host), "{links}");
    }
    let log = daemon.log();
    assert!(log.matches("becoming master").count() == 1 && !log.contains("cannot"), "{log}");
    assert_eq!(daemon.stop(10 * SECONDS), 0);
}
