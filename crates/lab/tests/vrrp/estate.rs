//! What outlives a daemon: what a kill has left though the file has changed, who was released; and who may stand in its way.

use lab::{Host, Lab, SECONDS, pause, wait};

use super::faults::{RUN, file, holds, router};

const BROKEN: &str = "vrrp_instance VI_1 {\n interface ens192\n virtual_router_id many\n}\n";

fn other(host: &Host) {
    let text = file(100, "").replace("VI_1", "VI_2").replace("router_id 51", "router_id 52");
    host.write("/etc/vrrp.conf", &text.replace("15.111", "15.112"));
}

/// Killed as master, with all kinds of things that it has set.
fn killed() -> (Lab, Host) {
    let lab = Lab::new();
    let lines = "use_vmac\n virtual_ipaddress_excluded {\n 10.1.0.16/24 dev ens224\n }\n virtual_routes {\n \
                 10.8.0.0/16 dev ens224\n }\n virtual_rules {\n from 10.8.0.0/16 lookup main preference 77\n }";
    let host = router(&lab, "d100", 100, 100, lines);
    host.nic("ens224", &["10.1.0.1/24"]);
    let daemon = host.spawn(RUN);
    wait(10 * SECONDS, "all of it", || left(&host) == 5);
    // It is written down right after that, and answers what is asked later.
    host.ok("vrrpd status");
    daemon.kill();
    assert_eq!(left(&host), 5, "nobody could remove it");
    (lab, host)
}

/// How much of it is there.
fn left(host: &Host) -> usize {
    let shown = host.ok(&["sh", "-c", "ip -o address; ip -o link; ip route; ip rule"]);
    let parts =
        ["192.168.15.111/32", "10.1.0.16/24", "vrrp.51@", "10.8.0.0/16 dev ens224", "from 10.8.0.0/16"];
    parts.iter().filter(|p| shown.contains(*p)).count()
}

#[test]
fn what_a_kill_left_goes_by_flush_though_the_file_is_broken_or_another_one() {
    let (_lab, host) = killed();
    host.ok("ip address add 10.1.0.17/24 dev ens224");
    host.write("/etc/vrrp.conf", BROKEN);
    assert_eq!(host.run(RUN).status, 2);
    let flush = host.run("vrrpd flush --config /etc/vrrp.conf");
    assert!(flush.status == 2 && flush.stderr.contains("virtual_router_id"), "{flush}");
    assert!(flush.stdout.contains("removed 10.1.0.16/24 on ens224\n"), "{flush}");
    assert_eq!(left(&host), 0, "{flush}");
    assert!(host.ok("ip -o address").contains("10.1.0.17/24"), "what others have set stays");
    assert_eq!(host.run("vrrpd flush --config /etc/vrrp.conf").stdout, "", "once");
    assert_eq!(host.ok("ls /run/vrrpd").matches(".json").count(), 0);
}

#[test]
fn what_a_kill_left_goes_at_a_start_whose_file_does_not_know_it() {
    let (_lab, host) = killed();
    other(&host);
    let daemon = host.spawn(RUN);
    daemon.wait_for_line(
        "10.1.0.16/24 on ens224 was left by an earlier run, and is not in the configuration",
        5 * SECONDS,
    );
    wait(10 * SECONDS, "the other one", || host.ok("ip -o address").contains("192.168.15.112/32"));
    assert_eq!(left(&host), 0, "{}", daemon.log());
    assert_eq!(daemon.stop(10 * SECONDS), 0);
    assert_eq!(host.ok("ls /run/vrrpd").matches(".json").count(), 0);
}

#[test]
fn what_another_daemon_has_taken_up_since_is_left_to_it() {
    let lab = Lab::new();
    let host = router(&lab, "d100", 100, 100, "");
    let daemon = host.spawn(RUN);
    wait(10 * SECONDS, "the VIP", || holds(&host));
    host.ok("vrrpd status");
    daemon.kill();
    let second = host.spawn(&format!("{RUN} --socket other"));
    second.wait_for_line("becoming master", 10 * SECONDS);
    wait(5 * SECONDS, "the VIP", || holds(&host));
    host.write("/etc/broken.conf", BROKEN);
    assert_eq!(host.run("vrrpd flush --config /etc/broken.conf").status, 2);
    assert!(holds(&host), "{}", second.log());
}

