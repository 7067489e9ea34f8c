//! Whole Ethernet frames, sent below IP.
#![allow(unsafe_code)]

use std::io;
use std::os::fd::{AsRawFd, OwnedFd};

use nix::libc;
use nix::sys::socket::{AddressFamily, LinkAddr, MsgFlags, SockFlag, SockType, SockaddrLike, sendto, socket};

/// Sends whole Ethernet frames; hears nothing.
pub struct Frames {
    fd: OwnedFd,
}

impl Frames {
    /// Opens the socket.
    ///
    /// # Errors
    /// `EPERM` without CAP_NET_RAW.
    pub fn open() -> io::Result<Self> {
        // Protocol 0 receives nothing, so the queue cannot fill.
        let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
        Ok(Self { fd: socket(AddressFamily::Packet, SockType::Raw, flags, None)? })
    }

    /// Sends a frame, its Ethernet header included, on an interface.
    ///
    /// # Errors
    /// What the kernel says: the link is down or gone, its queue is full.
    pub fn send(&self, link: u32, frame: &[u8]) -> io::Result<()> {
        let to = link_address(link, 0)?;
        sendto(self.fd.as_raw_fd(), frame, &to, MsgFlags::MSG_DONTWAIT)?;
        Ok(())
    }
}

/// A link-level address that names only the interface, and the protocol that is heard there (in network order); a
/// frame has the rest.
pub(super) fn link_address(link: u32, protocol: u16) -> io::Result<LinkAddr> {
    let raw = libc::sockaddr_ll {
        sll_family: u16::try_from(libc::AF_PACKET).map_err(io::Error::other)?,
        sll_protocol: protocol,
        sll_ifindex: i32::try_from(link).map_err(io::Error::other)?,
        sll_hatype: 0,
        sll_pkttype: 0,
        sll_halen: 6,
        sll_addr: [0; 8],
    };
    // SAFETY: `raw` is a live sockaddr_ll whose family is AF_PACKET, and it is only copied.
    unsafe { LinkAddr::from_raw((&raw const raw).cast(), None) }
        .ok_or_else(|| io::ErrorKind::InvalidInput.into())
}
