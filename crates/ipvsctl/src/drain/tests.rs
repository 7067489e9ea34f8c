use lvs_core::addr::Family;
use lvs_core::ipvs::{ServiceState, Stats};
use lvs_core::table::{Forward, Server, Service, ServiceFlags};
use lvs_core::time::Time;
use proptest::prelude::*;

use super::record::Record;
use super::watch::Counts;
use super::*;
use crate::snapshot::Entry;

const SECOND: Duration = Duration::from_secs(1);

fn state(endpoint: &str, weight: u32, [active, inactive, persistent]: [u32; 3]) -> ServerState {
    let server = Server { upper: 50, lower: 40, ..Server::new(Forward::Route, weight) };
    let endpoint = endpoint.parse().unwrap();
    ServerState { endpoint, server, active, inactive, persistent, stats: Stats::default() }
}

fn key(port: u16) -> ServiceKey {
    ServiceKey::tcp([192, 168, 15, 111], port)
}

fn entry(port: u16, servers: Vec<ServerState>) -> Entry {
    let service = Service { persistence: Some(3600), ..Service::new("rr", Family::Inet) };
    Entry { service: ServiceState { key: key(port), service, stats: Stats::default() }, servers }
}

fn cluster() -> Vec<Entry> {
    let both = |port| ["102", "103"].map(|n| state(&format!("192.168.15.{n}:{port}"), 5, [3, 2, 1])).into();
    vec![entry(443, both(443)), entry(7885, both(7885))]
}

fn real(text: &str) -> RealServer {
    text.parse().unwrap()
}

fn watch(targets: Vec<Target>, timeout: Option<Duration>) -> Watch {
    Watch::new(targets, Rules { timeout, skip_inactive: false }, Time::ZERO)
}

fn one() -> Vec<Target> {
    plan::targets(&cluster(), Some(key(7885)), real("192.168.15.102")).unwrap()
}

fn shown(targets: &[Target]) -> Vec<String> {
    targets.iter().map(ToString::to_string).collect()
}

#[test]
fn a_server_is_found_by_service_and_port_or_everywhere() {
    let all = cluster();
    assert_eq!(shown(&one()), ["192.168.15.102:7885 of -t 192.168.15.111:7885"]);
    let everywhere = plan::targets(&all, None, real("192.168.15.103")).unwrap();
    assert_eq!(
        shown(&everywhere),
        ["192.168.15.103:443 of -t 192.168.15.111:443", "192.168.15.103:7885 of -t 192.168.15.111:7885"]
    );
    let one_port = plan::targets(&all, None, real("192.168.15.103:443")).unwrap();
    assert_eq!(one_port.len(), 1);
}

#[test]
fn what_is_missing_is_named() {
    let all = cluster();
    let refusal = |service, server| plan::targets(&all, service, real(server)).unwrap_err();
    assert!(refusal(Some(key(1)), "192.168.15.102").contains("no such service"));
    assert!(refusal(Some(key(443)), "192.168.15.9").contains("has no real server 192.168.15.9"));
    assert!(refusal(None, "192.168.15.102:80").contains("no service has a real server 192.168.15.102:80"));
}

#[test]
fn only_the_weight_changes() {
    let target = &one()[0];
    assert_eq!(
        target.weigh(0).to_string(),
        "-e -t 192.168.15.111:7885 -r 192.168.15.102:7885 -g -w 0 -x 50 -y 40"
    );
    assert_eq!(target.remove().to_string(), "-d -t 192.168.15.111:7885 -r 192.168.15.102:7885");
}

#[test]
fn undo_restores_only_what_a_drain_has_taken() {
    let busy = one()[0].clone();
    let drained = Target { server: Server { weight: 0, ..busy.server }, ..busy.clone() };
    let record = Record::of(&busy);
    assert_eq!(plan::undo(&drained, Some(&record)), Undo::Restore(5));
    assert_eq!(plan::undo(&drained, None), Undo::Unknown);
    assert_eq!(plan::undo(&busy, Some(&record)), Undo::NotDrained(5));
}

#[test]
fn undo_leaves_a_server_alone_that_was_added_anew() {
    let busy = Target { connections: 7, ..one()[0].clone() };
    let record = Record::of(&busy);
    let now = |connections, forward| Target {
        connections,
        server: Server { weight: 0, forward, ..busy.server },
        ..busy.clone()
    };
    assert_eq!(plan::undo(&now(9, Forward::Route), Some(&record)), Undo::Restore(5));
    assert_eq!(plan::undo(&now(0, Forward::Route), Some(&record)), Undo::Another(5));
    assert_eq!(plan::undo(&now(9, Forward::Masq), Some(&record)), Undo::Another(5));
}

