//! What keywords do, and when: the same file for both programs, measured on the wire. Asserted is what users of the original
//! rely on.

use std::collections::BTreeMap;

use lab::{Daemon, Host, Lab, SECONDS, wait};
use lvs_core::sys::clock;

use super::duel::Program;
use super::shark;

/// Whoever is later than this is not punctual, also on a busy machine.
const LATE: f64 = 0.9;
/// So long after its first announcement a host is judged.
const END: f64 = 7.0;

/// What a host has sent, each with its times: announcements by their address, advertisements as `advert`.
type Sent = BTreeMap<String, Vec<f64>>;

/// A host and what it runs.
struct Player {
    who: String,
    number: u8,
    started: f64,
    daemon: Daemon,
    _host: Host,
}

/// Where hosts with a file each send what they must.
struct Stage {
    lab: Lab,
    shark: Daemon,
}

impl Stage {
    fn new() -> Self {
        let lab = Lab::new();
        let fields = [
            "frame.time_epoch",
            "eth.src",
            "arp.src.proto_ipv4",
            "icmpv6.nd.na.target_address",
            "vrrp.virt_rtr_id",
        ];
        let announcements = "(arp and arp[14:4] == arp[24:4]) or (icmp6 and ip6[40] == 136)";
        let filter = format!("proto 112 or ip6 proto 112 or {announcements}");
        Self { shark: shark::listen(&lab, &["br0"], &filter, &fields), lab }
    }

    /// A host that runs this. N in the file is the host's number: nobody hears of the others.
    fn play(&self, number: u8, program: Program, file: &str) -> Player {
        let addresses = [format!("192.168.15.{number}/21"), format!("2001:db8::{number}/64")];
        let host = self.lab.host(&format!("d{number}"), &addresses.each_ref().map(String::as_str));
        host.ok("sysctl -qw net.ipv6.conf.ens192.accept_dad=0");
        host.write("/etc/vrrp.conf", &file.replace('N', &number.to_string()));
        let started = clock::unix().as_secs_f64();
        let daemon = program.start(&host);
        Player { who: format!("{program:?}: {file}"), number, started, daemon, _host: host }
    }

    fn sent(&self, by: &Player) -> Sent {
        let mut sent = Sent::new();
        for line in self.shark.lines() {
            let words: Vec<&str> = line.text.split('\t').collect();
            let [time, mac, arp, na, vrid] = words[..] else { continue };
            if mac == format!("02:00:c0:a8:0f:{:02x}", by.number) {
                let what = if vrid.is_empty() { format!("{arp}{na}") } else { "advert".to_owned() };
                sent.entry(what).or_default().push(time.parse().expect("seconds"));
            }
        }
        sent
    }

    /// Waits until a host has had the time to do all that it must.
    fn sent_at_the_end(&self, by: &Player) -> Sent {
        let mut sent = Sent::new();
        wait(40 * SECONDS, &format!("the end of {}", by.who), || {
            sent = self.sent(by);
            let adverts = sent.get("advert").map_or(&[][..], Vec::as_slice);
            adverts.last().is_some_and(|last| last - adverts[0] > END + LATE)
        });
        sent
    }
}

/// When announcements of an address began, from the first, and how many followed each other at once.
fn bursts(times: &[f64]) -> Vec<(f64, usize)> {
    let mut bursts: Vec<(f64, usize)> = Vec::new();
    for time in times.iter().map(|t| t - times[0]).filter(|t| *t < END) {
        match bursts.last_mut() {
            Some((begun, n)) if time - *begun < 0.5 => *n += 1,
            _ => bursts.push((time, 1)),
        }
    }
    bursts
}

fn has_bursts(by: &Player, sent: &Sent, address: &str, wanted: &[(f64, usize)]) {
    let got = bursts(&sent[&address.replace('N', &by.number.to_string())]);
    let same = |((at, n), (due, wanted)): (&(f64, usize), &(f64, usize))| {
        n == wanted && *at > due - 0.4 && *at < due + LATE
    };
    let all = got.len() == wanted.len() && got.iter().zip(wanted).all(same);
    assert!(all, "{address}: {got:?} and not {wanted:?}, {}\n{}", by.who, by.daemon.log());
}

