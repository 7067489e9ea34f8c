//! A lock on a file that the kernel gives back when its holder dies, however it dies.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use nix::errno::Errno;
use nix::fcntl::{Flock, FlockArg};

/// Held until it is dropped.
#[derive(Debug)]
pub struct Lock {
    /// Only to be kept: the lock goes with the descriptor.
    _file: Flock<File>,
}

impl Lock {
    /// Takes the lock if nobody has it; the file is made if it is not there.
    pub fn try_take(path: &Path) -> io::Result<Option<Self>> {
        match Flock::lock(open(path)?, FlockArg::LockExclusiveNonblock) {
            Ok(file) => Ok(Some(Self { _file: file })),
            Err((_, Errno::EAGAIN)) => Ok(None),
            Err((_, errno)) => Err(errno.into()),
        }
    }

    /// Takes the lock, waiting for whoever has it.
    pub fn take(path: &Path) -> io::Result<Self> {
        let locked = Flock::lock(open(path)?, FlockArg::LockExclusive);
        locked.map(|file| Self { _file: file }).map_err(|(_, errno)| errno.into())
    }
}

/// Whoever may read a file may lock it: that is left to its owner.
fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_holder_at_a_time() {
        let path = std::env::temp_dir().join(format!("lvs-lock-{}", std::process::id()));
        let first = Lock::try_take(&path).unwrap();
        assert!(first.is_some());
        assert!(Lock::try_take(&path).unwrap().is_none());
        drop(first);
        assert!(Lock::try_take(&path).unwrap().is_some());
        std::fs::remove_file(&path).unwrap();
    }
}
