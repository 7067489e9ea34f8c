use proptest::prelude::*;

use super::*;
use crate::conf::{Env, NoFiles, Severity, parse};

fn read(text: &str) -> Config {
    let (config, _) = parse("f", text.as_bytes(), &mut NoFiles, &Env::default());
    // What is not in force is not printed.
    Config { left_out: Vec::new(), ..config }
}

/// Reading, printing and reading again gives the same; gives the printed text.
fn round_trip(text: &str) -> String {
    let config = read(text);
    let printed = print(&config);
    let (again, findings) = parse("f", printed.as_bytes(), &mut NoFiles, &Env::default());
    let errors: Vec<_> = findings.iter().filter(|d| d.severity == Severity::Error).collect();
    assert!(errors.is_empty(), "{errors:?}\n{printed}");
    // Printing leaves out what says nothing.
    let again = Config { outline: config.outline.clone(), ..again };
    assert!(config == again, "{}\n{printed}", difference(&config, &again));
    printed
}

/// The first lines in which two configurations differ, without the places.
fn difference(a: &Config, b: &Config) -> String {
    let values = |c: &Config| {
        let text = format!("{c:#?}");
        let place =
            |l: &&str| ["line:", "col:", "file:", "len:"].iter().all(|k| !l.trim_start().starts_with(k));
        text.lines().filter(place).map(str::to_owned).collect::<Vec<_>>()
    };
    let (a, b) = (values(a), values(b));
    let at = a.iter().zip(&b).position(|(a, b)| a != b).unwrap_or(a.len().min(b.len()));
    let around = |v: &[String]| v[at.saturating_sub(9)..v.len().min(at + 4)].join("\n");
    format!("{}\n--- became\n{}", around(&a), around(&b))
}

#[test]
fn the_seeds_file_comes_back() {
    let printed = round_trip(include_str!("../../../../../examples/seed-keepalived.conf"));
    assert!(
        printed.contains("virtual_server 192.168.15.111 443 {\n    lb_algo sh\n    lb_kind DR\n"),
        "{printed}"
    );
    assert!(printed.contains("auth_pass your_pas\n"), "{printed}");
    // What nobody wrote is not there, least of all what the original calls invalid.
    for word in ["global_defs", "garp", "startup_delay", "unicast", "off"] {
        assert!(!printed.contains(word), "{word}: {printed}");
    }
    let (_, findings) = parse("f", printed.as_bytes(), &mut NoFiles, &Env::default());
    let findings: Vec<_> = findings.iter().filter(|d| d.severity > Severity::Note).collect();
    assert!(findings.is_empty(), "{findings:?}");
}

#[test]
fn a_line_stands_there_only_where_it_changes_something() {
    let text = "global_defs {\nvrrp_garp_master_delay 2\nvrrp_garp_master_repeat 5\nvrrp_startup_delay 0\n}\n\
                vrrp_instance V {\ninterface e\nvirtual_router_id 5\npriority 9\ngarp_master_delay 2\n\
                virtual_ipaddress {\n10.0.0.1/32 dev e scope global\n}\n}\n\
                virtual_server 10.0.0.1 80 {\nprotocol TCP\nweight 5\nalpha\nquorum 1\nreal_server 10.0.0.2 80 {\n\
                alpha off\nTCP_CHECK {\nconnect_port 80\nretry 1\nconnect_timeout 2\n}\n}\n}\n";
    assert_eq!(
        round_trip(text),
        "global_defs {
    vrrp_garp_master_delay 2
}
vrrp_instance V {
    state BACKUP
    interface e
    virtual_router_id 5
    priority 9
    advert_int 1
    virtual_ipaddress {
        10.0.0.1/32
    }
}
virtual_server 10.0.0.1 80 {
    lb_algo wlc
    lb_kind NAT
    protocol TCP
    alpha
    real_server 10.0.0.2 80 {
        weight 5
        alpha off
        TCP_CHECK {
            connect_timeout 2
        }
    }
}
"
    );
}

#[test]
fn words_are_quoted_where_they_would_be_cut() {
    for word in ["a", "a b", "a#b", "{", "", "@x", "$x", "a\\b"] {
        let text = format!("global_defs {{\nrouter_id {}\n}}\n", quote(word));
        assert_eq!(read(&text).global.router_id.map(|r| r.value).as_deref(), Some(word), "{text}");
    }
}

