//! Writes a record: bounded, and without ever waiting for the disk.

use std::fs::{File, OpenOptions, Permissions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;

use lvs_core::sys::outbox::{Outbox, Refused};
use lvs_core::time::Time;

use super::{Entry, Event};

/// A record ends at this size: half a million inputs.
pub const LARGEST: u64 = 128 << 20;
/// Lines that may wait for the disk.
const ROOM: u64 = 50_000;

/// An open record.
pub struct Recorder {
    out: Outbox,
    left: u64,
}

impl Recorder {
    /// Begins a record in a new file, or in an old one that is emptied. Only its owner may read it: the passwords of
    /// version 2 are in it.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn create(path: &Path) -> io::Result<Self> {
        let file: File = OpenOptions::new().create(true).write(true).truncate(true).mode(0o600).open(path)?;
        // An old file may be open to all.
        file.set_permissions(Permissions::from_mode(0o600))?;
        let pen = Pen { file, whole: 0, written: 0, failed: None };
        let say = |pen: &mut Pen| {
            if let Some(e) = pen.failed.take() {
                log::error!("the record ends here: it cannot be written: {e}");
            }
        };
        Ok(Self { out: Outbox::start("record", ROOM, false, pen, say)?, left: LARGEST })
    }

    /// Appends a line. Where the disk is too slow, or the record is full, it ends, which is said, and the answer is false: one
    /// with a gap could not be run again.
    #[must_use]
    pub fn write(&mut self, at: Time, router: &str, event: Event) -> bool {
        let entry = Entry { at, router: router.to_owned(), event };
        // Plain values always become text.
        let mut line = serde_json::to_string(&entry).unwrap_or_default();
        line.push('\n');
        let size = u64::try_from(line.len()).unwrap_or(u64::MAX);
        if size > self.left {
            log::warn!("the record ends here: it has reached its largest size");
            return false;
        }
        self.left -= size;
        let taken = self.out.send(line);
        if taken == Err(Refused::Full) {
            log::warn!("the record ends here: the disk is too slow for it");
        }
        taken.is_ok()
    }
}

/// Writes whole lines. The first error ends it: a record with a gap could not be run again.
struct Pen {
    file: File,
    /// Bytes of whole lines, and all of them.
    whole: u64,
    written: u64,
    failed: Option<io::Error>,
}

impl Write for Pen {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self.file.write(bytes) {
            Ok(n) => {
                self.written += n as u64;
                Ok(n)
            }
            Err(e) if e.kind() == ErrorKind::Interrupted => Err(e),
            Err(e) => {
                // Half a line is none. What is no file on a disk cannot be cut, nor need it be.
                let _ = self.file.set_len(self.whole);
                self.failed = Some(e);
                Err(ErrorKind::BrokenPipe.into())
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.whole = self.written;
        Ok(())
    }
}

/// What was recorded last is written, as far as that is soon done.
impl Drop for Recorder {
    fn drop(&mut self) {
        self.out.flush();
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn at(seconds: u64) -> Time {
        Time::ZERO + Duration::from_secs(seconds)
    }

    #[test]
    fn where_it_cannot_be_written_it_ends() {
        let mut recorder = Recorder::create(Path::new("/dev/full")).expect("a device that is always full");
        let end = lvs_core::sys::clock::now() + Duration::from_secs(10);
        while recorder.write(at(0), "", Event::Because("ens192 is down".to_owned())) {
            assert!(lvs_core::sys::clock::now() < end, "it goes on for ever");
            std::thread::yield_now();
        }
    }

    #[test]
    fn it_ends_at_its_bound_and_is_read_by_its_owner_alone() {
        let path = std::env::temp_dir().join(format!("vrrpd-record-{}", std::process::id()));
        std::fs::write(&path, "of another day").expect("a file open to all");
        let mut recorder = Recorder::create(&path).expect("a folder for temporary files");
        recorder.left = 100;
        let line = |second| recorder.write(at(second), "", Event::Because("ens192 is down".to_owned()));
        assert_eq!((0..10).map(line).take_while(|goes_on| *goes_on).count(), 2);
        drop(recorder);
        let text = std::fs::read_to_string(&path).expect("the record");
        assert_eq!(text.lines().count(), 2, "{text}");
        assert_eq!(text.lines().next(), Some(r#"{"at":0,"because":"ens192 is down"}"#));
        let mode = std::fs::metadata(&path).expect("the record").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        std::fs::remove_file(&path).expect("our own file");
    }
}
