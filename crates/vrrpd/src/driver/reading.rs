//! Reading the configuration anew while the loop goes on: a large one takes longer than an election.

use std::mem;
use std::sync::mpsc::TryRecvError;

use lvs_core::sys::clock;
use lvs_core::sys::poll::Interest;

use super::{Driver, READING, Source};
use crate::control::{Answer, Client};
use crate::spec::Setup;
use crate::work::Work;

/// The parser goes as deep as the blocks of a file.
const STACK: usize = 2 << 20;

/// Who has asked for a reload and waits for what comes of it: a client, or none after a signal.
type Asker = Option<(u64, Client)>;

/// The readings that are asked for.
#[derive(Default)]
pub(super) struct Readings {
    /// The one that is under way.
    work: Option<Work<Result<Setup, String>>>,
    askers: Vec<Asker>,
    /// They have asked since it began; the file may have been changed in between, so that they get a reading of their own.
    later: Vec<Asker>,
}

impl<S: Source> Driver<S> {
    /// Reads the configuration, now or after the reading that is under way.
    pub(super) fn ask_for_reload(&mut self, asker: Asker) {
        if self.stopping {
            self.tell_reload(vec![asker], &Err(ending()));
        } else if self.readings.work.is_some() {
            self.readings.later.push(asker);
        } else {
            self.begin_reading(vec![asker]);
        }
    }

    fn begin_reading(&mut self, askers: Vec<Asker>) {
        log::debug!("reading the configuration");
        self.systemd.reloading(clock::now());
        let mut source = self.source.clone();
        let work = Work::begin("configuration", STACK, move || source.read());
        match work.and_then(|w| self.poll.add(&w, READING, Interest::Read).map(|()| w)) {
            Ok(work) => (self.readings.work, self.readings.askers) = (Some(work), askers),
            Err(e) => {
                self.systemd.ready();
                self.tell_reload(askers, &Err(format!("cannot read the configuration: {e}")));
            }
        }
    }

    /// It has been read: it comes into force, and whoever has asked for it hears of that.
    pub(super) fn take_reading(&mut self) {
        let Some(work) = self.readings.work.take() else { return };
        let read = match work.value() {
            Ok(read) => read,
            Err(TryRecvError::Empty) => return self.readings.work = Some(work),
            Err(TryRecvError::Disconnected) => Err("the reading has failed: please report it".to_owned()),
        };
        let askers = mem::take(&mut self.readings.askers);
        self.record_because(&"the configuration was read");
        let result = self.reload(read);
        self.systemd.ready();
        self.tell_reload(askers, &result);
        let later = mem::take(&mut self.readings.later);
        if !later.is_empty() {
            self.begin_reading(later);
        }
    }

    /// No reading counts any more.
    pub(super) fn forget_readings(&mut self) {
        let Readings { mut askers, later, .. } = mem::take(&mut self.readings);
        askers.extend(later);
        self.tell_reload(askers, &Err(ending()));
    }

    fn tell_reload(&mut self, askers: Vec<Asker>, result: &Result<String, String>) {
        for asker in askers {
            match (asker, result) {
                (Some((token, client)), Ok(text)) => self.reply(token, client, &Answer::Done(text.clone())),
                (Some((token, client)), Err(text)) => {
                    self.reply(token, client, &Answer::Refused(text.clone()));
                }
                (None, Err(text)) => text.lines().for_each(|line| log::error!("{line}")),
                (None, Ok(_)) => (),
            }
        }
    }
}

fn ending() -> String {
    "vrrpd is about to end and takes up no configuration any more".to_owned()
}
