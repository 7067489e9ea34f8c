//! Bad input and faults: each is said, nothing is half done, and what a hand or a SIGKILL broke is mended.

mod connections;

use std::time::Duration;

use lab::seed::{CONFIG, Director, FILE, Seed, Side, VIP};
use lab::{Host, Lab, SECONDS, pause, wait};
use lvs_core::sys::clock;

/// Runs a command as root without the right to change the network.
const POWERLESS: &str = "setpriv --bounding-set=-net_admin --inh-caps=-net_admin ";

/// What a command could have changed.
fn state(host: &Host) -> String {
    let keys = "net.ipv4.conf.all.arp_ignore net.ipv4.conf.all.arp_announce";
    host.sh(&format!("ip -o address; ip route; sysctl {keys}; ipvsadm -Sn")).stdout
}

fn director() -> (Seed, Director) {
    let seed = Seed::new(Side::Ours);
    let director = seed.director(100);
    (seed, director)
}

#[test]
fn without_the_right_every_command_says_which_one_it_lacks() {
    let (_seed, Director { host, .. }) = director();
    let before = state(&host);
    let lines = [
        "ipvsctl list".to_owned(),
        format!("ipvsctl apply {FILE}"),
        format!("rs-prep up {VIP}"),
        format!("vrrpd --config {FILE}"),
        format!("tcpcheck watch --config {FILE} --ipvs"),
    ];
    for line in lines {
        let output = host.run(&format!("{POWERLESS}{line}"));
        // vrrpd's 2: it never began; the others were refused what they tried.
        assert_eq!(output.status, if line.starts_with("vrrpd") { 2 } else { 1 }, "{output}");
        assert!(output.stderr.contains("CAP_NET_ADMIN"), "{output}");
        assert_eq!(state(&host), before, "{output}");
    }
}

#[test]
fn an_interface_that_does_not_exist_is_named() {
    let lab = Lab::new();
    let host = lab.bare_host("d100");
    host.write("/run/keepalived.conf", CONFIG);
    let output = host.run("vrrpd --config /run/keepalived.conf");
    assert!(output.status != 0 && output.stderr.contains("ens192"), "{output}");
    let output = host.run("rs-prep probe 192.168.15.111 --dev ens192");
    assert!(output.status != 0 && output.stderr.contains("ens192"), "{output}");
}

#[test]
fn a_file_with_errors_is_refused_with_all_of_them_and_nothing_is_touched() {
    let (_seed, Director { host, .. }) = director();
    let broken = CONFIG.replace("        192.168.15.111\n", "        192.168.15.911\n");
    let broken = broken.replace("real_server 192.168.15.110", "real_server 192.168.15.910");
    let broken = broken.replace("real_server 192.168.15.103", "real_server 192.168.15.903");
    let line_of = |part: &str| broken.lines().position(|l| l.contains(part)).map_or(0, |n| n + 1);
    host.write(FILE, &broken);
    let before = state(&host);
    // Nothing sound is left for any of them; each speaks of its own blocks.
    let servers = [line_of(".910"), line_of(".903")];
    for (command, lines) in [
        ("vrrpd --config", [line_of(".911")].as_slice()),
        ("tcpcheck watch --ipvs --config", &servers),
        ("rs-prep up --config", &servers),
        ("ipvsctl apply", &servers),
    ] {
        let output = host.run(&format!("{command} {FILE}"));
        assert_eq!(output.status, 2, "{output}");
        for line in lines {
            assert!(output.stderr.contains(&format!("{FILE}:{line}:")), "line {line}: {output}");
        }
        assert_eq!(state(&host), before, "{output}");
    }
}

#[test]
fn a_vip_deleted_by_hand_is_put_back_at_once_and_said() {
    let (_seed, mut director) = director();
    director.start();
    director.wait_for_vip(20 * SECONDS);
    let deleted = clock::now();
    director.host.ok(&format!("ip address delete {VIP}/32 dev ens192"));
    director.wait_for_vip(SECONDS);
    director.daemon("vrrpd").wait_for_line_after(deleted, VIP, SECONDS);
}

