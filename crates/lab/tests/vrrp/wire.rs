//! What goes over the wire, as tshark reads it: the same file, first keepalived, then vrrpd, field by field.

use std::collections::{BTreeMap, BTreeSet};

use lab::{Lab, SECONDS, Signal, pause, wait};

use super::duel::Program;

/// Instances of every kind, told apart by their VRID; some have their version from the global definitions. Version 2 with 1 s is the slowest.
const FILE: &str = "
global_defs {\n vrrp_version 3\n}
vrrp_instance A {\n interface ens192\n virtual_router_id 1\n version 2\n priority 100\n virtual_ipaddress {\n 192.168.15.111\n 192.168.15.112/24\n }\n}
vrrp_instance B {\n interface ens192\n virtual_router_id 2\n version 2\n priority 7\n authentication {\n auth_type PASS\n auth_pass short\n }\n virtual_ipaddress {\n 192.168.15.113\n }\n}
vrrp_instance C {\n interface ens192\n virtual_router_id 3\n priority 254\n advert_int 0.25\n virtual_ipaddress {\n 192.168.15.114\n }\n virtual_ipaddress_excluded {\n 2001:db8::9\n }\n}
vrrp_instance D {\n interface ens192\n virtual_router_id 4\n advert_int 0.5\n virtual_ipaddress {\n fe80::4:4\n 2001:db8::4\n }\n}
vrrp_instance E {\n interface ens192\n virtual_router_id 5\n version 3\n advert_int 0.3\n unicast_peer {\n 192.168.15.101\n }\n virtual_ipaddress {\n 192.168.15.115\n }\n}
vrrp_instance F {\n interface ens192\n virtual_router_id 6\n version 3\n advert_int 0.3\n unicast_ttl 33\n unicast_peer {\n 192.168.15.101\n }\n virtual_ipaddress {\n 192.168.15.116\n }\n}
vrrp_instance G {\n interface ens192\n virtual_router_id 7\n version 3\n advert_int 0.3\n mcast_src_ip 192.168.15.77\n virtual_ipaddress {\n 192.168.15.117\n }\n}
vrrp_instance H {\n interface ens192\n virtual_router_id 8\n priority 255\n advert_int 2.55\n virtual_ipaddress {\n 192.168.15.118\n }\n}
vrrp_instance I {\n interface ens192\n virtual_router_id 9\n version 3\n advert_int 0.3\n use_vmac v9\n garp_master_repeat 2\n virtual_ipaddress {\n 192.168.15.121\n }\n}
vrrp_instance J {\n interface ens192\n virtual_router_id 10\n version 3\n advert_int 0.3\n use_vmac v10\n vmac_xmit_base\n virtual_ipaddress {\n 192.168.15.122\n }\n}
vrrp_instance K {\n interface ens192\n virtual_router_id 11\n version 3\n advert_int 0.3\n unicast_src_ip 192.168.15.77\n unicast_peer {\n 192.168.15.101\n }\n virtual_ipaddress {\n 192.168.15.123\n }\n}
vrrp_instance L {\n interface ens192\n virtual_router_id 12\n advert_int 0.3\n garp_master_repeat 3\n unicast_src_ip 2001:db8::100\n unicast_peer {\n 2001:db8::101\n }\n virtual_ipaddress {\n fe80::12:1\n 2001:db8::12\n }\n}
";

/// One of the addresses of each of them.
const VIPS: [&str; 12] = [
    " 192.168.15.111/",
    " 192.168.15.113/",
    " 192.168.15.114/",
    " 2001:db8::4/",
    " 192.168.15.115/",
    " 192.168.15.116/",
    " 192.168.15.117/",
    " 192.168.15.118/",
    " 192.168.15.121/",
    " 192.168.15.122/",
    " 192.168.15.123/",
    " 2001:db8::12/",
];

/// All that a receiver could notice; the checksum is verified by `emitted` and the peers in the duels.
const FIELDS: &str = "-e eth.src -e eth.dst -e ip.src -e ip.dst -e ip.ttl -e ip.dsfield -e ip.flags -e ip.hdr_len -e ipv6.src -e ipv6.dst \
                      -e ipv6.hlim -e ipv6.tclass -e vrrp.version -e vrrp.type -e vrrp.virt_rtr_id -e vrrp.prio -e vrrp.addr_count \
                      -e vrrp.auth_type -e vrrp.adver_int -e vrrp.short_adver_int -e vrrp.checksum -e vrrp.ip_addr -e vrrp.ipv6_addr";

/// All of a gratuitous ARP and of an unsolicited neighbour advertisement.
const CLAIMS: &str = "-e frame.time_relative -e eth.src -e eth.dst -e arp.opcode -e arp.src.hw_mac -e arp.src.proto_ipv4 -e arp.dst.hw_mac \
                      -e arp.dst.proto_ipv4 -e ipv6.src -e ipv6.dst -e ipv6.hlim -e icmpv6.nd.na.flag.r -e icmpv6.nd.na.flag.s \
                      -e icmpv6.nd.na.flag.o -e icmpv6.nd.na.target_address -e icmpv6.opt.linkaddr";
