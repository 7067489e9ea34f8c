//! VRRP advertisements: bytes to plain values and back.
//!
//! ```text
//!  0                   1                   2                   3
//! |Version| Type=1|      VRID     |    Priority   | Count IPvX Addr|
//! |   Auth Type   |   Adver Int   |          Checksum              |  version 2 (RFC 3768 5.3): seconds
//! |(rsvd) |     Max Adver Int     |          Checksum              |  version 3 (RFC 9568 5.2): centiseconds
//! |                         IPvX Address(es)                       |
//! |                  Authentication Data (8 bytes)                 |  version 2 only
//! ```
//!
//! [`Packet::parse`] never panics, allocates nothing, and gives a packet only if its form is right; whether it
//! is for us is `door`'s question.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use lvs_core::addr::Family;
use serde::{Deserialize, Serialize};

/// VRRP's IP protocol number.
pub const PROTOCOL: u8 = 112;
const HEADER: usize = 8;
/// The field of the password.
pub const AUTH_DATA: usize = 8;
const TYPE_ADVERTISEMENT: u8 = 1;
/// 12 bits of centiseconds.
const LONGEST_V3: u128 = 4095;

/// The protocol's version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Version {
    /// RFC 3768: IPv4, whole seconds, a password in the clear.
    V2,
    /// RFC 5798 and 9568: IPv4 and IPv6, centiseconds, no authentication.
    V3,
}

/// What a version 2 packet says about authentication.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Auth {
    /// Type 0, and all of version 3.
    None,
    /// Type 1: the password, padded with zero bytes.
    Pass([u8; AUTH_DATA]),
    /// Type 2 (AH) or any other number.
    Other(u8),
}

impl Auth {
    /// The number on the wire.
    pub fn number(self) -> u8 {
        match self {
            Self::None => 0,
            Self::Pass(_) => 1,
            Self::Other(kind) => kind,
        }
    }
}

/// An advertisement. `Vips` is [`Addresses`] for one that came in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Packet<Vips> {
    /// Version 2 or 3.
    pub version: Version,
    /// The virtual router.
    pub vrid: u8,
    /// 0: the sender stops being master; 255: it owns the addresses.
    pub priority: u8,
    /// The sender's interval.
    pub interval: Duration,
    /// Version 2's authentication.
    pub auth: Auth,
    /// The addresses in the sender's order.
    pub vips: Vips,
}

/// The addresses of a received packet, still in its bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Addresses<'a> {
    bytes: &'a [u8],
    family: Family,
}

/// Why bytes are no advertisement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// Shorter than its header or than its count of addresses says.
    #[error("too short: {have} bytes instead of {need}")]
    Short {
        /// Bytes received.
        have: usize,
        /// Bytes that the packet says it has.
        need: usize,
    },
    /// Longer than its header says.
    #[error("too long: {have} bytes instead of {need}")]
    Long {
        /// Bytes received.
        have: usize,
        /// Bytes that the packet says it has.
        need: usize,
    },
    /// Neither version 2 nor 3, or version 2 over IPv6.
    #[error("unknown version {0}")]
    Version(u8),
    /// Not an advertisement.
    #[error("unknown type {0}")]
    Type(u8),
    /// The bytes changed on their way, or the sender computes another sum.
    #[error("wrong checksum")]
    Checksum,
    /// The virtual router id is 0.
    #[error("virtual router id 0")]
    Vrid,
}

impl<'a> Addresses<'a> {
    /// How many.
    pub fn len(&self) -> usize {
        self.bytes.len() / width(self.family)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Each in the packet's order.
    pub fn iter(&self) -> impl Iterator<Item = IpAddr> + 'a {
        self.bytes.chunks_exact(width(self.family)).map(|c| match <[u8; 4]>::try_from(c) {
            Ok(four) => IpAddr::from(Ipv4Addr::from(four)),
            Err(_) => <[u8; 16]>::try_from(c).map_or(Ipv6Addr::UNSPECIFIED, Ipv6Addr::from).into(),
        })
    }
}

impl<'a> Packet<Addresses<'a>> {
    /// Reads the payload of an IP packet from `src` to `dst`, which version 3 sums up too.
    ///
    /// # Errors
    /// The first thing that is wrong with it.
    pub fn parse(bytes: &'a [u8], src: IpAddr, dst: IpAddr) -> Result<Self, Malformed> {
        let have = bytes.len();
        let Some((&[first, vrid, priority, count, fifth, sixth, ..], rest)) = bytes.split_at_checked(HEADER)
        else {
            return Err(Malformed::Short { have, need: HEADER });
        };
        let family = Family::of(src);
        let version = version_of(first >> 4, family)?;
        if first & 0xf != TYPE_ADVERTISEMENT {
            return Err(Malformed::Type(first & 0xf));
        }
        let listed = usize::from(count) * width(family);
        let trailer = if version == Version::V2 { AUTH_DATA } else { 0 };
        exactly(have, HEADER + listed + trailer)?;
        if checksum(version, bytes, src, dst) != 0 {
            return Err(Malformed::Checksum);
        }
        if vrid == 0 {
            return Err(Malformed::Vrid);
        }
        let (vips, data) = rest.split_at(listed);
        let (auth, interval) = match version {
            Version::V2 => (auth_of(fifth, data), Duration::from_secs(sixth.into())),
            Version::V3 => (Auth::None, centiseconds(fifth & 0xf, sixth)),
        };
        Ok(Self { version, vrid, priority, interval, auth, vips: Addresses { bytes: vips, family } })
    }
}

