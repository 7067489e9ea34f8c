use std::time::Duration;

use super::model::*;
use super::*;
use crate::addr::Endpoint;
use crate::table::{Forward, Protocol};

/// Advice that any short text draws, and that has tests of its own.
const ADVICE: [&str; 4] = ["no-vip", "default-priority", "no-checker", "check-schedule"];

/// The configuration, and what is wrong with it.
pub(in crate::conf) fn read(text: &str) -> (Config, Vec<Diag>) {
    let (config, mut findings) = parse("t.conf", text.as_bytes(), &mut NoFiles, &Env::default());
    findings.retain(|d| !ADVICE.contains(&d.code));
    (config, findings)
}

/// Code, line and column of every finding.
fn codes(text: &str) -> Vec<(&'static str, u32, u32)> {
    read(text).1.iter().map(|d| (d.code, d.line(), d.at.as_ref().map_or(0, |e| e.place.col))).collect()
}

const SEED: &str = include_str!("../../../../examples/seed-keepalived.conf");

#[test]
fn the_seeds_file_says_what_the_seed_means() {
    let (config, findings) = read(SEED);
    let worth: Vec<&str> = findings.iter().filter(|d| d.severity > Severity::Note).map(|d| d.code).collect();
    assert_eq!(worth, ["long-password"]);
    let [i] = &config.instances[..] else { panic!("{:?}", config.instances) };
    assert_eq!((i.name.as_str(), i.vrid.value, i.priority.value), ("VI_1", 51, 100));
    assert_eq!(i.interface.as_ref().map(|i| i.as_str()), Some("ens192"));
    assert_eq!(i.state.value, InitialState::Master);
    assert_eq!(i.advert_interval.value, Duration::from_secs(1));
    assert_eq!(i.authentication.as_ref().map(|a| &a.password.value[..]), Some(&b"your_pas"[..]));
    let vips: Vec<String> =
        i.addresses.iter().map(|a| format!("{} {}", a.prefix.value, a.dev.value)).collect();
    assert_eq!(vips, ["192.168.15.111/32 ens192"]);
    assert_eq!(i.vrid.place, Place { file: 0, line: 4, col: 23, len: 2 });
    assert!(!i.garp.master_delay.is_written());
}

#[test]
fn the_seeds_services_have_their_real_servers_and_schedules() {
    let (config, _) = read(SEED);
    let rows: Vec<String> = config
        .virtual_servers
        .iter()
        .flat_map(|vs| vs.real_servers.iter().map(move |rs| row(vs, rs)))
        .collect();
    assert_eq!(
        rows,
        [
            "192.168.15.111:443 sh Some(3600) 192.168.15.109:443 w1 check 192.168.15.109:443 6s/10s/3x3s/6s",
            "192.168.15.111:443 sh Some(3600) 192.168.15.110:443 w1 check 192.168.15.110:443 6s/10s/3x3s/6s",
            "192.168.15.111:7885 rr Some(3600) 192.168.15.102:7885 w1 check 192.168.15.102:7885 6s/10s/3x3s/6s",
            "192.168.15.111:7885 rr Some(3600) 192.168.15.103:7885 w1 check 192.168.15.103:7885 6s/10s/3x3s/6s",
        ]
    );
}

fn row(vs: &VirtualServer, rs: &RealServer) -> String {
    let Target::Addr(vip) = &vs.target.value else { panic!("{:?}", vs.target) };
    assert_eq!((vs.protocol.value, rs.forward.value), (Protocol::Tcp, Forward::Route));
    let [c] = &rs.checks[..] else { panic!("{:?}", rs.checks) };
    assert_eq!(c.kind, CheckKind::Tcp);
    format!(
        "{vip} {} {:?} {} w{} check {} {:?}/{:?}/{}x{:?}/{:?}",
        vs.scheduler.value,
        vs.persistence.map(|p| p.value),
        rs.endpoint.value,
        rs.weight.value,
        c.probe.connect_to.value,
        c.interval.value,
        c.probe.timeout.value,
        c.retry.value,
        c.retry_delay.value,
        c.warmup.value,
    )
}

