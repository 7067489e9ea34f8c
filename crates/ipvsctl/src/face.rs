//! One program, several names: called as ipvsadm it is exact to the bug.

use std::path::Path;

use lvs_core::rule::Dialect;

/// The name that the program was called by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Face {
    /// Ours.
    Ipvsctl,
    /// ipvsadm.
    Ipvsadm,
    /// ipvsadm-save.
    Save,
    /// ipvsadm-restore.
    Restore,
}

impl Face {
    /// The face of an `argv[0]`.
    pub(crate) fn of(name: &str) -> Self {
        match Path::new(name).file_name().and_then(|n| n.to_str()) {
            Some("ipvsadm") => Self::Ipvsadm,
            Some("ipvsadm-save") => Self::Save,
            Some("ipvsadm-restore") => Self::Restore,
            _ => Self::Ipvsctl,
        }
    }

    /// What stands before the program's messages.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Ipvsctl => "ipvsctl",
            Self::Ipvsadm => "ipvsadm",
            Self::Save => "ipvsadm-save",
            Self::Restore => "ipvsadm-restore",
        }
    }

    /// Whether ipvsadm's faults are wanted too.
    pub(crate) fn exact(self) -> bool {
        self != Self::Ipvsctl
    }

    pub(crate) fn dialect(self) -> Dialect {
        if self.exact() { Dialect::Ipvsadm } else { Dialect::Ours }
    }
}
