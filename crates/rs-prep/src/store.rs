//! The memory between `up` and `down` on disk: one file a network namespace, replaced whole, under one lock.

use std::fs;
use std::io;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use lvs_core::sys::lock::Lock;
use lvs_core::sys::netns;

use crate::saved::Saved;

/// The file of this network namespace, locked against every other rs-prep.
pub struct Store {
    file: PathBuf,
    boot: String,
    _lock: Lock,
}

impl Store {
    /// Takes the lock, waiting for another rs-prep that has it; `waiting` is called before the wait.
    pub fn lock(dir: &Path, waiting: impl FnOnce()) -> Result<Self> {
        let ask = || format!("{}: cannot be made (run as root, or give --state-dir)", dir.display());
        fs::create_dir_all(dir).with_context(ask)?;
        let file = file(dir)?;
        let lock = dir.join("lock");
        let ask = || format!("{}: cannot be locked (run as root, or give --state-dir)", lock.display());
        let taken = match Lock::try_take(&lock).with_context(ask)? {
            Some(taken) => taken,
            None => {
                waiting();
                Lock::take(&lock).with_context(ask)?
            }
        };
        Ok(Self { file, boot: boot()?, _lock: taken })
    }

    /// What is remembered.
    pub fn load(&self) -> Result<Saved> {
        load(&self.file, &self.boot)
    }

    /// Remembers this instead, whole or not at all; forgets when there is nothing to remember.
    pub fn save(&self, saved: &Saved) -> Result<()> {
        if saved.is_empty() {
            return match fs::remove_file(&self.file) {
                Err(e) if e.kind() != io::ErrorKind::NotFound => {
                    Err(e).with_context(|| self.file.display().to_string())
                }
                _ => Ok(()),
            };
        }
        self.replace(saved).with_context(|| format!("{}: cannot be written", self.file.display()))
    }

    fn replace(&self, saved: &Saved) -> Result<()> {
        let next = self.file.with_extension("next");
        let mut out = fs::File::create(&next)?;
        out.write_all(serde_json::to_string_pretty(saved)?.as_bytes())?;
        // Before the rename: after a power cut the name must not stand for an empty file.
        out.sync_all()?;
        Ok(fs::rename(&next, &self.file)?)
    }
}

/// What is remembered, for a look without lock or rights.
pub fn peek(dir: &Path) -> Result<Saved> {
    load(&file(dir)?, &boot()?)
}

fn file(dir: &Path) -> Result<PathBuf> {
    let name = netns::name().context("which network namespace this is")?;
    Ok(dir.join(name).with_extension("json"))
}

fn load(file: &Path, boot: &str) -> Result<Saved> {
    let text = match fs::read(file) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => b"{}".to_vec(),
        text => text.with_context(|| file.display().to_string())?,
    };
    let saved: Saved = serde_json::from_slice(&text).with_context(|| {
        format!(
            "{}: not what rs-prep wrote, so the earlier settings are unknown; move it away to go on (down then leaves the \
             settings as they are)",
            file.display()
        )
    })?;
    Ok(saved.of_boot(boot))
}

fn boot() -> Result<String> {
    let path = "/proc/sys/kernel/random/boot_id";
    Ok(fs::read_to_string(path).context(path)?.trim().to_owned())
}
