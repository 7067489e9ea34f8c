//! The watch without sockets: configurations as text, outcomes by hand, a clock of our own.

use std::time::Duration;

use lvs_core::addr::Endpoint;
use lvs_core::conf::{Env, NoFiles, Severity, parse};
use lvs_core::plan::{Scope, diff, step};
use lvs_core::table::{Server as Entry, Table};

use super::*;
use crate::outcome::Reason;
use crate::schedule::Hold;
use crate::status::Status;

fn config(text: &str) -> Config {
    let (config, findings) = parse("test.conf", text.as_bytes(), &mut NoFiles, &Env::default());
    let errors: Vec<_> = findings.iter().filter(|d| d.severity == Severity::Error).collect();
    assert!(errors.is_empty(), "{errors:?}");
    config
}

fn server(addr: &str, more: &str) -> String {
    let check = "TCP_CHECK { \n connect_timeout 5 \n retry 1 \n delay_before_retry 1 \n }";
    format!("real_server {addr} {{ \n weight 1 \n {more} \n {check} \n }}")
}

fn service(vip: &str, more: &str, servers: &[String]) -> String {
    let head = "delay_loop 6 \n lb_algo rr \n lb_kind DR \n protocol TCP";
    format!("virtual_server {vip} {{ \n {head} \n {more} \n {} \n }}\n", servers.join("\n"))
}

fn pair(more: &str) -> String {
    service("10.0.0.100 80", more, &[server("10.0.0.1 80", ""), server("10.0.0.2 80", "")])
}

/// A monitor with the table that it keeps.
struct Bench {
    monitor: Monitor,
    table: Table,
    now: Time,
    said: Vec<String>,
}

impl Bench {
    fn start(text: &str, found: &Table, options: Options) -> Self {
        let remembered = Remembered::default();
        let (monitor, _) = Monitor::start(config(text), options, remembered, found, 1, Time::ZERO);
        let mut bench = Self { monitor, table: found.clone(), now: Time::ZERO, said: Vec::new() };
        bench.flush();
        bench
    }

    fn new(text: &str) -> Self {
        Self::start(text, &Table::default(), Options::default())
    }

    fn flush(&mut self) {
        if let Some((want, gone)) = self.monitor.settle() {
            let keys = want.services.keys().chain(&gone);
            let now = keys.filter_map(|k| self.table.services.get(k).map(|e| (*k, e.clone()))).collect();
            for op in diff(&Table { services: now }, &want, &Scope::Services(gone.clone())) {
                assert!(step(&mut self.table, &op), "refused: {op}");
            }
        }
        self.said.extend(self.monitor.take_changes().iter().map(ToString::to_string));
    }

    /// All checks of a host have these outcomes, one a second.
    fn outcomes(&mut self, host: &str, outcomes: &[Outcome]) {
        let checks: Vec<_> = (0..).take_while(|n| self.monitor.check(*n).is_some()).collect();
        for outcome in outcomes {
            self.now = self.now + Duration::from_secs(1);
            for n in &checks {
                let task = self.monitor.check(*n).unwrap().identity.task.to_string();
                if task.contains(&format!("{host}:")) {
                    self.monitor.observe(*n, outcome.clone(), self.now);
                }
            }
        }
        self.flush();
    }

    fn die(&mut self, host: &str) {
        self.outcomes(host, &[fail(), fail()]);
    }

    fn live(&mut self, host: &str) {
        self.outcomes(host, &[pass()]);
    }

    /// The servers of a service: the last part of each address, and its weight unless that is 1.
    fn servers(&self, port: u16) -> String {
        let key = ServiceKey::tcp(std::net::Ipv4Addr::new(10, 0, 0, 100), port);
        let Some(entry) = self.table.services.get(&key) else { return "no service".to_owned() };
        let word = |(e, s): (&Endpoint, &Entry)| {
            let name = e.addr.to_string().rsplit('.').next().unwrap().to_owned();
            if s.weight == 1 { name } else { format!("{name}={}", s.weight) }
        };
        entry.servers.iter().map(word).collect::<Vec<_>>().join(" ")
    }

