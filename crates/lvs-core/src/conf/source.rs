//! The texts of a configuration, and how a parser asks for more of them.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::diag::Excerpt;
use super::model::Url;
use super::place::{Files, Place};

/// How included files are found and read. The parser itself touches no file.
pub trait Loader {
    /// The files that a pattern means, in order, for an `include` in the file `from`. The pattern may hold
    /// `*`, `?`, `[...]` and `{a,b}` and is relative to the folder of `from`.
    ///
    /// # Errors
    /// The reason why nothing can be looked up, as a clause.
    fn find(&mut self, from: &str, pattern: &str) -> Result<Vec<String>, String>;

    /// The bytes of a file that [`Loader::find`] gave.
    ///
    /// # Errors
    /// The reason why it cannot be read, as a clause.
    fn read(&mut self, path: &str) -> Result<Vec<u8>, String>;
}

/// A loader that has no files, for texts without includes.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoFiles;

impl Loader for NoFiles {
    fn find(&mut self, _from: &str, _pattern: &str) -> Result<Vec<String>, String> {
        Err("no files can be included here".to_owned())
    }

    fn read(&mut self, _path: &str) -> Result<Vec<u8>, String> {
        Err("no files can be included here".to_owned())
    }
}

/// Facts about a host, for advice.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Host {
    /// The names of its interfaces.
    pub interfaces: BTreeSet<String>,
    /// The names of the files, as they are given and included, that every user can read.
    pub exposed: BTreeSet<String>,
    /// Programs of checks, scripts and notifications that it does not have or would not run, each with the reason as a sentence.
    pub refused: BTreeMap<String, String>,
}

/// Why the expression of a page would not be used, from whoever would use it.
pub type JudgeRegex = fn(&Url) -> Result<(), String>;

/// What a file may ask about its surroundings.
#[derive(Clone, Debug, Default)]
pub struct Env {
    /// The configuration id that `@id` lines and `${_INSTANCE}` compare: by custom the host's name up to the first dot.
    pub id: String,
    /// What is known about the host that the file is for; none: nothing is said about what does not fit it.
    pub host: Option<Host>,
    /// Start value for `${_RANDOM}`; the same value gives the same configuration.
    pub seed: u64,
    /// Judges `regex`; none: nobody here fetches pages.
    pub regex: Option<JudgeRegex>,
}

/// Where the words of a tree are kept: the files, and one more text for what definitions made of them.
#[derive(Debug, Default)]
pub(super) struct Sources {
    /// File names by number.
    pub(super) files: Files,
    texts: Vec<String>,
    /// For each file the place of its `include`.
    included: Vec<Place>,
    /// Text that is in no file: lines in which definitions were replaced.
    pub(super) made: String,
    /// From the place of a `$NAME` to the place of its definition.
    pub(super) origins: HashMap<Place, Place>,
}

/// The buffer number of [`Sources::made`].
pub(super) const MADE: u16 = u16::MAX;

impl Sources {
    /// Adds a file and gives its number. Bytes that are no UTF-8 (old comments in old encodings) are replaced.
    pub(super) fn add(&mut self, name: &str, bytes: &[u8], included: Place) -> u16 {
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        self.texts.push(String::from_utf8_lossy(bytes).into_owned());
        self.included.push(included);
        self.files.add(name)
    }

    /// Lends the text of a file to its reader; it is given back with [`Self::give_back`].
    pub(super) fn take(&mut self, file: u16) -> String {
        self.texts.get_mut(usize::from(file)).map(std::mem::take).unwrap_or_default()
    }

    /// Puts a text back into its place.
    pub(super) fn give_back(&mut self, file: u16, text: String) {
        if let Some(slot) = self.texts.get_mut(usize::from(file)) {
            *slot = text;
        }
    }

    /// The text of a buffer.
    pub(super) fn text(&self, buf: u16) -> &str {
        if buf == MADE { &self.made } else { self.texts.get(usize::from(buf)).map_or("", String::as_str) }
    }

    /// How many files there are.
    pub(super) fn count(&self) -> usize {
        self.texts.len()
    }

    /// The `include` lines that led to a place, innermost first.
    pub(super) fn includes(&self, place: Place) -> Vec<Place> {
        let mut chain = Vec::new();
        let mut at = self.included.get(usize::from(place.file)).copied().unwrap_or_default();
        while at.is_written() {
            chain.push(at);
            at = self.included.get(usize::from(at.file)).copied().unwrap_or_default();
        }
        chain
    }
}

/// Finds lines by number; made once, when the findings are shown.
pub(super) struct LineIndex<'a> {
    sources: &'a Sources,
    starts: HashMap<u16, Vec<usize>>,
}

impl<'a> LineIndex<'a> {
    /// An index that reads each file at most once.
    pub(super) fn new(sources: &'a Sources) -> Self {
        Self { sources, starts: HashMap::new() }
    }

    /// The line of a place; none for [`Place::NONE`].
    pub(super) fn excerpt(&mut self, place: Place) -> Option<Excerpt> {
        if !place.is_written() {
            return None;
        }
        let text = self.sources.text(place.file);
        let starts = self.starts.entry(place.file).or_insert_with(|| line_starts(text));
        let start = *starts.get(place.line as usize - 1)?;
        let line = text[start..].split('\n').next().unwrap_or("");
        // A line of megabytes need not be kept whole in every finding about it.
        let line: String = line.trim_end().chars().take(1000).collect();
        Some(Excerpt { file: self.sources.files.name(place.file).to_owned(), place, text: line })
    }
}

fn line_starts(text: &str) -> Vec<usize> {
    let ends = text.bytes().enumerate().filter(|(_, b)| *b == b'\n').map(|(i, _)| i + 1);
    std::iter::once(0).chain(ends).collect()
}
