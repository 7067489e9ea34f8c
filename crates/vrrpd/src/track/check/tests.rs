use proptest::prelude::*;

use super::*;

const SECOND: Duration = Duration::from_secs(1);

fn rules() -> Rules {
    Rules { interval: 2 * SECOND, timeout: 3 * SECOND, rise: 1, fall: 1, init_fail: false }
}

fn at(millis: u64) -> Time {
    Time::from_nanos(millis * 1_000_000)
}

fn tick(check: &mut Check, millis: u64) -> Vec<Act> {
    let mut out = Vec::new();
    check.tick(at(millis), &mut out);
    out
}

fn end(check: &mut Check, outcome: Outcome) -> Vec<Act> {
    let mut out = Vec::new();
    check.ended(outcome, &mut out);
    out
}

/// One run to its end, at its time.
fn run(check: &mut Check, status: i32) -> Vec<Act> {
    let mut out = Vec::new();
    check.tick(check.deadline(), &mut out);
    assert_eq!(out, [Act::Start]);
    end(check, Outcome::Status(status))
}

#[test]
fn it_runs_at_once_and_then_at_a_steady_rhythm() {
    let mut c = Check::new(rules(), at(0));
    assert_eq!(tick(&mut c, 0), [Act::Start]);
    assert_eq!(end(&mut c, Outcome::Status(0)), [Act::Changed(Standing::Up)]);
    assert_eq!(c.deadline(), at(2000));
    assert_eq!(tick(&mut c, 1999), []);
    assert_eq!(tick(&mut c, 2003), [Act::Start]);
    assert_eq!(end(&mut c, Outcome::Status(0)), []);
    assert_eq!(c.deadline(), at(4000), "lateness does not add up");
    assert_eq!(tick(&mut c, 60_000), [Act::Start], "missed beats are not made up for");
    assert_eq!(c.deadline(), at(62_000));
}

#[test]
fn it_never_runs_twice_at_once_and_again_as_soon_as_it_can() {
    let mut c = Check::new(rules(), at(0));
    tick(&mut c, 0);
    assert_eq!(tick(&mut c, 2000), []);
    assert_eq!(end(&mut c, Outcome::Status(0)), [Act::Changed(Standing::Up)]);
    assert_eq!(tick(&mut c, 2500), [Act::Start]);
    assert_eq!(c.deadline(), at(4000), "the rhythm stays");
    assert_eq!(end(&mut c, Outcome::Status(0)), []);
    assert_eq!(tick(&mut c, 3000), [], "once");
}

#[test]
fn one_that_hangs_for_its_whole_interval_fails_every_interval() {
    let mut c = Check::new(Rules { timeout: 2 * SECOND, fall: 3, ..rules() }, at(0));
    run(&mut c, 0);
    assert_eq!(tick(&mut c, 2000), [Act::Start]);
    for (begin, acts) in [
        (4000, &[Act::Terminate][..]),
        (6000, &[Act::Terminate]),
        (8000, &[Act::Terminate, Act::Changed(Standing::Down)]),
    ] {
        assert_eq!(tick(&mut c, begin), acts);
        assert_eq!(end(&mut c, Outcome::Signal(15)), []);
        assert_eq!(tick(&mut c, begin), [Act::Start]);
    }
}

#[test]
fn past_its_timeout_it_has_failed_is_asked_to_end_and_then_killed() {
    let mut c = Check::new(rules(), at(0));
    tick(&mut c, 0);
    tick(&mut c, 2000);
    assert_eq!(c.deadline(), at(3000));
    assert_eq!(tick(&mut c, 3000), [Act::Terminate, Act::Changed(Standing::Down)]);
    assert_eq!(tick(&mut c, 4000), []);
    assert_eq!(tick(&mut c, 5000), [Act::Kill]);
    assert_eq!(tick(&mut c, 6000), [], "it is still there: a process can hang in the kernel");
    assert_eq!(end(&mut c, Outcome::Signal(9)), [], "the run has been counted already");
    assert_eq!(tick(&mut c, 7000), [Act::Start]);
}

#[test]
fn the_first_result_decides_alone_then_rise_and_fall_count() {
    let rules = Rules { rise: 2, fall: 3, timeout: SECOND, ..rules() };
    for init_fail in [false, true] {
        let mut c = Check::new(Rules { init_fail, ..rules }, at(0));
        assert_eq!(run(&mut c, 0), [Act::Changed(Standing::Up)]);
        assert_eq!(run(&mut c, 1), []);
        assert_eq!(run(&mut c, 1), []);
        assert_eq!(run(&mut c, 0), [], "in a row");
        assert_eq!(run(&mut c, 1), []);
        assert_eq!(run(&mut c, 1), []);
        assert_eq!(run(&mut c, 1), [Act::Changed(Standing::Down)]);
        assert_eq!(run(&mut c, 0), []);
        assert_eq!(run(&mut c, 0), [Act::Changed(Standing::Up)]);
    }
    let mut c = Check::new(rules, at(0));
    assert_eq!(run(&mut c, 1), [Act::Changed(Standing::Down)]);
}

#[test]
fn init_fail_stands_as_failed_until_it_succeeds() {
    let mut c = Check::new(Rules { init_fail: true, ..rules() }, at(0));
    assert_eq!(c.standing(), Standing::Presumed);
    assert_eq!(run(&mut c, 1), [Act::Changed(Standing::Down)]);
    assert_eq!(run(&mut c, 0), [Act::Changed(Standing::Up)]);
}

#[test]
fn a_script_that_cannot_be_started_has_failed_and_says_why() {
    let mut c = Check::new(rules(), at(0));
    tick(&mut c, 0);
    let why = Outcome::NotStarted("No such file".to_owned());
    assert_eq!(end(&mut c, why.clone()), [Act::Changed(Standing::Down)]);
    assert_eq!(c.last(), Some(&why));
}

#[test]
fn a_reload_keeps_how_it_stands_and_a_shorter_interval_counts_at_once() {
    let mut c = Check::new(Rules { interval: 60 * SECOND, ..rules() }, at(0));
    run(&mut c, 0);
    c.reload(rules(), at(10_000));
    assert_eq!((c.standing(), c.deadline()), (Standing::Up, at(12_000)));
}

#[derive(Clone, Debug)]
enum Event {
    Wait(u64),
    End(i32),
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![(0u64..5000).prop_map(Event::Wait), (0i32..2).prop_map(Event::End)]
}

proptest! {
    #[test]
    fn starts_and_ends_alternate_and_a_change_is_a_change(
        rise in 1u32..4, fall in 1u32..4, events in proptest::collection::vec(event(), 0..80),
    ) {
        let mut c = Check::new(Rules { rise, fall, ..rules() }, at(0));
        let (mut now, mut running) = (0, false);
        let mut standing = c.standing();
        for e in std::iter::once(Event::Wait(0)).chain(events) {
            let mut out = Vec::new();
            match e {
                Event::Wait(millis) => { now += millis; c.tick(at(now), &mut out); }
                Event::End(status) if running => {
                    c.ended(Outcome::Status(status), &mut out);
                    c.tick(at(now), &mut out);
                    running = false;
                }
                Event::End(_) => (),
            }
            for act in out {
                match act {
                    Act::Start => { prop_assert!(!running); running = true; }
                    Act::Changed(to) => { prop_assert_ne!(to, standing); standing = to; }
                    Act::Terminate | Act::Kill => (),
                }
            }
            prop_assert_eq!(standing, c.standing());
            prop_assert!(c.deadline() > at(now), "the loop never spins");
        }
    }
}