#[test]
fn a_finding_shows_the_line_with_a_caret_under_the_word() {
    let (_, findings) = read("vrrp_instance V {\n\tinterface eth0\n\tvirtual_router_id 300\n}\n");
    let text: Vec<String> = findings.iter().map(ToString::to_string).collect();
    assert_eq!(
        text,
        [
            "t.conf:1:1: error: vrrp_instance V has no valid virtual_router_id; it is left out [missing-vrid]\n  \
             1 | vrrp_instance V {\n    | ^^^^^^^^^^^^^\n  \
             help: add a line: virtual_router_id N (1 to 255, the same on all its routers)",
            "t.conf:3:20: warning: virtual_router_id 300 is out of range; it has no default [out-of-range]\n  \
             3 | \tvirtual_router_id 300\n    | \t                  ^^^\n  help: write a number from 1 to 255",
        ]
    );
}

#[test]
fn braces_stand_anywhere() {
    // Measured with keepalived 2.2.7, which reads all four alike.
    let (config, findings) = read(
        "vrrp_instance A{\n interface eth0\n virtual_router_id 5\n virtual_ipaddress{ 10.0.0.1 }\n}\n\
         vrrp_instance B\n{\n interface eth0\n virtual_router_id 6\n virtual_ipaddress { 10.0.0.2\n 10.0.0.4 }\n}\n\
         vrrp_instance C { interface eth0\n virtual_router_id 7\n virtual_ipaddress {10.0.0.5}\n}\n\
         vrrp_instance D {\n interface eth0\n virtual_router_id 8\n virtual_ipaddress\n {\n 10.0.0.6 } priority 77\n}",
    );
    assert_eq!(findings, []);
    let vips: Vec<Vec<String>> = config
        .instances
        .iter()
        .map(|i| i.addresses.iter().map(|a| a.prefix.addr.to_string()).collect())
        .collect();
    assert_eq!(vips, [vec!["10.0.0.1"], vec!["10.0.0.2", "10.0.0.4"], vec!["10.0.0.5"], vec!["10.0.0.6"]]);
    assert_eq!(config.instances[3].priority.value, 77);
}

#[test]
fn only_double_quotes_protect() {
    // Measured: "a#b" is a#b, a#b is a, 'a#b' is 'a, "q!r" is q!r, a"b c"d is a.
    let pass = |text: &str| {
        let (config, _) = read(&format!(
            "vrrp_instance V {{\ninterface e\nvirtual_router_id 5\nauthentication {{\nauth_type PASS\nauth_pass {text}\n}}\n}}\n"
        ));
        let auth = config.instances[0].authentication.clone();
        auth.map(|a| String::from_utf8_lossy(&a.password.value).into_owned())
    };
    let cases = [
        ("\"a#b\"", "a#b"),
        ("a#b", "a"),
        ("'a#b'", "'a"),
        ("\"q!r\"", "q!r"),
        ("a\"b c\"d", "a"),
        ("'x y'", "'x"),
    ];
    for (written, meant) in cases {
        assert_eq!(pass(written).as_deref(), Some(meant), "{written}");
    }
}

#[test]
fn an_unknown_block_is_skipped_as_a_block() {
    let text =
        "vrrp_instance V {\n interface e\n nonsense {\n  a b\n  c { d }\n }\n virtual_router_id 5\n}\n";
    let (config, _) = read(text);
    assert_eq!(config.instances[0].vrid.value, 5);
    assert_eq!(codes(text), [("unknown-keyword", 3, 2)]);
}

#[test]
fn unknown_keywords_are_told_what_was_meant() {
    let (_, findings) =
        read("vrrp_instance V {\n interface e\n virtual_router_id 5\n priorty 7\n lb_algo rr\n}\nVI_2\n");
    let helps: Vec<&str> = findings.iter().filter_map(|d| d.help.as_deref()).collect();
    assert_eq!(
        helps,
        [
            "did you mean 'priority'?",
            "'lb_algo' belongs in virtual_server; is a brace missing or too many before this line?"
        ]
    );
}

#[test]
fn a_real_servers_port_is_the_services_with_direct_routing() {
    let (config, findings) = read(
        "virtual_server 10.0.0.1 80 {\n lb_kind DR\n protocol TCP\n real_server 10.0.0.2 8080 {\n TCP_CHECK {\n }\n }\n real_server 10.0.0.3 {\n TCP_CHECK {\n }\n }\n}\n",
    );
    assert_eq!(findings.iter().map(|d| d.code).collect::<Vec<_>>(), ["port-differs"]);
    let rs = &config.virtual_servers[0].real_servers;
    assert_eq!(rs[0].endpoint.value, Endpoint::new([10, 0, 0, 2], 80));
    assert_eq!(rs[0].checks[0].probe.connect_to.value, Endpoint::new([10, 0, 0, 2], 8080));
    assert_eq!(rs[1].endpoint.value, Endpoint::new([10, 0, 0, 3], 80));
}

