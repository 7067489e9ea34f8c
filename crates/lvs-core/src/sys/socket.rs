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

/// Receives at least one datagram and whatever else waits already, each into a buffer of its own, which then has its
/// length; the other buffers are empty. Room that no datagram has come to was never written: its pages cost nothing.
pub(super) fn receive_waiting<const N: usize>(fd: RawFd, buffers: &mut [Vec<u8>; N]) -> io::Result<()> {
    buffers.iter_mut().for_each(Vec::clear);
    let mut parts =
        buffers.each_mut().map(|b| libc::iovec { iov_base: b.as_mut_ptr().cast(), iov_len: b.capacity() });
    let mut headers = parts.each_mut().map(|part| {
        // SAFETY: a message header of zeros is valid: no name, no control data.
        let mut header: libc::mmsghdr = unsafe { std::mem::zeroed() };
        header.msg_hdr.msg_iov = part;
        header.msg_hdr.msg_iovlen = 1;
        header
    });
    let count = u32::try_from(N).unwrap_or(0);
    // SAFETY: every header points to one live part, and every part to the allocation of a live buffer with its capacity.
    let got = unsafe {
        libc::recvmmsg(fd, headers.as_mut_ptr(), count, libc::MSG_WAITFORONE, std::ptr::null_mut())
    };
    let got = usize::try_from(got).map_err(|_| io::Error::last_os_error())?;
    for (buffer, header) in buffers.iter_mut().zip(headers).take(got) {
        let len = usize::try_from(header.msg_len).unwrap_or(0).min(buffer.capacity());
        // SAFETY: the kernel has written so many bytes from the buffer's start on.
        unsafe { buffer.set_len(len) };
    }
    Ok(())
}

/// The descriptor of something that owns it.
pub(super) fn borrow<T: AsRawFd>(owner: &T) -> BorrowedFd<'_> {
    // SAFETY: the owner keeps the descriptor open for as long as the borrow lives.
    unsafe { BorrowedFd::borrow_raw(owner.as_raw_fd()) }
}
