use std::fs;

use lvs_core::addr::{Endpoint, Family};
use lvs_core::ipvs::{Info, ServerState, ServiceState, Stats};
use lvs_core::plan::{Daemon, DaemonRole, Timeouts};
use lvs_core::table::{Forward, Server, Service, ServiceKey, Tunnel};
use std::io::Write;
use std::process::{Command, Stdio};

use super::*;
use crate::snapshot::Entry;

fn server(endpoint: &str, server: Server) -> ServerState {
    let stats = Stats { connections: 7, packets_in: 70, bytes_in: u64::MAX, ..Stats::default() };
    let endpoint = endpoint.parse().unwrap();
    ServerState { endpoint, server, active: 3, inactive: 2, persistent: 1, stats }
}

fn entry(key: ServiceKey, service: Service, servers: Vec<ServerState>) -> Entry {
    let stats = Stats { connections: 9, bytes_out: 5_000_000_000, ..Stats::default() };
    Entry { service: ServiceState { key, service, stats }, servers }
}

/// One of everything that the format could stumble over.
fn snapshot() -> Snapshot {
    let web = Service { persistence: Some(300), ..Service::new("sh", Family::Inet) };
    let sip = Service {
        engine: Some("sip".to_owned()),
        persistence: Some(60),
        ..Service::new("rr", Family::Inet6)
    };
    let limited = Server { upper: 100, lower: 80, ..Server::new(Forward::Tunnel(Tunnel::Ipip), 0) };
    let v6 = ServiceKey::Addr {
        protocol: lvs_core::table::Protocol::Udp,
        vip: "[2001:db8::1]:5060".parse::<Endpoint>().unwrap(),
    };
    let backends = vec![
        server("192.168.15.109:443", Server::new(Forward::Route, 1)),
        server("192.168.15.110:443", limited),
    ];
    let mark = |family| ServiceKey::Mark { mark: u32::MAX, family };
    let role = DaemonRole::Master;
    let interface = "a\"b\\c".to_owned();
    Snapshot {
        info: Info { version: [1, 2, 1], connection_table_size: 4096 },
        timeouts: Timeouts { tcp: 900, tcp_fin: 120, udp: 300 },
        daemons: vec![Daemon { role, interface, sync_id: 5, max_len: 0, group: None, port: 0, ttl: 0 }],
        entries: vec![
            entry(ServiceKey::tcp([192, 168, 15, 111], 443), web, backends),
            entry(v6, sip, vec![server("[2001:db8::2]:5060", Server::new(Forward::Masq, 5))]),
            entry(mark(Family::Inet), Service::new("wlc", Family::Inet), Vec::new()),
            entry(mark(Family::Inet6), Service::new("wlc", Family::Inet6), Vec::new()),
        ],
    }
}

fn sample<'a>(text: &'a str, name: &str, labels: &str) -> Option<&'a str> {
    text.lines().find_map(|l| l.strip_prefix(&format!("{name}{{{labels}}} ")))
}

const WEB: &str = r#"local_address="192.168.15.111",local_port="443",local_mark="",proto="TCP""#;

#[test]
fn counters_gauges_and_labels() {
    let text = render(&snapshot());
    assert_eq!(sample(&text, "ipvs_service_connections_total", WEB), Some("9"));
    assert_eq!(sample(&text, "ipvs_service_outgoing_bytes_total", WEB), Some("5000000000"));
    assert_eq!(sample(&text, "ipvs_service_servers", WEB), Some("2"));
    assert_eq!(sample(&text, "ipvs_service_persistence_timeout_seconds", WEB), Some("300"));
    let second = format!(r#"{WEB},remote_address="192.168.15.110",remote_port="443""#);
    assert_eq!(sample(&text, "ipvs_server_active_connections", &second), Some("3"));
    assert_eq!(sample(&text, "ipvs_server_incoming_bytes_total", &second), Some("18446744073709551615"));
    assert_eq!(sample(&text, "ipvs_server_upper_threshold_connections", &second), Some("100"));
    assert_eq!(sample(&text, "ipvs_server_info", &format!(r#"{second},forward="tunnel_ipip""#)), Some("1"));
    let first = format!(r#"{WEB},remote_address="192.168.15.109",remote_port="443""#);
    assert_eq!(sample(&text, "ipvs_server_upper_threshold_connections", &first), None);
    assert!(text.contains(r#"interface="a\"b\\c""#), "{text}");
}

#[test]
fn a_mark_of_both_families_is_two_series() {
    let text = render(&snapshot());
    for proto in ["FWM", "FWM6"] {
        let labels = format!(r#"local_address="",local_port="",local_mark="4294967295",proto="{proto}""#);
        assert_eq!(sample(&text, "ipvs_service_connections_total", &labels), Some("9"));
    }
}

/// Prometheus' own parser and linter.
#[test]
fn promtool_finds_nothing_to_complain_about() {
    let empty = Snapshot { entries: Vec::new(), daemons: Vec::new(), ..snapshot() };
    let find = Command::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../scripts/lab/find-promtool")).output();
    let find = find.expect("scripts/lab/find-promtool of this project");
    assert!(find.status.success(), "{}", String::from_utf8_lossy(&find.stderr));
    let promtool = String::from_utf8(find.stdout).unwrap().trim().to_owned();
    for snapshot in [snapshot(), empty] {
        let mut child = Command::new(&promtool)
            .args(["check", "metrics"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(render(&snapshot).as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        let words = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && words.is_empty(), "{words}");
    }
}

#[test]
fn a_file_is_replaced_in_one_piece() {
    let folder = std::env::temp_dir().join(format!("ipvsctl-metrics-{}", std::process::id()));
    fs::create_dir(&folder).unwrap();
    let path = folder.join("ipvs.prom");
    for text in ["one\n", "two\n"] {
        write::write(&path, text).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), text);
    }
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 1);
    fs::remove_dir_all(&folder).unwrap();
}
