//! Named pipes that get a line for every change.
//!
//! A pipe stays when its writer ends: both daemons may write to one, and whoever reads it finds it again after a restart.

use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt, fchown};

use nix::fcntl::OFlag;
use nix::sys::stat::Mode;
use nix::unistd::{Uid, mkfifo, setfsuid};

use super::script::owner;
use crate::conf::At;
use crate::conf::model::Fifo;

/// A pipe that is open for writing, whether or not anyone reads it.
#[derive(Debug)]
pub struct Pipe {
    path: String,
    file: File,
    lost: u64,
}

impl Pipe {
    /// Opens the pipe, and makes it first, for its user alone, if it is not there.
    ///
    /// # Errors
    /// A sentence: no such user, with which nothing is made; it is another kind of file; or the system refuses.
    pub fn open(fifo: &Fifo) -> Result<Self, String> {
        let path = fifo.path.value.clone();
        let fail = |e: io::Error| format!("{path}: {e}");
        let name = |v: &Option<At<String>>| v.as_ref().map(|a| a.value.clone());
        let (uid, gid) = owner(name(&fifo.user).as_deref(), name(&fifo.group).as_deref())
            .map_err(|e| format!("{path}: {e}"))?;
        let made = match mkfifo(path.as_str(), Mode::from_bits_truncate(0o600)) {
            Ok(()) => true,
            Err(nix::errno::Errno::EEXIST) => false,
            Err(e) => return Err(fail(e.into())),
        };
        let there = std::fs::metadata(&path).map_err(fail)?;
        if !there.file_type().is_fifo() {
            return Err(format!("{path} is not a named pipe; try: rm {path}"));
        }
        let file = open(&path, &there).map_err(fail)?;
        if made {
            fchown(&file, uid, gid).map_err(fail)?;
        }
        Ok(Self { path, file, lost: 0 })
    }

    /// Its path.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Writes a line. When nobody reads, lines are lost once the pipe is full; true when this is the first one.
    pub fn write(&mut self, line: &str) -> bool {
        // A pipe takes a line of this length as a whole or not at all.
        match self.file.write_all(line.as_bytes()) {
            Ok(()) => {
                self.lost = 0;
                false
            }
            Err(_) => {
                self.lost += 1;
                self.lost == 1
            }
        }
    }
}

/// Opens for writing, as the pipe's owner where we may not ourselves: a daemon that has given up root's right to
/// override permissions still may become another user.
fn open(path: &str, there: &Metadata) -> io::Result<File> {
    // Reading as well keeps the pipe open: a write without a reader would fail, and a reader that comes and goes
    // would see its end.
    let flags = OFlag::O_NONBLOCK.bits();
    let open = || OpenOptions::new().read(true).write(true).custom_flags(flags).open(path);
    match open() {
        Err(e) if e.kind() == ErrorKind::PermissionDenied => {
            // Of this thread alone, for this one call.
            let before = setfsuid(Uid::from_raw(there.uid()));
            let file = open();
            setfsuid(before);
            file
        }
        opened => opened,
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    fn fifo(name: &str) -> Fifo {
        let path = std::env::temp_dir().join(format!("lvs-fifo-{name}-{}", std::process::id()));
        Fifo { path: At::assumed(path.display().to_string()), user: None, group: None, script: None }
    }

    #[test]
    fn lines_wait_for_a_reader_and_a_full_pipe_blocks_nobody() {
        let f = fifo("full");
        let mut pipe = Pipe::open(&f).unwrap();
        let line = "x".repeat(1023) + "\n";
        let first_lost = (0..1000).filter(|_| pipe.write(&line)).count();
        assert_eq!(first_lost, 1, "told once");
        let flags = OFlag::O_NONBLOCK.bits();
        let mut reader = OpenOptions::new().read(true).custom_flags(flags).open(f.path.as_str()).unwrap();
        let mut bytes = vec![0; 1 << 20];
        let n = reader.read(&mut bytes).unwrap();
        assert!(n > 0 && n % 1024 == 0, "whole lines only: {n}");
        assert!(!pipe.write(&line), "there is room again");
        drop((pipe, reader));
        let mut again = Pipe::open(&f).unwrap();
        assert!(!again.write(&line), "the next writer finds it");
        std::fs::remove_file(f.path.as_str()).unwrap();
    }

    #[test]
    fn another_kind_of_file_is_refused_and_left_alone() {
        let f = fifo("plain");
        std::fs::write(f.path.as_str(), "mine").unwrap();
        let why = Pipe::open(&f).unwrap_err();
        assert!(why.contains("is not a named pipe; try: rm "), "{why}");
        assert_eq!(std::fs::read_to_string(f.path.as_str()).unwrap(), "mine");
        std::fs::remove_file(f.path.as_str()).unwrap();
    }
}
