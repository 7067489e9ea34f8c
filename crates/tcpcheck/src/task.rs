//! What a check does each time.

use lvs_core::sys::tcp::Dial;

/// One kind of try with all that it needs; equal tasks are done once for all who want them.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Task {
    /// Connects, and is content.
    Tcp(Dial),
}
