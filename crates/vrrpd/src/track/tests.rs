use lvs_core::conf::At;
use proptest::prelude::*;

use super::*;

fn reference(name: &str, value: i32, reverse: bool) -> Reference {
    Reference { name: At::assumed(name.to_owned()), weight: At::assumed(Weight { value, reverse }) }
}

fn scripts(lines: &[(&str, i32, bool)]) -> Tracking {
    Tracking { scripts: lines.iter().map(|l| reference(l.0, l.1, l.2)).collect(), ..Tracking::default() }
}

fn ledger(base: u8, lines: &[(&str, i32, bool)]) -> Ledger {
    Ledger::new(base, &scripts(lines), &Tracking::default(), &[])
}

fn sound(priority: u8) -> Tracked {
    Tracked { priority, faults: 0 }
}

#[test]
fn a_positive_weight_is_added_while_up_and_a_negative_one_while_down() {
    let mut l = ledger(100, &[("plus", 7, false), ("minus", -20, false)]);
    assert_eq!((l.tracked(), l.is_pending()), (sound(100), false), "unknown changes nothing");
    assert!(l.set(Kind::Script, "plus", Standing::Up));
    assert!(!l.set(Kind::Script, "plus", Standing::Up), "no news");
    assert_eq!(l.tracked(), sound(107));
    l.set(Kind::Script, "minus", Standing::Up);
    assert_eq!(l.tracked(), sound(107));
    l.set(Kind::Script, "minus", Standing::Down);
    assert_eq!(l.tracked(), sound(87));
    l.set(Kind::Script, "plus", Standing::Down);
    assert_eq!(l.tracked(), sound(80));
}

#[test]
fn reverse_turns_the_sense_round() {
    let mut l = ledger(100, &[("a", 19, true), ("b", -20, true)]);
    l.set(Kind::Script, "a", Standing::Up);
    l.set(Kind::Script, "b", Standing::Up);
    assert_eq!(l.tracked(), sound(81));
    l.set(Kind::Script, "a", Standing::Down);
    l.set(Kind::Script, "b", Standing::Down);
    assert_eq!(l.tracked(), sound(120));
}

#[test]
fn without_a_weight_the_first_result_is_waited_for_and_a_failure_is_a_fault() {
    let mut l = ledger(100, &[("chk", 0, false)]);
    assert_eq!((l.tracked(), l.is_pending()), (sound(100), true));
    l.set(Kind::Script, "chk", Standing::Down);
    assert_eq!((l.tracked().faults, l.is_pending()), (Kind::Script.bit(), false));
    assert_eq!(l.failures(), "script chk");
    l.set(Kind::Script, "chk", Standing::Up);
    assert_eq!(l.tracked(), sound(100));
}

#[test]
fn files_add_their_number_times_the_weight_as_measured() {
    let tracking = Tracking { files: vec![reference("f", 2, false)], ..Tracking::default() };
    let mut l = Ledger::new(100, &tracking, &Tracking::default(), &[]);
    for (number, priority) in
        [(10, 120), (-5, 90), (0, 100), (7, 114), (200, 254), (-126, 1), (i64::MAX, 254)]
    {
        l.set(Kind::File, "f", Standing::Value(number));
        assert_eq!(l.tracked(), sound(priority), "{number}");
    }
    for number in [-127, -200, i64::MIN] {
        l.set(Kind::File, "f", Standing::Value(number));
        assert_eq!(l.tracked().faults, Kind::File.bit(), "{number}");
    }
}

#[test]
fn a_file_without_a_weight_is_a_fault_unless_it_says_0() {
    let tracking = Tracking { files: vec![reference("f", 0, false)], ..Tracking::default() };
    let mut l = Ledger::new(100, &tracking, &Tracking::default(), &[]);
    for (number, faults) in [(0, 0), (5, Kind::File.bit()), (-1, Kind::File.bit())] {
        l.set(Kind::File, "f", Standing::Value(number));
        assert_eq!(l.tracked().faults, faults, "{number}");
    }
}

