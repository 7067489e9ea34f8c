//! What an instance tracks, and what that comes to: its effective priority and its faults, with the reasons.
//!
//! A [`Ledger`] is one instance's account. It is told how the tracked things stand and says what follows; it knows no
//! script, file or clock. The rules were measured with keepalived:
//!
//! * weight 0: what fails is a fault; a positive weight is added while the thing works, a negative one while it fails;
//!   `reverse` turns the sense round;
//! * a file adds its number times the weight; below -253 that is a fault; with weight 0 any number but 0 is one;
//! * what is not known yet changes no priority, but without a weight the instance does not begin before it is known;
//! * the interface of an address, a route or a rule is a fault while it is down or missing, unless the line says `no_track`; a
//!   weight in `track_interface` does not count then;
//! * the effective priority stays within 1 and 254, and the owner's 255 never changes.

use std::fmt;

use lvs_core::conf::model::{Reference, Tracking, Weight};
use serde::Serialize;

use crate::params::OWNER;
use crate::words::Tracked;

pub mod check;
pub mod file;
pub mod process;
pub mod watch;

/// What kind of thing is tracked; each is one bit of [`Tracked::faults`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// The instance's own interface.
    Link,
    /// `track_interface`, or the interface of an address, a route or a rule.
    Interface,
    /// `track_script`.
    Script,
    /// `track_file`.
    File,
    /// `track_process`.
    Process,
    /// The address of the advertisements (`track_src_ip`, or none to be had).
    Source,
    /// Unicast without a peer (`unicast_fault_no_peer`).
    Peer,
    /// Another member of the sync group.
    Group,
}

impl Kind {
    /// All of them, in the order of their bits.
    pub const ALL: [Self; 8] = [
        Self::Link,
        Self::Interface,
        Self::Script,
        Self::File,
        Self::Process,
        Self::Source,
        Self::Peer,
        Self::Group,
    ];

    /// Its bit of [`Tracked::faults`].
    pub fn bit(self) -> u32 {
        1 << (self as u32)
    }

    /// As logs, status and metrics name it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Link => "link",
            Self::Interface => "interface",
            Self::Script => "script",
            Self::File => "file",
            Self::Process => "process",
            Self::Source => "source",
            Self::Peer => "peer",
            Self::Group => "group",
        }
    }
}

/// How a tracked thing stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Standing {
    /// No result yet.
    Unknown,
    /// No result yet, and until there is one it counts as one that does not work (`init_fail`).
    Presumed,
    /// It cannot be looked at (a script that may not run): it does nothing, as if it were not tracked.
    Off,
    /// It works.
    Up,
    /// It does not.
    Down,
    /// A file's number.
    Value(i64),
}

/// What one thing does to the instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Effect {
    /// Nothing.
    None,
    /// The instance must not begin before it is known.
    Pending,
    /// Added to the priority.
    Weight(i32),
    /// The instance cannot work.
    Fault,
}

/// One line of the account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// What it is.
    pub kind: Kind,
    /// Its name in the configuration.
    pub name: String,
    weight: Weight,
    standing: Standing,
}

impl Entry {
    /// How it stands.
    pub fn standing(&self) -> Standing {
        self.standing
    }

    /// What it does to the instance.
    pub fn effect(&self) -> Effect {
        match self.standing {
            Standing::Unknown | Standing::Presumed if self.weight.value == 0 => Effect::Pending,
            Standing::Unknown | Standing::Off => Effect::None,
            Standing::Up => of_state(self.weight, true),
            Standing::Down | Standing::Presumed => of_state(self.weight, false),
            Standing::Value(number) => of_number(self.weight, number),
        }
    }
}

fn of_state(weight: Weight, up: bool) -> Effect {
    let sign = if weight.reverse { -1 } else { 1 };
    match weight.value {
        // Without a weight there is nothing to add, so `reverse` asks for the thing to be absent.
        0 if up == weight.reverse => Effect::Fault,
        w if (w > 0) == up && w != 0 => Effect::Weight(w * sign),
        _ => Effect::None,
    }
}

fn of_number(weight: Weight, number: i64) -> Effect {
    /// The largest change that a weight can be.
    const LIMIT: i64 = 253;
    if weight.value == 0 {
        return if (number != 0) == weight.reverse { Effect::None } else { Effect::Fault };
    }
    let sign = if weight.reverse { -1 } else { 1 };
    match number.saturating_mul(i64::from(weight.value) * sign) {
        0 => Effect::None,
        sum if sum < -LIMIT => Effect::Fault,
        sum => Effect::Weight(i32::try_from(sum.min(LIMIT)).unwrap_or(0)),
    }
}