/// Announcements of these addresses keep this gap, and the first one waits for nothing.
fn has_gaps(by: &Player, sent: &Sent, family: char, gap: f64) {
    let mut times: Vec<f64> =
        sent.iter().filter(|(what, _)| what.contains(family)).map(|(_, times)| times[0]).collect();
    times.sort_by(f64::total_cmp);
    let gaps: Vec<f64> = times.windows(2).map(|w| w[1] - w[0]).collect();
    let late = times[0] - sent["advert"][0];
    assert!(late < LATE, "{late} {}", by.who);
    assert_eq!(gaps.len(), 3, "{gaps:?} {}", by.who);
    assert!(gaps.iter().all(|g| *g > gap * 0.7 && *g < gap + LATE), "{gaps:?} {}", by.who);
}

fn instance(name: &str, lines: &str) -> String {
    let head = "interface ens192\n priority 100\n advert_int 0.1";
    format!("vrrp_instance {name} {{\n {head}\n {lines}\n }}\n}}\n")
}

#[test]
fn announcements_and_elections_keep_their_times() {
    // Of five with a gap between them keepalived sends two: here it is one for each address.
    let gaps = "global_defs {\n vrrp_version 3\n vrrp_garp_master_repeat 1\n vrrp_garp_interval 0.5\n \
                vrrp_gna_interval 0.4\n}\n";
    let gaps = [
        gaps.to_owned(),
        instance("A", "virtual_router_id 1N\n virtual_ipaddress {\n 10.0.N.1\n 10.0.N.2"),
        instance("B", "virtual_router_id 2N\n virtual_ipaddress {\n 10.0.N.3\n 10.0.N.4"),
        instance("C", "virtual_router_id 3N\n virtual_ipaddress {\n fe80::N:1\n fe80::N:2"),
        instance("D", "virtual_router_id 4N\n virtual_ipaddress {\n fe80::N:3\n fe80::N:4"),
    ];
    let many = "global_defs {\n vrrp_version 3\n vrrp_garp_master_delay 2\n vrrp_garp_master_repeat 3\n \
                vrrp_garp_master_refresh 3\n vrrp_garp_master_refresh_repeat 2\n}\n";
    let own =
        "garp_master_delay 0\n garp_master_repeat 4\n garp_master_refresh 2\n garp_master_refresh_repeat 1";
    let late = "garp_master_delay 4\n garp_master_refresh 0";
    let many = [
        many.to_owned(),
        instance("A", "virtual_router_id 1N\n virtual_ipaddress {\n 10.0.N.1"),
        instance("B", &format!("virtual_router_id 2N\n {own}\n virtual_ipaddress {{\n 10.0.N.2")),
        instance("C", &format!("virtual_router_id 3N\n {late}\n virtual_ipaddress {{\n fe80::N:1")),
    ];
    let few = "global_defs {\n vrrp_version 3\n vrrp_min_garp\n vrrp_startup_delay 3\n}\n".to_owned();
    let few = [few, instance("A", "virtual_router_id 1N\n virtual_ipaddress {\n 10.0.N.1")];

    let stage = Stage::new();
    let players = [(1, Program::Keepalived), (4, Program::Vrrpd)].map(|(first, program)| {
        let files = [(first, gaps.concat()), (first + 1, many.concat()), (first + 2, few.concat())];
        files.map(|(number, file)| stage.play(number, program, &file))
    });
    for [gaps, many, few] in &players {
        let sent = stage.sent_at_the_end(gaps);
        has_gaps(gaps, &sent, '.', 0.5);
        has_gaps(gaps, &sent, ':', 0.4);
        let sent = stage.sent_at_the_end(many);
        has_bursts(many, &sent, "10.0.N.1", &[(0.0, 3), (2.0, 3), (3.0, 2), (6.0, 2)]);
        has_bursts(many, &sent, "10.0.N.2", &[(0.0, 4), (2.0, 1), (4.0, 1), (6.0, 1)]);
        has_bursts(many, &sent, "fe80::N:1", &[(0.0, 3), (4.0, 3)]);
        let at_once = sent["advert"][0] - many.started;
        let sent = stage.sent_at_the_end(few);
        has_bursts(few, &sent, "10.0.N.1", &[(0.0, 1)]);
        let delayed = sent["advert"][0] - few.started;
        assert!(at_once < 3.0 && delayed > 3.3 && delayed < 6.0, "{at_once} {delayed} {}", few.who);
        // Backup it is from the beginning.
        let says = |word: &str| few.daemon.lines().into_iter().find(|l| l.text.to_lowercase().contains(word));
        let times = [" backup", " master"].map(|word| says(word).expect(word).at);
        assert!(times[1] - times[0] > 3 * SECONDS, "{} {}", few.who, few.daemon.log());
    }
}
