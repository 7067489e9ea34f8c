use lvs_core::conf::{Env, NoFiles, parse};

use super::*;

fn spec(lines: &str) -> Spec {
    let text = format!(
        "vrrp_instance V {{\ninterface eth0\nvirtual_router_id 51\npriority 100\nversion 3\n{lines}\n}}\n"
    );
    let (config, findings) = parse("t.conf", text.as_bytes(), &mut NoFiles, &Env::default());
    assert!(findings.is_empty(), "{findings:?}");
    setup(&config).instances.remove(0)
}

const ADDRESSES: &str = "virtual_ipaddress {\n10.0.0.9\n10.0.1.9 dev eth1\n10.0.1.8 dev eth1\n10.0.1.7 dev eth1 use_vmac\n\
                         10.0.1.6 dev eth1 use_vmac\n}\n\
                         virtual_ipaddress_excluded {\n2001:db8:1::9 dev eth1\n2001:db8::9\n}";

/// What keepalived 2.2.7 was seen to send with each of these files.
#[test]
fn garp_extra_if_is_one_address_an_interface_that_no_advertisement_leaves() {
    for (lines, want) in [
        ("use_vmac\ngarp_extra_if 1", "10.0.1.7@vrrp1.51"),
        ("use_vmac\ngarp_extra_if all 1", "10.0.1.9@eth1 10.0.1.7@vrrp1.51 2001:db8::9@eth0"),
        ("use_vmac\nvmac_xmit_base\ngarp_extra_if 1", "10.0.0.9@vrrp.51 10.0.1.7@vrrp1.51"),
        ("garp_extra_if 1", "10.0.1.7@vrrp.51"),
        ("unicast_peer {\n10.0.0.2\n}\ngarp_extra_if all 1", "10.0.1.9@eth1 10.0.1.7@vrrp.51"),
    ] {
        let spec = spec(&format!("{lines}\n{ADDRESSES}"));
        let found: Vec<String> =
            spec.extra().iter().map(|v| format!("{}@{}", v.prefix.addr, v.dev)).collect();
        assert_eq!(found.join(" "), want, "{lines}");
        assert_eq!(spec.params.garp.extra, std::time::Duration::from_secs(1));
    }
}

#[test]
fn addresses_go_to_their_vmacs() {
    let spec = spec(&format!("use_vmac\n{ADDRESSES}"));
    let devs: Vec<&str> = spec.vips.iter().map(|v| v.dev.as_str()).collect();
    assert_eq!(devs, ["vrrp.51", "eth1", "eth1", "vrrp1.51", "vrrp1.51", "eth1", "eth0"]);
    let vmacs: Vec<String> = spec.vmacs().map(|v| format!("{}@{} {}", v.name, v.base, v.mac)).collect();
    assert_eq!(vmacs, ["vrrp.51@eth0 00:00:5e:00:01:33", "vrrp1.51@eth1 00:00:5e:00:01:33"]);
}

/// As keepalived 2.2.7 was seen to go to FAULT, or not, when the interface of such a line lost its link.
#[test]
fn what_lies_on_another_interface_needs_it() {
    let rule =
        |words: &str| format!("virtual_rules {{\nfrom 10.8.0.0/16 lookup main preference 77 {words}\n}}");
    let route = |words: &str| format!("virtual_routes {{\n10.8.0.0/16 {words}\n}}");
    let excluded = |words: &str| format!("virtual_ipaddress_excluded {{\n10.1.0.16/24 {words}\n}}");
    for (lines, want) in [
        (excluded("dev eth1"), "eth1"),
        (excluded("dev eth1 use_vmac"), "eth1"),
        (excluded("dev eth1 no_track"), ""),
        (excluded("dev eth0"), ""),
        (route("via 10.1.0.9 dev eth1"), "eth1"),
        (route("via 10.1.0.9 dev eth1 no_track"), ""),
        (route("nexthop via 10.1.0.9 dev eth1 nexthop via 192.168.200.9 dev eth0"), ""),
        (rule("iif eth1"), "eth1"),
        (rule("oif eth1"), "eth1"),
        (rule("iif eth1 no_track"), ""),
        (rule(""), ""),
        (format!("{}\n{}", excluded("dev eth2"), route("dev eth1")), "eth1 eth2"),
    ] {
        let spec = spec(&format!("virtual_ipaddress {{\n10.0.0.9\n}}\n{lines}"));
        assert_eq!(spec.devs.join(" "), want, "{lines}");
    }
}
