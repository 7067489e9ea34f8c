//! The watch at work: one loop that feeds the monitor and does what it says.

mod reload;
mod suspend;
mod tell;

use std::io;
use std::sync::Arc;

use lvs_core::conf::check::many;
use lvs_core::conf::model::FlushOnStop;
use lvs_core::gate::Gate;
use lvs_core::sys::mail::Post;
use lvs_core::sys::poll::{Event, Interest, Signals};
use lvs_core::sys::rtnl::Monitor as Links;
use lvs_core::sys::systemd::Systemd;
use lvs_core::sys::{clock, memory};
use lvs_core::table::Table;
use lvs_core::time::Time;
use nix::sys::signal::Signal;

use crate::answer::answer;
use crate::cli::Watch;
use crate::control::{Control, Heard};
use crate::engine::{Engine, FOREIGN};
use crate::fifos::Fifos;
use crate::kernel::Kernel;
use crate::monitor::{Monitor, Order};
use crate::notify::Notifier;
use crate::pace::Pace;
use crate::programs::Programs;
use crate::roster::all_vips;
use crate::state;
use crate::told::Told;

const SIGNALS: u64 = FOREIGN;
const LINKS: u64 = FOREIGN + 1;
const NOTIFIER: u64 = FOREIGN + 2;
const FIFOS: u64 = FOREIGN + 3;

/// The watch.
pub struct Driver {
    engine: Engine,
    monitor: Monitor,
    kernel: Option<Kernel>,
    told: Option<Told>,
    args: Watch,
    seed: u64,
    signals: Signals,
    links: Option<Links>,
    notifier: Notifier,
    post: Post,
    fifos: Fifos,
    systemd: Systemd,
    control: Option<Control>,
    lost_lines: u64,
    pace: Pace,
    shortage: Gate,
    unmade: Gate,
    stop: bool,
}

impl Driver {
    /// A watch that has not begun.
    ///
    /// # Errors
    /// The system is out of descriptors.
    pub fn new(
        monitor: Monitor,
        kernel: Option<Kernel>,
        told: Option<Told>,
        args: Watch,
        seed: u64,
    ) -> io::Result<Self> {
        let mut engine = Engine::new(monitor.checks().count())?;
        engine.avoid(all_vips(monitor.config()));
        let signals = Signals::new(&[Signal::SIGTERM, Signal::SIGINT, Signal::SIGHUP])?;
        engine.watch(&signals, SIGNALS, Interest::Read)?;
        let socket = match (&args.socket, &kernel) {
            (Some(path), _) => Some(path.clone()),
            (None, Some(_)) => Some(state::path(".sock")?),
            (None, None) => None,
        };
        let control = socket.map(|path| Control::listen(&path, &engine)).transpose()?;
        let (links, notifier, fifos) = (None, Notifier::new()?, Fifos::new()?);
        engine.watch(&notifier, NOTIFIER, Interest::Read)?;
        engine.watch(&fifos, FIFOS, Interest::Read)?;
        let systemd = Systemd::from_env(clock::now());
        Ok(Self {
            engine,
            monitor,
            kernel,
            told,
            args,
            seed,
            signals,
            links,
            notifier,
            post: Post::default(),
            fifos,
            systemd,
            control,
            lost_lines: 0,
            pace: Pace::default(),
            shortage: Gate::default(),
            unmade: Gate::default(),
            stop: false,
        })
    }

    /// Takes the programs that checks and changes run.
    pub fn run_programs(&mut self, programs: Programs) {
        let programs = Arc::new(programs);
        self.engine.run(Arc::clone(&programs));
        self.fifos.run(Arc::clone(&programs));
        self.notifier.run(programs);
    }

    /// Begins and ends tries.
    pub fn obey(&mut self, orders: Vec<Order>) {
        for order in orders {
            match order {
                Order::End(check) => self.engine.stop(check),
                Order::Begin(check, due) => {
                    if let Some(c) = self.monitor.check(check) {
                        self.engine.put(check, Arc::clone(&c.identity.task), c.checker.timeout());
                        self.engine.schedule(check, due);
                    }
                }
            }
        }
    }

    /// Watches until a signal ends it; returns the exit status.
    ///
    /// # Errors
    /// Waiting itself is impossible.
    pub fn run(&mut self) -> io::Result<u8> {
        self.begin();
        let (mut done, mut foreign) = (Vec::new(), Vec::new());
        while !self.stop {
            let look = self.kernel.as_ref().map(|k| k.look);
            let scripts = self.notifier.deadline();
            let until = [self.monitor.deadline(), look, self.systemd.deadline(), self.settle_due(), scripts];
            let until = until.into_iter().flatten().min();
            self.engine.turn(until, &mut done, &mut foreign)?;
            done.drain(..).for_each(|f| self.learn(f));
            for event in foreign.drain(..) {
                self.foreign(event);
            }
            self.act(clock::now());
        }
        self.end();
        Ok(0)
    }

