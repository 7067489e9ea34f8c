//! When a server is dead or alive, and when the next try comes, on a clock of our own.

use proptest::prelude::*;

use super::*;
use crate::outcome::Reason;
use crate::schedule::Hold;

const S: u64 = 1_000_000_000;

fn at(seconds: f64) -> Time {
    Time::from_nanos((seconds * S as f64) as u64)
}

fn secs(n: u64) -> Duration {
    Duration::from_secs(n)
}

/// The seed's check: delay_loop 6, connect_timeout 10, nb_get_retry 3, delay_before_retry 3.
fn seed_schedule() -> Schedule {
    Schedule {
        interval: secs(6),
        timeout: secs(10),
        retries: 3,
        retry_delay: secs(3),
        warmup: secs(0),
        jitter_percent: 0,
        ..Schedule::default()
    }
}

fn pass() -> Outcome {
    Outcome::pass(Duration::from_millis(1))
}

fn fail() -> Outcome {
    Outcome::Fail(Reason::Refused)
}

/// Feeds the checker at its due times; each outcome takes no time. Gives the moment of each verdict in seconds.
fn run(checker: &mut Checker, outcomes: impl IntoIterator<Item = Outcome>) -> Vec<(f64, Verdict)> {
    let mut verdicts = Vec::new();
    for outcome in outcomes {
        let now = checker.due();
        if let Some(v) = checker.observe(&outcome, now) {
            verdicts.push((now.as_nanos() as f64 / S as f64, v));
        }
    }
    verdicts
}

#[test]
fn a_server_that_never_answered_is_out_at_its_first_failure() {
    let mut c = Checker::new(Arc::new(seed_schedule()), Knowledge::Assumed, 1, at(0.0));
    assert_eq!(run(&mut c, [fail()]), [(0.0, Verdict::Down)]);
}

#[test]
fn a_server_that_served_has_all_its_retries() {
    let mut c = Checker::new(Arc::new(seed_schedule()), Knowledge::Assumed, 1, at(0.0));
    assert_eq!(run(&mut c, [pass(), fail(), fail(), fail()]), []);
    // One good try at 0, the failed one at 6, then three more 3 s apart.
    assert_eq!(run(&mut c, [fail()]), [(15.0, Verdict::Down)]);
    assert_eq!(c.failures(), 4);
}

#[test]
fn a_restart_does_not_take_the_retries_from_a_server_in_the_table() {
    let mut c = Checker::new(Arc::new(seed_schedule()), Knowledge::Alive, 1, at(0.0));
    assert_eq!(run(&mut c, [fail(), fail(), fail()]), []);
    assert_eq!(run(&mut c, [fail()]), [(9.0, Verdict::Down)]);
}

#[test]
fn a_server_that_is_to_prove_itself_dies_once_before_it_lives() {
    let mut c = Checker::new(Arc::new(seed_schedule()), Knowledge::Unproven, 1, at(0.0));
    assert!(!c.is_up());
    assert_eq!(run(&mut c, [fail()]), [(0.0, Verdict::Down)]);
    assert_eq!(run(&mut c, [fail(), pass()]), [(6.0, Verdict::Up)]);
    let mut c = Checker::new(Arc::new(seed_schedule()), Knowledge::Unproven, 1, at(0.0));
    assert_eq!(run(&mut c, [pass()]), [(0.0, Verdict::Up)]);
}

#[test]
fn one_good_try_in_between_forgives() {
    let mut c = Checker::new(Arc::new(seed_schedule()), Knowledge::Alive, 1, at(0.0));
    let outcomes = [fail(), fail(), fail(), pass(), fail(), fail(), fail(), pass()];
    assert_eq!(run(&mut c, outcomes), []);
}

#[test]
fn a_dead_server_is_tried_at_the_shorter_of_the_two_rhythms_and_back_at_once() {
    let mut c = Checker::new(Arc::new(seed_schedule()), Knowledge::Dead, 1, at(0.0));
    assert_eq!(run(&mut c, [fail(), fail(), pass()]), [(6.0, Verdict::Up)]);
    let slow = Schedule { interval: secs(2), ..seed_schedule() };
    let mut c = Checker::new(Arc::new(slow), Knowledge::Dead, 1, at(0.0));
    assert_eq!(run(&mut c, [fail(), fail(), pass()]), [(4.0, Verdict::Up)]);
}

