//! What goes wrong at night.

use std::time::Duration;

use lab::{Host, Lab, SECONDS, Signal, pause, wait};

use super::duel::Program;

pub(crate) const VIP: &str = "192.168.15.111/32";

pub(crate) fn file(priority: u8, more: &str) -> String {
    format!(
        "vrrp_instance VI_1 {{\n interface ens192\n virtual_router_id 51\n priority {priority}\n version 3\n advert_int 0.1\n \
         virtual_ipaddress {{\n 192.168.15.111\n }}\n {more}\n}}\n"
    )
}

pub(crate) fn router(lab: &Lab, name: &str, last: u8, priority: u8, more: &str) -> Host {
    let host = lab.host(name, &[&format!("192.168.15.{last}/21")]);
    host.write("/etc/vrrp.conf", &file(priority, more));
    host
}

pub(crate) fn holds(host: &Host) -> bool {
    host.ok("ip -o -4 address show dev ens192").contains(VIP)
}

pub(crate) const RUN: &str = "vrrpd --config /etc/vrrp.conf";

#[test]
fn a_vip_removed_by_hand_comes_back_without_an_election() {
    let lab = Lab::new();
    let host = router(&lab, "d100", 100, 100, "");
    let daemon = host.spawn(RUN);
    daemon.wait_for_line("becoming master", 10 * SECONDS);
    wait(5 * SECONDS, "the VIP", || holds(&host));
    for _ in 0..3 {
        host.ok(&format!("ip address del {VIP} dev ens192"));
        wait(5 * SECONDS, "the VIP is put back", || holds(&host));
    }
    daemon.wait_for_line("was removed from ens192 by someone else: put back", 5 * SECONDS);
    assert_eq!(daemon.log().matches("becoming master").count(), 1, "{}", daemon.log());
    assert!(host.ok("vrrpd metrics").contains("restored"), "{}", host.ok("vrrpd metrics"));
}

#[test]
fn an_address_that_cannot_be_set_is_shown_and_tried_again() {
    let lab = Lab::new();
    let host = lab.host("d100", &["192.168.15.100/21"]);
    // With no_track its interface is no condition of being master.
    let more = "192.168.15.111\n 192.168.32.111 dev later no_track";
    host.write("/etc/vrrp.conf", &file(100, "").replace("192.168.15.111", more));
    let daemon = host.spawn(RUN);
    wait(10 * SECONDS, "the other address", || holds(&host));
    let line = "not set    192.168.32.111/32 on later: there is no interface later";
    wait(5 * SECONDS, "the reason", || host.ok("vrrpd status").contains(line));
    let unset = |n: u8| {
        let gauge =
            format!("vrrpd_addresses_unset{{instance=\"VI_1\",interface=\"ens192\",vrid=\"51\"}} {n}\n");
        host.ok("vrrpd metrics").contains(&gauge)
    };
    assert!(unset(1), "{}", host.ok("vrrpd metrics"));
    host.nic("later", &["192.168.32.100/24"]);
    wait(5 * SECONDS, "it is set", || host.ok("ip -o address show dev later").contains("192.168.32.111/32"));
    wait(5 * SECONDS, "nothing is missing", || !host.ok("vrrpd status").contains("not set"));
    assert!(unset(0), "{}", host.ok("vrrpd metrics"));
    daemon.wait_for_line("192.168.32.111/32 on later is set at last", 5 * SECONDS);
    assert_eq!(daemon.log().matches("cannot set").count(), 1, "{}", daemon.log());
    assert_eq!(daemon.stop(10 * SECONDS), 0);
}

#[test]
fn what_a_kill_leaves_behind_goes_at_the_next_start_or_by_flush() {
    let lab = Lab::new();
    let host = router(&lab, "d100", 100, 100, "");
    let daemon = host.spawn(RUN);
    wait(10 * SECONDS, "the VIP", || holds(&host));
    daemon.kill();
    assert!(holds(&host), "nobody could remove it");
    assert!(host.ok("vrrpd flush --config /etc/vrrp.conf").contains(VIP));
    assert!(!holds(&host));
    host.ok(&format!("ip address add {VIP} dev ens192"));
    let daemon = host.spawn(RUN);
    daemon.wait_for_line("left on ens192 by an earlier run: removed", 5 * SECONDS);
    daemon.wait_for_line("becoming master", 10 * SECONDS);
    assert_eq!(daemon.stop(10 * SECONDS), 0);
    assert!(!holds(&host));
}

