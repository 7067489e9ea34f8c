//! The connections of a planned handover: no request fails when the addresses move on purpose.
//!
//! A director resets every connection that it does not know, and what comes through the VIP at the moment of its move
//! is known to the old one only. So the old one tells the new one its connections in the words of IPVS's own
//! synchronisation, once soon after it has said goodbye and once more when it has given the addresses up. The new one
//! lets the kernel listen from the moment that it knows of its turn, keeps its own TCP silent on the ports of its
//! services until it has been told, lets the old one forward what came meanwhile, and gives its own IPVS a second look at it.
//!
//! Where the kernel has no IPVS, or no service at these addresses, nothing of this happens.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::Path;
use std::thread::JoinHandle;
use std::time::Duration;

use lvs_core::addr::Family;
use lvs_core::conf::model::SyncDaemon;
use lvs_core::ipvs::Ipvs;
use lvs_core::plan::{Daemon, DaemonRole, Op};
use lvs_core::sys::ipvs::Client;
use lvs_core::sys::poll::{Interest, Poll};
use lvs_core::sys::rtnl::Rtnl;
use lvs_core::sys::sysctl::{self, Key};
use lvs_core::time::Time;

use self::catch::{Catch, Move};
use self::relay::Relay;
use self::silence::Silence;
use self::tell::{Audience, Telling};
use crate::instance::Instance;
use crate::spec::Spec;
use crate::timers::handover;

mod catch;
mod kept;
mod packet;
mod relay;
mod silence;
mod tell;

/// Only where the module is loaded: to ask for it would load it.
const IPVS: &str = "/proc/net/ip_vs";
/// The successor lets its kernel listen as soon as it hears the goodbye.
const AFTER_GOODBYE: Duration = Duration::from_millis(50);
/// Addresses that are given up one after the other are told together.
const TOGETHER: Duration = Duration::from_millis(20);
/// How often it is looked whether all has been told.
const LOOK: Duration = Duration::from_millis(5);
/// The old director helps no longer than the list of its connections takes.
const RELAYED: Duration = Duration::from_millis(400);
/// The kernel listens a little longer.
const LISTENING: Duration = Duration::from_secs(1);

/// What is under way.
pub struct Handover {
    silence: Silence,
    /// What came too early.
    catches: Vec<Catch>,
    /// What came to the successor too early.
    relays: Vec<Relay>,
    poll: Poll,
    /// The kernel listens until then; the daemon that is stopped then.
    listening: Option<(u32, Time)>,
    /// What is to be told, and when.
    telling: Telling,
    due: Option<Time>,
    told: Option<Time>,
    teller: Option<JoinHandle<()>>,
}

impl Handover {
    /// Nothing is under way.
    ///
    /// # Errors
    /// Out of file descriptors.
    pub fn new() -> io::Result<Self> {
        Ok(Self {
            silence: Silence::default(),
            catches: Vec::new(),
            relays: Vec::new(),
            poll: Poll::new()?,
            listening: None,
            telling: Telling::new(),
            due: None,
            told: None,
            teller: None,
        })
    }

    /// Removes what an earlier run left behind, which would keep services of this host silent; gives the number of rules.
    ///
    /// # Errors
    /// What the kernel says.
    pub fn clean(rtnl: &mut Rtnl) -> Result<usize, String> {
        silence::clean(rtnl)
    }

    /// The master will hand over to this instance within `wait`, by its own will or because it is outdone.
    pub fn expect(&mut self, spec: &Spec, wait: Duration, now: Time, rtnl: &mut Rtnl) {
        if !Path::new(IPVS).exists() || is_passive() {
            return;
        }
        if self.silence.keep(spec, now + wait + silence::LENGTH, now, rtnl) {
            self.listen(spec, now + wait + LISTENING);
        }
    }

    /// The instance is about to take its addresses.
    pub fn taking(&mut self, at: &Instance, now: Time) {
        if !self.concerns(&at.spec) {
            return;
        }
        self.silence.end_soon(&at.spec, now);
        let (Some(link), Some(to), Some(from)) = (at.link, at.source, at.router.predecessor()) else {
            return;
        };
        let catch = Catch::open(&at.spec.interface, link, Move { to, from }, now);
        match catch.and_then(|c| self.poll.add(c.socket(), 0, Interest::Read).map(|()| c)) {
            Ok(catch) => self.catches.push(catch),
            Err(e) => log::debug!("{}: cannot keep what comes during the handover: {e}", at.spec.name),
        }
    }

    /// Takes what has come too early, here or at the successor.
    pub fn hear(&mut self) {
        self.catches.iter_mut().for_each(|c| c.hear(|vip, port| self.silence.covers(vip, port)));
        self.relays.iter_mut().for_each(Relay::hear);
    }

    /// The instance has said goodbye and waits for its successor: what is established can be told already.
    pub fn leaving(&mut self, at: &Instance, config: Option<&SyncDaemon>, now: Time) {
        self.tell_at(&at.spec, config, now + AFTER_GOODBYE);
        self.relay(at, now + handover(&at.spec.params) + RELAYED);
    }

    /// The instance was outdone and gives its addresses up in a moment.
    pub fn outdone(&mut self, at: &Instance, now: Time) {
        self.relay(at, now + RELAYED);
    }

