//! Configurations to compare: the seed's, and real files of other people where they are at hand.
//!
//! The real ones are not part of the project: `LVS_CONF_CORPUS` names their folder, `../shared/corpus/keepalived`
//! beside the workspace is the default.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

/// Copies of the configurations to compare, in a folder that goes with this value.
#[derive(Debug)]
pub struct Copies {
    folder: PathBuf,
    /// The copies, in the order of their names.
    pub files: Vec<PathBuf>,
}

impl Copies {
    /// Copies of the seed's configuration and of the real files on which keepalived's verdict is one of these (`ok`,
    /// `complains`), of those in which `word` stands. Without the real files, and a word about it, where they are not at hand; with `CI=true`
    /// that is an error.
    ///
    /// What cannot be the same twice is changed: `alpha` (a start without servers) becomes `omega`, a random
    /// number 5, and `net_namespace` (the process goes elsewhere) a comment.
    ///
    /// # Errors
    /// A file cannot be read or written.
    pub fn mentioning(word: &str, verdicts: &[&str]) -> io::Result<Self> {
        let folder = std::env::temp_dir().join(format!("lvs-copies-{}-{word}", std::process::id()));
        std::fs::create_dir_all(&folder)?;
        let mut copies = Self { folder, files: Vec::new() };
        for path in judged(verdicts)?.into_iter().chain([seed()]) {
            let text = std::fs::read(&path)?;
            if text.windows(word.len()).any(|w| w == word.as_bytes()) {
                let copy = copies.folder.join(path.file_name().unwrap_or_default());
                std::fs::write(&copy, comparable(&text))?;
                copies.files.push(copy);
            }
        }
        Ok(copies)
    }
}

impl Drop for Copies {
    fn drop(&mut self) {
        // What stays is in the folder for temporary files.
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// Byte by byte, because a comment may be in any encoding.
fn comparable(text: &[u8]) -> Vec<u8> {
    let text: String = text.iter().map(|b| char::from(*b)).collect();
    let text = text.replace("alpha", "omega").replace("net_namespace", "# net_namespace");
    let mut parts = text.split("${_RANDOM");
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        out.push('5');
        out.push_str(part.split_once('}').map_or(part, |(_, rest)| rest));
    }
    out.chars().filter_map(|c| u8::try_from(c).ok()).collect()
}

/// What a file is called in messages.
pub fn name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

fn judged(verdicts: &[&str]) -> io::Result<Vec<PathBuf>> {
    let Some(folder) = folder()? else { return Ok(Vec::new()) };
    let all = std::fs::read_to_string(top().join("crates/lvs-core/tests/corpus/keepalived.tsv"))?;
    let rows = all.lines().filter_map(|row| row.split_once('\t'));
    let wanted = rows.filter(|(_, v)| verdicts.iter().any(|w| v.split('\t').next() == Some(w)));
    Ok(wanted.map(|(name, _)| folder.join(name)).collect())
}

fn seed() -> PathBuf {
    top().join("examples/seed-keepalived.conf")
}

fn top() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

fn folder() -> io::Result<Option<PathBuf>> {
    let beside = top().join("../shared/corpus/keepalived");
    let folder = std::env::var_os("LVS_CONF_CORPUS").map_or(beside, PathBuf::from);
    if folder.is_dir() {
        return Ok(Some(folder));
    }
    let message = format!("the corpus of real files is not at {}; set LVS_CONF_CORPUS", folder.display());
    if std::env::var("CI").as_deref() == Ok("true") {
        return Err(io::Error::other(message));
    }
    // Not through print!: a passing test's output is swallowed, and a skipped test must not pass in silence.
    writeln!(io::stderr(), "\nNOT TESTED: {message}")?;
    Ok(None)
}
