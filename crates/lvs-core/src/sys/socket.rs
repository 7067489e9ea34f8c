//! Socket options that neither nix nor neli has.
#![allow(unsafe_code)]

use std::io;
use std::mem::size_of;
use std::os::fd::{AsRawFd, BorrowedFd, RawFd};

use nix::libc;

fn set(fd: RawFd, level: i32, option: i32, value: i32) -> io::Result<()> {
    // SAFETY: the kernel reads one int at the address of a live int, whose size is given.
    let done = unsafe {
        libc::setsockopt(
            fd,
            level,
            option,
            (&raw const value).cast(),
            u32::try_from(size_of::<i32>()).unwrap_or(4),
        )
    };
    if done == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Refusals repeat only the header of what they refuse (NETLINK_CAP_ACK).
pub(super) fn cap_ack(fd: RawFd) -> io::Result<()> {
    set(fd, libc::SOL_NETLINK, libc::NETLINK_CAP_ACK, 1)
}

/// Asks for a receive queue of so many bytes, beyond the system's limit where the rights allow it.
pub(super) fn receive_queue(fd: RawFd, bytes: usize) {
    let bytes = i32::try_from(bytes).unwrap_or(i32::MAX);
    // A smaller queue is no fault: batches are sized for the default.
    if set(fd, libc::SOL_SOCKET, libc::SO_RCVBUFFORCE, bytes).is_err() {
        let _ = set(fd, libc::SOL_SOCKET, libc::SO_RCVBUF, bytes);
    }
}

/// Receives at least one datagram and whatever else waits already, each into a buffer of its own; returns the lengths.
/// A dump's last message comes in a datagram of its own: this saves a system call a dump.
pub(super) fn receive_waiting<const N: usize>(
    fd: RawFd,
    buffers: &mut [Vec<u8>; N],
) -> io::Result<impl Iterator<Item = usize> + use<N>> {
    let mut parts =
        buffers.each_mut().map(|b| libc::iovec { iov_base: b.as_mut_ptr().cast(), iov_len: b.len() });
    let mut headers = parts.each_mut().map(|part| {
        // SAFETY: a message header of zeros is valid: no name, no control data.
        let mut header: libc::mmsghdr = unsafe { std::mem::zeroed() };
        header.msg_hdr.msg_iov = part;
        header.msg_hdr.msg_iovlen = 1;
        header
    });
    let count = u32::try_from(N).unwrap_or(0);
    // SAFETY: every header points to one live part, and every part to a live buffer of the length that it says.
    let got = unsafe {
        libc::recvmmsg(fd, headers.as_mut_ptr(), count, libc::MSG_WAITFORONE, std::ptr::null_mut())
    };
    let got = usize::try_from(got).map_err(|_| io::Error::last_os_error())?;
    Ok(headers.into_iter().take(got).map(|h| usize::try_from(h.msg_len).unwrap_or(0)))
}

/// Keeps a descriptor from children: neli opens its sockets without CLOEXEC.
pub(super) fn close_on_exec(fd: RawFd) -> io::Result<()> {
    // SAFETY: fcntl with an int argument touches no memory.
    let done = unsafe { libc::fcntl(fd, libc::F_SETFD, libc::FD_CLOEXEC) };
    if done == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// The descriptor of something that owns it.
pub(super) fn borrow<T: AsRawFd>(owner: &T) -> BorrowedFd<'_> {
    // SAFETY: the owner keeps the descriptor open for as long as the borrow lives.
    unsafe { BorrowedFd::borrow_raw(owner.as_raw_fd()) }
}
