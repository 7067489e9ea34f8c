//! What stands in the table for every flag and every death, as keepalived does it.

use std::net::Ipv4Addr;
use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::conf::At;
use crate::conf::model::{Check, CheckKind, Probe, ServerGroup, Sorry};
use crate::plan::{Op, Scope, diff, step};
use crate::table::{Forward, Protocol, ServiceFlags};

fn at<T>(value: T) -> At<T> {
    At::assumed(value)
}

fn end(last: u8) -> Endpoint {
    Endpoint::new(Ipv4Addr::new(10, 0, 0, last), 80)
}

fn check(to: Endpoint) -> Check {
    let probe = Probe {
        connect_to: at(to),
        bind_addr: None,
        bind_port: None,
        bind_if: None,
        mark: at(0),
        timeout: at(Duration::from_secs(5)),
    };
    Check {
        place: At::assumed(()),
        kind: CheckKind::Tcp,
        probe,
        retry: at(1),
        retry_delay: at(Duration::from_secs(1)),
        interval: at(Duration::from_secs(6)),
        warmup: at(Duration::from_secs(6)),
        alpha: at(false),
        log_all_failures: at(false),
    }
}

fn real(last: u8) -> RealServer {
    RealServer {
        endpoint: at(end(last)),
        written_port: 80,
        weight: at(1),
        forward: at(Forward::Route),
        upper: at(0),
        lower: at(0),
        inhibit_on_failure: at(false),
        alpha: at(false),
        notify_up: None,
        notify_down: None,
        mail: None,
        checks: vec![check(end(last))],
    }
}

/// Two real servers .1 and .2, quorum 1.
fn pair() -> VirtualServer {
    VirtualServer {
        target: at(Target::Addr(end(100))),
        family: Family::Inet,
        mark_family: Family::Inet,
        protocol: at(Protocol::Tcp),
        delay_loop: at(Duration::from_secs(6)),
        scheduler: at("rr".to_owned()),
        flags: at(ServiceFlags::default()),
        forward: at(Forward::Route),
        persistence: None,
        granularity: at(u32::MAX),
        engine: None,
        sorry: None,
        alpha: at(false),
        omega: at(false),
        quorum: at(1),
        hysteresis: at(0),
        quorum_up: None,
        quorum_down: None,
        mail: None,
        ha_suspend: at(false),
        virtualhost: None,
        real_servers: vec![real(1), real(2)],
    }
}

/// The pair with a sorry server .9.
fn sorry(inhibit: bool) -> VirtualServer {
    let sorry = Sorry { endpoint: at(end(9)), forward: at(Forward::Route), inhibit: at(inhibit) };
    VirtualServer { sorry: Some(sorry), ..pair() }
}

fn config(vs: VirtualServer) -> Config {
    Config { virtual_servers: vec![vs], ..Config::default() }
}

/// The servers under the only service.
fn servers(vs: &VirtualServer, health: &ServiceHealth) -> BTreeMap<Endpoint, Server> {
    let keys = [ServiceKey::Addr { protocol: Protocol::Tcp, vip: end(100) }];
    let mut all = entries(vs, health, &keys).map(|(_, entry)| entry.servers);
    all.next().unwrap_or_default()
}

/// What stands in the table: `a`, `b`, `s`, each with its weight unless that is 1.
fn shown(vs: &VirtualServer, health: &ServiceHealth) -> String {
    let name = |e: &Endpoint| match e.to_string().as_str() {
        "10.0.0.1:80" => "a",
        "10.0.0.2:80" => "b",
        "10.0.0.9:80" => "s",
        _ => "?",
    };
    let word = |(e, s): (&Endpoint, &Server)| match s.weight {
        1 => name(e).to_owned(),
        w => format!("{}={w}", name(e)),
    };
    servers(vs, health).iter().map(word).collect::<Vec<_>>().join(" ")
}

/// Direct routing leaves the port of a packet, so that the server's is that of each service; measured with keepalived.
#[test]
fn a_real_servers_port_follows_the_service_unless_it_is_translated() {
    let text = "virtual_server_group g {\n10.0.1.1 80\n10.0.1.1 443\nfwmark 9\n}\n\
                virtual_server group g {\nprotocol TCP\nlb_kind DR\nreal_server 10.0.0.2 8080 {\n}\nreal_server 10.0.0.3 {\n}\n\
                real_server 10.0.0.4 8080 {\nlvs_method NAT\n}\n}\n";
    let (config, _) =
        crate::conf::parse("f", text.as_bytes(), &mut crate::conf::NoFiles, &crate::conf::Env::default());
    let vs = &config.virtual_servers[0];
    let table = table(&config, &Health { services: vec![ServiceHealth::assumed(vs)] });
    let rows: Vec<String> = table
        .services
        .iter()
        .map(|(key, entry)| {
            let servers: Vec<String> = entry.servers.keys().map(ToString::to_string).collect();
            format!("{key}: {}", servers.join(" "))
        })
        .collect();
    assert_eq!(
        rows,
        [
            "-t 10.0.1.1:80: 10.0.0.2:80 10.0.0.3:80 10.0.0.4:8080",
            "-t 10.0.1.1:443: 10.0.0.2:443 10.0.0.3:443 10.0.0.4:8080",
            "-f 9: 10.0.0.2:0 10.0.0.3:0 10.0.0.4:8080",
        ]
    );
    assert_eq!(serving(vs, &keys(&config)[0], &table), Some(vec![true, true, true]));
}

