//! Who owns the IPVS table of this network namespace: one program at a time may keep it true.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::lock::Lock;
use super::netns;

/// Where the tools keep what must not outlive the machine's run.
pub const RUN: &str = "/run/lvs";

/// The right to keep the table; it ends when this is dropped, and with the process however it ends.
#[derive(Debug)]
pub struct Owner {
    _lock: Lock,
}

/// Why the table cannot be owned.
#[derive(Debug, thiserror::Error)]
pub enum OwnerError {
    /// Another program has it.
    #[error("{0} keeps the IPVS table of this network namespace")]
    Taken(String),
    /// The lock file cannot be used.
    #[error("{}: {}", path.display(), reason(error))]
    File {
        /// The lock file.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
}

/// What an admin can do about a lock file that cannot be made or written.
fn reason(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::PermissionDenied => {
            "no rights to take this lock, which whoever changes the IPVS table must hold; run this as root".to_owned()
        }
        io::ErrorKind::ReadOnlyFilesystem => {
            "this lock, which whoever changes the IPVS table must hold, cannot be made: the file system is read-only \
             (a container needs a writable /run: --tmpfs /run)"
                .to_owned()
        }
        _ => error.to_string(),
    }
}

impl Owner {
    /// Takes the table for `who`, as `tcpcheck`; the process id is added.
    ///
    /// # Errors
    /// Another program has it, or the lock file cannot be made.
    pub fn claim(who: &str) -> Result<Self, OwnerError> {
        let path = path()?;
        let fail = |error| OwnerError::File { path: path.clone(), error };
        fs::create_dir_all(RUN).map_err(fail)?;
        match Lock::try_take(&path).map_err(fail)? {
            None => Err(OwnerError::Taken(holder(&path))),
            Some(lock) => {
                let name = format!("{who} (process {})\n", std::process::id());
                fs::write(&path, name).map_err(fail)?;
                Ok(Self { _lock: lock })
            }
        }
    }
}

/// The lock file: `/run/lvs/table-NETNS.lock`, because the IPVS table belongs to a network namespace while /run is
/// shared by all of them.
fn path() -> Result<PathBuf, OwnerError> {
    let name = netns::name().map_err(|error| OwnerError::File { path: "/proc/self/ns/net".into(), error })?;
    Ok(Path::new(RUN).join(format!("table-{name}.lock")))
}

fn holder(path: &Path) -> String {
    let name = fs::read_to_string(path).unwrap_or_default();
    if name.trim().is_empty() { "another program".to_owned() } else { name.trim().to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_that_cannot_be_made_is_explained() {
        let text = |errno: nix::errno::Errno| {
            OwnerError::File { path: "/run/lvs/table.lock".into(), error: errno.into() }.to_string()
        };
        assert!(text(nix::errno::Errno::EACCES).contains("run this as root"));
        assert!(text(nix::errno::Errno::EROFS).contains("read-only"));
        assert!(text(nix::errno::Errno::ENOSPC).starts_with("/run/lvs/table.lock: No space left"));
    }
}
