//! Child processes of a daemon: their end as a descriptor, and nothing inherited that is the daemon's own.
#![allow(unsafe_code)]

use std::io;
use std::os::fd::{FromRawFd, OwnedFd, RawFd};
use std::os::unix::process::CommandExt;
use std::process::Command;

use nix::libc;
use nix::sys::signal::SigSet;

/// Makes a command start as from a shell: a daemon reads its signals from a descriptor and so blocks them, and
/// [`Command`] would hand that down (a script that no SIGTERM reaches); real-time priority would be handed down, too.
pub fn unburden(command: &mut Command) {
    let ordinary = libc::sched_param { sched_priority: 0 };
    // SAFETY: between fork and exec only async-signal-safe calls are allowed; these are two plain system calls.
    unsafe {
        command.pre_exec(move || {
            // Refused at worst, and then the child runs as the daemon does.
            libc::sched_setscheduler(0, libc::SCHED_OTHER, &ordinary);
            Ok(SigSet::empty().thread_set_mask()?)
        });
    }
}

/// The end of a child as a descriptor that becomes readable; for one that has not been waited for yet, so that its number still is its own.
///
/// # Errors
/// No such process, out of descriptors, or a kernel before 5.3.
pub fn end(pid: u32) -> io::Result<OwnedFd> {
    let pid = libc::pid_t::try_from(pid).map_err(io::Error::other)?;
    // SAFETY: pidfd_open(pid, flags) takes two integers and touches no memory of ours.
    let fd = unsafe { libc::syscall(libc::SYS_pidfd_open, pid, 0) };
    let fd = RawFd::try_from(fd).map_err(io::Error::other)?;
    if fd < 0 {
        return Err(explained(io::Error::last_os_error()));
    }
    // SAFETY: the kernel has just given us this descriptor (close-on-exec, as all of its kind); nobody else owns it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// "Function not implemented" would leave an admin to search for the function.
fn explained(error: io::Error) -> io::Error {
    match error.raw_os_error() {
        Some(libc::ENOSYS) => io::Error::new(
            io::ErrorKind::Unsupported,
            "this kernel is too old to tell when a program ends (pidfd_open); programs need Linux 5.3 or newer",
        ),
        _ => error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::poll::{Interest, Poll};

    #[test]
    fn it_is_readable_once_the_child_has_ended() {
        let mut child =
            Command::new("sh").args(["-c", "read line"]).stdin(std::process::Stdio::piped()).spawn().unwrap();
        let fd = end(child.id()).unwrap();
        let mut poll = Poll::new().unwrap();
        poll.add(&fd, 1, Interest::Read).unwrap();
        let mut events = Vec::new();
        poll.ready(&mut events).unwrap();
        assert_eq!(events, []);
        drop(child.stdin.take());
        poll.wait(None, &mut events).unwrap();
        assert!(events[0].readable);
        child.wait().unwrap();
        assert!(end(child.id()).is_err(), "waited for: its number is nobody's");
    }

    #[test]
    fn an_old_kernel_is_named_with_the_one_that_is_needed() {
        let why = explained(io::Error::from_raw_os_error(libc::ENOSYS)).to_string();
        assert!(why.contains("Linux 5.3"), "{why}");
        let other = explained(io::Error::from_raw_os_error(libc::EMFILE));
        assert_eq!(other.raw_os_error(), Some(libc::EMFILE));
    }

    #[test]
    fn a_child_has_no_signal_blocked() {
        let _signals = crate::sys::poll::Signals::new(&[nix::sys::signal::Signal::SIGUSR2]).unwrap();
        let mut command = Command::new("grep");
        command.args(["SigBlk", "/proc/self/status"]);
        unburden(&mut command);
        let answer = String::from_utf8(command.output().unwrap().stdout).unwrap();
        assert_eq!(answer, "SigBlk:\t0000000000000000\n");
    }
}