/// The row of a virtual server: at the start, both alive, a dead, both dead, a back.
fn row(vs: &VirtualServer) -> [String; 5] {
    let mut health = ServiceHealth::assumed(vs);
    let start = shown(vs, &health);
    let mut then = |a, b| {
        health.servers[0].up = a;
        health.servers[1].up = b;
        health.settle(vs);
        shown(vs, &health)
    };
    [start, then(true, true), then(false, true), then(false, false), then(true, false)]
}

#[test]
fn the_flags_of_keepalived_one_by_one() {
    let inhibited = || {
        let mut vs = pair();
        vs.real_servers.iter_mut().for_each(|s| s.inhibit_on_failure = at(true));
        vs
    };
    let quorum = |q, h, vs| VirtualServer { quorum: at(q), hysteresis: at(h), ..vs };
    let alpha = |vs| VirtualServer { alpha: at(true), ..vs };
    assert_eq!(row(&pair()), ["a b", "a b", "b", "", "a"]);
    assert_eq!(row(&inhibited()), ["a b", "a b", "a=0 b", "a=0 b=0", "a b=0"]);
    assert_eq!(row(&alpha(pair())), ["", "a b", "b", "", "a"]);
    assert_eq!(row(&sorry(false)), ["a b", "a b", "b", "s", "a"]);
    assert_eq!(row(&sorry(true)), ["a b s=0", "a b s=0", "b s=0", "s", "a s=0"]);
    assert_eq!(row(&quorum(2, 0, sorry(false))), ["a b", "a b", "s", "s", "s"]);
    assert_eq!(row(&quorum(2, 0, pair())), ["a b", "a b", "b", "", "a"]);
    assert_eq!(row(&quorum(2, 1, sorry(false))), ["s", "s", "s", "s", "s"]);
    // A server that lives without a quorum is inhibited, not removed.
    let both = VirtualServer { real_servers: inhibited().real_servers, ..quorum(2, 0, sorry(false)) };
    assert_eq!(row(&both), ["a b", "a b", "a=0 b=0 s", "a=0 b=0 s", "a=0 b=0 s"]);
    assert_eq!(row(&alpha(sorry(false))), ["s", "a b", "b", "s", "a"]);
}

#[test]
fn the_quorum_is_lost_below_and_gained_above_the_hysteresis() {
    let mut vs = VirtualServer { quorum: at(3), hysteresis: at(1), ..pair() };
    vs.real_servers = (1..=5).map(real).collect();
    let mut health = ServiceHealth::assumed(&vs);
    let mut with = |alive: usize| {
        health.servers.iter_mut().enumerate().for_each(|(i, h)| h.up = i < alive);
        health.settle(&vs)
    };
    assert_eq!(
        [5, 3, 2, 1, 2, 3, 4, 2, 0].map(&mut with),
        [None, None, None, Some(false), None, None, Some(true), None, Some(false)]
    );
}

#[test]
fn the_sorry_server_is_in_before_the_live_ones_leave_and_out_after_they_are_back() {
    let removed = VirtualServer { quorum: at(2), ..sorry(false) };
    let mut inhibited = removed.clone();
    inhibited.real_servers.iter_mut().for_each(|s| s.inhibit_on_failure = at(true));
    for vs in [removed, inhibited] {
        let config = config(vs.clone());
        let mut health = Health { services: vec![ServiceHealth::assumed(&vs)] };
        let mut now = table(&config, &health);
        for up in [false, true, false, true] {
            health.services[0].servers[0].up = up;
            health.services[0].settle(&vs);
            for op in diff(&now.clone(), &table(&config, &health), &Scope::wanted()) {
                step(&mut now, &op);
                let serves = |e: &ServiceEntry| e.servers.values().any(|s| s.weight > 0);
                assert!(now.services.values().all(serves), "nobody serves after {op:?}");
            }
        }
    }
}

