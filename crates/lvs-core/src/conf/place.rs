//! Where in which file something is written.

use std::hash::{Hash, Hasher};
use std::ops::Deref;

/// A place in a configuration: file, line, column and length of a word. 12 bytes, `Copy`.
///
/// [`Place::NONE`] stands for what no file says, such as a default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// Line, from 1; 0 for [`Place::NONE`].
    pub line: u32,
    /// Column in characters, from 1.
    pub col: u32,
    /// The file's number in [`Files`].
    pub file: u16,
    /// Length in characters; a caret is drawn under as many.
    pub len: u16,
}

impl Place {
    /// The place of what is not written anywhere.
    pub const NONE: Self = Self { line: 0, col: 0, file: 0, len: 0 };

    /// Whether a file says this; defaults are not written.
    pub fn is_written(self) -> bool {
        self.line != 0
    }
}

/// A value with the place where it is written. It behaves like the value: it dereferences to it, and two are
/// equal when their values are, wherever they are written.
#[derive(Clone, Copy, Debug, Default)]
pub struct At<T> {
    /// The value.
    pub value: T,
    /// Where it is written, or [`Place::NONE`] for a default.
    pub place: Place,
}

impl<T> At<T> {
    /// A value that is written at `place`.
    pub fn new(value: T, place: Place) -> Self {
        Self { value, place }
    }

    /// A value that no file says.
    pub fn assumed(value: T) -> Self {
        Self { value, place: Place::NONE }
    }

    /// Whether a file says this value; false for a default.
    pub fn is_written(&self) -> bool {
        self.place.is_written()
    }
}

impl<T> Deref for At<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T: PartialEq> PartialEq for At<T> {
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value
    }
}

impl<T: Eq> Eq for At<T> {}

impl<T: Hash> Hash for At<T> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.value.hash(state);
    }
}

/// The files that a configuration was read from, by number.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Files(Vec<String>);

impl Files {
    /// Adds a file and gives its number; beyond 65,535 files the last number is shared.
    pub fn add(&mut self, name: &str) -> u16 {
        let number = u16::try_from(self.0.len()).unwrap_or(u16::MAX);
        self.0.push(name.to_owned());
        number
    }

    /// The name of a file; empty if there is none with this number.
    pub fn name(&self, file: u16) -> &str {
        self.0.get(usize::from(file)).map_or("", String::as_str)
    }

    /// `file:line:col` of a place; `default` for [`Place::NONE`].
    pub fn show(&self, place: Place) -> String {
        if place.is_written() {
            format!("{}:{}:{}", self.name(place.file), place.line, place.col)
        } else {
            "default".to_owned()
        }
    }
}
