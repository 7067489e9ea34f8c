use lvs_core::conf::At;
use lvs_core::conf::model::Weight;

use super::*;

fn process(words: &[&str], param_match: Option<&str>, full: bool) -> TrackProcess {
    TrackProcess {
        name: At::assumed("p".to_owned()),
        process: At::assumed(words.iter().map(|w| (*w).to_owned()).collect()),
        param_match: param_match.map(|m| At::assumed(m.to_owned())),
        weight: At::assumed(Weight::default()),
        quorum: At::assumed(1),
        quorum_max: None,
        fork_delay: At::assumed(Duration::ZERO),
        terminate_delay: At::assumed(Duration::ZERO),
        full_command: At::assumed(full),
    }
}

fn matches(p: &TrackProcess, name: &str, line: &str) -> bool {
    Pattern::from(p).matches(name, line.replace(' ', "\0").as_bytes())
}

#[test]
fn without_parameters_the_kernel_s_short_name_is_compared() {
    let p = process(&["haproxy"], None, false);
    assert!(!Pattern::from(&p).needs_command_line());
    assert!(matches(&p, "haproxy", "anything"));
    assert!(!matches(&p, "haproxy2", "haproxy"));
    assert!(matches(&process(&["a-very-long-program"], None, false), "a-very-long-pro", ""));
}

#[test]
fn parameters_are_compared_exactly_or_in_the_way_that_is_asked_for() {
    let p = process(&["srv", "-f", "a.conf"], None, false);
    assert!(matches(&p, "srv", "/usr/sbin/srv -f a.conf"));
    assert!(!matches(&p, "srv", "/usr/sbin/srv -f a.conf -D"));
    let p = process(&["srv", "-f", "a"], Some("initial"), false);
    assert!(matches(&p, "srv", "srv -f a.conf"));
    assert!(!matches(&p, "srv", "srv -f b"));
    assert!(!matches(&p, "srv", "srv -f a.conf -D"));
    let p = process(&["srv", "-f"], Some("partial"), false);
    assert!(matches(&p, "srv", "srv -f a.conf"));
    assert!(!matches(&p, "srv", "srv a.conf -f"));
    for how in ["initial", "partial"] {
        let p = process(&["srv"], Some(how), false);
        assert!(matches(&p, "srv", "srv") && !matches(&p, "srv", "srv -x"), "{how} without parameters");
    }
}

#[test]
fn full_command_knows_names_longer_than_the_kernel_s() {
    let p = process(&["a-very-long-program-1"], None, true);
    assert!(matches(&p, "a-very-long-pro", "/opt/a-very-long-program-1 x y"));
    assert!(!matches(&p, "a-very-long-pro", "/opt/a-very-long-program-2"));
}

#[test]
fn the_quorum_is_a_range() {
    let mut p = process(&["x"], None, false);
    (p.quorum, p.quorum_max) = (At::assumed(2), Some(At::assumed(3)));
    let mut census = Census::new(&p);
    for (n, standing) in [(1, Standing::Down), (2, Standing::Up), (3, Standing::Up), (4, Standing::Down)] {
        census.count(n, Time::ZERO);
        assert_eq!(census.standing(), standing, "{n}");
    }
    assert!(census.wants_more(3), "there can be too many");
    p.quorum_max = None;
    let census = Census::new(&p);
    assert!(census.wants_more(1) && !census.wants_more(2));
}

#[test]
fn a_delay_rides_out_a_restart_but_not_the_first_count() {
    let mut p = process(&["x"], None, false);
    p.terminate_delay = At::assumed(Duration::from_secs(2));
    p.fork_delay = At::assumed(Duration::from_secs(1));
    let at = |s: u64| Time::ZERO + Duration::from_secs(s);
    let mut census = Census::new(&p);
    assert!(census.count(1, at(0)));
    assert!(!census.count(0, at(1)));
    assert_eq!(census.deadline(), Some(at(3)));
    assert!(!census.count(1, at(2)), "back in time");
    assert_eq!(census.deadline(), None);
    census.count(0, at(4));
    census.count(0, at(5));
    assert!(!census.tick(at(5)) && census.tick(at(6)), "counted from the first time");
    assert_eq!(census.standing(), Standing::Down);
    assert!(!census.count(1, at(7)) && census.tick(at(8)));
    assert_eq!(census.standing(), Standing::Up);
}
