//! Why a verb did not do what was asked, and with which status it ends.

use std::io;

use lvs_core::ipvs::IpvsError;
use lvs_core::sys::ipvs::OpenError;

/// Why a verb did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The kernel has no IPVS, or does not talk to us.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The kernel refused.
    #[error(transparent)]
    Kernel(#[from] IpvsError),
    /// It cannot be done as things are.
    #[error("{0}")]
    Refused(String),
    /// A file or the terminal.
    #[error("{0}: {1}")]
    File(String, io::Error),
    /// The words or the file are wrong.
    #[error("{0}")]
    Usage(String),
}

impl Failure {
    /// The exit status: 2 for a wrong command line or file, 1 for what could not be done.
    pub fn status(&self) -> u8 {
        match self {
            Self::Usage(_) => 2,
            _ => 1,
        }
    }
}
