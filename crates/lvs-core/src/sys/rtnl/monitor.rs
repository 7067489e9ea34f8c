//! Notifications about links and addresses.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};

use neli::consts::rtnl::Rtm;
use nix::errno::Errno;

use super::{Address, Link};
use crate::sys::netlink::{Message, Netlink, NetlinkError};

/// RTNLGRP_* of what is watched: links, IPv4 and IPv6 addresses.
const LINK: u32 = 1;
const IPV4_ADDRESS: u32 = 5;
const IPV6_ADDRESS: u32 = 9;

/// Something that changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// A link is there, or is another than before.
    Link(Link),
    /// A link is gone.
    LinkGone(Link),
    /// An address is there, or is another than before.
    Address(Address),
    /// An address is gone.
    AddressGone(Address),
    /// Notifications were lost: read everything again.
    Lost,
}

/// Hears what changes in this network namespace, without blocking.
pub struct Monitor {
    netlink: Netlink,
}

impl Monitor {
    /// Watches links and addresses.
    pub fn open() -> io::Result<Self> {
        Ok(Self { netlink: Netlink::monitor(&[LINK, IPV4_ADDRESS, IPV6_ADDRESS])? })
    }

    /// All changes that have come, in order; empty if there are none.
    pub fn changes(&mut self) -> Result<Vec<Change>, NetlinkError> {
        let mut found = Vec::new();
        loop {
            match self.netlink.notifications(|m| found.extend(change(m))) {
                Ok(true) => {}
                Ok(false) => return Ok(found),
                Err(e) if e.errno == Errno::ENOBUFS => found.push(Change::Lost),
                Err(e) => return Err(e),
            }
        }
    }
}

fn change(m: Message<'_>) -> Option<Change> {
    match Rtm::from(m.kind) {
        Rtm::Newlink => Link::decode(m.body).map(Change::Link),
        Rtm::Dellink => Link::decode(m.body).map(Change::LinkGone),
        Rtm::Newaddr => Address::decode(m.body).map(Change::Address),
        Rtm::Deladdr => Address::decode(m.body).map(Change::AddressGone),
        _ => None,
    }
}

impl AsFd for Monitor {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.netlink.as_fd()
    }
}
