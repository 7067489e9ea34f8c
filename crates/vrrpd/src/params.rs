//! What the administrator decided for one virtual router, as the state machine needs it.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::packet::Version;

/// The priority of the router that owns the addresses: it never waits and never yields (RFC 9568 5.2.4).
pub const OWNER: u8 = 255;

/// Parameters of one virtual router; a reload replaces them as a whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Params {
    /// Decides the skew and whether the master's interval is adopted.
    pub version: Version,
    /// As configured, 1 to 255; tracking changes the effective one.
    pub priority: u8,
    /// Between two of our advertisements.
    pub interval: Duration,
    /// So many missing advertisements make a master dead (3).
    pub down_adverts: u32,
    /// Whether a running master of lower priority is replaced.
    pub preempt: bool,
    /// How long such a master must have been seen before it is replaced.
    pub preempt_delay: Duration,
    /// Waited before the first election.
    pub startup_delay: Duration,
    /// Gratuitous ARP, or unsolicited neighbour advertisements.
    pub garp: Garp,
    /// A lower advertisement is not answered at once.
    pub lower_prio_no_advert: bool,
    /// A member of a sync group waits for the others before it becomes master.
    pub grouped: bool,
    /// Advertisements go to peers, which must know our MAC address before theirs can come.
    #[serde(default)]
    pub unicast: bool,
    /// The addresses are at a virtual MAC address.
    #[serde(default)]
    pub on_vmac: bool,
}

/// How often hosts are told where the addresses are. A count is packets an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Garp {
    /// Packets of the burst on becoming master, and of the second one.
    pub repeat: u32,
    /// From the first burst to the second; zero for no second one.
    pub delay: Duration,
    /// While master, every so often; zero for never.
    pub refresh: Duration,
    /// Packets a refresh.
    pub refresh_repeat: u32,
    /// Packets after another master was heard and outdone.
    pub lower_repeat: u32,
    /// From that burst to its second; zero for no second one.
    pub lower_delay: Duration,
    /// While master, one packet an interface every so often where no advertisement leaves; zero for never.
    #[serde(default)]
    pub extra: Duration,
}

impl Default for Garp {
    fn default() -> Self {
        let five = Duration::from_secs(5);
        Self {
            repeat: 5,
            delay: five,
            refresh: Duration::ZERO,
            refresh_repeat: 1,
            lower_repeat: 5,
            lower_delay: five,
            extra: Duration::ZERO,
        }
    }
}

impl Default for Params {
    fn default() -> Self {
        Self {
            version: Version::V2,
            priority: 100,
            interval: Duration::from_secs(1),
            down_adverts: 3,
            preempt: true,
            preempt_delay: Duration::ZERO,
            startup_delay: Duration::ZERO,
            garp: Garp::default(),
            lower_prio_no_advert: false,
            grouped: false,
            unicast: false,
            on_vmac: false,
        }
    }
}
