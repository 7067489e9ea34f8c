//! Whom changes are told on standard output, and in which form.

use std::collections::BTreeSet;

use lvs_core::sys::log as syslog;
use lvs_core::sys::outbox::Refused;
use lvs_core::table::{ServiceKey, Table};

use crate::change::Change;
use crate::keeper::Keeper;
use crate::lines::Lines;

/// Whom changes are told on standard output.
pub enum Told {
    /// Sentences.
    Text(Lines),
    /// Lines of JSON.
    Json(Lines),
    /// Rule lines.
    Rules {
        /// What the reader holds.
        keeper: Keeper<Lines>,
        /// The way to it.
        lines: Lines,
        /// It does not have everything yet.
        behind: bool,
    },
}

impl Told {
    /// The way to the reader.
    pub fn lines(&self) -> &Lines {
        match self {
            Self::Text(lines) | Self::Json(lines) | Self::Rules { lines, .. } => lines,
        }
    }

    /// Tells a change.
    ///
    /// # Errors
    /// The reader is too slow or gone.
    pub fn change(&self, change: &Change) -> Result<(), Refused> {
        match self {
            Self::Text(lines) => lines.send(format!("{} {change}", syslog::wall_clock())),
            Self::Json(lines) => lines.send(change.json(&syslog::wall_clock())),
            Self::Rules { .. } => Ok(()),
        }
    }

    /// Tells what of the table should be other than before; `whole` gives all of it, for a reader that missed some.
    pub fn table(&mut self, part: &Table, gone: &BTreeSet<ServiceKey>, whole: impl FnOnce() -> Table) {
        if let Self::Rules { keeper, behind, .. } = self {
            let refused = if *behind { keeper.keep(&whole(), gone).1 } else { keeper.keep(part, gone).1 };
            *behind = !refused.is_empty();
        }
    }
}