    fn reload(&mut self, text: &str) {
        self.monitor.reload(config(text), 2, self.now);
        self.flush();
    }
}

fn pass() -> Outcome {
    Outcome::pass(Duration::from_millis(1))
}

fn fail() -> Outcome {
    Outcome::Fail(Reason::Refused)
}

#[test]
fn a_server_dies_and_comes_back() {
    let mut b = Bench::new(&pair(""));
    assert_eq!(b.servers(80), "1 2");
    b.live("10.0.0.1");
    b.outcomes("10.0.0.1", &[fail()]);
    assert_eq!(b.servers(80), "1 2", "it has a retry");
    b.outcomes("10.0.0.1", &[fail()]);
    assert_eq!(b.servers(80), "2");
    b.live("10.0.0.1");
    assert_eq!(b.servers(80), "1 2");
    assert_eq!(
        b.said,
        [
            "10.0.0.100:80: quorum gained",
            "10.0.0.100:80: real server 10.0.0.1:80 is down: connection refused",
            "10.0.0.100:80: real server 10.0.0.1:80 is up",
        ]
    );
}

#[test]
fn one_check_serves_every_service_that_shares_the_server() {
    let text = [80, 81].map(|p| {
        let check = "TCP_CHECK { \n connect_port 9 \n }";
        service(&format!("10.0.0.100 {p}"), "", &[format!("real_server 10.0.0.1 {p} {{ \n {check} \n }}")])
    });
    let mut b = Bench::new(&text.concat());
    assert_eq!(b.monitor.checks().count(), 1);
    b.die("10.0.0.1");
    assert_eq!((b.servers(80).as_str(), b.servers(81).as_str()), ("", ""));
    b.live("10.0.0.1");
    assert_eq!((b.servers(80).as_str(), b.servers(81).as_str()), ("1", "1"));
}

#[test]
fn a_server_with_two_checks_needs_both() {
    let two =
        "TCP_CHECK { \n connect_port 81 \n retry 1 \n }\n TCP_CHECK { \n connect_port 82 \n retry 1 \n }";
    let text = service("10.0.0.100 80", "", &[format!("real_server 10.0.0.1 80 {{ \n {two} \n }}")]);
    let mut b = Bench::new(&text);
    assert_eq!(b.monitor.checks().count(), 2);
    for outcome in [pass(), fail(), fail()] {
        b.monitor.observe(1, outcome, b.now);
    }
    b.flush();
    assert_eq!(b.servers(80), "");
    b.monitor.observe(0, pass(), b.now);
    b.flush();
    assert_eq!(b.servers(80), "");
    b.monitor.observe(1, pass(), b.now);
    b.flush();
    assert_eq!(b.servers(80), "1");
}

#[test]
fn a_restart_moves_nothing() {
    for flags in ["", "alpha", "quorum 2 \n hysteresis 1"] {
        let mut before = Bench::new(&pair(flags));
        before.live("10.0.0.1");
        before.live("10.0.0.2");
        before.die("10.0.0.2");
        let after = Bench::start(&pair(flags), &before.table, Options::default());
        assert_eq!(after.table, before.table, "{flags}");
        assert_eq!(after.said, Vec::<String>::new(), "{flags}");
    }
}

#[test]
fn a_dead_server_of_a_restart_returns_with_its_first_good_try() {
    let mut before = Bench::new(&pair(""));
    before.die("10.0.0.2");
    let mut after = Bench::start(&pair(""), &before.table, Options::default());
    assert_eq!(after.servers(80), "1");
    after.live("10.0.0.2");
    assert_eq!(after.servers(80), "1 2");
}

