//! Being operated: handing over, interfaces that come and go, a log that nobody reads, systemd.

use std::os::unix::net::UnixDatagram;
use std::time::Duration;

use lab::traffic::{Request, Traffic};
use lab::{Daemon, Host, Lab, SECONDS, Signal, pause, wait};
use lvs_core::sys::clock;
use lvs_core::time::Time;

use super::duel::Program;
use super::faults::{RUN, VIP, file, holds, router};

/// Requests that are under way in one moment begin within so long of each other, also where a busy machine answers late.
const MOMENT: Duration = Duration::from_millis(100);

/// Requests of this time that failed; those that were under way in the moment when the VIP moved, and were reset by a host that
/// does not know them, are none of them: without a shared connection table no pair of routers can spare it.
pub(crate) fn failed(client: &Daemon, from: Time, to: Time) -> Vec<Request> {
    let traffic = Traffic::read(&client.lines()).between(from, to);
    assert!(traffic.ok() > 20, "{traffic}");
    let reset = |r: &Request| r.answer.as_ref().is_err_and(|why| why.contains("reset"));
    let bad: Vec<_> = traffic.0.into_iter().filter(|r| r.answer.is_err()).collect();
    let at: Vec<Time> = bad.iter().filter(|r| reset(r)).map(|r| r.at).collect();
    let moved = at.iter().max().zip(at.iter().min()).is_none_or(|(last, first)| *last - *first < MOMENT);
    bad.into_iter().filter(|r| !moved || !reset(r)).collect()
}

#[test]
fn a_release_and_a_stop_cost_no_request_with_keepalived_as_the_successor() {
    let lab = Lab::new();
    let (a, b) = (router(&lab, "d100", 100, 150, ""), router(&lab, "d101", 101, 100, ""));
    let servers = [&a, &b].map(|host| host.spawn(&format!("lab server {} 80", host.name())));
    servers.iter().for_each(|s| drop(s.wait_for_line("serves", 10 * SECONDS)));
    let client = lab.host("client", &["192.168.8.50/21"]);
    let (high, low) = (a.spawn(RUN), Program::Keepalived.start(&b));
    wait(20 * SECONDS, "the first master", || holds(&a) && !holds(&b));
    let asking = client.spawn("lab client 192.168.15.111:80 --rate 100 --timeout 500");
    let some = |n: usize| {
        let before = asking.lines().len();
        wait(20 * SECONDS, "requests", || asking.lines().len() >= before + n);
    };
    some(30);

    let begin = clock::now();
    a.ok("vrrpd release");
    wait(10 * SECONDS, "keepalived alone", || holds(&b) && !holds(&a));
    some(60);
    let bad = failed(&asking, begin, clock::now());
    assert!(bad.is_empty(), "release: {bad:?}\n{}\n{}", high.log(), low.log());

    a.ok("vrrpd resume");
    wait(10 * SECONDS, "vrrpd alone", || holds(&a) && !holds(&b));
    some(30);
    let begin = clock::now();
    assert_eq!(high.stop(10 * SECONDS), 0);
    assert!(holds(&b) && !holds(&a), "the successor was there before the end");
    some(60);
    let bad = failed(&asking, begin, clock::now());
    assert!(bad.is_empty(), "stop: {bad:?}\n{}\n{}", high.log(), low.log());
}

#[test]
fn an_order_is_for_the_instance_that_the_file_has_and_not_for_its_namesake_that_leaves() {
    let lab = Lab::new();
    let host = router(&lab, "d100", 100, 100, "");
    let daemon = host.spawn(RUN);
    wait(20 * SECONDS, "the VIP", || holds(&host));
    // Nobody succeeds it: it leaves for as long as two of its intervals.
    host.write("/etc/vrrp.conf", &file(100, "").replace("advert_int 0.1", "advert_int 40"));
    host.ok("vrrpd reload");
    host.write("/etc/vrrp.conf", &file(100, "").replace("router_id 51", "router_id 52"));
    host.ok("vrrpd reload");
    let states = || {
        let status: serde_json::Value = serde_json::from_str(&host.ok("vrrpd status --json")).expect("JSON");
        let instances = status["instances"].as_array().map_or(&[][..], Vec::as_slice);
        let states: Vec<String> = instances.iter().map(|i| format!("{} {}", i["vrid"], i["state"])).collect();
        states.join(", ").replace('"', "")
    };
    wait(20 * SECONDS, "the new one", || states() == "51 LEAVING, 52 MASTER");
    for (order, after) in [("release VI_1", "RELEASED"), ("resume VI_1", "MASTER"), ("release", "RELEASED")] {
        host.ok(&format!("vrrpd {order}"));
        let wanted = format!("51 LEAVING, 52 {after}");
        wait(20 * SECONDS, &format!("{wanted} after {order}"), || states() == wanted);
    }
    // Asked twice it ends at once, which one that had been told to stay released would not.
    daemon.signal(Signal::SIGTERM);
    wait(20 * SECONDS, "the end of the new one", || states() == "51 LEAVING, 52 STOP");
    daemon.signal(Signal::SIGTERM);
    assert_eq!(daemon.wait_for_end(20 * SECONDS), 0);
}