fn look(watch: &Watch, weight: u32, counts: [u32; 3], seconds: u32) -> Look {
    let servers = [(key(7885), state("192.168.15.102:7885", weight, counts))];
    watch.look(&servers, Time::ZERO + SECOND * seconds)
}

#[test]
fn a_drain_ends_when_nothing_is_left() {
    let w = watch(one(), None);
    let left = |active, inactive, persistent| Counts { active, inactive, persistent };
    assert_eq!(look(&w, 0, [3, 0, 0], 1), Look::Left(left(3, 0, 0)));
    // A client that persistence binds comes back to this server.
    assert_eq!(look(&w, 0, [0, 0, 1], 2), Look::Left(left(0, 0, 1)));
    // The director forgets a connection that is being closed with its server; its last packets would be lost.
    assert_eq!(look(&w, 0, [0, 4, 0], 3), Look::Left(left(0, 4, 0)));
    assert_eq!(look(&w, 0, [0, 0, 0], 4), Look::Drained(left(0, 0, 0)));
    let hasty = Watch::new(one(), Rules { timeout: None, skip_inactive: true }, Time::ZERO);
    assert_eq!(look(&hasty, 0, [0, 4, 0], 3), Look::Drained(left(0, 4, 0)));
    assert!(matches!(look(&hasty, 0, [0, 0, 1], 3), Look::Left(_)));
}

#[test]
fn patience_ends_at_the_timeout_and_not_before() {
    let w = watch(one(), Some(SECOND * 10));
    assert!(matches!(look(&w, 0, [1, 0, 0], 9), Look::Left(_)));
    assert!(matches!(look(&w, 0, [1, 0, 0], 10), Look::TimedOut(_)));
    // Drained at the last moment is drained.
    assert!(matches!(look(&w, 0, [0, 0, 0], 10), Look::Drained(_)));
}

#[test]
fn somebody_else_at_work_ends_the_drain() {
    let w = watch(one(), None);
    let Look::Disturbed(_, what) = look(&w, 5, [0, 0, 0], 1) else { panic!("not noticed") };
    assert_eq!(what, Disturbance::Weight(5));
    let Look::Disturbed(target, what) = w.look(&[], Time::ZERO) else { panic!("not noticed") };
    assert_eq!(what, Disturbance::Removed);
    assert!(view::disturbed(&target, what).contains("somebody else removed it"));
}

#[test]
fn a_file_gets_a_line_for_each_change_and_one_a_minute() {
    let (w, mut view) = (watch(one(), Some(SECOND * 600)), View::new(false));
    let mut at = |seconds: u32, active| {
        let left = Counts { active, ..Counts::default() };
        view.show(&w, left, Time::ZERO + SECOND * seconds)
    };
    assert_eq!(
        at(0, 3).as_deref(),
        Some("3 left: 3 active, 0 inactive, 0 persistent; 0:00, gives up at 10:00\n")
    );
    assert_eq!(at(1, 3), None);
    assert!(at(2, 2).is_some());
    assert_eq!(at(61, 2), None);
    assert!(at(62, 2).is_some());
}

#[test]
fn a_terminal_gets_a_bar() {
    let (w, mut view) = (watch(one(), None), View::new(true));
    let mut at = |active| view.show(&w, Counts { active, ..Counts::default() }, Time::ZERO + SECOND);
    let full = at(4).unwrap();
    assert_eq!(
        full,
        format!("\r[{}] 4 left: 4 active, 0 inactive, 0 persistent; 0:01\x1b[K", ".".repeat(20))
    );
    assert!(at(2).unwrap().contains(&format!("[{}{}]", "#".repeat(10), ".".repeat(10))));
    // Clients that come back do not make the bar run backwards past its beginning.
    assert!(at(9).unwrap().contains(&format!("[{}]", ".".repeat(20))));
}

