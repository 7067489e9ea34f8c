//! From keepalived.conf's blocks to [`Setup`].

use std::net::{IpAddr, Ipv4Addr};

use lvs_core::conf::model::{self, Broadcast, Reference, Tracking, VrrpVersion};
use lvs_core::conf::{At, Config};
use lvs_core::sys::rtnl::Address;

use super::{Setup, Spec, Vip};
use crate::door::{Door, Peer};
use crate::iproute;
use crate::notify::Who;
use crate::notify::notifier::Scripts;
use crate::packet::{AUTH_DATA, Auth, Version};
use crate::params::{Garp, Params};
use crate::punctual::Punctuality;
use crate::track::watch::Things;
use crate::vmac::Vmac;

/// What a configuration asks vrrpd to run.
pub fn setup(config: &Config) -> Setup {
    let global = &config.global;
    Setup {
        instances: config.instances.iter().map(|i| spec(config, i)).collect(),
        things: things(config),
        notify: scripts(config),
        punctuality: Punctuality {
            priority: global.rt_priority.as_ref().map(|p| p.value),
            most: *global.max_auto_priority,
            tolerated: *global.min_auto_priority_delay,
            no_swap: *global.no_swap,
        },
        dynamic_interfaces: *global.dynamic_interfaces,
        garp_interval: *global.garp_interval,
        gna_interval: *global.gna_interval,
    }
}

fn scripts(config: &Config) -> Scripts {
    let instances = config.instances.iter().map(|i| (Who::Instance, i.name.value.clone(), i.notify.clone()));
    let groups = config.sync_groups.iter().map(|g| (Who::Group, g.name.value.clone(), g.notify.clone()));
    Scripts { notify: instances.chain(groups).collect(), global: config.global.clone() }
}

/// Only what some instance or group tracks is looked after.
fn things(config: &Config) -> Things {
    let instances = config.instances.iter().map(|i| &i.track);
    let all: Vec<&Tracking> = instances.chain(config.sync_groups.iter().map(|g| &g.track)).collect();
    let names = |list: fn(&Tracking) -> &Vec<Reference>| -> Vec<&str> {
        all.iter().flat_map(|t| list(t)).map(|r| r.name.as_str()).collect()
    };
    let (scripts, files, processes) = (names(|t| &t.scripts), names(|t| &t.files), names(|t| &t.processes));
    Things {
        scripts: config.scripts.iter().filter(|s| scripts.contains(&s.name.as_str())).cloned().collect(),
        files: config.track_files.iter().filter(|f| files.contains(&f.name.as_str())).cloned().collect(),
        processes: config
            .track_processes
            .iter()
            .filter(|p| processes.contains(&p.name.as_str()))
            .cloned()
            .collect(),
        global: config.global.clone(),
    }
}

fn spec(config: &Config, instance: &model::Instance) -> Spec {
    let interface = instance.interface.as_ref().map(|i| i.value.clone()).unwrap_or_default();
    let group = config.sync_groups.iter().find(|g| g.members.iter().any(|m| m.value == instance.name.value));
    let version = version(*instance.version);
    Spec {
        name: instance.name.value.clone(),
        interface: interface.clone(),
        vrid: *instance.vrid,
        family: *instance.family,
        params: Params {
            version,
            priority: *instance.priority,
            interval: *instance.advert_interval,
            down_adverts: *instance.down_timer_adverts,
            preempt: *instance.preempt,
            preempt_delay: *instance.preempt_delay,
            startup_delay: *config.global.startup_delay,
            garp: garp(&instance.garp, *config.global.min_garp),
            lower_prio_no_advert: *instance.lower_prio_no_advert,
            grouped: group.is_some(),
            unicast: instance.unicast.as_ref().is_some_and(|u| !u.peers.is_empty()),
            on_vmac: instance.vmac.is_some(),
        },
        door: door(config, instance, version),
        old_sum: instance.unicast.as_ref().and_then(|u| u.old_checksum).is_some_and(|old| *old),
        group: *instance.mcast_group,
        unicast_ttl: instance.unicast.as_ref().map_or(255, |u| *u.ttl),
        source: instance.source.as_ref().map(|s| s.value),
        track_source: *instance.track_source,
        fault_no_peer: instance.unicast.as_ref().is_some_and(|u| *u.fault_no_peer),
        track: instance.track.clone(),
        devs: devs(instance, &interface),
        group_name: group.map(|g| g.name.value.clone()),
        group_track: group.map(|g| g.track.clone()).unwrap_or_default(),
        vips: vips(instance, &interface),
        xmit_base: instance.vmac.as_ref().is_some_and(|v| *v.xmit_base),
        vmac: instance.vmac.as_ref().map(|v| Vmac {
            name: v.name.value.clone(),
            mac: *v.mac,
            base: interface.clone(),
        }),
        address_vmacs: address_vmacs(instance),
        extra_all: instance.garp.extra_all,
        lines: iproute::lines(&instance.routes, &instance.rules),
        sync: config.global.sync_daemon.clone().filter(|d| *d.instance == *instance.name),
        track_primary: *instance.track_primary,
        rx_buffer: instance.rx_buffer.as_ref().and_then(|b| usize::try_from(b.value).ok()),
        accept: *instance.accept,
    }
}

