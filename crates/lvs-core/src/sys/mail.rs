//! Mails to the admin: a thread hands them to a mail server, so that no daemon ever waits for one.
//!
//! The network is seldom well when there is something to mail. Where keepalived tries once, a mail waits here until its
//! server takes it, for at most [`PATIENCE`].

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use lettre::transport::smtp::Error;
use nix::sys::signal::SigSet;

use super::clock;
use crate::conf::model::Global;
use crate::time::Time;

mod route;

use route::Route;

/// So long a mail is tried again.
const PATIENCE: Duration = Duration::from_secs(600);
/// The first pause between two tries; each is twice as long as the one before, up to the longest.
const PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);
/// Mails that wait; what flaps must not fill the memory.
const ROOM: usize = 1024;
/// Of the thread; `mlockall` locks all of it.
const STACK: usize = 256 * 1024;

/// What a mail says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Letter {
    /// Without the name of this host, which every subject begins with.
    pub subject: String,
    /// The text.
    pub body: String,
}

/// Sends mails.
#[derive(Default)]
pub struct Post {
    office: Arc<Office>,
}

/// What the daemon and the thread share.
#[derive(Default)]
struct Office {
    desk: Mutex<Desk>,
    /// There is another way to go: whoever pauses may try that at once.
    rerouted: Condvar,
}

#[derive(Default)]
struct Desk {
    route: Option<Arc<Route>>,
    waiting: VecDeque<Dated>,
    lost: u64,
    /// The thread is there.
    open: bool,
}

/// A letter and when it was written: by the clock of the machine, and since 1970.
struct Dated {
    letter: Letter,
    since: Time,
    date: Duration,
}

/// What becomes of a letter that was not taken.
#[derive(Debug, PartialEq, Eq)]
enum Fate {
    /// It is tried again after a pause.
    Again(Duration),
    /// It is given up.
    Lost,
}

impl Post {
    /// Takes recipients and server of a configuration; letters that wait go their way. An address that is none is logged.
    pub fn configure(&self, global: &Global) {
        let route = Route::of(global).map(Arc::new);
        self.office.desk().route = route;
        self.office.rerouted.notify_all();
    }

    /// Sends a letter, if the configuration says to whom.
    pub fn send(&self, letter: Letter) {
        let mut desk = self.office.desk();
        if desk.route.is_none() {
            return;
        }
        if desk.waiting.len() >= ROOM {
            desk.waiting.pop_front();
            desk.lost += 1;
        }
        desk.waiting.push_back(Dated { letter, since: clock::now(), date: clock::unix() });
        if !desk.open {
            desk.open = self.open();
        }
    }

    /// Starts the thread; it ends when nothing waits any more.
    fn open(&self) -> bool {
        let office = Arc::clone(&self.office);
        let thread = thread::Builder::new().name("mail".to_owned()).stack_size(STACK);
        let started = thread.spawn(move || {
            // The daemon reads its signals from a descriptor; none may be delivered here instead.
            let _ = SigSet::all().thread_block();
            office.deliver();
        });
        started.map_err(|e| log::error!("no mail can be sent: {e}")).is_ok()
    }
}

impl Office {
    fn desk(&self) -> MutexGuard<'_, Desk> {
        self.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sends what waits until nothing does.
    fn deliver(&self) {
        let mut tries = 0;
        while let Some((next, route)) = self.take() {
            let Err(why) = route.send(&next.letter, next.date) else {
                tries = 0;
                continue;
            };
            let what = format!("mail server {}: \"{}\"", route.server, next.letter.subject);
            match fate(why.is_permanent(), clock::now() - next.since, tries) {
                Fate::Lost => log::error!("{what} is not sent: {}", reason(&why)),
                Fate::Again(pause) => {
                    if tries == 0 {
                        log::warn!("{what} cannot be sent yet, trying again: {}", reason(&why));
                    }
                    tries += 1;
                    self.put_back(next, pause);
                }
            }
        }
    }

    /// The next letter, and its way; without one the thread's end is noted.
    fn take(&self) -> Option<(Dated, Arc<Route>)> {
        let mut desk = self.desk();
        match std::mem::take(&mut desk.lost) {
            0 => (),
            n => log::error!("{n} mails were left out, too many were waiting"),
        }
        let next = desk.waiting.pop_front().zip(desk.route.clone());
        if next.is_none() {
            desk.waiting.clear();
            desk.open = false;
        }
        next
    }

    fn put_back(&self, letter: Dated, pause: Duration) {
        let mut desk = self.desk();
        desk.waiting.push_front(letter);
        let _ = self.rerouted.wait_timeout(desk, pause);
    }
}

fn fate(refused: bool, age: Duration, tries: u32) -> Fate {
    if refused || age >= PATIENCE {
        return Fate::Lost;
    }
    Fate::Again(PAUSE.saturating_mul(1 << tries.min(8)).min(LONGEST_PAUSE))
}

/// An error with what it comes from, which the library's first line leaves out.
fn reason(why: &Error) -> String {
    let mut all = why.to_string();
    let mut source = std::error::Error::source(why);
    while let Some(why) = source {
        let why_text = why.to_string();
        if !all.contains(&why_text) {
            all = format!("{all}: {why_text}");
        }
        source = why.source();
    }
    all
}

#[cfg(test)]
mod tests;