#[test]
fn a_finding_knows_whose_block_it_is_in() {
    let (_, findings) = read(
        "global_defs {\n bogus\n}\nvrrp_instance V {\n interface e\n virtual_router_id 5\n priorty 7\n}\n\
         virtual_server 10.0.0.1 80 {\n protocol TCP\n real_server 10.0.0.2 80 {\n bogus\n }\n}\nVI_2\n",
    );
    let whose = |d: &Diag| (d.line(), d.concerns(schema::Tool::Vrrpd), d.concerns(schema::Tool::Tcpcheck));
    let mut found: Vec<_> = findings.iter().map(whose).collect();
    found.sort();
    found.dedup();
    assert_eq!(found, [(2, true, true), (7, true, false), (12, false, true), (15, true, true)]);
}

#[test]
fn routes_are_written_as_keepalived_takes_them() {
    let lines = "src 10.0.0.9 10.1.0.0/16 via 10.0.0.1 dev eth0\n10.2.0.0/16 gw 10.0.0.1 dev eth0\n\
                 10.3.0.0/16 via 10.0.0.1 or 10.0.0.2 dev eth0\n10.4.0.0/16 10.5.0.0/16 dev eth0\n";
    let text = format!(
        "vrrp_instance V {{\ninterface eth0\nvirtual_router_id 5\npriority 9\nvirtual_ipaddress {{ 10.0.0.1 }}\nvirtual_routes {{\n{lines}}}\n}}\n"
    );
    let (config, findings) = read(&text);
    let words = |r: &Route| r.words.iter().map(|w| w.value.clone()).collect::<Vec<_>>().join(" ");
    assert_eq!(
        config.instances[0].routes.iter().map(words).collect::<Vec<_>>(),
        [
            "src 10.0.0.9 10.1.0.0/16 via 10.0.0.1 dev eth0",
            "10.2.0.0/16 via 10.0.0.1 dev eth0",
            "10.3.0.0/16 nexthop via 10.0.0.1 nexthop via 10.0.0.2 dev eth0",
        ]
    );
    assert_eq!(findings.iter().map(|d| (d.code, d.line())).collect::<Vec<_>>(), [("unknown-option", 10)]);
}

#[test]
fn one_packet_scheduling_is_for_udp_and_marks() {
    let cases = [
        ("10.0.0.1 80", "protocol TCP", false),
        ("10.0.0.1 80", "protocol SCTP", false),
        ("10.0.0.1 80", "protocol UDP", true),
        ("fwmark 5", "", true),
    ];
    for (target, protocol, is) in cases {
        let text = format!(
            "virtual_server {target} {{\nops\nflag-1\n{protocol}\nreal_server 10.0.0.2 80 {{\n}}\n}}\n"
        );
        let (config, findings) = read(&text);
        let flags = config.virtual_servers[0].flags.value;
        assert_eq!(flags.has(crate::table::ServiceFlags::ONE_PACKET), is, "{target} {protocol}");
        assert!(flags.has(crate::table::ServiceFlags::SCHED_1));
        assert_eq!(findings.iter().any(|d| d.code == "ops-protocol"), !is, "{target} {protocol}");
    }
}

#[test]
fn a_mask_alone_means_persistence() {
    let (config, findings) = read(
        "virtual_server 10.0.0.1 80 {\nprotocol TCP\npersistence_granularity 255.255.255.0\nreal_server 10.0.0.2 80 {\nMISC_CHECK {\nmisc_path /bin/true\n}\n}\n}\n",
    );
    assert_eq!(config.virtual_servers[0].persistence.map(|p| p.value), Some(360));
    assert_eq!(findings.iter().map(|d| d.code).collect::<Vec<_>>(), ["persistence-implied"]);
}