impl Packet<&[IpAddr]> {
    /// Appends the packet to `out`, with the checksum for its way from `src` to `dst`.
    pub fn emit(&self, src: IpAddr, dst: IpAddr, out: &mut Vec<u8>) {
        let start = out.len();
        // Addresses of the other family belong to `virtual_ipaddress_excluded`; 255 are what the count can say.
        let vips = self.vips.iter().filter(|v| v.is_ipv4() == src.is_ipv4()).take(255);
        let (version, [fifth, sixth]) = match self.version {
            Version::V2 => (2, [self.auth.number(), whole_seconds(self.interval)]),
            Version::V3 => (3, wire_centiseconds(self.interval)),
        };
        let first = version << 4 | TYPE_ADVERTISEMENT;
        out.extend_from_slice(&[first, self.vrid, self.priority, 0, fifth, sixth, 0, 0]);
        for vip in vips {
            match vip {
                IpAddr::V4(a) => out.extend_from_slice(&a.octets()),
                IpAddr::V6(a) => out.extend_from_slice(&a.octets()),
            }
            out[start + 3] += 1;
        }
        if self.version == Version::V2 {
            out.extend_from_slice(&match self.auth {
                Auth::Pass(password) => password,
                Auth::None | Auth::Other(_) => [0; AUTH_DATA],
            });
        }
        let sum = checksum(self.version, &out[start..], src, dst);
        out[start + 6..start + HEADER].copy_from_slice(&sum.to_be_bytes());
    }
}

fn width(family: Family) -> usize {
    match family {
        Family::Inet => 4,
        Family::Inet6 => 16,
    }
}

fn version_of(number: u8, family: Family) -> Result<Version, Malformed> {
    match (number, family) {
        (2, Family::Inet) => Ok(Version::V2),
        (3, _) => Ok(Version::V3),
        _ => Err(Malformed::Version(number)),
    }
}

fn exactly(have: usize, need: usize) -> Result<(), Malformed> {
    match have.cmp(&need) {
        std::cmp::Ordering::Less => Err(Malformed::Short { have, need }),
        std::cmp::Ordering::Greater => Err(Malformed::Long { have, need }),
        std::cmp::Ordering::Equal => Ok(()),
    }
}

fn auth_of(kind: u8, data: &[u8]) -> Auth {
    match (kind, data.try_into()) {
        (0, _) => Auth::None,
        (1, Ok(password)) => Auth::Pass(password),
        _ => Auth::Other(kind),
    }
}

fn centiseconds(high: u8, low: u8) -> Duration {
    Duration::from_millis(u64::from(u16::from_be_bytes([high, low])) * 10)
}

fn wire_centiseconds(interval: Duration) -> [u8; 2] {
    // At most 4095, so the cast keeps the value.
    ((interval.as_millis() / 10).min(LONGEST_V3) as u16).to_be_bytes()
}

fn whole_seconds(interval: Duration) -> u8 {
    u8::try_from(interval.as_secs()).unwrap_or(u8::MAX)
}

/// The Internet checksum; 0 over a packet whose checksum field is right. Version 3 includes the pseudo header
/// of RFC 2460 8.1, over IPv4 too, as keepalived has it by default; version 2 does not (RFC 3768 5.3.8).
fn checksum(version: Version, bytes: &[u8], src: IpAddr, dst: IpAddr) -> u16 {
    let mut sum = Sum(0);
    if version == Version::V3 {
        sum.address(src);
        sum.address(dst);
        sum.word(u16::from(PROTOCOL));
        sum.word(u16::try_from(bytes.len()).unwrap_or(u16::MAX));
    }
    sum.bytes(bytes);
    sum.finish()
}

/// RFC 1071. 32 bits hold the sum of 65,535 words.
struct Sum(u32);

impl Sum {
    fn word(&mut self, word: u16) {
        self.0 += u32::from(word);
    }

    fn bytes(&mut self, bytes: &[u8]) {
        for pair in bytes.chunks(2) {
            self.word(u16::from_be_bytes([pair[0], pair.get(1).copied().unwrap_or(0)]));
        }
    }

    fn address(&mut self, addr: IpAddr) {
        match addr {
            IpAddr::V4(a) => self.bytes(&a.octets()),
            IpAddr::V6(a) => self.bytes(&a.octets()),
        }
    }

    fn finish(self) -> u16 {
        let once = (self.0 >> 16) + (self.0 & 0xffff);
        let twice = (once >> 16) + (once & 0xffff);
        !(twice as u16)
    }
}

#[cfg(test)]
mod tests;