#[test]
fn rise_asks_for_good_tries_in_a_row() {
    let mut c = Checker::new(Arc::new(Schedule { rise: 3, ..seed_schedule() }), Knowledge::Dead, 1, at(0.0));
    assert_eq!(run(&mut c, [pass(), pass(), fail(), pass(), pass()]), []);
    assert_eq!(run(&mut c, [pass()]), [(15.0, Verdict::Up)]);
}

#[test]
fn a_slow_answer_does_not_stretch_the_rhythm() {
    let mut c = Checker::new(Arc::new(seed_schedule()), Knowledge::Alive, 1, at(0.0));
    c.observe(&pass(), at(2.5));
    assert_eq!(c.due(), at(6.0));
    // A try that overran its interval starts the rhythm anew; there is no burst to catch up.
    c.observe(&pass(), at(14.0));
    assert_eq!(c.due(), at(20.0));
}

#[test]
fn a_retry_counts_from_the_end_of_the_failed_try() {
    let mut c = Checker::new(Arc::new(seed_schedule()), Knowledge::Alive, 1, at(0.0));
    c.observe(&Outcome::Fail(Reason::TimedOut), at(10.0));
    assert_eq!(c.due(), at(13.0));
}

#[test]
fn trouble_of_this_host_is_no_failure_of_the_server() {
    let mut c = Checker::new(Arc::new(seed_schedule()), Knowledge::Assumed, 1, at(0.0));
    let none = Outcome::from_errno(24);
    assert_eq!(none, Outcome::Unknown(Reason::Errno(24)));
    assert_eq!(run(&mut c, vec![none; 20]), []);
    assert!(c.is_up());
    assert_eq!(Outcome::from_errno(113), Outcome::Fail(Reason::Unreachable));
    assert_eq!(Outcome::from_errno(99), Outcome::Fail(Reason::Source));
}

#[test]
fn a_server_that_keeps_dying_waits_longer_each_time_and_is_forgiven_after_a_calm_life() {
    let hold = Some(Hold { base: secs(30), most: secs(100) });
    let schedule = Schedule { retries: 0, hold, ..seed_schedule() };
    let mut c = Checker::new(Arc::new(schedule), Knowledge::Alive, 1, at(0.0));
    let mut waits = Vec::new();
    for _ in 0..5 {
        run(&mut c, [fail()]);
        let first_pass = c.due();
        while !c.is_up() {
            run(&mut c, [pass()]);
        }
        waits.push(c.changed().since(first_pass).as_secs());
    }
    assert_eq!(waits, [0, 30, 60, 102, 102]);
    // It lives for longer than `most`: the next death is a first one again.
    run(&mut c, vec![pass(); 20]);
    run(&mut c, [fail()]);
    assert_eq!(run(&mut c, [pass()]).len(), 1);
}

#[test]
fn a_failure_during_the_hold_starts_it_anew() {
    let hold = Some(Hold { base: secs(6), most: secs(6) });
    let mut c = Checker::new(
        Arc::new(Schedule { retries: 0, hold, ..seed_schedule() }),
        Knowledge::Alive,
        1,
        at(0.0),
    );
    run(&mut c, [fail(), pass(), fail()]);
    // Said once a death, with the whole time that is left.
    let held = run(&mut c, [pass(), pass(), fail(), pass(), pass()]);
    assert_eq!(held.into_iter().map(|(_, v)| v).collect::<Vec<_>>(), [Verdict::Held(secs(6))]);
    // Tries of a dead server come every 3 s.
    assert_eq!(c.held_down(c.due()), None);
    let a_second_before = Time::from_nanos(c.due().as_nanos() - S);
    assert_eq!(c.held_down(a_second_before), Some(secs(1)));
    assert_eq!(run(&mut c, [pass()]).len(), 1);
    assert_eq!(c.held_down(a_second_before), None);
}

#[test]
fn a_reload_keeps_what_is_known_and_comes_no_later_than_the_new_interval() {
    let mut c = Checker::new(
        Arc::new(Schedule { interval: secs(600), ..seed_schedule() }),
        Knowledge::Alive,
        1,
        at(0.0),
    );
    run(&mut c, [pass(), fail()]);
    c.reschedule(Arc::new(seed_schedule()), at(601.0));
    assert_eq!(c.failures(), 1);
    assert!(c.due() <= at(607.0));
    assert_eq!(run(&mut c, [fail(), fail(), fail()]).len(), 1);
}

