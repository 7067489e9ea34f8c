//! How long a router waits for a lower master, and what is no fault to it: the same file for both programs.

use lab::{Host, Lab, SECONDS, wait};
use lvs_core::sys::clock;

use super::duel::Program;

const PROGRAMS: [Program; 2] = [Program::Keepalived, Program::Vrrpd];

/// Router number `n`, whose address is 10.0.0.n.
fn router(n: u8, nic: &str, priority: u8, lines: &str) -> String {
    let head = format!(
        "interface {nic}\n virtual_router_id {n}\n priority {priority}\n version 3\n advert_int 0.1\n notify \"/etc/note {n}\""
    );
    format!("vrrp_instance V{n} {{\n {head}\n {lines}\n virtual_ipaddress {{\n 10.0.0.{n}\n }}\n}}\n")
}

/// A host with this file, on which scripts note what they are told.
fn host(lab: &Lab, name: &str, last: u8, file: &str) -> Host {
    let host = lab.host(name, &[&format!("192.168.15.{last}/21")]);
    host.write("/etc/note", "#!/bin/sh\necho \"$1 $4\" >> /run/told\n");
    host.ok("chmod 755 /etc/note");
    host.ok("touch /run/told");
    host.write("/etc/vrrp.conf", file);
    host
}

fn holds(host: &Host, n: u8) -> bool {
    host.ok("ip -o -4 address").contains(&format!(" 10.0.0.{n}/"))
}

/// The states that the scripts of one router were told.
fn told(host: &Host, n: u8) -> Vec<String> {
    let told = host.read("/run/told");
    told.lines().filter_map(|l| l.strip_prefix(&format!("{n} ")).map(str::to_owned)).collect()
}

fn becomes(host: &Host, n: u8, states: &[&str], what: &str) {
    wait(20 * SECONDS, &format!("{n} is told {states:?}: {what}"), || told(host, n) == states);
}

#[test]
fn a_lower_master_is_replaced_after_preempt_delay_and_a_dead_one_at_once() {
    std::thread::scope(|scope| {
        for high in PROGRAMS {
            for low in PROGRAMS {
                scope.spawn(move || replaces(high, low));
            }
        }
    });
}

fn replaces(high: Program, low: Program) {
    let file = |priority| {
        let head = "global_defs {\n script_user root\n}\n".to_owned();
        let delays = [(1, ""), (2, "preempt_delay 3"), (3, "preempt_delay 1000")];
        head + &delays.map(|(n, lines)| router(n, "ens192", priority, lines)).concat()
    };
    let lab = Lab::new();
    let [below, above] =
        [("low", 100, 100), ("high", 101, 150)].map(|(name, last, p)| host(&lab, name, last, &file(p)));
    let lower = low.start(&below);
    wait(20 * SECONDS, "the lower one is master", || (1..=3).all(|n| holds(&below, n)));
    let started = clock::now();
    let higher = high.start(&above);
    let took = [1, 2].map(|n| {
        wait(20 * SECONDS, "the higher one takes over", || holds(&above, n));
        (clock::now() - started).as_secs_f64()
    });
    let logs = || format!("{high:?} above {low:?}: {took:?}\n{}\n{}", higher.log(), lower.log());
    // Three intervals and the skew, and the delay.
    assert!(took[0] > 0.3 && took[0] < 3.0 && took[1] > 3.3 && took[1] < 6.0, "{}", logs());
    assert!(holds(&below, 3) && !holds(&above, 3), "{}", logs());
    // The delay is for a master that is lower, not for none.
    below.power_off();
    wait(10 * SECONDS, "the higher one takes over after a crash", || holds(&above, 3));
}

#[test]
fn a_link_that_is_not_tracked_and_an_interface_that_comes_later_are_no_error() {
    std::thread::scope(|scope| {
        for program in PROGRAMS {
            scope.spawn(move || bears(program));
        }
    });
}

/// The instance on `later` is there before its interface, the one without a word on ens192.
fn bears(program: Program) {
    let lab = Lab::new();
    let file = |globals: &str| {
        let globals = format!("global_defs {{\n script_user root\n {globals}\n}}\n");
        let routers = [(1, "ens192", ""), (2, "ens192", "dont_track_primary"), (3, "later", "")];
        globals + &routers.map(|(n, nic, lines)| router(n, nic, 100, lines)).concat()
    };
    let strict = host(&lab, "d101", 101, &file(""));
    let refused = program.start(&strict);
    let status = refused.wait_for_end(20 * SECONDS);
    assert_ne!(status, 0, "{program:?}: {}", refused.log());
    refused.wait_for_line("later", 5 * SECONDS);

    let host = host(&lab, "d100", 100, &file("dynamic_interfaces"));
    let daemon = program.start(&host);
    let who = || format!("{program:?}\n{}", daemon.log());
    for n in [1, 2] {
        becomes(&host, n, &["BACKUP", "MASTER"], &who());
    }
    becomes(&host, 3, &["FAULT"], &who());
    host.nic("later", &["10.1.0.1/24"]);
    becomes(&host, 3, &["FAULT", "BACKUP", "MASTER"], &who());
    host.ok("ip link delete later");
    becomes(&host, 3, &["FAULT", "BACKUP", "MASTER", "FAULT"], &who());
    host.nic("later", &["10.1.0.1/24"]);
    becomes(&host, 3, &["FAULT", "BACKUP", "MASTER", "FAULT", "BACKUP", "MASTER"], &who());

    let mut states = vec!["BACKUP", "MASTER"];
    let (unplug, plug) = (|| host.unplug(), || host.plug());
    let (down, up) = (|| drop(host.ok("ip link set ens192 down")), || drop(host.ok("ip link set ens192 up")));
    for (away, back) in [(&unplug as &dyn Fn(), &plug as &dyn Fn()), (&down, &up)] {
        away();
        states.push("FAULT");
        becomes(&host, 1, &states, &who());
        assert!(holds(&host, 2) && !holds(&host, 1), "{}", who());
        back();
        states.extend(["BACKUP", "MASTER"]);
        becomes(&host, 1, &states, &who());
    }
    assert_eq!(told(&host, 2), ["BACKUP", "MASTER"], "{}", who());
    assert!((1..=3).all(|n| holds(&host, n)), "{}", who());
}
