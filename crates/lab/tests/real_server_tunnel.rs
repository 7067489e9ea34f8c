//! rs-prep with tunnels (lb_kind TUN). A file of its own, because the kernel gives every host a tunl0 once one has it.

use lab::{Lab, SECONDS, wait};

#[test]
fn tunnels_are_prepared_too() {
    let lab = Lab::new();
    let host = lab.host("r102", &["192.168.15.102/21", "2001:db8::102/64"]);
    host.ok("sysctl -qw net.ipv4.conf.all.rp_filter=1 net.ipv4.conf.default.rp_filter=1");
    host.ok("rs-prep up --tunnel 192.168.15.111 2001:db8::111");
    let address = host.ok("ip -o address show");
    for part in ["tunl0    inet 192.168.15.111/32", "ip6tnl0    inet6 2001:db8::111/128"] {
        assert!(address.contains(part), "{address}");
    }
    assert!(host.ok("ip link show up").contains("tunl0"));
    assert_eq!(host.ok("sysctl -n net.ipv4.conf.tunl0.rp_filter"), "2\n");
    host.ok("rs-prep check --tunnel 192.168.15.111 2001:db8::111");
    host.ok("rs-prep down --all");
    assert!(!host.ok("ip link show up").contains("tunl0"));
    assert_eq!(host.ok("sysctl -n net.ipv4.conf.tunl0.rp_filter"), "1\n");
}

#[test]
fn a_tunnelled_packet_reaches_the_service_and_its_answer_goes_straight_to_the_client() {
    let lab = Lab::new();
    let host = lab.host("r102", &["192.168.15.102/21"]);
    let director = lab.host("d100", &["192.168.15.100/21", "192.168.15.111/32"]);
    let client = lab.host("c50", &["192.168.8.50/21"]);
    host.ok("sysctl -qw net.ipv4.conf.all.rp_filter=1 net.ipv4.conf.default.rp_filter=1");
    director.ok("ipvsctl -A -t 192.168.15.111:7885 -s rr");
    director.ok("ipvsctl -a -t 192.168.15.111:7885 -r 192.168.15.102 -i");
    host.ok("rs-prep up --tunnel 192.168.15.111");
    let server = host.spawn("lab server r102 7885");
    server.wait_for_line("serves", 5 * SECONDS);
    wait(10 * SECONDS, "an answer", || client.run("lab get 192.168.15.111:7885").stdout == "r102\n");
}

/// The VIP on lo alone does not take what comes through a tunnel; and it is held once, whatever was typed first.
#[test]
fn a_vip_is_held_once_and_a_tunnel_is_missed() {
    let lab = Lab::new();
    let host = lab.host("r102", &["192.168.15.102/21"]);
    host.ok("ip route add default via 192.168.8.1");
    host.ok("rs-prep up 192.168.15.111");
    let check = host.run("rs-prep check --tunnel 192.168.15.111");
    assert_eq!(check.status, 1, "{check}");
    for (first, then) in [("", "--tunnel"), ("--tunnel", "")] {
        host.ok(&format!("rs-prep up {first} 192.168.15.111"));
        let before = host.ok("ip -o address show");
        let up = host.run(&format!("rs-prep up {then} 192.168.15.111"));
        assert_eq!((up.status, host.ok("ip -o address show")), (1, before), "{up}");
        assert!(up.stderr.contains("a VIP is held once"), "{up}");
        host.ok("rs-prep down --all");
        assert_eq!(host.ok("ls /run/rs-prep"), "lock\n");
        assert!(!host.ok("ip link show up").contains("tunl0"));
    }
    host.ok("rs-prep up 192.168.15.111");
    host.ok("rs-prep check --tunnel 192.168.15.111 --fix");
    host.ok("rs-prep check --tunnel 192.168.15.111");
    assert!(host.ok("ip link show up").contains("tunl0"));
    host.ok("rs-prep down --all");
    assert!(!host.ok("ip link show up").contains("tunl0"));
}