#[test]
fn the_outline_tells_what_is_passed_over() {
    let (config, findings) = read(
        "virtual_servre 10.0.0.1 80 {\n protocol TCP\n}\nglobal_defs {\n bogus\n}\nVI_2\nvirtual_server 10.0.0.2 80 {\n real_server 10.0.0.3 80 {\n TCP_CHECK {\n }\n }\n}\n",
    );
    assert_eq!(config.outline.known, 2);
    assert_eq!(config.outline.skipped.iter().map(|p| p.line).collect::<Vec<_>>(), [1, 7]);
    let told = |p: &Place| findings.iter().any(|d| d.at.as_ref().is_some_and(|e| e.place == *p));
    assert!(config.outline.skipped.iter().all(told), "{findings:?}");
}

/// What keepalived does, measured: a block with such a port is skipped; with 0 it has none.
#[test]
fn a_port_that_is_none_is_an_error_of_its_block() {
    let text = |target: &str, sorry: &str, real: &str| {
        format!(
            "virtual_server_group g {{\n10.0.0.9 {target}\n10.0.0.9 81\n}}\n\
             virtual_server 10.0.0.1 {target} {{\nprotocol TCP\npersistence_timeout 9\nsorry_server 10.0.0.8 {sorry}\nreal_server 10.0.0.2 {real} {{\n}}\n}}\n"
        )
    };
    let errors = |text: &str| {
        let (config, findings) = read(text);
        let errors = findings.iter().filter(|d| d.severity == Severity::Error);
        (config.virtual_servers.len(), errors.map(|d| (d.code, d.line())).collect::<Vec<_>>())
    };
    for port in ["65536", "80000", "-1", "http"] {
        assert_eq!(errors(&text(port, "80", "80")), (0, vec![("bad-port", 2), ("bad-port", 5)]), "{port}");
        assert_eq!(errors(&text("80", port, "80")), (0, vec![("bad-port", 8)]), "{port}");
        assert_eq!(errors(&text("80", "80", port)), (0, vec![("bad-port", 9)]), "{port}");
    }
    assert_eq!(errors(&text("0", "0", "0")), (1, vec![]));
    let (config, _) = read(&text("80", "0", "0"));
    let vs = &config.virtual_servers[0];
    assert_eq!(vs.real_servers[0].endpoint.value, Endpoint::new([10, 0, 0, 2], 80));
    assert_eq!(vs.sorry.as_ref().map(|s| s.endpoint.value), Some(Endpoint::new([10, 0, 0, 8], 80)));
}

/// As with keepalived, which skips the server; the kernel would refuse it.
#[test]
fn a_server_of_another_family_is_reached_by_a_tunnel_only() {
    let text = |target: &str, kind: &str| {
        format!(
            "virtual_server {target} {{\nprotocol TCP\nlb_kind {kind}\nsorry_server 10.0.0.8 80\nreal_server fd00::2 80 {{\n}}\nreal_server 10.0.0.2 80 {{\n}}\n}}\n"
        )
    };
    for (target, kind, left) in [("fd00::1 80", "DR", 1), ("fwmark 7", "NAT", 1), ("fd00::1 80", "TUN", 2)] {
        let (config, findings) = read(&text(target, kind));
        let lines = findings.iter().filter(|d| d.code == "family-differs").map(Diag::line);
        assert_eq!(lines.collect::<Vec<_>>(), if left == 1 { vec![4, 7] } else { vec![] }, "{target} {kind}");
        assert_eq!(config.virtual_servers[0].real_servers.len(), left);
        assert_eq!(config.virtual_servers[0].sorry.is_some(), left == 2);
    }
}

#[test]
fn what_is_said_of_a_sorry_server_stands_below_it() {
    let text = |lines: &str| {
        format!(
            "virtual_server 10.0.0.1 80 {{\nprotocol TCP\nlb_kind DR\n{lines}\nreal_server 10.0.0.2 80 {{\n}}\n}}\n"
        )
    };
    let (config, findings) =
        read(&text("sorry_server_inhibit\nsorry_server_lvs_method NAT\nsorry_server 10.0.0.8 80"));
    let sorry = config.virtual_servers[0].sorry.as_ref().unwrap();
    assert_eq!((sorry.inhibit.value, sorry.forward.value), (false, Forward::Route));
    let lines = findings.iter().filter(|d| d.code == "no-sorry-server").map(Diag::line);
    assert_eq!(lines.collect::<Vec<_>>(), [4, 5]);
    let (config, _) = read(&text("sorry_server 10.0.0.8 80\nsorry_server_inhibit"));
    assert!(config.virtual_servers[0].sorry.as_ref().unwrap().inhibit.value);
}

