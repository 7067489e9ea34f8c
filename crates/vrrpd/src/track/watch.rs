//! Looks after everything that is tracked beside the interfaces: runs scripts, reads files, counts processes.
//!
//! The daemon watches one descriptor and one deadline, calls [`Watch::turn`] when either comes, and enters the
//! [`News`] into its accounts.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};

use lvs_core::conf::model::{Global, Script, TrackFile, TrackProcess};
use lvs_core::sys::poll::{Event, Interest, Poll};
use lvs_core::time::Time;

use super::{Kind, Standing};

mod files;
mod processes;
mod scripts;

/// What is to be looked after: the blocks of a configuration that some instance tracks.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Things {
    /// `vrrp_script`.
    pub scripts: Vec<Script>,
    /// `track_file`.
    pub files: Vec<TrackFile>,
    /// `vrrp_track_process`.
    pub processes: Vec<TrackProcess>,
    /// Whom scripts run as, and how safe they must be.
    pub global: Global,
}

/// Something stands differently now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct News {
    /// What it is.
    pub kind: Kind,
    /// Its name.
    pub name: String,
    /// How it stands.
    pub standing: Standing,
}

/// Everything that is looked after.
pub struct Watch {
    poll: Poll,
    events: Vec<Event>,
    scripts: scripts::Scripts,
    files: files::Files,
    processes: processes::Processes,
}

impl Watch {
    /// Looks after nothing yet.
    ///
    /// # Errors
    /// Out of descriptors.
    pub fn new() -> io::Result<Self> {
        Ok(Self {
            poll: Poll::new()?,
            events: Vec::new(),
            scripts: scripts::Scripts::default(),
            files: files::Files::default(),
            processes: processes::Processes::new("/proc"),
        })
    }

    /// Begins to look after these things, or others after a reload: what is the same keeps standing as it does. What
    /// cannot be looked after is logged and [`Standing::Off`].
    pub fn configure(&mut self, things: &Things, now: Time) {
        let poll = &self.poll;
        self.scripts.configure(&things.scripts, &things.global, now, |fd| poll.add(fd, 0, Interest::Read));
        self.files.configure(&things.files, now, |fd| poll.add(fd, 1, Interest::Read));
        self.processes.configure(&things.processes, now, |fd| poll.add(fd, 2, Interest::Read));
    }

    /// When it wants [`Watch::turn`], at the latest.
    pub fn deadline(&self) -> Option<Time> {
        let all = [self.scripts.deadline(), self.files.deadline(), self.processes.deadline()];
        all.into_iter().flatten().min()
    }

    /// Does what is due, and appends what stands differently.
    pub fn turn(&mut self, now: Time, news: &mut Vec<News>) {
        // Takes the readiness away; each of them looks for itself what has come.
        let _ = self.poll.ready(&mut self.events);
        self.scripts.turn(now, news);
        self.files.turn(now, news);
        self.processes.turn(now, news);
    }

    /// How everything stands now, for new accounts.
    pub fn all(&self) -> Vec<News> {
        let mut all = self.scripts.all();
        all.extend(self.files.all());
        all.extend(self.processes.all());
        all
    }

    /// What the last run of a script came to, for the status.
    pub fn last_result(&self, script: &str) -> Option<String> {
        self.scripts.last_result(script)
    }
}

/// Readable when [`Watch::turn`] has something to do.
impl AsFd for Watch {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.poll.as_fd()
    }
}

#[cfg(test)]
mod tests;
