//! What the administrator, the power company, the network and bad neighbours do.

use std::rc::Rc;
use std::time::Duration;

use vrrpd::packet::{Auth, Packet, Version};
use vrrpd::params::{OWNER, Params};
use vrrpd::words::{Input, State};

use crate::rng::Rng;
use crate::world::{VRID, World, addr, nanos};

fn index(rng: &mut Rng, count: usize) -> usize {
    usize::try_from(rng.range(0, count as u64 - 1)).unwrap()
}

/// Two to five hosts.
pub(crate) fn params(rng: &mut Rng) -> Vec<Params> {
    let count = rng.range(2, 5);
    let v2 = rng.percent(50);
    let interval = if v2 { rng.range(1, 2) * 1000 } else { rng.pick(&[10, 100, 250, 1000]) };
    let preempt = rng.pick(&[100, 100, 0, 50]);
    let delayed = rng.percent(15);
    let late = rng.percent(10);
    let mut all: Vec<Params> = (0..count)
        .map(|_| Params {
            version: if v2 { Version::V2 } else { Version::V3 },
            priority: rng.pick(&[1, 50, 90, 100, 100, 100, 150, 200, 254]),
            interval: Duration::from_millis(interval),
            preempt: rng.percent(preempt),
            preempt_delay: Duration::from_millis(if delayed { interval * rng.range(0, 8) } else { 0 }),
            startup_delay: Duration::from_millis(if late { interval * rng.range(0, 3) } else { 0 }),
            lower_prio_no_advert: rng.percent(10),
            ..Params::default()
        })
        .collect();
    if rng.percent(10) {
        all[0] = Params { priority: OWNER, preempt: true, ..all[0].clone() };
    }
    all
}

/// One fault.
pub(crate) fn fault(world: &mut World, rng: &mut Rng) {
    let count = world.hosts.len();
    let i = index(rng, count);
    let leg = index(rng, world.legs());
    let interval = nanos(world.hosts[i].legs[leg].params.interval);
    match rng.range(0, 15) {
        0 => world.kill(i),
        1 => world.power_off(i),
        2 | 3 => world.boot(i),
        4 => world.pause(i, world.now + rng.range(0, 8 * interval)),
        // One way only is possible, too.
        5 => world.cut(leg, i, index(rng, count), rng.percent(70)),
        6 => world.join(),
        7 => {
            let left: Vec<bool> = (0..count).map(|_| rng.percent(50)).collect();
            world.part(leg, &left);
        }
        8 | 9 => {
            let priority = world.hosts[i].legs[leg].router.tracked().priority;
            world.track(i, leg, Some(rng.percent(50)), priority);
        }
        10 if !world.hosts[i].is_owner() => {
            let priority = u8::try_from(rng.range(1, 254)).unwrap();
            world.track(i, leg, None, priority);
        }
        11 => world.tell(i, leg, Input::Release),
        12 => world.tell(i, leg, Input::Resume),
        13 => world.stop(i),
        14 => forge(world, rng),
        _ => reload(world, rng, i),
    }
}

fn reload(world: &mut World, rng: &mut Rng, i: usize) {
    let owner = world.hosts[i].is_owner();
    let mut change = world.hosts[i].legs[0].params.clone();
    if !owner && rng.percent(50) {
        change.priority = u8::try_from(rng.range(1, 254)).unwrap();
    }
    if change.version == Version::V3 && rng.percent(30) {
        let interval = Duration::from_millis(rng.pick(&[10, 100, 250, 1000]));
        // A network that reorders over more than this is not ours to mend.
        if nanos(interval) >= 10 * world.delay {
            change.interval = interval;
        }
    }
    if !owner && rng.percent(30) {
        change.preempt = !change.preempt;
    }
    if rng.percent(20) {
        change.preempt_delay = change.interval * u32::try_from(rng.range(0, 6)).unwrap();
    }
    world.reload(i, |params| *params = change.clone());
}

/// Packets that look like advertisements and are none of ours.
pub(crate) fn forge(world: &mut World, rng: &mut Rng) {
    let to = index(rng, world.hosts.len());
    let leg = index(rng, world.legs());
    let host = &world.hosts[to].legs[leg];
    let other = if host.params.version == Version::V2 { Version::V3 } else { Version::V2 };
    let packet = Packet {
        version: if rng.percent(50) { host.params.version } else { other },
        vrid: VRID,
        priority: u8::try_from(rng.range(0, 255)).unwrap(),
        interval: Duration::from_secs(77),
        auth: Auth::Pass(*b"mistaken"),
        vips: &host.door.vips[..],
    };
    let from = addr(77);
    let mut bytes = Vec::new();
    packet.emit(from, [224, 0, 0, 18].into(), &mut bytes);
    if packet.version == Version::V3 {
        // Version 3 has no password; only its sum protects it.
        bytes[6] ^= 1;
    }
    world.put(to, leg, from, &Rc::from(bytes));
}

/// Everything works again; whoever was dead, faulty or released may stay so, but not all of them.
pub(crate) fn heal(world: &mut World, rng: &mut Rng) {
    (world.loss, world.duplicates) = (0, 0);
    world.join();
    for i in 0..world.hosts.len() {
        if world.hosts[i].paused_until.is_some() {
            world.pause(i, world.now);
        }
    }
    world.run(world.now);
    while !world.hosts.iter().any(|h| h.is_able(world.now)) || rng.percent(60) {
        let i = index(rng, world.hosts.len());
        mend(world, i);
    }
}

fn mend(world: &mut World, i: usize) {
    let ended = |w: &World| w.hosts[i].legs.iter().all(|l| l.state() == State::Stopped);
    if !world.hosts[i].alive || ended(world) {
        world.boot(i);
    }
    let leaving = |w: &World| w.hosts[i].legs.iter().any(|l| l.state() == State::Leaving);
    let starting = |w: &World| w.hosts[i].is_early(w.now);
    for leg in 0..world.legs() {
        let priority = world.hosts[i].legs[leg].router.tracked().priority;
        world.track(i, leg, Some(false), priority);
    }
    // A handover takes its time, and so does vrrp_startup_delay.
    while leaving(world) || starting(world) {
        world.step(world.now + 10_000_000_000);
    }
    if ended(world) {
        world.boot(i);
    }
    (0..world.legs()).for_each(|leg| world.tell(i, leg, Input::Resume));
}
