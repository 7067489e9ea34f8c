//! tcpcheck in the hands of those who run it: files that change, empty or full places, and what is said of them.

use lab::seed::{Seed, Side};
use lab::{Daemon, Host, Lab, SECONDS, Signal, wait};

const CHECKS: &str = "/run/checks.conf";

/// A service of two real servers that nobody checks, so that they are always there.
fn service(port: u32, more: &str) -> String {
    let server = |n: u8| format!("real_server 10.0.0.{n} 80 {{\nweight 1\n}}\n");
    format!(
        "virtual_server 10.0.0.100 {port} {{\nlb_algo rr\nlb_kind NAT\nprotocol TCP\n{more}\n{}{}}}\n",
        server(1),
        server(2)
    )
}

struct Bench {
    director: Host,
    _lab: Lab,
}

impl Bench {
    fn new(text: &str) -> Self {
        let lab = Lab::new();
        let director = lab.host("director", &["10.0.0.101/24"]);
        director.write(CHECKS, text);
        Self { director, _lab: lab }
    }

    fn watch(&self, flags: &str) -> Daemon {
        let watch = self.director.spawn(&format!("tcpcheck watch --ipvs --config {CHECKS} {flags}"));
        watch.wait_for_line("watching", 5 * SECONDS);
        watch
    }

    fn reload(&self, watch: &Daemon, text: &str, last: &str) {
        self.director.write(CHECKS, text);
        let before = watch.lines().len();
        watch.signal(Signal::SIGHUP);
        let heard = || watch.lines()[before..].iter().any(|l| l.text.contains(last));
        wait(5 * SECONDS, last, heard);
    }

    /// The rule lines, sorted.
    fn table(&self) -> Vec<String> {
        let mut lines: Vec<_> = self.director.ok("ipvsadm -Sn").lines().map(str::to_owned).collect();
        lines.sort();
        lines
    }

    fn weighs(&self, server: &str, weight: u32) -> bool {
        self.table().iter().any(|l| l.contains(&format!("-r {server} -m -w {weight}")))
    }
}

#[track_caller]
fn says(watch: &Daemon, parts: &[&str]) {
    let log = watch.log();
    for part in parts {
        assert!(log.contains(part), "'{part}' is missing:\n{log}");
    }
}

#[test]
fn a_reload_says_what_is_wrong_and_what_it_changes() {
    let bench = Bench::new(&(service(80, "") + &service(81, "")));
    let watch = bench.watch("");
    wait(5 * SECONDS, "both services", || bench.table().len() == 6);
    let other = service(80, "").replacen("weight 1", "weight 5", 1) + &service(82, "lb_algo nonsense");
    bench.reload(&watch, &other, "taken anew");
    says(
        &watch,
        &[
            "'nonsense' is no scheduler",
            "10.0.0.100:81: removed, with 2 real servers",
            "10.0.0.100:82: added, with 2 real servers",
            "10.0.0.100:80: real server 10.0.0.1:80 changed: weight 1 to 5",
        ],
    );
    assert!(bench.weighs("10.0.0.1:80", 5));
    watch.kill();
    bench.director.write(CHECKS, &service(80, ""));
    let watch = bench.watch("");
    wait(5 * SECONDS, "one service", || bench.table().len() == 3);
    says(&watch, &["-t 10.0.0.100:82: no longer in the file, removed"]);
}

#[test]
fn who_only_looks_on_runs_no_program_of_the_file() {
    let bench = Bench::new("");
    let scripts = "quorum_up /run/note\nquorum_down /run/note";
    let pipe = "global_defs {\nlvs_notify_fifo /run/changes\nlvs_notify_fifo_script /run/note\n}\n";
    bench.director.write(CHECKS, &format!("{pipe}{}", service(80, scripts)));
    bench.director.write("/run/note", "#!/bin/sh\ntouch /run/noted\n");
    bench.director.ok("chmod 755 /run/note");
    let there = |file: &str| bench.director.run(&format!("test -e {file}")).status == 0;
    let spectator = bench.director.spawn(&format!("tcpcheck watch --config {CHECKS}"));
    spectator.wait_for_line("quorum gained", 5 * SECONDS);
    spectator.signal(Signal::SIGHUP);
    spectator.wait_for_line("taken anew", 5 * SECONDS);
    lab::pause(SECONDS / 2);
    assert!(!there("/run/noted") && !there("/run/changes"), "{}", spectator.log());
    let _watch = bench.watch("");
    wait(5 * SECONDS, "the script of the director", || there("/run/noted") && there("/run/changes"));
}

