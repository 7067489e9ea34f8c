//! What one try of a check found out.

use std::fmt;
use std::time::Duration;

/// The result of one try.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The server answered as asked, after this long.
    Pass {
        /// From the first packet to the verdict.
        latency: Duration,
        /// The weight that a dynamic script asks for.
        weight: Option<u32>,
    },
    /// The server did not.
    Fail(Reason),
    /// Nothing was learned: this host ran short of descriptors, memory or processes. The server must not pay for it.
    Unknown(Reason),
}

impl Outcome {
    /// A pass without a word on the weight.
    pub fn pass(latency: Duration) -> Self {
        Self::Pass { latency, weight: None }
    }

    /// A failed try, or nothing learned, by the error of the system.
    pub fn from_error(e: &std::io::Error) -> Self {
        match e.raw_os_error() {
            Some(errno) => Self::from_errno(errno),
            None => Self::Fail(Reason::Said(e.to_string())),
        }
    }

    /// A failed try, or nothing learned, by the errno of the system call that said so.
    ///
    /// A source address or a route that is missing counts as a failure: traffic would fail in the same way.
    pub fn from_errno(errno: i32) -> Self {
        let reason = Reason::from_errno(errno);
        match errno {
            EMFILE | ENFILE | ENOMEM | ENOBUFS | EAGAIN | ENOSYS => Self::Unknown(reason),
            _ => Self::Fail(reason),
        }
    }
}

const EAGAIN: i32 = 11;
const ENOMEM: i32 = 12;
const ENFILE: i32 = 23;
const EMFILE: i32 = 24;
const EADDRNOTAVAIL: i32 = 99;
/// A kernel without what a check takes.
const ENOSYS: i32 = 38;
const ENETUNREACH: i32 = 101;
const ECONNRESET: i32 = 104;
const ENOBUFS: i32 = 105;
const ETIMEDOUT: i32 = 110;
const ECONNREFUSED: i32 = 111;
const EHOSTUNREACH: i32 = 113;

/// Why a try failed, in the words of the field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// The host answered with a reset: it lives, nothing listens there.
    Refused,
    /// No answer before the deadline.
    TimedOut,
    /// A router or the neighbour table says that the host is gone.
    Unreachable,
    /// This host, or a router, has no route there.
    NoRoute,
    /// The connection was cut.
    Reset,
    /// The source address or port of the check cannot be had on this host.
    Source,
    /// Another error of the system, by number.
    Errno(i32),
    /// It was dead before this program knew it, or has not yet passed a check.
    Unknown,
    /// What a richer check did not like: an HTTP status, an exit status.
    Said(String),
}

impl Reason {
    /// The reason behind an errno.
    pub fn from_errno(errno: i32) -> Self {
        match errno {
            ECONNREFUSED => Self::Refused,
            ETIMEDOUT => Self::TimedOut,
            EHOSTUNREACH => Self::Unreachable,
            ENETUNREACH => Self::NoRoute,
            ECONNRESET => Self::Reset,
            EADDRNOTAVAIL => Self::Source,
            other => Self::Errno(other),
        }
    }

    /// A stable word for machines: `refused`, `timeout`, `unreachable`, `reset`, `source`, `error`, `unknown`, `answer`.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Refused => "refused",
            Self::TimedOut => "timeout",
            Self::Unreachable | Self::NoRoute => "unreachable",
            Self::Reset => "reset",
            Self::Source => "source",
            Self::Errno(_) => "error",
            Self::Unknown => "unknown",
            Self::Said(_) => "answer",
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused => f.write_str("connection refused"),
            Self::TimedOut => f.write_str("timed out"),
            Self::Unreachable => f.write_str("host unreachable"),
            Self::NoRoute => {
                f.write_str("network unreachable: this host, or a router on the way, has no route")
            }
            Self::Reset => f.write_str("connection reset"),
            Self::Source => {
                f.write_str("the check's source address is not on this host, or has no free port")
            }
            Self::Errno(n) => write!(f, "{}", std::io::Error::from_raw_os_error(*n)),
            Self::Unknown => f.write_str("not yet known to be alive"),
            Self::Said(text) => f.write_str(text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_route_is_not_a_missing_host() {
        let [network, host] = [ENETUNREACH, EHOSTUNREACH].map(Reason::from_errno);
        assert_eq!(
            network.to_string(),
            "network unreachable: this host, or a router on the way, has no route"
        );
        assert_eq!(host.to_string(), "host unreachable");
        assert_eq!([network.word(), host.word()], ["unreachable"; 2]);
    }
}
