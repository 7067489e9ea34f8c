//! Which advertisements count: everything that the network says is judged here, before any timer hears of it.

use std::net::IpAddr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::packet::{Addresses, Auth, Malformed, Packet, Version};

/// RFC 9568 5.1.1.3: a multicast advertisement with another TTL has crossed a router and is a forgery.
const TTL: u8 = 255;

/// An advertisement that counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Advert {
    /// Who sent it.
    pub src: IpAddr,
    /// The sender's priority; 0 when it stops being master.
    pub priority: u8,
    /// The sender's interval.
    pub interval: Duration,
}

/// How a packet came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Way {
    /// The sender.
    pub src: IpAddr,
    /// The group or our own address.
    pub dst: IpAddr,
    /// The TTL or hop limit that was left.
    pub ttl: u8,
}

/// A peer that may send unicast advertisements.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Peer {
    /// Its address.
    pub addr: IpAddr,
    /// The smallest TTL that its packets may have left.
    pub min_ttl: u8,
    /// The largest.
    pub max_ttl: u8,
}

/// What one virtual router lets in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Door {
    /// Ours; others are refused.
    pub version: Version,
    /// Version 2 demands the same interval of all.
    pub interval: Duration,
    /// Ours; others are refused.
    pub auth: Auth,
    /// In the order in which we advertise them.
    pub vips: Vec<IpAddr>,
    /// Empty for multicast.
    pub peers: Vec<Peer>,
    /// Whether unicast packets must come from a peer.
    pub check_source: bool,
    /// Unicast of version 3: the group that older routers sum up instead of the receiver. None: they are not understood.
    #[serde(default)]
    pub old_sum: Option<IpAddr>,
}

/// Why a packet is not let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Reject {
    /// No advertisement at all.
    #[error("{0}")]
    Malformed(#[from] Malformed),
    /// It crossed a router, or came from further than allowed.
    #[error("TTL {0} instead of 255: it did not come from this network")]
    Ttl(u8),
    /// A unicast packet outside the peer's bounds.
    #[error("TTL {0} outside the bounds of this peer")]
    PeerTtl(u8),
    /// A sender that is no peer.
    #[error("the sender is not in unicast_peer")]
    NotPeer,
    /// It went to a group, and this router has peers.
    #[error("it was sent to {0}, this router speaks with its unicast peers")]
    Group(IpAddr),
    /// Our own packet, or someone who uses our address.
    #[error("the sender has this router's own address")]
    OwnAddress,
    /// The other version.
    #[error("VRRP version {}, here it is {}", number(*.theirs), number(*.ours))]
    Version {
        /// In the packet.
        theirs: Version,
        /// Ours.
        ours: Version,
    },
    /// Version 2 routers must agree on the interval.
    #[error("advertisement interval {}, here it is {} (version 2 demands the same)", theirs.as_secs(), ours.as_secs())]
    Interval {
        /// In the packet.
        theirs: Duration,
        /// Ours.
        ours: Duration,
    },
    /// It has a password and we have none, or the other way round, or it uses AH.
    #[error("authentication type {theirs}, here it is {ours}")]
    AuthType {
        /// In the packet.
        theirs: u8,
        /// Ours.
        ours: u8,
    },
    /// Another password.
    #[error("wrong password: both of you may now be master")]
    Password,
}

impl Reject {
    /// Names of all kinds, in the order of [`Reject::kind`], as metrics show them.
    pub const KINDS: [&'static str; 15] = [
        "short",
        "long",
        "version_unknown",
        "type",
        "checksum",
        "vrid",
        "ttl",
        "peer_ttl",
        "not_peer",
        "own_address",
        "version",
        "interval",
        "auth_type",
        "password",
        "group",
    ];

    /// The kind's number, to count by.
    pub fn kind(&self) -> usize {
        match self {
            Self::Malformed(Malformed::Short { .. }) => 0,
            Self::Malformed(Malformed::Long { .. }) => 1,
            Self::Malformed(Malformed::Version(_)) => 2,
            Self::Malformed(Malformed::Type(_)) => 3,
            Self::Malformed(Malformed::Checksum) => 4,
            Self::Malformed(Malformed::Vrid) => 5,
            Self::Ttl(_) => 6,
            Self::PeerTtl(_) => 7,
            Self::NotPeer => 8,
            Self::OwnAddress => 9,
            Self::Version { .. } => 10,
            Self::Interval { .. } => 11,
            Self::AuthType { .. } => 12,
            Self::Password => 13,
            Self::Group(_) => 14,
        }
    }
}

impl Door {
    /// Judges a packet; `own` is the address that our advertisements carry.
    ///
    /// # Errors
    /// The first reason why the packet does not count.
    pub fn admit(
        &self,
        packet: &Packet<Addresses<'_>>,
        way: Way,
        own: Option<IpAddr>,
    ) -> Result<Advert, Reject> {
        if own == Some(way.src) {
            return Err(Reject::OwnAddress);
        }
        self.check_way(way)?;
        if packet.version != self.version {
            return Err(Reject::Version { theirs: packet.version, ours: self.version });
        }
        self.check_auth(packet.auth)?;
        if self.version == Version::V2 && packet.interval.as_secs() != self.interval.as_secs() {
            return Err(Reject::Interval { theirs: packet.interval, ours: self.interval });
        }
        Ok(Advert { src: way.src, priority: packet.priority, interval: packet.interval })
    }

    /// Reads a packet whose sum is wrong as an older unicast router means it: up to keepalived 1.3.6 the group was summed up.
    pub fn read_old<'a>(&self, bytes: &'a [u8], way: Way) -> Option<Packet<Addresses<'a>>> {
        let group = self.old_sum.filter(|_| !way.dst.is_multicast())?;
        Packet::parse(bytes, way.src, group).ok()
    }

    /// Whether a packet lists other addresses than we do, in whatever order. Such a packet counts all the same: to refuse it, as
    /// some do, makes two masters of one edited file.
    pub fn lists_others(&self, packet: &Packet<Addresses<'_>>) -> bool {
        packet.vips.len() != self.vips.len() || packet.vips.iter().any(|v| !self.vips.contains(&v))
    }

    fn check_way(&self, way: Way) -> Result<(), Reject> {
        if self.peers.is_empty() {
            return match (way.dst.is_multicast(), way.ttl) {
                (true, TTL) => Ok(()),
                (true, ttl) => Err(Reject::Ttl(ttl)),
                (false, _) => Err(Reject::NotPeer),
            };
        }
        // Another instance of the interface may have joined the group, and its routers are no business of this one.
        if way.dst.is_multicast() {
            return Err(Reject::Group(way.dst));
        }
        match self.peers.iter().find(|p| p.addr == way.src) {
            Some(p) if way.ttl < p.min_ttl || way.ttl > p.max_ttl => Err(Reject::PeerTtl(way.ttl)),
            None if self.check_source => Err(Reject::NotPeer),
            _ => Ok(()),
        }
    }

    fn check_auth(&self, theirs: Auth) -> Result<(), Reject> {
        match (theirs, self.auth) {
            (Auth::None, Auth::None) => Ok(()),
            (Auth::Pass(a), Auth::Pass(b)) if a == b => Ok(()),
            (Auth::Pass(_), Auth::Pass(_)) => Err(Reject::Password),
            (theirs, ours) => Err(Reject::AuthType { theirs: theirs.number(), ours: ours.number() }),
        }
    }
}

fn number(version: Version) -> u8 {
    match version {
        Version::V2 => 2,
        Version::V3 => 3,
    }
}

#[cfg(test)]
mod tests;
