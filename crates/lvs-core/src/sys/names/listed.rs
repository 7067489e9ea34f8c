//! Names of many addresses or ports at once, as a listing needs them: one getent(1) for all of them.
//!
//! getent takes many keys, answers in their order, and says nothing of a key that has no name; so whatever stands
//! before the key of an answer has been looked for, too. A process costs as much as a hundred names of /etc/hosts, and
//! a name server as much as many processes: who is not done soon goes on in several.

use std::collections::HashMap;
use std::fs::File;
use std::hash::Hash;
use std::io::{self, Read};
use std::net::IpAddr;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use nix::fcntl::{FcntlArg, FdFlag, OFlag, fcntl};
use nix::pty::openpty;
use nix::unistd::pipe2;

use super::getent::word;
use crate::sys::clock;
use crate::sys::poll::{Interest, Poll};
use crate::table::Protocol;
use crate::time::Time;

/// How long one process alone may take.
const ALONE: Duration = Duration::from_millis(500);
/// Processes at a time after that.
const AT_ONCE: usize = 16;
/// Keys of one process: a command line has room for so many.
const KEYS: usize = 4096;

/// Names by what was asked for; none for what has no name. What was not answered in time is not in it.
pub type Answers<K> = HashMap<K, Option<String>>;

/// What getent finds names for.
pub trait Key: Copy + Eq + Hash {
    /// The database.
    const DATABASE: &'static str;
    /// As getent takes it.
    fn text(self) -> String;
    /// The key and the name of a line that getent printed.
    fn read(line: &str) -> Option<(Self, &str)>;
}

impl Key for IpAddr {
    const DATABASE: &'static str = "hosts";

    fn text(self) -> String {
        self.to_string()
    }

    fn read(line: &str) -> Option<(Self, &str)> {
        let mut words = line.split_whitespace();
        Some((words.next()?.parse().ok()?, words.next()?))
    }
}

impl Key for (u16, Protocol) {
    const DATABASE: &'static str = "services";

    fn text(self) -> String {
        format!("{}/{}", self.0, word(self.1))
    }

    fn read(line: &str) -> Option<(Self, &str)> {
        let mut words = line.split_whitespace();
        let name = words.next()?;
        let (port, of) = words.next()?.split_once('/')?;
        let protocol = [Protocol::Tcp, Protocol::Udp, Protocol::Sctp].into_iter().find(|p| word(*p) == of)?;
        Some(((port.parse().ok()?, protocol), name))
    }
}

/// The names of all keys; without an end it waits as long as the resolver does.
///
/// # Errors
/// There is no getent, or the process is out of descriptors.
pub fn names<K: Key>(keys: &[K], end: Option<Time>) -> io::Result<Answers<K>> {
    let mut answers = Answers::with_capacity(keys.len());
    let alone = clock::now() + ALONE;
    round(keys, 1, Some(end.map_or(alone, |end| end.min(alone))), &mut answers)?;
    let left: Vec<K> = keys.iter().copied().filter(|k| !answers.contains_key(k)).collect();
    round(&left, AT_ONCE, end, &mut answers)?;
    Ok(answers)
}

/// Asks in so many processes until all have answered or the end has come.
fn round<K: Key>(
    keys: &[K],
    processes: usize,
    end: Option<Time>,
    answers: &mut Answers<K>,
) -> io::Result<()> {
    let in_time = || end.is_none_or(|end| clock::now() < end);
    if !in_time() {
        return Ok(());
    }
    let size = keys.len().div_ceil(processes).clamp(1, KEYS);
    let mut poll = Poll::new()?;
    let mut running = Vec::new();
    for (token, part) in (0..).zip(keys.chunks(size)) {
        let getent = Getent::start(part)?;
        poll.add(&getent.output, token, Interest::Read)?;
        running.push(Some(getent));
    }
    let mut events = Vec::new();
    while running.iter().any(Option::is_some) && in_time() {
        poll.wait(end, &mut events)?;
        for event in &events {
            let slot = usize::try_from(event.token).ok().and_then(|i| running.get_mut(i));
            if let Some(slot) = slot {
                if slot.as_mut().is_some_and(|getent| !getent.read(answers)) {
                    *slot = None;
                }
            }
        }
    }
    Ok(())
}

/// One process; it ends with this.
struct Getent<'a, K> {
    child: Child,
    output: File,
    /// What came of a line.
    text: Vec<u8>,
    /// The keys after the last one that was answered.
    keys: std::slice::Iter<'a, K>,
}