/// A burst is over long before this, and the second one comes after 5 s.
const BURST: f64 = 2.0;

/// What a program says on the wire.
#[derive(Debug, PartialEq)]
struct Said {
    /// The first advertisement of each virtual router and its goodbye, field by field.
    adverts: BTreeMap<String, String>,
    /// The first burst for each address: what is sent, and how often.
    claims: BTreeMap<String, usize>,
}

fn said(program: Program) -> Said {
    let lab = Lab::new();
    let router = lab.host("d100", &["192.168.15.100/21", "192.168.15.77/21", "2001:db8::100/64"]);
    let peer = lab.host("d101", &["192.168.15.101/21", "2001:db8::101/64"]);
    router.write("/etc/vrrp.conf", FILE);
    for host in [&router, &peer] {
        host.ok("sysctl -qw net.ipv6.conf.ens192.accept_dad=0");
    }
    wait(10 * SECONDS, "the link-local address", || {
        router.ok("ip -6 -o address show dev ens192 scope link").contains("fe80")
    });
    let switch = lab.switch();
    let shark =
        switch.spawn(&["tshark", "-i", "br0", "-f", "proto 112 or arp or icmp6", "-w", "/run/wire.pcap"]);
    shark.wait_for_line("Capturing", 20 * SECONDS);
    // tshark says so a little before it does so.
    pause(SECONDS);
    let daemon = program.start(&router);
    wait(20 * SECONDS, "all are master", || {
        let addresses = router.ok("ip -o address");
        VIPS.iter().all(|vip| addresses.contains(vip))
    });
    pause(SECONDS);
    daemon.stop(10 * SECONDS);
    pause(SECONDS);
    shark.signal(Signal::SIGINT);
    shark.wait_for_end(10 * SECONDS);
    let shown = |filter: &str, fields: &str| {
        switch.ok(&format!("tshark -r /run/wire.pcap -Y {filter} -T fields {fields}"))
    };
    Said {
        adverts: adverts(&shown("vrrp", FIELDS)),
        claims: claims(&shown("arp.isgratuitous||icmpv6.type==136", CLAIMS)),
    }
}

fn adverts(text: &str) -> BTreeMap<String, String> {
    let mut first = BTreeMap::new();
    for line in text.lines() {
        let fields: Vec<&str> = line.split('\t').collect();
        let key = format!("vrid {} priority {}", fields[14], fields[15]);
        // keepalived leaves the hop limit of IPv6 unicast to the kernel; ours is that of IPv4.
        let line = line.replace("\t2001:db8::101\t64\t", "\t2001:db8::101\t255\t");
        first.entry(key).or_insert(line);
    }
    first
}

/// Answers to those who ask, and what the kernel says of addresses that it takes into use, are no bursts.
fn claims(text: &str) -> BTreeMap<String, usize> {
    let mut bursts: BTreeMap<String, (f64, usize)> = BTreeMap::new();
    for line in text.lines() {
        let (time, rest) = line.split_once('\t').expect("a time");
        let fields: Vec<&str> = rest.split('\t').collect();
        let solicited = fields.get(11).is_some_and(|f| matches!(*f, "1" | "True"));
        let time: f64 = time.parse().expect("seconds");
        let burst = bursts.entry(rest.to_owned()).or_insert((time, 0));
        if !solicited && time - burst.0 < BURST {
            burst.1 += 1;
        }
    }
    bursts.into_iter().filter(|(_, (_, n))| *n > 0).map(|(what, (_, n))| (what, n)).collect()
}

#[test]
fn both_send_the_same_fields() {
    let theirs = said(Program::Keepalived);
    assert_eq!(
        theirs.adverts.len(),
        24,
        "twelve routers, each with an advertisement and a goodbye: {theirs:#?}"
    );
    let version = |key: &str| theirs.adverts[key].split('\t').nth(12).map(str::to_owned);
    assert_eq!(
        ["vrid 1 priority 100", "vrid 3 priority 254"].map(version),
        ["2", "3"].map(|v| Some(v.to_owned()))
    );
    let often =
        |address: &str, n: usize| theirs.claims.iter().any(|(what, c)| what.contains(address) && *c == n);
    // As garp_master_repeat says, and without it.
    assert!(
        often("192.168.15.121", 2) && often("2001:db8::12", 3) && often("192.168.15.111", 5),
        "{theirs:#?}"
    );
    let ours = said(Program::Vrrpd);
    assert_eq!(differences(&ours.adverts, &theirs.adverts), [""; 0]);
    assert_eq!(differences(&ours.claims, &theirs.claims), [""; 0]);
}

fn differences<T: PartialEq + std::fmt::Debug>(
    ours: &BTreeMap<String, T>,
    theirs: &BTreeMap<String, T>,
) -> Vec<String> {
    let all: BTreeSet<&String> = ours.keys().chain(theirs.keys()).collect();
    let differ = all.into_iter().filter(|k| ours.get(*k) != theirs.get(*k));
    differ.map(|k| format!("{k}: {:?}, keepalived {:?}", ours.get(k), theirs.get(k))).collect()
}
