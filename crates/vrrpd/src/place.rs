//! Where a daemon can be found, and what it leaves can be: its socket, its lock and its estate, below /run/vrrpd.
//!
//! Only root writes there, so that nobody else can have a daemon's place; and nothing of it outlives the machine's run. /run is
//! shared by all network namespaces while addresses belong to one of them: the names say which.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use lvs_core::sys::lock::Lock;
use lvs_core::sys::netns;

/// Where the places are.
pub const RUN: &str = "/run/vrrpd";

/// The right to run under a name; it ends when this is dropped, and with the process however that ends.
#[derive(Debug)]
pub struct Place {
    /// Where questions are answered.
    pub socket: PathBuf,
    /// What a killed daemon leaves is written there.
    pub estate: PathBuf,
    _lock: Lock,
}

impl Place {
    /// Takes the place of this name in a directory, which is made if it is not there.
    ///
    /// # Errors
    /// `AddrInUse`: another daemon has it. Any other names the file.
    pub fn take(run: &Path, name: &str) -> io::Result<Self> {
        let about = |path: &Path, e: &io::Error| {
            io::Error::new(e.kind(), format!("{}: {}", path.display(), reason(e)))
        };
        fs::create_dir_all(run).map_err(|e| about(run, &e))?;
        let lock = file(run, name, "lock")?;
        let taken = Lock::try_take(&lock).map_err(|e| about(&lock, &e))?;
        let Some(taken) = taken else {
            let pid = fs::read_to_string(&lock).unwrap_or_default();
            return Err(io::Error::new(io::ErrorKind::AddrInUse, format!("process {}", pid.trim())));
        };
        // For people only: a disk that does not take it is no reason not to begin.
        let _ = fs::write(&lock, format!("{}\n", std::process::id()));
        Ok(Self { socket: file(run, name, "sock")?, estate: file(run, name, "json")?, _lock: taken })
    }
}

/// The socket of the daemon of this name, whether it runs or not.
///
/// # Errors
/// The network namespace has no name.
pub fn socket(run: &Path, name: &str) -> io::Result<PathBuf> {
    file(run, name, "sock")
}

fn file(run: &Path, name: &str, kind: &str) -> io::Result<PathBuf> {
    Ok(run.join(format!("{name}-{}.{kind}", netns::name()?)))
}

/// What an admin can do about it.
fn reason(e: &io::Error) -> String {
    match e.kind() {
        io::ErrorKind::PermissionDenied => format!("{e}: run it as root"),
        io::ErrorKind::ReadOnlyFilesystem => format!("{e}: a container needs a writable /run (--tmpfs /run)"),
        _ => e.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_daemon_a_name_and_the_next_when_it_is_gone() {
        let run = std::env::temp_dir().join(format!("vrrpd-place-{}", std::process::id()));
        let first = Place::take(&run, "vrrpd").expect("nobody has it");
        assert_eq!(first.socket, socket(&run, "vrrpd").expect("a name"));
        let taken = Place::take(&run, "vrrpd").expect_err("one daemon a name");
        assert_eq!(taken.kind(), io::ErrorKind::AddrInUse);
        assert_eq!(taken.to_string(), format!("process {}", std::process::id()));
        Place::take(&run, "other").expect("another name");
        drop(first);
        Place::take(&run, "vrrpd").expect("it is free");
        fs::remove_dir_all(run).expect("our own directory");
    }
}
