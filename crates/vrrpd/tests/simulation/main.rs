//! Safety of the election: thousands of schedules of faults, each from a seed that gives it again.
//!
//! At every step of every schedule: addresses and state agree; a sync group is master as a whole or not at all; a running
//! master is never late, whatever packets come; two masters that hear each other are so for one advertisement at most;
//! nobody preempts against `nopreempt` or before `preempt_delay`; a reload changes no state. After the last fault: one
//! master within three intervals and the skew, then no election without a cause, and a handover without a gap.
//!
//! `VRRPD_SCHEDULES=1000000 cargo test --release -p vrrpd --test simulation` runs more of them, `VRRPD_FIRST=N` begins
//! elsewhere, and `VRRPD_SEED=17` runs one alone.

// Clippy's leave for unwrap and panic in tests ends at #[test] functions; all of this program is a test.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout)]

use std::time::Duration;

use vrrpd::params::Params;
use vrrpd::words::State;

mod faults;
mod host;
mod rng;
mod world;

use rng::Rng;
use world::{World, nanos, slack};

/// What a schedule came to.
#[derive(Default)]
struct Figures {
    transitions: u64,
    packets: u64,
    seconds: f64,
}

fn schedule(seed: u64) -> Figures {
    let mut rng = Rng::new(seed);
    let params = faults::params(&mut rng);
    let legs = rng.pick(&[1, 1, 2, 3]);
    let mut world = World::new(params, legs, seed ^ 0x5eed);
    let (interval, _) = world.slowest();
    world.loss = rng.pick(&[0, 0, 5, 30]);
    world.duplicates = rng.pick(&[0, 10]);
    // Less than what a router forgives after a goodbye: a tenth of its interval.
    world.delay = rng.pick(&[1_000, interval / 50, interval / 10]);
    for i in 0..world.hosts.len() {
        world.boot(i);
    }
    for _ in 0..rng.range(1, 25) {
        let pause = rng.range(0, 5 * interval);
        world.run(world.now + pause);
        faults::fault(&mut world, &mut rng);
    }
    faults::heal(&mut world, &mut rng);
    settle(&mut world, &mut rng);
    Figures {
        transitions: world.transitions(),
        packets: world.heard,
        seconds: Duration::from_nanos(world.now).as_secs_f64(),
    }
}

/// After the last fault: one master within a master down interval, and then always.
fn settle(world: &mut World, rng: &mut Rng) {
    let healed = world.now;
    let (interval, down) = world.slowest();
    let slack = slack(world.delay, down);
    let bound = healed + down + slack;
    world.run(bound);
    for leg in 0..world.legs() {
        assert!(!world.masters(leg).is_empty(), "no master {} ns after the last fault", world.now - healed);
    }
    let first = world.masters(0);
    let delay = world.hosts.iter().map(|h| nanos(h.legs[0].params.preempt_delay)).max().unwrap();
    // With preempt_delay each of them may tolerate the one before for so long.
    let hops = if delay == 0 { 2 } else { world.hosts.len() as u64 };
    calm(world, rng, bound + 4 * interval + hops * (delay + interval + down));
    // A preemption may be under way just now; for how long is judged at every step.
    while world.masters(0).len() > 1 && world.step(world.now + interval) {}
    world.run(world.now + slack);
    let masters = world.masters(0);
    for leg in 0..world.legs() {
        assert_eq!(world.masters(leg), masters, "one host is master, and of all");
        assert_eq!(masters.len(), 1, "one master in the end");
    }
    let master = &world.hosts[masters[0]];
    let preempt = world.hosts.iter().any(|h| h.legs[0].params.preempt);
    assert!(preempt || first.contains(&masters[0]), "nopreempt: {first:?} was master, now {masters:?}");
    let best = world
        .hosts
        .iter()
        .filter(|h| h.is_able(world.now))
        .map(|h| h.legs[0].router.tracked().priority)
        .max();
    let all = world.hosts.iter().all(|h| h.legs[0].params.preempt);
    let highest = Some(master.legs[0].router.tracked().priority) == best;
    assert!(!all || highest, "the highest priority is master");
    goodbye(world, masters[0], interval, slack);
}

