//! Tracked files: the kernel tells when one is written, replaced or removed.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::path::{Path, PathBuf};
use std::time::Duration;

use lvs_core::conf::model::TrackFile;
use lvs_core::time::Time;
use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify, WatchDescriptor};

use super::News;
use crate::track::{Kind, Standing, file};

/// A directory that is not there is looked for this often.
const RETRY: Duration = Duration::from_secs(1);
/// No number is longer; a large file is not read whole.
const ENOUGH: u64 = 64;

struct Entry {
    name: String,
    path: PathBuf,
    value: i64,
}

#[derive(Default)]
pub(super) struct Files {
    entries: Vec<Entry>,
    /// Made with the first file.
    inotify: Option<Inotify>,
    /// Directories, not files: a file that is replaced is another file.
    directories: BTreeMap<PathBuf, WatchDescriptor>,
    retry: Option<Time>,
}

impl Files {
    pub(super) fn configure(
        &mut self,
        files: &[TrackFile],
        now: Time,
        watch: impl Fn(BorrowedFd<'_>) -> io::Result<()>,
    ) {
        if !files.is_empty() && self.inotify.is_none() {
            let made = Inotify::init(InitFlags::IN_CLOEXEC | InitFlags::IN_NONBLOCK).map_err(io::Error::from);
            let made = made.and_then(|i| watch(i.as_fd()).map(|()| i));
            self.inotify =
                made.map_err(|e| log::error!("tracked files are looked at once a second: {e}")).ok();
        }
        let known: Vec<String> = self.entries.iter().map(|e| e.name.clone()).collect();
        for f in files.iter().filter(|f| !known.contains(&f.name)) {
            initialise(f);
        }
        self.entries = files.iter().map(entry).collect();
        self.look_into_directories(now);
    }

    /// Watches every directory that is not watched yet; again in a while, as long as one is missing.
    fn look_into_directories(&mut self, now: Time) {
        let flags = AddWatchFlags::IN_CLOSE_WRITE
            | AddWatchFlags::IN_MOVE
            | AddWatchFlags::IN_DELETE
            | AddWatchFlags::IN_ONLYDIR;
        self.retry = None;
        let directories: Vec<PathBuf> = self.entries.iter().map(|e| parent(&e.path)).collect();
        for directory in directories {
            if self.directories.contains_key(&directory) {
                continue;
            }
            match self.inotify.as_ref().map(|i| i.add_watch(&directory, flags)) {
                Some(Ok(wd)) => drop(self.directories.insert(directory, wd)),
                _ => self.retry = Some(now + RETRY),
            }
        }
    }

    pub(super) fn deadline(&self) -> Option<Time> {
        self.retry
    }

    pub(super) fn turn(&mut self, now: Time, news: &mut Vec<News>) {
        let mut look = self.retry.is_some_and(|t| t <= now);
        while let Some(Ok(events)) = self.inotify.as_ref().map(Inotify::read_events) {
            if events.is_empty() {
                break;
            }
            look = true;
            // The directory itself is gone, or is another one now.
            let gone = |wd| events.iter().any(|e| e.wd == wd && e.mask.contains(AddWatchFlags::IN_IGNORED));
            self.directories.retain(|_, wd| !gone(*wd));
        }
        if look {
            self.look_into_directories(now);
            self.read(news);
        }
    }

    fn read(&mut self, news: &mut Vec<News>) {
        for entry in &mut self.entries {
            let value = read(&entry.path);
            if value != entry.value {
                log::info!("track_file {}: {} (was {})", entry.name, value, entry.value);
                entry.value = value;
                news.push(entry.news());
            }
        }
    }

    pub(super) fn all(&self) -> Vec<News> {
        self.entries.iter().map(Entry::news).collect()
    }
}

impl Entry {
    fn news(&self) -> News {
        News { kind: Kind::File, name: self.name.clone(), standing: Standing::Value(self.value) }
    }
}

fn entry(f: &TrackFile) -> Entry {
    let path = PathBuf::from(f.path.as_str());
    Entry { name: f.name.value.clone(), value: read(&path), path }
}

fn parent(path: &Path) -> PathBuf {
    match path.parent() {
        Some(p) if !p.as_os_str().is_empty() => p.to_path_buf(),
        _ => PathBuf::from("."),
    }
}

/// The file's number; one that is missing or cannot be read counts as 0, as one that is empty.
fn read(path: &Path) -> i64 {
    // Anything but a plain file (a pipe) could keep the reader waiting.
    if !fs::metadata(path).is_ok_and(|m| m.is_file()) {
        return 0;
    }
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|f| f.take(ENOUGH).read_to_end(&mut bytes));
    read.map_or(0, |_| file::number(&String::from_utf8_lossy(&bytes)))
}

/// `init_file`: the file is made, with its number.
fn initialise(f: &TrackFile) {
    let Some((value, overwrite)) = f.init.as_ref().map(|i| i.value) else { return };
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    if !overwrite {
        options.create_new(true);
    }
    let made = options.open(f.path.as_str()).and_then(|mut file| writeln!(file, "{value}"));
    match made {
        Err(e) if e.kind() != io::ErrorKind::AlreadyExists => {
            log::error!("track_file {}: {} cannot be made: {e}", *f.name, *f.path);
        }
        _ => (),
    }
}