#[test]
fn a_file_in_which_nothing_is_recognised_stops_every_tool() {
    for text in ["", "\n# all of it is gone\n", "nonsense\n"] {
        let (_, findings) = read(text);
        let stops = findings.iter().filter(|d| d.stops(schema::Tool::Tcpcheck, true));
        assert_eq!(stops.map(|d| d.code).collect::<Vec<_>>(), ["nothing-here"], "{text:?}");
    }
    let (_, findings) = read("global_defs {\n}\n");
    assert!(findings.is_empty(), "{findings:?}");
}

fn router(lines: &str) -> String {
    format!("vrrp_instance V {{\ninterface eth0\nvirtual_router_id 5\npriority 9\n{lines}\n}}\n")
}

const VIP: &str = "virtual_ipaddress {\n10.0.0.1\n}";

#[test]
fn the_addresses_decide_the_family_and_strange_peers_are_skipped() {
    let peers = |list: &str| router(&format!("unicast_peer {{\n{list}\n}}\n{VIP}"));
    let (config, findings) = read(&peers("fd00::1\n10.0.0.2"));
    let i = &config.instances[0];
    let left: Vec<String> = i.unicast.iter().flat_map(|u| &u.peers).map(|p| p.addr.to_string()).collect();
    assert_eq!((left, i.addresses.len()), (vec!["10.0.0.2".to_owned()], 1));
    assert_eq!(findings.iter().map(|d| (d.code, d.line())).collect::<Vec<_>>(), [("mixed-families", 6)]);
    let found = codes(&peers("fd00::1")).into_iter().map(|c| c.0).collect::<Vec<_>>();
    assert_eq!(found, ["mixed-families", "no-unicast-peer"]);
}

/// The first router of a text that may be wrong, and what is said of it.
fn judged(lines: &str) -> (Option<Instance>, Vec<&'static str>) {
    let (config, findings) = read(&router(&format!("{VIP}\n{lines}")));
    (config.instances.into_iter().next(), findings.iter().map(|d| d.code).collect())
}

#[test]
fn strict_rules_take_away_what_the_others_ignore() {
    let (i, said) = judged("strict_mode\nauthentication {\nauth_type PASS\nauth_pass x\n}");
    assert_eq!((i.unwrap().authentication, said), (None, vec!["strict-no-accept", "strict-auth"]));
    let (i, said) = judged("strict_mode\naccept\nversion 3\nstate MASTER\nnopreempt\npreempt_delay 5");
    let i = i.unwrap();
    assert_eq!((i.state.value, i.preempt.value, i.preempt_delay.value), Default::default());
    assert_eq!(said, ["strict-state", "strict-preempt-delay"]);
    let (i, said) = judged("strict_mode\naccept");
    assert_eq!((i.unwrap().accept.value, said), (false, vec!["strict-no-accept", "strict-accept"]));
    let (i, said) =
        judged("strict_mode\naccept\nversion 3\nuse_vmac\nvmac_xmit_base\nunicast_peer {\n10.0.0.9\n}");
    assert!(!i.unwrap().vmac.unwrap().xmit_base.value);
    assert_eq!(said, ["strict-xmit-base"]);
}

#[test]
fn the_owner_takes_over_again_whatever_is_written() {
    let (i, said) = judged("priority 255\nnopreempt");
    assert_eq!((i.unwrap().preempt.value, said), (true, vec!["master-nopreempt"]));
    let (i, said) = judged("nopreempt\npreempt_delay 4");
    assert_eq!((i.unwrap().preempt_delay.is_zero(), said), (true, vec!["no-effect"]));
}

#[test]
fn a_password_needs_its_type_and_is_never_assumed() {
    for (written, kept) in [
        ("auth_type PASS", true),
        ("auth_type pass", false),
        ("auth_type SIMPLE_PASSWORD", false),
        ("", false),
        ("auth_type PASS\nauth_type simple", true),
    ] {
        let (i, said) = judged(&format!("authentication {{\nauth_pass x\n{written}\n}}"));
        assert_eq!(i.unwrap().authentication.is_some(), kept, "{written}");
        assert_eq!(said.contains(&"missing-value"), !kept, "{written}: {said:?}");
    }
}

