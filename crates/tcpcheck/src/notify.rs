//! The scripts of a configuration that are told of changes.
//!
//! Those of one real server run one after the other, so that what they leave behind is its last state; so do those of a
//! virtual server's quorum. Where a rack dies, its servers' scripts run a few at a time.

use std::collections::BTreeMap;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;
use std::time::Duration;

use lvs_core::addr::Endpoint;
use lvs_core::conf::Config;
use lvs_core::conf::model::{Command, RealServer};
use lvs_core::desired::Health;
use lvs_core::queue::{PATIENCE, Queue};
use lvs_core::sys::children::{Children, End};
use lvs_core::sys::clock;
use lvs_core::sys::poll::{Interest, Poll};
use lvs_core::sys::script::Job;
use lvs_core::time::Time;

use crate::change::{Change, What};
use crate::monitor::name;
use crate::programs::Programs;

/// Scripts that run at once: each holds a descriptor, and what thousands of deaths start must not bring the host down.
const AT_ONCE: usize = 32;
/// So long the end of the watch waits for scripts that have not begun.
const LAST: Duration = Duration::from_secs(3);

/// Whom a script is about: a virtual server by its name, and a real server in it.
type Whom = (String, Option<Endpoint>);

/// The scripts under way and those that wait.
pub struct Notifier {
    programs: Arc<Programs>,
    children: Children,
    /// Of all for whom something waits or runs.
    queues: BTreeMap<Whom, Queue<Job>>,
}

impl Notifier {
    /// Has nothing to run yet.
    ///
    /// # Errors
    /// Out of descriptors.
    pub fn new() -> io::Result<Self> {
        let children = Children::new()?;
        Ok(Self { programs: Arc::default(), children, queues: BTreeMap::new() })
    }

    /// Takes the programs that scripts may be.
    pub fn run(&mut self, programs: Arc<Programs>) {
        self.programs = programs;
    }

    /// Runs the script that a change calls for, if there is one.
    pub fn tell(&mut self, config: &Config, change: &Change, now: Time) {
        if let Some((server, command)) = script(config, change) {
            self.push((change.service.clone(), server), command, now);
        }
    }

    /// Runs a script, if it may be run, after those about the same.
    fn push(&mut self, whom: Whom, command: &Command, now: Time) {
        let Some(job) = self.programs.job(command) else { return };
        self.queues.entry(whom).or_default().push(job);
        self.start_waiting(now);
    }

    fn start_waiting(&mut self, now: Time) {
        let running = self.queues.values().filter(|q| q.deadline().is_some()).count();
        let mut room = AT_ONCE.saturating_sub(running);
        for queue in self.queues.values_mut() {
            if room == 0 {
                break;
            }
            let Some(job) = queue.take() else { continue };
            match self.children.start(job) {
                Ok(number) => queue.started(number, now),
                Err(e) => log::error!("a notify script cannot be run: {e}"),
            }
            room -= 1;
        }
    }

    /// When it wants [`Notifier::turn`], at the latest.
    pub fn deadline(&self) -> Option<Time> {
        self.queues.values().filter_map(Queue::deadline).min()
    }

    /// Starts what waited for what has ended; a bad end is logged.
    pub fn turn(&mut self, now: Time) {
        for (number, end) in self.children.ended() {
            let owner = self.queues.iter_mut().find_map(|(whom, q)| q.ended(number).then_some(whom));
            if let (Some(whom), true) = (owner, end != End::Status(0)) {
                log::warn!("{}: a notify script failed: {end}", words(whom));
            }
        }
        for (whom, queue) in &mut self.queues {
            if queue.out_of_patience(now) {
                let whom = words(whom);
                log::warn!(
                    "{whom}: a notify script still runs after {PATIENCE:?}: the next one does not wait for it"
                );
            }
            match queue.take_lost() {
                0 => (),
                n => log::error!("{}: {n} notify scripts were left out, too many were waiting", words(whom)),
            }
        }
        self.start_waiting(now);
        self.queues.retain(|_, queue| !queue.is_idle());
    }

    /// Runs the scripts that `omega` asks for at the stop.
    pub fn say_farewell(&mut self, config: &Config, health: &Health, now: Time) {
        for (whom, command) in farewell(config, health) {
            self.push(whom, command, now);
        }
    }

    /// Waits until all scripts have begun, but not long: they may go on when the watch has ended.
    ///
    /// # Errors
    /// Waiting is impossible.
    pub fn finish(&mut self) -> io::Result<()> {
        let mut poll = Poll::new()?;
        poll.add(&self.children, 0, Interest::Read)?;
        let end = clock::now() + LAST;
        while clock::now() < end && !self.has_begun_all() {
            poll.wait(Some(end), &mut Vec::new())?;
            self.turn(clock::now());
        }
        Ok(())
    }

    fn has_begun_all(&self) -> bool {
        self.children.has_started() && self.queues.values().all(|q| !q.is_waiting())
    }
}

/// Readable when [`Notifier::turn`] has something to do.
impl AsFd for Notifier {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.children.as_fd()
    }
}

fn words((service, server): &Whom) -> String {
    match server {
        Some(server) => format!("{service}: real server {server}"),
        None => service.clone(),
    }
}

/// The script of a change, and of which real server it is.
fn script<'a>(config: &'a Config, change: &Change) -> Option<(Option<Endpoint>, &'a Command)> {
    let vs = config.virtual_servers.get(change.vs as usize)?;
    let server = |u: &crate::roster::User| vs.real_servers.get(u.rs as usize);
    match &change.what {
        What::Up(u, e) => Some((Some(*e), server(u)?.notify_up.as_deref()?)),
        What::Down(u, e, _) | What::Left(u, e) => Some((Some(*e), server(u)?.notify_down.as_deref()?)),
        What::QuorumGained => Some((None, vs.quorum_up.as_ref()?)),
        What::QuorumLost(_) | What::QuorumLeft => Some((None, vs.quorum_down.as_ref()?)),
        _ => None,
    }
}

/// The scripts that `omega` runs at the stop, as with keepalived: the ends of the live servers that are in use, then of
/// quorums, also of those that are lost already.
fn farewell<'a>(config: &'a Config, health: &'a Health) -> Vec<(Whom, &'a Command)> {
    let each = config.virtual_servers.iter().zip(&health.services).filter(|(vs, _)| *vs.omega);
    each.flat_map(|(vs, h)| {
        let name = name(vs);
        let open = h.quorum || vs.sorry.is_none();
        let live = vs.real_servers.iter().zip(&h.servers).filter(move |(_, h)| open && h.up);
        let quorum = vs.quorum_down.as_ref().map(|c| ((name.clone(), None), c));
        let down = move |(s, _): (&'a RealServer, _)| {
            Some(((name.clone(), Some(*s.endpoint)), s.notify_down.as_deref()?))
        };
        live.filter_map(down).chain(quorum)
    })
    .collect()
}

#[cfg(test)]
mod tests;