#[test]
fn an_interface_may_come_late_and_go_and_return() {
    let lab = Lab::new();
    let host = lab.bare_host("d100");
    // Another start may find it, but none makes a wrong file right.
    host.write("/etc/vrrp.conf", &file(100, ""));
    let missing = host.run(RUN);
    assert!(missing.status == 1 && missing.stderr.contains("there is no interface 'ens192'"), "{missing}");
    host.write("/etc/vrrp.conf", &file(100, "").replace("router_id 51", "router_id x"));
    assert_eq!(host.run(RUN).status, 2);
    host.write("/etc/vrrp.conf", &format!("global_defs {{\n dynamic_interfaces\n}}\n{}", file(100, "")));
    let daemon = host.spawn(RUN);
    daemon.wait_for_line("there is no interface ens192", 10 * SECONDS);
    for round in 1..=2 {
        host.nic("ens192", &["192.168.15.100/21"]);
        wait(10 * SECONDS, "the VIP", || holds(&host));
        wait(5 * SECONDS, "its place in the log", || {
            daemon.log().matches("becoming master").count() == round
        });
        let gone = clock::now();
        host.ok("ip link delete ens192");
        daemon.wait_for_line_after(gone, "taking no part in the election", 5 * SECONDS);
        wait(5 * SECONDS, "the reason", || {
            let status = host.ok("vrrpd status");
            status.contains("FAULT") && status.contains("link")
        });
    }
    assert_eq!(daemon.stop(10 * SECONDS), 0);
}

#[test]
fn a_log_that_nobody_reads_delays_nothing() {
    let lab = Lab::new();
    let host = router(&lab, "d100", 100, 100, "");
    // The pipe is full before the first line, and stays so.
    let script = "mkfifo /run/log; exec 3<>/run/log; dd if=/dev/zero of=/run/log bs=65536 count=1 status=none; \
                  exec vrrpd -v --config /etc/vrrp.conf 2>&3";
    let daemon = host.spawn(&["sh", "-c", script]);
    // One on a network of its own that is heard: what the machine does not grant, it does not grant to either.
    let apart = Lab::new();
    let heard = router(&apart, "d101", 101, 100, "");
    let other = heard.spawn(&format!("{RUN} -v"));
    wait(10 * SECONDS, "the VIP", || holds(&host) && holds(&heard));
    let sent = |host: &Host| -> u64 {
        let status: serde_json::Value = serde_json::from_str(&host.ok("vrrpd status --json")).expect("JSON");
        status["instances"][0]["counters"]["sent"].as_u64().expect("a number")
    };
    let before = [sent(&host), sent(&heard)];
    // Each reload has something to say.
    for _ in 0..20 {
        daemon.signal(Signal::SIGHUP);
        other.signal(Signal::SIGHUP);
        pause(Duration::from_millis(50));
    }
    // Asked last, the one that is heard has no less time.
    let [unheard, heard] = [sent(&host) - before[0], sent(&heard) - before[1]];
    assert!(unheard + 3 >= heard, "{unheard} advertisements, {heard} of the one with a reader");
    assert_eq!(daemon.stop(10 * SECONDS), 0);
    assert!(!holds(&host));
}