proptest! {
    #[test]
    fn commands_come_back(argv in prop::collection::vec("[ -~\n\t]{0,8}", 1..4)) {
        // A definition is replaced even in quotes, and a command without a program is none.
        let argv: Vec<String> = argv.iter().map(|a| a.replace('$', "_")).collect();
        let text = format!("vrrp_script s {{\nscript {}\n}}\n", command_line(&argv));
        prop_assert_eq!(&read(&text).scripts[0].command.argv.value, &argv, "{}", text);
    }

    #[test]
    fn configurations_come_back(
        instances in prop::collection::vec(prop::collection::vec(0usize..INSTANCE.len(), 0..8), 0..3),
        services in prop::collection::vec(
            (prop::collection::vec(0usize..SERVICE.len(), 0..6),
             prop::collection::vec((prop::collection::vec(0usize..SERVER.len(), 0..5), 0usize..CHECKS.len(),
                prop::collection::vec(0usize..CHECK.len(), 0..4)), 0..4)),
            0..=TARGETS.len()),
        settings in prop::collection::vec(0usize..GLOBAL.len(), 0..6),
    ) {
        round_trip(&text(&instances, &services, &settings));
    }
}

type ServiceChoice = (Vec<usize>, Vec<(Vec<usize>, usize, Vec<usize>)>);

fn text(instances: &[Vec<usize>], services: &[ServiceChoice], settings: &[usize]) -> String {
    let lines = |pool: &[&str], chosen: &[usize]| {
        chosen.iter().map(|n| pool[*n].to_owned() + "\n").collect::<String>()
    };
    let mut text = format!("global_defs {{\n{}}}\n{THINGS}", lines(&GLOBAL, settings));
    for (n, chosen) in instances.iter().enumerate() {
        text += &format!(
            "vrrp_instance I{n} {{\ninterface eth{n}\nvirtual_router_id 7\n{}}}\n",
            lines(&INSTANCE, chosen)
        );
    }
    // Each target once: what joins an earlier block keeps defaults of its own, which text cannot say.
    for (target, (chosen, servers)) in TARGETS.iter().zip(services) {
        text += &format!("virtual_server {target} {{\n{}", lines(&SERVICE, chosen));
        for (n, (chosen, check, inside)) in servers.iter().enumerate() {
            let check = CHECKS[*check].replace("...", &lines(&CHECK, inside));
            text += &format!("real_server 10.1.0.{n} 8{n} {{\n{}{check}\n}}\n", lines(&SERVER, chosen));
        }
        text += "}\n";
    }
    text
}

const THINGS: &str = "vrrp_script s1 {\nscript \"/bin/true 'a b' c\" nobody\nweight -5 reverse\nrise 2\ntimeout 3\n}\n\
    track_file f1 {\nfile /tmp/x\ninit_file 3 overwrite\n}\n\
    vrrp_track_process p1 {\nprocess \"sshd -D\"\nparam_match initial\nquorum 2\ndelay 1.5\n}\n\
    vrrp_sync_group g1 {\ngroup { I0 I1 }\nnotify /bin/x\nsync_group_tracking_weight\n}\n\
    static_ipaddress {\n10.9.0.1/24 dev eth3 track_group t\n}\n\
    static_routes {\n10.8.0.0/16 via 10.9.0.2 dev eth3 metric 5 no_track\n}\n\
    static_rules {\nfrom 10.0.0.0/8 table 5 preference 100\n}\n\
    virtual_server_group vg {\n10.0.0.1-9 80\n10.0.1.0/30\nfwmark 4 inet\n}\n";

const GLOBAL: [&str; 18] = [
    "router_id \"a b\"",
    "vmac_prefix v",
    "vmac_addr_prefix w",
    "vrrp_garp_extra_if all 30",
    "vrrp_version 3",
    "vrrp_strict",
    "vrrp_garp_master_delay 2.5",
    "vrrp_garp_master_repeat 3",
    "vrrp_garp_interval 0.001",
    "lvs_sync_daemon eth0 I0 maxlen 1400 ttl 3 group 224.0.0.99",
    "lvs_timeouts tcp 7200 udp 30",
    "lvs_flush",
    "lvs_flush_on_stop",
    "notify_fifo /run/x root\nnotify_fifo_script \"/bin/y z\"",
    "script_user nobody nogroup",
    "vrrp_rt_priority 50",
    "checker_log_all_failures",
    "vrrp_down_timer_adverts 5",
];

