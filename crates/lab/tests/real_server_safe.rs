//! What rs-prep refuses so that nobody is cut off, robbed of his VIP or left with half a preparation.
#![allow(clippy::panic, clippy::unwrap_used)]

use lab::{Host, Lab, Output, SECONDS};
use serde_json::Value;

const VIP: &str = "192.168.15.111";

fn real_server(lab: &Lab) -> Host {
    let host = lab.host("r102", &["192.168.15.102/21"]);
    host.ok("ip route add default via 192.168.8.1");
    host
}

fn addresses(host: &Host) -> String {
    host.ok("ip -o address show")
}

/// The commands of the finding of that code.
fn commands(check: &Output, code: &str) -> Vec<String> {
    let report: Value = serde_json::from_str(&check.stdout).unwrap_or_else(|e| panic!("{e}: {check}"));
    let found = report["findings"].as_array().unwrap().iter().find(|finding| finding["code"] == code);
    let found = found.unwrap_or_else(|| panic!("no {code}: {check}"))["commands"].as_array().unwrap().clone();
    found.iter().map(|command| command.as_str().unwrap().to_owned()).collect()
}

#[test]
fn the_hosts_own_address_named_by_mistake_stays() {
    let lab = Lab::new();
    let host = real_server(&lab);
    let before = addresses(&host);
    let fix = host.run("rs-prep check --fix 192.168.15.102");
    assert_eq!(fix.status, 1, "{fix}");
    assert!(fix.stdout.contains("is it a VIP at all?"), "{fix}");
    let up = host.run("rs-prep up 192.168.15.102");
    assert_eq!(up.status, 1, "{up}");
    assert!(!up.stderr.contains("address del"), "{up}");
    assert_eq!(addresses(&host), before);
}

/// The kernel takes the secondaries along with the first address of a network.
#[test]
fn a_vip_before_the_hosts_own_address_stays_until_the_printed_commands() {
    let lab = Lab::new();
    let host = real_server(&lab);
    host.ok("ip address flush dev ens192");
    host.ok("sysctl -qw net.ipv4.conf.all.promote_secondaries=0 net.ipv4.conf.ens192.promote_secondaries=0");
    for address in ["192.168.15.111/21", "192.168.15.102/21"] {
        host.ok(&format!("ip address add {address} dev ens192"));
    }
    host.ok("ip route add default via 192.168.8.1");
    let before = addresses(&host);
    let fix = host.run("rs-prep check --fix 192.168.15.111 --json");
    assert_eq!((fix.status, addresses(&host)), (1, before), "{fix}");
    assert!(fix.stdout.contains("192.168.15.102/21 would go with it"), "{fix}");
    commands(&fix, "vip-on-nic").iter().for_each(|command| {
        host.ok(command);
    });
    assert!(addresses(&host).contains("inet 192.168.15.102/21"), "{}", addresses(&host));
    assert!(host.ok("ip route").contains("default via 192.168.8.1"));
    let check = host.run("rs-prep check 192.168.15.111");
    assert_eq!((check.status, check.stdout.as_str()), (0, "ready: 192.168.15.111\n"), "{check}");
}

#[test]
fn a_directors_vip_is_not_taken_from_it() {
    let lab = Lab::new();
    let host = real_server(&lab);
    host.write(
        "/etc/keepalived.conf",
        "vrrp_instance V {\n interface ens192\n virtual_router_id 51\n priority 100\n advert_int 1\n \
         virtual_ipaddress {\n  192.168.15.111/32\n }\n}\n",
    );
    let daemon = host.spawn("vrrpd --config /etc/keepalived.conf");
    lab::wait(20 * SECONDS, "the VIP", || addresses(&host).contains(VIP));
    let before = addresses(&host);
    let fix = host.run("rs-prep check --fix 192.168.15.111");
    assert_eq!((fix.status, addresses(&host)), (1, before), "{fix}");
    assert!(fix.stdout.contains("vrrpd runs here, so this host looks like a director"), "{fix}");
    daemon.kill();

    host.ok("ipvsctl -A -t 192.168.15.111:7885 -s rr");
    if !addresses(&host).contains(VIP) {
        host.ok("ip address add 192.168.15.111/32 dev ens192");
    }
    let fix = host.run("rs-prep check --fix 192.168.15.111");
    assert_eq!(fix.status, 1, "{fix}");
    assert!(fix.stdout.contains("IPVS here has a service for 192.168.15.111"), "{fix}");
    assert!(addresses(&host).contains("ens192    inet 192.168.15.111/32"), "{}", addresses(&host));
}

/// Two addresses of one network on lo: the second is the first one's secondary.
#[test]
fn down_of_one_address_takes_no_other_along() {
    let lab = Lab::new();
    let host = real_server(&lab);
    host.ok("sysctl -qw net.ipv4.conf.all.promote_secondaries=0 net.ipv4.conf.lo.promote_secondaries=0");
    host.ok("ip address add 10.9.9.1/24 dev lo");
    host.ok("ip address add 10.9.9.2/24 dev lo");
    host.ok("rs-prep down 10.9.9.1");
    let after = addresses(&host);
    assert!(!after.contains("10.9.9.1/24") && after.contains("10.9.9.2/24"), "{after}");
}
