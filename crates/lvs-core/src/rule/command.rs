//! What a rule line asks for, or why it asks for nothing.

use super::options::{OptionInfo, options};
use crate::plan::Op;
use crate::table::ServiceKey;
use crate::text::{nearest, plain};

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
        Self { status: 2, ends_restore: true, text: plain(text.into()) }
    }

    /// What ipvsadm's option parser does not take.
    fn option(ends_restore: bool, text: String) -> Self {
        Self { status: 255, ends_restore, text: plain(text) }
    }

    pub(super) fn no_command(word: Option<&str>) -> Self {
        let what = word.map_or_else(|| "no command".to_owned(), |word| format!("'{word}' is not a command"));
        Self::option(true, format!("{what}; the first option must be one (-A -a -L ...); try -h"))
    }

    pub(super) fn unknown(option: &str) -> Self {
        let known = options().iter().map(|o| o.long);
        let help = match option.strip_prefix("--") {
            Some("json") => "'ipvsctl list --json' prints the table as JSON".to_owned(),
            Some(name) => nearest(name, known)
                .map_or_else(|| "try -h".to_owned(), |near| format!("did you mean --{near}?")),
            None => "try -h".to_owned(),
        };
        Self::option(false, format!("unknown option {option}; {help}"))
    }

    pub(super) fn unwanted_value(name: &str) -> Self {
        Self::option(false, format!("option --{name} takes no value; try -h"))
    }

    pub(super) fn missing_value(option: &OptionInfo) -> Self {
        Self::option(false, format!("option {} needs a value", option.name()))
    }
}
