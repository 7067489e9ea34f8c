//! Addresses, routes and rules that `ip` understands, kept in its words.

use crate::addr::Family;
use crate::conf::place::At;

/// The words of an `ip route` or `ip rule` line that are handed on as they are.
pub type Extra = Vec<At<String>>;

/// A line of `virtual_routes` or `static_routes`, in the words of `ip route add`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// IPv4 or IPv6.
    pub family: Family,
    /// The line's words without keepalived's own (`no_track`, `track_group G`), for `ip -FAMILY route add ...`.
    pub words: Extra,
    /// Its loss is not watched.
    pub no_track: bool,
    /// The track group that faults with it (static routes).
    pub track_group: Option<At<String>>,
}

/// A line of `virtual_rules` or `static_rules`, in the words of `ip rule add`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// IPv4 or IPv6.
    pub family: Family,
    /// The line's words without keepalived's own, for `ip -FAMILY rule add ...`.
    pub words: Extra,
    /// Its loss is not watched.
    pub no_track: bool,
    /// The track group that faults with it (static rules).
    pub track_group: Option<At<String>>,
}

/// A line of `static_ipaddress`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StaticAddress {
    /// The address.
    pub address: super::Address,
    /// The track group that faults with it.
    pub track_group: Option<At<String>>,
}

/// `track_group NAME { group { VI... } }`: instances that fault when a static item is lost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrackGroup {
    /// Its name.
    pub name: At<String>,
    /// The instances.
    pub members: Vec<At<String>>,
}
