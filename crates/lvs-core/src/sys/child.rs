//! Child processes of a daemon: their end as a descriptor, and nothing inherited that is the daemon's own.
#![allow(unsafe_code)]

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{FromRawFd, OwnedFd, RawFd};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use nix::libc;
use nix::sys::signal::SigSet;

use super::clock;
use super::poll::{Event, Interest, Poll};
use crate::time::Time;

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

/// What an admin is told of a kernel without pidfd_open(2).
pub(super) const TOO_OLD: &str =
    "this kernel is too old to tell when a program ends (pidfd_open); programs need Linux 5.3 or newer";

/// "Function not implemented" would leave an admin to search for the function.
fn explained(error: io::Error) -> io::Error {
    match error.raw_os_error() {
        Some(libc::ENOSYS) => io::Error::new(io::ErrorKind::Unsupported, TOO_OLD),
        _ => error,
    }
}

/// Keeps what children come to until it is asked for. To ignore SIGCHLD throws it away, and whoever starts a daemon may hand
/// that down to it.
pub fn keep_statuses() {
    // SAFETY: no handler is installed: the signal does what it does by default, nothing.
    unsafe { libc::signal(libc::SIGCHLD, libc::SIG_DFL) };
}

/// Runs a command with a text as its standard input, no longer than a pipe holds, and gives what it said and came to.
///
/// # Errors
/// It cannot be run; `TimedOut`: it was not done in time and is killed.
pub fn run(command: &mut Command, input: &[u8], limit: Duration) -> io::Result<Output> {
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    let said = converse(&mut child, input, clock::now() + limit);
    if said.is_err() {
        // One that has ended meanwhile is as good.
        let _ = child.kill();
    }
    let status = child.wait()?;
    let [stdout, stderr] = said?;
    Ok(Output { status, stdout, stderr })
}

/// What a child says until it has ended.
fn converse(child: &mut Child, input: &[u8], deadline: Time) -> io::Result<[Vec<u8>; 2]> {
    let (mut poll, ended) = (Poll::new()?, end(child.id())?);
    if let Some(mut stdin) = child.stdin.take() {
        // One that has ended already says why itself.
        let _ = stdin.write_all(input);
    }
    let mut pipes = [
        child.stdout.take().map(|pipe| File::from(OwnedFd::from(pipe))),
        child.stderr.take().map(|pipe| File::from(OwnedFd::from(pipe))),
    ];
    for (token, pipe) in (0..).zip(pipes.iter().flatten()) {
        poll.add(pipe, token, Interest::Read)?;
    }
    let (mut said, mut events, mut chunk) = ([Vec::new(), Vec::new()], Vec::new(), [0; 4096]);
    while pipes.iter().any(Option::is_some) {
        wait(&mut poll, deadline, &mut events)?;
        for at in events.iter().filter_map(|e| usize::try_from(e.token).ok()) {
            let Some(pipe) = &mut pipes[at] else { continue };
            match pipe.read(&mut chunk)? {
                0 => pipes[at] = None,
                n => said[at].extend_from_slice(&chunk[..n]),
            }
        }
    }
    poll.add(&ended, 0, Interest::Read)?;
    events.clear();
    while events.is_empty() {
        wait(&mut poll, deadline, &mut events)?;
    }
    Ok(said)
}

fn wait(poll: &mut Poll, deadline: Time, events: &mut Vec<Event>) -> io::Result<()> {
    poll.wait(Some(deadline), events)?;
    // Without an event it may only have been interrupted.
    if events.is_empty() && clock::now() >= deadline { Err(io::ErrorKind::TimedOut.into()) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_readable_once_the_child_has_ended() {
        let mut child = Command::new("sh").args(["-c", "read line"]).stdin(Stdio::piped()).spawn().unwrap();
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

    fn shell(text: &str, input: &str, limit: Duration) -> io::Result<Output> {
        run(Command::new("sh").args(["-c", text]), input.as_bytes(), limit)
    }

    #[test]
    fn what_it_is_given_and_what_it_says_is_all_there() {
        let long = "x".repeat(50_000);
        let text = "cat; cat /dev/zero | head -c 300000 >&2; exit 3";
        let output = shell(text, &long, Duration::from_secs(60)).unwrap();
        assert_eq!((output.stdout, output.stderr.len()), (long.into_bytes(), 300_000));
        assert_eq!(output.status.code(), Some(3));
        assert!(run(&mut Command::new("/no/such"), b"", Duration::from_secs(60)).is_err());
    }

    #[test]
    fn one_that_does_not_end_is_killed() {
        let begin = clock::now();
        for text in ["exec sleep 1000", "exec sleep 1000 > /dev/null 2>&1"] {
            let result = shell(text, "", Duration::from_millis(50));
            assert_eq!(result.err().map(|e| e.kind()), Some(io::ErrorKind::TimedOut), "{text}");
        }
        assert!(clock::now() - begin < Duration::from_secs(500));
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
