//! Which unicast advertisements count: a higher router sends some of every kind, and the lower one obeys or does not.

use lab::{Host, Lab, SECONDS, wait};

use super::duel::Program;
use super::shark;

#[test]
fn who_may_send_unicast_and_from_how_far() {
    let global = "global_defs {\n vrrp_check_unicast_src\n}\n";
    std::thread::scope(|scope| {
        let (theirs, ours) = (Program::Keepalived, Program::Vrrpd);
        for (receives, sends) in [(theirs, ours), (ours, theirs)] {
            scope.spawn(move || judged(receives, sends, "", &ROWS));
            scope.spawn(move || judged(receives, sends, global, &CHECKED));
        }
    });
}

/// What the receiver says of its peer, or of all, who sends with which TTL, and whether the receiver obeys.
struct Row {
    words: &'static str,
    from: &'static str,
    ttl: u8,
    counts: bool,
}

const fn row(words: &'static str, from: &'static str, ttl: u8, counts: bool) -> Row {
    Row { words, from, ttl, counts }
}

const PEER: &str = "192.168.15.101";
const STRANGER: &str = "192.168.15.200";

const ROWS: [Row; 12] = [
    row("", STRANGER, 255, true),
    row("check_unicast_src", STRANGER, 255, false),
    row("check_unicast_src", PEER, 255, true),
    row("check_unicast_src", PEER, 1, true),
    row("min_ttl 60 max_ttl 70", PEER, 60, true),
    row("min_ttl 60 max_ttl 70", PEER, 70, true),
    row("min_ttl 60 max_ttl 70", PEER, 59, false),
    row("min_ttl 60 max_ttl 70", PEER, 71, false),
    row("min_ttl 60", PEER, 255, true),
    row("max_ttl 70", PEER, 1, true),
    // Who bounds one peer lets no stranger in.
    row("min_ttl 1", STRANGER, 255, false),
    row("max_ttl 255", STRANGER, 255, false),
];

/// With the global word for all.
const CHECKED: [Row; 2] = [row("", STRANGER, 255, false), row("", PEER, 255, true)];

fn router(vrid: usize, priority: u8, lines: &str) -> String {
    let head = format!(
        "interface ens192\n virtual_router_id {vrid}\n priority {priority}\n version 3\n advert_int 0.1"
    );
    format!("vrrp_instance V{vrid} {{\n {head}\n {lines}\n virtual_ipaddress {{\n 10.0.0.{vrid}\n }}\n}}\n")
}

fn receiver(vrid: usize, row: &Row) -> String {
    let (lines, peer) = if row.words.contains("ttl") { ("", row.words) } else { (row.words, "") };
    router(
        vrid,
        100,
        &format!("{lines}\n unicast_src_ip 192.168.15.100\n unicast_peer {{\n {PEER} {peer}\n }}"),
    )
}

fn sender(vrid: usize, row: &Row) -> String {
    let lines = format!("unicast_src_ip {}\n unicast_ttl {}", row.from, row.ttl);
    router(vrid, 200, &format!("{lines}\n unicast_peer {{\n 192.168.15.100\n }}"))
}

/// The routers that are master on a host.
fn held(host: &Host) -> Vec<usize> {
    let addresses = host.ok("ip -o -4 address show dev ens192");
    let number = |l: &str| l.split_once(" 10.0.0.")?.1.split('/').next()?.parse().ok();
    let mut held: Vec<usize> = addresses.lines().filter_map(number).collect();
    held.sort_unstable();
    held
}

fn judged(receives: Program, sends: Program, globals: &str, rows: &[Row]) {
    let rows: Vec<(usize, &Row)> = (1..).zip(rows).collect();
    let lab = Lab::new();
    let low = lab.host("low", &["192.168.15.100/21"]);
    let high = lab.host("high", &["192.168.15.101/21", "192.168.15.200/21"]);
    let file = |of: fn(usize, &Row) -> String| rows.iter().map(|(n, row)| of(*n, row)).collect::<String>();
    low.write("/etc/vrrp.conf", &(globals.to_owned() + &file(receiver)));
    high.write("/etc/vrrp.conf", &file(sender));
    let all: Vec<usize> = rows.iter().map(|(n, _)| *n).collect();
    let below = receives.start(&low);
    wait(20 * SECONDS, "the lower one is master", || held(&low) == all);
    let filter = "proto 112 and dst 192.168.15.100";
    let shark = shark::listen(&lab, &["br0"], filter, &["vrrp.virt_rtr_id"]);
    let above = sends.start(&high);
    // So many of each that those that count have been obeyed.
    wait(20 * SECONDS, "ten advertisements of each", || {
        let lines = shark.lines();
        all.iter().all(|n| lines.iter().filter(|l| l.text == n.to_string()).count() > 10)
    });
    let (obeys, stays): (Vec<_>, Vec<_>) = rows.iter().partition(|(_, row)| row.counts);
    wait(20 * SECONDS, "it obeys", || !held(&low).iter().any(|n| obeys.iter().any(|(o, _)| o == n)));
    let stays: Vec<usize> = stays.iter().map(|(n, _)| *n).collect();
    assert_eq!(held(&low), stays, "{receives:?}: {}\n{}", below.log(), above.log());
}
