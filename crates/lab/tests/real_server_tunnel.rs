//! rs-prep with tunnels (lb_kind TUN). A file of its own, because the kernel gives every host a tunl0 once one has it.
#![allow(clippy::expect_used)]

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

#[test]
fn an_ipv6_packet_in_ipv6_reaches_the_service_too() {
    let lab = Lab::new();
    let host = lab.host("r102", &["2001:db8::102/64"]);
    let director = lab.host("d100", &["2001:db8::100/64", "2001:db8::111/128"]);
    // As vrrpd holds it: a VIP as the sender of the tunnel would be the real server's own address, which its kernel drops.
    director.ok("ip address change 2001:db8::111/128 dev ens192 preferred_lft 0");
    let client = lab.host("c50", &["2001:db8::50/64"]);
    director.ok("ipvsctl -A -t [2001:db8::111]:7885 -s rr");
    director.ok("ipvsctl -a -t [2001:db8::111]:7885 -r [2001:db8::102]:7885 -i");
    let server = host.spawn("lab server r102 7885");
    server.wait_for_line("serves", 5 * SECONDS);
    host.ok("rs-prep up 2001:db8::111");
    let get = || client.run("lab get [2001:db8::111]:7885");
    wait(10 * SECONDS, "addresses without doubt", || {
        !host.ok("ip -6 address").contains("tentative") && !director.ok("ip -6 address").contains("tentative")
    });
    assert_ne!(get().status, 0, "the VIP on lo alone takes no tunnel's packets");
    host.ok("rs-prep down --all");
    host.ok("rs-prep up --tunnel 2001:db8::111");
    wait(10 * SECONDS, "an answer", || get().stdout == "r102\n");
    host.ok("rs-prep down --all");
    assert_ne!(get().status, 0, "gone with the VIP");
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

/// Loads a module as an admin does; the guest's are below /run, where its hosts do not see them.
fn load(module: &str) {
    let folder = std::path::Path::new("/run/lib/modules").exists().then_some(["-d", "/run"]);
    let done =
        std::process::Command::new("/sbin/modprobe").args(folder.iter().flatten()).arg(module).status();
    assert!(done.expect("modprobe").success(), "modprobe {module}");
}

/// `up` opens IP in IP alone: the other types are refused with commands, and these serve the clients.
#[test]
fn a_tunnel_of_another_type_is_refused_and_works_after_the_printed_commands() {
    let lab = Lab::new();
    let host = lab.host("r102", &["192.168.15.102/21"]);
    let director = lab.host("d100", &["192.168.15.100/21", "192.168.15.111/32"]);
    let client = lab.host("c50", &["192.168.8.50/21"]);
    host.ok("ip route add default via 192.168.8.1");
    host.ok("sysctl -qw net.ipv4.conf.all.rp_filter=1 net.ipv4.conf.default.rp_filter=1");
    let server = host.spawn("lab server r102 7885");
    server.wait_for_line("serves", 5 * SECONDS);
    for kind in ["type gue port 6080", "type gre"] {
        let file = format!(
            "virtual_server 192.168.15.111 7885 {{\n lb_algo rr\n lb_kind TUN {kind}\n protocol TCP\n \
             real_server 192.168.15.102 7885 {{\n  TCP_CHECK {{\n  }}\n }}\n}}\n"
        );
        for host in [&host, &director] {
            host.write("/etc/keepalived.conf", &file);
        }
        director.ok("ipvsctl apply --prune /etc/keepalived.conf");
        let before = host.ok("ip -o address show");
        let up = host.run("rs-prep up --config /etc/keepalived.conf");
        assert_eq!((up.status, host.ok("ip -o address show")), (1, before), "{up}");
        let printed = up.stderr.trim_end().split_once("open it: ").map(|(_, commands)| commands);
        let commands: Vec<_> = printed.unwrap_or_default().split("; ").collect();

        // With the VIP and without the tunnel: check says what is missing, and so do the clients.
        let (prepare, open) = commands.split_first().unwrap_or((&"", &[]));
        host.ok(*prepare);
        let check = host.run("rs-prep check --config /etc/keepalived.conf");
        assert!(check.status == 1 && check.stdout.contains("[no-tunnel]"), "{check}");
        assert_ne!(client.run("lab get 192.168.15.111:7885").status, 0);
        for command in open {
            match command.strip_prefix("modprobe ") {
                Some(module) => load(module),
                None => drop(host.ok(*command)),
            }
        }
        wait(10 * SECONDS, kind, || client.run("lab get 192.168.15.111:7885").stdout == "r102\n");
        host.ok("rs-prep check --config /etc/keepalived.conf");
        host.ok("rs-prep down --config /etc/keepalived.conf");
    }
}
