//! Who looks at the kernel's table all the time, from a thread of its own, for real servers that must never be missing.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use lab::{SECONDS, wait};
use lvs_core::addr::Endpoint;
use lvs_core::sys::ipvs::Client;
use lvs_core::table::{ServiceKey, Table};

/// A service and the servers that it must have.
type Must = (ServiceKey, Vec<Endpoint>);

/// What the watcher looks for and has found.
#[derive(Default)]
pub(crate) struct Watch {
    must: Mutex<Vec<Must>>,
    missed: Mutex<Vec<String>>,
    looks: AtomicUsize,
    over: AtomicBool,
}

/// The servers that both tables have.
fn common(a: &Table, b: &Table) -> Vec<Must> {
    let both = a.services.iter().filter_map(|(key, entry)| {
        let other = b.services.get(key)?;
        Some((*key, entry.servers.keys().filter(|e| other.servers.contains_key(e)).copied().collect()))
    });
    both.collect()
}

/// Servers that both tables have and the kernel has not.
pub(crate) fn missing(client: &mut Client, a: &Table, b: &Table) -> Vec<String> {
    common(a, b).iter().flat_map(|must| look(client, must)).collect()
}

/// The servers of one service come in one datagram, which the kernel fills under its lock: a look at one moment.
fn look(client: &mut Client, (key, servers): &Must) -> Vec<String> {
    let mut found = Vec::new();
    client.servers(key, |s| found.push(s.endpoint)).expect("servers");
    servers.iter().filter(|s| !found.contains(s)).map(|s| format!("{key}: {s}")).collect()
}

impl Watch {
    /// Looks at one service after the other until [`Ends`].
    pub(crate) fn run(&self, client: &mut Client) {
        while !self.over.load(Ordering::SeqCst) {
            let must = self.must.lock().expect("no panic").clone();
            for one in &must {
                let missed = look(client, one);
                self.missed.lock().expect("no panic").extend(missed);
            }
            self.looks.fetch_add(1, Ordering::SeqCst);
            std::thread::yield_now();
        }
    }

    /// While `work` is done and once more after it, the servers that both tables have must be there.
    pub(crate) fn expect(&self, a: &Table, b: &Table, work: impl FnOnce()) {
        *self.must.lock().expect("no panic") = common(a, b);
        self.look();
        work();
        self.look();
        self.must.lock().expect("no panic").clear();
        self.look();
    }

    /// Waits until everything was looked at once more.
    fn look(&self) {
        let before = self.looks();
        wait(20 * SECONDS, "two looks at the table", || self.looks() >= before + 2);
    }

    /// How often everything was looked at.
    pub(crate) fn looks(&self) -> usize {
        self.looks.load(Ordering::SeqCst)
    }

    /// What was missing since the last time.
    pub(crate) fn missed(&self) -> Vec<String> {
        std::mem::take(&mut *self.missed.lock().expect("no panic"))
    }
}

/// Ends the watch whatever happens, so that nobody waits for it after a failed assertion.
pub(crate) struct Ends<'a>(pub(crate) &'a Watch);

impl Drop for Ends<'_> {
    fn drop(&mut self) {
        self.0.over.store(true, Ordering::SeqCst);
    }
}
