//! Datagrams to a multicast group on one interface.

use std::ffi::OsString;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::time::Duration;

use nix::sys::socket::{setsockopt, sockopt};

/// A full send queue empties in this time or never.
const PATIENCE: Duration = Duration::from_millis(10);

/// Speaks to a group; what it says stays on the LAN of its interface.
pub struct Speaker {
    socket: UdpSocket,
    to: SocketAddr,
}

impl Speaker {
    /// Opens it on the interface of that name.
    ///
    /// # Errors
    /// `EPERM` without CAP_NET_RAW; `ENODEV` when there is no such interface.
    pub fn open(interface: &str, to: SocketAddr) -> io::Result<Self> {
        let any = if to.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
        let socket = UdpSocket::bind(SocketAddr::new(any, 0))?;
        // There may be no route to the group; the interface says enough.
        setsockopt(&socket, sockopt::BindToDevice, &OsString::from(interface))?;
        socket.set_write_timeout(Some(PATIENCE))?;
        Ok(Self { socket, to })
    }

    /// Says it.
    ///
    /// # Errors
    /// What the kernel says: the link is down, its queue is full.
    pub fn say(&self, message: &[u8]) -> io::Result<()> {
        self.socket.send_to(message, self.to).map(|_| ())
    }
}
