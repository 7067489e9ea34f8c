//! MISC_CHECK: a command under way.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::process::{Child, ExitStatus};
use std::sync::Arc;
use std::time::Duration;

use lvs_core::sys::poll::Interest;
use lvs_core::sys::{child, script};

use super::{Begun, Flight, Progress};
use crate::outcome::{Outcome, Reason};
use crate::programs::Programs;
use crate::task::Misc;

/// A command that runs; dropping it kills it with all that it started.
pub struct Run {
    misc: Arc<Misc>,
    /// None once its status is known.
    child: Option<Child>,
    /// Becomes readable at its end.
    end: OwnedFd,
}

/// Starts the command. One that cannot be started now, although it was there when the configuration was read, is a
/// failed try.
pub(super) fn begin(misc: &Arc<Misc>, programs: &Programs) -> io::Result<Begun> {
    let Some(job) = programs.job(&misc.command) else {
        let why = format!("{}: may not be run", misc.command.argv.join(" "));
        return Ok(Begun::Done(Outcome::Unknown(Reason::Said(why))));
    };
    let mut child = match job.start() {
        Ok(child) => child,
        Err(e) => return Ok(Begun::Done(Outcome::Fail(Reason::Said(e.to_string())))),
    };
    match child::end(child.id()) {
        Ok(end) => {
            let run = Run { misc: Arc::clone(misc), child: Some(child), end };
            Ok(Begun::Flying(Flight::Misc(Box::new(run)), Interest::Read))
        }
        Err(e) => {
            script::end(&child);
            child.wait()?;
            Ok(Begun::Done(unseen(&e)))
        }
    }
}

/// What a command is whose end this host cannot see: out of descriptors, or an old kernel. The server must not pay for it.
fn unseen(e: &io::Error) -> Outcome {
    Outcome::Unknown(e.raw_os_error().map_or_else(|| Reason::Said(e.to_string()), Reason::from_errno))
}

impl Run {
    pub(super) fn ready(&mut self, elapsed: Duration) -> Progress {
        let Some(child) = &mut self.child else { return Progress::Wait };
        match child.try_wait() {
            Ok(None) => Progress::Wait,
            Ok(Some(status)) => {
                self.child = None;
                Progress::Done(outcome(status, self.misc.dynamic, elapsed))
            }
            Err(e) => Progress::Done(Outcome::from_error(&e)),
        }
    }
}

/// Status 0 is well; with `misc_dynamic` 2 to 255 are well too and set the weight to the status less 2.
fn outcome(status: ExitStatus, dynamic: bool, latency: Duration) -> Outcome {
    match status.code() {
        Some(0) => Outcome::pass(latency),
        Some(n @ 2..=255) if dynamic => Outcome::Pass { latency, weight: u32::try_from(n - 2).ok() },
        _ => Outcome::Fail(Reason::Said(format!("the command ended with {status}"))),
    }
}

impl AsFd for Run {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.end.as_fd()
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            script::end(&child);
            // A killed process may still hang in the kernel (a dead NFS server); a thread may wait for that, we may
            // not. Where there is no thread to be had it stays a zombie until we end.
            let _ = std::thread::Builder::new().spawn(move || child.wait());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_whose_end_cannot_be_seen_takes_no_server_out() {
        let old = io::Error::new(io::ErrorKind::Unsupported, "needs Linux 5.3");
        assert_eq!(unseen(&old), Outcome::Unknown(Reason::Said("needs Linux 5.3".to_owned())));
        let full = io::Error::from_raw_os_error(24);
        assert_eq!(unseen(&full), Outcome::Unknown(Reason::Errno(24)));
    }
}
