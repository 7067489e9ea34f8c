//! Waiting: file descriptors, one deadline and signals, in one thread, without a runtime.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};
use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use nix::sys::time::TimeSpec;
use nix::sys::timerfd::{ClockId, Expiration, TimerFd, TimerFlags, TimerSetTimeFlags};

use crate::time::Time;

/// The timer's own token, which no caller may use.
const TIMER: u64 = u64::MAX;

/// What to wait for on a descriptor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interest {
    /// Something to read.
    Read,
    /// Room to write, or a connection that is made or refused.
    Write,
    /// Either.
    Both,
}

impl Interest {
    fn flags(self) -> EpollFlags {
        match self {
            Self::Read => EpollFlags::EPOLLIN,
            Self::Write => EpollFlags::EPOLLOUT,
            Self::Both => EpollFlags::EPOLLIN | EpollFlags::EPOLLOUT,
        }
    }

    fn poll_flags(self) -> PollFlags {
        match self {
            Self::Read => PollFlags::POLLIN,
            Self::Write => PollFlags::POLLOUT,
            Self::Both => PollFlags::POLLIN | PollFlags::POLLOUT,
        }
    }
}

/// What happened on a descriptor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Event {
    /// The token that the descriptor was added with.
    pub token: u64,
    /// It can be read.
    pub readable: bool,
    /// It can be written.
    pub writable: bool,
    /// It has an error, or the other end is gone.
    pub closed: bool,
}

impl Event {
    /// Whether anything happened at all.
    pub fn is_any(self) -> bool {
        self.readable || self.writable || self.closed
    }
}

/// Waits for descriptors and for one deadline.
///
/// The deadline is an absolute timerfd, exact to the kernel's timer and not to epoll's milliseconds; it costs a
/// system call only when it changes.
pub struct Poll {
    epoll: Epoll,
    timer: TimerFd,
    armed: Option<Time>,
    buffer: Vec<EpollEvent>,
}

impl Poll {
    /// An empty set. Errors: the process is out of descriptors.
    pub fn new() -> io::Result<Self> {
        let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
        let timer =
            TimerFd::new(ClockId::CLOCK_MONOTONIC, TimerFlags::TFD_CLOEXEC | TimerFlags::TFD_NONBLOCK)?;
        // Edge-triggered: an expiry is reported once and never has to be read away.
        epoll.add(&timer, EpollEvent::new(EpollFlags::EPOLLIN | EpollFlags::EPOLLET, TIMER))?;
        Ok(Self { epoll, timer, armed: None, buffer: vec![EpollEvent::empty(); 256] })
    }

    /// Watches a descriptor until it is closed; `token` comes back in its events and is not `u64::MAX`.
    pub fn add(&self, fd: impl AsFd, token: u64, interest: Interest) -> io::Result<()> {
        Ok(self.epoll.add(fd, EpollEvent::new(interest.flags(), token))?)
    }

    /// Changes what is waited for.
    pub fn modify(&self, fd: impl AsFd, token: u64, interest: Interest) -> io::Result<()> {
        Ok(self.epoll.modify(fd, &mut EpollEvent::new(interest.flags(), token))?)
    }

    /// Forgets a descriptor that stays open.
    pub fn remove(&self, fd: impl AsFd) -> io::Result<()> {
        Ok(self.epoll.delete(fd)?)
    }

    /// Waits until something happens or the deadline has come, and appends what happened to `events`, which is
    /// cleared first. An interrupted wait or a deadline appends nothing.
    pub fn wait(&mut self, deadline: Option<Time>, events: &mut Vec<Event>) -> io::Result<()> {
        events.clear();
        self.arm(deadline)?;
        let count = match self.epoll.wait(&mut self.buffer, EpollTimeout::NONE) {
            Err(nix::errno::Errno::EINTR) => 0,
            other => other?,
        };
        for e in &self.buffer[..count] {
            if e.data() == TIMER {
                self.armed = None;
            } else {
                events.push(event(e));
            }
        }
        Ok(())
    }

    /// What has happened already, without waiting; as [`Poll::wait`] otherwise. For a set within another set.
    pub fn ready(&mut self, events: &mut Vec<Event>) -> io::Result<()> {
        events.clear();
        let count = match self.epoll.wait(&mut self.buffer, EpollTimeout::ZERO) {
            Err(nix::errno::Errno::EINTR) => 0,
            other => other?,
        };
        events.extend(self.buffer[..count].iter().filter(|e| e.data() != TIMER).map(event));
        Ok(())
    }

    fn arm(&mut self, deadline: Option<Time>) -> io::Result<()> {
        if self.armed == deadline {
            return Ok(());
        }
        match deadline {
            None => self.timer.unset()?,
            Some(t) => {
                self.timer.set(Expiration::OneShot(timespec(t)), TimerSetTimeFlags::TFD_TIMER_ABSTIME)?;
            }
        }
        self.armed = deadline;
        Ok(())
    }
}

/// Readable when one of its descriptors is ready: a set can be watched by another set.
impl AsFd for Poll {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.epoll.0.as_fd()
    }
}

/// Whether a read would return at once: with data, with the end, or with an error.
pub fn readable(fd: impl AsFd) -> bool {
    let mut one = [PollFd::new(fd.as_fd(), PollFlags::POLLIN)];
    // An error is the read's to tell.
    poll(&mut one, PollTimeout::ZERO).is_ok_and(|ready| ready > 0)
}

