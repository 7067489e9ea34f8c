use std::collections::BTreeMap;

use proptest::prelude::*;

use super::uapi::{dest, svc, top};
use super::*;
use crate::addr::Family;
use crate::nlattr::{attrs, nest, put, put_be16, put_str, put_u16, put_u32};
use crate::plan::{Daemon, DaemonRole, Timeouts};
use crate::table::{Forward, Protocol, ServiceFlags, Tunnel, TunnelChecksum};

fn bytes_of(op: &Op) -> Vec<u8> {
    let mut buf = Vec::new();
    encode::op(&mut buf, op);
    buf
}

fn any_key() -> impl Strategy<Value = ServiceKey> {
    let protocol = prop_oneof![Just(Protocol::Tcp), Just(Protocol::Udp), Just(Protocol::Sctp)];
    prop_oneof![
        (protocol, any::<std::net::IpAddr>(), any::<u16>())
            .prop_map(|(protocol, a, p)| ServiceKey::Addr { protocol, vip: Endpoint::new(a, p) }),
        (1u32.., any::<bool>()).prop_map(|(mark, v6)| ServiceKey::Mark {
            mark,
            family: if v6 { Family::Inet6 } else { Family::Inet }
        }),
    ]
}

fn any_service() -> impl Strategy<Value = Service> {
    let flags = (0u32..16).prop_map(|bits| ServiceFlags(bits << 2));
    (
        "[a-z]{1,15}",
        flags,
        proptest::option::of(any::<u32>()),
        any::<u32>(),
        proptest::option::of("[a-z]{1,15}"),
    )
        .prop_map(|(scheduler, flags, persistence, netmask, engine)| Service {
            scheduler,
            flags,
            persistence,
            netmask,
            engine,
        })
}

fn any_forward() -> impl Strategy<Value = Forward> {
    let checksum =
        || prop_oneof![Just(TunnelChecksum::None), Just(TunnelChecksum::Full), Just(TunnelChecksum::Remote)];
    prop_oneof![
        Just(Forward::Masq),
        Just(Forward::Local),
        Just(Forward::Route),
        Just(Forward::Bypass),
        Just(Forward::Tunnel(Tunnel::Ipip)),
        (any::<u16>(), checksum())
            .prop_map(|(port, checksum)| Forward::Tunnel(Tunnel::Gue { port, checksum })),
        checksum().prop_map(|checksum| Forward::Tunnel(Tunnel::Gre { checksum })),
    ]
}

fn any_server() -> impl Strategy<Value = (Endpoint, Server)> {
    (any::<std::net::IpAddr>(), any::<u16>(), any_forward(), any::<[u32; 3]>()).prop_map(
        |(addr, port, forward, [weight, upper, lower])| {
            (Endpoint { addr, port }, Server { forward, weight, upper, lower })
        },
    )
}

proptest! {
    /// The kernel repeats in its replies what it was told in the same attributes.
    #[test]
    fn a_service_survives_the_wire(key in any_key(), service in any_service()) {
        let read = decode::service(&bytes_of(&Op::AddService(key, service.clone())));
        let expected = Service { persistence: service.persistence, ..service };
        prop_assert_eq!(read, Some(ServiceState { key, service: expected, stats: Stats::default() }));
    }

    #[test]
    fn a_server_survives_the_wire(key in any_key(), (endpoint, server) in any_server()) {
        let bytes = bytes_of(&Op::EditServer(key, endpoint, server));
        let read = decode::server(&bytes, key.family()).map(|s| (s.endpoint, s.server));
        prop_assert_eq!(read, Some((endpoint, server)));
    }

    #[test]
    fn any_bytes_are_survived(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let _ = (decode::service(&bytes), decode::server(&bytes, Family::Inet6));
        let _ = (decode::daemon(&bytes), decode::timeouts(&bytes), decode::info(&bytes));
    }

    /// Damage inside well-formed messages reaches deeper than noise.
    #[test]
    fn damaged_messages_are_survived((endpoint, server) in any_server(), at in 0usize..200, to in any::<u8>()) {
        let mut bytes = bytes_of(&Op::AddServer(ServiceKey::tcp([10, 0, 0, 1], 80), endpoint, server));
        let at = at % bytes.len();
        bytes[at] = to;
        let _ = decode::server(&bytes, Family::Inet);
    }
}

