//! What a check does each time.

use std::fmt;
use std::sync::Arc;

use lvs_core::addr::Endpoint;
use lvs_core::conf::model::Command;
use lvs_core::sys::tcp::Dial;

use crate::web::Web;

/// One kind of try with all that it needs; equal tasks are done once for all who want them.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Task {
    /// Connects, and is content.
    Tcp(Dial),
    /// Asks the VIP on the real server, by a frame.
    Vip(Box<Via>),
    /// Fetches pages.
    Web(Arc<Web>),
    /// Runs a command.
    Misc(Arc<Misc>),
}

/// A VIP on a real server.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Via {
    /// The VIP and the port that clients use.
    pub vip: Endpoint,
    /// The real server by its own address: where the frame goes, and where a plain connection would.
    pub dial: Dial,
}

/// A command whose exit status tells.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Misc {
    /// What is run.
    pub command: Command,
    /// Whether statuses 2 to 255 set the weight to the status less 2.
    pub dynamic: bool,
}

impl fmt::Display for Task {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(dial) => write!(f, "connect to {}", dial.to),
            Self::Vip(via) => write!(f, "ask for {} on {}", via.vip, via.dial.to.addr),
            Self::Web(web) => {
                let way = if web.is_tls() { " over TLS" } else { "" };
                write!(f, "fetch {} from {}{way}", web.paths(), web.dial.to)
            }
            Self::Misc(misc) => write!(f, "run {}", misc.command.argv.join(" ")),
        }
    }
}