#[test]
fn a_reload_keeps_states_changes_weights_in_place_and_shows_new_servers_at_once() {
    let mut b = Bench::new(&pair(""));
    b.live("10.0.0.1");
    b.die("10.0.0.2");
    let three = [
        server("10.0.0.3 80", ""),
        server("10.0.0.1 80", "").replace("weight 1", "weight 5"),
        server("10.0.0.2 80", ""),
    ];
    b.reload(&service("10.0.0.100 80", "", &three));
    assert_eq!(b.servers(80), "1=5 3");
    b.live("10.0.0.2");
    assert_eq!(b.servers(80), "1=5 2 3");
    // The new server has not passed yet: its first failure is enough.
    b.outcomes("10.0.0.3", &[fail()]);
    assert_eq!(b.servers(80), "1=5 2");
    // Another schedule is the same check: what is known stays.
    b.reload(&service("10.0.0.100 80", "", &three).replace("delay_loop 6", "delay_loop 2"));
    assert_eq!(b.servers(80), "1=5 2");
    // A check to another port is a new one; the server's state stays until it knows better.
    b.reload(&service("10.0.0.100 80", "", &three).replace("retry 1", "retry 1 \n connect_port 99"));
    assert_eq!(b.servers(80), "1=5 2");
}

#[test]
fn a_reload_removes_what_left_the_file_and_nothing_else() {
    let other = pair("").replace("10.0.0.100 80", "10.0.0.100 81");
    let mut b = Bench::new(&(pair("") + &other));
    let foreign = ServiceKey::tcp(std::net::Ipv4Addr::new(9, 9, 9, 9), 9);
    let entry = b.table.services.values().next().unwrap().clone();
    b.table.services.insert(foreign, entry);
    b.reload(&other);
    assert_eq!((b.servers(80).as_str(), b.servers(81).as_str()), ("no service", "1 2"));
    assert!(b.table.services.contains_key(&foreign));
}

#[test]
fn a_service_that_left_the_file_while_nobody_watched_is_removed_at_the_start() {
    let old = Bench::new(&pair(""));
    let owned = old.monitor.all_keys().collect();
    let new = pair("").replace("10.0.0.100 80", "10.0.0.100 81");
    let remembered = Remembered { owned, ..Remembered::default() };
    let options = Options::default();
    let (monitor, _) = Monitor::start(config(&new), options, remembered, &old.table, 1, Time::ZERO);
    let mut b = Bench { monitor, table: old.table, now: Time::ZERO, said: Vec::new() };
    b.flush();
    assert_eq!((b.servers(80).as_str(), b.servers(81).as_str()), ("no service", "1 2"));
}

#[test]
fn the_services_of_a_block_with_errors_stay_until_the_file_is_mended() {
    let other = pair("").replace("10.0.0.100 80", "10.0.0.100 81");
    let broken = other.replace("real_server 10.0.0.1 80", "real_server x 80");
    let start = |text: &str, old: &Bench| {
        let (config, _) = parse("test.conf", text.as_bytes(), &mut NoFiles, &Env::default());
        let remembered = Remembered { owned: old.monitor.owned().collect(), ..Remembered::default() };
        let (monitor, _) = Monitor::start(config, Options::default(), remembered, &old.table, 1, Time::ZERO);
        let mut b = Bench { monitor, table: old.table.clone(), now: Time::ZERO, said: Vec::new() };
        b.flush();
        b
    };
    let old = Bench::new(&(pair("") + &other));
    // Twice: what it owns must outlive a start without the block.
    let first = start(&(pair("") + &broken), &old);
    let mut b = start(&(pair("") + &broken), &first);
    assert_eq!((b.servers(80).as_str(), b.servers(81).as_str()), ("1 2", "1 2"));
    assert_eq!(b.monitor.all_keys().count(), 1);
    b.reload(&pair(""));
    assert_eq!((b.servers(80).as_str(), b.servers(81).as_str()), ("1 2", "no service"));
    // Which service a block without an address is, nobody knows; all others could be it.
    let b = start(&(broken.replace("10.0.0.100 81", "10.0.0.x 81") + &pair("")), &old);
    assert_eq!((b.servers(80).as_str(), b.servers(81).as_str()), ("1 2", "1 2"));
}

