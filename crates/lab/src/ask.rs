//! Asks who has an address, thousands of times a second, and tells of every answer: a leak of a moment is caught.

use std::io::Write;
use std::net::IpAddr;
use std::time::Duration;

use anyhow::{Context, Result};
use lvs_core::addr::{Endpoint, Mac};
use lvs_core::sys::clock;
use lvs_core::sys::frame::{self, Heard, Path};
use lvs_core::sys::rtnl::Rtnl;
use rs_prep::probe::wire::Wire;

/// Questions are sent in small bursts of this many a second.
const BURSTS: u32 = 200;
/// The least time to listen between two bursts.
const LISTEN: Duration = Duration::from_millis(1);

/// What is asked.
#[derive(Clone, Copy, Debug)]
pub struct Asking<'a> {
    /// The address.
    pub target: IpAddr,
    /// The interface.
    pub device: &'a str,
    /// Questions a second.
    pub rate: u32,
    /// Between the questions a SYN from an address to the target at a MAC, so that its host has to answer, and to ask
    /// for us first.
    pub syn: Option<(Mac, IpAddr)>,
}

/// Asks until it is killed. Prints `answer MAC` for each answer, `sender MAC` for each ARP request or announcement
/// that has the target as its sender, and `asked N` after every 200 bursts.
///
/// # Errors
/// The interface cannot be used, or nobody reads.
pub fn run(asking: &Asking<'_>) -> Result<()> {
    let link = Rtnl::open()?.link(asking.device)?.context("no such interface")?;
    let mut wire = Wire::open(&link)?;
    let own = wire.mac;
    let question = frame::question(own, asking.target);
    let (mut until, mut asked) = (clock::now(), 0);
    for burst in 0.. {
        for _ in 0..asking.rate / BURSTS {
            wire.send(&question)?;
            asked += 1;
        }
        if let Some((mac, from)) = asking.syn.filter(|_| burst % 4 == 0) {
            let port = 20_000 + u16::try_from(burst / 4 % 40_000)?;
            let path =
                Path { own, mac, from: Endpoint::new(from, port), to: Endpoint::new(asking.target, 9) };
            wire.send(&frame::syn(&path, 1))?;
        }
        // A slow machine asks less often rather than listen less.
        until = (until + Duration::from_secs(1) / BURSTS).max(clock::now() + LISTEN);
        wire.listen(until, |_, heard| {
            tell(own, asking.target, heard)?;
            Ok(false)
        })?;
        if (burst + 1) % BURSTS == 0 {
            say(&format!("asked {asked}"))?;
        }
    }
    Ok(())
}

fn tell(own: Mac, target: IpAddr, heard: Heard) -> Result<()> {
    match heard {
        Heard::Claim { addr, mac, answer } if addr == target && mac != own => {
            say(&format!("{} {mac}", if answer { "answer" } else { "sender" }))
        }
        _ => Ok(()),
    }
}

fn say(line: &str) -> Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}")?;
    Ok(out.flush()?)
}