    fn begin(&mut self) {
        let now = clock::now();
        self.open_ways();
        self.set_timeouts();
        self.watch_links(now);
        self.tell_leaving();
        self.flush(now);
        if let Some(kernel) = &mut self.kernel {
            kernel.look = now + kernel.every;
        }
        self.save();
        memory::trim();
        memory::let_go_of_program();
        let (checks, services) = (self.monitor.checks().count(), self.monitor.all_keys().count());
        log::info!(
            "watching {} with {}, {} at once",
            many(services, "service"),
            many(checks, "check"),
            self.engine.limit()
        );
        self.systemd.ready();
        self.tell_systemd();
    }

    fn set_timeouts(&mut self) {
        let wanted = self.monitor.config().global.timeouts.map(|t| *t);
        if let Some(kernel) = &mut self.kernel {
            kernel.set_timeouts(wanted);
        }
    }

    fn act(&mut self, now: Time) {
        self.monitor.tick(now);
        if self.settle_due().is_some_and(|due| due <= now) {
            self.flush(now);
        }
        self.systemd.tick(now);
        if self.notifier.deadline().is_some_and(|due| due <= now) {
            self.notifier.turn(now);
        }
        if self.kernel.as_ref().is_some_and(|k| k.look <= now) {
            let want = self.monitor.table();
            if let Some(kernel) = &mut self.kernel {
                kernel.look(&want, now);
            }
        }
        if self.engine.was_short() && self.shortage.pass(now).is_some() {
            let limit = self.engine.limit();
            log::warn!("checks wait for a descriptor: at most {limit} at once; raise LimitNOFILE");
        }
        // Who only prints has nothing to do once nobody reads; who keeps the table goes on.
        let unheard = self.told.as_ref().is_some_and(|t| t.lines().is_closed());
        self.stop |= unheard && self.kernel.is_none();
    }

    fn foreign(&mut self, event: Event) {
        match event.token {
            SIGNALS => {
                while let Ok(Some(signal)) = self.signals.next() {
                    self.signal(signal);
                }
            }
            LINKS => self.addresses_changed(),
            NOTIFIER => self.notifier.turn(clock::now()),
            FIFOS => self.fifos.turn(),
            _ => self.converse(event),
        }
    }

    fn converse(&mut self, event: Event) {
        let Some(mut control) = self.control.take() else { return };
        let heard = control.ready(event, &self.engine);
        let over = match heard {
            Heard::Request(line) => {
                let answer = self.answer(&line);
                control.answer(event.token, answer, &self.engine)
            }
            Heard::Nothing => false,
            Heard::End => true,
        };
        self.control = Some(control);
        // An answer about thousands of servers is as large as all that is known of them.
        if over {
            memory::trim();
        }
    }

    /// What was asked for is done, told and kept before it is said to be.
    fn answer(&mut self, request: &str) -> String {
        let answer = answer(&mut self.monitor, &self.engine, request);
        if !(request.starts_with("drain ") || request.starts_with("resume ")) {
            return answer;
        }
        log::info!("asked: {request}");
        self.flush(clock::now());
        match self.keep() {
            Ok(()) => answer,
            Err(why) => {
                log::error!("{why}");
                let done = answer.starts_with("ok\n");
                if done { format!("'{request}' is done, but not for good: {why}\n") } else { answer }
            }
        }
    }

    fn signal(&mut self, signal: Signal) {
        match signal {
            Signal::SIGHUP => self.reload(),
            other => {
                log::info!("{other}: stopping");
                self.stop = true;
            }
        }
    }

    /// Keeps what the next start must know; the error says what would be forgotten.
    fn keep(&self) -> Result<(), String> {
        let Some(kernel) = &self.kernel else { return Ok(()) };
        state::save(&kernel.state, &self.args.config, self.monitor.owned(), self.monitor.drains()).map_err(
            |e| {
                format!(
                    "{}: {e}; a restart would forget which services are ours and which servers are drained",
                    kernel.state.display()
                )
            },
        )
    }

    fn save(&self) {
        if let Err(why) = self.keep() {
            log::error!("{why}");
        }
    }

    /// The table stays as it is, or goes where that is asked for; then also `omega` has its say.
    fn end(&mut self) {
        self.systemd.stopping();
        let config = self.monitor.config();
        let flush = *config.global.flush_on_stop;
        let clear = self.args.clear_on_exit || flush != FlushOnStop::Nothing;
        if let Some(kernel) = &mut self.kernel {
            if clear {
                let gone = self.monitor.all_keys().collect();
                match flush {
                    FlushOnStop::All => kernel.empty(&gone),
                    _ => kernel.keep(&Table::default(), &gone, clock::now()),
                }
                self.notifier.say_farewell(config, self.monitor.health(), clock::now());
                // Nothing is ours any more, so the next start need not clean up.
                if let Err(e) =
                    state::save(&kernel.state, &self.args.config, std::iter::empty(), self.monitor.drains())
                {
                    log::error!("{}: {e}", kernel.state.display());
                }
            }
        }
        if let Err(e) = self.notifier.finish() {
            log::error!("the last notify scripts: {e}");
        }
        if let Some(told) = &self.told {
            told.lines().flush();
        }
    }
}
