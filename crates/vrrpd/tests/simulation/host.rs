//! One host: a process with one or two virtual routers, each on a LAN of its own, its clock, and what the kernel holds.

use std::net::IpAddr;
use std::rc::Rc;

use lvs_core::time::Time;
use vrrpd::door::Door;
use vrrpd::group::{self, Crew, Member, Order};
use vrrpd::packet::{Auth, Version};
use vrrpd::params::{OWNER, Params};
use vrrpd::router::Router;
use vrrpd::words::{Action, Cause, Input, State, Tracked};

use crate::rng::Rng;

/// The bits of a router's faults, as the daemon has one for the group.
const OWN: u32 = 1;
const GROUP: u32 = 2;

/// One virtual router of a host.
pub(crate) struct Leg {
    pub(crate) router: Router,
    pub(crate) params: Params,
    pub(crate) door: Door,
    /// The kernel holds the addresses.
    pub(crate) holds: bool,
    /// When it last advertised, and when it must do so again, in true time.
    pub(crate) last_advert: Option<u64>,
    pub(crate) promised: u64,
    own_fault: bool,
    group_fault: bool,
    /// On its own clock: the first lower advertisement since it has heard nothing but lower masters.
    tolerated: Option<Time>,
    /// Who said goodbye last, and when.
    goodbye: Option<(IpAddr, Time)>,
}

/// A host of one process.
pub(crate) struct Host {
    pub(crate) legs: Vec<Leg>,
    pub(crate) addr: IpAddr,
    /// The clock runs fast by so many millionths.
    drift: i64,
    /// What its clock showed at the beginning.
    offset: u64,
    /// The process runs.
    pub(crate) alive: bool,
    /// It stands still until then.
    pub(crate) paused_until: Option<u64>,
    /// What lies in its sockets.
    pub(crate) queue: Vec<(usize, IpAddr, Rc<[u8]>)>,
    /// Changes of state that the group has not followed yet.
    moves: Vec<(usize, State, State)>,
    /// What it wants sent: (leg, priority).
    pub(crate) outbox: Vec<(usize, u8)>,
    pub(crate) transitions: u64,
    actions: Vec<Action>,
}

impl Leg {
    fn new(params: Params) -> Self {
        let auth = if params.version == Version::V2 { Auth::Pass(*b"password") } else { Auth::None };
        let door = Door {
            version: params.version,
            interval: params.interval,
            auth,
            vips: vec![IpAddr::from([192, 168, 15, 200])],
            peers: Vec::new(),
            check_source: false,
            old_sum: None,
        };
        Self {
            router: Router::new(params.clone()),
            params,
            door,
            holds: false,
            last_advert: None,
            promised: 0,
            own_fault: false,
            group_fault: false,
            tolerated: None,
            goodbye: None,
        }
    }

    fn restart(&mut self) {
        let (params, own_fault) = (self.params.clone(), self.own_fault);
        *self = Self { own_fault, ..Self::new(params) };
    }

    /// preempt_delay and nopreempt, judged without the router's own timers.
    fn judge(&mut self, input: &Input, now: Time) {
        let Input::Advert(advert) = input else { return };
        if advert.priority == 0 {
            self.goodbye = Some((advert.src, now));
        } else if self.goodbye.is_some_and(|(who, at)| who == advert.src && now - at < advert.interval / 10) {
            // Overtaken by its goodbye.
            return;
        }
        if advert.priority == 0 || advert.priority >= self.router.tracked().priority {
            self.tolerated = None;
        } else if self.router.state() == State::Backup {
            self.tolerated.get_or_insert(now);
        }
    }

    fn entered(&mut self, to: State, cause: Cause, now: Time) {
        if let (State::Master, Cause::Preempted { .. }) = (to, cause) {
            assert!(self.params.preempt, "nopreempt, and it preempts");
            let tolerated = self.tolerated.map(|t| now - t);
            assert!(
                tolerated >= Some(self.params.preempt_delay),
                "preempt_delay {:?}, and it preempts after {tolerated:?}",
                self.params.preempt_delay
            );
        }
        self.tolerated = None;
    }

    fn tracked(&self, priority: u8) -> Tracked {
        let bit = |on, bit| if on { bit } else { 0 };
        Tracked { priority, faults: bit(self.own_fault, OWN) | bit(self.group_fault, GROUP) }
    }

    pub(crate) fn state(&self) -> State {
        self.router.state()
    }

    /// What concerns the group though the state is the same.
    fn stirring(&self) -> (bool, u32) {
        (self.router.is_ripe(), self.router.tracked().faults)
    }
}

/// The members of a host's sync group.
struct Group<'a> {
    host: &'a mut Host,
    now: Time,
}

impl Crew for Group<'_> {
    fn standing(&self) -> Vec<Member> {
        let member = |l: &Leg| Member { state: l.state(), ripe: l.router.is_ripe(), faulty: l.own_fault };
        self.host.legs.iter().map(member).collect()
    }

    fn obey(&mut self, member: usize, order: Order) {
        let input = match order {
            Order::Fault(fault) => {
                self.host.legs[member].group_fault = fault;
                return self.host.account(member, self.now);
            }
            Order::Master => Input::GroupMaster,
            Order::Backup => Input::GroupBackup,
            Order::Release => Input::Release,
            Order::Resume => Input::Resume,
        };
        self.host.feed(member, input, self.now);
    }
}