#[test]
fn real_time_priority_and_locked_memory_are_had_and_not_handed_down() {
    let lab = Lab::new();
    let host = router(&lab, "d100", 100, 100, "notify_master \"/etc/who\"");
    let globals = "global_defs {\n vrrp_rt_priority 10\n vrrp_no_swap\n script_user root\n}\n";
    host.write("/etc/vrrp.conf", &format!("{globals}{}", host.read("/etc/vrrp.conf")));
    host.write("/etc/who", "#!/bin/sh\nchrt -p $$ > /run/who\n");
    host.ok("chmod 755 /etc/who");
    let daemon = host.spawn(RUN);
    wait(10 * SECONDS, "the script", || host.sh("cat /run/who").stdout.contains("priority"));
    assert!(host.read("/run/who").contains("SCHED_OTHER"), "{}", host.read("/run/who"));
    let own = host.ok(&format!("chrt -p {}", pid(&host)));
    assert!(own.contains("SCHED_RR") && own.contains("priority: 10"), "{own}");
    let memory = host.read(&format!("/proc/{}/status", pid(&host)));
    let locked = memory.lines().find_map(|l| l.strip_prefix("VmLck:")).unwrap_or_default();
    assert!(!locked.trim().starts_with("0 "), "{memory}");
    drop(daemon);
}

/// A supervisor that ignores SIGCHLD hands that down.
#[test]
fn whoever_starts_it_the_status_of_a_script_is_known() {
    let lab = Lab::new();
    let host = router(&lab, "d100", 100, 100, "track_script {\n works\n }");
    let script = "vrrp_script works {\n script /bin/true\n interval 1\n}\n";
    host.write("/etc/vrrp.conf", &format!("{script}{}", host.read("/etc/vrrp.conf")));
    let daemon = host.spawn(&format!("env --ignore-signal=CHLD {RUN}"));
    wait(10 * SECONDS, "the VIP", || holds(&host));
    assert_eq!(daemon.stop(10 * SECONDS), 0);
}

fn pid(host: &Host) -> String {
    host.ok("pidof vrrpd").trim().to_owned()
}

#[test]
fn systemd_is_told_all_there_is_to_tell() {
    let path = std::env::temp_dir().join(format!("lvs-notify-{}", std::process::id()));
    let _ = std::fs::remove_file(&path);
    let manager = UnixDatagram::bind(&path).expect("a socket for systemd's part");
    manager.set_read_timeout(Some(10 * SECONDS)).expect("a deadline");
    let told = || {
        let mut bytes = [0; 512];
        let n = manager.recv(&mut bytes).expect("a message within 10 s");
        String::from_utf8_lossy(&bytes[..n]).into_owned()
    };
    let until = |part: &str| {
        let end = clock::now() + 10 * SECONDS;
        while !told().contains(part) {
            // The watchdog's messages never end.
            assert!(clock::now() < end, "{part} was not told in 10 s");
        }
    };
    let lab = Lab::new();
    let host = router(&lab, "d100", 100, 100, "");
    let daemon = host.spawn(&format!("env NOTIFY_SOCKET={} WATCHDOG_USEC=200000 {RUN}", path.display()));
    until("READY=1");
    until("1 MASTER");
    until("WATCHDOG=1");
    daemon.signal(Signal::SIGHUP);
    until("RELOADING=1");
    until("READY=1");
    daemon.signal(Signal::SIGTERM);
    until("STOPPING=1");
    assert_eq!(daemon.wait_for_end(10 * SECONDS), 0);
    std::fs::remove_file(path).expect("our own socket");
    assert!(!host.ok("ip -o address").contains(VIP));
}

/// By then the daemon has given up the right to open what belongs to others.
#[test]
fn the_pipe_of_another_user_is_found_again_after_a_kill() {
    let lab = Lab::new();
    let host = lab.host("d100", &["192.168.15.100/21"]);
    let globals = "global_defs {\n vrrp_notify_fifo /run/states nobody\n}\n";
    host.write("/etc/vrrp.conf", &(globals.to_owned() + &file(100, "")));
    let daemon = host.spawn(RUN);
    wait(10 * SECONDS, "the pipe", || host.run("stat -c %U%F /run/states").stdout == "nobodyfifo\n");
    let read = || host.spawn("setpriv --reuid nobody cat /run/states");
    read().wait_for_line("\"VI_1\" MASTER", 10 * SECONDS);
    daemon.kill();
    let daemon = host.spawn(RUN);
    wait(10 * SECONDS, "the second daemon", || host.run("vrrpd status").status == 0);
    let reader = read();
    reader.wait_for_line("\"VI_1\" MASTER", 10 * SECONDS);
    // A reload that names another reader keeps the pipe.
    let again = globals.replace("nobody\n", "nobody\n vrrp_notify_fifo_script /bin/true\n");
    host.write("/etc/vrrp.conf", &(again + &file(100, "")));
    host.ok("vrrpd reload");
    assert_eq!(daemon.stop(10 * SECONDS), 0);
    reader.wait_for_line("STOP", 10 * SECONDS);
}
