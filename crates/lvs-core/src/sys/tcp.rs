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

    /// Whether it ends with RST: because that is asked for, or because a fixed source port would be blocked for a minute
    /// by its own TIME_WAIT.
    fn ends_with_reset(&self) -> bool {
        self.reset || self.source.as_ref().is_some_and(|s| s.port != 0)
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
        Self::connect(prepared(dial)?, dial.to)
    }

    /// Begins a connection of which only the making is wanted: the ACK that completes it waits for the FIN that ends it,
    /// so that both hosts and the network have a packet less, and the server's program is woken once instead of twice.
    /// Who keeps the connection has the kernel send the ACK after 200 ms.
    ///
    /// # Errors
    /// As [`Self::begin`].
    pub fn knock(dial: &Dial) -> io::Result<Begun> {
        let socket = prepared(dial)?;
        // A RST in the place of the ACK would undo the connection before the server's program sees it.
        if !dial.ends_with_reset() {
            // A kernel that does not know this sends the packet.
            let _ = socket.set_tcp_quickack(false);
        }
        Self::connect(socket, dial.to)
    }

    fn connect(socket: Socket, to: Endpoint) -> io::Result<Begun> {
        match socket.connect(&SocketAddr::from(to).into()) {
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

/// Whether connections can come from there on this host at all.
///
/// # Errors
/// There is no such address or interface here, or it may not be used.
pub fn possible(source: &Source) -> io::Result<()> {
    let any = std::net::Ipv4Addr::UNSPECIFIED.into();
    prepared(&Dial::to(Endpoint::new(source.addr.unwrap_or(any), 0)).from(source.clone())).map(drop)
}

/// A socket from where the connection is to come.
fn prepared(dial: &Dial) -> io::Result<Socket> {
    let domain = Domain::for_address(dial.to.into());
    let socket = Socket::new(domain, Type::STREAM.nonblocking(), Some(Protocol::TCP))?;
    if dial.ends_with_reset() {
        socket.set_linger(Some(Duration::ZERO))?;
    }
    if let Some(source) = &dial.source {
        place(&socket, dial.to.addr, source)?;
    }
    Ok(socket)
}

fn place(socket: &Socket, to: IpAddr, source: &Source) -> io::Result<()> {
    if let Some(device) = &source.device {
        socket.bind_device(Some(device.as_bytes()))?;
    }
    if source.mark != 0 {
        socket.set_mark(source.mark)?;
    }
    if source.addr.is_some() || source.port != 0 {
        bind(socket, to, source)?;
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
        end(Connecting::begin(dial)?).map(drop)
    }

    fn end(begun: Begun) -> io::Result<Connecting> {
        match begun {
            Begun::Done(c) => Ok(c),
            Begun::Pending(c) => {
                let mut poll = Poll::new()?;
                poll.add(&c, 1, Interest::Write)?;
                poll.wait(None, &mut Vec::new())?;
                c.outcome().map(|()| c)
            }
        }
    }

    #[test]
    fn a_source_that_this_host_does_not_have_is_told_before_any_try() {
        let foreign = Source { addr: Some(Ipv4Addr::new(192, 0, 2, 1).into()), ..Source::default() };
        assert_eq!(possible(&foreign).unwrap_err().kind(), io::ErrorKind::AddrNotAvailable);
        let gone = Source { device: Some("no-such-dev".to_owned()), ..Source::default() };
        assert!(possible(&gone).is_err());
        possible(&Source::default()).unwrap();
        possible(&Source { addr: Some(Ipv4Addr::LOCALHOST.into()), ..Source::default() }).unwrap();
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

    #[test]
    fn one_that_only_knocks_is_seen_by_the_server_at_its_end() {
        use std::io::Read;
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let to = local(listener.local_addr().unwrap().port());
        let knock = |dial| {
            let c = end(Connecting::knock(dial).unwrap()).unwrap();
            let early = listener.accept().ok();
            drop(c);
            let mut client =
                early.as_ref().map_or_else(|| listener.accept(), |c| Ok((c.0.try_clone()?, c.1)))?.0;
            client.set_nonblocking(false)?;
            client.read(&mut [0; 1]).map(|n| (early.is_some(), n))
        };
        // A test that is held up for 200 ms has the ACK sent meanwhile; not ten times in turn.
        let dial = Dial::to(to);
        assert!((0..10).any(|_| matches!(knock(&dial), Ok((false, 0)))));
        // With RST at its end the connection must be there before.
        let reset = knock(&Dial { reset: true, ..Dial::to(to) }).map_err(|e| e.kind());
        assert_eq!(reset, Err(io::ErrorKind::ConnectionReset));
    }
}