#[test]
fn an_empty_file_takes_nothing_away() {
    let bench = Bench::new(&service(80, ""));
    let watch = bench.watch("");
    wait(5 * SECONDS, "the service", || bench.table().len() == 3);
    let before = bench.table();
    bench.reload(&watch, "", "the old configuration stays in force");
    says(&watch, &["nothing in this file is recognised"]);
    assert_eq!(bench.table(), before);
    watch.kill();
    let refused = bench.director.run(&format!("tcpcheck watch --ipvs --config {CHECKS}"));
    assert_eq!(refused.status, 2, "{refused}");
    assert!(refused.stderr.contains("nothing in this file is recognised"), "{refused}");
    assert_eq!(bench.table(), before);
    assert_eq!(bench.director.run(&format!("tcpcheck check --config {CHECKS}")).status, 2);
}

#[test]
fn a_port_that_is_none_makes_no_service_of_every_port() {
    let bench = Bench::new(&(service(80, "") + &service(81, "")));
    let watch = bench.watch("");
    wait(5 * SECONDS, "both services", || bench.table().len() == 6);
    let before = bench.table();
    watch.kill();
    bench.director.write(CHECKS, &(service(80, "") + &service(80000, "")));
    let watch = bench.watch("");
    says(&watch, &["started without virtual_server 10.0.0.100 80000: 1 error"]);
    assert_eq!(bench.table(), before);
    bench.reload(&watch, &(service(80, "") + &service(81, "")), "taken anew");
    assert_eq!(bench.table(), before);
}

/// keepalived skips a service with such a port, and a server that its service cannot have.
#[test]
fn keepalived_leaves_out_the_same_services_and_servers() {
    let mixed = "virtual_server fd00::100 80 {\nlb_algo rr\nlb_kind NAT\nprotocol TCP\nsorry_server 10.0.0.9 80\n\
                 real_server fd00::1 80 {\n}\nreal_server 10.0.0.1 80 {\n}\n}\n";
    let text = service(80, "") + &service(80000, "") + mixed + &mixed.replace("fd00::100 80", "fwmark 7");
    let bench = Bench::new(&text);
    let want = [
        "-A -f 7 -6 -s rr",
        "-A -t 10.0.0.100:80 -s rr",
        "-A -t [fd00::100]:80 -s rr",
        "-a -f 7 -6 -r [fd00::1]:80 -m -w 1",
        "-a -t 10.0.0.100:80 -r 10.0.0.1:80 -m -w 1",
        "-a -t 10.0.0.100:80 -r 10.0.0.2:80 -m -w 1",
        "-a -t [fd00::100]:80 -r [fd00::1]:80 -m -w 1",
    ];
    let expect = |who: &str| wait(15 * SECONDS, who, || bench.table() == want);
    let run = "keepalived -G -n -l --check -f /run/checks.conf -p /run/k.pid -c /run/kc.pid";
    let keepalived = bench.director.spawn(run);
    expect("keepalived's table");
    keepalived.stop(10 * SECONDS);
    bench.director.ok("ipvsadm -C");
    let _watch = bench.watch("");
    expect("the same table");
}

#[test]
fn a_list_of_drained_servers_may_be_missing_or_wrong_in_part() {
    let bench = Bench::new(&service(80, ""));
    let watch = bench.watch("--drain-file /run/drained");
    says(&watch, &["/run/drained: no such file: nobody is drained"]);
    wait(5 * SECONDS, "the service", || bench.weighs("10.0.0.1:80", 1));
    bench.director.write("/run/drained", "web1\n10.0.0.1:80\n10.0.0.7\n");
    bench.reload(&watch, &service(80, ""), "taken anew");
    says(
        &watch,
        &[
            "/run/drained:1: 'web1' is not a real server",
            "/run/drained: 10.0.0.7: no virtual server of the file has this real server",
        ],
    );
    assert!(bench.weighs("10.0.0.1:80", 0) && bench.weighs("10.0.0.2:80", 1), "{:?}", bench.table());
    bench.director.ok("rm /run/drained");
    bench.reload(&watch, &service(80, ""), "taken anew");
    assert!(bench.weighs("10.0.0.1:80", 1), "{:?}", bench.table());
}

