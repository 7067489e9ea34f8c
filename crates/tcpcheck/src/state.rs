//! What outlives the process, in a file under /run: which services are ours, and which servers are drained.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use lvs_core::sys::{netns, owner};
use lvs_core::table::ServiceKey;
use serde::{Deserialize, Serialize};

use crate::drains::Drains;
use crate::monitor::Remembered;

/// The file's form.
#[derive(Default, Serialize, Deserialize)]
struct Saved {
    owned: Vec<ServiceKey>,
    drained: String,
}

/// Where this network namespace's state is kept, with an ending: `.json`, `.sock`.
///
/// # Errors
/// The kernel does not tell which namespace this is.
pub fn path(ending: &str) -> io::Result<PathBuf> {
    Ok(Path::new(owner::RUN).join(format!("tcpcheck-{}{ending}", netns::name()?)))
}

/// What was kept; nothing if there is no file, or none that can be read: then all is learned anew.
pub fn load(path: &Path) -> Remembered {
    let Ok(text) = fs::read_to_string(path) else { return Remembered::default() };
    let saved: Saved = serde_json::from_str(&text).unwrap_or_else(|e| {
        log::warn!("{}: not understood and not used: {e}", path.display());
        Saved::default()
    });
    let (drains, _) = Drains::parse(&saved.drained);
    Remembered { owned: saved.owned.into_iter().collect(), drains }
}

/// Keeps it; a reader sees the old file or the new one, never half of one.
///
/// # Errors
/// The file cannot be written.
pub fn save(path: &Path, owned: impl Iterator<Item = ServiceKey>, drains: &Drains) -> io::Result<()> {
    let saved = Saved { owned: owned.collect(), drained: drains.to_string() };
    let new = path.with_extension("new");
    fs::write(&new, serde_json::to_vec(&saved)?)?;
    fs::rename(&new, path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_saved_is_loaded_and_rubbish_is_nothing() {
        let path = std::env::temp_dir().join(format!("tcpcheck-state-{}.json", std::process::id()));
        let key = ServiceKey::tcp(std::net::Ipv4Addr::new(10, 0, 0, 1), 80);
        let drains = Drains::parse("10.0.0.2:80\n").0;
        assert_eq!(load(&path), Remembered::default());
        save(&path, [key].into_iter(), &drains).unwrap();
        assert_eq!(load(&path), Remembered { owned: [key].into(), drains });
        fs::write(&path, "{").unwrap();
        assert_eq!(load(&path), Remembered::default());
        fs::remove_file(&path).unwrap();
    }
}
