//! What a check does each time.

use std::fmt;

use lvs_core::sys::tcp::Dial;

/// One kind of try with all that it needs; equal tasks are done once for all who want them.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Task {
    /// Connects, and is content.
    Tcp(Dial),
}

impl fmt::Display for Task {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(dial) => write!(f, "connect to {}", dial.to),
        }
    }
}
