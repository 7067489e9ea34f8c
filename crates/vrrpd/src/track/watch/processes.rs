//! Tracked processes.
//!
//! The end of a process that counts is an event on a descriptor, so that nothing is looked for while there are
//! enough. Only while there are too few (or when there can be too many) /proc is read, twice a second. The kernel's
//! process events would tell of births, too, but of every one on the machine, and in no other namespace than the first.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::Duration;

use lvs_core::conf::model::TrackProcess;
use lvs_core::sys::child;
use lvs_core::sys::poll::{Event, Interest, Poll};
use lvs_core::time::Time;

use super::News;
use crate::track::Kind;
use crate::track::process::{Census, Pattern};

/// Between two readings of /proc while processes are missing.
const SCAN: Duration = Duration::from_millis(500);
/// A process can become another program without ending.
const VERIFY: Duration = Duration::from_secs(5);

struct Entry {
    name: String,
    pattern: Pattern,
    census: Census,
    /// Those that count, with the descriptor that tells their end.
    known: BTreeMap<u32, OwnedFd>,
}

#[derive(Default)]
pub(super) struct Processes {
    entries: Vec<Entry>,
    /// Made with the first entry.
    poll: Option<Poll>,
    events: Vec<Event>,
    next: Option<Time>,
    verify: Option<Time>,
}

impl Processes {
    pub(super) fn configure(
        &mut self,
        processes: &[TrackProcess],
        now: Time,
        watch: impl Fn(BorrowedFd<'_>) -> io::Result<()>,
    ) {
        if !processes.is_empty() && self.poll.is_none() {
            let poll = Poll::new().and_then(|p| watch(p.as_fd()).map(|()| p));
            self.poll = poll
                .map_err(|e| log::error!("tracked processes are looked for, but their ends not seen: {e}"))
                .ok();
        }
        let mut old = std::mem::take(&mut self.entries);
        for p in processes {
            let (pattern, census) = (Pattern::from(p), Census::new(p));
            let same = old.iter().position(|e| e.name == *p.name && e.pattern == pattern);
            let known = same.map(|i| old.swap_remove(i).known).unwrap_or_default();
            self.entries.push(Entry { name: p.name.value.clone(), pattern, census, known });
        }
        self.next = (!processes.is_empty()).then_some(now);
        self.verify = self.next.map(|t| t + VERIFY);
        // The first count is made at once, so that the instances begin with it.
        self.scan(now);
    }

    pub(super) fn deadline(&self) -> Option<Time> {
        let delays = self.entries.iter().filter_map(|e| e.census.deadline());
        delays.chain(self.next).chain(self.verify).min()
    }

    pub(super) fn turn(&mut self, now: Time, news: &mut Vec<News>) {
        let ended = self.forget_ended();
        if self.verify.is_some_and(|t| t <= now) {
            self.verify = Some(now + VERIFY);
            self.entries.iter_mut().for_each(Entry::verify);
        }
        let before: Vec<_> = self.entries.iter().map(|e| e.census.standing()).collect();
        if ended || self.next.is_some_and(|t| t <= now) {
            self.scan(now);
        }
        for (entry, before) in self.entries.iter_mut().zip(before) {
            entry.census.count(entry.known.len(), now);
            if entry.census.standing() != before {
                log::info!("track_process {}: {} running", entry.name, entry.known.len());
                news.push(entry.news());
            }
        }
        // Whatever is missing now is looked for; when nothing is, the next end wakes us.
        let wanted = self.entries.iter().any(|e| e.census.wants_more(e.known.len()));
        if !wanted {
            self.next = None;
        } else if self.next.is_none() {
            self.next = Some(now + SCAN);
        }
    }

    fn forget_ended(&mut self) -> bool {
        let Some(poll) = &mut self.poll else { return false };
        let _ = poll.ready(&mut self.events);
        let ended: Vec<u32> = self.events.iter().filter_map(|e| u32::try_from(e.token).ok()).collect();
        for entry in &mut self.entries {
            entry.known.retain(|pid, _| !ended.contains(pid));
        }
        !ended.is_empty()
    }

    /// Reads /proc once for all entries that want to know of more.
    fn scan(&mut self, now: Time) {
        self.next = None;
        let wanting = |e: &Entry| e.census.wants_more(e.known.len());
        if self.entries.iter().any(wanting) {
            for pid in pids() {
                let Some(seen) = Seen::read(pid) else { continue };
                for entry in self.entries.iter_mut().filter(|e| !e.known.contains_key(&pid)) {
                    entry.meet(pid, &seen, self.poll.as_ref());
                }
            }
            self.next = Some(now + SCAN);
        }
        for entry in &mut self.entries {
            entry.census.count(entry.known.len(), now);
        }
    }

    pub(super) fn all(&self) -> Vec<News> {
        self.entries.iter().map(Entry::news).collect()
    }
}

impl Entry {
    fn news(&self) -> News {
        News { kind: Kind::Process, name: self.name.clone(), standing: self.census.standing() }
    }

    fn meet(&mut self, pid: u32, seen: &Seen, poll: Option<&Poll>) {
        if !counts(&self.pattern, pid, seen) {
            return;
        }
        // It may have ended meanwhile, and then it does not count.
        let Ok(fd) = child::end(pid) else { return };
        if poll.is_none_or(|p| p.add(&fd, u64::from(pid), Interest::Read).is_ok()) {
            self.known.insert(pid, fd);
        }
    }

    fn verify(&mut self) {
        let pattern = &self.pattern;
        self.known.retain(|pid, _| Seen::read(*pid).is_some_and(|seen| counts(pattern, *pid, &seen)));
    }
}

fn counts(pattern: &Pattern, pid: u32, seen: &Seen) -> bool {
    let line = if pattern.needs_command_line() {
        fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default()
    } else {
        Vec::new()
    };
    pattern.matches(&seen.name, &line)
}

/// What `/proc/PID/stat` says.
struct Seen {
    name: String,
}

impl Seen {
    /// None when there is no such process, or it has ended and only waits to be collected.
    fn read(pid: u32) -> Option<Self> {
        let bytes = fs::read(format!("/proc/{pid}/stat")).ok()?;
        let text = String::from_utf8_lossy(&bytes);
        // `PID (NAME) STATE ...`; the name itself can hold parentheses.
        let (open, close) = (text.find('(')?, text.rfind(')')?);
        let state = text.get(close + 2..)?.chars().next()?;
        let name = text.get(open + 1..close)?.to_owned();
        (!matches!(state, 'Z' | 'X')).then_some(Self { name })
    }
}

fn pids() -> impl Iterator<Item = u32> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|e| e.file_name().to_str()?.parse().ok())
}