#[test]
fn the_quorum_is_told_at_the_start_and_once_each_way() {
    let mut b = Bench::new(&pair("quorum 2 \n sorry_server 10.0.0.9 80"));
    b.die("10.0.0.1");
    b.die("10.0.0.2");
    assert_eq!(b.servers(80), "9");
    b.live("10.0.0.1");
    b.live("10.0.0.2");
    assert_eq!(b.servers(80), "1 2");
    let quorum: Vec<_> = b.said.iter().filter(|s| s.contains("quorum")).collect();
    assert_eq!(
        quorum,
        [
            "10.0.0.100:80: quorum gained",
            "10.0.0.100:80: quorum lost: the sorry server takes over",
            "10.0.0.100:80: quorum gained",
        ]
    );
}

#[test]
fn a_drained_server_has_no_new_connections_dies_and_returns() {
    let mut b = Bench::new(&pair(""));
    b.monitor.drain(Drains::parse("10.0.0.1").0);
    b.flush();
    assert_eq!(b.servers(80), "1=0 2");
    b.die("10.0.0.1");
    assert_eq!(b.servers(80), "2");
    b.live("10.0.0.1");
    assert_eq!(b.servers(80), "1=0 2");
    b.reload(&pair(""));
    assert_eq!(b.servers(80), "1=0 2", "a reload does not give it back");
    b.monitor.drain(Drains::default());
    b.flush();
    assert_eq!(b.servers(80), "1 2");
}

#[test]
fn the_brake_keeps_the_last_to_die_and_says_so() {
    let four: Vec<_> = (1..=4).map(|n| server(&format!("10.0.0.{n} 80"), "")).collect();
    let options = Options { brake_percent: Some(50), ..Options::default() };
    let mut b = Bench::start(&service("10.0.0.100 80", "", &four), &Table::default(), options);
    for host in ["10.0.0.3", "10.0.0.1", "10.0.0.4", "10.0.0.2"] {
        b.die(host);
    }
    assert_eq!(b.servers(80), "2 4");
    let told = b.said.len();
    b.reload(&service("10.0.0.100 80", "", &four));
    assert_eq!((b.servers(80).as_str(), &b.said[told..]), ("2 4", &[][..]), "a reload is no news");
    b.live("10.0.0.3");
    assert_eq!(b.servers(80), "2 3", "the brake moves on to the next that died");
    b.live("10.0.0.1");
    assert_eq!(b.servers(80), "1 3");
    assert!(b.said.iter().any(|s| s.contains("BRAKE") && s.contains("2 of them stay")), "{:?}", b.said);
    assert!(b.said.last().unwrap().contains("brake released"), "{:?}", b.said);
}

#[test]
fn where_the_sorry_server_serves_the_brake_holds_nobody() {
    let options = Options { brake_percent: Some(25), ..Options::default() };
    let four: Vec<_> = (1..=4).map(|n| server(&format!("10.0.0.{n} 80"), "")).collect();
    let text = service("10.0.0.100 80", "sorry_server 10.0.0.9 80", &four);
    let mut b = Bench::start(&text, &Table::default(), options);
    let kept = |b: &Bench| b.monitor.health().services[0].servers.iter().filter(|s| s.kept).count();
    for (host, table, held) in [("10.0.0.1", "2 3 4", 0), ("10.0.0.2", "2 3 4", 1), ("10.0.0.3", "2 3 4", 2)]
    {
        b.die(host);
        assert_eq!((b.servers(80).as_str(), kept(&b)), (table, held));
    }
    b.die("10.0.0.4");
    assert_eq!((b.servers(80).as_str(), kept(&b)), ("9", 0));
    let last = &b.said[b.said.len() - 2..];
    assert!(
        last[0].ends_with("the sorry server takes over") && last[1].contains("brake released"),
        "{last:?}"
    );
    b.live("10.0.0.4");
    assert_eq!((b.servers(80).as_str(), kept(&b)), ("4", 0), "those that went stay out");
}

