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

/// Whole networks on lo (AnyIP), and a VIP that somebody else has put there: nobody asked for a change of them.
#[test]
fn what_nobody_named_is_neither_mended_nor_taken_away() {
    let lab = Lab::new();
    let host = real_server(&lab);
    for address in ["198.51.100.1/24", "2001:db8:5::1/64", "192.0.2.7/32"] {
        host.ok(&format!("ip address add {address} dev lo"));
    }
    let before = addresses(&host);
    host.ok("rs-prep up 192.168.15.111");
    let with_vip = addresses(&host);
    for (args, warnings) in [("--fix 192.168.15.111", 2), ("--fix", 2)] {
        let check = host.run(&format!("rs-prep check {args} --json"));
        assert_eq!((check.status, addresses(&host)), (0, with_vip.clone()), "{check}");
        assert_eq!(check.stdout.matches("vip-mask").count(), warnings, "{check}");
        assert!(commands(&check, "vip-mask").is_empty(), "{check}");
    }
    host.ok("rs-prep down --all");
    assert_eq!(addresses(&host), before);

    // Settings that were mended for others' VIPs are no reason to take these.
    host.ok("rs-prep check --fix");
    let down = host.run("rs-prep down --all");
    assert_eq!((down.status, addresses(&host)), (0, before), "{down}");
    assert!(down.stderr.contains("192.0.2.7/32 is on lo too"), "{down}");
    // The one that is named is mended, and then it is rs-prep's.
    host.ok("rs-prep check --fix 198.51.100.1");
    assert!(addresses(&host).contains("198.51.100.1/32"));
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
    assert!(check.status == 0 && check.stdout.ends_with("ready: 192.168.15.111\n"), "{check}");
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

/// Whoever takes a VIP down while `check --fix` waits for the lock has decided.
#[test]
fn a_vip_that_goes_while_a_mend_waits_does_not_come_back() {
    let lab = Lab::new();
    let host = real_server(&lab);
    host.ok("rs-prep up 192.168.15.111");
    host.ok("sysctl -qw net.ipv4.conf.all.arp_ignore=0 net.ipv4.conf.ens192.arp_ignore=0");
    let hold = "exec 9<>/run/rs-prep/lock; flock 9; echo held >&2; exec sleep 1000";
    let holder = host.spawn(&["sh", "-c", hold]);
    holder.wait_for_line("held", 10 * SECONDS);
    let fix = host.spawn("rs-prep check --fix");
    fix.wait_for_line("waiting for another rs-prep", 20 * SECONDS);
    host.ok("ip address del 192.168.15.111/32 dev lo");
    holder.kill();
    let status = fix.wait_for_end(20 * SECONDS);
    assert!(!addresses(&host).contains(VIP), "{}\n{}", addresses(&host), fix.log());
    assert_eq!(status, 1, "{}", fix.log());
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

/// As in a container whose owner has set them: nothing is to be changed, so nothing is refused.
#[test]
fn a_read_only_proc_is_no_error_where_the_settings_hold() {
    let lab = Lab::new();
    let host = real_server(&lab);
    host.ok("sysctl -qw net.ipv4.conf.all.arp_ignore=1 net.ipv4.conf.all.arp_announce=2");
    host.ok("mount -o bind,ro /proc/sys /proc/sys");
    host.ok("mount -o remount,bind,ro /proc/sys");
    host.ok("rs-prep up 192.168.15.111");
    host.ok("rs-prep check 192.168.15.111");
    host.ok("rs-prep down 192.168.15.111");
    assert!(!addresses(&host).contains(VIP));
}

#[test]
fn a_second_vip_is_persisted_beside_the_first_and_a_second_format_is_not() {
    let lab = Lab::new();
    let host = real_server(&lab);
    host.ok("rs-prep persist 192.168.15.111 --format unit --write");
    let second = host.ok("rs-prep persist 192.168.15.112 --format unit --write");
    assert!(second.contains("it holds: 192.168.15.111 192.168.15.112 "), "{second}");
    let unit = host.read("/etc/systemd/system/rs-prep.service");
    assert!(unit.contains("rs-prep up 192.168.15.111 192.168.15.112\n"), "{unit}");
    let other = host.run("rs-prep persist 192.168.15.111 --format networkd --write");
    assert_eq!(other.status, 1, "{other}");
    assert!(other.stderr.contains("rs-prep unpersist first"), "{other}");
    assert_eq!(host.run("ls /etc/systemd/network/90-lvs-real-server.network").status, 2);

    // As systemctl enable does.
    let wants = "/etc/systemd/system/multi-user.target.wants";
    host.ok(&format!("mkdir -p {wants}"));
    host.ok(&format!("ln -s /etc/systemd/system/rs-prep.service {wants}/rs-prep.service"));
    let removed = host.ok("rs-prep unpersist");
    assert_eq!(removed.lines().count(), 2, "{removed}");
    let link = host.run(&format!("test -L {wants}/rs-prep.service"));
    assert_eq!(link.status, 1, "no link that leads nowhere");
    host.ok("rs-prep persist 192.168.15.111 --format networkd --write");
}

#[test]
fn what_stays_is_not_called_gone() {
    let lab = Lab::new();
    let host = real_server(&lab);
    host.ok("ip address add 192.168.15.111/32 dev ens192");
    for vip in ["192.168.15.111", "192.168.15.112"] {
        assert_eq!(host.ok(&format!("rs-prep down {vip}")), "");
    }
}

#[test]
fn a_renamed_interface_gets_its_settings_back() {
    let lab = Lab::new();
    let host = real_server(&lab);
    host.ok("rs-prep up 192.168.15.111");
    host.ok("ip link set dev ens192 down");
    host.ok("ip link set dev ens192 name lan0");
    host.ok("ip link set dev lan0 up");
    host.ok("rs-prep down 192.168.15.111");
    assert_eq!(host.ok("sysctl -n net.ipv4.conf.lan0.arp_ignore net.ipv4.conf.lan0.arp_announce"), "0\n0\n");
}

#[test]
fn check_tells_what_is_wrong_with_the_file_and_not_how_a_director_fares_with_it() {
    let lab = Lab::new();
    let host = real_server(&lab);
    host.write(
        "/etc/keepalived.conf",
        "vrrp_instance V {\n interface eth7\n virtual_router_id 51\n virtual_ipaddress {\n  192.168.15.111/32\n }\n}\n\
         virtual_server 192.168.15.111 80 {\n lb_kind DR\n real_server 192.168.15.102 80 {\n }\n}\n",
    );
    let check = host.run("rs-prep check --config /etc/keepalived.conf");
    assert!(check.stderr.contains("no-checker"), "{check}");
    assert!(!check.stderr.contains("FAULT"), "{check}");
}

/// As after a start: the settings, then systemd-networkd itself with the files that were written.
#[test]
fn networkd_makes_of_the_written_files_what_up_makes() {
    let lab = Lab::new();
    let host = real_server(&lab);
    // Address, scope and label. networkd gives a single address no broadcast address, which nobody needs.
    let on_lo = || {
        let list = host.ok("ip -o address show dev lo");
        let words = list.lines().map(|line| line.split(['\\', ' ']).filter(|word| !word.is_empty()));
        let words =
            words.map(|words| words.skip(2).take_while(|word| *word != "valid_lft").collect::<Vec<_>>());
        let plain = |line: String| line.replace(" brd 192.168.15.111", "").replace(" brd 192.168.15.112", "");
        let mut lines: Vec<_> = words.map(|words| plain(words.join(" "))).collect();
        lines.sort();
        lines
    };
    let vips = "192.168.15.111 192.168.15.112 2001:db8::111";
    host.ok(&format!("rs-prep up {vips}"));
    let by_up = on_lo();
    host.ok("rs-prep persist --format networkd --write");
    host.ok("rs-prep down --all");
    host.ok("sysctl -qp /etc/sysctl.d/90-lvs-real-server.conf");
    // It keeps what it knows here, under a name of its own; and where /sys is writable it waits for udev's word.
    host.ok("mkdir -p /run/systemd/netif/links /run/systemd/netif/leases /run/systemd/netif/lldp");
    host.ok("chown -R systemd-network: /run/systemd/netif");
    host.ok("mount -o bind,ro /sys /sys");
    host.ok("mount -o remount,bind,ro /sys");
    let networkd = host.spawn("/lib/systemd/systemd-networkd");
    lab::wait(20 * SECONDS, "the VIPs of the file", || on_lo() == by_up);
    let check = host.run(&format!("rs-prep check {vips} --json"));
    assert_eq!(check.status, 0, "{check}");
    let dry = host.ok(&format!("rs-prep up {vips} --dry-run"));
    assert!(!dry.contains("ip address"), "nothing but host routes is missing: {dry}");
    networkd.kill();
}
