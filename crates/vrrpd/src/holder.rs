//! Who has a name in the abstract namespace of Unix sockets. Any user can take one: what it means depends on whose it is.

use std::fmt;
use std::os::fd::AsRawFd;

use nix::sys::socket::{
    AddressFamily, SockFlag, SockType, UnixAddr, connect, getsockopt, socket, sockopt::PeerCredentials,
};
use nix::unistd::geteuid;

/// A process that listens under a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Holder {
    /// Its number; 0 for one of another container.
    pub pid: i32,
    /// Its user when it began to listen.
    pub uid: u32,
}

impl Holder {
    /// Who listens under a name; none when nobody does, or is too busy to say so.
    pub fn of(name: &str) -> Option<Self> {
        // Never waits, whoever it is.
        let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
        let socket = socket(AddressFamily::Unix, SockType::Stream, flags, None).ok()?;
        connect(socket.as_raw_fd(), &UnixAddr::new_abstract(name.as_bytes()).ok()?).ok()?;
        let peer = getsockopt(&socket, PeerCredentials).ok()?;
        Some(Self { pid: peer.pid(), uid: peer.uid() })
    }

    /// Whether it may be a daemon as we are one: root's, or our own user's.
    pub fn is_trusted(self) -> bool {
        self.uid == 0 || self.uid == geteuid().as_raw()
    }
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.pid {
            0 => write!(f, "a process of another container, uid {}", self.uid),
            pid => write!(f, "process {pid}, uid {}", self.uid),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::linux::net::SocketAddrExt;
    use std::os::unix::net::{SocketAddr, UnixListener};

    use super::*;

    #[test]
    fn whoever_listens_is_known() {
        let name = format!("vrrpd-holder-{}", std::process::id());
        assert_eq!(Holder::of(&name), None);
        let _socket = UnixListener::bind_addr(&SocketAddr::from_abstract_name(&name).unwrap()).unwrap();
        let myself = Holder { pid: std::process::id().try_into().unwrap(), uid: geteuid().as_raw() };
        assert_eq!(Holder::of(&name), Some(myself));
    }
}
