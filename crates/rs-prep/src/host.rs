//! What a host holds that matters to a VIP: interfaces with their settings, addresses, routes. Plain values.

use std::net::IpAddr;

use lvs_core::addr::{Family, Mac, Prefix};

/// Everything that the decisions of this tool look at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HostState {
    /// The settings of `net.ipv4.conf.all`.
    pub all: Settings,
    /// Every interface of the network namespace.
    pub nics: Vec<Nic>,
    /// Every address.
    pub addresses: Vec<Held>,
    /// Routes of the main table.
    pub routes: Vec<RouteTo>,
    /// Routes of the tables that policy rules may lead to.
    pub other_routes: Vec<RouteTo>,
    /// Addresses that the kernel answers for on behalf of others (`ip neighbour add proxy`), with the interface.
    pub proxies: Vec<(IpAddr, String)>,
}

/// The IPv4 settings of one interface, or of `all`, that decide who hears of a VIP.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// Which ARP requests are answered.
    pub arp_ignore: i32,
    /// Which sender address ARP requests of this host carry.
    pub arp_announce: i32,
    /// Reverse path filter: 0 off, 1 strict, 2 loose.
    pub rp_filter: i32,
    /// Whether ARP is answered on behalf of others.
    pub proxy_arp: i32,
    /// The same also for hosts of the interface that the question came from.
    pub proxy_arp_pvlan: i32,
    /// Whether the next address of a network takes the place of its first one that is removed; else it goes too.
    pub promotes_secondaries: i32,
}

/// One interface.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Nic {
    /// Its name.
    pub name: String,
    /// Its index, which stays when it is renamed; 0 is none.
    pub index: u32,
    /// Its layer-2 address.
    pub mac: Mac,
    /// `lo`.
    pub loopback: bool,
    /// Whether it speaks ARP: not `lo`, a tunnel or a dummy.
    pub arp: bool,
    /// Whether it is administratively up.
    pub up: bool,
    /// Whether it is a port of a bridge, bond or team: then its master speaks for it.
    pub enslaved: bool,
    /// Its own IPv4 settings.
    pub settings: Settings,
}

/// One address of the host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// The address with its mask.
    pub prefix: Prefix,
    /// The interface.
    pub device: String,
    /// The label (`lo:0`), IPv4 only.
    pub label: String,
    /// Whether it came after another one of the same network (IPv4), with which the kernel may drop it.
    pub secondary: bool,
    /// Whether the scope is host.
    pub host_scope: bool,
    /// Whether IPv6 duplicate address detection found another holder.
    pub dad_failed: bool,
}

/// One route.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RouteTo {
    /// Destination; /0 is the default route.
    pub to: Prefix,
    /// The interface it leaves by.
    pub device: String,
    /// The gateway, if it has one.
    pub gateway: Option<IpAddr>,
    /// The sender's address that it prescribes: it goes with that address.
    pub source: Option<IpAddr>,
    /// Whether the kernel made it by itself, for an address.
    pub by_kernel: bool,
}

impl Nic {
    /// Whether ARP requests that arrive here are answered by its own settings and those of `all`.
    pub fn speaks(&self) -> bool {
        self.arp && !self.loopback && !self.enslaved
    }
}

impl HostState {
    /// The interface of a name.
    pub fn nic(&self, name: &str) -> Option<&Nic> {
        self.nics.iter().find(|nic| nic.name == name)
    }

    /// Every interface that speaks ARP for itself.
    pub fn speakers(&self) -> impl Iterator<Item = &Nic> {
        self.nics.iter().filter(|nic| nic.speaks())
    }

    /// The addresses equal to `addr`, whatever their mask and device.
    pub fn holding(&self, addr: IpAddr) -> impl Iterator<Item = &Held> {
        self.addresses.iter().filter(move |held| held.prefix.addr == addr)
    }

    /// Whether a device can hold a VIP without anybody hearing of it but by the `all` settings.
    pub fn is_quiet(&self, device: &str) -> bool {
        self.nic(device).is_some_and(|nic| nic.loopback || !nic.arp)
    }

    /// Whether an address is held as a VIP is: silently, and not as the network of a VPN.
    pub fn is_vip(&self, held: &Held) -> bool {
        self.is_quiet(&held.device) && (held.prefix.is_host() || self.is_loopback(&held.device))
    }

    /// Whether a device is `lo`.
    pub fn is_loopback(&self, device: &str) -> bool {
        self.nic(device).is_some_and(|nic| nic.loopback)
    }

    /// The host routes for `addr` that somebody added by hand or with this tool.
    pub fn host_routes(&self, addr: IpAddr) -> impl Iterator<Item = &RouteTo> {
        self.routes.iter().filter(move |r| r.to == Prefix::host(addr) && !r.by_kernel)
    }

    /// The addresses of a device that look like VIPs: one host, not the loopback address.
    pub fn vips_on(&self, device: &str) -> impl Iterator<Item = &Held> {
        self.addresses.iter().filter(move |held| {
            held.device == device && held.prefix.is_host() && !held.prefix.addr.is_loopback()
        })
    }

    /// arp_ignore as the kernel applies it on an interface: the larger of `all` and its own
    /// (Documentation/networking/ip-sysctl: "the max value from conf/{all,interface}").
    pub fn ignore_in_effect(&self, nic: &Nic) -> i32 {
        self.all.arp_ignore.max(nic.settings.arp_ignore)
    }

    /// arp_announce as the kernel applies it on an interface.
    pub fn announce_in_effect(&self, nic: &Nic) -> i32 {
        self.all.arp_announce.max(nic.settings.arp_announce)
    }

    /// rp_filter as the kernel applies it on an interface.
    pub fn rp_filter_in_effect(&self, nic: &Nic) -> i32 {
        self.all.rp_filter.max(nic.settings.rp_filter)
    }

    /// Whether the interface has an IPv4 address of its own.
    pub fn has_ipv4(&self, device: &str) -> bool {
        self.addresses
            .iter()
            .any(|held| held.device == device && Family::of(held.prefix.addr) == Family::Inet)
    }
}

#[cfg(test)]
pub(crate) mod testing;