#[test]
fn the_bytes_of_a_server_are_the_kernels() {
    let key = ServiceKey::tcp([10, 0, 0, 1], 80);
    let bytes = bytes_of(&Op::AddServer(
        key,
        Endpoint::new([10, 0, 1, 2], 8080),
        Server { forward: Forward::Masq, weight: 3, upper: 20, lower: 10 },
    ));
    let all: Vec<_> = attrs(&bytes).collect();
    assert_eq!(all.iter().map(|a| a.kind).collect::<Vec<_>>(), [top::SERVICE, top::DEST]);
    let inner: BTreeMap<u16, &[u8]> = all[1].nested().map(|a| (a.kind, a.payload)).collect();
    assert_eq!(inner[&dest::ADDR], [10, 0, 1, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    assert_eq!(inner[&dest::PORT], [0x1f, 0x90]);
    assert_eq!(inner[&dest::ADDR_FAMILY], 2u16.to_ne_bytes());
    assert_eq!(inner[&dest::U_THRESH], 20u32.to_ne_bytes());
}

#[test]
fn a_netmask_travels_in_network_order() {
    let service =
        Service { netmask: 0xffff_ff00, persistence: Some(300), ..Service::new("rr", Family::Inet) };
    let bytes = bytes_of(&Op::AddService(ServiceKey::tcp([10, 0, 0, 1], 0), service));
    let mask = attrs(&bytes).next().and_then(|s| s.nested().find(|a| a.kind == svc::NETMASK));
    assert_eq!(mask.map(|a| a.payload), Some(&[255, 255, 255, 0][..]));
}

/// A message as Linux 6.1 lays it out: flags with PERSISTENT and HASHED, 32-bit counters before 64-bit ones.
#[test]
fn the_wide_counters_win() {
    let mut body = Vec::new();
    nest(&mut body, top::SERVICE, |b| {
        put_u16(b, svc::AF, 2);
        put_u16(b, svc::PROTOCOL, 6);
        put(b, svc::ADDR, &[192, 168, 15, 111]);
        put_be16(b, svc::PORT, 443);
        put_str(b, svc::SCHED_NAME, "sh");
        put(b, svc::FLAGS, &[3, 0, 0, 0, 0, 0, 0, 0]);
        put_u32(b, svc::TIMEOUT, 3600);
        put_u32(b, svc::NETMASK, u32::MAX);
        nest(b, svc::STATS64, |s| put(s, 1, &5_000_000_000u64.to_ne_bytes()));
        nest(b, svc::STATS, |s| put_u32(s, 1, 705_032_704));
    });
    let state = decode::service(&body).unwrap();
    assert_eq!(state.stats.connections, 5_000_000_000);
    assert_eq!(state.service.persistence, Some(3600));
    assert_eq!(state.service.flags, ServiceFlags::default());
}

#[test]
fn a_daemon_survives_the_wire() {
    let daemon = Daemon {
        role: DaemonRole::Backup,
        interface: "ens192".into(),
        sync_id: 7,
        max_len: 1400,
        group: Some("ff05::81".parse().unwrap()),
        port: 8848,
        ttl: 2,
    };
    assert_eq!(decode::daemon(&bytes_of(&Op::StartDaemon(daemon.clone()))), Some(daemon));
    let timeouts = Timeouts { tcp: 900, tcp_fin: 120, udp: 300 };
    assert_eq!(decode::timeouts(&bytes_of(&Op::SetTimeouts(timeouts))), Some(timeouts));
}

#[test]
fn refusals_name_the_real_cause() {
    let key = ServiceKey::tcp([10, 0, 0, 1], 80);
    let server = |a: [u8; 4]| Op::AddServer(key, Endpoint::new(a, 80), Server::new(Forward::Route, 1));
    let with_engine = |scheduler, engine: &str| {
        Op::AddService(
            key,
            Service { engine: Some(engine.to_owned()), ..Service::new(scheduler, Family::Inet) },
        )
    };
    let cases = [
        (server([224, 0, 0, 1]), 22, "not a unicast address"),
        (server([10, 0, 0, 9]), 22, "is lo up?"),
        (Op::AddService(key, Service::new("bogus", Family::Inet)), 2, "modprobe ip_vs_bogus"),
        (
            with_engine("rr", "nosuch"),
            2,
            "persistence engine 'nosuch' is unknown or its module cannot be loaded",
        ),
        (with_engine("bogus", "sip"), 2, "scheduler 'bogus' is unknown or its module cannot be loaded"),
        (with_engine("bogus", "nosuch"), 2, "(modprobe ip_vs_bogus), or persistence engine 'nosuch'"),
        (Op::DelService(key), 3, "no such service"),
        (Op::DelServer(key, Endpoint::new([10, 0, 0, 9], 80)), 2, "no such real server"),
        (Op::Flush, 1, "CAP_NET_ADMIN"),
    ];
    for (op, errno, part) in cases {
        let text = explain::explain(&op, errno);
        assert!(text.contains(part), "{op:?} {errno}: {text}");
    }
}

#[test]
fn the_fake_refuses_as_the_kernel_does() {
    let key = ServiceKey::tcp([10, 0, 0, 1], 80);
    let endpoint = Endpoint::new([10, 0, 0, 9], 80);
    let server = Server::new(Forward::Route, 1);
    let add = Op::AddService(key, Service::new("rr", Family::Inet));
    let mut fake = fake::Fake::default();
    let results = fake.apply(&[
        Op::AddServer(key, endpoint, server),
        add.clone(),
        add,
        Op::AddServer(key, endpoint, server),
        Op::AddServer(key, endpoint, server),
        Op::DelServer(key, Endpoint::new([10, 0, 0, 8], 80)),
    ]);
    let errnos: Vec<i32> = results.iter().map(|r| r.as_ref().map_or_else(|e| e.errno, |()| 0)).collect();
    assert_eq!(errnos, [3, 0, 17, 0, 17, 2]);
    assert_eq!(fake.read().map(|t| t.services.len()), Ok(1));
}
