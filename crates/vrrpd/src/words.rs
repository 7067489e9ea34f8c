//! What a virtual router is told, what it asks for, and why: plain values that print themselves.

use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::door::Advert;
use crate::params::Params;

/// Where a virtual router stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// Not started.
    Init,
    /// Listens to the master, or waits until there must be one.
    Backup,
    /// Holds the addresses.
    Master,
    /// Takes no part in the election.
    Fault,
    /// Has said goodbye and holds the addresses until a successor is heard.
    Leaving,
    /// Was asked by the administrator to take no part.
    Released,
    /// Has ended.
    Stopped,
}

/// What a router is told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Input {
    /// Begin.
    Start,
    /// An advertisement that counts.
    Advert(Advert),
    /// The deadline has come; at any other time it does nothing.
    Tick,
    /// What is tracked has changed.
    Track(Tracked),
    /// The address of our own advertisements; equal priorities are decided by it.
    Source(Option<IpAddr>),
    /// Other parameters; mastership stays.
    Reload(Box<Params>),
    /// Hand over and take no part until [`Input::Resume`].
    Release,
    /// Take part again.
    Resume,
    /// Hand over and end.
    Stop,
    /// Addresses that someone took away are back: hosts must hear of it.
    Restored,
    /// Tell hosts where the addresses are.
    Garp,
    /// All of the sync group can be master: be it.
    GroupMaster,
    /// Another member of the sync group lost its election.
    GroupBackup,
}

/// What tracking comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tracked {
    /// The effective priority.
    pub priority: u8,
    /// One bit a reason; 0 is sound.
    pub faults: u32,
}

/// What a router asks for, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Action {
    /// Send an advertisement of this priority.
    Advertise(u8),
    /// Set the addresses and routes.
    TakeVips,
    /// Wait until the addresses are in use; who had them still serves them.
    AwaitVips,
    /// Remove them.
    DropVips,
    /// Gratuitous ARP: so many packets for each address.
    Garp(u32),
    /// One gratuitous ARP on each interface that switches hear nothing else from.
    ExtraGarp,
    /// Ask for the unicast peers, so that they learn our MAC address.
    SeekPeers,
    /// The state has changed.
    Enter {
        /// Before.
        from: State,
        /// Now.
        to: State,
        /// Why.
        cause: Cause,
    },
    /// Worth telling, without a change of state.
    Note(Note),
}

/// Why the state has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// The daemon has started, or the instance is new.
    Started,
    /// Priority 255 does not wait.
    Owner,
    /// Nobody was heard since the election began.
    Silence {
        /// For so long.
        silent: Duration,
    },
    /// The master was heard, and then no more.
    MasterLost {
        /// Who it was.
        master: IpAddr,
        /// Silent for so long.
        silent: Duration,
    },
    /// The master said goodbye.
    MasterLeft {
        /// Who it was.
        master: IpAddr,
    },
    /// The master has a lower priority.
    Preempted {
        /// Who it is.
        master: IpAddr,
        /// Its priority.
        theirs: u8,
    },
    /// Another master has a higher priority, or the same and a higher address.
    Outdone {
        /// Who it is.
        master: IpAddr,
        /// Its priority.
        theirs: u8,
        /// Ours.
        ours: u8,
    },
    /// Something tracked has failed.
    Failed {
        /// One bit a reason.
        faults: u32,
    },
    /// All that is tracked is sound again.
    Recovered,
    /// The sync group moved.
    Group,
    /// The administrator's `release`.
    Released,
    /// The administrator's `resume`.
    Resumed,
    /// The daemon ends.
    Stopping,
    /// A successor was heard, or the time for it is over.
    HandedOver {
        /// The successor, if one was heard.
        to: Option<IpAddr>,
    },
}

/// Worth telling.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Note {
    /// We are master and someone with less claims to be, too.
    LowerMaster {
        /// Who.
        from: IpAddr,
        /// With which priority.
        theirs: u8,
    },
    /// The process was stopped for longer than an election takes.
    Overslept {
        /// The advertisement was so late.
        late: Duration,
    },
    /// A lower master is tolerated: `nopreempt`, or `preempt_delay` is not over.
    Tolerated {
        /// Who.
        master: IpAddr,
        /// Its priority.
        theirs: u8,
        /// What is left of `preempt_delay`; none: `nopreempt`.
        wait: Option<Duration>,
    },
}

impl State {
    /// All of them.
    pub const ALL: [Self; 7] =
        [Self::Init, Self::Backup, Self::Master, Self::Fault, Self::Leaving, Self::Released, Self::Stopped];

    /// As status, logs and keepalived's notify scripts write it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Init => "INIT",
            Self::Backup => "BACKUP",
            Self::Master => "MASTER",
            Self::Fault => "FAULT",
            Self::Leaving => "LEAVING",
            Self::Released => "RELEASED",
            Self::Stopped => "STOP",
        }
    }

    /// Whether the addresses are set in this state.
    pub fn holds(self) -> bool {
        matches!(self, Self::Master | Self::Leaving)
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Started => f.write_str("started"),
            Self::Owner => f.write_str("priority 255 owns the addresses"),
            Self::Silence { silent } => {
                write!(f, "no advertisement from anyone for {:.2} s", silent.as_secs_f64())
            }
            Self::MasterLost { master, silent } => {
                write!(f, "no advertisement from {master} for {:.2} s", silent.as_secs_f64())
            }
            Self::MasterLeft { master } => write!(f, "{master} stopped being master (priority 0)"),
            Self::Preempted { master, theirs } => {
                write!(f, "{master} is master with the lower priority {theirs}")
            }
            Self::Outdone { master, theirs, ours } if theirs == ours => {
                write!(f, "{master} is master with the same priority {theirs} and a higher address")
            }
            Self::Outdone { master, theirs, ours } => {
                write!(f, "{master} is master with priority {theirs}, ours is {ours}")
            }
            Self::Failed { .. } => f.write_str("something tracked has failed"),
            Self::Recovered => f.write_str("all that is tracked is sound again"),
            Self::Group => f.write_str("another instance of its sync group moved"),
            Self::Released => f.write_str("released by the administrator"),
            Self::Resumed => f.write_str("resumed by the administrator"),
            Self::Stopping => f.write_str("asked to stop"),
            Self::HandedOver { to: Some(to) } => write!(f, "{to} is master now"),
            Self::HandedOver { to: None } => f.write_str("nobody took over in time"),
        }
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::LowerMaster { from, theirs } => {
                write!(f, "{from} claims to be master with the lower priority {theirs}: answered")
            }
            Self::Overslept { late } => {
                write!(f, "this process stood still, the advertisement is {:.2} s late", late.as_secs_f64())
            }
            Self::Tolerated { master, theirs, wait: None } => {
                write!(f, "{master} stays master with the lower priority {theirs}: nopreempt")
            }
            Self::Tolerated { master, theirs, wait: Some(wait) } => {
                write!(
                    f,
                    "{master} stays master with the lower priority {theirs} for {:.1} s: preempt_delay",
                    wait.as_secs_f64()
                )
            }
        }
    }
}
