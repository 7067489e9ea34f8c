//! The connection of a page that is being fetched: plain, or with TLS.

use std::io::{self, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::os::fd::{AsFd, BorrowedFd};

use lvs_core::sys::poll::Interest;
use lvs_core::sys::tcp::{self, Connecting, Dial};
use rustls::pki_types::ServerName;
use rustls::{ClientConnection, StreamOwned};

use super::tls;

/// A connection that may still be under way: writing to it tells.
pub(super) enum Link {
    /// Bytes as they are.
    Plain(TcpStream),
    /// Bytes in TLS; the handshake is made by the first write.
    Tls(Box<StreamOwned<ClientConnection, TcpStream>>),
}

impl Link {
    /// Begins a connection, with TLS to a server of that name.
    ///
    /// # Errors
    /// What the kernel knows at once.
    pub(super) fn begin(dial: &Dial, name: Option<&ServerName<'static>>) -> io::Result<Self> {
        let (tcp::Begun::Done(c) | tcp::Begun::Pending(c)) = Connecting::begin(dial)?;
        let stream = c.into_stream();
        Ok(match name {
            None => Self::Plain(stream),
            Some(name) => Self::Tls(Box::new(StreamOwned::new(tls::client(name)?, stream))),
        })
    }

    /// Writes what can be written; `WouldBlock` where nothing can.
    pub(super) fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(stream) => stream.write(bytes),
            Self::Tls(stream) => stream.write(bytes).map_err(explain),
        }
    }

    /// Reads what has come; 0 when the other end has closed.
    pub(super) fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(stream) => stream.read(buffer),
            // Many servers close without the farewell of TLS (RFC 8446 section 6.1). Whether what came is enough is
            // judged by what is asked of the page.
            Self::Tls(stream) => match stream.read(buffer) {
                Err(e) if e.kind() == ErrorKind::UnexpectedEof => Ok(0),
                read => read.map_err(explain),
            },
        }
    }

    /// What it waits for, with `asked` once the request is written.
    pub(super) fn interest(&self, asked: bool) -> Interest {
        match self {
            Self::Plain(_) if asked => Interest::Read,
            Self::Plain(_) => Interest::Write,
            Self::Tls(stream) if stream.conn.wants_write() => Interest::Both,
            Self::Tls(_) => Interest::Read,
        }
    }

    /// Says that nothing more is wanted: servers log a TLS connection that ends without it.
    pub(super) fn end(&mut self) {
        if let Self::Tls(stream) = self {
            stream.conn.send_close_notify();
            // The page is judged; who does not take the farewell goes without.
            let _ = stream.conn.write_tls(&mut stream.sock);
        }
    }
}

/// Says of what is wrong with TLS that it is that.
fn explain(e: io::Error) -> io::Error {
    match e.kind() {
        ErrorKind::InvalidData | ErrorKind::UnexpectedEof => io::Error::new(e.kind(), format!("TLS: {e}")),
        _ => e,
    }
}

impl AsFd for Link {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Self::Plain(stream) => stream.as_fd(),
            Self::Tls(stream) => stream.sock.as_fd(),
        }
    }
}
