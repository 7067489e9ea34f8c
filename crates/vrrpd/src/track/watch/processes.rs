//! Tracked processes.
//!
//! The end of a process that counts is an event on a descriptor, so that nothing is looked for while there are
//! enough. Only while there are too few (or when there can be too many) /proc is read, twice a second. The kernel's
//! process events would tell of births, too, but of every one on the machine, and in no other namespace than the first.
//!
//! /proc is read on a thread: a large one takes its time, and one process that is stuck holds up whoever reads its
//! command line.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::PathBuf;
use std::sync::mpsc::TryRecvError;
use std::time::Duration;

use lvs_core::conf::model::TrackProcess;
use lvs_core::sys::child;
use lvs_core::sys::poll::{Event, Interest, Poll};
use lvs_core::time::Time;

use super::News;
use crate::track::Kind;
use crate::track::process::{Census, Pattern};
use crate::work::Work;
use look::{Among, look};

mod look;

/// Between two readings of /proc while processes are missing.
const SCAN: Duration = Duration::from_millis(500);
/// A process can become another program without ending.
const VERIFY: Duration = Duration::from_secs(5);
/// The thread that reads needs little, and `mlockall` would lock all of it.
const STACK: usize = 128 * 1024;
/// The token of that thread; processes have their own numbers.
const LOOK: u64 = u64::MAX - 1;

struct Entry {
    block: TrackProcess,
    pattern: Pattern,
    census: Census,
    /// Those that count, with the descriptor that tells their end.
    known: BTreeMap<u32, OwnedFd>,
    /// They have been looked for: what is known is all there is.
    counted: bool,
}

/// /proc is being read.
struct Look {
    work: Work<Vec<BTreeSet<u32>>>,
    among: Among,
}

pub(super) struct Processes {
    /// /proc.
    proc: PathBuf,
    entries: Vec<Entry>,
    /// Made with the first entry.
    poll: Option<Poll>,
    events: Vec<Event>,
    look: Option<Look>,
    next: Option<Time>,
    verify: Option<Time>,
}

impl Processes {
    pub(super) fn new(proc: impl Into<PathBuf>) -> Self {
        let (entries, events) = (Vec::new(), Vec::new());
        Self { proc: proc.into(), entries, poll: None, events, look: None, next: None, verify: None }
    }

