//! VRRP packets that no router may believe, many a second: what a broken or hostile neighbour sends.

use std::io::Write;
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use anyhow::{Context, Result};
use lvs_core::addr::Family;
use lvs_core::sys::clock;
use lvs_core::sys::raw::{RawIp, Route};
use lvs_core::sys::rtnl::Rtnl;

use crate::wait::pause;

const VRRP: u8 = 112;
const GROUP: Ipv4Addr = Ipv4Addr::new(224, 0, 0, 18);
/// Packets leave in small bursts, at most this many a second: a sleep is never shorter than some 50 microseconds.
const BURSTS: u32 = 500;

/// A version 3 advertisement of the highest priority that is not the owner's, without a checksum.
fn advertisement(vrid: u8) -> [u8; 12] {
    [0x31, vrid, 254, 1, 0, 100, 0, 0, 10, 9, 9, vrid]
}

/// The kinds of wrong that take turns, with their TTL: checksum, TTL, version, type, length.
fn wrong(vrid: u8, turn: u32) -> (u8, Vec<u8>) {
    let mut packet = advertisement(vrid).to_vec();
    let kind = turn % 5;
    let ttl = if kind == 1 { 64 } else { 255 };
    match kind {
        2 => packet[0] = 0x51,
        3 => packet[0] = 0x37,
        4 => packet.truncate(5),
        // All of them have a wrong checksum, too.
        _ => packet[6] = turn.to_le_bytes()[0],
    }
    (ttl, packet)
}

/// How many have gone after so many bursts.
fn so_far(rate: u32, bursts: u32) -> u32 {
    u32::try_from(u64::from(rate) * u64::from(bursts) / u64::from(BURSTS)).unwrap_or(u32::MAX)
}

/// Sends `rate` of them a second from an interface, to the routers of this number; prints how many were sent.
///
/// # Errors
/// The interface cannot be used.
pub fn run(device: &str, vrid: u8, rate: u32, length: Duration) -> Result<()> {
    let mut rtnl = Rtnl::open()?;
    let link = rtnl.link(device)?.context("no such interface")?;
    let own = |a: &&lvs_core::sys::rtnl::Address| a.link == link.index && a.prefix.addr.is_ipv4();
    let src = rtnl.addresses()?.iter().find(own).context("the interface has no IPv4 address")?.prefix.addr;
    let socket = RawIp::open(Family::Inet, VRRP, device, link.index)?;
    let (start, mut scratch, mut sent) = (clock::now(), Vec::new(), 0u32);
    for burst in 0.. {
        let due = start + Duration::from_secs(1) / BURSTS * burst;
        if due.since(start) >= length {
            break;
        }
        pause(due.since(clock::now()));
        // Below 500 a second some bursts are empty; a remainder goes with the later ones.
        while sent < so_far(rate, burst + 1) {
            let (ttl, packet) = wrong(vrid, sent);
            let route = Route { src, dst: IpAddr::V4(GROUP), ttl, id: 1 };
            socket.send(route, &packet, &mut scratch)?;
            sent += 1;
        }
    }
    Ok(writeln!(std::io::stdout().lock(), "{sent} bad packets in {:.1} s", length.as_secs_f64())?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rate_is_kept() {
        for rate in [0, 1, 20, 499, 500, 501, 2000] {
            assert_eq!(so_far(rate, 3 * BURSTS), 3 * rate, "{rate} a second for three seconds");
        }
        assert_eq!((so_far(20, 24), so_far(20, 25)), (0, 1));
    }
}
