//! Tells scripts and pipes what the routers did.

use std::time::Duration;

use lvs_core::sys::clock;
use lvs_core::time::Time;

use super::{Driver, Source};
use crate::group;
use crate::instance::Instance;
use crate::notify::{Event, Who};
use crate::words::State;

/// How long the daemon's end waits for the last scripts. Then they go on without it, unless its manager ends them with it,
/// as systemd does (KillMode=mixed).
const LAST_SCRIPTS: Duration = Duration::from_secs(10);

impl<S: Source> Driver<S> {
    /// A router is in another state.
    pub(super) fn notify_state(&mut self, at: usize, to: State, now: Time) {
        let instance = &self.instances[at];
        let namesake = |i: &Instance| !i.retired && i.spec.name == instance.spec.name;
        let event = match to {
            // Another has its name by now, and the end was told before that began.
            _ if instance.retired && self.instances.iter().any(namesake) => None,
            State::Stopped if instance.retired => Some(Event::Deleted),
            to => Event::of(to),
        };
        if let Some(event) = event {
            self.notify_instance(at, event, now);
        }
    }

    /// Something happened to a router that is no change of its state.
    pub(super) fn notify_instance(&mut self, at: usize, event: Event, now: Time) {
        let instance = &self.instances[at];
        let priority = instance.router.tracked().priority;
        self.notifier.tell(Who::Instance, &instance.spec.name, event, priority, now);
    }

    /// A member has moved: the group is told once all its members agree.
    pub(super) fn notify_group(&mut self, members: &[usize], now: Time) {
        let standing: Vec<_> = members.iter().map(|m| self.member(*m)).collect();
        let event = group::state(&standing).and_then(Event::of);
        let name = members.first().and_then(|m| self.instances[*m].spec.group_name.clone());
        if let (Some(event), Some(name)) = (event, name) {
            // A group has no priority; the original says 0.
            self.notifier.tell(Who::Group, &name, event, 0, now);
        }
    }

    /// Whether the last scripts have ended, or have had their time.
    pub(super) fn scripts_are_done(&mut self) -> bool {
        let now = clock::now();
        let until = *self.last_scripts.get_or_insert(now + LAST_SCRIPTS);
        if self.notifier.is_idle() {
            return true;
        }
        if now >= until {
            log::warn!("scripts of the last change still run: not waiting for them");
        }
        now >= until
    }
}
