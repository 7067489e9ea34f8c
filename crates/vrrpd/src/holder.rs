//! Who has a name in the abstract namespace of Unix sockets. Any user can take one, and so keep a daemon from starting that
//! needs it: whoever is kept must learn by whom.

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

/// Why a name is not to be had, by who has it: `ours` where that may be a daemon like this one.
pub fn taken(name: &str, what: &str, holder: Option<Holder>, ours: &str) -> String {
    match holder {
        Some(holder) if holder.is_trusted() => format!("{ours} ({holder})"),
        Some(holder) => {
            format!(
                "{what} is taken by {holder}, which is no vrrpd of root's: any user can take the name @{name}; end it"
            )
        }
        None => {
            format!("{ours}, or a program that does not say who it is ('ss -xap | grep {name}' shows it)")
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

    #[test]
    fn a_stranger_is_called_one() {
        let text = |holder| taken("n", "the name", holder, "another vrrpd runs");
        assert_eq!(text(Some(Holder { pid: 7, uid: 0 })), "another vrrpd runs (process 7, uid 0)");
        let stranger = text(Some(Holder { pid: 7, uid: 12345 }));
        assert!(
            stranger.starts_with("the name is taken by process 7, uid 12345, which is no vrrpd"),
            "{stranger}"
        );
        assert!(text(None).contains("ss -xap | grep n"), "{}", text(None));
    }
}