#[test]
fn a_prefix_length_of_a_peer_is_cut_off_and_unicast_never_becomes_multicast() {
    let (i, said) =
        judged("unicast_src_ip 10.0.0.2/24\nunicast_peer {\n10.0.0.3/24\n10.0.0.4/x min_ttl 3\n}");
    let i = i.unwrap();
    let unicast = i.unicast.unwrap();
    let peers: Vec<String> = unicast.peers.iter().map(|p| p.addr.to_string()).collect();
    assert_eq!(
        (i.source.unwrap().to_string(), peers.join(" ")),
        ("10.0.0.2".into(), "10.0.0.3 10.0.0.4".into())
    );
    assert!(unicast.check_src.value, "who bounds one peer lets in no stranger");
    assert_eq!(said, ["prefix-length"; 3]);
    let (i, said) = judged("unicast_peer {\nhost.example\n}");
    assert!(i.is_none());
    assert_eq!(said, ["bad-address", "no-unicast-peer"]);
}

#[test]
fn intervals_are_rounded_to_what_the_version_has() {
    for (version, written, millis) in
        [(3, "0.015", 20), (3, "0.0149", 10), (3, "0.999", 1000), (2, "1.5", 2000), (2, "0.4", 1000)]
    {
        let (i, _) = judged(&format!("version {version}\nadvert_int {written}"));
        assert_eq!(i.unwrap().advert_interval.as_millis(), millis, "{version} {written}");
    }
}

#[test]
fn options_without_a_value_and_words_that_ip_does_not_know_are_said() {
    for option in ["label", "dev", "scope", "brd", "peer", "preferred_lft"] {
        let (config, findings) = read(&router(&format!("virtual_ipaddress {{\n10.0.0.6 {option}\n}}")));
        assert!(config.instances.is_empty(), "{option}");
        assert_eq!(findings.iter().map(|d| (d.code, d.line())).collect::<Vec<_>>(), [("missing-value", 6)]);
    }
    let script = "vrrp_script chk {\nscript /bin/true\nweight 7\n}\n".to_owned();
    let (config, findings) = read(&(script + &router(&format!("{VIP}\ntrack_script {{\nchk weight\n}}"))));
    assert_eq!(config.instances[0].track.scripts[0].weight.value.value, 7);
    assert_eq!(findings.iter().map(|d| d.code).collect::<Vec<_>>(), ["missing-value"]);
    for (rule, code) in [
        ("form 10.0.0.0/8 table 5 priority 7", Some("unknown-option")),
        ("from 10.0.0.0/8 tabel 5 priority 7", Some("unknown-option")),
        ("from 10.0.0.0/8 table 5 priority", Some("missing-value")),
        ("not from 10.0.0.0/8 fwmark 3/7 iif eth0 lookup 5 pref 7", None),
        ("from all ipproto tcp dport 80-90 unreachable preference 8 no_track", None),
        ("fd00::/8 table 5 priority 7", Some("unknown-option")),
    ] {
        let (config, findings) = read(&router(&format!("{VIP}\nvirtual_rules {{\n{rule}\n}}")));
        assert_eq!(findings.first().map(|d| d.code), code, "{rule}: {findings:?}");
        assert_eq!(config.instances[0].rules.len(), usize::from(code.is_none()), "{rule}");
    }
}

#[test]
fn options_that_say_nothing_of_an_address_are_left_out_of_it() {
    let lines = "10.0.0.1 brd - scope host preferred_lft 0\n10.0.0.2/31 brd +\n10.0.0.3/24 brd +\n10.0.0.4 brd 10.0.0.9";
    let (config, findings) = read(&router(&format!("virtual_ipaddress {{\n{lines}\n}}")));
    let of = |n: usize| &config.instances[0].addresses[n];
    assert!((0..4).all(|n| of(n).preferred_lft.is_none()));
    assert_eq!([0, 1, 2, 3].map(|n| of(n).broadcast.is_some()), [false, false, true, true]);
    let said: Vec<_> = findings.iter().filter(|d| d.code == "no-effect").map(Diag::line).collect();
    assert_eq!(said, [6, 7]);
}