#[test]
fn a_wrong_file_changes_nothing_and_a_right_one_costs_no_mastership() {
    let lab = Lab::new();
    let host = router(&lab, "d100", 100, 100, "");
    let daemon = host.spawn(RUN);
    daemon.wait_for_line("becoming master", 10 * SECONDS);
    host.write("/etc/vrrp.conf", "vrrp_instance VI_1 {\n interface ens192\n");
    let answer = host.run("vrrpd reload");
    assert_eq!(answer.status, 1, "{answer}");
    assert!(answer.stderr.contains("the old configuration stays in force"), "{answer}");
    assert!(holds(&host));
    let more = file(120, "").replace("192.168.15.111\n", "192.168.15.111\n 192.168.15.112\n");
    host.write("/etc/vrrp.conf", &more);
    daemon.signal(Signal::SIGHUP);
    wait(5 * SECONDS, "the new VIP", || host.ok("ip -o address").contains("192.168.15.112/32"));
    assert!(holds(&host));
    assert!(host.ok("vrrpd status").contains("MASTER"));
    assert_eq!(daemon.log().matches("becoming master").count(), 1, "{}", daemon.log());
}

#[test]
fn an_instance_with_an_error_is_left_out_whole_and_so_is_its_group() {
    let lab = Lab::new();
    let host = lab.host("d100", &["192.168.15.100/21"]);
    let router = |n: u8, more: &str| {
        let text = file(100, more).replace("VI_1", &format!("VI_{n}"));
        text.replace("router_id 51", &format!("router_id 5{n}")).replace("15.111", &format!("15.11{n}"))
    };
    let group = "vrrp_sync_group G {\n group {\n VI_3\n VI_2\n }\n}\n";
    // Half of the second one would be a router without one of its addresses.
    let broken = router(2, "virtual_ipaddress {\n 192.168.15.x\n }");
    host.write("/etc/vrrp.conf", &(router(1, "") + &broken + &router(3, "") + group));
    let daemon = host.spawn(RUN);
    wait(10 * SECONDS, "the sound one's VIP", || holds(&host));
    for line in [
        "'192.168.15.x' is no address",
        "started without vrrp_instance VI_2: 1 error",
        "started without vrrp_instance VI_3: 1 error",
        "started without vrrp_sync_group G: 1 error",
    ] {
        assert!(daemon.log().contains(line), "{line}: {}", daemon.log());
    }
    let status = host.ok("vrrpd status");
    assert!(!status.contains("VI_2") && !status.contains("VI_3"), "{status}");
    daemon.signal(Signal::SIGHUP);
    daemon.wait_for_line("the old configuration stays in force", 5 * SECONDS);
    host.write("/etc/vrrp.conf", &(router(1, "") + &router(2, "") + &router(3, "") + group));
    daemon.signal(Signal::SIGHUP);
    let has = |n: u8| host.ok("ip -o address").contains(&format!("192.168.15.11{n}/32"));
    wait(10 * SECONDS, "all of them", || has(1) && has(2) && has(3));
    assert_eq!(daemon.stop(10 * SECONDS), 0);
}