#[test]
fn the_brake_adds_no_dead_server_that_the_table_does_not_have() {
    let four: Vec<_> = (1..=4).map(|n| server(&format!("10.0.0.{n} 80"), "")).collect();
    let text = service("10.0.0.100 80", "", &four);
    let options = Options { brake_percent: Some(50), ..Options::default() };
    let mut before = Bench::new(&text);
    ["10.0.0.1", "10.0.0.2", "10.0.0.3"].iter().for_each(|host| before.die(host));
    assert_eq!(before.servers(80), "4");
    let mut b = Bench::start(&text, &before.table, options);
    assert_eq!(b.servers(80), "4");
    assert!(!b.said.iter().any(|s| s.contains("BRAKE")), "{:?}", b.said);
    b.die("10.0.0.4");
    assert_eq!(b.servers(80), "4", "too many have gone already");
    b.reload(&text);
    assert_eq!(b.servers(80), "4", "a reload adds none either");
    let alpha = text.replace("protocol TCP", "protocol TCP \n alpha");
    assert_eq!(
        Bench::start(&alpha, &Table::default(), options).servers(80),
        "",
        "unproven ones are not added"
    );
}

#[test]
fn the_brake_keeps_what_is_in_a_table_that_was_found() {
    let four: Vec<_> = (1..=4).map(|n| server(&format!("10.0.0.{n} 80"), "")).collect();
    let text = service("10.0.0.100 80", "", &four);
    let options = Options { brake_percent: Some(50), ..Options::default() };
    let mut b = Bench::start(&text, &Bench::new(&text).table, options);
    (1..=4).for_each(|n| b.die(&format!("10.0.0.{n}")));
    assert_eq!(b.servers(80), "3 4");
}

#[test]
fn a_server_that_is_held_down_is_said_to_be() {
    let hold = Some(Hold { base: Duration::from_secs(6), most: Duration::from_secs(60) });
    let options = Options { hold, ..Options::default() };
    let mut b = Bench::start(&pair(""), &Table::default(), options);
    b.die("10.0.0.1");
    b.live("10.0.0.1");
    b.die("10.0.0.1");
    b.outcomes("10.0.0.1", &[pass(), pass()]);
    assert_eq!(b.servers(80), "2");
    let held = "10.0.0.100:80: real server 10.0.0.1:80 answers again: held down for 6 s more";
    assert_eq!(b.said.iter().filter(|s| s.contains("held")).collect::<Vec<_>>(), [held]);
    let status = Status::of(&b.monitor, 0, 0, b.now);
    let check = &status.services[0].servers[0].checks[0];
    assert_eq!((check.up, check.held_down), (false, Some(5.0)));
    assert!(status.text().contains("last: 1.000 ms, held down for 5 s more\n"), "{}", status.text());
    b.outcomes("10.0.0.1", &[pass(), pass(), pass(), pass(), pass()]);
    assert_eq!(b.servers(80), "1 2");
    let status = Status::of(&b.monitor, 0, 0, b.now);
    assert_eq!(status.services[0].servers[0].checks[0].held_down, None);
}

#[test]
fn a_server_that_returns_gets_its_weight_bit_by_bit() {
    let text = pair("").replace("weight 1", "weight 100");
    let options = Options { slow_start: Some(Duration::from_secs(10)), ..Options::default() };
    let mut b = Bench::start(&text, &Table::default(), options);
    assert_eq!(b.servers(80), "1=100 2=100", "the first start is not slow");
    b.die("10.0.0.1");
    b.live("10.0.0.1");
    assert_eq!(b.servers(80), "1 2=100");
    let mut weights = Vec::new();
    while let Some(when) = b.monitor.deadline() {
        b.monitor.tick(when);
        b.flush();
        weights.push(b.servers(80).split([' ', '=']).nth(1).unwrap().parse::<u32>().unwrap());
        if weights.len() == 20 {
            b.reload(&text);
            assert!(b.servers(80).starts_with("1=5"), "a reload does not end the ramp: {}", b.servers(80));
        }
    }
    assert!(weights.is_sorted());
    assert_eq!((weights.len(), weights.last()), (40, Some(&100)));
}

