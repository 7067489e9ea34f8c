//! What is run and written when an instance or a sync group changes: which words, in which order.
//!
//! As keepalived has it: first the script of the state (`notify_master`, ...) with its own arguments, then `notify` with
//! `INSTANCE|GROUP NAME STATE PRIORITY` appended; a group after its members, with priority 0. Where keepalived starts both at once, here
//! each instance and each group has a queue: a script begins when the one before has ended, so that what a script leaves
//! behind is the last state and not that of whichever ran longest. One that does not end in time is left behind.

use std::collections::VecDeque;
use std::fmt;
use std::time::Duration;

use lvs_core::conf::model::{Command, Notify};
use lvs_core::time::Time;

use crate::words::State;

pub mod notifier;

/// So long the next script waits for the one before.
pub const PATIENCE: Duration = Duration::from_secs(30);
/// Scripts that wait in one queue; a flapping link must not fill the memory.
const LONGEST: usize = 64;

/// Whom an event is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Who {
    /// A `vrrp_instance`.
    Instance,
    /// A `vrrp_sync_group`.
    Group,
}

/// What is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// It is master.
    Master,
    /// It is backup.
    Backup,
    /// It has a fault.
    Fault,
    /// The daemon ends.
    Stop,
    /// It is no longer configured, and `notify_deleted` asks to say so.
    Deleted,
    /// It is no longer configured: a fault to `notify`, which has no nearer word unless it is asked for.
    Removed,
    /// As master it has heard a lower one.
    LowerPriority,
    /// Its effective priority is another one; the flag: it is master.
    Priority(bool),
}

impl Event {
    /// What a change to this state is told as; none: nothing is told.
    pub fn of(to: State) -> Option<Self> {
        match to {
            State::Master => Some(Self::Master),
            // A released instance takes no part; scripts know no nearer word for what follows from that.
            State::Backup | State::Released => Some(Self::Backup),
            State::Fault => Some(Self::Fault),
            State::Stopped => Some(Self::Stop),
            State::Init | State::Leaving => None,
        }
    }

    /// The word of scripts and pipes.
    pub fn word(self) -> &'static str {
        match self {
            Self::Master => "MASTER",
            Self::Backup => "BACKUP",
            Self::Fault | Self::Removed => "FAULT",
            Self::Stop => "STOP",
            Self::Deleted => "DELETED",
            Self::LowerPriority => "MASTER_RX_LOWER_PRI",
            Self::Priority(true) => "MASTER_PRIORITY",
            Self::Priority(false) => "BACKUP_PRIORITY",
        }
    }
}

impl fmt::Display for Who {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Instance => "INSTANCE",
            Self::Group => "GROUP",
        })
    }
}

/// The scripts of an event in their order, each with the arguments that are appended.
pub fn calls<'a>(
    notify: &'a Notify,
    who: Who,
    name: &str,
    event: Event,
    priority: u8,
) -> Vec<(&'a Command, Vec<String>)> {
    let specific = match event {
        Event::Master => &notify.master,
        Event::Backup => &notify.backup,
        Event::Fault => &notify.fault,
        Event::Stop => &notify.stop,
        Event::Deleted => &notify.deleted,
        Event::LowerPriority => &notify.master_rx_lower_pri,
        Event::Removed | Event::Priority(_) => &None,
    };
    // These two are no states: `notify` would take them for one.
    let any = notify.any.as_ref().filter(|_| !matches!(event, Event::LowerPriority | Event::Priority(_)));
    let appended = vec![who.to_string(), name.to_owned(), event.word().to_owned(), priority.to_string()];
    let specific = specific.iter().map(|c| (c, Vec::new()));
    specific.chain(any.map(|c| (c, appended))).collect()
}

/// The line of the pipes: `INSTANCE "VI_1" MASTER 100`.
pub fn line(who: Who, name: &str, event: Event, priority: u8) -> String {
    format!("{who} \"{name}\" {} {priority}\n", event.word())
}

/// The scripts of one instance or group, one after the other.
#[derive(Clone, Debug)]
pub struct Queue<T> {
    waiting: VecDeque<T>,
    /// The number of the one that runs, and until when the next one waits for it.
    running: Option<(u64, Time)>,
    lost: u64,
}

impl<T> Default for Queue<T> {
    fn default() -> Self {
        Self { waiting: VecDeque::new(), running: None, lost: 0 }
    }
}

impl<T> Queue<T> {
    /// Adds a script; when too many wait, the oldest is given up.
    pub fn push(&mut self, script: T) {
        if self.waiting.len() >= LONGEST {
            self.waiting.pop_front();
            self.lost += 1;
        }
        self.waiting.push_back(script);
    }

    /// The script to start now, if none runs; [`Queue::started`] follows.
    pub fn take(&mut self) -> Option<T> {
        if self.running.is_some() { None } else { self.waiting.pop_front() }
    }

    /// A script was started under this number.
    pub fn started(&mut self, number: u64, now: Time) {
        self.running = Some((number, now + PATIENCE));
    }

    /// A script has ended; true when it was this queue's.
    pub fn ended(&mut self, number: u64) -> bool {
        self.running.take_if(|(n, _)| *n == number).is_some()
    }

    /// Whether the one that runs has taken so long that the next one does not wait any more. It goes on.
    pub fn out_of_patience(&mut self, now: Time) -> bool {
        self.running.take_if(|(_, until)| *until <= now).is_some()
    }

    /// When it wants [`Queue::out_of_patience`].
    pub fn deadline(&self) -> Option<Time> {
        self.running.map(|(_, until)| until)
    }

    /// Whether nothing waits or runs.
    pub fn is_idle(&self) -> bool {
        self.waiting.is_empty() && self.running.is_none()
    }

    /// Scripts given up since the last call.
    pub fn take_lost(&mut self) -> u64 {
        std::mem::take(&mut self.lost)
    }
}

#[cfg(test)]
mod tests;