#[test]
fn nothing_is_touched_without_rights_interface_or_a_sound_file() {
    let lab = Lab::new();
    let host = router(&lab, "d100", 100, 100, "");
    host.ok(&format!("ip address add {VIP} dev ens192"));
    host.write("/etc/missing.conf", &file(100, "").replace("ens192", "eth9"));
    host.write("/etc/occupied.conf", &file(100, "use_vmac lo"));
    host.write(
        "/etc/broken.conf",
        &file(100, "advert_int many\n bogus_word {").replace("priority 100", "priority 999"),
    );
    let ah = "authentication {\n auth_type AH\n auth_pass secret\n }";
    host.write("/etc/ah.conf", &file(100, ah).replace("version 3\n advert_int 0.1", "advert_int 1"));
    let unicast = file(100, "unicast_peer {\n 192.168.15.101\n }").replace("interface ens192", "");
    host.write("/etc/nowhere.conf", &unicast);
    for (command, words) in [
        ("vrrpd --config /etc/ah.conf", vec!["auth_type AH is not supported", "auth_type PASS"]),
        ("vrrpd --config /etc/nowhere.conf", vec!["VI_1", "has no interface"]),
        ("vrrpd --config /etc/missing.conf", vec!["eth9", "ip link"]),
        ("vrrpd --config /etc/occupied.conf", vec!["'lo' is there already", "use_vmac"]),
        ("vrrpd --config /etc/broken.conf", vec!["priority", "many", "broken.conf:"]),
        ("vrrpd --config /etc/none.conf", vec!["none.conf"]),
        (
            "setpriv --bounding-set -net_raw --inh-caps -all vrrpd --config /etc/vrrp.conf",
            vec!["CAP_NET_RAW"],
        ),
        (
            "setpriv --bounding-set -net_admin --inh-caps -all vrrpd --config /etc/vrrp.conf",
            vec!["CAP_NET_ADMIN"],
        ),
    ] {
        let answer = host.run(command);
        // An interface may come.
        let status = if command.contains("missing.conf") { 1 } else { 2 };
        assert_eq!(answer.status, status, "{command}: {answer}");
        for word in words {
            assert!(answer.stderr.contains(word), "{command}: no {word}: {answer}");
        }
        assert!(holds(&host), "{command}: the address is as it was");
    }
}

#[test]
fn another_password_is_said_and_silences_nobody() {
    let lab = Lab::new();
    let pass = |word: &str| format!("authentication {{\n auth_type PASS\n auth_pass {word}\n }}");
    let v2 = |priority: u8, word: &str| {
        file(priority, &pass(word)).replace("version 3\n advert_int 0.1", "advert_int 1")
    };
    let (a, b) = (lab.host("d100", &["192.168.15.100/21"]), lab.host("d101", &["192.168.15.101/21"]));
    a.write("/etc/vrrp.conf", &v2(150, "right"));
    b.write("/etc/vrrp.conf", &v2(100, "wrong"));
    let (high, low) = (a.spawn(RUN), Program::Keepalived.start(&b));
    high.wait_for_line("rejected: wrong password: both of you may now be master", 20 * SECONDS);
    wait(20 * SECONDS, "both are master", || holds(&a) && holds(&b));
    let metrics = a.ok("vrrpd metrics");
    assert!(metrics.contains("password"), "{metrics}");
    let sent = |host: &Host| host.ok("vrrpd status --json");
    let before = sent(&a);
    pause(3 * SECONDS);
    assert_ne!(before, sent(&a));
    drop(low);
}

#[test]
fn a_paused_master_hears_what_it_missed_before_it_speaks() {
    let lab = Lab::new();
    let (a, b) = (router(&lab, "d100", 100, 100, ""), router(&lab, "d101", 101, 150, ""));
    let low = a.spawn(RUN);
    wait(10 * SECONDS, "the lower one is alone", || holds(&a));
    low.signal(Signal::SIGSTOP);
    let high = b.spawn(RUN);
    wait(10 * SECONDS, "the higher one takes over", || holds(&b));
    low.signal(Signal::SIGCONT);
    wait(5 * SECONDS, "the sleeper lets go", || !holds(&a));
    pause(Duration::from_millis(500));
    assert!(holds(&b));
    assert_eq!(high.log().matches("becoming master").count(), 1, "{}", high.log());
}

