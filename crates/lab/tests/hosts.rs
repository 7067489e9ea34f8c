//! The lab itself: what every other test takes for granted.

use lab::traffic::Traffic;
use lab::{Lab, SECONDS, Signal, wait};

#[test]
fn hosts_see_each_other_and_only_their_own_things() {
    let lab = Lab::new();
    let a = lab.host("a", &["10.0.0.1/24", "fd00::1/64"]);
    let b = lab.host("b", &["10.0.0.2/24", "fd00::2/64"]);
    let server = b.spawn("lab server b 80");
    server.wait_for_line("serves", 5 * SECONDS);
    assert_eq!(a.ok("lab get 10.0.0.2:80"), "b\n");
    assert_eq!(a.ok("lab get [fd00::2]:80"), "b\n");
    assert_eq!(a.ok("hostname"), "a\n");
    assert!(a.ok("ip link show ens192").contains("02:00:0a:00:00:01"), "the MAC tells the address");
    a.write("/etc/sysctl.d/lab-test.conf", "x\n");
    a.write("/run/lab-test", "x\n");
    assert_eq!(b.run("cat /run/lab-test").status, 1);
    assert_eq!(b.run("cat /etc/sysctl.d/lab-test.conf").status, 1);
    assert_eq!(b.sh("ls /sys/class/net").stdout, "ens192\nlo\n");
}

#[test]
fn a_command_brings_back_its_output_input_and_status() {
    let lab = Lab::new();
    let host = lab.bare_host("h");
    let answer = host.sh("echo out; echo err >&2; exit 3");
    assert_eq!((answer.status, answer.stdout.as_str(), answer.stderr.as_str()), (3, "out\n", "err\n"));
    assert_eq!(host.input("wc -c", "four").stdout, "4\n");
    assert_eq!(host.sh("kill -9 $$").status, 137);
}

#[test]
#[should_panic(expected = "not done after 200ms")]
fn a_command_that_hangs_is_ended_by_its_deadline() {
    Lab::new().bare_host("h").run_for("sleep 1000", SECONDS / 5);
}

#[test]
fn a_cable_and_the_power_can_fail() {
    let lab = Lab::new();
    let a = lab.host("a", &["10.0.0.1/24"]);
    let b = lab.host("b", &["10.0.0.2/24"]);
    let carrier = |up: &str| b.ok("cat /sys/class/net/ens192/carrier").trim() == up;
    a.plug();
    b.unplug();
    wait(5 * SECONDS, "the carrier to go", || carrier("0"));
    b.plug();
    wait(5 * SECONDS, "the carrier to come", || carrier("1"));

    let daemon = b.spawn("sh -c");
    daemon.wait_for_end(5 * SECONDS);
    let daemon = b.spawn(&["sh", "-c", "echo here; sleep 1000"]);
    daemon.wait_for_line("here", 5 * SECONDS);
    b.power_off();
    wait(5 * SECONDS, "the end of all that ran", || !daemon.running());
    let b = lab.host("b", &["10.0.0.2/24"]);
    let _server = b.spawn("lab server new 80");
    wait(5 * SECONDS, "the new b", || a.run("lab get 10.0.0.2:80").stdout == "new\n");
    assert_eq!(b.sh("ps ax | grep -c [s]leep").stdout, "0\n");
}

#[test]
fn a_daemon_is_heard_and_told() {
    let host = Lab::new().bare_host("h");
    let daemon =
        host.spawn(&["sh", "-c", "trap 'echo bye; exit 4' TERM; echo one; while :; do sleep 0.02; done"]);
    daemon.wait_for_line("one", 5 * SECONDS);
    assert_eq!(daemon.stop(5 * SECONDS), 4);
    wait(5 * SECONDS, "the last line", || daemon.log() == "one\nbye\n");
    let daemon = host.spawn("sleep 1000");
    daemon.signal(Signal::SIGKILL);
    assert_eq!(daemon.wait_for_end(5 * SECONDS), 137);
}

#[test]
fn the_client_counts_what_it_gets() {
    let lab = Lab::new();
    let server = lab.host("s", &["10.0.0.1/24"]);
    let client = lab.host("c", &["10.0.0.2/24", "10.0.0.3/24"]);
    let serving = server.spawn("lab server s1 80 81");
    serving.wait_for_line("serves", 5 * SECONDS);
    let asking = client.spawn("lab client 10.0.0.1:81 --from 10.0.0.2,10.0.0.3");
    let traffic = || Traffic::read(&asking.lines());
    wait(10 * SECONDS, "twenty answers", || traffic().by_server().get("s1").is_some_and(|n| *n >= 20));
    serving.kill();
    wait(10 * SECONDS, "a failure", || traffic().failed() > 3);
    let serving = server.spawn("lab server s2 81");
    wait(10 * SECONDS, "the new server", || traffic().by_server().contains_key("s2"));
    // Not always one: a request that was under way at the kill may end after one that began later.
    let seen = traffic();
    let failed: usize = seen.outages().iter().map(|o| o.failed).sum();
    assert_eq!(failed, seen.failed(), "{}", asking.log());
    drop(serving);
}

#[test]
fn the_kernel_has_ipvs_with_every_scheduler() {
    let host = Lab::new().host("h", &["10.0.0.1/24"]);
    for scheduler in ["rr", "wrr", "lc", "wlc", "lblc", "lblcr", "dh", "sh", "sed", "nq", "fo", "ovf", "mh"] {
        host.ok(&format!("ipvsadm -A -t 10.0.0.9:80 -s {scheduler}"));
        host.ok("ipvsadm -D -t 10.0.0.9:80");
    }
}