/// The account of one instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ledger {
    base: u8,
    entries: Vec<Entry>,
    faults: u32,
}

impl Ledger {
    /// The account of an instance of this priority that tracks these things, and those of its sync group, and whose addresses
    /// and routes lie on these interfaces.
    pub fn new(base: u8, own: &Tracking, group: &Tracking, devs: &[String]) -> Self {
        let mut ledger = Self { base, entries: Vec::new(), faults: 0 };
        let always = Weight { value: 0, reverse: false };
        devs.iter().for_each(|name| ledger.push(Kind::Interface, name.clone(), always));
        for tracking in [own, group] {
            ledger.add(Kind::Interface, &tracking.interfaces);
            ledger.add(Kind::Script, &tracking.scripts);
            ledger.add(Kind::File, &tracking.files);
            ledger.add(Kind::Process, &tracking.processes);
        }
        ledger
    }

    fn add(&mut self, kind: Kind, references: &[Reference]) {
        for r in references {
            let known = self.entries.iter().any(|e| e.kind == kind && e.name == *r.name);
            if !known {
                self.push(kind, r.name.value.clone(), *r.weight);
            }
        }
    }

    fn push(&mut self, kind: Kind, name: String, weight: Weight) {
        self.entries.push(Entry { kind, name, weight, standing: Standing::Unknown });
    }

    /// Every tracked thing.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Tells how a thing stands; true when that is new to this account.
    pub fn set(&mut self, kind: Kind, name: &str, standing: Standing) -> bool {
        let mut new = false;
        for e in self.entries.iter_mut().filter(|e| e.kind == kind && e.name == name) {
            new |= e.standing != standing;
            e.standing = standing;
        }
        new
    }

    /// Tells whether something that is not in a `track_*` block (link, source, peer, group) has failed; true when that
    /// is new.
    pub fn fail(&mut self, kind: Kind, failed: bool) -> bool {
        let before = self.faults;
        self.faults = if failed { before | kind.bit() } else { before & !kind.bit() };
        self.faults != before
    }

    /// What has failed of the things that are in no `track_*` block.
    pub fn failed(&self) -> impl Iterator<Item = Kind> {
        Kind::ALL.into_iter().filter(|k| self.faults & k.bit() != 0)
    }

    /// What it comes to.
    pub fn tracked(&self) -> Tracked {
        let mut faults = self.faults;
        let mut sum = i64::from(self.base);
        for e in &self.entries {
            match e.effect() {
                Effect::Weight(w) => sum += i64::from(w),
                Effect::Fault => faults |= e.kind.bit(),
                Effect::None | Effect::Pending => (),
            }
        }
        let priority = if self.base == OWNER { OWNER } else { within(sum) };
        Tracked { priority, faults }
    }

    /// Whether something without a weight is not known yet: the instance must not begin.
    pub fn is_pending(&self) -> bool {
        self.entries.iter().any(|e| e.effect() == Effect::Pending)
    }

    /// What fails, for a log line: `script check, link`; empty when all is sound.
    pub fn failures(&self) -> String {
        let plain = self.failed().map(|k| k.name().to_owned());
        let entries = self.entries.iter().filter(|e| e.effect() == Effect::Fault);
        let named = entries.map(|e| format!("{} {}", e.kind.name(), e.name));
        plain.chain(named).collect::<Vec<_>>().join(", ")
    }
}

/// RFC 9568 5.2.4: 0 and 255 have meanings of their own, tracking must not reach them.
fn within(sum: i64) -> u8 {
    u8::try_from(sum.clamp(1, 254)).unwrap_or(1)
}

impl fmt::Display for Ledger {
    /// `137 = 100 + 7 (script chk) + 30 (interface e1)`, and what is a fault or not known yet.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} = {}", self.tracked().priority, self.base)?;
        for e in &self.entries {
            if let Effect::Weight(w) = e.effect() {
                let sign = if w < 0 { '-' } else { '+' };
                write!(f, " {sign} {} ({} {})", w.abs(), e.kind.name(), e.name)?;
            }
        }
        let failures = self.failures();
        if !failures.is_empty() {
            write!(f, "; fault: {failures}")?;
        }
        for e in self.entries.iter().filter(|e| e.effect() == Effect::Pending) {
            write!(f, "; waits for {} {}", e.kind.name(), e.name)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
