//! What is run and written when an instance or a sync group changes: which words, in which order.
//!
//! As keepalived has it: first the script of the state (`notify_master`, ...) with its own arguments, then `notify` with
//! `INSTANCE|GROUP NAME STATE PRIORITY` appended; a group after its members, with priority 0. Where keepalived starts both at once, here
//! each instance and each group has a queue: a script begins when the one before has ended, so that what a script leaves
//! behind is the last state and not that of whichever ran longest. One that does not end in time is left behind.

use std::fmt;

use lvs_core::conf::model::{Command, Notify};

use crate::words::State;

mod mail;
pub mod notifier;

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

#[cfg(test)]
mod tests;
