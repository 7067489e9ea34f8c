//! Notifications about routes and rules that are gone.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};

use nix::errno::Errno;
use socket2::{SockFilter, SockRef};

use crate::sys::netlink::{Netlink, NetlinkError};

/// RTNLGRP_* of routes and rules, IPv4 and IPv6.
const GROUPS: [u32; 4] = [7, 8, 11, 19];

/// Hears that routes or rules of this network namespace are gone, without blocking. Of what a busy router changes nothing else
/// is even woken for.
pub struct Losses {
    netlink: Netlink,
}

impl Losses {
    /// Watches rules, and routes with this mark (`ip route ... protocol N`); none: all routes.
    ///
    /// # Errors
    /// What the kernel says.
    pub fn open(mark: Option<u8>) -> io::Result<Self> {
        let netlink = Netlink::monitor(&GROUPS)?;
        SockRef::from(&netlink.as_fd()).attach_filter(&filter(mark))?;
        Ok(Self { netlink })
    }

    /// Whether something has gone since the last call, or may have: notifications can be lost.
    ///
    /// # Errors
    /// What the kernel says.
    pub fn any(&mut self) -> Result<bool, NetlinkError> {
        let mut any = false;
        loop {
            match self.netlink.notifications(|_| any = true) {
                Ok(true) => {}
                Ok(false) => return Ok(any),
                Err(e) if e.errno == Errno::ENOBUFS => any = true,
                Err(e) => return Err(e),
            }
        }
    }
}

impl AsFd for Losses {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.netlink.as_fd()
    }
}

/// Lets through removals of rules, and of routes with the mark.
fn filter(mark: Option<u8>) -> [SockFilter; 7] {
    // linux/filter.h: load a byte; jump if equal; return so many bytes. linux/rtnetlink.h: RTM_DELROUTE, RTM_DELRULE; the type
    // is a half word of the host's order at 4, struct rtmsg begins at 16 and has its protocol at 5.
    let [byte, eq, give] = [0x30, 0x15, 0x06];
    let [route, rule] = [25, 33];
    let kind = if cfg!(target_endian = "little") { 4 } else { 5 };
    let op = |code, k: u32, jt, jf| SockFilter::new(code, jt, jf, k);
    [
        op(byte, kind, 0, 0),
        op(eq, rule, 4, 0),
        op(eq, route, 0, 2),
        op(byte, 16 + 5, 0, 0),
        // Without a mark both ways lead on.
        mark.map_or_else(|| op(eq, 0, 1, 1), |mark| op(eq, u32::from(mark), 1, 0)),
        op(give, 0, 0, 0),
        op(give, u32::MAX, 0, 0),
    ]
}
