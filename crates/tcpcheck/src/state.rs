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
    /// The configuration whose services those are.
    #[serde(default)]
    config: String,
}

/// What an earlier watch of this network namespace left behind.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Kept {
    /// What it knew.
    pub remembered: Remembered,
    /// The configuration that it had, by its whole path; empty if that is not known.
    pub config: String,
}

/// A configuration as it is remembered: by its whole path.
pub fn known_as(config: &str) -> String {
    fs::canonicalize(config).map_or(config.to_owned(), |path| path.display().to_string())
}

/// Where this network namespace's state is kept, with an ending: `.json`, `.sock`.
///
/// # Errors
/// The kernel does not tell which namespace this is.
pub fn path(ending: &str) -> io::Result<PathBuf> {
    Ok(Path::new(owner::RUN).join(format!("tcpcheck-{}{ending}", netns::name()?)))
}

/// What was kept; nothing if there is no file: then all is learned anew.
///
/// # Errors
/// It is there and of no use, and what follows: the watch begins all the same, for checks that do not run would be worse.
pub fn load(path: &Path) -> Result<Kept, String> {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Kept::default()),
        Err(e) => return Err(forgotten(path, &format!("cannot be read: {e}"))),
    };
    let saved: Saved =
        serde_json::from_str(&text).map_err(|e| forgotten(path, &format!("is not understood: {e}")))?;
    let (drains, wrong) = Drains::parse(&saved.drained);
    match wrong.first() {
        Some((_, why)) => Err(forgotten(path, &format!("is not understood: {why}"))),
        None => {
            let remembered = Remembered { owned: saved.owned.into_iter().collect(), drains };
            Ok(Kept { remembered, config: saved.config })
        }
    }
}

/// What an admin has to do who drained a server, or took a service out of the file.
fn forgotten(path: &Path, why: &str) -> String {
    format!(
        "{} {why}; which servers were drained is forgotten, they get clients again: drain them anew ('tcpcheck drain'); \
         services that have left the file stay in the table: remove them with 'ipvsctl -D'",
        path.display()
    )
}

/// Keeps it; a reader sees the old file or the new one, never half of one.
///
/// # Errors
/// The file cannot be written.
pub fn save(
    path: &Path,
    config: &str,
    owned: impl Iterator<Item = ServiceKey>,
    drains: &Drains,
) -> io::Result<()> {
    let saved = Saved { owned: owned.collect(), drained: drains.to_string(), config: known_as(config) };
    let new = path.with_extension("new");
    fs::write(&new, serde_json::to_vec(&saved)?)?;
    fs::rename(&new, path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_saved_is_loaded_and_only_a_missing_file_is_no_loss() {
        let path = std::env::temp_dir().join(format!("tcpcheck-state-{}.json", std::process::id()));
        let key = ServiceKey::tcp(std::net::Ipv4Addr::new(10, 0, 0, 1), 80);
        let drains = Drains::parse("10.0.0.2:80\n").0;
        assert_eq!(load(&path), Ok(Kept::default()));
        save(&path, "/no/such/file", [key].into_iter(), &drains).unwrap();
        let remembered = Remembered { owned: [key].into(), drains };
        assert_eq!(load(&path), Ok(Kept { remembered, config: "/no/such/file".to_owned() }));
        for rubbish in ["{", "{\"owned\":[],\"drained\":\"web1\\n\"}"] {
            fs::write(&path, rubbish).unwrap();
            let why = load(&path).unwrap_err();
            assert!(why.contains("is not understood") && why.contains("drain them anew"), "{why}");
        }
        fs::remove_file(&path).unwrap();
        // What cannot be read: a folder, for root too.
        fs::create_dir(&path).unwrap();
        let why = load(&path).unwrap_err();
        fs::remove_dir(&path).unwrap();
        assert!(why.starts_with(&format!("{} cannot be read: ", path.display())), "{why}");
    }
}
