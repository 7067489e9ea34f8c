//! `vrrp_track_process`: which processes count, and whether there are enough of them.

use std::time::Duration;

use lvs_core::conf::model::TrackProcess;
use lvs_core::time::Time;

use super::Standing;

/// The kernel keeps so much of a process's name.
const NAME: usize = 15;

/// Which processes count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    words: Vec<String>,
    parameters: Parameters,
    full_command: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Parameters {
    /// Not looked at.
    Any,
    /// These and no others.
    Exact,
    /// The last one may be longer.
    Initial,
    /// More may follow.
    Partial,
}

impl From<&TrackProcess> for Pattern {
    fn from(p: &TrackProcess) -> Self {
        let parameters = match p.param_match.as_ref().map(|m| m.as_str()) {
            Some("initial") => Parameters::Initial,
            Some("partial") => Parameters::Partial,
            // The man page: naming a way to compare, but no parameters, demands that there are none.
            Some(_) => Parameters::Exact,
            None if p.process.len() > 1 => Parameters::Exact,
            None => Parameters::Any,
        };
        Self { words: p.process.value.clone(), parameters, full_command: *p.full_command }
    }
}

impl Pattern {
    /// Whether the command line has to be read, or the kernel's short name suffices.
    pub fn needs_command_line(&self) -> bool {
        self.full_command || self.parameters != Parameters::Any
    }

    /// Judges a process by its short name and its command line (words ended by zero bytes).
    pub fn matches(&self, name: &str, command_line: &[u8]) -> bool {
        let Some(wanted) = self.words.first() else { return false };
        if !self.needs_command_line() {
            return name == cut(wanted);
        }
        let text = command_line.strip_suffix(b"\0").unwrap_or(command_line);
        let mut words = text.split(|b| *b == 0);
        let program = words.next().unwrap_or_default();
        // People write `haproxy` for /usr/sbin/haproxy, and a script's interpreter stands before its name.
        let file = program.rsplit(|b| *b == b'/').next().unwrap_or_default();
        let same = program == wanted.as_bytes() || file == wanted.as_bytes() || name == wanted;
        same && self.parameters_match(&words.collect::<Vec<_>>())
    }

    fn parameters_match(&self, given: &[&[u8]]) -> bool {
        let wanted: Vec<&[u8]> = self.words[1..].iter().map(String::as_bytes).collect();
        match self.parameters {
            Parameters::Any => true,
            Parameters::Exact => wanted == given,
            Parameters::Partial if wanted.is_empty() => given.is_empty(),
            Parameters::Partial => given.starts_with(&wanted),
            Parameters::Initial => match (wanted.split_last(), given.split_last()) {
                (None, None) => true,
                (Some((last, rest)), Some((given_last, given_rest))) => {
                    rest == given_rest && given_last.starts_with(last)
                }
                _ => false,
            },
        }
    }
}

fn cut(name: &str) -> &str {
    let end = (0..=NAME.min(name.len())).rev().find(|i| name.is_char_boundary(*i)).unwrap_or(0);
    &name[..end]
}

/// Whether there are enough processes, and not too many; both answers may have to last for a while.
#[derive(Clone, Debug)]
pub struct Census {
    quorum: u32,
    quorum_max: u32,
    fork_delay: Duration,
    terminate_delay: Duration,
    standing: Standing,
    changing: Option<(Standing, Time)>,
}

impl Census {
    /// Nothing counted yet.
    pub fn new(p: &TrackProcess) -> Self {
        Self {
            quorum: *p.quorum,
            quorum_max: p.quorum_max.as_ref().map_or(u32::MAX, |m| **m),
            fork_delay: *p.fork_delay,
            terminate_delay: *p.terminate_delay,
            standing: Standing::Unknown,
            changing: None,
        }
    }

    /// Until the first count it stands so.
    pub fn standing_as(self, standing: Standing) -> Self {
        Self { standing, ..self }
    }

    /// How it stands.
    pub fn standing(&self) -> Standing {
        self.standing
    }

    /// Whether more processes than are known matter: there are too few, or there can be too many.
    pub fn wants_more(&self, known: usize) -> bool {
        let known = u32::try_from(known).unwrap_or(u32::MAX);
        known < self.quorum || self.quorum_max != u32::MAX
    }

    /// So many match now; true when it stands differently from this moment on.
    pub fn count(&mut self, processes: usize, now: Time) -> bool {
        let n = u32::try_from(processes).unwrap_or(u32::MAX);
        let to = if n >= self.quorum && n <= self.quorum_max { Standing::Up } else { Standing::Down };
        if to == self.standing {
            self.changing = None;
            return false;
        }
        let delay = if to == Standing::Up { self.fork_delay } else { self.terminate_delay };
        // The first count has nothing to bounce from.
        let at = if self.standing == Standing::Unknown { now } else { now + delay };
        match self.changing {
            Some((wanted, _)) if wanted == to => (),
            _ => self.changing = Some((to, at)),
        }
        self.tick(now)
    }

    /// Time has passed; true when it stands differently now.
    pub fn tick(&mut self, now: Time) -> bool {
        let due = self.changing.take_if(|(_, at)| *at <= now);
        if let Some((to, _)) = due {
            self.standing = to;
        }
        due.is_some()
    }

    /// When it wants [`Census::tick`].
    pub fn deadline(&self) -> Option<Time> {
        self.changing.map(|(_, at)| at)
    }
}

#[cfg(test)]
mod tests;
