//! The daemons with no more rights than their systemd units give them: what the file asks for must still go.

use lab::{Daemon, Host, Lab, SECONDS, wait};
use lvs_core::sys::clock;

/// A file that only its owner, who is not root, may write.
const THEIRS: &str = "/run/theirs";

fn host() -> (Lab, Host) {
    let lab = Lab::new();
    let host = lab.host("d100", &["10.0.0.101/24"]);
    host.ok(&format!("touch {THEIRS}"));
    host.ok(&format!("chown nobody {THEIRS}"));
    host.ok(&format!("chmod 600 {THEIRS}"));
    let script = format!("#!/bin/sh\necho \"$1\" >> {THEIRS}\n");
    host.write("/etc/tell", &script);
    host.ok("chmod 755 /etc/tell");
    (lab, host)
}

/// Starts what a unit starts, on another file, with the capabilities that it allows.
fn start(host: &Host, unit: &str, file: &str) -> Daemon {
    let text = std::fs::read_to_string(format!("{}/../../systemd/{unit}", env!("CARGO_MANIFEST_DIR")))
        .expect("the unit");
    let setting =
        |name: &str| text.lines().find_map(|l| l.strip_prefix(name)).expect("a setting of the unit");
    let allowed = setting("CapabilityBoundingSet=").to_lowercase().replace("cap_", "+").replace(' ', ",");
    let command = setting("ExecStart=").replace("/etc/keepalived/keepalived.conf", "/run/unit.conf");
    host.write("/run/unit.conf", file);
    host.spawn(&format!("setpriv --no-new-privs --bounding-set=-all,{allowed} {command}"))
}

/// Waits until the daemon's scripts have said this.
fn told(host: &Host, daemon: &Daemon, what: &str) {
    let said = || host.read(THEIRS).lines().any(|l| l == what);
    let over = clock::now() + 10 * SECONDS;
    wait(20 * SECONDS, what, || said() || clock::now() > over);
    assert!(said(), "no script said '{what}'\n{}", daemon.log());
}

#[test]
fn vrrpd_s_unit_leaves_its_file_what_it_needs() {
    let (_lab, host) = host();
    let vrrpd = start(
        &host,
        "vrrpd.service",
        "global_defs {
            script_user root
            vrrp_notify_fifo /run/fifo nobody
            vrrp_rt_priority 10
            vrrp_no_swap
        }
        vrrp_script check {
            script \"/etc/tell checked\"\n interval 1\n weight 20
        }
        vrrp_instance VI {
            state BACKUP\n interface ens192\n virtual_router_id 51\n priority 100\n advert_int 1\n use_vmac
            notify_master \"/etc/tell master\"
            track_script {\n check\n }
            virtual_ipaddress {\n 10.0.0.100/24\n }
            virtual_routes {\n 10.9.0.0/24 via 10.0.0.7 dev ens192\n }
        }",
    );
    for what in ["checked", "master"] {
        told(&host, &vrrpd, what);
    }
    wait(5 * SECONDS, "the effective priority", || host.ok("vrrpd status").contains("120"));
    assert!(host.ok("ip -o address").contains("10.0.0.100/24"), "{}", vrrpd.log());
    assert!(host.ok("ip route").contains("10.9.0.0/24"), "{}", vrrpd.log());
    assert_eq!(host.ok("stat -c %U:%F /run/fifo"), "nobody:fifo\n");
    assert_eq!(vrrpd.stop(10 * SECONDS), 0, "{}", vrrpd.log());
    assert!(!host.ok("ip -o link").contains("vrrp"), "{}", vrrpd.log());
}

#[test]
fn tcpcheck_s_unit_leaves_its_file_what_it_needs() {
    let (_lab, host) = host();
    let watch = start(
        &host,
        "tcpcheck.service",
        "global_defs {
            script_user root\n lvs_notify_fifo /run/fifo nobody
        }
        virtual_server 10.0.0.100 80 {
            delay_loop 1\n lb_algo rr\n lb_kind DR\n protocol TCP\n alpha
            real_server 10.0.0.1 80 {
                weight 1\n notify_up \"/etc/tell up\"
                MISC_CHECK {\n misc_path \"/etc/tell checked\"\n }
            }
        }",
    );
    for what in ["checked", "up"] {
        told(&host, &watch, what);
    }
    assert!(host.ok("ipvsadm -Sn").contains("-r 10.0.0.1:80"), "{}", watch.log());
    assert_eq!(host.ok("stat -c %U:%F /run/fifo"), "nobody:fifo\n");
    assert_eq!(watch.stop(10 * SECONDS), 0, "{}", watch.log());
}