#[test]
fn a_table_changed_by_hand_is_mended_and_said() {
    let (seed, mut director) = director();
    let _servers: Vec<_> = [102, 103, 109, 110].map(|n| seed.real_server(n)).into();
    director.start();
    for server in ["192.168.15.102:7885", "192.168.15.110:443"] {
        wait(20 * SECONDS, server, || director.knows(server));
    }
    let table = director.host.ok("ipvsctl -Sn");
    director.host.ok(&format!("ipvsctl -d -t {VIP}:443 -r 192.168.15.110:443"));
    director.host.ok(&format!("ipvsctl -e -t {VIP}:7885 -r 192.168.15.102:7885 -g -w 7"));
    director.host.ok("ipvsctl -A -t 192.168.15.111:99 -s rr");
    let strange = format!("-A -t {VIP}:99 -s rr\n");
    wait(60 * SECONDS, "the table as the file wants it", || {
        director.host.ok("ipvsctl -Sn").replace(&strange, "") == table
    });
    assert!(
        director.daemon("tcpcheck").log().contains("192.168.15.110:443"),
        "{}",
        director.daemon("tcpcheck").log()
    );
    // What is not in the file is another's.
    assert!(director.host.ok("ipvsctl -Sn").contains(&strange));
}

#[test]
fn a_killed_vrrpd_leaves_no_second_holder_once_it_is_back() {
    let seed = Seed::new(Side::Ours);
    let mut directors = [100, 101].map(|n| seed.director(n));
    directors.iter_mut().for_each(Director::start);
    wait(20 * SECONDS, "d100 alone to hold the VIP", || {
        directors[0].holds_vip() && !directors[1].holds_vip()
    });
    directors[0].daemon("vrrpd").kill();
    assert!(directors[0].holds_vip(), "nobody was there to take it down");
    directors[1].wait_for_vip(10 * SECONDS);
    directors[0].restart("vrrpd");
    wait(SECONDS, "the stale VIP to go before anything else", || !directors[0].holds_vip());
    wait(20 * SECONDS, "d100 alone to hold the VIP", || {
        directors[0].holds_vip() && !directors[1].holds_vip()
    });
}

#[test]
fn a_killed_tcpcheck_takes_no_live_server_with_it_and_learns_what_it_missed() {
    let (seed, mut director) = director();
    let mut servers: Vec<_> = [102, 103, 109, 110].map(|n| seed.real_server(n)).into();
    director.start();
    let all = ["192.168.15.102:7885", "192.168.15.103:7885", "192.168.15.109:443", "192.168.15.110:443"];
    for server in all {
        wait(20 * SECONDS, server, || director.knows(server));
    }
    director.daemon("tcpcheck").kill();
    let table = director.host.ok("ipvsctl -Sn");
    servers[0].die();
    director.restart("tcpcheck");
    wait(30 * SECONDS, "the server that died meanwhile to go", || {
        let now = director.host.ok("ipvsctl -Sn");
        for server in &all[1..] {
            assert!(now.contains(server), "{server} is alive and was taken out:\n{now}");
        }
        !now.contains(all[0])
    });
    servers[0].serve();
    wait(10 * SECONDS, "it to come back", || director.host.ok("ipvsctl -Sn") == table);

    // A restart without any change writes nothing: not even the counters start again.
    director.daemon("tcpcheck").stop(5 * SECONDS);
    assert_eq!(director.host.ok("ipvsctl -Sn"), table, "it leaves the table in place");
    director.restart("tcpcheck");
    let end = clock::now() + Duration::from_secs(4);
    while clock::now() < end {
        assert_eq!(director.host.ok("ipvsctl -Sn"), table);
        pause(Duration::from_millis(50));
    }
}

#[test]
fn a_killed_rs_prep_is_finished_by_the_next_one() {
    let lab = Lab::new();
    let host = lab.host("r102", &["192.168.15.102/21"]);
    let clean = state(&host);
    host.ok(&format!("rs-prep up {VIP}"));
    let prepared = state(&host);
    host.ok(&format!("rs-prep down {VIP}"));
    assert_eq!(state(&host), clean);
    // Killed at moments that no one chooses: whatever it had done, the next up and down come to the same.
    for delay in [1, 3, 5, 8, 12, 20] {
        host.sh(&format!("rs-prep up {VIP} & sleep 0.0{delay:02}; kill -9 $!"));
        host.ok(&format!("rs-prep up {VIP}"));
        assert_eq!(state(&host), prepared, "killed after {delay} ms");
        host.ok(&format!("rs-prep down {VIP}"));
        assert_eq!(state(&host), clean, "killed after {delay} ms");
    }
}