#[test]
fn a_drain_that_cannot_be_kept_fails_and_says_so() {
    let bench = Bench::new(&service(80, ""));
    bench.director.ok("mkdir -p /run/lvs");
    bench.director.ok("mount -t tmpfs -o size=64k tmpfs /run/lvs");
    let watch = bench.watch("");
    wait(5 * SECONDS, "the service", || bench.weighs("10.0.0.1:80", 1));
    bench.director.sh("cat /dev/zero >/run/lvs/full");
    let drain = bench.director.run("tcpcheck drain 10.0.0.1:80");
    assert_eq!(drain.status, 1, "{drain}");
    assert!(drain.stderr.contains("a restart would forget") && drain.stdout.is_empty(), "{drain}");
    assert!(bench.weighs("10.0.0.1:80", 0));
    bench.director.ok("rm /run/lvs/full");
    bench.director.ok("tcpcheck drain 10.0.0.1:80 10.0.0.2:80");
    watch.kill();
    let _watch = bench.watch("");
    assert!(bench.weighs("10.0.0.1:80", 0) && bench.weighs("10.0.0.2:80", 0), "{:?}", bench.table());
}

#[test]
fn a_drain_that_waits_ends_with_the_last_connection() {
    let seed = Seed::new(Side::Ours);
    let (mut director, mut server) = (seed.director(100), seed.real_server(102));
    seed.preparation().iter().for_each(|line| drop(server.host.ok(line.as_str())));
    server.die();
    let echo = server.host.spawn("lab echo r102 7885");
    echo.wait_for_line("echoes", 5 * SECONDS);
    director.start();
    director.wait_for_vip(20 * SECONDS);
    // The other one does not exist, and counts as alive until its first try has failed.
    let knows = |server| director.knows(&format!("192.168.15.{server}:7885"));
    wait(20 * SECONDS, "one real server alone", || knows(102) && !knows(103));
    let held = seed.client.spawn("lab talk 192.168.15.111:7885");
    held.wait_for_line("r102", 5 * SECONDS);
    // What is closed is forgotten soon.
    director.host.ok("ipvsctl --set 0 2 0");

    let drain = |time: &str| director.host.run(&format!("tcpcheck drain 192.168.15.102:7885 --wait {time}"));
    let early = drain("1s");
    assert_eq!(early.status, 1, "{early}");
    assert!(early.stderr.contains("after 1 s 1 active connection and 0 inactive are left"), "{early}");
    held.kill();
    let done = drain("20s");
    assert_eq!(done.status, 0, "{done}");
    assert!(done.stdout.ends_with("no connection is left\n"), "{done}");
}

/// A check that cannot be made as it is written is told by whoever is asked, with the same words.
#[test]
fn what_is_not_checked_is_said_before_the_watch_and_by_it() {
    let checks = "MISC_CHECK {\nmisc_path /run/gone\n}\nHTTP_GET {\nurl {\npath /\nregex \"a(\"\n}\n}\n";
    let bench = Bench::new(&service(80, "").replacen("weight 1", checks, 1));
    let gone = "/run/gone: cannot be run: No such file or directory (os error 2): nothing is checked by it";
    let regex = "regex 'a(' is not used: ";
    let run = |verb: &str| bench.director.run(&format!("tcpcheck {verb} --config {CHECKS}"));
    let check = run("check");
    assert_eq!((check.status, run("check --strict").status), (0, 1), "{check}");
    assert!(check.stdout.contains(gone) && check.stdout.contains(regex), "{check}");
    let explain = run("watch --explain");
    assert!(explain.stderr.contains(gone) && explain.stderr.contains(regex), "{explain}");
    assert!(!explain.stdout.contains("run /run/gone"), "{explain}");
    assert!(explain.stdout.contains("fetch / from 10.0.0.1:80"), "{explain}");
    let watch = bench.watch("");
    says(&watch, &[gone, regex]);
}
