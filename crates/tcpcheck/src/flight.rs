//! A try that is under way.

mod fetch;
mod link;
mod tls;

use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;
use std::time::Duration;

use lvs_core::sys::poll::{Event, Interest};
use lvs_core::sys::tcp::{self, Connecting, Dial};

use crate::outcome::Outcome;
use crate::web::Web;

/// A try with its descriptor; dropping it ends it.
pub enum Flight {
    /// A connection that is being made.
    Tcp(Connecting),
    /// Pages that are being fetched.
    Web(Box<fetch::Fetch>),
}

/// How far the beginning of a connection got.
pub enum Begun {
    /// It ended at once.
    Done(Outcome),
    /// It waits to be writable.
    Flying(Flight),
}

/// How far a try got after something happened on its descriptor.
pub enum Progress {
    /// Nothing new; it waits for the same.
    Wait,
    /// It waits for something else.
    Turn(Interest),
    /// It has another descriptor now, and waits for this on it.
    Replaced(Interest),
    /// It has ended.
    Done(Outcome),
}

impl Flight {
    /// Begins a connection.
    ///
    /// # Errors
    /// The system refuses at once, for want of descriptors, a route, or because the port is closed.
    pub fn connect(dial: &Dial) -> io::Result<Begun> {
        Ok(match Connecting::knock(dial)? {
            tcp::Begun::Done(_) => Begun::Done(Outcome::pass(Duration::ZERO)),
            tcp::Begun::Pending(c) => Begun::Flying(Self::Tcp(c)),
        })
    }

    /// Begins to fetch pages; the descriptor becomes writable when the connection is made or refused.
    ///
    /// # Errors
    /// As [`Flight::connect`].
    pub fn fetch(web: &Arc<Web>) -> io::Result<Self> {
        Ok(Self::Web(Box::new(fetch::Fetch::begin(web)?)))
    }

    /// Goes on after an event, `elapsed` after the beginning.
    pub fn ready(&mut self, event: Event, elapsed: Duration) -> Progress {
        match self {
            // Writable and not closed is connected: asking for the outcome would be one system call more.
            Self::Tcp(_) if !event.closed => Progress::Done(Outcome::pass(elapsed)),
            Self::Tcp(c) => Progress::Done(match c.outcome() {
                Ok(()) => Outcome::pass(elapsed),
                Err(e) => Outcome::from_error(&e),
            }),
            Self::Web(fetch) => fetch.ready(elapsed),
        }
    }
}

impl AsFd for Flight {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Self::Tcp(c) => c.as_fd(),
            Self::Web(fetch) => fetch.as_fd(),
        }
    }
}
