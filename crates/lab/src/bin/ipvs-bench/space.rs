//! Fresh network namespaces, and the tables that are loaded there.

use std::fmt::Write;

use anyhow::{Context, Result};
use lvs_core::sys::netlink::Netlink;
use nix::sched::{CloneFlags, unshare};

/// RTM_NEWLINK with the flag IFF_UP for the interface with index 1: lo. Without it the kernel takes no real server.
const RTM_NEWLINK: u16 = 16;
const LO_UP: [u8; 16] = [0, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0];

/// A network namespace with an empty table.
pub(crate) struct Space;

impl Space {
    /// Does `work` in a new one, from a thread of its own: a namespace belongs to a thread.
    pub(crate) fn fresh<T: Send>(work: impl FnOnce() -> Result<T> + Send) -> Result<T> {
        let inside = || {
            unshare(CloneFlags::CLONE_NEWNET).context("a network namespace (are we root?)")?;
            Netlink::route()?.request(RTM_NEWLINK, 0, &LO_UP)?;
            work()
        };
        let result =
            std::thread::scope(|s| s.spawn(inside).join()).unwrap_or_else(|e| std::panic::resume_unwind(e));
        // The kernel takes the namespace and its table apart behind our back.
        lab::pause(std::time::Duration::from_millis(300));
        result
    }
}

/// Rule lines of so many services with so many real servers each.
pub(crate) fn table(services: usize, servers: usize) -> String {
    let mut text = String::new();
    for s in 0..services {
        let vip = format!("10.1.{}.{}:80", s / 250, s % 250 + 1);
        // Writing into memory cannot fail.
        let _ = writeln!(text, "-A -t {vip} -s rr");
        for r in 0..servers {
            let _ = writeln!(text, "-a -t {vip} -r 127.0.{}.{}:80 -g -w 1", r / 250, r % 250 + 1);
        }
    }
    text
}