    /// The instance has given up its addresses: no connection comes through them any more.
    pub fn left(&mut self, at: &Instance, config: Option<&SyncDaemon>, now: Time) {
        let next = self.told.map_or(now, |t| (t + TOGETHER).max(now));
        self.tell_at(&at.spec, config, next);
        for relay in self.relays.iter_mut().filter(|r| at.spec.vips.iter().any(|v| r.is_for(v.prefix.addr))) {
            relay.until = now + RELAYED;
        }
    }

    fn relay(&mut self, at: &Instance, until: Time) {
        let Some(link) = at.link.filter(|_| at.spec.family == Family::Inet && Path::new(IPVS).exists())
        else {
            return;
        };
        let vips = at.spec.vips.iter().map(|v| v.prefix.addr).collect();
        let relay = Relay::open(&at.spec.interface, link, vips, until);
        match relay.and_then(|r| self.poll.add(r.ear(), 0, Interest::Read).map(|()| r)) {
            Ok(relay) => self.relays.push(relay),
            Err(e) => log::debug!("{}: cannot help the successor: {e}", at.spec.name),
        }
    }

    fn tell_at(&mut self, spec: &Spec, config: Option<&SyncDaemon>, at: Time) {
        if !Path::new(IPVS).exists() {
            return;
        }
        let vips = spec.vips.iter().map(|v| v.prefix.addr);
        self.telling.entry(Audience::of(spec, config)).or_default().extend(vips);
        self.due = Some(self.due.map_or(at, |d| d.min(at)));
    }

    /// Whether this instance is about to take over from a master that tells its connections, or just has.
    pub fn concerns(&self, spec: &Spec) -> bool {
        self.silence.concerns(spec)
    }

    /// Whether the successor still needs this director.
    pub fn is_helping(&self) -> bool {
        self.due.is_some() || self.teller.is_some() || !self.relays.is_empty()
    }

    /// When it wants [`Handover::tick`].
    pub fn deadline(&self) -> Option<Time> {
        let caught = self.catches.iter().filter_map(Catch::deadline);
        let relayed = self.relays.iter().map(|r| r.until);
        let others = [self.silence.deadline(), self.due, self.listening.map(|l| l.1)];
        caught.chain(relayed).chain(others.into_iter().flatten()).min()
    }

    /// Does what is due.
    pub fn tick(&mut self, now: Time, rtnl: &mut Rtnl) {
        if self.due.is_some_and(|due| due <= now) {
            self.tell(now);
        }
        for catch in self.catches.iter_mut().filter(|c| c.deadline().is_some_and(|d| d <= now)) {
            catch.turn();
        }
        self.relays.retain(|r| r.until > now);
        self.catches.retain(|c| c.deadline().is_some());
        if self.listening.is_some_and(|(_, until)| until <= now) {
            self.stop_listening();
        }
        self.silence.tick(now, rtnl);
    }

    /// Ends it at once and leaves nothing behind.
    pub fn end(&mut self, rtnl: &mut Rtnl) {
        self.silence.end(rtnl);
        self.stop_listening();
        self.catches.clear();
        self.relays.clear();
        (self.telling, self.due, self.teller) = (Telling::new(), None, None);
    }

    /// One at a time: a thread that is under way may have passed what is new already.
    fn tell(&mut self, now: Time) {
        drop(self.teller.take_if(|t| t.is_finished()));
        if self.teller.is_none() && !self.telling.is_empty() {
            self.told = Some(now);
            match tell::start(std::mem::take(&mut self.telling)) {
                Ok(teller) => self.teller = Some(teller),
                Err(e) => log::warn!("cannot tell the successor the connections: {e}"),
            }
        }
        self.due = self.teller.is_some().then(|| now + LOOK);
    }

    /// A daemon that runs already, lvs_sync_daemon's or the administrator's, hears as well.
    fn listen(&mut self, spec: &Spec, until: Time) {
        if let Some((_, end)) = &mut self.listening {
            *end = until.max(*end);
            return;
        }
        let daemon = Daemon {
            role: DaemonRole::Backup,
            interface: spec.interface.clone(),
            // Hears whichever number the other side uses.
            sync_id: 0,
            max_len: 0,
            group: None,
            port: 0,
            ttl: 0,
        };
        if carry_out(Op::StartDaemon(daemon)) {
            self.listening = Some((0, until));
        }
    }

    /// The daemon of lvs_sync_daemon goes on listening until the end of the handover, though its instance is master.
    pub fn stop_later(&mut self, daemon: &SyncDaemon, now: Time) {
        self.listening = Some((*daemon.id, now + LISTENING));
    }

    /// It listens on: its instance is backup again.
    pub fn listen_on(&mut self) {
        self.listening = None;
    }

    fn stop_listening(&mut self) {
        if let Some((id, _)) = self.listening.take() {
            carry_out(Op::StopDaemon(DaemonRole::Backup, id));
        }
    }
}

/// Readable when something has come too early.
impl AsFd for Handover {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.poll.as_fd()
    }
}

/// With backup_only a director that listens forwards nothing, which is worse than what this mends.
fn is_passive() -> bool {
    matches!(sysctl::read(&Key::path("net/ipv4/vs/backup_only")), Ok(Some(n)) if n != 0)
}

fn carry_out(op: Op) -> bool {
    let Ok(mut client) = Client::open() else { return false };
    match client.apply(&[op]).pop() {
        Some(Err(e)) => {
            log::debug!("handover: {e}");
            false
        }
        other => other.is_some(),
    }
}