#[test]
fn who_is_stopped_says_the_state_and_the_way_back() {
    let w = watch(one(), None);
    let left = Counts { active: 3, inactive: 0, persistent: 1 };
    let text = view::left_behind(&w, "ended by SIGINT", left, |_| Some(5));
    for part in [
        "3 active, 0 inactive, 1 persistent",
        "stays at weight 0",
        "ipvsctl drain -t 192.168.15.111:7885 -r 192.168.15.102:7885 --undo",
        "ipvsctl -d -t 192.168.15.111:7885 -r 192.168.15.102:7885",
    ] {
        assert!(text.contains(part), "{part} is not in {text}");
    }
}

#[test]
fn persistence_that_brings_clients_back_is_mentioned() {
    assert!(view::opening(&one(), false).contains("expire_quiescent_template"));
    assert_eq!(view::opening(&one(), true), format!("draining {}: weight 5 -> 0\n", one()[0]));
}

#[test]
fn a_scheduler_that_refuses_clients_is_mentioned() {
    let with = |scheduler: &str, flags| {
        let mut all = cluster();
        (all[1].service.service.scheduler, all[1].service.service.flags) = (scheduler.to_owned(), flags);
        view::opening(&plan::targets(&all, Some(key(7885)), real("192.168.15.102")).unwrap(), true)
    };
    assert!(with("sh", ServiceFlags::default()).contains("-b sh-fallback"));
    assert!(!with("sh", ServiceFlags::SCHED_1).contains("fallback"));
    assert!(!with("rr", ServiceFlags::default()).contains("fallback"));
}

#[test]
fn weights_are_remembered_until_they_are_forgotten() {
    let folder = std::env::temp_dir().join(format!("ipvsctl-drain-{}", std::process::id()));
    let records = Records::below(&folder, "net-1");
    let target = &one()[0];
    assert_eq!(records.get(target).unwrap(), None);
    records.keep(target).unwrap();
    assert_eq!(records.get(target).unwrap().map(|r| r.weight), Some(5));
    // A second drain of a server at weight 0 must not forget the first one's weight.
    records.keep(&Target { server: Server { weight: 0, ..target.server }, ..target.clone() }).unwrap();
    assert_eq!(records.get(target).unwrap().map(|r| r.weight), Some(5));
    assert!(records.forget(&target.key, target.endpoint).unwrap());
    assert!(!records.forget(&target.key, target.endpoint).unwrap());
    assert_eq!(records.get(target).unwrap(), None);
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn what_changes_a_server_forgets_its_drain() {
    let folder = std::env::temp_dir().join(format!("ipvsctl-after-{}", std::process::id()));
    let records = Records::below(&folder, "net-1");
    let target = &one()[0];
    let (key, server) = (target.key, target.endpoint);
    assert_eq!(records.after(&[Op::Flush]).unwrap(), [], "nothing was ever drained");
    for (op, back) in [
        (target.weigh(7), true),
        (Op::DelServer(key, server), false),
        (Op::AddServer(key, server, target.server), false),
        (Op::DelService(key), false),
        (Op::Flush, false),
    ] {
        records.keep(target).unwrap();
        assert_eq!(records.after(&[target.weigh(0), Op::DelService(self::key(78))]).unwrap(), []);
        assert!(records.get(target).unwrap().is_some());
        assert_eq!(records.after(std::slice::from_ref(&op)).unwrap().len(), usize::from(back), "{op}");
        assert_eq!(records.get(target).unwrap(), None, "{op}");
    }
    std::fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn the_program_that_keeps_the_table_is_named() {
    let server = real("192.168.15.102");
    assert!(taken("tcpcheck (process 7)", server).contains("tcpcheck drain 192.168.15.102"));
    let other = taken("ipvsctl apply (process 8)", server);
    assert!(other.starts_with("ipvsctl apply (process 8) keeps") && !other.contains("tcpcheck"), "{other}");
}

proptest! {
    #[test]
    fn the_bar_fits_an_80_column_terminal(counts in any::<[u32; 3]>(), later in any::<[u32; 3]>(), s in 0u32..9_000_000) {
        let (w, mut view) = (watch(one(), Some(SECOND * 9_000_000)), View::new(true));
        for [active, inactive, persistent] in [counts, later] {
            let left = Counts { active: active.into(), inactive: inactive.into(), persistent: persistent.into() };
            let text = view.show(&w, left, Time::ZERO + SECOND * s).unwrap();
            let line = text.trim_start_matches('\r').trim_end_matches("\x1b[K");
            prop_assert!(line.len() < 80, "{}", line);
        }
    }
}
