//! What the command line adds to the configuration; all of it off unless asked for.

use std::time::Duration;

use crate::schedule::Hold;

/// How checks are done beyond what the file says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// Good tries in a row that bring a dead server back.
    pub rise: u32,
    /// Makes a server that keeps dying wait.
    pub hold: Option<Hold>,
    /// How much earlier than its interval a try may come.
    pub jitter_percent: u8,
    /// A server that comes back gets its whole weight after this long only.
    pub slow_start: Option<Duration>,
    /// At most this share of a virtual server's real servers is taken out.
    pub brake_percent: Option<u8>,
    /// Good connections end with RST.
    pub reset: bool,
    /// Which address of a real server is checked.
    pub way: Way,
}

/// Which address of a real server is checked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Way {
    /// Its own: a real server without the VIP counts as alive
    #[default]
    Rip,
    /// The VIP that it holds, by a frame to its MAC (TCP_CHECK with DR)
    Vip,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            rise: 1,
            hold: None,
            jitter_percent: 5,
            slow_start: None,
            brake_percent: None,
            reset: false,
            way: Way::Rip,
        }
    }
}