#[test]
fn a_dead_server_is_said_to_be_drained_too() {
    let mut b = Bench::new(&pair(""));
    b.monitor.drain(Drains::parse("10.0.0.1").0);
    b.die("10.0.0.1");
    let text = Status::of(&b.monitor, 0, 0, b.now).text();
    assert!(text.contains(" DOWN, drained weight 0 "), "{text}");
}

#[test]
fn a_restart_does_not_end_a_slow_start() {
    let text = pair("").replace("weight 1", "weight 100");
    let options = Options { slow_start: Some(Duration::from_secs(10)), ..Options::default() };
    let mut b = Bench::start(&text, &Table::default(), options);
    b.die("10.0.0.1");
    b.live("10.0.0.1");
    b.monitor.tick(b.now + Duration::from_secs(3));
    b.flush();
    assert_eq!(b.servers(80), "1=30 2=100");
    let mut b = Bench::start(&text, &b.table, options);
    assert_eq!(b.servers(80), "1=30 2=100", "a restart moves no traffic");
    b.monitor.tick(b.now + Duration::from_secs(5));
    b.flush();
    assert_eq!(b.servers(80), "1=80 2=100");
    b.monitor.tick(b.now + Duration::from_secs(7));
    b.flush();
    assert_eq!((b.servers(80).as_str(), b.monitor.deadline()), ("1=100 2=100", None));
    b.die("10.0.0.1");
    assert_eq!(b.servers(80), "2=100");
}

#[test]
fn a_part_of_a_weight_is_what_was_found() {
    for (found, whole) in [(1, 3), (2, 3), (10, 100), (99, 100), (333, 1000)] {
        let share = u32::from(ramp::part(found, whole).unwrap());
        assert_eq!(whole * share / 1000, found);
    }
    assert_eq!([ramp::part(0, 5), ramp::part(5, 5), ramp::part(6, 5), ramp::part(1, 0)], [None; 4]);
}

#[test]
fn checks_rest_while_their_address_is_elsewhere() {
    let vip: std::net::IpAddr = "10.0.0.100".parse().unwrap();
    let mut b = Bench::new(&pair("ha_suspend"));
    let resting = |b: &Bench, local: &[std::net::IpAddr]| {
        crate::pause::resting(b.monitor.config(), &local.iter().copied().collect())
    };
    let rest = resting(&b, &[]);
    assert_eq!(b.monitor.rest(rest, b.now), [Order::End(0), Order::End(1)]);
    assert_eq!(b.monitor.observe(0, fail(), b.now), None, "a late outcome starts nothing");
    let now = b.now;
    let rest = resting(&b, &[vip]);
    assert_eq!(b.monitor.rest(rest, now), [Order::Begin(0, now), Order::Begin(1, now)]);
    assert!(b.monitor.observe(0, pass(), now).is_some());
}

#[test]
fn a_dynamic_weight_replaces_the_written_one() {
    let mut b = Bench::new(&pair(""));
    let weighs = |weight| Outcome::Pass { latency: Duration::ZERO, weight };
    b.outcomes("10.0.0.1", &[weighs(Some(40))]);
    assert_eq!(b.servers(80), "1=40 2");
    b.outcomes("10.0.0.1", &[weighs(None)]);
    assert_eq!(b.servers(80), "1 2");
}

/// As keepalived has it: 5 written, 10 and 20 asked for.
#[test]
fn several_dynamic_weights_add_up_their_differences() {
    let check = |name: &str| format!("MISC_CHECK {{ \n misc_path /bin/{name} \n misc_dynamic \n }}");
    let text =
        service("10.0.0.100 80", "", &[server("10.0.0.1 80", &(check("true") + "\n" + &check("false")))]);
    let mut b = Bench::new(&text.replace("weight 1", "weight 5"));
    let mut weigh = |check, weight| {
        let outcome = Outcome::Pass { latency: Duration::ZERO, weight };
        b.monitor.observe(check, outcome, b.now);
        b.flush();
        b.servers(80)
    };
    let asked = [
        (0, Some(10), "1=10"),
        (1, Some(20), "1=25"),
        (0, Some(1), "1=16"),
        (1, Some(0), "1=0"),
        (0, None, "1=0"),
    ];
    for (check, weight, shown) in asked {
        assert_eq!(weigh(check, weight), shown, "{check} asks for {weight:?}");
    }
}