const INSTANCE: [&str; 27] = [
    "state MASTER",
    "nopreempt",
    "preempt_delay 7.25",
    "priority 200",
    "priority 255",
    "advert_int 3",
    "version 3\nadvert_int 0.25",
    "authentication {\nauth_type PASS\nauth_pass \"a b!\"\n}",
    "virtual_ipaddress {\n10.0.0.1\n10.0.0.2/24 brd + dev eth7 label eth7:1 scope link no_track\n}",
    "virtual_ipaddress {\n2001:db8::1\n2001:db8::2/64 preferred_lft 5\n}",
    "virtual_ipaddress_excluded {\n10.0.0.3 peer 10.0.0.4/32\n2001:db8::3\n}",
    "virtual_routes {\n10.7.0.0/16 via 10.0.0.9 dev eth0\n2001:db8:1::/48 via 2001:db8::9 dev eth0 no_track\n}",
    "virtual_rules {\nfrom 10.0.0.1 table 9 preference 10\n}",
    "unicast_src_ip 10.0.0.10\nunicast_peer {\n10.0.0.11 min_ttl 3\n10.0.0.12\n}",
    "mcast_src_ip 10.0.0.10",
    "use_vmac",
    "use_vmac v0 02:00:00:00:00:01\nvmac_xmit_base",
    "use_vmac_addr\ngarp_extra_if 60",
    "garp_extra_if 0",
    "virtual_ipaddress_excluded {\n10.0.0.4 use_vmac\n2001:db8::4 dev eth8 use_vmac\n}",
    "track_interface {\neth5 weight 10 reverse\neth6\n}",
    "track_script {\ns1\n}",
    "track_script {\ns1 weight 7\n}\ntrack_file {\nf1\n}\ntrack_process {\np1 weight 0\n}",
    "notify_master \"/bin/a b\" root\nnotify /bin/c",
    "dont_track_primary\naccept",
    "garp_master_refresh 60\ngarp_lower_prio_repeat 0",
    "down_timer_adverts 2\ndebug 2\nkernel_rx_buf_size 4096",
];

const TARGETS: [&str; 6] =
    ["10.0.0.1 80", "10.0.0.1", "2001:db8::1 443", "fwmark 3", "group vg", "10.0.0.2 53"];

const SERVICE: [&str; 16] = [
    "protocol TCP",
    "protocol UDP\nops",
    "lb_algo sh\nsh-port",
    "lb_algo mh\nmh-fallback",
    "lb_kind DR",
    "lb_kind TUN type gue port 5555 csum",
    "persistence_timeout 50\npersistence_granularity 255.255.255.0",
    "persistence_engine sip",
    "delay_loop 2.5",
    "sorry_server 10.2.0.1 8080",
    "sorry_server 10.2.0.1\nsorry_server_inhibit\nsorry_server_lvs_method NAT",
    "quorum 2\nhysteresis 1\nquorum_up \"/bin/q u\" nobody",
    "alpha\nomega\nha_suspend",
    "inhibit_on_failure\nweight 5",
    "retry 4\ndelay_before_retry 2\nconnect_timeout 3\nwarmup 0",
    "virtualhost example.org",
];

const SERVER: [&str; 7] = [
    "weight 0",
    "uthreshold 100\nlthreshold 50",
    "inhibit_on_failure",
    "alpha on",
    "lvs_method NAT",
    "notify_down \"/bin/d 'x y'\"",
    "delay_loop 9\nretry 2",
];

const CHECKS: [&str; 9] = [
    "",
    "TCP_CHECK {\n...}",
    "HTTP_GET {\n...url {\npath /a?b=c\nstatus_code 200 300-399\n}\nurl {\npath \"/x y\"\ndigest 0123456789abcdef0123456789abcdef\n}\n}",
    "SSL_GET {\n...enable_sni\nurl {\npath /\nregex \"a b{2}\"\nregex_no_match\nregex_max_offset 9\n}\n}",
    "MISC_CHECK {\nmisc_path \"/bin/m a\" \nmisc_timeout 4\nmisc_dynamic\nuser nobody\n}",
    "DNS_CHECK {\n...}",
    "SMTP_CHECK {\n...}",
    "BFD_CHECK {\nname b\n}",
    "TCP_CHECK {\n...}\nMISC_CHECK {\nmisc_path /bin/n\n}",
];

const CHECK: [&str; 9] = [
    "connect_ip 10.3.0.1",
    "connect_port 9000",
    "bindto 10.3.0.9\nbind_if eth1\nbind_port 1234",
    "fwmark 17",
    "connect_timeout 0.5",
    "retry 0",
    "delay_before_retry 0.25",
    "warmup 1",
    "log_all_failures",
];