#[test]
fn weights_come_from_the_file_the_check_the_ramp_and_the_drain_never_from_before() {
    let server = RealServer { weight: at(10), ..real(1) };
    let h = ServerHealth::new(true);
    assert_eq!(h.effective(&server), 10);
    assert_eq!(ServerHealth { share: 250, ..h }.effective(&server), 2);
    assert_eq!(ServerHealth { share: 1, ..h }.effective(&server), 1, "a ramp begins with a connection");
    assert_eq!(ServerHealth { weight: Some(40), share: 500, ..h }.effective(&server), 20);
    assert_eq!(ServerHealth { drained: true, ..h }.effective(&server), 0);
    assert_eq!(h.effective(&RealServer { weight: at(0), ..real(1) }), 0, "0 is kept as 0");
}

#[test]
fn a_drained_server_does_not_count_but_keeps_its_connections_beside_the_sorry_server() {
    let vs = sorry(false);
    let mut health = ServiceHealth::assumed(&vs);
    health.servers[0].drained = true;
    assert_eq!((health.settle(&vs), shown(&vs, &health)), (None, "a=0 b".to_owned()));
    health.servers[1].up = false;
    assert_eq!((health.settle(&vs), shown(&vs, &health)), (Some(false), "a=0 s".to_owned()));
}

#[test]
fn a_dead_server_that_is_kept_stays_with_its_weight() {
    let vs = pair();
    let mut health = ServiceHealth::assumed(&vs);
    health.servers[0] = ServerHealth { kept: true, ..ServerHealth::new(false) };
    assert_eq!(shown(&vs, &health), "a b");
}

#[test]
fn a_server_without_a_check_is_always_in_even_with_alpha() {
    let mut vs = VirtualServer { alpha: at(true), ..pair() };
    vs.real_servers[0].checks.clear();
    assert_eq!(shown(&vs, &ServiceHealth::assumed(&vs)), "a");
}

#[test]
fn a_group_is_many_services_with_the_same_servers() {
    let entries = vec![
        at(GroupEntry::Range {
            first: "10.0.0.100".parse().unwrap(),
            last: "10.0.0.102".parse().unwrap(),
            port: 80,
        }),
        at(GroupEntry::Mark { mark: 7, family: None }),
    ];
    let mut config = config(VirtualServer { target: at(Target::Group("web".to_owned())), ..pair() });
    config.server_groups.push(ServerGroup { name: at("web".to_owned()), entries });
    // A second virtual server on one of the addresses: the first one owns it.
    config.virtual_servers.push(VirtualServer { real_servers: vec![], ..pair() });
    let services = config.virtual_servers.iter().map(ServiceHealth::assumed).collect();
    let table = table(&config, &Health { services });
    let names: Vec<_> = table.services.keys().copied().collect();
    let tcp = |n| ServiceKey::tcp(Ipv4Addr::new(10, 0, 0, n), 80);
    assert_eq!(names, [tcp(100), tcp(101), tcp(102), ServiceKey::Mark { mark: 7, family: Family::Inet }]);
    assert!(table.services.values().all(|e| e.servers.len() == 2));
}

#[test]
fn persistence_brings_its_mask_and_nothing_else_does() {
    let plain = VirtualServer { granularity: at(0xffff_ff00), ..pair() };
    assert_eq!(service(&plain, Family::Inet).netmask, u32::MAX);
    let sticky = VirtualServer { persistence: Some(at(3600)), ..plain };
    assert_eq!(service(&sticky, Family::Inet).netmask, 0xffff_ff00);
    assert_eq!(service(&sticky, Family::Inet6).netmask, 128);
}

#[test]
fn a_group_of_both_families_takes_each_server_where_the_kernel_does() {
    let text = |kind: &str, more: &str| {
        format!(
            "virtual_server_group G {{\nfd00::a0 80\n10.0.0.100 80\nfwmark 11\n}}\nvirtual_server group G {{\n\
             protocol TCP\nlb_kind {kind}\n{more}\nreal_server 10.0.0.1 80 {{\n}}\n}}\n"
        )
    };
    let read = |kind: &str, more: &str| {
        crate::conf::parse("f", text(kind, more).as_bytes(), &mut crate::conf::NoFiles, &Default::default())
    };
    let mark =
        |config: &Config| keys(config)[0].iter().copied().find(|k| matches!(k, ServiceKey::Mark { .. }));
    let (config, findings) = read("DR", "");
    assert_eq!(mark(&config), Some(ServiceKey::Mark { mark: 11, family: Family::Inet }));
    let said: Vec<_> = findings.iter().filter(|d| d.code == "family-differs").collect();
    assert_eq!(said.len(), 1, "{findings:?}");
    assert_eq!((said[0].line(), said[0].related[0].1.place.line), (10, 2));
    let health = Health { services: config.virtual_servers.iter().map(ServiceHealth::assumed).collect() };
    let made = table(&config, &health);
    let stands = |key: &ServiceKey| made.services[key].servers.len() == 1;
    assert_eq!(keys(&config)[0].iter().map(stands).collect::<Vec<_>>(), [false, true, true]);
    assert_eq!(serving(&config.virtual_servers[0], &keys(&config)[0], &made), Some(vec![true]));

    let (config, findings) = read("TUN", "ip_family inet6");
    assert_eq!(mark(&config), Some(ServiceKey::Mark { mark: 11, family: Family::Inet6 }));
    assert!(!findings.iter().any(|d| d.code == "family-differs"), "{findings:?}");
}

