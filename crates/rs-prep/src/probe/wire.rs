//! The edge of the probe: frames out of and into one interface.

use std::io::{self, ErrorKind};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use lvs_core::addr::Mac;
use lvs_core::sys::clock;
use lvs_core::sys::frame::{self, Heard};
use lvs_core::sys::rtnl::Link;
use lvs_core::time::Time;
use pnet::datalink::{self, Channel, Config, DataLinkReceiver, DataLinkSender, MacAddr, NetworkInterface};

/// How long a quiet interface is waited for before the clock is looked at.
const NAP: Duration = Duration::from_millis(10);
/// Headers are all that is read of a frame.
const BUFFER: usize = 2048;

/// A layer-2 channel. It needs CAP_NET_RAW.
pub struct Wire {
    sender: Box<dyn DataLinkSender>,
    receiver: Box<dyn DataLinkReceiver>,
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
        let (Some(mac), true) = (link.mac, link.arp) else {
            bail!("{name}: it has no Ethernet, so nobody can be asked on it");
        };
        if !link.usable() {
            bail!("{name}: it is down or has no carrier");
        }
        let interface = NetworkInterface {
            name: name.clone(),
            description: String::new(),
            index: link.index,
            mac: Some(MacAddr::from(mac.0)),
            ips: Vec::new(),
            flags: 0,
        };
        let config = Config {
            read_buffer_size: BUFFER,
            write_buffer_size: BUFFER,
            read_timeout: Some(NAP),
            promiscuous: false,
            ..Config::default()
        };
        match datalink::channel(&interface, config).map_err(|e| explain(e, name))? {
            Channel::Ethernet(sender, receiver) => Ok(Self { sender, receiver, mac }),
            _ => bail!("{name}: it is no Ethernet interface"),
        }
    }

    /// Sends one frame.
    ///
    /// # Errors
    /// The kernel's reason.
    pub fn send(&mut self, frame: &[u8]) -> Result<()> {
        let sent = self.sender.send_to(frame, None).context("no room for a frame")?;
        sent.context("sending a frame")
    }

    /// Hands on what is heard until the moment comes, or until `each` has heard enough and says true.
    ///
    /// # Errors
    /// The interface went away.
    pub fn listen(
        &mut self,
        until: Time,
        mut each: impl FnMut(&mut Self, Heard) -> Result<bool>,
    ) -> Result<()> {
        while clock::now() < until {
            let heard = match self.receiver.next() {
                Ok(frame) => frame::parse(frame),
                Err(e) if matches!(e.kind(), ErrorKind::TimedOut | ErrorKind::Interrupted) => None,
                Err(e) => return Err(e).context("the interface went down or away"),
            };
            if let Some(heard) = heard {
                if each(self, heard)? {
                    break;
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