#[test]
fn the_owner_keeps_255_but_can_fail() {
    let mut l = ledger(255, &[("minus", -20, false), ("chk", 0, false)]);
    l.set(Kind::Script, "minus", Standing::Down);
    assert_eq!(l.tracked(), sound(255));
    l.set(Kind::Script, "chk", Standing::Down);
    assert_ne!(l.tracked().faults, 0);
}

#[test]
fn what_a_group_tracks_counts_for_every_member() {
    let (own, group) = (scripts(&[("a", -20, false)]), scripts(&[("g", -30, false), ("chk", 0, false)]));
    let mut l = Ledger::new(100, &own, &group, &[]);
    for (name, standing) in [("a", Standing::Down), ("g", Standing::Down), ("chk", Standing::Up)] {
        l.set(Kind::Script, name, standing);
    }
    assert_eq!(l.tracked(), sound(50));
    l.set(Kind::Script, "chk", Standing::Down);
    assert_eq!(l.tracked().faults, Kind::Script.bit());
}

#[test]
fn what_is_presumed_to_fail_lowers_the_priority_and_is_no_fault_yet() {
    let mut l = ledger(100, &[("minus", -20, false), ("plus", 30, false), ("chk", 0, false)]);
    for name in ["minus", "plus", "chk"] {
        l.set(Kind::Script, name, Standing::Presumed);
    }
    assert_eq!((l.tracked(), l.is_pending()), (sound(80), true));
    l.set(Kind::Script, "chk", Standing::Down);
    assert!(!l.is_pending() && l.tracked().faults != 0);
}

#[test]
fn it_says_why() {
    let mut l = ledger(100, &[("plus", 7, false), ("minus", -20, false), ("chk", 0, false)]);
    l.set(Kind::Script, "plus", Standing::Up);
    l.set(Kind::Script, "minus", Standing::Down);
    assert_eq!(l.to_string(), "87 = 100 + 7 (script plus) - 20 (script minus); waits for script chk");
    l.set(Kind::Script, "chk", Standing::Down);
    l.fail(Kind::Link, true);
    assert_eq!(l.to_string(), "87 = 100 + 7 (script plus) - 20 (script minus); fault: link, script chk");
    assert_eq!(l.tracked().faults, Kind::Link.bit() | Kind::Script.bit());
}

proptest! {
    #[test]
    fn the_priority_stays_within_1_and_254_and_forgets_what_is_over(
        base in 1u8..=254,
        weights in proptest::collection::vec((-253i32..=253, any::<bool>(), any::<bool>()), 0..12),
    ) {
        let names: Vec<String> = (0..weights.len()).map(|i| i.to_string()).collect();
        let lines: Vec<_> = names.iter().zip(&weights).map(|(n, w)| (n.as_str(), w.0, w.1)).collect();
        let mut l = ledger(base, &lines);
        let fresh = l.clone();
        for (name, w) in names.iter().zip(&weights) {
            l.set(Kind::Script, name, if w.2 { Standing::Up } else { Standing::Down });
            let p = l.tracked().priority;
            prop_assert!((1..=254).contains(&p));
        }
        prop_assert!(!l.is_pending());
        for name in &names {
            l.set(Kind::Script, name, Standing::Unknown);
        }
        prop_assert_eq!(l, fresh);
    }
}

#[test]
fn the_interface_of_an_address_is_a_fault_and_its_weight_elsewhere_does_not_count() {
    let mut own = Tracking::default();
    own.interfaces.push(reference("eth1", 20, false));
    let mut l = Ledger::new(100, &own, &Tracking::default(), &["eth1".to_owned()]);
    let mut see = |standing| {
        l.set(Kind::Interface, "eth1", standing);
        (l.tracked().priority, l.failures())
    };
    assert_eq!(see(Standing::Up), (100, String::new()));
    assert_eq!(see(Standing::Down), (100, "interface eth1".to_owned()));
}