/// Nothing happens, but for bad packets now and then.
fn calm(world: &mut World, rng: &mut Rng, until: u64) {
    let (interval, _) = world.slowest();
    let noisy = rng.percent(30);
    while world.now < until {
        if noisy {
            faults::forge(world, rng);
        }
        let next = (world.now + interval / 8).min(until);
        while world.step(next) {
            for leg in 0..world.legs() {
                let masters = world.masters(leg);
                assert!(!masters.is_empty(), "the master was lost without a fault at {}", world.now);
            }
        }
    }
}

/// The master hands over: somebody holds the addresses at every moment, and the successor follows soon.
fn goodbye(world: &mut World, master: usize, interval: u64, slack: u64) {
    if !world.hosts.iter().any(|h| h.is_able(world.now) && !h.is_master(0)) {
        return;
    }
    world.stop(master);
    let skew = interval.max(1_000_000_000);
    let until = world.now + skew + interval + slack;
    while world.step(until) {
        for leg in 0..world.legs() {
            let held = world.hosts.iter().any(|h| h.alive && h.legs[leg].holds);
            assert!(held, "nobody holds the addresses during a handover: {}", world.show());
        }
    }
    for leg in 0..world.legs() {
        assert_eq!(world.masters(leg).len(), 1, "a successor");
        let old = &world.hosts[master].legs[leg];
        assert!(old.state() == State::Stopped && !old.holds, "the old master still holds the addresses");
    }
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().and_then(|v| v.parse().ok())
}

#[test]
fn after_the_last_fault_there_is_exactly_one_master() {
    let first = number("VRRPD_FIRST").unwrap_or(0);
    let seeds = match number("VRRPD_SEED") {
        Some(seed) => seed..seed + 1,
        None => first..first + number("VRRPD_SCHEDULES").unwrap_or(10_000),
    };
    let mut sum = Figures::default();
    for seed in seeds.clone() {
        let run = std::panic::catch_unwind(|| schedule(seed));
        let run = run.unwrap_or_else(|_| panic!("schedule {seed} fails; VRRPD_SEED={seed} runs it alone"));
        sum.transitions += run.transitions;
        sum.packets += run.packets;
        sum.seconds += run.seconds;
    }
    println!(
        "schedules {} to {}: {} changes of state, {} packets, {:.1} days",
        seeds.start,
        seeds.end - 1,
        sum.transitions,
        sum.packets,
        sum.seconds / 86_400.0
    );
}

/// Months of ordinary life: a fault now and then, and never a moment without its master for long.
#[test]
fn months_go_by() {
    let hours = number("VRRPD_HOURS").unwrap_or(24);
    let both = Params { interval: Duration::from_secs(1), ..Params::default() };
    let mut world = World::new(vec![Params { priority: 150, ..both.clone() }, both], 1, 1);
    let mut rng = Rng::new(2);
    (0..2).for_each(|i| world.boot(i));
    let (interval, down) = world.slowest();
    let mut elections = 0;
    for _ in 0..hours {
        let quiet = world.now + 3_600_000_000_000;
        world.power_off(0);
        world.run(world.now + down + interval);
        assert_eq!(world.masters(0), [1], "the backup takes over");
        world.boot(0);
        world.run(world.now + down + interval);
        assert_eq!(world.masters(0), [0], "the higher priority returns");
        elections += 2;
        world.loss = rng.range(0, 1);
        world.run(quiet);
        assert_eq!(world.masters(0), [0], "a lost packet now and then is no election");
    }
    assert_eq!(elections, 2 * hours);
    println!(
        "{hours} hours: {elections} elections, {} changes of state, {} packets",
        world.transitions(),
        world.heard
    );
}