#[test]
fn in_a_group_without_its_word_weights_do_not_count_and_that_is_said() {
    let things = "vrrp_script s {\nscript /bin/true\nweight 5\n}\ntrack_file f {\nfile /f\n}\n\
                  track_file g {\nfile /g\nweight 3 reverse\n}\nvrrp_track_process p {\nprocess x\n}\n";
    let tracks = "track_script {\ns\n}\ntrack_file {\nf\ng\n}\ntrack_process {\np\n}\ntrack_interface {\neth1 weight -9\neth2\n}";
    let lines = [VIP, tracks].join("\n");
    let group = |word: &str| format!("vrrp_sync_group G {{\ngroup {{\nV\n}}\n{word}\n}}\n");
    let text = |word: &str| things.to_owned() + &router(&lines) + &group(word);
    let (config, findings) = read(&text("sync_group_tracking_weight"));
    assert!(!findings.iter().any(|d| d.code == "weight-in-group"), "{findings:?}");
    assert_eq!(config.instances[0].track.scripts.len(), 1);
    let (config, findings) = read(&text(""));
    let track = &config.instances[0].track;
    let all = |list: &[Reference]| -> Vec<_> {
        list.iter().map(|r| (r.name.value.clone(), r.weight.value.value, r.weight.reverse)).collect()
    };
    assert_eq!((track.scripts.len(), track.processes.len()), (0, 0));
    assert_eq!(all(&track.files), [("f".to_owned(), 0, false), ("g".to_owned(), 0, true)]);
    assert_eq!(all(&track.interfaces), [("eth2".to_owned(), 0, false)]);
    let said: Vec<_> = findings.iter().filter(|d| d.code == "weight-in-group").collect();
    assert_eq!(said.len(), 5, "{said:?}");
    for words in ["V is in vrrp_sync_group G", "weights do not count"] {
        assert!(said.iter().all(|d| d.message.contains(words)), "{said:?}");
    }
    assert!(said.iter().all(|d| d.help.as_ref().is_some_and(|h| h.contains("sync_group_tracking_weight"))));
}

#[test]
fn rules_without_a_preference_count_down_through_the_file() {
    let rules = |lines: &str| format!("virtual_rules {{\n{lines}\n}}");
    let first = router(&rules(
        "from 10.1.0.0/16 table 1\nfrom 2001:db8::/32 table 1\nto 10.2.0.0/16 table 1 priority 7",
    ));
    let second = first.replace("instance V", "instance W").replace("router_id 5", "router_id 6");
    let (config, _) = read(&format!("{first}{second}static_rules {{\nfrom 10.3.0.0/16 table 1\n}}\n"));
    let words = |r: &Rule| r.words.iter().skip(4).map(|w| w.value.clone()).collect::<Vec<_>>().join(" ");
    let all = config.instances.iter().flat_map(|i| &i.rules).chain(&config.static_rules).map(words);
    let counted =
        ["preference 16384", "preference 16384", "priority 7", "preference 16383", "preference 16383"];
    assert_eq!(
        all.collect::<Vec<_>>(),
        counted.iter().copied().chain(["priority 7", "preference 16382"]).collect::<Vec<_>>()
    );
    let (config, findings) = read(&router(&rules("from 10.1.0.0/16 goto 90")));
    assert!(config.instances[0].rules.is_empty());
    assert_eq!(findings.iter().map(|d| d.code).collect::<Vec<_>>(), ["rule-preference"]);
}

#[test]
fn a_metric_of_a_route_may_be_locked() {
    let (config, findings) =
        read(&router("virtual_routes {\n10.1.0.0/16 dev eth0 mtu lock 1400 advmss lock 900\n}"));
    assert_eq!((config.instances[0].routes.len(), findings.len()), (1, 0), "{findings:?}");
}

#[test]
fn one_gratuitous_arp_is_the_least() {
    let (i, said) = judged("garp_master_repeat 0\ngarp_master_refresh_repeat 0\ngarp_lower_prio_repeat 0");
    let garp = i.unwrap().garp;
    let counts = (garp.master_repeat.value, garp.refresh_repeat.value, garp.lower_prio_repeat.value);
    assert_eq!((counts, said), ((1, 1, 0), vec!["out-of-range"; 2]));
}

#[test]
fn unicast_words_move_the_voice_of_a_vmac_to_its_base() {
    let (i, _) = judged("use_vmac\nunicast_src_ip 10.0.0.2");
    assert!(i.unwrap().vmac.unwrap().xmit_base.value);
}
