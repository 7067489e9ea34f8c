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

/// How long it listens between two bursts of questions, or a little longer: a channel that is quiet is waited for.
const LISTEN: Duration = Duration::from_millis(5);
/// A machine that stood still catches up little by little: no burst is more than the questions of this time.
const MOST: Duration = Duration::from_millis(50);
/// After so many bursts it says how many questions there were.
const TELL: u32 = 20;

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
/// that has the target as its sender, and all the time `asked N SECONDS`: how many questions in how long.
///
/// # Errors
/// The interface cannot be used, or nobody reads.
pub fn run(asking: &Asking<'_>) -> Result<()> {
    let link = Rtnl::open()?.link(asking.device)?.context("no such interface")?;
    let mut wire = Wire::open(&link)?;
    let own = wire.mac;
    let question = frame::question(own, asking.target);
    let (start, mut asked) = (clock::now(), 0);
    for burst in 0.. {
        let due = due(asking.rate, clock::now().since(start)).min(asked + due(asking.rate, MOST));
        while asked < due {
            wire.send(&question)?;
            asked += 1;
        }
        if let Some((mac, from)) = asking.syn.filter(|_| burst % 4 == 0) {
            let port = 20_000 + u16::try_from(burst / 4 % 40_000)?;
            let path =
                Path { own, mac, from: Endpoint::new(from, port), to: Endpoint::new(asking.target, 9) };
            wire.send(&frame::syn(&path, 1))?;
        }
        wire.listen(clock::now() + LISTEN, |_, heard| {
            tell(own, asking.target, heard)?;
            Ok(false)
        })?;
        if burst % TELL == TELL - 1 {
            say(&format!("asked {asked} {:.3}", clock::now().since(start).as_secs_f64()))?;
        }
    }
    Ok(())
}

/// How many questions are due after so long.
fn due(rate: u32, elapsed: Duration) -> u64 {
    elapsed.as_micros() as u64 * u64::from(rate) / 1_000_000
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rate_is_kept() {
        for rate in [0, 1, 20, 999, 2000] {
            assert_eq!(
                due(rate, Duration::from_secs(3)),
                u64::from(3 * rate),
                "{rate} a second for three seconds"
            );
        }
        assert_eq!(due(2000, Duration::from_micros(499)), 0);
    }
}
