//! The Unix socket of a running watch: one line in, an answer out, nothing that could hold up the checks.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Read, Write};
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};

use lvs_core::sys::poll::{Event, Interest};

use crate::engine::{Engine, FOREIGN};

/// The listener's token; conversations have those after it.
pub const LISTENER: u64 = FOREIGN + 16;
/// Conversations at once.
const MOST: usize = 32;
/// A longer request is none of ours.
const LONGEST: usize = 4096;

/// The socket and all conversations.
pub struct Control {
    listener: UnixListener,
    path: PathBuf,
    /// Device and inode of the socket: what is removed at the end must be it.
    place: (u64, u64),
    talks: BTreeMap<u64, Talk>,
    next: u64,
}

/// What became of a conversation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heard {
    /// It goes on.
    Nothing,
    /// Its request is complete and wants an answer.
    Request(String),
    /// It is over.
    End,
}

impl Heard {
    /// What writing leads to.
    fn after(goes_on: bool) -> Self {
        if goes_on { Self::Nothing } else { Self::End }
    }
}

struct Talk {
    stream: UnixStream,
    request: Vec<u8>,
    answer: Vec<u8>,
    sent: usize,
}

impl Control {
    /// Listens at `path`, for the owner of the process alone. A socket that nobody listens at is a leftover and makes
    /// room; anything else there is somebody's.
    ///
    /// # Errors
    /// The socket cannot be made, with its path.
    pub fn listen(path: &Path, engine: &Engine) -> io::Result<Self> {
        let made = make_room(path).and_then(|()| bind(path));
        let (listener, place) = made.map_err(|e| {
            io::Error::new(e.kind(), format!("{}: the watch cannot listen here: {e}", path.display()))
        })?;
        engine.watch(&listener, LISTENER, Interest::Read)?;
        Ok(Self { listener, path: path.to_owned(), place, talks: BTreeMap::new(), next: LISTENER + 1 })
    }

    /// Goes on with a conversation.
    pub fn ready(&mut self, event: Event, engine: &Engine) -> Heard {
        if event.token == LISTENER {
            self.accept(engine);
            return Heard::Nothing;
        }
        let Some(talk) = self.talks.get_mut(&event.token) else { return Heard::Nothing };
        let heard = if talk.answer.is_empty() { talk.read() } else { talk.write().map(Heard::after) };
        let heard = heard.unwrap_or(Heard::End);
        if heard == Heard::End {
            self.talks.remove(&event.token);
        }
        heard
    }

    /// Answers the request of a conversation; true when it is over.
    pub fn answer(&mut self, token: u64, text: String, engine: &Engine) -> bool {
        let Some(talk) = self.talks.get_mut(&token) else { return true };
        talk.answer = text.into_bytes();
        let goes_on = talk.write().and_then(|goes_on| {
            if goes_on {
                engine.rewatch(&talk.stream, token, Interest::Write)?;
            }
            Ok(goes_on)
        });
        let over = !goes_on.unwrap_or(false);
        if over {
            self.talks.remove(&token);
        }
        over
    }

    fn accept(&mut self, engine: &Engine) {
        while let Ok((stream, _)) = self.listener.accept() {
            if self.talks.len() >= MOST {
                // Whoever has waited longest without a word makes room.
                self.talks.pop_first();
            }
            let watched =
                stream.set_nonblocking(true).and_then(|()| engine.watch(&stream, self.next, Interest::Read));
            if watched.is_ok() {
                let talk = Talk { stream, request: Vec::new(), answer: Vec::new(), sent: 0 };
                self.talks.insert(self.next, talk);
                self.next += 1;
            }
        }
    }
}

/// Removes a socket that was left behind.
fn make_room(path: &Path) -> io::Result<()> {
    match fs::symlink_metadata(path) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(()),
        Ok(there) if !there.file_type().is_socket() => {
            return Err(io::Error::other("there is something that is no socket; it is left alone"));
        }
        there => there?,
    };
    match UnixStream::connect(path) {
        Ok(_) => Err(io::Error::other("another program answers here; stop it, or give another --socket")),
        Err(e) if e.kind() == io::ErrorKind::ConnectionRefused => fs::remove_file(path),
        Err(e) => Err(e),
    }
}

fn bind(path: &Path) -> io::Result<(UnixListener, (u64, u64))> {
    let listener = UnixListener::bind(path)?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o600))?;
    listener.set_nonblocking(true)?;
    Ok((listener, place(path)?))
}

fn place(path: &Path) -> io::Result<(u64, u64)> {
    fs::symlink_metadata(path).map(|there| (there.dev(), there.ino()))
}

impl Drop for Control {
    fn drop(&mut self) {
        if place(&self.path).is_ok_and(|there| there == self.place) {
            // The next start removes what is left here.
            let _ = fs::remove_file(&self.path);
        }
    }
}

impl Talk {
    /// Reads more of the request.
    fn read(&mut self) -> io::Result<Heard> {
        let (mut buffer, mut ended) = ([0; 1024], false);
        while !ended {
            match self.stream.read(&mut buffer) {
                // Who has asked all may say so at once (`nc -N`) and still wait for the answer.
                Ok(0) => ended = true,
                Ok(n) => self.request.extend_from_slice(&buffer[..n]),
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => break,
                Err(e) => return Err(e),
            }
            if self.request.len() > LONGEST {
                return Ok(Heard::End);
            }
        }
        Ok(match self.request.iter().position(|b| *b == b'\n') {
            Some(end) => Heard::Request(String::from_utf8_lossy(&self.request[..end]).into_owned()),
            None if ended => Heard::End,
            None => Heard::Nothing,
        })
    }

    /// Writes more of the answer; false when all is written.
    fn write(&mut self) -> io::Result<bool> {
        while self.sent < self.answer.len() {
            match self.stream.write(&self.answer[self.sent..]) {
                Ok(n) => self.sent += n,
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => return Ok(true),
                Err(e) => return Err(e),
            }
        }
        Ok(false)
    }
}

#[cfg(test)]
mod tests;
