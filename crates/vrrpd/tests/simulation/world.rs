//! Two to five hosts and the network between them, on one false clock.
//!
//! Packets are real bytes: each goes through `emit`, the faulty network, `parse` and the receiver's door.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::net::IpAddr;
use std::rc::Rc;
use std::time::Duration;

use vrrpd::door::Way;
use vrrpd::packet::Packet;
use vrrpd::params::Params;
use vrrpd::timers::master_down;
use vrrpd::words::{Input, State};

use crate::host::Host;
use crate::rng::Rng;

pub(crate) const VRID: u8 = 51;
/// Clocks drift at most 200 millionths against true time.
const DRIFT: u64 = 1000;

/// What will happen.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    Deliver { to: usize, leg: usize, from: IpAddr, bytes: Rc<[u8]> },
    Resume(usize),
}

pub(crate) struct World {
    pub(crate) now: u64,
    pub(crate) hosts: Vec<Host>,
    events: BinaryHeap<Reverse<(u64, u64, Event)>>,
    serial: u64,
    rng: Rng,
    /// Of a hundred packets so many are lost, so many come twice.
    pub(crate) loss: u64,
    pub(crate) duplicates: u64,
    /// The longest way of a packet, in nanoseconds.
    pub(crate) delay: u64,
    /// By LAN who can hear whom.
    cut: Vec<Vec<Vec<bool>>>,
    /// By LAN and pair: both are master and hear each other since then.
    rivals: Vec<Vec<Vec<Option<u64>>>>,
    /// Packets delivered.
    pub(crate) heard: u64,
    /// The longest interval that anyone ever had: version 3 backups go by that of the last master.
    longest: Duration,
    buffer: Vec<u8>,
}

pub(crate) fn addr(i: usize) -> IpAddr {
    IpAddr::from([192, 168, 15, u8::try_from(100 + i).unwrap()])
}

fn group() -> IpAddr {
    IpAddr::from([224, 0, 0, 18])
}

pub(crate) fn nanos(d: Duration) -> u64 {
    u64::try_from(d.as_nanos()).unwrap()
}

impl World {
    /// A host for each of `params`, each with so many legs.
    pub(crate) fn new(params: Vec<Params>, legs: usize, seed: u64) -> Self {
        let mut rng = Rng::new(seed);
        let host = |(i, p): (usize, Params)| {
            let grouped = Params { grouped: legs > 1, ..p };
            Host::new(addr(i), &vec![grouped; legs], &mut rng)
        };
        let hosts: Vec<Host> = params.into_iter().enumerate().map(host).collect();
        let n = hosts.len();
        let longest = hosts.iter().map(|h| h.legs[0].params.interval).max().unwrap();
        Self {
            now: 0,
            hosts,
            events: BinaryHeap::new(),
            serial: 0,
            rng,
            loss: 0,
            duplicates: 0,
            delay: 1_000,
            cut: vec![vec![vec![false; n]; n]; legs],
            rivals: vec![vec![vec![None; n]; n]; legs],
            heard: 0,
            longest,
            buffer: Vec::new(),
        }
    }

    pub(crate) fn legs(&self) -> usize {
        self.cut.len()
    }

    pub(crate) fn boot(&mut self, i: usize) {
        self.hosts[i].restart();
        let now = self.hosts[i].local(self.now);
        for leg in 0..self.legs() {
            let host = &mut self.hosts[i];
            host.feed(leg, Input::Source(Some(addr(i))), now);
            let priority = host.legs[leg].params.priority;
            host.track(leg, None, priority, now);
            host.feed(leg, Input::Start, now);
        }
        self.finish(i);
    }

    /// SIGKILL: the addresses stay.
    pub(crate) fn kill(&mut self, i: usize) {
        self.hosts[i].alive = false;
        self.hosts[i].paused_until = None;
    }

    /// Power: the addresses are gone too.
    pub(crate) fn power_off(&mut self, i: usize) {
        self.kill(i);
        self.hosts[i].legs.iter_mut().for_each(|l| l.holds = false);
    }

    pub(crate) fn pause(&mut self, i: usize, until: u64) {
        if self.hosts[i].alive {
            self.hosts[i].paused_until = Some(until);
            self.schedule(until, Event::Resume(i));
        }
    }

    /// On one LAN: whom `from` is heard by.
    pub(crate) fn cut(&mut self, leg: usize, from: usize, to: usize, cut: bool) {
        self.cut[leg][from][to] = cut;
        self.compare();
    }

    /// On one LAN: the two halves do not hear each other.
    pub(crate) fn part(&mut self, leg: usize, left: &[bool]) {
        self.cut[leg] = left.iter().map(|a| left.iter().map(|b| a != b).collect()).collect();
        self.compare();
    }

    pub(crate) fn join(&mut self) {
        let n = self.hosts.len();
        self.cut = vec![vec![vec![false; n]; n]; self.legs()];
        self.compare();
    }

