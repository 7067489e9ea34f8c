//! The lines that findings point at.

use std::cell::OnceCell;
use std::collections::HashMap;

use lvs_core::conf::{Excerpt, Files, Place};

/// Texts by file name: where excerpts come from.
pub(crate) type Texts = HashMap<String, Vec<u8>>;

/// Texts whose lines are found by number. A hundred thousand servers have places, few of them a finding, most files none.
#[derive(Debug, Default)]
pub(super) struct Pages {
    files: Files,
    texts: Texts,
    /// Where the lines of each file begin, told when first asked for.
    starts: OnceCell<HashMap<String, Vec<usize>>>,
}

impl Pages {
    pub(super) fn new(files: &Files, texts: Texts) -> Self {
        Self { files: files.clone(), texts, starts: OnceCell::new() }
    }

    /// A single file.
    pub(super) fn one(name: &str, text: &str) -> Self {
        let mut files = Files::default();
        files.add(name);
        Self::new(&files, Texts::from([(name.to_owned(), text.as_bytes().to_vec())]))
    }

    /// The line of a place as it is written; none for what no file says.
    pub(super) fn excerpt(&self, place: Place) -> Option<Excerpt> {
        let file = self.files.name(place.file);
        let index = || self.texts.iter().map(|(name, text)| (name.clone(), starts(text))).collect();
        let starts = self.starts.get_or_init(index).get(file)?;
        let start = *starts.get((place.line as usize).checked_sub(1)?)?;
        let line = self.texts.get(file)?.get(start..)?.split(|b| *b == b'\n').next()?;
        let text = String::from_utf8_lossy(line.strip_suffix(b"\r").unwrap_or(line)).into_owned();
        Some(Excerpt { file: file.to_owned(), place, text })
    }
}

fn starts(text: &[u8]) -> Vec<usize> {
    let ends = text.iter().enumerate().filter(|(_, b)| **b == b'\n').map(|(i, _)| i + 1);
    std::iter::once(0).chain(ends).collect()
}