#[test]
fn with_no_accept_the_vips_are_found_and_take_nothing() {
    let lab = Lab::new();
    let host = lab.host("d100", &["192.168.15.100/21", "2001:db8::100/64"]);
    let peer = lab.host("peer", &["192.168.15.101/21", "2001:db8::101/64"]);
    let six = file(100, "no_accept")
        .replace("VI_1", "VI_2")
        .replace("192.168.15.111", "fe80::1:1\n 2001:db8::111/64");
    host.write("/etc/vrrp.conf", &[file(100, "no_accept"), six].concat());
    let server = host.spawn("lab server d100 22");
    server.wait_for_line("serves", 10 * SECONDS);
    let daemon = host.spawn(RUN);
    wait(10 * SECONDS, "the VIPs", || holds(&host) && host.ok("ip -o address").contains("2001:db8::111/64"));
    let ask = |address: &str| peer.run(&format!("lab get {address}:22")).stdout;
    assert_eq!(ask("192.168.15.100"), "d100\n");
    assert_eq!(ask("[2001:db8::100]"), "d100\n");
    if !lab::has_inet_nftables() {
        // No filter: this is told, and the addresses are held all the same.
        daemon.wait_for_line("no_accept: nftables: ", 5 * SECONDS);
        return assert_eq!(ask("192.168.15.111"), "d100\n");
    }
    for vip in ["192.168.15.111", "[2001:db8::111]"] {
        assert_eq!(ask(vip), "", "{}", daemon.log());
        // ARP and neighbour discovery work: without them nobody could reach what is behind the address.
        let found = peer.ok(&format!("ip neigh show {}", vip.trim_matches(['[', ']'])));
        assert!(found.contains("lladdr 02:00:c0:a8:0f:64"), "{found}");
    }
    // A reload takes the filter away, and brings it back.
    host.write("/etc/vrrp.conf", &file(100, ""));
    host.ok("vrrpd reload");
    wait(5 * SECONDS, "an answer", || ask("192.168.15.111") == "d100\n");
    host.write("/etc/vrrp.conf", &file(100, "no_accept"));
    host.ok("vrrpd reload");
    assert_eq!(ask("192.168.15.111"), "");
    // What a kill leaves, flush removes; what an end leaves is nothing.
    daemon.kill();
    assert!(host.ok("nft list ruleset").contains("192.168.15.111"));
    host.ok("vrrpd flush --config /etc/vrrp.conf");
    assert_eq!(host.ok("nft list ruleset"), "");
    let daemon = host.spawn(RUN);
    wait(10 * SECONDS, "the VIP", || holds(&host));
    assert!(host.ok("nft list ruleset").contains("192.168.15.111"));
    assert_eq!(daemon.stop(10 * SECONDS), 0);
    assert_eq!(host.ok("nft list ruleset"), "");
    // What a kill leaves goes at the next start, too, if the file no longer asks for it.
    let daemon = host.spawn(RUN);
    wait(10 * SECONDS, "the filter", || host.ok("nft list ruleset").contains("192.168.15.111"));
    daemon.kill();
    host.write("/etc/vrrp.conf", &file(100, ""));
    let _daemon = host.spawn(RUN);
    wait(10 * SECONDS, "the filter to go", || host.ok("nft list ruleset").is_empty());
}

#[test]
fn a_renamed_instance_hands_over_and_knows_to_whom() {
    let lab = Lab::new();
    let (a, b) = (router(&lab, "d100", 100, 150, ""), router(&lab, "d101", 101, 100, ""));
    let (one, other) = (a.spawn(RUN), b.spawn(RUN));
    wait(10 * SECONDS, "the first master", || holds(&a) && !holds(&b));
    a.write("/etc/vrrp.conf", &file(150, "").replace("VI_1", "VI_9"));
    assert_eq!(a.ok("vrrpd reload"), "configuration reloaded: 1 instance\n");
    one.wait_for_line("VI_1 ends: its VRID is that of VI_9 now", 5 * SECONDS);
    one.wait_for_line("VI_1: 192.168.15.101 is master now: stopped", 5 * SECONDS);
    wait(10 * SECONDS, "the new one", || holds(&a) && !holds(&b));
    let log = one.log();
    assert!(!log.contains("earlier run") && !log.contains("someone else"), "{log}\n{}", other.log());
}

#[test]
fn an_address_moves_from_one_master_to_another_without_leaving_the_kernel() {
    let lab = Lab::new();
    let host = lab.host("d100", &["192.168.15.100/21"]);
    let two = |first: &str, second: &str| {
        let router = |n: u8, more: &str| {
            let text = file(100, "").replace("VI_1", &format!("VI_{n}"));
            text.replace("router_id 51", &format!("router_id 5{n}"))
                .replace("15.111\n", &format!("15.11{n}\n {more}\n"))
        };
        router(1, first) + &router(2, second)
    };
    let third = "192.168.15.113";
    host.write("/etc/vrrp.conf", &two(third, ""));
    let daemon = host.spawn(RUN);
    let has = |last: &str| host.ok("ip -o address").contains(&format!("192.168.15.{last}/32"));
    wait(10 * SECONDS, "all addresses", || ["111", "112", "113"].into_iter().all(has));
    let monitor = host.spawn("ip -o monitor address");
    pause(SECONDS / 2);
    for (first, second) in [("", third), (third, "")] {
        host.write("/etc/vrrp.conf", &two(first, second));
        host.ok("vrrpd reload");
        assert!(has("113"));
    }
    // What is seen last was sent last.
    host.ok("ip address add 192.168.15.200/32 dev ens192");
    monitor.wait_for_line("192.168.15.200", 5 * SECONDS);
    assert!(!monitor.lines().iter().any(|l| l.text.contains("Deleted")), "{}", monitor.log());
    assert_eq!(daemon.stop(10 * SECONDS), 0);
    assert!(!has("113"));
}

