//! One thread that waits, tells the routers what happened, and does what they ask for.

use std::collections::VecDeque;
use std::io;
use std::time::Duration;

use lvs_core::sys::clock;
use lvs_core::sys::poll::{Event, Poll, Signals};
use lvs_core::sys::rtnl::Monitor;
use lvs_core::sys::systemd::Systemd;
use lvs_core::time::Time;
use nix::sys::signal::Signal;

use crate::claim::Claims;
use crate::control::{Client, Listener};
use crate::edge::Edge;
use crate::estate::Keeper;
use crate::handover::Handover;
use crate::instance::Instance;
use crate::notify::notifier::Notifier;
use crate::punctual::{Punctual, Punctuality};
use crate::record::recorder::Recorder;
use crate::spec::Setup;
use crate::status;
use crate::tell;
use crate::track::watch::{News, Watch};
use crate::words::{Action, Input, State};
use lines::Hearing;
use reading::Readings;
pub use trouble::Refusal;
pub(crate) use trouble::cannot;

mod act;
mod answer;
mod estate;
mod group;
mod hear;
mod lines;
mod links;
mod notify;
mod reading;
mod recording;
mod reload;
mod start;
mod trouble;
mod vips;

/// Where a configuration comes from: a file to read anew on SIGHUP, or the command line.
pub trait Source: Clone + Send + 'static {
    /// Reads it; an error is the whole text for the administrator.
    ///
    /// # Errors
    /// All that is wrong with it.
    fn read(&mut self) -> Result<Setup, String>;
}

const SIGNALS: u64 = 0;
const MONITOR: u64 = 1;
const WATCH: u64 = 2;
const NOTIFIER: u64 = 3;
const LISTENER: u64 = 4;
const HANDOVER: u64 = 5;
const READING: u64 = 6;
const LOSSES: u64 = 7;
/// Tokens from here on are lines.
const LINES: u64 = 1 << 32;
/// And from here on those who ask questions.
const CLIENTS: u64 = 1 << 40;
/// A deadline missed by more than this means that the process stood still: then what has been heard meanwhile
/// counts first. A backup must not take over from a master whose advertisements lie in its queue.
const STOOD_STILL: Duration = Duration::from_millis(2);
/// The largest advertisement: 255 IPv6 addresses.
const LARGEST: usize = 8 + 255 * 16 + 60;

/// The daemon.
pub struct Driver<S> {
    source: S,
    poll: Poll,
    signals: Signals,
    monitor: Monitor,
    edge: Edge,
    instances: Vec<Instance>,
    deadlines: Vec<Option<Time>>,
    watch: Watch,
    news: Vec<News>,
    notifier: Notifier,
    /// All routers have stopped: until then their scripts are waited for.
    last_scripts: Option<Time>,
    /// Changes of state that their sync group has not followed yet.
    moves: VecDeque<(usize, State, State)>,
    /// Whom a sync group follows at this moment, and why.
    mover: Option<String>,
    actions: Vec<Action>,
    buffer: Vec<u8>,
    stopping: bool,
    systemd: Systemd,
    /// A state has changed since systemd was told.
    changed: bool,
    listener: Listener,
    clients: Vec<(u64, Client)>,
    last_client: u64,
    handover: Handover,
    punctuality: Punctuality,
    punctual: Punctual,
    recorder: Option<Recorder>,
    claims: Claims,
    readings: Readings,
    /// Where there are routes or rules to lose.
    hearing: Option<Hearing>,
    keeper: Keeper,
    /// Something was set or removed since it was written down.
    stale: bool,
}

impl<S: Source> Driver<S> {
    /// Runs until all routers have handed over and ended.
    ///
    /// # Errors
    /// When waiting itself fails.
    pub fn run(&mut self) -> io::Result<()> {
        let mut events = Vec::new();
        while !self.finished() {
            let deadline = self.deadline();
            self.poll.wait(deadline, &mut events)?;
            let late = deadline.map_or(Duration::ZERO, |d| clock::now() - d);
            if late > STOOD_STILL {
                self.punctual.was_late(&self.punctuality, late);
                self.hear_all();
            }
            for event in &events {
                self.event(*event);
            }
            self.tick(clock::now());
        }
        self.handover.end(&mut self.edge.rtnl);
        self.remove_all_vmacs();
        self.write_estate();
        if let Err(e) = self.edge.guard.end() {
            log::error!("{e}");
        }
        Ok(())
    }

    fn finished(&mut self) -> bool {
        let stopped = self.stopping && self.instances.iter().all(|i| i.router.state() == State::Stopped);
        stopped && !self.handover.is_helping() && self.scripts_are_done()
    }

    fn deadline(&self) -> Option<Time> {
        let edges = [
            self.edge.announcer.deadline(),
            self.handover.deadline(),
            self.watch.deadline(),
            self.notifier.deadline(),
            self.last_scripts,
            self.systemd.deadline(),
        ];
        self.deadlines.iter().copied().chain(edges).flatten().min()
    }

    fn event(&mut self, event: Event) {
        match event.token {
            SIGNALS => self.take_signals(),
            MONITOR => self.take_changes(),
            WATCH => self.take_news(),
            NOTIFIER => self.notifier.turn(clock::now()),
            LISTENER => self.let_in(),
            HANDOVER => self.handover.hear(),
            READING => self.take_reading(),
            LOSSES => self.take_losses(),
            token if token >= CLIENTS => self.talk(token),
            token => {
                if let Some(line) = self.edge.lines.iter().position(|l| LINES + l.key() == token) {
                    self.hear(line);
                }
            }
        }
    }

    fn tick(&mut self, now: Time) {
        for at in 0..self.instances.len() {
            if self.deadlines[at].is_some_and(|d| d <= now) {
                if self.instances[at].unset.is_due(now) {
                    self.retry_vips(at, now);
                }
                self.tend_lines(at, now);
                self.feed(at, Input::Tick, now);
            }
        }
        self.edge.announcer.announce_due(&self.edge.host, now);
        if self.handover.deadline().is_some_and(|d| d <= now) {
            self.handover.tick(now, &mut self.edge.rtnl);
        }
        self.bury();
        if std::mem::take(&mut self.stale) {
            self.write_estate();
        }
        self.systemd.tick(now);
        if std::mem::take(&mut self.changed) {
            self.systemd.status(|| status::summary(self.instances.iter().map(|i| i.router.state().name())));
        }
        if self.watch.deadline().is_some_and(|d| d <= now) {
            self.take_news();
        }
        if self.notifier.deadline().is_some_and(|d| d <= now) {
            self.notifier.turn(now);
        }
    }

    fn take_signals(&mut self) {
        while let Ok(Some(signal)) = self.signals.next() {
            match signal {
                Signal::SIGHUP => {
                    self.ask_for_reload(None);
                }
                Signal::SIGUSR1 => self.instances.iter().for_each(tell::summary),
                _ => self.stop(),
            }
        }
    }

    /// Hands over; asked a second time, it does not wait for successors.
    fn stop(&mut self) {
        let now = clock::now();
        self.write_estate();
        if self.stopping {
            log::warn!("asked to stop again: not waiting for a successor");
        }
        for at in 0..self.instances.len() {
            // One that a reload has retired is handing over already.
            if self.stopping || !self.instances[at].retired {
                self.feed_one(at, Input::Stop, now);
            }
        }
        self.settle(now);
        self.forget_readings();
        self.systemd.stopping();
        if self.stopping {
            self.handover.end(&mut self.edge.rtnl);
        }
        self.stopping = true;
    }
}
