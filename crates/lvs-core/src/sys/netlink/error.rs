//! What the kernel says when it refuses.

use std::fmt;
use std::io;

use nix::errno::Errno;

/// The kernel's refusal: the error number and, where it said more, its words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NetlinkError {
    /// The error number.
    pub errno: Errno,
    /// The kernel's extended acknowledgement, if it sent one.
    pub text: Option<String>,
}

impl NetlinkError {
    pub(super) fn of(errno: Errno) -> Self {
        Self { errno, text: None }
    }

    /// Whether the kernel has no part that would know what was asked.
    pub fn is_unsupported(&self) -> bool {
        matches!(self.errno, Errno::EOPNOTSUPP | Errno::EPROTONOSUPPORT | Errno::EAFNOSUPPORT)
    }
}

impl From<io::Error> for NetlinkError {
    fn from(e: io::Error) -> Self {
        Self::of(e.raw_os_error().map_or(Errno::EIO, Errno::from_raw))
    }
}

impl From<NetlinkError> for io::Error {
    fn from(e: NetlinkError) -> Self {
        Self::from(e.errno)
    }
}

impl fmt::Display for NetlinkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.text {
            Some(text) => write!(f, "{} ({text})", self.errno.desc()),
            None => f.write_str(self.errno.desc()),
        }
    }
}

impl std::error::Error for NetlinkError {}
