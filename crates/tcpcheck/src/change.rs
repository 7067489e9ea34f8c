//! What happened, as people, machines and scripts are told.

use std::fmt;
use std::time::Duration;

use lvs_core::addr::Endpoint;
use serde::Serialize;

use crate::outcome::Reason;
use crate::roster::User;

/// One event of the watch.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// The virtual server, by its place in the configuration.
    pub vs: u32,
    /// The virtual server's name.
    pub service: String,
    /// What happened to it.
    pub what: What,
}

/// What happened to a virtual server.
#[derive(Clone, Debug, PartialEq)]
pub enum What {
    /// A real server is alive again.
    Up(User, Endpoint),
    /// A real server is dead, and why.
    Down(User, Endpoint, Reason),
    /// A dead real server answers again, but counts as dead for so long still.
    Held(User, Endpoint, Duration),
    /// Enough real servers live again.
    QuorumGained,
    /// Too few real servers live; whether a sorry server takes over.
    QuorumLost(bool),
    /// So many dead real servers stay in the table because too many died.
    Braked(usize),
    /// No dead real server is kept in the table any more.
    Released,
    /// A real server was taken out of service by the admin.
    Drained(User, Endpoint),
    /// A real server was given back by the admin.
    Resumed(User, Endpoint),
    /// A live real server is no longer in the file.
    Left(User, Endpoint),
    /// A virtual server whose real servers sufficed is no longer in the file.
    QuorumLeft,
}

/// A change as a line of JSON.
#[derive(Serialize)]
struct Line<'a> {
    time: &'a str,
    event: &'static str,
    service: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    server: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
}

impl Change {
    /// A stable word for machines.
    fn word(&self) -> &'static str {
        match self.what {
            What::Up(..) => "up",
            What::Down(..) => "down",
            What::Held(..) => "held",
            What::QuorumGained => "quorum-gained",
            What::QuorumLost(_) => "quorum-lost",
            What::Braked(_) => "braked",
            What::Released => "released",
            What::Drained(..) => "drained",
            What::Resumed(..) => "resumed",
            What::Left(..) => "left",
            What::QuorumLeft => "quorum-left",
        }
    }

    /// The change as one line of JSON without its end; `time` is the time of day.
    pub fn json(&self, time: &str) -> String {
        let (server, reason) = match &self.what {
            What::Up(_, e)
            | What::Held(_, e, _)
            | What::Drained(_, e)
            | What::Resumed(_, e)
            | What::Left(_, e) => (Some(e), None),
            What::Down(_, e, why) => (Some(e), Some(why)),
            _ => (None, None),
        };
        let line = Line {
            time,
            event: self.word(),
            service: &self.service,
            server: server.map(ToString::to_string),
            reason: reason.map(Reason::word),
            detail: match &self.what {
                What::Held(_, _, rest) => Some(format!("held down for {} more", seconds(*rest))),
                _ => reason.map(ToString::to_string),
            },
        };
        // A struct of strings always becomes JSON.
        serde_json::to_string(&line).unwrap_or_default()
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.service)?;
        match &self.what {
            What::Up(_, e) => write!(f, "real server {e} is up"),
            What::Down(_, e, why) => write!(f, "real server {e} is down: {why}"),
            What::Held(_, e, rest) => {
                write!(f, "real server {e} answers again: held down for {} more", seconds(*rest))
            }
            What::QuorumGained => f.write_str("quorum gained"),
            What::QuorumLost(true) => f.write_str("quorum lost: the sorry server takes over"),
            What::QuorumLost(false) => f.write_str("quorum lost"),
            What::Braked(n) => write!(
                f,
                "BRAKE: too many real servers are down at once; {n} of them stay in the table although they are dead"
            ),
            What::Released => f.write_str("brake released: no dead real server stays in the table"),
            What::Drained(_, e) => write!(f, "real server {e} drained: no new connections"),
            What::Resumed(_, e) => write!(f, "real server {e} resumed"),
            What::Left(_, e) => write!(f, "real server {e} is no longer in the file"),
            What::QuorumLeft => f.write_str("no longer in the file"),
        }
    }
}

/// `6 s`, `2.3 s`: rounded up, so that it is never none that is left.
pub fn seconds(time: Duration) -> String {
    format!("{} s", time.as_millis().div_ceil(100) as f64 / 10.0)
}
