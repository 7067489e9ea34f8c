//! The edge of the probe: frames out of and into one interface, until a moment comes.

use std::io::{self, ErrorKind};

use anyhow::{Context, Result, bail};
use lvs_core::addr::Mac;
use lvs_core::sys::clock;
use lvs_core::sys::frame::Heard;
use lvs_core::sys::poll::{Interest, Poll};
use lvs_core::sys::rtnl::Link;
use lvs_core::sys::wire::{self, Arp};
use lvs_core::time::Time;

/// A layer-2 channel. It needs CAP_NET_RAW.
pub struct Wire {
    channel: wire::Wire,
    poll: Poll,
    /// The interface's MAC.
    pub mac: Mac,
}

impl Wire {
    /// Opens the channel of an Ethernet interface that is up.
    ///
    /// # Errors
    /// It is down, speaks no ARP, or the right CAP_NET_RAW is missing.
    pub fn open(link: &Link) -> Result<Self> {
        let name = &link.name;
        // Who announces a VIP unasked does so in requests.
        let Some(channel) = wire::Wire::open(link, Arp::All).map_err(|e| explain(e, name))? else {
            bail!("{name}: it has no Ethernet, so nobody can be asked on it");
        };
        if !link.usable() {
            bail!("{name}: it is down or has no carrier");
        }
        let poll = Poll::new()?;
        poll.add(&channel, 0, Interest::Read)?;
        Ok(Self { mac: channel.mac, channel, poll })
    }

    /// Sends one frame.
    ///
    /// # Errors
    /// The kernel's reason.
    pub fn send(&self, frame: &[u8]) -> Result<()> {
        self.channel.send(frame).context("sending a frame")
    }

    /// Hands on what is heard until the moment comes, or until `each` has heard enough and says true.
    ///
    /// # Errors
    /// The interface went away.
    pub fn listen(&mut self, until: Time, mut each: impl FnMut(&Self, Heard) -> Result<bool>) -> Result<()> {
        let mut events = Vec::new();
        while clock::now() < until {
            self.poll.wait(Some(until), &mut events)?;
            for heard in self.channel.receive().context("the interface went down or away")? {
                if each(self, heard)? {
                    return Ok(());
                }
            }
        }
        Ok(())
    }
}

fn explain(error: io::Error, name: &str) -> anyhow::Error {
    let denied = error.kind() == ErrorKind::PermissionDenied;
    let hint = if denied { ": looking at frames needs root (CAP_NET_RAW)" } else { "" };
    anyhow::Error::new(error).context(format!("{name}: no layer-2 channel{hint}"))
}
