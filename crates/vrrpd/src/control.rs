//! The socket through which a running daemon is asked: one line of JSON in, one out.
//!
//! It lies in the daemon's [place](crate::place), where only root can put one; anybody may ask how things stand.

use std::fs::{self, Permissions};
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::sys::socket::sockopt::{PeerCredentials, ReceiveTimeout, SendTimeout};
use nix::sys::socket::{
    AddressFamily, SockFlag, SockType, UnixAddr, connect, getsockopt, setsockopt, socket,
};
use nix::sys::time::TimeVal;
use nix::unistd::geteuid;
use serde::{Deserialize, Serialize};

/// The daemon's usual name.
pub const NAME: &str = "vrrpd";
/// A longer question is none of ours.
const LONGEST: usize = 4096;
/// Clients at a time; the oldest goes when another comes.
pub const CLIENTS: usize = 8;

/// What is asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Question {
    /// How everything stands.
    Status,
    /// Hand over and take no part. None: every instance.
    Release(Option<String>),
    /// Take part again.
    Resume(Option<String>),
    /// Tell hosts where the addresses are.
    Garp(Option<String>),
    /// Read the configuration anew.
    Reload,
}

/// What is answered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// To [`Question::Status`].
    Status(Box<super::status::Report>),
    /// It is done; the text says what.
    Done(String),
    /// It is not done; the text says why.
    Refused(String),
}

/// The listening socket.
pub struct Listener {
    socket: UnixListener,
    path: PathBuf,
}

/// One who asks.
pub struct Client {
    stream: UnixStream,
    question: Vec<u8>,
    answer: Vec<u8>,
    sent: usize,
    /// May change things.
    trusted: bool,
}

/// What has become of a client.
#[derive(Debug, PartialEq, Eq)]
pub enum Turn {
    /// Its question is complete; it may be wrong.
    Asked(Result<Question, String>),
    /// It is not done yet.
    Waiting,
    /// It has its answer, or is gone.
    Over,
}

impl Listener {
    /// Listens there; whoever has the place knows that nobody else does.
    ///
    /// # Errors
    /// What the system says.
    pub fn open(path: &Path) -> io::Result<Self> {
        // A killed daemon's.
        let _ = fs::remove_file(path);
        let socket = UnixListener::bind(path)?;
        socket.set_nonblocking(true)?;
        fs::set_permissions(path, Permissions::from_mode(0o666))?;
        Ok(Self { socket, path: path.to_owned() })
    }

    /// The next who wants to ask.
    pub fn accept(&self) -> Option<Client> {
        let (stream, _) = self.socket.accept().ok()?;
        stream.set_nonblocking(true).ok()?;
        let peer = getsockopt(&stream, PeerCredentials).ok()?;
        let trusted = peer.uid() == 0 || peer.uid() == geteuid().as_raw();
        Some(Client { stream, question: Vec::new(), answer: Vec::new(), sent: 0, trusted })
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        // One that stays answers nobody.
        let _ = fs::remove_file(&self.path);
    }
}

impl AsFd for Listener {
    fn as_fd(&self) -> std::os::fd::BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

impl AsFd for Client {
    fn as_fd(&self) -> std::os::fd::BorrowedFd<'_> {
        self.stream.as_fd()
    }
}

impl Client {
    /// Reads or writes what is possible now.
    pub fn turn(&mut self) -> Turn {
        if self.answer.is_empty() { self.read() } else { self.write() }
    }

    fn read(&mut self) -> Turn {
        let mut bytes = [0; 1024];
        loop {
            match self.stream.read(&mut bytes) {
                Ok(0) => return Turn::Over,
                Ok(n) => self.question.extend_from_slice(&bytes[..n]),
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => return Turn::Waiting,
                Err(_) => return Turn::Over,
            }
            if self.question.contains(&b'\n') {
                return Turn::Asked(self.understand());
            }
            if self.question.len() > LONGEST {
                return Turn::Over;
            }
        }
    }

    fn understand(&self) -> Result<Question, String> {
        let question = serde_json::from_slice(&self.question).map_err(|e| format!("not understood: {e}"))?;
        if question != Question::Status && !self.trusted {
            return Err("only root and the daemon's own user may ask for that".to_owned());
        }
        Ok(question)
    }

    /// Whether it has asked, and its answer is on the way.
    pub fn is_answered(&self) -> bool {
        !self.answer.is_empty()
    }

    /// Begins to answer.
    pub fn answer(&mut self, answer: &Answer) -> Turn {
        // A status of plain values always serialises.
        self.answer = serde_json::to_vec(answer).unwrap_or_default();
        self.answer.push(b'\n');
        self.write()
    }