fn version(version: VrrpVersion) -> Version {
    match version {
        VrrpVersion::V2 => Version::V2,
        VrrpVersion::V3 => Version::V3,
    }
}

fn garp(garp: &model::Garp, only_one: bool) -> Garp {
    let zero = std::time::Duration::ZERO;
    let full = Garp {
        repeat: *garp.master_repeat,
        delay: *garp.master_delay,
        refresh: *garp.refresh,
        refresh_repeat: *garp.refresh_repeat,
        lower_repeat: *garp.lower_prio_repeat,
        lower_delay: *garp.lower_prio_delay,
        extra: *garp.extra_if,
    };
    if only_one { Garp { repeat: 1, delay: zero, lower_repeat: 1, lower_delay: zero, ..full } } else { full }
}

fn door(config: &Config, instance: &model::Instance, version: Version) -> Door {
    let family = *instance.family;
    let peers = instance.unicast.iter().flat_map(|u| &u.peers);
    // Over IPv6 the kernel always summed up; `mcast_dst_ip` never counted.
    let has_old = version == Version::V3 && family == lvs_core::addr::Family::Inet;
    let never = |u: &model::Unicast| u.old_checksum.is_some_and(|old| !*old);
    let understood = instance.unicast.as_ref().is_some_and(|u| !u.peers.is_empty() && !never(u));
    Door {
        version,
        interval: *instance.advert_interval,
        auth: match &instance.authentication {
            Some(a) if version == Version::V2 => Auth::Pass(password(&a.password)),
            _ => Auth::None,
        },
        vips: instance
            .addresses
            .iter()
            .map(|a| a.prefix.addr)
            .filter(|a| lvs_core::addr::Family::of(*a) == family)
            .collect(),
        peers: peers
            .map(|p| Peer {
                addr: *p.addr,
                min_ttl: p.min_ttl.unwrap_or(0),
                max_ttl: p.max_ttl.unwrap_or(u8::MAX),
            })
            .collect(),
        check_source: instance.unicast.as_ref().is_some_and(|u| *u.check_src),
        old_sum: (has_old && understood).then(|| (*config.global.mcast_group4).into()),
    }
}

/// As on the wire: cut to the field, padded with zero bytes.
fn password(text: &At<Vec<u8>>) -> [u8; AUTH_DATA] {
    std::array::from_fn(|i| text.get(i).copied().unwrap_or(0))
}

/// Addresses may share one, also the instance's own.
fn address_vmacs(instance: &model::Instance) -> Vec<Vmac> {
    let mut vmacs: Vec<Vmac> = Vec::new();
    let own = instance.vmac.as_ref().map(|v| v.name.as_str());
    for address in instance.addresses.iter().chain(&instance.excluded) {
        let Some(v) = address.vmac.as_ref().filter(|v| own != Some(&v.name)) else { continue };
        if !vmacs.iter().any(|known| known.name == v.name) {
            vmacs.push(Vmac { name: v.name.clone(), mac: v.mac, base: address.dev.value.clone() });
        }
    }
    vmacs
}