#[test]
fn a_master_that_does_not_hear_is_named_once_and_not_for_ever() {
    let lab = Lab::new();
    let peer = |lines: &str| format!("{lines}\n unicast_peer {{\n 192.168.15.PEER\n }}");
    let a = router(&lab, "d100", 100, 150, &peer("unicast_ttl 64").replace("PEER", "101"));
    // What the other one sends counts for nothing here.
    let b = router(&lab, "d101", 101, 100, &peer("").replace("PEER", "100 min_ttl 255"));
    let (one, other) = (a.spawn(RUN), b.spawn(RUN));
    wait(10 * SECONDS, "two masters", || holds(&a) && holds(&b));
    one.wait_for_line("claims to be master with the lower priority 100: answered", 10 * SECONDS);
    let claims = |host: &Host| -> u64 {
        let status: serde_json::Value = serde_json::from_str(&host.ok("vrrpd status --json")).expect("JSON");
        status["instances"][0]["counters"]["received"].as_u64().expect("a number")
    };
    wait(30 * SECONDS, "many more", || claims(&a) > 30);
    assert_eq!(one.log().matches("claims to be master").count(), 1, "{}\n{}", one.log(), other.log());
}

#[test]
fn a_second_daemon_for_the_same_router_does_not_begin() {
    let lab = Lab::new();
    let host = router(&lab, "d100", 100, 100, "");
    let first = host.spawn(RUN);
    wait(10 * SECONDS, "the VIP", || holds(&host));
    let second = host.run(&format!("{RUN} --socket other"));
    assert_eq!(second.status, 2, "{second}");
    assert!(second.stderr.contains("another vrrpd of this host runs VRID 51 on ens192"), "{second}");
    assert!(holds(&host));
    // Nor does what clears up after such an attempt take anything from it.
    let flush = host.run("vrrpd flush --config /etc/vrrp.conf --socket other");
    assert!(flush.status == 1 && flush.stderr.contains("runs VRID 51 on ens192"), "{flush}");
    assert!(holds(&host) && !first.log().contains("someone else"), "{}", first.log());
    // Beside it another router may run, but not become that one.
    let apart = file(100, "").replace("router_id 51", "router_id 52").replace("15.111", "15.112");
    host.write("/etc/other.conf", &apart);
    let other = host.spawn("vrrpd --config /etc/other.conf --socket other");
    wait(10 * SECONDS, "the other's VIP", || host.ok("ip -o address").contains("192.168.15.112/32"));
    host.write("/etc/other.conf", &file(100, ""));
    let reload = host.run("vrrpd reload --socket other");
    assert!(reload.status == 1 && reload.stderr.contains("VRID 51 on ens192"), "{reload}");
    // It is free when its daemon ends, however that ends.
    first.kill();
    host.ok("vrrpd reload --socket other");
    other.wait_for_line("VI_1 ends: its name is that of VRID 51", 5 * SECONDS);
}

#[test]
fn a_record_on_a_full_disk_ends_with_a_word_and_a_whole_line() {
    let lab = Lab::new();
    let host = router(&lab, "d100", 100, 100, "");
    host.ok("mkdir /run/small");
    host.ok("mount -t tmpfs -o size=8k small /run/small");
    let daemon = host.spawn(&format!("{RUN} --record /run/small/record"));
    daemon.wait_for_line("the record ends here: it cannot be written: No space left on device", 60 * SECONDS);
    let record = host.read("/run/small/record");
    assert!(record.len() > 4000 && record.ends_with("}\n"), "{record}");
    assert!(holds(&host));
    daemon.kill();
    let flush =
        host.run("setpriv --reuid nobody --clear-groups vrrpd flush --config /etc/vrrp.conf --socket x");
    assert!(flush.status == 1 && flush.stderr.contains("run it as root"), "{flush}");
}