impl<'a, K: Key> Getent<'a, K> {
    fn start(keys: &'a [K]) -> io::Result<Self> {
        let (output, theirs) = line_by_line()?;
        let mut command = Command::new("getent");
        command.args(["--", K::DATABASE]).args(keys.iter().map(|k| k.text()));
        let child = command.stdin(Stdio::null()).stdout(theirs).stderr(Stdio::null()).spawn()?;
        Ok(Self { child, output, text: Vec::new(), keys: keys.iter() })
    }

    /// Takes what has come; whether more will.
    fn read(&mut self, answers: &mut Answers<K>) -> bool {
        let mut piece = [0; 4096];
        let got = match self.output.read(&mut piece) {
            Err(e) if e.kind() == io::ErrorKind::Interrupted => return true,
            // A terminal that nobody holds at its other end is an error, EIO.
            other => other.unwrap_or(0),
        };
        self.text.extend_from_slice(&piece[..got]);
        while let Some(end) = self.text.iter().position(|b| *b == b'\n') {
            let line: Vec<u8> = self.text.drain(..=end).collect();
            self.line(&String::from_utf8_lossy(&line), answers);
        }
        if got == 0 {
            answers.extend(self.keys.by_ref().map(|k| (*k, None)));
        }
        got > 0
    }

    fn line(&mut self, line: &str, answers: &mut Answers<K>) {
        let Some((key, name)) = K::read(line) else { return };
        let Some(before) = self.keys.as_slice().iter().position(|k| *k == key) else { return };
        answers.extend(self.keys.by_ref().take(before).map(|k| (*k, None)));
        answers.extend(self.keys.next().map(|k| (*k, Some(name.to_owned()))));
    }
}

impl<K> Drop for Getent<'_, K> {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Where getent's answers come, and what it writes to: a terminal, for into a pipe it would write all of them at its
/// end, and one name that nobody answers would hold up the others. Where there is no terminal, a pipe.
fn line_by_line() -> io::Result<(File, Stdio)> {
    let Ok(pair) = openpty(None, None) else {
        let (ours, theirs) = pipe2(OFlag::O_CLOEXEC)?;
        return Ok((ours.into(), theirs.into()));
    };
    for fd in [&pair.master, &pair.slave] {
        fcntl(fd, FcntlArg::F_SETFD(FdFlag::FD_CLOEXEC))?;
    }
    Ok((pair.master.into(), pair.slave.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_key_gets_its_own_answer() {
        let ports = [(1, Protocol::Sctp), (80, Protocol::Tcp), (2, Protocol::Sctp), (53, Protocol::Udp)];
        let found = names(&ports, None).unwrap();
        let name = |port| found[&port].as_deref();
        assert_eq!(ports.map(name), [None, Some("http"), None, Some("domain")]);
        let local = IpAddr::from([127, 0, 0, 1]);
        assert_eq!(names(&[local], None).unwrap()[&local].as_deref(), Some("localhost"));
    }

    /// More than one command line holds, most of them nobody's.
    #[test]
    fn there_may_be_very_many() {
        let ports: Vec<(u16, Protocol)> = (1..=KEYS as u16 + 9).map(|p| (p, Protocol::Tcp)).collect();
        let found = names(&ports, None).unwrap();
        assert_eq!((found.len(), found[&(443, Protocol::Tcp)].as_deref()), (ports.len(), Some("https")));
    }

    #[test]
    fn what_is_not_answered_in_time_is_not_there() {
        let key = [(80, Protocol::Tcp)];
        let mut answers = Answers::new();
        round(&key, 1, Some(Time::ZERO), &mut answers).unwrap();
        assert_eq!(answers, Answers::new());
        assert_eq!(names(&[] as &[IpAddr], None).unwrap(), Answers::new());
    }

    /// Names that came before one that hangs are not lost with it.
    #[test]
    fn answers_are_taken_one_by_one() {
        let addrs: [IpAddr; 3] = [[10, 0, 0, 1], [10, 0, 0, 2], [10, 0, 0, 3]].map(IpAddr::from);
        let (output, theirs) = line_by_line().unwrap();
        let mut hangs = Command::new("sh");
        hangs.args(["-c", "echo '10.0.0.2        two.example second'; read never"]);
        let child = hangs.stdin(Stdio::piped()).stdout(theirs).spawn().unwrap();
        let mut getent = Getent { child, output, text: Vec::new(), keys: addrs.iter() };
        let mut answers = Answers::new();
        while answers.is_empty() {
            assert!(getent.read(&mut answers));
        }
        assert_eq!(answers, Answers::from([(addrs[0], None), (addrs[1], Some("two.example".to_owned()))]));
    }
}
