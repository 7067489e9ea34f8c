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
