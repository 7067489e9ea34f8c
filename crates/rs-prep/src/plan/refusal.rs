//! Which VIPs and wishes are refused before anything is touched, and the words for it.

use std::net::{IpAddr, Ipv4Addr};

use lvs_core::addr::{Family, Prefix};

use super::Wish;
use crate::host::{Held, HostState};
use crate::shell::word;
use crate::vip::{DEVICES, Vip};

/// Why a VIP cannot be put on this host as it is. Nothing has been changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The VIP is on an interface that speaks ARP.
    #[error(
        "{vip}: it is on {device} as {prefix}, where this host answers ARP for it whatever the settings say; rs-prep \
         check {vip} says whether it can go from there"
    )]
    OnNic {
        /// The VIP.
        vip: IpAddr,
        /// The address as it is held.
        prefix: Prefix,
        /// The interface.
        device: String,
    },
    /// The VIP is there with a wider mask.
    #[error(
        "{vip}: {device} has it as {prefix}, which makes this host take that whole network for its own; ip address \
         del {prefix} dev {} (or rs-prep check --fix {vip})",
        word(.device)
    )]
    Mask {
        /// The VIP.
        vip: IpAddr,
        /// The address as it is held.
        prefix: Prefix,
        /// The interface.
        device: String,
    },
    /// The VIP is the address of a network that is no Ethernet: a VPN's.
    #[error("{vip}: it is the own address of {device}, {prefix}; a VIP is a single address besides")]
    Network {
        /// The VIP.
        vip: IpAddr,
        /// The address as it is held.
        prefix: Prefix,
        /// The interface.
        device: String,
    },
    /// The VIP is the broadcast address of a network of this host.
    #[error(
        "{vip}: it is the broadcast address of {prefix} on {device}, and what is sent to it goes to every host there; a VIP \
         is an address that no network has for that"
    )]
    Broadcast {
        /// The VIP.
        vip: IpAddr,
        /// The address whose network it is.
        prefix: Prefix,
        /// The interface.
        device: String,
    },
    /// The VIP is on another one of the devices that this tool uses.
    #[error(
        "{vip}: it is on {device}, and a VIP is held once: to move it to {wanted}, rs-prep down {vip} first"
    )]
    Elsewhere {
        /// The VIP.
        vip: IpAddr,
        /// The device that holds it.
        device: String,
        /// The device that would.
        wanted: &'static str,
    },
    /// The VIP is there, but not as it is asked for.
    #[error("{vip}: it is on {device} already, with {what}; to change that, rs-prep down {vip} first")]
    Otherwise {
        /// The VIP.
        vip: IpAddr,
        /// The device that holds it.
        device: String,
        /// Its label or scope.
        what: String,
    },
    /// A label for an IPv6 VIP.
    #[error("{0}: IPv6 addresses have no label")]
    NoLabel(IpAddr),
    /// Scope host for IPv6 VIPs alone.
    #[error(
        "{0}: IPv6 addresses have no scope host, so --scope host would do nothing: this host may use the VIP for its own \
         connections; leave --scope out"
    )]
    NoScope(IpAddr),
    /// A label of another interface.
    #[error(
        "--label {label}: the VIP is on {device}, and its label has to say so, for ifconfig and ip take the part before the \
         colon for the interface; write {device}:0 or {device}:NAME"
    )]
    OtherLabel {
        /// The label.
        label: String,
        /// The device that holds the VIP.
        device: &'static str,
    },
    /// One label for several VIPs.
    #[error("--label names one VIP, but {0} were given; without it each gets the next free label")]
    Label(usize),
}

impl Refusal {
    /// Whether the command line cannot be meant, whatever the host.
    pub fn is_usage(&self) -> bool {
        matches!(self, Self::NoLabel(_) | Self::NoScope(_) | Self::OtherLabel { .. } | Self::Label(_))
    }
}

/// Refuses what a command line asks for and these VIPs cannot have, whatever the host.
pub(super) fn meaningless(vips: &[Vip], wish: &Wish) -> Result<(), Refusal> {
    let six = vips.iter().find(|vip| vip.family() == Family::Inet6);
    let only_six = vips.iter().all(|vip| vip.family() == Family::Inet6);
    match (&wish.label, six) {
        (Some(_), Some(vip)) => return Err(Refusal::NoLabel(vip.addr)),
        (Some(_), None) if vips.len() > 1 => return Err(Refusal::Label(vips.len())),
        (Some(label), None) => vips.iter().try_for_each(|vip| labelled(*vip, label))?,
        (None, _) => {}
    }
    match six.filter(|_| only_six && wish.host_scope == Some(true)) {
        Some(vip) => Err(Refusal::NoScope(vip.addr)),
        None => Ok(()),
    }
}

fn labelled(vip: Vip, label: &str) -> Result<(), Refusal> {
    let device = vip.device();
    match label.strip_prefix(device) {
        Some(rest) if rest.is_empty() || rest.starts_with(':') => Ok(()),
        _ => Err(Refusal::OtherLabel { label: label.to_owned(), device }),
    }
}

/// Refuses a VIP that stands in the way of itself.
pub(crate) fn refuse(host: &HostState, vip: Vip, wish: &Wish) -> Result<(), Refusal> {
    let wanted = vip.device();
    let network = |held: &&Held| !host.is_loopback(&held.device) && broadcast(held.prefix) == Some(vip.addr);
    if let Some(Held { prefix, device, .. }) = host.addresses.iter().find(network) {
        return Err(Refusal::Broadcast { vip: vip.addr, prefix: *prefix, device: device.clone() });
    }
    for held in host.holding(vip.addr) {
        let (vip, prefix, device) = (vip.addr, held.prefix, held.device.clone());
        if !host.is_quiet(&held.device) {
            return Err(Refusal::OnNic { vip, prefix, device });
        }
        if !host.is_vip(held) {
            return Err(Refusal::Network { vip, prefix, device });
        }
        if !prefix.is_host() {
            return Err(Refusal::Mask { vip, prefix, device });
        }
        // Any other silent device will do: somebody's own way to hold VIPs.
        if device != wanted && DEVICES.contains(&device.as_str()) {
            return Err(Refusal::Elsewhere { vip, device, wanted });
        }
        if let Some(what) = otherwise(held, wish) {
            return Err(Refusal::Otherwise { vip, device, what });
        }
    }
    Ok(())
}

/// The last address of an IPv4 network that has one for broadcasts (RFC 3021: not one of two hosts).
fn broadcast(prefix: Prefix) -> Option<IpAddr> {
    match prefix.addr {
        IpAddr::V4(addr) if prefix.len < 31 => {
            Some(Ipv4Addr::from(u32::from(addr) | (u32::MAX >> prefix.len)).into())
        }
        _ => None,
    }
}

/// In what a held VIP differs from what is asked for.
fn otherwise(held: &Held, wish: &Wish) -> Option<String> {
    let scope = if held.host_scope { "scope host" } else { "scope global" };
    let other_label = wish.label.as_ref().is_some_and(|label| *label != held.label);
    let asked = wish.host_scope.filter(|_| held.prefix.addr.is_ipv4());
    let other_scope = asked.is_some_and(|host_scope| host_scope != held.host_scope);
    other_label.then(|| format!("the label {}", held.label)).or_else(|| other_scope.then(|| scope.to_owned()))
}