    fn schedule(&mut self, at: u64, event: Event) {
        self.serial += 1;
        self.events.push(Reverse((at, self.serial, event)));
    }

    /// A fault of one LAN's interface, and what the priority is.
    pub(crate) fn track(&mut self, i: usize, leg: usize, fault: Option<bool>, priority: u8) {
        if self.hosts[i].alive {
            let now = self.hosts[i].local(self.now);
            self.hosts[i].track(leg, fault, priority, now);
            self.finish(i);
        }
    }

    /// Tells one router of a running host something.
    pub(crate) fn tell(&mut self, i: usize, leg: usize, input: Input) {
        if self.hosts[i].alive {
            let now = self.hosts[i].local(self.now);
            self.hosts[i].feed(leg, input, now);
            self.finish(i);
        }
    }

    /// The whole process ends.
    pub(crate) fn stop(&mut self, i: usize) {
        if self.hosts[i].alive {
            let now = self.hosts[i].local(self.now);
            (0..self.legs()).for_each(|leg| self.hosts[i].feed(leg, Input::Stop, now));
            self.finish(i);
        }
    }

    /// Other parameters; whoever is master stays it, and nobody says goodbye or lets an address go.
    pub(crate) fn reload(&mut self, i: usize, change: impl Fn(&mut Params)) {
        if !self.hosts[i].alive {
            return;
        }
        let now = self.hosts[i].local(self.now);
        let host = &mut self.hosts[i];
        let before: Vec<State> = host.legs.iter().map(vrrpd_state).collect();
        let mut priority = host.legs[0].router.tracked().priority;
        for leg in 0..host.legs.len() {
            let mut params = host.legs[leg].params.clone();
            change(&mut params);
            if params.priority != host.legs[leg].params.priority {
                priority = params.priority;
            }
            self.longest = self.longest.max(params.interval);
            host.legs[leg].params = params.clone();
            host.legs[leg].door.interval = params.interval;
            host.feed(leg, Input::Reload(Box::new(params)), now);
        }
        host.track(0, None, priority, now);
        let after: Vec<State> = host.legs.iter().map(vrrpd_state).collect();
        assert_eq!(before, after, "a reload changes a state");
        assert!(host.outbox.iter().all(|(_, p)| *p > 0), "a reload says goodbye");
        self.finish(i);
    }

    /// Lets the group follow, and sends what is to be sent.
    fn finish(&mut self, i: usize) {
        let now = self.hosts[i].local(self.now);
        self.hosts[i].settle(now);
        let mut outbox = std::mem::take(&mut self.hosts[i].outbox);
        for (leg, priority) in outbox.drain(..) {
            self.send(i, leg, priority);
        }
        self.hosts[i].outbox = outbox;
        self.compare();
    }

    fn send(&mut self, i: usize, leg: usize, priority: u8) {
        let host = &mut self.hosts[i];
        let l = &mut host.legs[leg];
        l.last_advert = Some(self.now);
        let interval = nanos(l.params.interval);
        l.promised = self.now + interval + interval / DRIFT + 10;
        let packet = Packet {
            version: l.params.version,
            vrid: VRID,
            priority,
            interval: l.params.interval,
            auth: l.door.auth,
            vips: &l.door.vips[..],
        };
        self.buffer.clear();
        packet.emit(host.addr, group(), &mut self.buffer);
        let from = host.addr;
        let bytes: Rc<[u8]> = self.buffer.as_slice().into();
        for to in (0..self.hosts.len()).filter(|to| *to != i) {
            if !self.cut[leg][i][to] {
                self.put(to, leg, from, &bytes);
            }
        }
    }

    /// Puts a packet on its way; it may be lost, doubled, late, and overtaken.
    pub(crate) fn put(&mut self, to: usize, leg: usize, from: IpAddr, bytes: &Rc<[u8]>) {
        let copies = if self.rng.percent(self.duplicates) { 2 } else { 1 };
        for _ in 0..copies {
            if !self.rng.percent(self.loss) {
                let at = self.now + self.rng.range(self.delay / 10, self.delay);
                self.schedule(at, Event::Deliver { to, leg, from, bytes: Rc::clone(bytes) });
            }
        }
    }

    fn hear(&mut self, i: usize, leg: usize, from: IpAddr, bytes: &[u8]) {
        if !self.hosts[i].alive {
            return;
        }
        self.heard += 1;
        let way = Way { src: from, dst: group(), ttl: 255 };
        let Ok(packet) = Packet::parse(bytes, way.src, way.dst) else { return };
        let host = &self.hosts[i];
        if packet.vrid != VRID {
            return;
        }
        if let Ok(advert) = host.legs[leg].door.admit(&packet, way, Some(host.addr)) {
            self.tell(i, leg, Input::Advert(advert));
        }
    }

