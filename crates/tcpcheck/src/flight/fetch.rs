//! HTTP_GET: pages under way, one connection each.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;
use std::time::Duration;

use lvs_core::sys::poll::Interest;
use lvs_core::sys::tcp::{self, Connecting};

use super::Progress;
use crate::outcome::{Outcome, Reason};
use crate::web::{Answer, LARGEST, Web};

/// Pages that are being fetched, one after the other.
pub struct Fetch {
    web: Arc<Web>,
    /// Which page.
    page: usize,
    stream: TcpStream,
    /// How much of the request is written.
    sent: usize,
    answer: Vec<u8>,
}

impl Fetch {
    /// Begins with the first page.
    pub(super) fn begin(web: &Arc<Web>) -> io::Result<Self> {
        let stream = connect(web)?;
        Ok(Self { web: Arc::clone(web), page: 0, stream, sent: 0, answer: Vec::new() })
    }

    pub(super) fn ready(&mut self, elapsed: Duration) -> Progress {
        match self.step() {
            Ok(Step::More(interest)) => interest.map_or(Progress::Wait, Progress::Turn),
            Ok(Step::Next) => Progress::Replaced(Interest::Write),
            Ok(Step::Well) => Progress::Done(Outcome::pass(elapsed)),
            Ok(Step::Ill(why)) => Progress::Done(Outcome::Fail(Reason::Said(why))),
            Err(e) => Progress::Done(Outcome::from_error(&e)),
        }
    }

    fn step(&mut self) -> io::Result<Step> {
        let web = Arc::clone(&self.web);
        let page = &web.pages[self.page];
        if self.sent < page.request.len() {
            while let Some(rest) = page.request.get(self.sent..).filter(|r| !r.is_empty()) {
                match self.stream.write(rest) {
                    Ok(n) => self.sent += n,
                    Err(e) if e.kind() == io::ErrorKind::WouldBlock => return Ok(Step::More(None)),
                    Err(e) => return Err(e),
                }
            }
            return Ok(Step::More(Some(Interest::Read)));
        }
        let ended = self.read()?;
        match Answer::read(&self.answer, ended) {
            Err(why) => Ok(Step::Ill(format!("{}: {why}", page.path))),
            Ok(None) => Ok(Step::More(None)),
            Ok(Some(answer)) => match page.judge(&answer) {
                Err(why) => Ok(Step::Ill(why)),
                Ok(()) => self.next_page(),
            },
        }
    }

    /// Reads what has come; true when the other end has closed.
    fn read(&mut self) -> io::Result<bool> {
        let mut buffer = [0; 16 * 1024];
        while self.answer.len() < LARGEST {
            match self.stream.read(&mut buffer) {
                Ok(0) => return Ok(true),
                Ok(n) => self.answer.extend_from_slice(&buffer[..n]),
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => break,
                Err(e) => return Err(e),
            }
        }
        Ok(false)
    }

    fn next_page(&mut self) -> io::Result<Step> {
        self.page += 1;
        if self.page == self.web.pages.len() {
            return Ok(Step::Well);
        }
        self.stream = connect(&self.web)?;
        self.sent = 0;
        self.answer.clear();
        Ok(Step::Next)
    }
}

enum Step {
    More(Option<Interest>),
    Next,
    Well,
    Ill(String),
}

/// A connection that may still be under way: writing to it tells.
fn connect(web: &Web) -> io::Result<TcpStream> {
    let (tcp::Begun::Done(c) | tcp::Begun::Pending(c)) = Connecting::begin(&web.dial)?;
    Ok(c.into_stream())
}

impl AsFd for Fetch {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.stream.as_fd()
    }
}
