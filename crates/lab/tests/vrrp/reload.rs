//! What a reload may not break: sync groups whose members come and go, the end of the daemon, the time of the others.

use std::time::Duration;

use lab::{Host, Lab, SECONDS, Signal, pause, wait};

use super::faults::{RUN, file, holds, router};

/// How long anything may take on a slow machine.
const PATIENCE: Duration = Duration::from_secs(20);

/// The instances A (VRID 51, ens192) and B (52, ens224), of which these form a sync group.
fn two(members: &str) -> String {
    let a = file(100, "").replace("VI_1", "A");
    let b = file(100, "").replace("VI_1", "B").replace("ens192", "ens224");
    let b = b.replace("router_id 51", "router_id 52").replace("15.111", "15.112");
    let group = format!("vrrp_sync_group G {{\n group {{\n {members}\n }}\n}}\n");
    a + &b + if members.is_empty() { "" } else { &group }
}

/// A host with both, on networks of their own.
fn host(lab: &Lab) -> Host {
    lab.segment("br1");
    let host = lab.host("d100", &["192.168.15.100/21"]);
    host.nic_on("br1", "ens224", &["10.1.0.1/24"]);
    host.write("/etc/vrrp.conf", &two("A\n B"));
    host
}

fn states(host: &Host) -> Vec<String> {
    // Nothing before the daemon listens.
    let status: serde_json::Value =
        serde_json::from_str(&host.run("vrrpd status --json").stdout).unwrap_or_default();
    let instances = status["instances"].as_array().map_or(&[][..], Vec::as_slice);
    instances.iter().map(|i| format!("{} {}", i["name"], i["state"]).replace('"', "")).collect()
}

fn until(host: &Host, wanted: [&str; 2]) {
    wait(PATIENCE, &format!("{wanted:?}"), || states(host) == wanted);
}

fn reload(host: &Host, text: &str) {
    host.write("/etc/vrrp.conf", text);
    host.ok("vrrpd reload");
}

#[test]
fn who_is_left_in_a_sync_group_does_not_wait_for_one_that_has_left_it() {
    let lab = Lab::new();
    let host = host(&lab);
    let daemon = host.spawn(RUN);
    until(&host, ["A MASTER", "B MASTER"]);
    host.ok("ip link set ens224 down");
    until(&host, ["A FAULT", "B FAULT"]);
    reload(&host, &two("A"));
    until(&host, ["A MASTER", "B FAULT"]);
    assert!(holds(&host));
    // Back in the group it takes the others along.
    reload(&host, &two("A\n B"));
    until(&host, ["A FAULT", "B FAULT"]);
    host.ok("ip link set ens224 up");
    until(&host, ["A MASTER", "B MASTER"]);

    // The other way to be held back: one's own election is won, that of a member is not.
    let peer = lab.bare_host("d101");
    peer.nic_on("br1", "ens192", &["10.1.0.2/24"]);
    peer.write(
        "/etc/vrrp.conf",
        &file(200, "").replace("router_id 51", "router_id 52").replace("15.111", "15.112"),
    );
    let other = peer.spawn(RUN);
    until(&host, ["A BACKUP", "B BACKUP"]);
    // Longer than an election.
    pause(SECONDS);
    assert!(!holds(&host), "{}\n{}", daemon.log(), other.log());
    reload(&host, &two("A"));
    until(&host, ["A MASTER", "B BACKUP"]);
    assert_eq!(daemon.stop(PATIENCE), 0);
}

#[test]
fn a_reload_brings_no_group_out_of_its_fault_not_even_for_a_moment() {
    let lab = Lab::new();
    let host = host(&lab);
    host.ok("ip link set ens224 down");
    let daemon = host.spawn(RUN);
    let wanted = ["A FAULT", "B FAULT"];
    until(&host, wanted);
    daemon.wait_for_line("A: failed on ens192: group", PATIENCE);
    let entered = || daemon.log().matches(" A: ").count();
    let before = entered();
    reload(&host, &two("A\n B").replace("priority 100", "priority 90"));
    daemon.wait_for_line("configuration reloaded", PATIENCE);
    assert_eq!((entered(), &states(&host)[..]), (before, &wanted.map(str::to_owned)[..]), "{}", daemon.log());
}

#[test]
fn while_it_ends_nothing_is_added_that_would_never_end() {
    let lab = Lab::new();
    let host = router(&lab, "d100", 100, 100, "");
    host.write("/etc/vrrp.conf", &file(100, "").replace("advert_int 0.1", "advert_int 5"));
    let daemon = host.spawn(RUN);
    wait(2 * PATIENCE, "the VIP", || holds(&host));
    // Nobody succeeds it: it leaves for as long as two of its intervals.
    daemon.signal(Signal::SIGTERM);
    daemon.wait_for_line("priority 0 sent", PATIENCE);
    let added = file(100, "").replace("VI_1", "VI_2").replace("router_id 51", "router_id 52");
    let both = host.read("/etc/vrrp.conf") + &added.replace("15.111", "15.112");
    host.write("/etc/vrrp.conf", &both);
    let answer = host.run("vrrpd reload");
    assert!(answer.status == 1 && answer.stderr.contains("is about to end"), "{answer}");
    daemon.signal(Signal::SIGHUP);
    // Nor does a release keep it.
    host.run("vrrpd release");
    assert_eq!(daemon.wait_for_end(2 * PATIENCE), 0);
    assert!(!daemon.log().contains("VI_2"), "{}", daemon.log());
}

#[test]
fn a_file_that_takes_long_to_read_delays_nothing() {
    let lab = Lab::new();
    let host = router(&lab, "d100", 100, 100, "");
    let text = host.read("/etc/vrrp.conf");
    let daemon = host.spawn(&format!("{RUN} -v"));
    wait(PATIENCE, "the VIP", || holds(&host));
    // Nobody writes to it yet: whoever reads it waits.
    host.ok("rm /etc/vrrp.conf");
    host.ok("mkfifo /etc/vrrp.conf");
    let reloading = host.spawn("vrrpd reload");
    daemon.wait_for_line("reading the configuration", PATIENCE);
    let sent = || -> u64 {
        let status: serde_json::Value = serde_json::from_str(&host.ok("vrrpd status --json")).expect("JSON");
        status["instances"][0]["counters"]["sent"].as_u64().expect("a number")
    };
    let before = sent();
    wait(PATIENCE, "advertisements meanwhile", || sent() > before + 10);
    // What is asked for meanwhile is a reading after this one, for the file may be another one by then.
    daemon.signal(Signal::SIGHUP);
    let again = host.spawn("vrrpd reload");
    pause(SECONDS / 2);
    assert!(reloading.running() && again.running(), "{}\n{}", reloading.log(), again.log());
    host.write("/etc/new.conf", "vrrp_instance VI_1 {\n");
    host.ok(&["sh", "-c", "cat /etc/new.conf > /etc/vrrp.conf"]);
    reloading.wait_for_line("the old configuration stays in force", PATIENCE);
    assert_eq!(reloading.wait_for_end(PATIENCE), 1);
    assert!(again.running(), "{}", again.log());
    host.write("/etc/new.conf", &text);
    host.ok(&["sh", "-c", "cat /etc/new.conf > /etc/vrrp.conf"]);
    again.wait_for_line("configuration reloaded: 1 instance", PATIENCE);
    assert_eq!(again.wait_for_end(PATIENCE), 0);
    assert!(holds(&host));
    assert_eq!(daemon.stop(PATIENCE), 0);
}