    /// Goes on to the next thing that happens, at most to `until`; false when that has come.
    pub(crate) fn step(&mut self, until: u64) -> bool {
        let timers = self.hosts.iter().enumerate().filter_map(|(i, h)| Some((h.deadline()?, i)));
        let timer = timers.min();
        let packet = self.events.peek().map(|Reverse((at, ..))| *at);
        let next = [timer.map(|t| t.0.0), packet].into_iter().flatten().min().unwrap_or(u64::MAX);
        if next > until {
            self.now = until;
            return false;
        }
        self.now = self.now.max(next);
        // What has been heard counts before a timer of the same moment, as in the daemon.
        if packet.is_some_and(|p| p <= next) {
            if let Some(Reverse((_, _, event))) = self.events.pop() {
                self.happen(event);
            }
        } else if let Some(((_, leg), i)) = timer {
            self.tell(i, leg, Input::Tick);
        }
        self.punctual();
        true
    }

    pub(crate) fn run(&mut self, until: u64) {
        while self.step(until) {}
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Deliver { to, leg, from, bytes } if self.hosts[to].paused_until.is_some() => {
                self.hosts[to].queue.push((leg, from, bytes));
            }
            Event::Deliver { to, leg, from, bytes } => self.hear(to, leg, from, &bytes),
            Event::Resume(i) if self.hosts[i].paused_until.is_some_and(|t| t <= self.now) => self.wake(i),
            Event::Resume(_) => (),
        }
    }

    fn wake(&mut self, i: usize) {
        self.hosts[i].paused_until = None;
        // Whoever slept is late once.
        for leg in &mut self.hosts[i].legs {
            leg.promised = leg.promised.max(self.now + 10);
        }
        for (leg, from, bytes) in std::mem::take(&mut self.hosts[i].queue) {
            self.hear(i, leg, from, &bytes);
        }
    }

    /// No packet, good or bad, makes a running master late.
    fn punctual(&self) {
        for host in self.hosts.iter().filter(|h| h.runs()) {
            for leg in host.legs.iter().filter(|l| l.state() == State::Master) {
                assert!(
                    self.now <= leg.promised,
                    "{}: a master is silent since {:?}",
                    host.addr,
                    leg.last_advert
                );
            }
        }
    }

    /// Two that are master and hear each other, without loss, are so for at most one advertisement.
    fn compare(&mut self) {
        for leg in 0..self.legs() {
            for a in 0..self.hosts.len() {
                for b in 0..a {
                    self.compare_two(leg, a, b);
                }
            }
        }
    }

    fn compare_two(&mut self, leg: usize, a: usize, b: usize) {
        let master = |i: usize| self.hosts[i].runs() && self.hosts[i].is_master(leg);
        let hear = !self.cut[leg][a][b] && !self.cut[leg][b][a] && self.loss == 0;
        let since = &mut self.rivals[leg][a][b];
        if !(hear && master(a) && master(b)) {
            *since = None;
            return;
        }
        let interval = |i: usize| {
            let l: &crate::host::Leg = &self.hosts[i].legs[leg];
            nanos(l.params.interval).max(l.promised.saturating_sub(l.last_advert.unwrap_or(0)))
        };
        let patience = interval(a).max(interval(b)) + slack(self.delay, interval(a).max(interval(b)));
        let since = *since.get_or_insert(self.now);
        assert!(
            self.now - since <= patience,
            "{a} and {b} are master together since {since}, now {}",
            self.now
        );
    }

    /// How everything stands, for the message of a failure.
    pub(crate) fn show(&self) -> String {
        let host = |h: &Host| {
            let legs: String = h
                .legs
                .iter()
                .map(|l| format!("\n  {} {:?} {:?}", l.state(), l.router.tracked(), l.params))
                .collect();
            format!("\n{} alive {} deadline {:?}{legs}", h.addr, h.alive, h.deadline())
        };
        format!("at {}{}", self.now, self.hosts.iter().map(host).collect::<String>())
    }

    /// Who is master on a LAN.
    pub(crate) fn masters(&self, leg: usize) -> Vec<usize> {
        (0..self.hosts.len()).filter(|i| self.hosts[*i].is_master(leg)).collect()
    }

    pub(crate) fn transitions(&self) -> u64 {
        self.hosts.iter().map(|h| h.transitions).sum()
    }

    /// The longest interval and the longest master down interval that anyone may go by.
    pub(crate) fn slowest(&self) -> (u64, u64) {
        let legs = self.hosts.iter().flat_map(|h| &h.legs);
        let down = legs.map(|l| nanos(master_down(&l.params, 1, self.longest)));
        (nanos(self.longest), down.max().unwrap())
    }
}

fn vrrpd_state(leg: &crate::host::Leg) -> State {
    leg.state()
}

/// What the network's delay and the clocks' drift add to a wait.
pub(crate) fn slack(delay: u64, wait: u64) -> u64 {
    2 * delay + wait / DRIFT + 10
}