/// What is listed twice is set once.
fn vips(instance: &model::Instance, interface: &str) -> Vec<Vip> {
    let mut vips: Vec<Vip> = Vec::new();
    for address in instance.addresses.iter().chain(&instance.excluded) {
        let new = vip(address, interface, instance);
        if !vips.iter().any(|v| v.dev == new.dev && v.prefix == new.prefix) {
            vips.push(new);
        }
    }
    vips
}

/// The interfaces that its lines name beside its own, without those of `no_track`; below a VMAC the one that it stands on. As the
/// original, which does not look at the interfaces of next hops.
fn devs(instance: &model::Instance, own: &str) -> Vec<String> {
    let addresses = instance.addresses.iter().chain(&instance.excluded).filter(|a| !a.no_track);
    let routes =
        instance.routes.iter().filter(|r| !r.no_track && !r.words.iter().any(|w| w.value == "nexthop"));
    let rules = instance.rules.iter().filter(|r| !r.no_track);
    let vmac = instance.vmac.as_ref().map(|v| v.name.as_str());
    let mut devs: Vec<String> = addresses
        .map(|a| a.dev.as_str())
        .chain(routes.flat_map(|r| named(&r.words, &["dev", "oif"])))
        .chain(rules.flat_map(|r| named(&r.words, &["iif", "oif", "dev"])))
        .filter(|dev| !dev.is_empty() && *dev != own && Some(*dev) != vmac)
        .map(str::to_owned)
        .collect();
    devs.sort();
    devs.dedup();
    devs
}

/// What follows these words.
fn named<'a>(words: &'a model::Extra, before: &'static [&str]) -> impl Iterator<Item = &'a str> {
    words.windows(2).filter(|w| before.contains(&w[0].as_str())).map(|w| w[1].as_str())
}

fn vip(address: &model::Address, interface: &str, instance: &model::Instance) -> Vip {
    let dev = if address.dev.is_empty() { interface } else { &address.dev };
    // What belongs on the instance's interface moves to its VMAC, whose MAC address is for one family.
    let moves = dev == interface && lvs_core::addr::Family::of(address.prefix.addr) == *instance.family;
    let dev = instance.vmac.as_ref().filter(|_| moves).map_or(dev, |v| &v.name);
    let dev = address.vmac.as_ref().map_or(dev, |v| &v.name);
    let six = address.prefix.addr.is_ipv6();
    let set = [
        (six, Address::NODAD),
        (address.home, Address::HOME),
        (address.mngtmpaddr, Address::MNGTMPADDR),
        (address.noprefixroute, Address::NOPREFIXROUTE),
        (address.autojoin, Address::AUTOJOIN),
    ];
    Vip {
        dev: dev.to_owned(),
        prefix: *address.prefix,
        broadcast: address.broadcast.as_ref().and_then(|b| broadcast(b.value, *address.prefix)),
        label: address.label.as_ref().map(|l| l.value.clone()),
        scope: *address.scope,
        peer: address.peer.as_ref().map(|p| p.addr),
        flags: set.iter().filter(|(on, _)| *on).map(|(_, bit)| bit).sum(),
        preferred: address.preferred_lft.as_ref().map(|p| p.value),
        no_track: address.no_track,
    }
}

fn broadcast(broadcast: Broadcast, prefix: lvs_core::addr::Prefix) -> Option<Ipv4Addr> {
    let IpAddr::V4(addr) = prefix.addr else { return None };
    let host_bits = u32::MAX.checked_shr(prefix.len.into()).unwrap_or(0);
    Some(match broadcast {
        Broadcast::Address(a) => a,
        Broadcast::Ones => Ipv4Addr::from(u32::from(addr) | host_bits),
        Broadcast::Zeros => Ipv4Addr::from(u32::from(addr) & !host_bits),
    })
}
