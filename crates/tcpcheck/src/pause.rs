//! `ha_suspend`: checks rest while their virtual server's address is on another director.

use std::collections::BTreeSet;
use std::net::IpAddr;

use lvs_core::conf::Config;
use lvs_core::conf::model::Target;

/// The virtual servers that rest, given the addresses of this host.
pub fn resting(config: &Config, local: &BTreeSet<IpAddr>) -> BTreeSet<u32> {
    let rests = |(v, vs): (usize, &lvs_core::conf::model::VirtualServer)| match &*vs.target {
        Target::Addr(vip) if *vs.ha_suspend && !local.contains(&vip.addr) => Some(v as u32),
        _ => None,
    };
    config.virtual_servers.iter().enumerate().filter_map(rests).collect()
}

/// Whether any virtual server may rest, so that addresses have to be watched.
pub fn is_used(config: &Config) -> bool {
    config.virtual_servers.iter().any(|vs| *vs.ha_suspend)
}
