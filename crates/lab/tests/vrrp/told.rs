//! What the log and the status tell an administrator.

use lab::{Host, Lab, SECONDS, wait};

use super::faults::{RUN, VIP, file, holds, router};

fn two(priority: u8) -> String {
    let second = file(priority, "").replace("VI_1", "VI_2").replace("router_id 51", "router_id 52");
    let second = second.replace("ens192", "ens224").replace("192.168.15.111", "10.1.0.111");
    let group = "vrrp_sync_group G {\n group {\n VI_1\n VI_2\n }\n}\n";
    [group, &file(priority, ""), &second].concat()
}

fn legs(lab: &Lab, name: &str, last: u8, priority: u8) -> Host {
    let host = lab.host(name, &[&format!("192.168.15.{last}/21")]);
    host.nic("ens224", &[&format!("10.1.0.{last}/24")]);
    host.write("/etc/vrrp.conf", &two(priority));
    host
}

#[test]
fn who_moved_a_sync_group_is_named_with_its_reason() {
    let lab = Lab::new();
    let (a, b) = (legs(&lab, "d100", 100, 100), legs(&lab, "d101", 101, 150));
    let low = a.spawn(RUN);
    let master = low.wait_for_line("becoming master", 10 * SECONDS).text;
    assert!(master.contains("sync group G is ready, the last was VI_"), "{master}");
    assert!(master.contains("no advertisement from anyone for 0."), "{master}");
    let high = b.spawn(RUN);
    wait(10 * SECONDS, "the higher one", || holds(&b) && !holds(&a));
    low.wait_for_line("sync group G follows VI_", 5 * SECONDS);
    low.wait_for_line("is master with priority 150, ours is 100: backup", 5 * SECONDS);
    let status = a.ok("vrrpd status");
    assert!(status.contains("MASTER -> BACKUP: sync group G follows VI_"), "{status}");
    b.ok("ip link set ens224 down");
    high.wait_for_line(
        "VI_1: failed on ens192: group (VI_2 failed on ens224: link): taking no part in the election",
        5 * SECONDS,
    );
    assert!(!high.log().contains("another instance"), "{}", high.log());
}

#[test]
fn an_interface_without_an_address_is_named() {
    let lab = Lab::new();
    let host = lab.host("d100", &["2001:db8::100/64"]);
    host.write("/etc/vrrp.conf", &file(100, ""));
    let daemon = host.spawn(RUN);
    daemon.wait_for_line(
        "VI_1: failed on ens192: source: it has no IPv4 address: taking no part",
        10 * SECONDS,
    );
}

#[test]
fn a_flood_of_removals_is_put_back_and_does_not_fill_the_log() {
    let lab = Lab::new();
    let host = router(&lab, "d100", 100, 100, "");
    let daemon = host.spawn(RUN);
    wait(10 * SECONDS, "the VIP", || holds(&host));
    for _ in 0..20 {
        host.ok(&format!("ip address del {VIP} dev ens192"));
        wait(5 * SECONDS, "the VIP is put back", || holds(&host));
    }
    assert_eq!(daemon.log().matches("put back").count(), 1, "{}", daemon.log());
    let restored = "vrrpd_addresses_restored_total{instance=\"VI_1\",interface=\"ens192\",vrid=\"51\"} 20\n";
    wait(5 * SECONDS, "all are counted", || host.ok("vrrpd metrics").contains(restored));
}