/// What holds for each of these descriptors now, without waiting: an event for each, in their order, with its place as
/// the token. One system call for all, where a set takes one for each and more to watch it.
pub fn glance<'a>(fds: impl Iterator<Item = BorrowedFd<'a>>, interest: Interest) -> io::Result<Vec<Event>> {
    let mut all: Vec<_> = fds.map(|fd| PollFd::new(fd, interest.poll_flags())).collect();
    poll(&mut all, PollTimeout::ZERO)?;
    Ok((0..).zip(&all).map(|(place, fd)| seen(place, fd)).collect())
}

fn seen(place: u64, fd: &PollFd<'_>) -> Event {
    let flags = fd.revents().unwrap_or(PollFlags::empty());
    Event {
        token: place,
        readable: flags.contains(PollFlags::POLLIN),
        writable: flags.contains(PollFlags::POLLOUT),
        closed: flags.intersects(PollFlags::POLLERR | PollFlags::POLLHUP | PollFlags::POLLNVAL),
    }
}

fn event(e: &EpollEvent) -> Event {
    let flags = e.events();
    let closed = flags.intersects(EpollFlags::EPOLLERR | EpollFlags::EPOLLHUP);
    Event {
        token: e.data(),
        readable: flags.contains(EpollFlags::EPOLLIN),
        writable: flags.contains(EpollFlags::EPOLLOUT),
        closed,
    }
}

/// An absolute time for the timer. Zero would disarm it, so the first nanosecond stands for it.
fn timespec(t: Time) -> TimeSpec {
    let nanos = t.as_nanos().max(1);
    let part = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
    TimeSpec::new(part(nanos / 1_000_000_000), part(nanos % 1_000_000_000))
}

/// Signals as something to read instead of something that interrupts.
///
/// The signals are blocked for the calling thread and every thread that it starts later, and for every program that is
/// started without [`super::child::unburden`].
pub struct Signals {
    mask: SigSet,
    fd: SignalFd,
}

impl Signals {
    /// Takes over these signals.
    pub fn new(signals: &[Signal]) -> io::Result<Self> {
        let mask: SigSet = signals.iter().copied().collect();
        mask.thread_block()?;
        Ok(Self { fd: SignalFd::with_flags(&mask, SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK)?, mask })
    }

    /// Lets the next ones interrupt again.
    pub fn give_back(&self) -> io::Result<()> {
        Ok(self.mask.thread_unblock()?)
    }

    /// The next signal that has come, if any.
    pub fn next(&self) -> io::Result<Option<Signal>> {
        let info = self.fd.read_signal()?;
        Ok(info.and_then(|i| i32::try_from(i.ssi_signo).ok()).and_then(|n| Signal::try_from(n).ok()))
    }
}

impl AsFd for Signals {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::os::unix::net::UnixStream;
    use std::time::Duration;

    use super::*;
    use crate::sys::clock;

    #[test]
    fn a_deadline_is_never_early() {
        let mut poll = Poll::new().unwrap();
        let mut events = Vec::new();
        for micros in [1, 200, 3_000] {
            let deadline = clock::now() + Duration::from_micros(micros);
            poll.wait(Some(deadline), &mut events).unwrap();
            assert!(clock::now() >= deadline);
            assert_eq!(events, []);
        }
    }

    #[test]
    fn a_deadline_that_has_passed_does_not_wait() {
        let mut poll = Poll::new().unwrap();
        poll.wait(Some(Time::ZERO), &mut Vec::new()).unwrap();
    }

    #[test]
    fn signals_are_taken_over_and_given_back() {
        let blocked = || SigSet::thread_get_mask().unwrap().contains(Signal::SIGUSR2);
        let signals = Signals::new(&[Signal::SIGUSR2]).unwrap();
        assert!(blocked());
        nix::sys::signal::raise(Signal::SIGUSR2).unwrap();
        assert_eq!(signals.next().unwrap(), Some(Signal::SIGUSR2));
        signals.give_back().unwrap();
        assert!(!blocked());
    }

    #[test]
    fn readable_comes_with_its_token() {
        let (mut a, b) = UnixStream::pair().unwrap();
        let mut poll = Poll::new().unwrap();
        poll.add(&b, 7, Interest::Read).unwrap();
        a.write_all(b"x").unwrap();
        let mut events = Vec::new();
        poll.wait(None, &mut events).unwrap();
        assert_eq!(events, [Event { token: 7, readable: true, writable: false, closed: false }]);
    }

    #[test]
    fn a_glance_tells_of_each_in_their_order_and_does_not_wait() {
        let (idle, _other) = UnixStream::pair().unwrap();
        let (mut a, b) = UnixStream::pair().unwrap();
        a.write_all(b"x").unwrap();
        let (gone, peer) = UnixStream::pair().unwrap();
        drop(peer);
        let seen = glance([idle.as_fd(), b.as_fd(), gone.as_fd()].into_iter(), Interest::Read).unwrap();
        assert_eq!(seen.iter().map(|e| e.token).collect::<Vec<_>>(), [0, 1, 2]);
        assert_eq!(seen.iter().map(|e| e.is_any()).collect::<Vec<_>>(), [false, true, true]);
        assert_eq!(seen.iter().map(|e| e.closed).collect::<Vec<_>>(), [false, false, true]);
    }
}
