//! The daemon's beginning: everything is opened, and what an earlier run has left goes.

use std::collections::VecDeque;
use std::io;
use std::path::Path;

use lvs_core::sys::poll::{Interest, Poll, Signals};
use lvs_core::sys::rtnl::Monitor;
use lvs_core::sys::systemd::Systemd;
use lvs_core::sys::{clock, memory};
use nix::sys::signal::Signal;

use super::reading::Readings;
use super::trouble::{Refusal, cannot, check_interfaces, occupied};
use super::{Driver, HANDOVER, LARGEST, LISTENER, MONITOR, NOTIFIER, SIGNALS, Source, WATCH};
use crate::claim::Claims;
use crate::control::Listener;
use crate::edge::Edge;
use crate::estate::{Estate, Keeper};
use crate::handover::Handover;
use crate::instance::Instance;
use crate::notify::notifier::{Notifier, Scripts};
use crate::place::{Place, RUN};
use crate::punctual::Punctual;
use crate::record::recorder::Recorder;
use crate::track::watch::{Things, Watch};

impl<S: Source> Driver<S> {
    /// Reads the configuration, opens everything, removes what an earlier run left behind, and starts the routers.
    ///
    /// # Errors
    /// What the administrator must know. Of what is on the host nothing has been changed then, but that leftovers of an earlier
    /// run may have gone.
    pub fn start(mut source: S, name: &str, record: Option<&Path>) -> Result<Self, Refusal> {
        let setup = source.read()?;
        // Before anything is touched: two daemons would take the addresses from each other.
        let (listener, keeper, left) = take_place(name)?;
        // Before the links are read: a change in between would never be heard of.
        let monitor = Monitor::open().map_err(|e| cannot("watch links", &e))?;
        let edge = Edge::open(name, setup.garp_interval, setup.gna_interval)
            .map_err(|e| cannot("open sockets", &e))?;
        check_interfaces(&setup, &edge.host)?;
        let mut claims = Claims::default();
        claims.take(setup.instances.iter())?;
        let signals = [Signal::SIGTERM, Signal::SIGINT, Signal::SIGHUP, Signal::SIGUSR1];
        let opened = (|| {
            let signals = Signals::new(&signals)?;
            Ok::<_, io::Error>((Poll::new()?, signals, Watch::new()?, Notifier::new()?, Handover::new()?))
        })();
        let (poll, signals, watch, notifier, handover) =
            opened.map_err(|e| cannot("open the event loop", &e))?;
        poll.add(&signals, SIGNALS, Interest::Read).map_err(|e| cannot("watch signals", &e))?;
        poll.add(&handover, HANDOVER, Interest::Read).map_err(|e| cannot("watch handovers", &e))?;
        poll.add(&monitor, MONITOR, Interest::Read).map_err(|e| cannot("watch links", &e))?;
        poll.add(&listener, LISTENER, Interest::Read).map_err(|e| cannot("listen for questions", &e))?;
        let recorder = record
            .map(|path| Recorder::create(path).map_err(|e| format!("--record {}: {e}", path.display())));
        let mut driver = Self {
            source,
            poll,
            signals,
            monitor,
            edge,
            instances: setup.instances.into_iter().map(Instance::new).collect(),
            deadlines: Vec::new(),
            watch,
            news: Vec::new(),
            notifier,
            last_scripts: None,
            moves: VecDeque::new(),
            mover: None,
            actions: Vec::new(),
            buffer: vec![0; LARGEST],
            stopping: false,
            systemd: Systemd::from_env(clock::now()),
            changed: true,
            listener,
            clients: Vec::new(),
            last_client: 0,
            handover,
            punctuality: setup.punctuality,
            punctual: Punctual::default(),
            recorder: recorder.transpose()?,
            claims,
            readings: Readings::default(),
            hearing: None,
            keeper,
            stale: true,
        };
        driver.punctual.begin(&driver.punctuality);
        driver.begin(&setup.things, &setup.notify, &left)?;
        driver.systemd.ready();
        // What reading the file and the lists of links has left; what a takeover needs comes back from the page cache.
        drop((setup.things, setup.notify));
        memory::trim();
        memory::let_go_of_program();
        Ok(driver)
    }

    fn begin(&mut self, things: &Things, scripts: &Scripts, left: &Estate) -> Result<(), Refusal> {
        self.deadlines = vec![None; self.instances.len()];
        let now = clock::now();
        self.clean_vmacs()?;
        for at in 0..self.instances.len() {
            self.clean(at)?;
            self.record_new(at, now);
        }
        self.hear_losses();
        self.clean_lines(0..self.instances.len());
        self.clean_left(left);
        if Handover::clean(&mut self.edge.rtnl)? > 0 {
            log::warn!("an earlier run died in a handover and kept ports silent: mended");
        }
        self.prepare_guard();
        self.watch.configure(things, now);
        self.poll.add(&self.watch, WATCH, Interest::Read).map_err(|e| cannot("watch what is tracked", &e))?;
        self.notifier.configure(scripts);
        self.poll.add(&self.notifier, NOTIFIER, Interest::Read).map_err(|e| cannot("watch scripts", &e))?;
        self.stay_released(&left.released, now);
        self.enter_all();
        self.place();
        Ok(())
    }
}

/// The right to run under this name, and what whoever had it before has left.
fn take_place(name: &str) -> Result<(Listener, Keeper, Estate), Refusal> {
    let place = Place::take(Path::new(RUN), name).map_err(|e| occupied(name, &e))?;
    let listener = Listener::open(&place.socket).map_err(|e| cannot("listen for questions", &e))?;
    let (keeper, left) = Keeper::open(place);
    Ok((listener, keeper, left))
}
