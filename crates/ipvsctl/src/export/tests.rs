use lvs_core::conf::{Env, NoFiles, Severity, parse};
use lvs_core::desired::{self, Health, ServerHealth, ServiceHealth};
use lvs_core::plan::step;
use lvs_core::rule::{self, Command, NoNames};
use proptest::prelude::*;

use super::*;

fn of_rules(text: &str) -> Table {
    let mut table = Table::default();
    for line in text.lines() {
        match rule::parse(line.split_whitespace(), &NoNames) {
            Ok(Command::Op(op)) => assert!(step(&mut table, &op), "{op}"),
            other => panic!("{line}: {other:?}"),
        }
    }
    table
}

/// What `apply` makes of a keepalived.conf; nothing in it may be doubtful.
fn of_conf(text: &str) -> Table {
    let (config, findings) = parse("k.conf", text.as_bytes(), &mut NoFiles, &Env::default());
    for f in findings.iter().filter(|f| f.severity > Severity::Note) {
        // A server without checks is what a table has.
        assert_eq!(f.code, "no-checker", "{f}\n{text}");
    }
    let health = |vs: &lvs_core::conf::model::VirtualServer| ServiceHealth {
        quorum: true,
        servers: vs.real_servers.iter().map(|_| ServerHealth::new(true)).collect(),
    };
    let services = config.virtual_servers.iter().map(health).collect();
    desired::table(&config, &Health { services })
}

fn of_json(text: &str) -> Table {
    serde_json::from_str::<Document>(text).unwrap().table().unwrap()
}

const ALL: &str = "\
-A -t 192.168.15.111:443 -s sh -p 3600 -M 255.255.255.0 -b sh-fallback,sh-port
-a -t 192.168.15.111:443 -r 192.168.15.109:443 -g -w 1 -x 100 -y 80
-a -t 192.168.15.111:443 -r 192.168.15.110:443 -i -w 2 --tun-type gue --tun-port 6080 --tun-remcsum
-A -u [2001:db8::1]:5060 -s wrr -p 60 -M 64 --pe sip
-a -u [2001:db8::1]:5060 -r [2001:db8::2]:5061 -m -w 0
-a -u [2001:db8::1]:5060 -r [2001:db8::3]:5060 -i -w 7 --tun-type gre --tun-csum
-A -f 5 -s rr -o -b flag-3
-a -f 5 -r 10.0.0.2:0 -g -w 1
-A -f 5 -6 -s wlc
-A -t 10.0.0.3:0 -s rr -p 60
-a -t 10.0.0.3:0 -r 10.0.0.2:0 -g -w 1
-A --sctp-service 10.0.0.1:9 -s wlc
-a --sctp-service 10.0.0.1:9 -r 10.0.0.2:9 -i -w 3";

#[test]
fn every_format_says_the_same() {
    let table = of_rules(ALL);
    let text = |format| render(&table, format).unwrap();
    assert_eq!(of_rules(&text(Format::Rules)), table);
    assert_eq!(of_json(&text(Format::Json)), table);
    assert_eq!(of_conf(&text(Format::Keepalived)), table, "{}", text(Format::Keepalived));
}

#[test]
fn a_block_as_an_admin_would_write_it() {
    let rules = "-A -t 192.168.15.111:7885 -s rr -p 3600\n-a -t 192.168.15.111:7885 -r 192.168.15.102 -g -w 1\n\
                 -a -t 192.168.15.111:7885 -r 192.168.15.103 -m -w 2";
    assert_eq!(
        render(&of_rules(rules), Format::Keepalived).unwrap(),
        "virtual_server 192.168.15.111 7885 {
    protocol TCP
    lb_algo rr
    lb_kind DR
    persistence_timeout 3600
    real_server 192.168.15.102 7885 {
        weight 1
    }
    real_server 192.168.15.103 7885 {
        weight 2
        lvs_method NAT
    }
}
"
    );
}

#[test]
fn json_of_a_table_counts_nothing() {
    let text = render(&of_rules(ALL), Format::Json).unwrap();
    for word in ["stats", "active_connections", "timeouts", "version"] {
        assert!(!text.contains(word), "{word}: {text}");
    }
}

#[test]
fn what_keepalived_cannot_say_is_refused() {
    let table = of_rules("-A -t 10.0.0.1:80\n-a -t 10.0.0.1:80 -r 10.0.0.2 -w 65536");
    assert!(render(&table, Format::Keepalived).unwrap_err().contains("weight 65536"));
    assert!(render(&table, Format::Rules).is_ok());
}

proptest! {
    #[test]
    fn tables_come_back_from_every_format(
        services in prop::collection::btree_map(1u16..2000, (0usize..5, prop::option::of(1u32..2_678_400), 0u8..=32, any::<bool>()), 0..6),
        servers in prop::collection::vec((any::<prop::sample::Index>(), 1u8..250, 0usize..3, 0u32..65536, 0u32..50, 0u32..50), 0..20),
    ) {
        let mut lines = String::new();
        for (port, (scheduler, persistence, mask, udp)) in &services {
            let scheduler = ["rr", "wlc", "sh", "mh -b mh-port", "sh -b flag-3"][*scheduler];
            let target = if *udp { "-u" } else { "-t" };
            lines += &format!("-A {target} 10.0.0.1:{port} -s {scheduler}");
            if let Some(seconds) = persistence {
                let mask = u32::MAX.checked_shl(32 - u32::from(*mask)).unwrap_or(0).max(0x8000_0000);
                lines += &format!(" -p {seconds} -M {}", std::net::Ipv4Addr::from(mask));
            }
            lines += "\n";
        }
        let mut table = of_rules(&lines);
        let keys: Vec<_> = table.services.keys().copied().collect();
        for (index, last, method, weight, a, b) in servers {
            if keys.is_empty() { break; }
            let (upper, lower) = (a.max(b), a.min(b));
            let line = format!("-a {} -r 10.1.0.{last} {} -w {weight} -x {upper} -y {lower}", index.get(&keys), ["-g", "-m", "-i"][method]);
            if let Ok(Command::Op(op)) = rule::parse(line.split_whitespace(), &NoNames) {
                step(&mut table, &op);
            }
        }
        prop_assert_eq!(&of_rules(&render(&table, Format::Rules).unwrap()), &table);
        prop_assert_eq!(&of_json(&render(&table, Format::Json).unwrap()), &table);
        prop_assert_eq!(&of_conf(&render(&table, Format::Keepalived).unwrap()), &table);
    }
}
