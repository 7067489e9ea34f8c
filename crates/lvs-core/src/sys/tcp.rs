//! TCP connections that are begun without waiting: the hands of a health check.

use std::io;
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::Duration;

use nix::errno::Errno;
use nix::sys::socket::setsockopt;
use nix::sys::socket::sockopt::IpBindAddressNoPort;
use socket2::{Domain, Protocol, Socket, Type};

use crate::addr::Endpoint;

/// Where a connection goes and from where.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Dial {
    /// The other end.
    pub to: Endpoint,
    /// Where it comes from, if that is not all left to the kernel; in a box, because few of thousands say it.
    pub source: Option<Box<Source>>,
    /// Ends the connection with RST instead of FIN: nothing stays behind in TIME_WAIT, but many servers log it.
    pub reset: bool,
}

/// What of a connection's origin is not left to the kernel.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Source {
    /// The source address; none: the kernel's choice.
    pub addr: Option<IpAddr>,
    /// The source port; 0: any free one.
    pub port: u16,
    /// The interface that the packets leave by (SO_BINDTODEVICE).
    pub device: Option<String>,
    /// The firewall mark of the packets (needs CAP_NET_ADMIN); 0: none.
    pub mark: u32,
}

impl Dial {
    /// A plain connection that ends with FIN.
    pub fn to(to: Endpoint) -> Self {
        Self { to, source: None, reset: false }
    }

    /// The same from this source.
    #[must_use]
    pub fn from(self, source: Source) -> Self {
        let source = (source != Source::default()).then(|| Box::new(source));
        Self { source, ..self }
    }

    /// The source address that is asked for, if any.
    pub fn from_addr(&self) -> Option<IpAddr> {
        self.source.as_ref()?.addr
    }
}

/// A connection that is being made; closing it ends it.
#[derive(Debug)]
pub struct Connecting(Socket);

/// How far a beginning got.
#[derive(Debug)]
pub enum Begun {
    /// The other end has answered already.
    Done(Connecting),
    /// The descriptor becomes writable when the outcome is known.
    Pending(Connecting),
}

impl Connecting {
    /// Begins a connection.
    ///
    /// # Errors
    /// What the kernel knows at once: no descriptor, no such source address or interface, no route, refused.
    pub fn begin(dial: &Dial) -> io::Result<Begun> {
        let to = SocketAddr::from(dial.to);
        let socket = Socket::new(Domain::for_address(to), Type::STREAM.nonblocking(), Some(Protocol::TCP))?;
        prepare(&socket, dial)?;
        match socket.connect(&to.into()) {
            Ok(()) => Ok(Begun::Done(Self(socket))),
            Err(e) if e.raw_os_error() == Some(Errno::EINPROGRESS as i32) => Ok(Begun::Pending(Self(socket))),
            Err(e) => Err(e),
        }
    }

    /// The outcome, once the descriptor is writable.
    ///
    /// # Errors
    /// Why there is no connection: refused, unreachable, reset.
    pub fn outcome(&self) -> io::Result<()> {
        self.0.take_error()?.map_or(Ok(()), Err)
    }

    /// The connection, for a check that speaks; it stays non-blocking.
    pub fn into_stream(self) -> TcpStream {
        self.0.into()
    }
}

impl AsFd for Connecting {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl From<Connecting> for OwnedFd {
    fn from(c: Connecting) -> Self {
        c.0.into()
    }
}

fn prepare(socket: &Socket, dial: &Dial) -> io::Result<()> {
    let port = dial.source.as_ref().map_or(0, |s| s.port);
    // A fixed source port would be blocked for a minute by its own TIME_WAIT.
    if dial.reset || port != 0 {
        socket.set_linger(Some(Duration::ZERO))?;
    }
    let Some(source) = &dial.source else { return Ok(()) };
    if let Some(device) = &source.device {
        socket.bind_device(Some(device.as_bytes()))?;
    }
    if source.mark != 0 {
        socket.set_mark(source.mark)?;
    }
    if source.addr.is_some() || port != 0 {
        bind(socket, dial.to.addr, source)?;
    }
    Ok(())
}

fn bind(socket: &Socket, to: IpAddr, source: &Source) -> io::Result<()> {
    let any: IpAddr = match to {
        IpAddr::V4(_) => std::net::Ipv4Addr::UNSPECIFIED.into(),
        IpAddr::V6(_) => std::net::Ipv6Addr::UNSPECIFIED.into(),
    };
    if source.port == 0 {
        // The port is chosen at connect, when the other end is known: otherwise each one serves a single check.
        setsockopt(socket, IpBindAddressNoPort, &true)?;
    } else {
        socket.set_reuse_address(true)?;
    }
    let from = SocketAddr::new(source.addr.unwrap_or(any), source.port);
    socket.bind(&from.into())
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, TcpListener};

    use super::*;
    use crate::sys::poll::{Interest, Poll};

    fn local(port: u16) -> Endpoint {
        Endpoint::new(Ipv4Addr::LOCALHOST, port)
    }

    /// The outcome of a connection, waited for.
    fn outcome(dial: &Dial) -> io::Result<()> {
        match Connecting::begin(dial)? {
            Begun::Done(_) => Ok(()),
            Begun::Pending(c) => {
                let mut poll = Poll::new()?;
                poll.add(&c, 1, Interest::Write)?;
                poll.wait(None, &mut Vec::new())?;
                c.outcome()
            }
        }
    }

    #[test]
    fn a_listener_answers_and_a_closed_port_refuses() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        outcome(&Dial::to(local(port))).unwrap();
        drop(listener);
        let refused = outcome(&Dial::to(local(port))).unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::ConnectionRefused);
    }

    #[test]
    fn the_source_is_as_asked() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let to = local(listener.local_addr().unwrap().port());
        let from = |addr: IpAddr| Dial::to(to).from(Source { addr: Some(addr), ..Source::default() });
        let here = Ipv4Addr::new(127, 0, 0, 9).into();
        outcome(&from(here)).unwrap();
        assert_eq!(listener.accept().unwrap().1.ip(), here);
        let error = outcome(&from(Ipv4Addr::new(192, 0, 2, 1).into())).unwrap_err();
        assert_eq!(error.raw_os_error(), Some(Errno::EADDRNOTAVAIL as i32));
    }

    #[test]
    fn it_ends_with_fin_unless_a_reset_is_asked_for() {
        use std::io::Read;
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let to = local(listener.local_addr().unwrap().port());
        let end = |reset| {
            outcome(&Dial { reset, ..Dial::to(to) }).unwrap();
            listener.accept().unwrap().0.read(&mut [0; 1]).map_err(|e| e.kind())
        };
        assert_eq!(end(false), Ok(0));
        assert_eq!(end(true), Err(io::ErrorKind::ConnectionReset));
    }
}
