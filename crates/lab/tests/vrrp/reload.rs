//! What a reload may not break: sync groups whose members come and go.

use std::time::Duration;

use lab::{Host, Lab, SECONDS, pause, wait};

use super::faults::{RUN, file, holds};

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
    let status: serde_json::Value = serde_json::from_str(&host.ok("vrrpd status --json")).expect("JSON");
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
    let entered = || daemon.log().matches(" A: ").count();
    let before = entered();
    reload(&host, &two("A\n B").replace("priority 100", "priority 90"));
    daemon.wait_for_line("configuration reloaded", PATIENCE);
    assert_eq!((entered(), &states(&host)[..]), (before, &wanted.map(str::to_owned)[..]), "{}", daemon.log());
}