/// A script speaks for all; the log names the first.
#[test]
fn a_check_is_told_by_whom_it_speaks_for() {
    let b = Bench::new(&(pair("") + &pair("").replace("100 80", "100 81")));
    let whom: Vec<_> = b.monitor.checks().map(|c| b.monitor.whom(c)).collect();
    assert_eq!(whom[0], "10.0.0.100:80: real server 10.0.0.1:80 (and 1 other)");
}

#[test]
fn metrics_are_the_text_that_prometheus_reads() {
    let mut b = Bench::new(&pair(""));
    b.live("10.0.0.1");
    b.die("10.0.0.2");
    let mut status = Status::of(&b.monitor, 3, 100, b.now);
    let text = crate::status::metrics(&b.monitor, &status);
    let lines = [
        "# HELP tcpcheck_quorum Whether enough real servers live.",
        "# TYPE tcpcheck_quorum gauge",
        "tcpcheck_quorum{service=\"10.0.0.100:80\"} 1",
        "# HELP tcpcheck_server_up Whether a real server is alive.",
        "# TYPE tcpcheck_server_up gauge",
        "tcpcheck_server_up{service=\"10.0.0.100:80\",server=\"10.0.0.1:80\"} 1",
        "tcpcheck_server_up{service=\"10.0.0.100:80\",server=\"10.0.0.2:80\"} 0",
        "# HELP tcpcheck_server_weight Its weight while in use.",
        "# TYPE tcpcheck_server_weight gauge",
        "tcpcheck_server_weight{service=\"10.0.0.100:80\",server=\"10.0.0.1:80\"} 1",
        "tcpcheck_server_weight{service=\"10.0.0.100:80\",server=\"10.0.0.2:80\"} 1",
        "# HELP tcpcheck_server_drained Whether it is drained.",
        "# TYPE tcpcheck_server_drained gauge",
        "tcpcheck_server_drained{service=\"10.0.0.100:80\",server=\"10.0.0.1:80\"} 0",
        "tcpcheck_server_drained{service=\"10.0.0.100:80\",server=\"10.0.0.2:80\"} 0",
        "# HELP tcpcheck_tries_total Tries of the checks in force.",
        "# TYPE tcpcheck_tries_total counter",
        "tcpcheck_tries_total{result=\"passed\"} 1",
        "tcpcheck_tries_total{result=\"failed\"} 2",
        "# HELP tcpcheck_in_flight Tries in flight.",
        "# TYPE tcpcheck_in_flight gauge",
        "tcpcheck_in_flight 3",
        "# HELP tcpcheck_latency_seconds Time of good tries.",
        "# TYPE tcpcheck_latency_seconds histogram",
        "tcpcheck_latency_seconds_bucket{le=\"0.0001\"} 0",
    ];
    let end = "tcpcheck_latency_seconds_bucket{le=\"10\"} 1\ntcpcheck_latency_seconds_bucket{le=\"+Inf\"} 1\n\
               tcpcheck_latency_seconds_sum 0.001\ntcpcheck_latency_seconds_count 1\n";
    assert!(text.starts_with(&(lines.join("\n") + "\n")) && text.ends_with(end), "{text}");
    status.services[0].name = "group \"web\"".to_owned();
    let text = crate::status::metrics(&b.monitor, &status);
    assert!(text.contains("tcpcheck_quorum{service=\"group \\\"web\\\"\"} 1\n"), "{text}");
}

