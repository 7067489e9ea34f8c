//! Commands, and what instances track: scripts, files, processes.

use std::time::Duration;

use crate::conf::place::At;

/// A program with its arguments, run without a shell.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Command {
    /// The program and its arguments, at least one word; the place is that of the program's word.
    pub argv: At<Vec<String>>,
    /// The user who runs it; none: `script_user`.
    pub user: Option<At<String>>,
    /// The group; none: the user's own.
    pub group: Option<At<String>>,
}

/// What a tracked thing does to the priority. `value` 0 means: its failure is a fault.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Weight {
    /// -253 to 253 (files: -254 to 254). Negative: taken off while it fails. Positive: added while it works.
    pub value: i32,
    /// `reverse`: the sense is turned round.
    pub reverse: bool,
}

/// A line of a `track_*` block: which thing, and with which weight.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    /// Interface, script, file or process.
    pub name: At<String>,
    /// The weight in force: the line's, else the thing's own.
    pub weight: At<Weight>,
}

/// `vrrp_script NAME { }`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Script {
    /// Its name.
    pub name: At<String>,
    /// What is run; status 0 is success.
    pub command: Command,
    /// Time between two starts (default 1 s).
    pub interval: At<Duration>,
    /// After this it is killed and has failed (default: the interval).
    pub timeout: At<Duration>,
    /// Effect on the priority (default 0: fault).
    pub weight: At<Weight>,
    /// Successes in a row until it is up (default 1).
    pub rise: At<u32>,
    /// Failures in a row until it is down (default 1).
    pub fall: At<u32>,
    /// It counts as failed until it first succeeds.
    pub init_fail: At<bool>,
}

/// `track_file NAME { }`: a number in a file, times the weight, is added to the priority.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrackFile {
    /// Its name.
    pub name: At<String>,
    /// The file.
    pub path: At<String>,
    /// Factor (default 1); 0: a number other than 0 is a fault.
    pub weight: At<Weight>,
    /// `init_file [VALUE] [overwrite]`: the file is made at start with this number; the flag: even if it exists.
    pub init: Option<At<(i64, bool)>>,
}

/// `vrrp_track_process NAME { }`: whether enough processes of a name run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrackProcess {
    /// Its name.
    pub name: At<String>,
    /// The program's name, then the arguments to compare if any.
    pub process: At<Vec<String>>,
    /// `param_match`: none compares all arguments exactly; `initial` or `partial`.
    pub param_match: Option<At<String>>,
    /// Effect on the priority (default 1).
    pub weight: At<Weight>,
    /// At least this many must run (default 1).
    pub quorum: At<u32>,
    /// At most this many may run.
    pub quorum_max: Option<At<u32>>,
    /// Wait before a new process counts.
    pub fork_delay: At<Duration>,
    /// Wait before an ended process counts.
    pub terminate_delay: At<Duration>,
    /// Compare the whole command line, not only the program's name.
    pub full_command: At<bool>,
}