#[test]
fn a_reload_applies_what_keeps_the_daemon_on_time() {
    let lab = Lab::new();
    let host = router(&lab, "d100", 100, 100, "");
    let daemon = host.spawn(RUN);
    wait(10 * SECONDS, "the VIP", || holds(&host));
    let pid = host.ok("pidof vrrpd").trim().to_owned();
    let locked = || !host.ok(&format!("grep VmLck /proc/{pid}/status")).contains(" 0 kB");
    assert!(!locked());
    let globals = "global_defs {\n vrrp_rt_priority 11\n vrrp_no_swap\n}\n";
    host.write("/etc/vrrp.conf", &(globals.to_owned() + &file(100, "")));
    host.ok("vrrpd reload");
    let own = host.ok(&format!("chrt -p {pid}"));
    assert!(own.contains("priority: 11") && locked(), "{own}{}", daemon.log());
    host.write("/etc/vrrp.conf", &file(100, ""));
    host.ok("vrrpd reload");
    daemon.wait_for_line(
        "vrrp_rt_priority is gone from the configuration: it stays in force until a restart",
        5 * SECONDS,
    );
    daemon.wait_for_line("vrrp_no_swap is gone", 5 * SECONDS);
    assert_eq!(daemon.log().matches("becoming master").count(), 1, "{}", daemon.log());
}

#[test]
fn garp_tells_the_hosts_again() {
    let lab = Lab::new();
    let host = router(&lab, "d100", 100, 100, "garp_master_delay 0");
    let peer = lab.host("peer", &["192.168.15.50/21"]);
    let daemon = host.spawn(RUN);
    wait(10 * SECONDS, "the VIP", || holds(&host));
    let mac = "02:00:c0:a8:0f:64";
    // A host that believes something else, as after a move that it missed.
    peer.ok("ip neigh replace 192.168.15.111 lladdr 02:00:00:00:00:99 dev ens192 nud stale");
    assert_eq!(host.ok("vrrpd garp VI_1"), "VI_1 has told the hosts where its addresses are\n");
    wait(5 * SECONDS, "the right place", || peer.ok("ip neigh show 192.168.15.111").contains(mac));
    let none = host.run("vrrpd garp VI_9");
    assert!(none.status == 1 && none.stderr.contains("there is no instance VI_9; there are: VI_1"), "{none}");
    drop(daemon);
}

#[test]
fn a_watched_status_follows_what_happens_and_ends_with_the_daemon() {
    let lab = Lab::new();
    let host = router(&lab, "d100", 100, 100, "");
    let daemon = host.spawn(RUN);
    wait(10 * SECONDS, "the VIP", || holds(&host));
    let watch = host.spawn("vrrpd status --watch");
    watch.wait_for_line("VI_1: MASTER for", 5 * SECONDS);
    host.ok("vrrpd release");
    watch.wait_for_line("VI_1: RELEASED for", 5 * SECONDS);
    assert!(!watch.log().contains('\x1b'), "no terminal, no erasing");
    daemon.signal(lab::Signal::SIGUSR1);
    daemon.wait_for_line("VI_1: RELEASED with priority 100 on ens192: sent ", 5 * SECONDS);
    assert_eq!(daemon.stop(10 * SECONDS), 0);
    assert_eq!(watch.wait_for_end(10 * SECONDS), 1);
    watch.wait_for_line("no vrrpd runs", 5 * SECONDS);
}

#[test]
fn the_command_line_runs_a_router_without_a_file() {
    let lab = Lab::new();
    let hosts = [("d100", 100_u8), ("d101", 101)]
        .map(|(name, last)| lab.host(name, &[&format!("192.168.15.{last}/21")]));
    let [high, low] = [(&hosts[0], 150), (&hosts[1], 100)].map(|(host, priority)| {
        host.spawn(&format!(
            "vrrpd --interface ens192 --vrid 51 --priority {priority} --vip {VIP} --vip 192.168.15.112 --password secret"
        ))
    });
    let [a, b] = &hosts;
    wait(20 * SECONDS, "the higher one alone", || holds(a) && !holds(b));
    assert!(a.ok("ip -o address").contains("192.168.15.112/32"));
    assert!(a.ok("vrrpd status").contains("vrid-51: MASTER"), "{}", low.log());
    // There is nothing to read anew, and nothing is lost by it.
    a.ok("vrrpd reload");
    assert_eq!(high.stop(10 * SECONDS), 0);
    assert!(holds(b) && !holds(a), "the successor was there before the end");
}
