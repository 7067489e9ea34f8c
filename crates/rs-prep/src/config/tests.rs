use lvs_core::conf::{Env, NoFiles, parse};

use super::*;
use crate::host::testing::alone;

fn config(text: &str) -> Config {
    parse("file", text.as_bytes(), &mut NoFiles, &Env::default()).0
}

const MIXED: &str = "\
virtual_server_group both {
    192.168.15.120 80
    fwmark 7
    192.168.15.121 81
}
virtual_server group both {
    lb_kind DR
    protocol TCP
    real_server 192.168.15.102 80 {
    }
}
";

#[test]
fn a_mark_in_a_group_hides_none_of_its_addresses() {
    let config = config(MIXED);
    let role = role(&config, &alone());
    let vips: Vec<_> = role.vips().iter().map(ToString::to_string).collect();
    assert_eq!(vips, ["192.168.15.120", "192.168.15.121"]);
    assert_eq!(
        role.notices,
        ["file:3:5: firewall mark 7 does not say its VIP; name it: rs-prep up VIP"],
        "only the mark has to be named"
    );
    let asked = services(&config, "192.168.15.121".parse().unwrap(), None);
    assert_eq!(asked, [Service { rip: "192.168.15.102".parse().unwrap(), port: Some(81) }]);
}

#[test]
fn a_vip_that_the_file_does_not_name_is_told_apart() {
    let config = config(MIXED);
    assert!(has(&config, "192.168.15.120".parse().unwrap()));
    assert!(!has(&config, "192.168.15.102".parse().unwrap()), "a real server is no VIP");
}

#[test]
fn a_service_of_every_port_is_asked_at_ports_that_no_other_takes() {
    let config = config(
        "virtual_server 192.168.15.120 0 {
             lb_kind DR\n protocol TCP\n real_server 192.168.15.102 0 {
             }
         }
         virtual_server 192.168.15.120 443 {
             lb_kind DR\n protocol TCP\n real_server 192.168.15.103 443 {
             }
         }
         virtual_server 192.168.15.120 53 {
             lb_kind DR\n protocol UDP\n real_server 192.168.15.104 53 {
             }
         }",
    );
    let asked = |port| services(&config, "192.168.15.120".parse().unwrap(), Some(port));
    for (port, rip) in [(80, "192.168.15.102"), (443, "192.168.15.103"), (53, "192.168.15.102")] {
        assert_eq!(asked(port), [Service { rip: rip.parse().unwrap(), port: Some(port) }]);
    }
}

/// IP in IP is opened by `up`; what else there is has to be opened by hand, and is not called ready until then.
#[test]
fn a_tunnel_of_another_type_is_refused_with_what_it_needs() {
    let file = |kind: &str| {
        format!(
            "virtual_server 192.168.15.120 80 {{\n lb_kind {kind}\n protocol TCP\n real_server 192.168.15.102 80 {{\n }}\n}}\n"
        )
    };
    for kind in ["DR", "TUN"] {
        assert!(role(&config(&file(kind)), &alone()).can_be_prepared().is_ok(), "{kind}");
    }
    for (kind, commands) in [
        (
            "TUN type gue port 6080",
            "rs-prep up --tunnel 192.168.15.120; modprobe fou; ip fou add port 6080 gue",
        ),
        (
            "TUN type gre",
            "rs-prep up 192.168.15.120; modprobe ip_gre; sysctl -w net.ipv4.conf.gre0.rp_filter=2; ip address add \
             192.168.15.120/32 dev gre0; ip link set dev gre0 up",
        ),
    ] {
        let error = role(&config(&file(kind)), &alone()).can_be_prepared().unwrap_err().to_string();
        assert!(error.contains(kind) && error.ends_with(commands), "{error}");
    }
}
