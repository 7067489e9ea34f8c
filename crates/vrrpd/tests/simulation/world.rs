//! Two to five routers, their clocks, and the network between them, on one false clock.
//!
//! Packets are real bytes: each goes through `emit`, the faulty network, `parse` and the receiver's door.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::net::IpAddr;
use std::time::Duration;

use lvs_core::time::Time;
use vrrpd::door::{Door, Way};
use vrrpd::packet::{Auth, Packet, Version};
use vrrpd::params::Params;
use vrrpd::router::Router;
use vrrpd::words::{Action, Input, State, Tracked};

use crate::rng::Rng;

pub(crate) const VRID: u8 = 51;

/// One host: its router, its clock, and what the kernel holds for it.
pub(crate) struct Host {
    pub(crate) router: Router,
    pub(crate) params: Params,
    pub(crate) door: Door,
    pub(crate) addr: IpAddr,
    /// The clock runs fast by so many millionths.
    drift: i64,
    /// What its clock showed at the beginning.
    offset: u64,
    /// The kernel holds the addresses.
    pub(crate) holds: bool,
    /// The process runs.
    pub(crate) alive: bool,
    /// It stands still until then.
    pub(crate) paused_until: Option<u64>,
    /// What lies in its socket.
    queue: Vec<(IpAddr, Vec<u8>)>,
    pub(crate) last_advert: Option<u64>,
}

/// What will happen.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    Deliver { to: usize, from: IpAddr, bytes: Vec<u8> },
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
    /// Who can hear whom.
    pub(crate) cut: Vec<Vec<bool>>,
    pub(crate) transitions: u64,
}

pub(crate) fn addr(i: usize) -> IpAddr {
    IpAddr::from([192, 168, 15, u8::try_from(100 + i).unwrap()])
}

fn group() -> IpAddr {
    IpAddr::from([224, 0, 0, 18])
}

fn ns(d: Duration) -> u64 {
    u64::try_from(d.as_nanos()).unwrap()
}

impl Host {
    fn new(i: usize, params: Params, rng: &mut Rng) -> Self {
        let auth = if params.version == Version::V2 { Auth::Pass(*b"password") } else { Auth::None };
        let door = Door {
            version: params.version,
            interval: params.interval,
            auth,
            vips: vec![IpAddr::from([192, 168, 15, 200])],
            peers: Vec::new(),
            check_source: false,
        };
        Self {
            router: Router::new(params.clone()),
            params,
            door,
            addr: addr(i),
            drift: i64::try_from(rng.range(0, 400)).unwrap() - 200,
            offset: rng.range(0, 1 << 40),
            holds: false,
            alive: true,
            paused_until: None,
            queue: Vec::new(),
            last_advert: None,
        }
    }

    /// What its clock shows.
    fn local(&self, now: u64) -> Time {
        let skewed = i128::from(now) * i128::from(1_000_000 + self.drift) / 1_000_000;
        Time::from_nanos(self.offset + u64::try_from(skewed).unwrap())
    }

    /// When its clock will show `local`; never early.
    fn global(&self, local: Time) -> u64 {
        let skewed = i128::from(local.as_nanos().saturating_sub(self.offset));
        u64::try_from(skewed * 1_000_000 / i128::from(1_000_000 + self.drift) + 2).unwrap()
    }

    pub(crate) fn is_master(&self) -> bool {
        self.alive && self.router.state() == State::Master
    }

    pub(crate) fn runs(&self) -> bool {
        self.alive && self.paused_until.is_none()
    }

    fn deadline(&self) -> Option<u64> {
        if self.runs() { self.router.deadline().map(|t| self.global(t)) } else { None }
    }
}

impl World {
    pub(crate) fn new(params: Vec<Params>, seed: u64) -> Self {
        let mut rng = Rng::new(seed);
        let hosts: Vec<Host> =
            params.into_iter().enumerate().map(|(i, p)| Host::new(i, p, &mut rng)).collect();
        let cut = vec![vec![false; hosts.len()]; hosts.len()];
        let (events, serial) = (BinaryHeap::new(), 0);
        Self { now: 0, hosts, events, serial, rng, loss: 0, duplicates: 0, delay: 1_000, cut, transitions: 0 }
    }

    pub(crate) fn boot(&mut self, i: usize) {
        let host = &mut self.hosts[i];
        // An address left by a crash goes before anything else happens.
        host.holds = false;
        host.router = Router::new(host.params.clone());
        host.alive = true;
        host.paused_until = None;
        host.queue.clear();
        self.tell(i, Input::Source(Some(addr(i))));
        self.tell(i, Input::Start);
    }

    /// SIGKILL: the addresses stay.
    pub(crate) fn kill(&mut self, i: usize) {
        self.hosts[i].alive = false;
        self.hosts[i].paused_until = None;
        self.hosts[i].last_advert = None;
    }

    /// Power: the addresses are gone too.
    pub(crate) fn power_off(&mut self, i: usize) {
        self.kill(i);
        self.hosts[i].holds = false;
    }

    pub(crate) fn pause(&mut self, i: usize, until: u64) {
        self.hosts[i].paused_until = Some(until);
        self.schedule(until, Event::Resume(i));
    }

