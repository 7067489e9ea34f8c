//! The socket through which a running daemon is asked: one line of JSON in, one out.
//!
//! Its name is in the abstract namespace of Unix sockets: it belongs to the network namespace, as the VIPs do, one
//! daemon can have it at a time, and nothing of it is left when the daemon is killed.

use std::io::{self, Read, Write};
use std::os::fd::AsFd;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixListener, UnixStream};

use nix::sys::socket::{getsockopt, sockopt::PeerCredentials};
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
    /// Listens under a name.
    ///
    /// # Errors
    /// `EADDRINUSE`: a daemon of that name runs in this network namespace.
    pub fn open(name: &str) -> io::Result<Self> {
        let socket = UnixListener::bind_addr(&address(name)?)?;
        socket.set_nonblocking(true)?;
        Ok(Self { socket })
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

fn address(name: &str) -> io::Result<SocketAddr> {
    SocketAddr::from_abstract_name(name)
}

/// Asks a running daemon.
///
/// # Errors
/// A text for the person at the prompt: none runs, or it does not answer.
pub fn ask(name: &str, question: &Question) -> Result<Answer, String> {
    let talk = || -> io::Result<Vec<u8>> {
        let mut stream = UnixStream::connect_addr(&address(name)?)?;
        let limit = Some(std::time::Duration::from_secs(10));
        stream.set_read_timeout(limit)?;
        stream.set_write_timeout(limit)?;
        let mut line = serde_json::to_vec(question)?;
        line.push(b'\n');
        stream.write_all(&line)?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer)?;
        Ok(answer)
    };
    let bytes = talk().map_err(|e| match e.kind() {
        io::ErrorKind::ConnectionRefused => {
            format!("no vrrpd runs in this network namespace (nothing listens at @{name})")
        }
        io::ErrorKind::WouldBlock => "vrrpd does not answer".to_owned(),
        _ => format!("cannot ask vrrpd: {e}"),
    })?;
    serde_json::from_slice(&bytes).map_err(|e| format!("vrrpd's answer is not understood: {e}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair(name: &str) -> (Listener, std::thread::JoinHandle<Result<Answer, String>>) {
        let listener = Listener::open(name).unwrap();
        let name = name.to_owned();
        (listener, std::thread::spawn(move || ask(&name, &Question::Garp(Some("VI_1".to_owned())))))
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
        let (listener, asking) = pair(&format!("vrrpd-test-{}", std::process::id()));
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
    fn one_daemon_a_name_and_a_clear_word_when_there_is_none() {
        let name = format!("vrrpd-lone-{}", std::process::id());
        let error = ask(&name, &Question::Status).unwrap_err();
        assert!(error.contains("no vrrpd runs"), "{error}");
        let _first = Listener::open(&name).unwrap();
        assert_eq!(Listener::open(&name).err().map(|e| e.kind()), Some(io::ErrorKind::AddrInUse));
    }
}
