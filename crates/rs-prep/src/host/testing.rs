//! Hosts for tests, and what steps make of them.

use super::*;
use crate::step::Step;
use lvs_core::sys::sysctl::Key;

/// An interface that is up.
pub(crate) fn nic(name: &str, arp: bool, settings: Settings) -> Nic {
    Nic { name: name.to_owned(), arp, up: true, settings, loopback: name == "lo", ..Nic::default() }
}

/// An address of a device.
pub(crate) fn held(prefix: &str, device: &str, label: &str) -> Held {
    let (device, label) = (device.to_owned(), label.to_owned());
    let prefix = prefix.parse().unwrap();
    Held { prefix, device, label, secondary: false, host_scope: false, dad_failed: false }
}

/// The seed's 192.168.15.102 before anything was done to it.
pub(crate) fn alone() -> HostState {
    HostState {
        nics: vec![nic("lo", false, Settings::default()), nic("ens192", true, Settings::default())],
        addresses: vec![held("127.0.0.1/8", "lo", "lo"), held("192.168.15.102/21", "ens192", "ens192")],
        ..HostState::default()
    }
}

/// A setting by its key; none if its interface is gone.
pub(crate) fn read(host: &HostState, key: &Key) -> Option<i32> {
    let mut host = host.clone();
    field(&mut host, key).copied()
}

fn field<'a>(host: &'a mut HostState, key: &Key) -> Option<&'a mut i32> {
    let text = key.to_string();
    let mut parts = text.rsplit('.');
    let (name, interface) = (parts.next()?, parts.next()?);
    let settings = match interface {
        "all" => &mut host.all,
        other => &mut host.nics.iter_mut().find(|nic| nic.name == other)?.settings,
    };
    Some(match name {
        "arp_ignore" => &mut settings.arp_ignore,
        "arp_announce" => &mut settings.arp_announce,
        "rp_filter" => &mut settings.rp_filter,
        "proxy_arp_pvlan" => &mut settings.proxy_arp_pvlan,
        _ => &mut settings.proxy_arp,
    })
}

/// The host after these steps.
pub(crate) fn with(mut host: HostState, steps: &[Step]) -> HostState {
    for step in steps {
        match step {
            Step::Load { .. } => {}
            Step::Set { key, from, to } => {
                let value = field(&mut host, key).unwrap();
                assert_eq!(value, from, "{step}");
                *value = *to;
            }
            Step::LinkUp { device } | Step::LinkDown { device } => {
                let up = matches!(step, Step::LinkUp { .. });
                host.nics.iter_mut().filter(|nic| nic.name == *device).for_each(|nic| nic.up = up);
            }
            Step::AddAddress(p) => host.addresses.push(Held {
                prefix: p.prefix,
                device: p.device.clone(),
                label: p.label.clone().unwrap_or_default(),
                secondary: false,
                host_scope: p.host_scope,
                dad_failed: false,
            }),
            Step::RemoveAddress { prefix, device } => {
                host.addresses.retain(|held| held.prefix != *prefix || held.device != *device);
            }
            Step::AddRoute { addr, device } => host.routes.push(RouteTo {
                to: Prefix::host(*addr),
                device: device.clone(),
                gateway: None,
                source: None,
                by_kernel: false,
            }),
            Step::RemoveRoute { addr, .. } => host.routes.retain(|route| route.to != Prefix::host(*addr)),
            Step::RemoveProxy { addr, .. } => host.proxies.retain(|(proxied, _)| proxied != addr),
        }
    }
    host
}