    pub(crate) fn track(&mut self, i: usize, tracked: Tracked) {
        self.tell(i, Input::Track(tracked));
    }

    fn schedule(&mut self, at: u64, event: Event) {
        self.serial += 1;
        self.events.push(Reverse((at, self.serial, event)));
    }

    /// Tells a running router something and carries out what it asks for.
    pub(crate) fn tell(&mut self, i: usize, input: Input) {
        if !self.hosts[i].alive {
            return;
        }
        let mut out = Vec::new();
        let now = self.hosts[i].local(self.now);
        self.hosts[i].router.handle(input, now, &mut out);
        for action in out {
            self.act(i, action);
        }
        let host = &self.hosts[i];
        assert_eq!(host.holds, host.router.state().holds(), "addresses and state differ on {i}");
        if let Some(deadline) = host.router.deadline() {
            assert!(host.router.state() != State::Stopped, "{deadline:?} of a stopped router");
        }
    }

    fn act(&mut self, i: usize, action: Action) {
        match action {
            Action::Advertise(priority) => {
                self.hosts[i].last_advert = Some(self.now);
                self.send(i, priority);
            }
            Action::TakeVips => self.hosts[i].holds = true,
            Action::DropVips => self.hosts[i].holds = false,
            Action::Enter { .. } => self.transitions += 1,
            Action::Garp(_) | Action::Note(_) => (),
        }
    }

    fn send(&mut self, i: usize, priority: u8) {
        let host = &self.hosts[i];
        let packet = Packet {
            version: host.params.version,
            vrid: VRID,
            priority,
            interval: host.params.interval,
            auth: host.door.auth,
            vips: &host.door.vips[..],
        };
        let mut bytes = Vec::new();
        packet.emit(host.addr, group(), &mut bytes);
        let from = host.addr;
        for to in (0..self.hosts.len()).filter(|to| *to != i) {
            if !self.cut[i][to] {
                self.put(to, from, &bytes);
            }
        }
    }

    /// Puts a packet on its way; it may be lost, doubled, late, and overtaken.
    pub(crate) fn put(&mut self, to: usize, from: IpAddr, bytes: &[u8]) {
        let copies = if self.rng.percent(self.duplicates) { 2 } else { 1 };
        for _ in 0..copies {
            if !self.rng.percent(self.loss) {
                let at = self.now + self.rng.range(self.delay / 10, self.delay);
                self.schedule(at, Event::Deliver { to, from, bytes: bytes.to_vec() });
            }
        }
    }

    fn hear(&mut self, i: usize, from: IpAddr, bytes: &[u8]) {
        let way = Way { src: from, dst: group(), ttl: 255 };
        let Ok(packet) = Packet::parse(bytes, way.src, way.dst) else { return };
        let host = &self.hosts[i];
        if packet.vrid != VRID {
            return;
        }
        if let Ok(advert) = host.door.admit(&packet, way, Some(host.addr)) {
            self.tell(i, Input::Advert(advert));
        }
    }

    /// Goes on to the next thing that happens, at most to `until`; false when that has come.
    pub(crate) fn step(&mut self, until: u64) -> bool {
        let timer = self.hosts.iter().enumerate().filter_map(|(i, h)| Some((h.deadline()?, i))).min();
        let packet = self.events.peek().map(|Reverse((at, ..))| *at);
        let next = [timer.map(|t| t.0), packet].into_iter().flatten().min().unwrap_or(u64::MAX);
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
        } else if let Some((_, i)) = timer {
            self.tell(i, Input::Tick);
        }
        true
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Deliver { to, from, bytes } if self.hosts[to].paused_until.is_some() => {
                self.hosts[to].queue.push((from, bytes));
            }
            Event::Deliver { to, from, bytes } => self.hear(to, from, &bytes),
            Event::Resume(i) if self.hosts[i].paused_until.is_some_and(|t| t <= self.now) => {
                self.hosts[i].paused_until = None;
                for (from, bytes) in std::mem::take(&mut self.hosts[i].queue) {
                    self.hear(i, from, &bytes);
                }
            }
            Event::Resume(_) => (),
        }
    }

    /// How everything stands, for the message of a failure.
    pub(crate) fn show(&self) -> String {
        let host = |h: &Host| {
            let (tracked, deadline) = (h.router.tracked(), h.deadline());
            let state = h.router.state();
            format!("\n{} {state} {tracked:?} alive {} deadline {deadline:?} {:?}", h.addr, h.alive, h.params)
        };
        format!("at {}{}", self.now, self.hosts.iter().map(host).collect::<String>())
    }

    pub(crate) fn masters(&self) -> Vec<usize> {
        (0..self.hosts.len()).filter(|i| self.hosts[*i].is_master()).collect()
    }

    /// The longest interval and the longest master down interval of all.
    pub(crate) fn slowest(&self) -> (u64, u64) {
        let interval = self.hosts.iter().map(|h| ns(h.params.interval)).max().unwrap();
        let down = self.hosts.iter().map(|h| {
            let slow = Duration::from_nanos(interval);
            ns(vrrpd::timers::master_down(&h.params, 1, slow))
        });
        (interval, down.max().unwrap())
    }
}