#[test]
fn what_a_reload_makes_of_a_server_is_told() {
    let two = [server("10.0.0.1 80", ""), server("10.0.0.2 80", "")];
    let other = |port: &str| service(port, "", &[server("10.0.0.1 80", ""), server("10.0.0.2 80", "")]);
    let mut b = Bench::new(&service("10.0.0.100 80", "", &two));
    b.die("10.0.0.2");
    let told = b.said.len();
    // The check is known, and its server new in this service.
    b.reload(&(service("10.0.0.100 80", "", &two) + &other("10.0.0.100 81")));
    assert_eq!(
        &b.said[told..],
        [
            "10.0.0.100:81: real server 10.0.0.2:81 is down: connection refused",
            "10.0.0.100:81: quorum gained"
        ]
    );
    let told = b.said.len();
    // Nobody doubts it any more.
    let bare = "real_server 10.0.0.2 80 { \n weight 1 \n }".to_owned();
    b.reload(&service("10.0.0.100 80", "", &[two[0].clone(), bare]));
    assert_eq!(&b.said[told..], ["10.0.0.100:80: real server 10.0.0.2:80 is up"]);
}

#[test]
fn what_serves_and_leaves_the_file_is_told_and_the_dead_are_not() {
    let mut b = Bench::new(&(pair("") + &service("10.0.0.100 81", "", &[server("10.0.0.3 80", "")])));
    b.die("10.0.0.2");
    let leaving = |b: &Bench, text: &str| -> Vec<String> {
        b.monitor.farewell(&config(text)).iter().map(ToString::to_string).collect()
    };
    let all = pair("") + &service("10.0.0.100 81", "", &[server("10.0.0.3 80", "")]);
    assert_eq!(leaving(&b, &all), [""; 0]);
    assert_eq!(
        leaving(&b, &service("10.0.0.100 80", "", &[server("10.0.0.4 80", "")])),
        [
            "10.0.0.100:80: real server 10.0.0.1:80 is no longer in the file",
            "10.0.0.100:81: real server 10.0.0.3:81 is no longer in the file",
            "10.0.0.100:81: no longer in the file",
        ]
    );
}

#[test]
fn a_group_keeps_what_is_known_of_it_whatever_line_of_it_changes() {
    let text = |vips: &str| {
        let servers = [server("10.0.0.1 80", ""), server("10.0.0.2 80", "")];
        format!("virtual_server_group web {{ \n {vips} \n }}\n") + &service("group web", "", &servers)
    };
    let mut b = Bench::new(&text("10.0.0.100 80"));
    b.die("10.0.0.2");
    let told = b.said.len();
    b.reload(&text("10.0.0.100 81"));
    assert_eq!((b.servers(80).as_str(), b.servers(81).as_str()), ("no service", "1"));
    assert_eq!(b.said[told..], [""; 0], "neither its quorum nor its dead server is news");
}

#[test]
fn no_two_virtual_servers_of_a_file_have_one_name() {
    let tcp = service("10.0.0.100 53", "", &[server("10.0.0.1 53", "")]);
    let marks = service("fwmark 7", "", &[server("10.0.0.1 0", "")])
        + &service("fwmark 7", "ip_family inet6", &[server("fd00::1 0", "")]);
    let config = config(&(tcp.clone() + &tcp.replace("protocol TCP", "protocol UDP") + &marks));
    let names: Vec<_> = config.virtual_servers.iter().map(name).collect();
    assert_eq!(names, ["10.0.0.100:53", "10.0.0.100:53/udp", "fwmark 7", "fwmark 7 IPv6"]);
}

#[test]
fn the_status_of_a_server_that_lives_again_says_why_it_died() {
    let mut b = Bench::new(&pair(""));
    b.die("10.0.0.2");
    b.live("10.0.0.2");
    let now = b.now + Duration::from_secs(60);
    let status = Status::of(&b.monitor, 0, 0, now);
    let death = status.services[0].servers[1].died.clone().unwrap();
    assert_eq!((death.since, death.reason.as_str()), (62.0, "connection refused"));
    assert!(status.text().contains("died 1m ago: connection refused"), "{}", status.text());
    assert_eq!(status.services[0].servers[0].died, None);
}
