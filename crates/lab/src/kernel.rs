//! What the kernel under the lab can do.

use std::sync::OnceLock;

use crate::Lab;

/// Whether the kernel has nftables with tables of the family inet, as vrrpd's filter of `no_accept` needs them. User-mode
/// Linux of Debian has none: there a test asserts what such a kernel's admin is told instead.
pub fn has_inet_nftables() -> bool {
    static KNOWN: OnceLock<bool> = OnceLock::new();
    *KNOWN.get_or_init(|| Lab::new().bare_host("probe").run("nft add table inet probe").status == 0)
}