    pub(super) fn configure(
        &mut self,
        processes: &[TrackProcess],
        now: Time,
        watch: impl Fn(BorrowedFd<'_>) -> io::Result<()>,
    ) {
        if !processes.is_empty() && self.poll.is_none() {
            let poll = Poll::new().and_then(|p| watch(p.as_fd()).map(|()| p));
            self.poll = poll.map_err(|e| log::error!("tracked processes are not looked for: {e}")).ok();
        }
        let mut old = std::mem::take(&mut self.entries);
        for p in processes {
            let pattern = Pattern::from(p);
            let same = old.iter().position(|e| *e.block.name == *p.name && e.pattern == pattern);
            self.entries.push(Entry::new(p, pattern, same.map(|i| old.swap_remove(i))));
        }
        // One that is under way looks for the old ones.
        self.look = None;
        self.next = (!processes.is_empty()).then_some(now);
        self.verify = self.next.map(|t| t + VERIFY);
        // At once, so that the instances need not wait long for the first count.
        self.look_if_due(now);
    }

    pub(super) fn deadline(&self) -> Option<Time> {
        let delays = self.entries.iter().filter_map(|e| e.census.deadline());
        // Nothing more is due before the look that is under way has ended.
        let looks = self.next.into_iter().chain(self.verify).filter(|_| self.look.is_none());
        delays.chain(looks).min()
    }

    pub(super) fn turn(&mut self, now: Time, news: &mut Vec<News>) {
        self.forget_ended(now);
        let before: Vec<_> = self.entries.iter().map(|e| e.census.standing()).collect();
        self.take_look(now);
        for (entry, before) in self.entries.iter_mut().zip(before) {
            if entry.counted {
                entry.census.count(entry.known.len(), now);
            }
            if entry.census.standing() != before {
                log::info!("track_process {}: {} running", *entry.block.name, entry.known.len());
                news.push(entry.news());
            }
        }
        // Whatever is missing now is looked for; when nothing is, the next end wakes us.
        if !self.entries.iter().any(Entry::wants_more) {
            self.next = None;
        } else if self.next.is_none() {
            self.next = Some(now + SCAN);
        }
        self.look_if_due(now);
    }

    fn forget_ended(&mut self, now: Time) {
        let Some(poll) = &mut self.poll else { return };
        let _ = poll.ready(&mut self.events);
        let ended: Vec<u32> = self.events.iter().filter_map(|e| u32::try_from(e.token).ok()).collect();
        if ended.is_empty() {
            return;
        }
        for entry in &mut self.entries {
            entry.known.retain(|pid, _| !ended.contains(pid));
        }
        self.next = Some(now);
    }

    /// Begins to read /proc if it is time, and nobody is reading it.
    fn look_if_due(&mut self, now: Time) {
        if self.look.is_some() {
            return;
        }
        if self.verify.is_some_and(|t| t <= now) {
            self.verify = Some(now + VERIFY);
            let known = self.entries.iter().flat_map(|e| e.known.keys().copied()).collect();
            self.begin_look(Among::These(known), now);
        } else if self.next.is_some_and(|t| t <= now) {
            self.next = None;
            if self.entries.iter().any(Entry::wants_more) {
                self.begin_look(Among::All, now);
            }
        }
    }

    fn begin_look(&mut self, among: Among, now: Time) {
        let Some(poll) = &self.poll else { return };
        let patterns: Vec<Pattern> = self.entries.iter().map(|e| e.pattern.clone()).collect();
        let (proc, those) = (self.proc.clone(), among.clone());
        let work = Work::begin("processes", STACK, move || look(&proc, &patterns, &those));
        match work.and_then(|w| poll.add(&w, LOOK, Interest::Read).map(|()| w)) {
            Ok(work) => self.look = Some(Look { work, among }),
            Err(e) => {
                log::error!("tracked processes cannot be looked for: {e}");
                self.next = Some(now + SCAN);
            }
        }
    }

    /// Takes what was found, if it was.
    fn take_look(&mut self, now: Time) {
        let Some(look) = self.look.take() else { return };
        match look.work.value() {
            Err(TryRecvError::Empty) => self.look = Some(look),
            Err(TryRecvError::Disconnected) => self.next = Some(now + SCAN),
            Ok(found) => {
                for (entry, found) in self.entries.iter_mut().zip(found) {
                    match &look.among {
                        Among::These(pids) => {
                            entry.known.retain(|p, _| !pids.contains(p) || found.contains(p));
                        }
                        Among::All => found.into_iter().for_each(|pid| entry.meet(pid, self.poll.as_ref())),
                    }
                    entry.counted |= look.among == Among::All;
                }
            }
        }
    }

    pub(super) fn all(&self) -> Vec<News> {
        self.entries.iter().map(Entry::news).collect()
    }
}

impl Entry {
    /// After a reload it stands as it did until they are counted by the new rules.
    fn new(block: &TrackProcess, pattern: Pattern, old: Option<Self>) -> Self {
        let block = block.clone();
        match old {
            Some(old) if old.block == block => old,
            Some(old) => {
                let census = Census::new(&block).standing_as(old.census.standing());
                Self { block, pattern, census, known: old.known, counted: false }
            }
            None => {
                let census = Census::new(&block);
                Self { block, pattern, census, known: BTreeMap::new(), counted: false }
            }
        }
    }

    fn wants_more(&self) -> bool {
        !self.counted || self.census.wants_more(self.known.len())
    }

    fn news(&self) -> News {
        News { kind: Kind::Process, name: self.block.name.value.clone(), standing: self.census.standing() }
    }

    fn meet(&mut self, pid: u32, poll: Option<&Poll>) {
        if self.known.contains_key(&pid) {
            return;
        }
        // It may have ended meanwhile, and then it does not count.
        let Ok(fd) = child::end(pid) else { return };
        if poll.is_some_and(|p| p.add(&fd, u64::from(pid), Interest::Read).is_ok()) {
            self.known.insert(pid, fd);
        }
    }
}
