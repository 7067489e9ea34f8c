//! What a rule line asks for, or why it asks for nothing.

use super::options::OptionInfo;
use crate::plan::Op;
use crate::table::ServiceKey;

/// What a line asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// A change.
    Op(Op),
    /// `-L`
    List(List),
    /// `-S`
    Save {
        /// `-n`: no names.
        numeric: bool,
    },
    /// `-R`
    Restore,
    /// `-h`
    Help,
    /// `--version`
    Version,
}

/// What `-L` shows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "each is named as its option")]
pub struct List {
    /// Only this service.
    pub service: Option<ServiceKey>,
    pub numeric: bool,
    pub connections: bool,
    pub timeouts: bool,
    pub daemons: bool,
    pub stats: bool,
    pub rate: bool,
    pub exact: bool,
    pub thresholds: bool,
    pub persistent_conn: bool,
    pub tun_info: bool,
    pub no_sort: bool,
}

/// Why a line is no command.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub struct Refusal {
    /// ipvsadm's exit status: 2, or 255 where its option parser gave up.
    pub status: u8,
    /// Whether ipvsadm's `-R` ends at such a line.
    pub ends_restore: bool,
    /// What is wrong and what to try.
    pub text: String,
}

impl Refusal {
    /// A value or combination that is wrong.
    pub(super) fn wrong(text: impl Into<String>) -> Self {
        Self { status: 2, ends_restore: true, text: text.into() }
    }

    pub(super) fn no_command(word: Option<&str>) -> Self {
        let text = match word {
            Some(word) => {
                format!("'{word}' is not a command; the first option must be one (-A -a -L ...); try -h")
            }
            None => "no command; the first option must be one (-A -a -L ...); try -h".to_owned(),
        };
        Self { status: 255, ends_restore: true, text }
    }

    pub(super) fn unknown(option: &str) -> Self {
        Self { status: 255, ends_restore: false, text: format!("unknown option {option}; try -h") }
    }

    pub(super) fn missing_value(option: &OptionInfo) -> Self {
        Self { status: 255, ends_restore: false, text: format!("option {} needs a value", option.name()) }
    }
}
