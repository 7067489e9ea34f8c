//! Following a drain: what is left, and when it is over.

use std::ops::AddAssign;
use std::time::Duration;

use lvs_core::ipvs::ServerState;
use lvs_core::table::ServiceKey;
use lvs_core::time::Time;

use super::plan::Target;

/// What a server, or several together, still hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Established connections.
    pub active: u64,
    /// Connections that are being made or closed, and all of UDP.
    pub inactive: u64,
    /// Clients that persistence binds.
    pub persistent: u64,
}

impl Counts {
    /// All of them.
    pub fn total(&self) -> u64 {
        self.active + self.inactive + self.persistent
    }
}

impl From<&ServerState> for Counts {
    fn from(s: &ServerState) -> Self {
        Self { active: s.active.into(), inactive: s.inactive.into(), persistent: s.persistent.into() }
    }
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.active += other.active;
        self.inactive += other.inactive;
        self.persistent += other.persistent;
    }
}

impl std::fmt::Display for Counts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} active, {} inactive, {} persistent", self.active, self.inactive, self.persistent)
    }
}

/// When a drain is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    /// How long to wait at most.
    pub timeout: Option<Duration>,
    /// Connections that are being closed are not waited for.
    pub skip_inactive: bool,
}

/// What was seen at one look.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Look {
    /// So much is left.
    Left(Counts),
    /// Nothing that is waited for is left.
    Drained(Counts),
    /// So much is left, and the time is over.
    TimedOut(Counts),
    /// Somebody else has interfered: the server, and what happened to it.
    Disturbed(Box<Target>, Disturbance),
}

/// What somebody else did to a server while it was drained.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Disturbance {
    /// Removed it.
    Removed,
    /// Gave it this weight.
    Weight(u32),
}

/// A drain on its way.
#[derive(Clone, Debug)]
pub struct Watch {
    targets: Vec<Target>,
    rules: Rules,
    begun: Time,
}

impl Watch {
    /// Begins at `now`, when the weights have been set to 0.
    pub fn new(targets: Vec<Target>, rules: Rules, now: Time) -> Self {
        Self { targets, rules, begun: now }
    }

    /// The servers that are drained.
    pub fn targets(&self) -> &[Target] {
        &self.targets
    }

    /// When it began.
    pub fn begun(&self) -> Time {
        self.begun
    }

    /// When the patience ends.
    pub fn deadline(&self) -> Option<Time> {
        self.rules.timeout.map(|t| self.begun + t)
    }

    /// The services to look at, each once.
    pub fn keys(&self) -> Vec<ServiceKey> {
        let mut keys: Vec<_> = self.targets.iter().map(|t| t.key).collect();
        keys.dedup();
        keys
    }

    /// Judges what the services hold now.
    pub fn look(&self, servers: &[(ServiceKey, ServerState)], now: Time) -> Look {
        let mut left = Counts::default();
        for target in &self.targets {
            let found = servers.iter().find(|(k, s)| *k == target.key && s.endpoint == target.endpoint);
            match found {
                None => return Look::Disturbed(Box::new(target.clone()), Disturbance::Removed),
                Some((_, s)) if s.server.weight != 0 => {
                    let what = Disturbance::Weight(s.server.weight);
                    return Look::Disturbed(Box::new(target.clone()), what);
                }
                Some((_, s)) => left += Counts::from(s),
            }
        }
        if self.done(left) {
            Look::Drained(left)
        } else if self.deadline().is_some_and(|d| now >= d) {
            Look::TimedOut(left)
        } else {
            Look::Left(left)
        }
    }

    fn done(&self, left: Counts) -> bool {
        left.active == 0 && left.persistent == 0 && (left.inactive == 0 || self.rules.skip_inactive)
    }
}
