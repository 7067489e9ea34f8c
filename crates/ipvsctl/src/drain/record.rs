//! The weights before a drain, kept where they outlive the drain but not the machine's run.
//!
//! One small file a server, so that drains of several servers never write to the same file. It is written before
//! the weight is set to 0: whenever a drain is killed, the old weight is known.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use lvs_core::addr::Family;
use lvs_core::sys::{netns, owner};
use lvs_core::table::ServiceKey;

use super::plan::Target;

/// The folder of this network namespace's records.
pub struct Records(PathBuf);

impl Records {
    /// Below `/run/lvs`, by network namespace, as the table itself.
    ///
    /// # Errors
    /// The namespace has no name, for want of /proc.
    pub fn open() -> io::Result<Self> {
        Ok(Self::below(Path::new(owner::RUN), &netns::name()?))
    }

    /// Below another folder.
    pub fn below(folder: &Path, namespace: &str) -> Self {
        Self(folder.join(format!("drained-{namespace}")))
    }

    /// The weight that is remembered for a server.
    ///
    /// # Errors
    /// The file cannot be read, or holds something else.
    pub fn get(&self, target: &Target) -> io::Result<Option<u32>> {
        let path = self.0.join(name(target));
        match fs::read_to_string(&path) {
            Ok(text) => text.trim().parse().map(Some).map_err(|_| {
                io::Error::new(io::ErrorKind::InvalidData, format!("{} holds no weight", path.display()))
            }),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(e) => Err(e),
        }
    }

    /// Remembers the weight of a server; weight 0 is not worth it, and must not replace one that is.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn keep(&self, target: &Target) -> io::Result<()> {
        if target.server.weight == 0 {
            return Ok(());
        }
        fs::create_dir_all(&self.0)?;
        let half = self.0.join(format!(".{}.{}", name(target), std::process::id()));
        fs::write(&half, format!("{}\n", target.server.weight))?;
        fs::rename(&half, self.0.join(name(target)))
    }

    /// Forgets a server.
    ///
    /// # Errors
    /// The file cannot be removed.
    pub fn forget(&self, target: &Target) -> io::Result<()> {
        match fs::remove_file(self.0.join(name(target))) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => Err(e),
            _ => Ok(()),
        }
    }
}

/// `TCP-192.168.15.111:7885-192.168.15.102:7885`: nothing in it that a file name may not hold.
fn name(target: &Target) -> String {
    match target.key {
        ServiceKey::Addr { protocol, vip } => format!("{protocol}-{vip}-{}", target.endpoint),
        ServiceKey::Mark { mark, family: Family::Inet } => format!("FWM-{mark}-{}", target.endpoint),
        ServiceKey::Mark { mark, family: Family::Inet6 } => format!("FWM6-{mark}-{}", target.endpoint),
    }
}