#[test]
fn a_full_disk_disturbs_no_takeover_and_is_told_once() {
    let lab = Lab::new();
    let host = router(&lab, "d100", 100, 100, "");
    host.ok("mkdir -p /run/vrrpd");
    host.ok("mount -t tmpfs -o size=8k,nr_inodes=8 small /run/vrrpd");
    host.sh("cat /dev/zero > /run/vrrpd/full");
    let daemon = host.spawn(RUN);
    daemon.wait_for_line("No space left on device", 10 * SECONDS);
    wait(10 * SECONDS, "the VIP", || holds(&host));
    host.ok("vrrpd release");
    wait(10 * SECONDS, "it to go", || !holds(&host));
    assert_eq!(daemon.log().matches("No space left").count(), 1, "{}", daemon.log());
    host.ok("rm /run/vrrpd/full");
    host.ok("vrrpd resume");
    wait(10 * SECONDS, "the VIP", || holds(&host));
    daemon.wait_for_line("written again", 5 * SECONDS);
}

#[test]
fn who_is_released_stays_so_over_a_restart_and_a_kill_until_resume() {
    let lab = Lab::new();
    let host = router(&lab, "d100", 100, 100, "");
    let daemon = host.spawn(RUN);
    wait(10 * SECONDS, "the VIP", || holds(&host));
    host.ok("vrrpd release VI_1");
    wait(10 * SECONDS, "it to go", || !holds(&host));
    assert_eq!(daemon.stop(10 * SECONDS), 0);
    for round in 0..2 {
        host.run("vrrpd flush --config /etc/vrrp.conf");
        let daemon = host.spawn(RUN);
        daemon.wait_for_line(
            "VI_1 was released before this start: it takes no part until 'vrrpd resume VI_1'",
            10 * SECONDS,
        );
        wait(10 * SECONDS, "its status", || host.run("vrrpd status").stdout.contains("VI_1: RELEASED"));
        // Ten of its intervals: alone it would be master after four.
        pause(SECONDS);
        assert!(!holds(&host), "round {round}: {}", daemon.log());
        daemon.kill();
    }
    let daemon = host.spawn(RUN);
    wait(10 * SECONDS, "its status", || host.run("vrrpd status").stdout.contains("RELEASED"));
    host.ok("vrrpd resume VI_1");
    wait(10 * SECONDS, "the VIP", || holds(&host));
    assert_eq!(daemon.stop(10 * SECONDS), 0);
    let daemon = host.spawn(RUN);
    wait(10 * SECONDS, "the VIP", || holds(&host));
    assert!(!daemon.log().contains("released"), "{}", daemon.log());
}

#[test]
fn nobody_but_root_keeps_a_director_from_starting_or_answers_in_its_place() {
    let lab = Lab::new();
    let host = router(&lab, "d100", 100, 100, "");
    let names = "vrrpd vrrpd-router/51/ens192/4";
    let squatter = host.spawn(&format!("setpriv --reuid nobody --clear-groups lab squat {names}"));
    squatter.wait_for_line("holds", 10 * SECONDS);
    let none = host.run("vrrpd status");
    assert!(none.status == 1 && none.stderr.contains("no vrrpd runs"), "{none}");
    host.ok("vrrpd flush --config /etc/vrrp.conf");
    let daemon = host.spawn(RUN);
    wait(10 * SECONDS, "the VIP", || holds(&host));
    daemon.wait_for_line("uid 65534, holds the name @vrrpd-router/51/ens192/4 and is no vrrpd", 5 * SECONDS);
    let ask = "setpriv --reuid nobody --clear-groups vrrpd";
    assert!(host.ok(&format!("{ask} status")).contains("VI_1: MASTER"));
    let release = host.run(&format!("{ask} release"));
    assert!(release.status == 1 && release.stderr.contains("only root"), "{release}");
    let lock = host.sh("setpriv --reuid nobody --clear-groups flock /run/vrrpd/*.lock true");
    assert_ne!(lock.status, 0, "{lock}");
    assert_eq!(daemon.stop(10 * SECONDS), 0);
}

#[test]
fn a_daemon_that_stands_still_is_not_waited_for() {
    let lab = Lab::new();
    let host = router(&lab, "d100", 100, 100, "");
    let daemon = host.spawn(RUN);
    wait(10 * SECONDS, "the VIP", || holds(&host));
    daemon.signal(lab::Signal::SIGSTOP);
    let status = host.run_for("vrrpd status", 10 * SECONDS);
    assert!(status.status == 1 && status.stderr.contains("vrrpd does not answer"), "{status}");
    daemon.signal(lab::Signal::SIGCONT);
}
