//! One change of the host; prints as the command that makes the same change.

use std::fmt;
use std::net::IpAddr;

use lvs_core::addr::{Family, Prefix};
use lvs_core::sys::sysctl::Key;

use crate::shell::word;

/// One change of the host. A list of them, run in order, is all that this tool ever does to one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Load the kernel module of a tunnel, for the device that it brings.
    Load {
        /// The device.
        device: &'static str,
        /// The kernel's name for such devices.
        kind: &'static str,
        /// The module's name.
        module: &'static str,
    },
    /// Write a kernel setting.
    Set {
        /// Which.
        key: Key,
        /// What it holds now.
        from: i32,
        /// What it shall hold.
        to: i32,
    },
    /// Switch an interface on.
    LinkUp {
        /// The interface.
        device: String,
    },
    /// Switch an interface off.
    LinkDown {
        /// The interface.
        device: String,
    },
    /// Add the VIP.
    AddAddress(Placement),
    /// Remove an address.
    RemoveAddress {
        /// The address with the mask it has.
        prefix: Prefix,
        /// The interface that has it.
        device: String,
    },
    /// Add the host route that `route -n` shows.
    AddRoute {
        /// The VIP.
        addr: IpAddr,
        /// The device that holds it.
        device: String,
    },
    /// Remove a host route.
    RemoveRoute {
        /// The VIP.
        addr: IpAddr,
        /// The device of the route.
        device: String,
    },
    /// Stop answering IPv6 neighbour solicitations on behalf of another.
    RemoveProxy {
        /// The address.
        addr: IpAddr,
        /// The interface.
        device: String,
    },
}

/// Where and how a VIP is put.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placement {
    /// The VIP with /32 or /128.
    pub prefix: Prefix,
    /// The device: `lo` or a tunnel.
    pub device: String,
    /// The label (IPv4): `lo:0`.
    pub label: Option<String>,
    /// Scope host instead of global.
    pub host_scope: bool,
}

impl Step {
    /// Whether this makes the host quieter and no address reachable: what must come before any address.
    pub fn is_setting(&self) -> bool {
        matches!(self, Self::Set { .. } | Self::Load { .. } | Self::LinkUp { .. })
    }

    /// The step that takes this one back, where there is one.
    pub fn undone(&self) -> Option<Self> {
        match self {
            Self::Set { key, from, to } => Some(Self::Set { key: key.clone(), from: *to, to: *from }),
            Self::AddAddress(p) => Some(Self::RemoveAddress { prefix: p.prefix, device: p.device.clone() }),
            Self::AddRoute { addr, device } => {
                Some(Self::RemoveRoute { addr: *addr, device: device.clone() })
            }
            Self::LinkUp { device } if device != "lo" => Some(Self::LinkDown { device: device.clone() }),
            // A module or `lo` that is up harms nobody; what was removed was wrong.
            _ => None,
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Load { module, .. } => write!(f, "modprobe {module}"),
            Self::Set { key, to, .. } => write!(f, "sysctl -qw {}", word(&format!("{key}={to}"))),
            Self::LinkUp { device } => write!(f, "ip link set dev {} up", word(device)),
            Self::LinkDown { device } => write!(f, "ip link set dev {} down", word(device)),
            Self::AddAddress(placement) => placement.fmt(f),
            Self::RemoveAddress { prefix, device } => {
                write!(f, "ip address del {prefix} dev {}", word(device))
            }
            Self::AddRoute { addr, device } => {
                write!(f, "ip route add {} dev {} src {addr}", Prefix::host(*addr), word(device))
            }
            Self::RemoveRoute { addr, device } => {
                write!(f, "{} route del {} dev {}", ip(*addr), Prefix::host(*addr), word(device))
            }
            Self::RemoveProxy { addr, device } => {
                write!(f, "ip neighbour del proxy {addr} dev {}", word(device))
            }
        }
    }
}

impl fmt::Display for Placement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ip address add {}", self.prefix)?;
        match Family::of(self.prefix.addr) {
            Family::Inet => write!(f, " broadcast {} dev {}", self.prefix.addr, word(&self.device))?,
            // lo has no duplicate address detection; a tunnel device would have it, and nobody to ask.
            Family::Inet6 => write!(f, " dev {} nodad", word(&self.device))?,
        }
        if let Some(label) = &self.label {
            write!(f, " label {}", word(label))?;
        }
        // iproute2 makes the scope global by itself.
        if self.host_scope { f.write_str(" scope host") } else { Ok(()) }
    }
}

/// `ip` with the family, where the command needs it.
fn ip(addr: IpAddr) -> &'static str {
    match Family::of(addr) {
        Family::Inet => "ip",
        Family::Inet6 => "ip -6",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_shell_would_read_otherwise_is_quoted() {
        let key = Key::conf(Family::Inet, "a$b", "arp_ignore");
        let prefix: Prefix = "10.0.0.1/32".parse().unwrap();
        let (device, label) = ("x;y".to_owned(), Some("lo:a b".to_owned()));
        let placement = Placement { prefix, device: "lo".to_owned(), label, host_scope: false };
        for (step, want) in [
            (Step::Set { key, from: 0, to: 1 }, "sysctl -qw 'net.ipv4.conf.a$b.arp_ignore=1'"),
            (Step::RemoveAddress { prefix, device }, "ip address del 10.0.0.1/32 dev 'x;y'"),
            (
                Step::AddAddress(placement),
                "ip address add 10.0.0.1/32 broadcast 10.0.0.1 dev lo label 'lo:a b'",
            ),
        ] {
            assert_eq!(step.to_string(), want);
        }
    }
}