#[test]
fn a_table_tells_which_servers_served() {
    let mut vs = pair();
    vs.real_servers[1].inhibit_on_failure = at(true);
    let keys = [ServiceKey::tcp(Ipv4Addr::new(10, 0, 0, 100), 80)];
    let of = |servers: &[(u8, u32)]| {
        let servers = servers.iter().map(|(n, w)| (end(*n), Server::new(Forward::Route, *w))).collect();
        let entry = ServiceEntry { service: Service::new("rr", Family::Inet), servers };
        Table { services: [(keys[0], entry)].into() }
    };
    assert_eq!(serving(&vs, &keys, &Table::default()), None);
    assert_eq!(serving(&vs, &keys, &of(&[])), Some(vec![false, false]));
    assert_eq!(serving(&vs, &keys, &of(&[(1, 1), (2, 0)])), Some(vec![true, false]));
    assert_eq!(serving(&vs, &keys, &of(&[(1, 0), (2, 1)])), Some(vec![true, true]));
}

fn health(n: usize) -> impl Strategy<Value = Vec<(bool, bool, u16)>> {
    proptest::collection::vec((any::<bool>(), any::<bool>(), 0u16..1200), n)
}

proptest! {
    /// Whatever happens, with a sorry server or a live server of weight, somebody serves; and a dead server that
    /// is not kept never has weight.
    #[test]
    fn somebody_serves_and_the_dead_do_not(
        quorum in 1u32..4, hysteresis in 0u32..2, with_sorry in any::<bool>(), inhibit in any::<bool>(),
        weights in proptest::collection::vec(0u32..3, 3),
        rounds in proptest::collection::vec(health(3), 1..20),
    ) {
        let base = if with_sorry { sorry(false) } else { pair() };
        let mut vs = VirtualServer { quorum: at(quorum), hysteresis: at(hysteresis), ..base };
        vs.real_servers = (1..=3).map(|n| RealServer {
            weight: at(weights[usize::from(n) - 1]), inhibit_on_failure: at(inhibit), ..real(n)
        }).collect();
        let mut health = ServiceHealth::assumed(&vs);
        for round in rounds {
            for (h, (up, drained, share)) in health.servers.iter_mut().zip(round) {
                *h = ServerHealth { drained, share, ..ServerHealth::new(up) };
            }
            health.settle(&vs);
            let servers = servers(&vs, &health);
            let live: u64 = health.servers.iter().zip(&vs.real_servers).map(|(h, s)| h.counted(s)).sum();
            if with_sorry || live > 0 {
                prop_assert!(servers.values().any(|s| s.weight > 0), "{servers:?}");
            }
            for (h, s) in health.servers.iter().zip(&vs.real_servers) {
                let weight = servers.get(&s.endpoint).map_or(0, |s| s.weight);
                prop_assert!(h.up || weight == 0);
                prop_assert!(weight <= *s.weight);
            }
        }
    }

    /// The kernel takes every step from one state of health to another.
    #[test]
    fn every_change_can_be_done(a in health(2), b in health(2), inhibit in any::<bool>()) {
        let config = config(sorry(inhibit));
        let of = |h: &[(bool, bool, u16)]| {
            let each = |(up, drained, share): &(bool, bool, u16)| {
                ServerHealth { drained: *drained, share: *share, ..ServerHealth::new(*up) }
            };
            let mut s = ServiceHealth { quorum: false, servers: h.iter().map(each).collect() };
            s.settle(&config.virtual_servers[0]);
            table(&config, &Health { services: vec![s] })
        };
        let (mut now, want) = (of(&a), of(&b));
        for op in diff(&now.clone(), &want, &Scope::wanted()) {
            prop_assert!(step(&mut now, &op));
            prop_assert!(!matches!(op, Op::DelService(_) | Op::AddService(..)));
        }
        prop_assert_eq!(now, want);
    }
}