#[test]
fn first_tries_spread_over_the_warm_up() {
    let schedule = Schedule { warmup: secs(6), ..seed_schedule() };
    let due = |seed| Checker::new(Arc::new(schedule), Knowledge::Assumed, seed, at(0.0)).due();
    let moments: Vec<_> = (0..600).map(due).collect();
    for sixth in 0..6 {
        let (from, to) = (at(f64::from(sixth)), at(f64::from(sixth) + 1.0));
        let n = moments.iter().filter(|t| (from..to).contains(t)).count();
        assert!((60..140).contains(&n), "{n} of 600 in second {sixth}");
    }
    // A dead server is wanted back: it waits for delay_before_retry at most.
    assert!((0..100).all(|s| Checker::new(Arc::new(schedule), Knowledge::Dead, s, at(0.0)).due() < at(3.0)));
}

#[test]
fn jitter_is_early_never_late() {
    let mut c = Checker::new(
        Arc::new(Schedule { jitter_percent: 5, ..seed_schedule() }),
        Knowledge::Alive,
        7,
        at(0.0),
    );
    let mut gaps = Vec::new();
    for _ in 0..200 {
        let before = c.due();
        run(&mut c, [pass()]);
        gaps.push(c.due().since(before).as_secs_f64());
    }
    assert!(gaps.iter().all(|g| (5.69..=6.0).contains(g)), "{gaps:?}");
    assert!(gaps.iter().any(|g| *g < 5.8) && gaps.iter().any(|g| *g > 5.9));
}

fn schedules() -> impl Strategy<Value = Schedule> {
    (0u64..100_000, 0u32..5, 0u64..100_000, 0u32..5, 0u8..=100, proptest::option::of(0u64..1000)).prop_map(
        |(interval, retries, delay, rise, jitter_percent, hold)| Schedule {
            interval: Duration::from_millis(interval),
            retries,
            retry_delay: Duration::from_millis(delay),
            rise,
            jitter_percent,
            hold: hold.map(|s| Hold { base: secs(s), most: secs(2 * s) }),
            ..Schedule::default()
        },
    )
}

proptest! {
    #[test]
    fn whatever_comes_it_never_runs_hot_and_verdicts_alternate(
        schedule in schedules(),
        outcomes in proptest::collection::vec((0u8..3, 0u64..20_000), 1..200),
        known in 0u8..3,
    ) {
        let known = [Knowledge::Assumed, Knowledge::Alive, Knowledge::Dead][known as usize];
        let mut c = Checker::new(Arc::new(schedule), known, 3, Time::ZERO);
        let mut up = c.is_up();
        for (kind, took) in outcomes {
            let now = c.due() + Duration::from_millis(took);
            let outcome = [pass(), fail(), Outcome::from_errno(24)][kind as usize].clone();
            match c.observe(&outcome, now) {
                Some(Verdict::Up) => { prop_assert!(!up); up = true; }
                Some(Verdict::Down) => { prop_assert!(up); up = false; }
                Some(Verdict::Held(_)) | None => {}
            }
            prop_assert_eq!(c.is_up(), up);
            let retrying = up && c.failures() > 0;
            prop_assert!(retrying || c.due() > now, "no pause after {kind}");
            prop_assert!(c.due().since(now) <= schedule.interval.max(schedule.retry_delay).max(Duration::from_millis(10)));
        }
    }

    #[test]
    fn a_server_that_dies_is_out_within_the_promised_time(phase in 0f64..6.0, seed in any::<u64>()) {
        let schedule = Schedule { jitter_percent: 5, warmup: secs(6), ..seed_schedule() };
        let mut c = Checker::new(Arc::new(schedule), Knowledge::Assumed, seed, Time::ZERO);
        let death = at(20.0 + phase);
        loop {
            let now = c.due();
            let outcome = if now < death { pass() } else { fail() };
            if c.observe(&outcome, now).is_some() {
                prop_assert!(now.since(death) <= schedule.removal_if_refused());
                break;
            }
        }
    }
}
