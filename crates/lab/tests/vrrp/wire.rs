//! What goes over the wire, as tshark reads it: the same file, first keepalived, then vrrpd, field by field.

use std::collections::BTreeMap;

use lab::{Lab, SECONDS, Signal, pause, wait};

use super::duel::Program;

/// Instances of every kind, told apart by their VRID. Version 2 with 1 s is the slowest.
const FILE: &str = "
vrrp_instance A {\n interface ens192\n virtual_router_id 1\n priority 100\n virtual_ipaddress {\n 192.168.15.111\n 192.168.15.112/24\n }\n}
vrrp_instance B {\n interface ens192\n virtual_router_id 2\n priority 7\n authentication {\n auth_type PASS\n auth_pass short\n }\n virtual_ipaddress {\n 192.168.15.113\n }\n}
vrrp_instance C {\n interface ens192\n virtual_router_id 3\n priority 254\n version 3\n advert_int 0.25\n virtual_ipaddress {\n 192.168.15.114\n }\n virtual_ipaddress_excluded {\n 2001:db8::9\n }\n}
vrrp_instance D {\n interface ens192\n virtual_router_id 4\n advert_int 0.5\n virtual_ipaddress {\n fe80::4:4\n 2001:db8::4\n }\n}
vrrp_instance E {\n interface ens192\n virtual_router_id 5\n version 3\n advert_int 0.3\n unicast_peer {\n 192.168.15.101\n }\n virtual_ipaddress {\n 192.168.15.115\n }\n}
vrrp_instance F {\n interface ens192\n virtual_router_id 6\n version 3\n advert_int 0.3\n unicast_ttl 33\n unicast_peer {\n 192.168.15.101\n }\n virtual_ipaddress {\n 192.168.15.116\n }\n}
vrrp_instance G {\n interface ens192\n virtual_router_id 7\n version 3\n advert_int 0.3\n mcast_src_ip 192.168.15.77\n virtual_ipaddress {\n 192.168.15.117\n }\n}
vrrp_instance H {\n interface ens192\n virtual_router_id 8\n priority 255\n version 3\n advert_int 2.55\n virtual_ipaddress {\n 192.168.15.118\n }\n}
";

/// All that a receiver could notice; the checksum is verified by `emitted` and the peers in the duels.
const FIELDS: &str = "-e eth.dst -e ip.src -e ip.dst -e ip.ttl -e ip.dsfield -e ip.flags -e ip.hdr_len -e ipv6.src -e ipv6.dst \
                      -e ipv6.hlim -e ipv6.tclass -e vrrp.version -e vrrp.type -e vrrp.virt_rtr_id -e vrrp.prio -e vrrp.addr_count \
                      -e vrrp.auth_type -e vrrp.adver_int -e vrrp.short_adver_int -e vrrp.checksum -e vrrp.ip_addr -e vrrp.ipv6_addr";

/// The first advertisement of each virtual router and its goodbye, field by field.
fn adverts(program: Program) -> BTreeMap<String, String> {
    let lab = Lab::new();
    let router = lab.host("d100", &["192.168.15.100/21", "192.168.15.77/21"]);
    let _peer = lab.host("d101", &["192.168.15.101/21"]);
    router.write("/etc/vrrp.conf", FILE);
    router.ok("sysctl -qw net.ipv6.conf.ens192.accept_dad=0");
    wait(10 * SECONDS, "the link-local address", || {
        router.ok("ip -6 -o address show dev ens192 scope link").contains("fe80")
    });
    let switch = lab.switch();
    let shark = switch.spawn(&["tshark", "-i", "br0", "-f", "proto 112", "-w", "/run/wire.pcap"]);
    shark.wait_for_line("Capturing", 20 * SECONDS);
    // tshark says so a little before it does so.
    pause(SECONDS);
    let daemon = program.start(&router);
    wait(20 * SECONDS, "all are master", || router.ok("ip -o address").matches("192.168.15.11").count() == 8);
    pause(SECONDS);
    daemon.stop(10 * SECONDS);
    pause(SECONDS);
    shark.signal(Signal::SIGINT);
    shark.wait_for_end(10 * SECONDS);
    let text = switch.ok(&format!("tshark -r /run/wire.pcap -Y vrrp -T fields {FIELDS}"));
    let mut first = BTreeMap::new();
    for line in text.lines() {
        let fields: Vec<&str> = line.split('\t').collect();
        let key = format!("vrid {} priority {}", fields[13], fields[14]);
        first.entry(key).or_insert_with(|| line.to_owned());
    }
    first
}

#[test]
fn both_send_the_same_fields() {
    let theirs = adverts(Program::Keepalived);
    assert_eq!(theirs.len(), 16, "eight routers, each with an advertisement and a goodbye: {theirs:#?}");
    assert_eq!(adverts(Program::Vrrpd), theirs);
}
