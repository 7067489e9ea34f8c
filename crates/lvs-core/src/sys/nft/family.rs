//! What the rules must know of an IP family.

use crate::addr::Family;

/// An IP family in the kernel's numbers.
pub(super) struct Facts {
    /// The set that holds its addresses.
    pub(super) set: &'static str,
    /// NFPROTO_IPV4 or NFPROTO_IPV6.
    pub(super) number: u8,
    /// The bytes of an address.
    pub(super) len: u32,
    /// Where the destination stands in the header.
    pub(super) destination: u32,
    /// The name of the set's type for those who list it (nft's own numbers for ipv4_addr and ipv6_addr).
    pub(super) key_type: u32,
}

pub(super) fn facts(family: Family) -> Facts {
    match family {
        Family::Inet => Facts { set: "vips4", number: 2, len: 4, destination: 16, key_type: 7 },
        Family::Inet6 => Facts { set: "vips6", number: 10, len: 16, destination: 24, key_type: 8 },
    }
}
