//! Definitions, and the one that goes on in the next lines.

use super::Reader;
use crate::conf::place::Place;

/// A multi-line definition under way.
pub(super) struct Pending {
    pub(super) name: String,
    pub(super) value: String,
    pub(super) place: Place,
}

impl Pending {
    /// Adds a line; false if it is the last.
    pub(super) fn add(&mut self, line: &str) -> bool {
        let (text, more) = continued(line);
        self.value.push('\n');
        self.value.push_str(text);
        more
    }
}

impl Reader<'_> {
    /// A definition; what is returned goes on in the next lines.
    pub(super) fn define(&mut self, name: &str, value: &str, place: Place) -> Option<Pending> {
        let place = Place { len: u16::try_from(name.len() + 1).unwrap_or(u16::MAX), ..place };
        let (text, more) = continued(value);
        if more {
            return Some(Pending { name: name.to_owned(), value: text.trim().to_owned(), place });
        }
        self.definitions.set(name, value.trim().to_owned(), place);
        None
    }
}

/// A line without the `\` at its end, and whether it had one.
fn continued(line: &str) -> (&str, bool) {
    let body = line.trim_end();
    match body.strip_suffix('\\') {
        Some(text) => (text, true),
        None => (body, false),
    }
}
