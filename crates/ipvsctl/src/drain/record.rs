//! The weights before a drain, kept where they outlive the drain but not the machine's run.
//!
//! One small file a server, so that drains of several servers never write to the same file. It is written before
//! the weight is set to 0: whenever a drain is killed, the old weight is known.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use lvs_core::addr::{Endpoint, Family};
use lvs_core::plan::Op;
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

    /// What is remembered of a server.
    ///
    /// # Errors
    /// The file cannot be read, or holds something else.
    pub fn get(&self, target: &Target) -> io::Result<Option<Record>> {
        let path = self.0.join(name(&target.key, target.endpoint));
        match fs::read_to_string(&path) {
            Ok(text) => Record::parse(&text).map(Some).ok_or_else(|| {
                io::Error::new(io::ErrorKind::InvalidData, format!("{} holds no weight", path.display()))
            }),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(e) => Err(e),
        }
    }

    /// Remembers a server; weight 0 is not worth it, and must not replace one that is.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn keep(&self, target: &Target) -> io::Result<()> {
        if target.server.weight == 0 {
            return Ok(());
        }
        fs::create_dir_all(&self.0)?;
        let name = name(&target.key, target.endpoint);
        let half = self.0.join(format!(".{name}.{}", std::process::id()));
        let record = Record::of(target);
        fs::write(&half, format!("{}\n{}\n{}\n", record.weight, record.connections, record.rule))?;
        fs::rename(&half, self.0.join(name))
    }

    /// Forgets a server; whether anything was known.
    ///
    /// # Errors
    /// The file cannot be removed.
    pub fn forget(&self, key: &ServiceKey, server: Endpoint) -> io::Result<bool> {
        match fs::remove_file(self.0.join(name(key, server))) {
            Ok(()) => Ok(true),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(e) => Err(e),
        }
    }

    /// Forgets the servers that an ordinary command has deleted, added or edited. That a record cannot be removed must
    /// not fail the command: drain --undo looks twice.
    pub(crate) fn follow(ops: &[Op]) {
        let _ = Self::open().and_then(|records| records.after(ops));
    }

    /// Forgets the servers that operations have deleted, added anew or given a weight; those that a drain held at 0 and
    /// that have a weight again.
    ///
    /// # Errors
    /// A file cannot be removed.
    pub fn after(&self, ops: &[Op]) -> io::Result<Vec<Op>> {
        let mut back = Vec::new();
        if !self.0.exists() {
            return Ok(back);
        }
        for op in ops {
            match op {
                Op::EditServer(key, server, new) if new.weight > 0 => {
                    let drained = self.forget(key, *server)?;
                    back.extend(drained.then(|| op.clone()));
                }
                Op::AddServer(key, server, _) | Op::DelServer(key, server) => {
                    self.forget(key, *server)?;
                }
                Op::DelService(key) => self.forget_all(&prefix(key))?,
                Op::Flush => self.forget_all("")?,
                _ => {}
            }
        }
        Ok(back)
    }

    fn forget_all(&self, prefix: &str) -> io::Result<()> {
        for entry in fs::read_dir(&self.0)? {
            let entry = entry?;
            if entry.file_name().to_string_lossy().starts_with(prefix) {
                fs::remove_file(entry.path())?;
            }
        }
        Ok(())
    }
}

/// A server before its drain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Its weight.
    pub weight: u32,
    /// The connections that it had ever had.
    connections: u64,
    /// The rule that gives it weight 0 and leaves all else.
    rule: String,
}

impl Record {
    /// What to remember of a server.
    pub fn of(target: &Target) -> Self {
        Self {
            weight: target.server.weight,
            connections: target.connections,
            rule: target.weigh(0).to_string(),
        }
    }

    fn parse(text: &str) -> Option<Self> {
        let mut lines = text.lines();
        let weight = lines.next()?.parse().ok()?;
        let connections = lines.next()?.parse().ok()?;
        Some(Self { weight, connections, rule: lines.next()?.to_owned() })
    }

    /// Whether this may still be the server that was drained. IPVS has no number for it; one that was deleted and added
    /// again begins its counters anew, unless it came back within the two minutes for which the kernel keeps what was
    /// deleted (`IP_VS_DEST_TRASH_PERIOD`).
    pub fn fits(&self, target: &Target) -> bool {
        self.rule == target.weigh(0).to_string() && target.connections >= self.connections
    }
}

/// `TCP-192.168.15.111:7885-192.168.15.102:7885`: nothing in it that a file name may not hold.
fn name(key: &ServiceKey, server: Endpoint) -> String {
    format!("{}{server}", prefix(key))
}

fn prefix(key: &ServiceKey) -> String {
    match key {
        ServiceKey::Addr { protocol, vip } => format!("{protocol}-{vip}-"),
        ServiceKey::Mark { mark, family: Family::Inet } => format!("FWM-{mark}-"),
        ServiceKey::Mark { mark, family: Family::Inet6 } => format!("FWM6-{mark}-"),
    }
}