    fn write(&mut self) -> Turn {
        while self.sent < self.answer.len() {
            match self.stream.write(&self.answer[self.sent..]) {
                Ok(n) => self.sent += n,
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => return Turn::Waiting,
                Err(_) => return Turn::Over,
            }
        }
        Turn::Over
    }
}

/// For how long an answer is waited for. What changes something may take the daemon a while.
fn patience(question: &Question) -> Duration {
    Duration::from_secs(if *question == Question::Status { 2 } else { 10 })
}

/// Asks the daemon that listens there.
///
/// # Errors
/// A text for the person at the prompt: none runs, or it does not answer.
pub fn ask(path: &Path, question: &Question) -> Result<Answer, String> {
    let talk = || -> io::Result<Vec<u8>> {
        let mut stream = reach(path, patience(question))?;
        let mut line = serde_json::to_vec(question)?;
        line.push(b'\n');
        stream.write_all(&line)?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer)?;
        Ok(answer)
    };
    let bytes = talk().map_err(|e| match e.kind() {
        io::ErrorKind::ConnectionRefused | io::ErrorKind::NotFound => {
            format!("no vrrpd runs in this network namespace (nothing listens at {})", path.display())
        }
        io::ErrorKind::WouldBlock => "vrrpd does not answer".to_owned(),
        _ => format!("cannot ask vrrpd at {}: {e}", path.display()),
    })?;
    serde_json::from_slice(&bytes).map_err(|e| format!("vrrpd's answer is not understood: {e}"))
}

/// Connects, and waits for nothing longer than so: one that stands still lets its queue of visitors grow until it is full.
fn reach(path: &Path, limit: Duration) -> io::Result<UnixStream> {
    let socket = socket(AddressFamily::Unix, SockType::Stream, SockFlag::SOCK_CLOEXEC, None)?;
    let limit = TimeVal::new(i64::try_from(limit.as_secs()).unwrap_or(i64::MAX), 0);
    setsockopt(&socket, SendTimeout, &limit)?;
    setsockopt(&socket, ReceiveTimeout, &limit)?;
    connect(socket.as_raw_fd(), &UnixAddr::new(path)?)?;
    Ok(UnixStream::from(socket))
}

#[cfg(test)]
mod tests {
    use lvs_core::sys::clock;

    use super::*;

    fn path(name: &str) -> PathBuf {
        std::env::temp_dir().join(format!("vrrpd-{name}-{}", std::process::id()))
    }

    fn pair(name: &str) -> (Listener, std::thread::JoinHandle<Result<Answer, String>>) {
        let path = path(name);
        let listener = Listener::open(&path).unwrap();
        (listener, std::thread::spawn(move || ask(&path, &Question::Garp(Some("VI_1".to_owned())))))
    }

    fn client(listener: &Listener) -> Client {
        loop {
            if let Some(client) = listener.accept() {
                return client;
            }
            std::thread::yield_now();
        }
    }

    #[test]
    fn a_question_is_answered_even_when_the_answer_is_long() {
        let (listener, asking) = pair("long");
        let mut client = client(&listener);
        let asked = loop {
            match client.turn() {
                Turn::Waiting => std::thread::yield_now(),
                other => break other,
            }
        };
        assert_eq!(asked, Turn::Asked(Ok(Question::Garp(Some("VI_1".to_owned())))));
        let text = "x".repeat(3_000_000);
        let mut turn = client.answer(&Answer::Done(text.clone()));
        while turn == Turn::Waiting {
            std::thread::yield_now();
            turn = client.turn();
        }
        drop(client);
        assert_eq!(asking.join().unwrap(), Ok(Answer::Done(text)));
    }

    #[test]
    fn a_clear_word_when_there_is_none_or_it_stands_still() {
        let path = path("lone");
        let error = ask(&path, &Question::Status).unwrap_err();
        assert!(error.contains("no vrrpd runs"), "{error}");
        drop(UnixListener::bind(&path).unwrap());
        let error = ask(&path, &Question::Status).unwrap_err();
        assert!(error.contains("no vrrpd runs"), "what a killed one leaves: {error}");
        let listener = Listener::open(&path).unwrap();
        let asked = clock::now();
        assert_eq!(ask(&path, &Question::Status), Err("vrrpd does not answer".to_owned()));
        assert!(clock::now() - asked < Duration::from_secs(8));
        drop(listener);
        assert!(!path.exists());
    }
}
