//! Names of hosts and services, as the system's resolver and /etc/services know them.
#![allow(unsafe_code)]

mod getent;
pub mod listed;

use std::ffi::{CStr, CString};
use std::net::{Ipv4Addr, SocketAddr, ToSocketAddrs};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use nix::libc;

use crate::rule;
use crate::table::Protocol;

/// getservbyname answers from one static buffer.
static SERVICES: Mutex<()> = Mutex::new(());

/// Whether getent(1) is asked instead of the C library.
static GETENT: AtomicBool = AtomicBool::new(false);

/// Has getent(1) answer from now on: for programs that are linked statically, see `getent.rs`.
pub fn ask_getent() {
    GETENT.store(true, Ordering::Relaxed);
}

fn getent_is_asked() -> bool {
    GETENT.load(Ordering::Relaxed)
}

/// The resolver as [`rule::Names`].
#[derive(Clone, Copy, Debug, Default)]
pub struct System;

impl rule::Names for System {
    fn host(&self, name: &str) -> Option<Ipv4Addr> {
        host(name)
    }

    fn port(&self, name: &str, protocol: Protocol) -> Option<u16> {
        port(name, protocol)
    }
}

/// The first IPv4 address of a host; waits for the resolver.
pub fn host(name: &str) -> Option<Ipv4Addr> {
    if getent_is_asked() {
        return getent::host(name);
    }
    let mut all = (name, 0).to_socket_addrs().ok()?;
    all.find_map(|a| match a {
        SocketAddr::V4(v4) => Some(*v4.ip()),
        SocketAddr::V6(_) => None,
    })
}

fn protocol_name(protocol: Protocol) -> &'static CStr {
    match protocol {
        Protocol::Tcp => c"tcp",
        Protocol::Udp => c"udp",
        Protocol::Sctp => c"sctp",
    }
}

/// The port of a service.
pub fn port(name: &str, protocol: Protocol) -> Option<u16> {
    if getent_is_asked() {
        return getent::port(name, protocol);
    }
    let name = CString::new(name).ok()?;
    let _one = SERVICES.lock().ok()?;
    // SAFETY: both arguments are NUL-terminated; the answer is null or points to the buffer that the lock guards.
    let port =
        unsafe { libc::getservbyname(name.as_ptr(), protocol_name(protocol).as_ptr()).as_ref() }?.s_port;
    Some(u16::from_be(u16::try_from(port).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_services_that_every_system_has() {
        assert_eq!(port("http", Protocol::Tcp), Some(80));
        assert_eq!(port("no-such-service", Protocol::Tcp), None);
        assert_eq!(port("nul\0inside", Protocol::Tcp), None);
    }

    #[test]
    fn the_host_that_every_system_has() {
        assert_eq!(host("localhost"), Some(Ipv4Addr::LOCALHOST));
    }
}
