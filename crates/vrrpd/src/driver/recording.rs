//! What goes into the record, where one is kept.

use std::fmt::Debug;

use lvs_core::sys::clock;
use lvs_core::time::Time;

use super::{Driver, Source};
use crate::door::{Advert, Reject, Way};
use crate::record::{Event, Heard, name};
use crate::words::{Action, Input};

impl<S: Source> Driver<S> {
    fn record(&mut self, at: usize, now: Time, event: impl FnOnce(&Self) -> Event) {
        if self.recorder.is_some() {
            let (name, event) = (name(&self.instances[at].spec), event(self));
            self.write_down(now, &name, event);
        }
    }

    fn write_down(&mut self, now: Time, name: &str, event: Event) {
        if !self.recorder.as_mut().is_some_and(|r| r.write(now, name, event)) {
            self.recorder = None;
        }
    }

    /// A router begins.
    pub(super) fn record_new(&mut self, at: usize, now: Time) {
        self.record(at, now, |driver| {
            let spec = &driver.instances[at].spec;
            Event::New { params: spec.params.clone(), door: spec.door.clone() }
        });
    }

    /// A router lets in something else.
    pub(super) fn record_door(&mut self, at: usize, now: Time) {
        self.record(at, now, |driver| Event::Door(driver.instances[at].spec.door.clone()));
    }

    /// A packet came.
    pub(super) fn record_packet(
        &mut self,
        at: usize,
        bytes: &[u8],
        way: Way,
        judged: Result<Advert, Reject>,
        now: Time,
    ) {
        self.record(at, now, |driver| {
            Event::Packet(Heard::new(bytes, way, driver.instances[at].source, judged))
        });
    }

    /// A copy of an input, if it will be needed.
    pub(super) fn recorded(&self, input: &Input) -> Option<Input> {
        self.recorder.is_some().then(|| input.clone())
    }

    /// A router was told something.
    pub(super) fn record_told(&mut self, at: usize, input: Option<Input>, actions: &[Action], now: Time) {
        if let Some(input) = input {
            self.record(at, now, |_| Event::Told { input, actions: actions.to_vec() });
        }
    }

    /// What led to the next lines.
    pub(super) fn record_because(&mut self, why: &dyn Debug) {
        if self.recorder.is_some() {
            self.write_down(clock::now(), "", Event::Because(format!("{why:?}")));
        }
    }
}
