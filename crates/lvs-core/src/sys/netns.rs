//! Which network namespace this process is in, as a name that is never used twice while the machine runs.
#![allow(unsafe_code)]

use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::MetadataExt;

use nix::libc;

/// A name of this process's network namespace: `net-` and the kernel's cookie.
///
/// The inode of /proc/self/ns/net is taken only on kernels before 5.14, which have no cookie: an inode is given
/// to a new namespace once the old one is gone.
pub fn name() -> io::Result<String> {
    if let Some(cookie) = cookie()? {
        return Ok(format!("net-{cookie}"));
    }
    std::fs::metadata("/proc/self/ns/net").map(|m| format!("net-ino-{}", m.ino()))
}

fn cookie() -> io::Result<Option<u64>> {
    let socket = std::net::UdpSocket::bind("0.0.0.0:0")?;
    let mut cookie = 0u64;
    let mut len = libc::socklen_t::try_from(size_of::<u64>()).map_err(io::Error::other)?;
    // SAFETY: the socket is open, and the kernel writes at most `len` = 8 bytes into `cookie`. nix has no such
    // option.
    let answer = unsafe {
        libc::getsockopt(
            socket.as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_NETNS_COOKIE,
            std::ptr::from_mut(&mut cookie).cast(),
            &raw mut len,
        )
    };
    match answer {
        0 => Ok(Some(cookie)),
        _ if nix::errno::Errno::last() == nix::errno::Errno::ENOPROTOOPT => Ok(None),
        _ => Err(io::Error::last_os_error()),
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_name_stays_the_same() {
        let name = super::name().unwrap();
        assert!(name.starts_with("net-"), "{name}");
        assert_eq!(name, super::name().unwrap());
    }
}
