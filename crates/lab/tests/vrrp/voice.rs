//! Who speaks from a virtual MAC address: a switch takes whoever spoke last for its place.

use lab::{Daemon, Host, Lab, SECONDS, Signal, pause, wait};
use lvs_core::sys::clock;

use super::duel::Program;
use super::faults::RUN;
use super::operated::failed;

const MAC: &str = "00:00:5e:00:01:33";

/// The address of the routers and the client's own.
const FOUR: [&str; 2] = ["192.168.15.111", "192.168.8.50/21"];
const SIX: [&str; 2] = ["2001:db8::111", "2001:db8::50/64"];

fn router(lab: &Lab, name: &str, last: u8, priority: u8, lines: &str) -> Host {
    router_of(FOUR[0], lab, name, last, priority, lines)
}

fn router_of(vip: &str, lab: &Lab, name: &str, last: u8, priority: u8, lines: &str) -> Host {
    let host = lab.host(name, &[&format!("192.168.15.{last}/21"), &format!("2001:db8::{last}/64")]);
    let head = "interface ens192\n virtual_router_id 51\n version 3\n advert_int 1";
    let vips = format!("virtual_ipaddress {{\n {vip}\n }}");
    let text = format!("vrrp_instance V {{\n {head}\n priority {priority}\n {lines}\n {vips}\n}}\n");
    host.write("/etc/vrrp.conf", &text);
    host
}

fn holds(host: &Host) -> bool {
    holds_of(FOUR[0], host)
}

fn holds_of(vip: &str, host: &Host) -> bool {
    host.ok("ip -o address").contains(&format!(" {vip}/"))
}

/// The switch's port of the virtual MAC address.
fn place(lab: &Lab) -> Option<String> {
    let table = lab.switch().ok("bridge fdb show br br0");
    let line = table.lines().find(|l| l.starts_with(MAC))?;
    line.split_whitespace().nth(2).map(str::to_owned)
}

fn is_silent(host: &Host) -> bool {
    // Without a VMAC there is nothing to silence.
    host.ok("ip -o link").lines().any(|l| l.contains("vrrp.51") && l.contains("qdisc blackhole"))
}

/// A stop and a release of vrrpd, a client at work.
fn handed_over([vip, network]: [&str; 2], successor: Program, lines: &str) {
    let lab = Lab::new();
    let [a, b] =
        [("d100", 100, 150), ("d101", 101, 100)].map(|(n, last, p)| router_of(vip, &lab, n, last, p, lines));
    let holds = |host: &Host| holds_of(vip, host);
    let servers = [&a, &b].map(|host| host.spawn(&format!("lab server {} 80", host.name())));
    servers.iter().for_each(|s| drop(s.wait_for_line("serves", 10 * SECONDS)));
    let client = lab.host("client", &[network]);
    let (high, low) = (a.spawn(RUN), successor.start(&b));
    wait(20 * SECONDS, "the first master", || holds(&a) && !holds(&b));
    let at = if vip.contains(':') { format!("[{vip}]") } else { vip.to_owned() };
    // keepalived speaks from the virtual MAC address before it sets the VIP: a SYN that arrives in between is lost, and the
    // client's second one, a second later, is answered.
    let patience = if successor == Program::Keepalived { 3000 } else { 500 };
    let asking = client.spawn(&format!("lab client {at}:80 --rate 100 --timeout {patience}"));
    let some = |asking: &Daemon, n: usize| {
        let before = asking.lines().len();
        wait(20 * SECONDS, "requests", || asking.lines().len() >= before + n);
    };
    for verb in ["release", "stop"] {
        some(&asking, 30);
        let begin = clock::now();
        if verb == "release" {
            a.ok("vrrpd release");
        } else {
            high.signal(Signal::SIGTERM);
        }
        wait(10 * SECONDS, "the successor alone", || holds(&b) && !holds(&a));
        some(&asking, 120);
        let bad = failed(&asking, begin, clock::now());
        assert!(bad.is_empty(), "{verb}, {successor:?}, {lines}: {bad:?}\n{}\n{}", high.log(), low.log());
        if verb == "release" {
            assert_eq!(is_silent(&a), lines.contains("use_vmac"));
            a.ok("vrrpd resume");
            wait(10 * SECONDS, "the first again", || holds(&a) && !holds(&b));
            assert!(!is_silent(&a));
        }
    }
    assert_eq!(high.wait_for_end(10 * SECONDS), 0);
    assert!(!a.ok("ip link").contains("vrrp"));
}

#[test]
fn a_release_and_a_stop_cost_no_request_with_vmacs_whoever_succeeds() {
    std::thread::scope(|scope| {
        for successor in [Program::Keepalived, Program::Vrrpd] {
            for lines in ["use_vmac", "use_vmac\n vmac_xmit_base"] {
                scope.spawn(move || handed_over(FOUR, successor, lines));
            }
        }
    });
}

/// Without keepalived: it speaks from the virtual MAC address before the kernel has taken the IPv6 address into use, and loses
/// a request in every third handover or so, whoever was master before.
#[test]
fn a_release_and_a_stop_cost_no_request_with_ipv6() {
    std::thread::scope(|scope| {
        for lines in ["", "use_vmac", "use_vmac\n vmac_xmit_base"] {
            scope.spawn(move || handed_over(SIX, Program::Vrrpd, lines));
        }
    });
}

#[test]
fn a_backup_says_nothing_from_the_virtual_mac_address() {
    let lab = Lab::new();
    // The advertisements do not repair what a backup spoils.
    let lines = "use_vmac\n vmac_xmit_base\n garp_master_delay 60";
    let [a, b] = [("d100", 100, 150), ("d101", 101, 100)].map(|(n, last, p)| router(&lab, n, last, p, lines));
    let high = a.spawn(RUN);
    wait(20 * SECONDS, "the switch knows the master", || holds(&a) && place(&lab).is_some());
    let before = place(&lab);
    let low = b.spawn(RUN);
    low.wait_for_line("started: backup", 10 * SECONDS);
    // The kernel reports memberships twice in a second.
    pause(2 * SECONDS);
    assert_eq!(place(&lab), before, "the backup's kernel reported its memberships");
    assert!(is_silent(&b) && !is_silent(&a));

    // A kill leaves nothing that lasts.
    low.kill();
    assert!(is_silent(&b));
    assert_eq!(high.stop(10 * SECONDS), 0);
    let low = b.spawn(RUN);
    wait(20 * SECONDS, "the second is master", || holds(&b));
    wait(5 * SECONDS, "the switch knows it", || place(&lab).is_some() && place(&lab) != before);
    assert!(!is_silent(&b));
    assert_eq!(low.stop(10 * SECONDS), 0);
}
