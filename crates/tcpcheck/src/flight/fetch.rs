//! HTTP_GET and SSL_GET: pages under way, one connection each.

use std::io::{self, ErrorKind};
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;
use std::time::Duration;

use lvs_core::sys::poll::Interest;

use super::Progress;
use super::link::Link;
use crate::outcome::{Outcome, Reason};
use crate::web::{Answer, LARGEST, Web};

/// Pages that are being fetched, one after the other.
pub struct Fetch {
    web: Arc<Web>,
    /// Which page.
    page: usize,
    link: Link,
    /// What is waited for on it.
    interest: Interest,
    /// How much of the request is written.
    sent: usize,
    answer: Vec<u8>,
}

impl Fetch {
    /// Begins with the first page; its descriptor becomes writable when the connection is made or refused.
    pub(super) fn begin(web: &Arc<Web>) -> io::Result<Self> {
        let link = connect(web, 0)?;
        let (web, interest) = (Arc::clone(web), Interest::Write);
        Ok(Self { web, page: 0, link, interest, sent: 0, answer: Vec::new() })
    }

    pub(super) fn ready(&mut self, elapsed: Duration) -> Progress {
        match self.step() {
            Ok(Step::More) => {
                let interest = self.link.interest(self.is_asked());
                let same = std::mem::replace(&mut self.interest, interest) == interest;
                if same { Progress::Wait } else { Progress::Turn(interest) }
            }
            Ok(Step::Next) => {
                self.interest = Interest::Write;
                Progress::Replaced(Interest::Write)
            }
            Ok(Step::Well) => Progress::Done(Outcome::pass(elapsed)),
            Ok(Step::Ill(why)) => {
                self.link.end();
                Progress::Done(Outcome::Fail(Reason::Said(why)))
            }
            Err(e) => Progress::Done(Outcome::from_error(&e)),
        }
    }

    fn step(&mut self) -> io::Result<Step> {
        let web = Arc::clone(&self.web);
        let page = &web.pages[self.page];
        if !self.is_asked() {
            return self.ask(&page.request);
        }
        let ended = self.read()?;
        match Answer::read(&self.answer, ended) {
            Err(why) => Ok(Step::Ill(format!("{}: {why}", page.path))),
            Ok(None) => Ok(Step::More),
            Ok(Some(answer)) => match page.judge(&answer) {
                Err(why) => Ok(Step::Ill(why)),
                Ok(()) => self.next_page(),
            },
        }
    }

    fn ask(&mut self, request: &[u8]) -> io::Result<Step> {
        while let Some(rest) = request.get(self.sent..).filter(|r| !r.is_empty()) {
            match self.link.write(rest) {
                Ok(n) => self.sent += n,
                Err(e) if e.kind() == ErrorKind::WouldBlock => break,
                Err(e) => return Err(e),
            }
        }
        Ok(Step::More)
    }

    /// Whether the whole request is written.
    fn is_asked(&self) -> bool {
        self.sent >= self.web.pages[self.page].request.len()
    }

    /// Reads what has come; true when the other end has closed.
    fn read(&mut self) -> io::Result<bool> {
        let mut buffer = [0; 16 * 1024];
        while self.answer.len() < LARGEST {
            match self.link.read(&mut buffer) {
                Ok(0) => return Ok(true),
                Ok(n) => self.answer.extend_from_slice(&buffer[..n]),
                Err(e) if e.kind() == ErrorKind::WouldBlock => break,
                Err(e) => return Err(e),
            }
        }
        Ok(false)
    }

    fn next_page(&mut self) -> io::Result<Step> {
        self.link.end();
        self.page += 1;
        if self.page == self.web.pages.len() {
            return Ok(Step::Well);
        }
        self.link = connect(&self.web, self.page)?;
        self.sent = 0;
        self.answer.clear();
        Ok(Step::Next)
    }
}

enum Step {
    More,
    Next,
    Well,
    Ill(String),
}

fn connect(web: &Web, page: usize) -> io::Result<Link> {
    Link::begin(&web.dial, web.pages[page].tls.as_ref())
}

impl AsFd for Fetch {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.link.as_fd()
    }
}
