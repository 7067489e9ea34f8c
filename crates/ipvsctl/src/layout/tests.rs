use lvs_core::addr::Endpoint;
use lvs_core::rule::Numeric;
use lvs_core::table::Server;

use super::*;

fn server(forward: Forward) -> ServerState {
    ServerState {
        endpoint: Endpoint::new([10, 0, 1, 1], 80),
        server: Server { forward, weight: 5, upper: 100, lower: 50 },
        active: 7,
        inactive: 8,
        persistent: 9,
        stats: Stats { connections: 1_234_567_890, bytes_out: 5, ..Stats::default() },
    }
}

fn line(columns: Columns, exact: bool, forward: Forward) -> String {
    let layout = Layout { columns, exact, dialect: Dialect::Ipvsadm, spell: &Numeric };
    let mut out = String::new();
    layout.server(&mut out, &ServiceKey::tcp([10, 0, 0, 1], 80), &server(forward)).unwrap();
    out
}

/// Recorded from ipvsadm 1.31, trailing blanks included.
#[test]
fn servers_stand_in_ipvsadms_columns() {
    let gue = Forward::Tunnel(Tunnel::Gue { port: 5555, checksum: TunnelChecksum::Remote });
    let cases = [
        (Columns::Plain, "  -> 10.0.1.1:80                  Masq    5      7          8         \n"),
        (
            Columns::Thresholds,
            "  -> 10.0.1.1:80                  100        50         7          8         \n",
        ),
        (
            Columns::PersistentConn,
            "  -> 10.0.1.1:80                  5         9           7          8         \n",
        ),
        (
            Columns::TunInfo,
            "  -> 10.0.1.1:80                  Masq    n/a           5      7          8         \n",
        ),
        (Columns::Stats, "  -> 10.0.1.1:80                     1234M        0        0        0        5\n"),
    ];
    for (columns, expected) in cases {
        assert_eq!(line(columns, false, Forward::Masq), expected);
    }
    assert!(line(Columns::TunInfo, false, gue).contains("Tunnel  gue:5555:r+c  5 "));
    let exact = "  -> 10.0.1.1:80                  1234567890        0        0        0        5\n";
    assert_eq!(line(Columns::Stats, true, Forward::Masq), exact);
}

#[test]
fn a_service_shows_what_is_not_the_default() {
    let mut service =
        Service { persistence: Some(360), netmask: 0xffff_ff00, ..Service::new("sh", Family::Inet) };
    service.flags = ServiceFlags::SCHED_1.with(ServiceFlags::SCHED_2);
    service.engine = Some("sip".into());
    let state = ServiceState { key: ServiceKey::tcp([10, 0, 0, 1], 82), service, stats: Stats::default() };
    let layout = Layout { columns: Columns::Plain, exact: false, dialect: Dialect::Ipvsadm, spell: &Numeric };
    let mut out = String::new();
    layout.service(&mut out, &state).unwrap();
    assert_eq!(out, "TCP  10.0.0.1:82 sh (sh-fallback,sh-port) persistent 360 mask 255.255.255.0 pe sip\n");
}

#[test]
fn a_big_mark_is_negative_in_ipvsadm_only() {
    let key = ServiceKey::Mark { mark: u32::MAX, family: Family::Inet6 };
    let state = ServiceState { key, service: Service::new("rr", Family::Inet6), stats: Stats::default() };
    for (dialect, expected) in
        [(Dialect::Ipvsadm, "FWM  -1 IPv6 rr\n"), (Dialect::Ours, "FWM  4294967295 IPv6 rr\n")]
    {
        let layout = Layout { columns: Columns::Plain, exact: false, dialect, spell: &Numeric };
        let mut out = String::new();
        layout.service(&mut out, &state).unwrap();
        assert_eq!(out, expected);
    }
}