impl Host {
    pub(crate) fn new(addr: IpAddr, legs: &[Params], rng: &mut Rng) -> Self {
        Self {
            legs: legs.iter().cloned().map(Leg::new).collect(),
            addr,
            drift: i64::try_from(rng.range(0, 400)).unwrap() - 200,
            offset: rng.range(0, 1 << 40),
            alive: true,
            paused_until: None,
            queue: Vec::new(),
            moves: Vec::new(),
            outbox: Vec::new(),
            transitions: 0,
            actions: Vec::new(),
        }
    }

    /// A new process: what the old one left in the kernel goes before anything else happens.
    pub(crate) fn restart(&mut self) {
        self.legs.iter_mut().for_each(Leg::restart);
        self.alive = true;
        self.paused_until = None;
        self.queue.clear();
    }

    /// What its clock shows.
    pub(crate) fn local(&self, now: u64) -> Time {
        let skewed = i128::from(now) * i128::from(1_000_000 + self.drift) / 1_000_000;
        Time::from_nanos(self.offset + u64::try_from(skewed).unwrap())
    }

    /// When its clock will show `local`; never early.
    fn global(&self, local: Time) -> u64 {
        let skewed = i128::from(local.as_nanos().saturating_sub(self.offset));
        u64::try_from(skewed * 1_000_000 / i128::from(1_000_000 + self.drift) + 2).unwrap()
    }

    pub(crate) fn runs(&self) -> bool {
        self.alive && self.paused_until.is_none()
    }

    pub(crate) fn is_master(&self, leg: usize) -> bool {
        self.alive && self.legs[leg].state() == State::Master
    }

    pub(crate) fn is_able(&self, now: u64) -> bool {
        let able = |l: &Leg| matches!(l.state(), State::Backup | State::Master);
        self.alive && !self.is_early(now) && self.legs.iter().all(able)
    }

    pub(crate) fn is_early(&self, now: u64) -> bool {
        self.legs.iter().any(|l| l.router.is_early(self.local(now)))
    }

    pub(crate) fn is_owner(&self) -> bool {
        self.legs[0].params.priority == OWNER
    }

    /// The next deadline in true time, and whose it is.
    pub(crate) fn deadline(&self) -> Option<(u64, usize)> {
        if !self.runs() {
            return None;
        }
        let legs = self.legs.iter().enumerate();
        let next = legs.filter_map(|(n, l)| Some((l.router.deadline()?, n))).min()?;
        Some((self.global(next.0), next.1))
    }

    /// Sets a fault of a router's own, and the priority of all of them, as tracking does.
    pub(crate) fn track(&mut self, leg: usize, fault: Option<bool>, priority: u8, now: Time) {
        if let Some(fault) = fault {
            self.legs[leg].own_fault = fault;
        }
        for leg in 0..self.legs.len() {
            let tracked = self.legs[leg].tracked(priority);
            self.feed(leg, Input::Track(tracked), now);
        }
        self.settle(now);
    }

    /// Hands the account of a router on, if it says anything new.
    fn account(&mut self, leg: usize, now: Time) {
        let tracked = self.legs[leg].tracked(self.legs[leg].router.tracked().priority);
        if tracked != self.legs[leg].router.tracked() {
            self.feed(leg, Input::Track(tracked), now);
        }
    }

    /// Tells a router something and does what it asks for, as the daemon's driver does.
    pub(crate) fn feed(&mut self, at: usize, input: Input, now: Time) {
        let mut actions = std::mem::take(&mut self.actions);
        let leg = &mut self.legs[at];
        leg.judge(&input, now);
        let before = leg.stirring();
        leg.router.handle(input, now, &mut actions);
        for action in actions.drain(..) {
            let leg = &mut self.legs[at];
            match action {
                Action::Advertise(priority) => self.outbox.push((at, priority)),
                Action::TakeVips => leg.holds = true,
                Action::DropVips => leg.holds = false,
                Action::Enter { from, to, cause } => {
                    leg.entered(to, cause, now);
                    self.transitions += 1;
                    self.moves.push((at, from, to));
                }
                Action::AwaitVips
                | Action::Garp(_)
                | Action::ExtraGarp
                | Action::SeekPeers
                | Action::Note(_) => (),
            }
        }
        self.actions = actions;
        let leg = &self.legs[at];
        if leg.stirring() != before {
            self.moves.push((at, leg.state(), leg.state()));
        }
    }

    /// Lets the sync group follow, until nothing follows any more; then it stands as one.
    pub(crate) fn settle(&mut self, now: Time) {
        let mut rounds = 0;
        while !self.moves.is_empty() {
            let (moved, from, to) = self.moves.remove(0);
            if self.legs.len() > 1 {
                group::follow(&mut Group { host: self, now }, Some(moved), from, to);
            }
            rounds += 1;
            assert!(rounds < 100, "the group does not come to rest");
        }
        self.judge_group();
    }

    fn states(&self) -> Vec<State> {
        self.legs.iter().map(Leg::state).collect()
    }

    fn judge_group(&self) {
        let count = |state| self.legs.iter().filter(|l| l.state() == state).count();
        let masters = count(State::Master);
        assert!(
            masters == 0 || masters == self.legs.len(),
            "a sync group is master in part: {:?}",
            self.states()
        );
        let sound = !self.legs.iter().any(|l| l.own_fault);
        assert!(
            !sound || count(State::Fault) == 0,
            "a sync group without a fault stays in FAULT: {:?}",
            self.states()
        );
        assert!(sound || masters == 0, "a sync group with a fault is master");
        for leg in &self.legs {
            assert_eq!(leg.holds, leg.router.holds(), "addresses and state differ");
            assert!(
                leg.router.deadline().is_none() || leg.state() != State::Stopped,
                "a stopped router waits"
            );
        }
    }
}
