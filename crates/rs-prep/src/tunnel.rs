//! Tunnels of keepalived.conf that `up` does not open, GUE and GRE: what they need, in commands for the admin.

use std::net::IpAddr;

use lvs_core::table::Tunnel;

use crate::vip::Vip;

/// A VIP whose packets come wrapped in more than IP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wrapped {
    /// The VIP, with the device that takes what is unwrapped.
    pub vip: Vip,
    /// The wrapping.
    pub wrapping: Wrapping,
}

/// How a packet is wrapped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wrapping {
    /// In UDP; what is in it is IP in IP, which the tunnel's device takes.
    Gue {
        /// The UDP port of the real server.
        port: u16,
    },
    /// In GRE; what is in it is the packet itself.
    Gre,
}

impl Wrapped {
    /// A VIP of a TUN service; none if its packets come as IP in IP, for which `up` cares.
    pub fn of(addr: IpAddr, tunnel: Tunnel) -> Option<Self> {
        match tunnel {
            Tunnel::Ipip => None,
            Tunnel::Gue { port, .. } => {
                Some(Self { vip: Vip::tunnel(addr), wrapping: Wrapping::Gue { port } })
            }
            Tunnel::Gre { .. } => Some(Self { vip: Vip::direct(addr), wrapping: Wrapping::Gre }),
        }
    }

    /// The device that unwraps GRE from anybody.
    pub fn gre_device(self) -> &'static str {
        if self.vip.addr.is_ipv4() { "gre0" } else { "ip6gre0" }
    }

    /// What keepalived.conf calls it.
    pub fn name(self) -> String {
        match self.wrapping {
            Wrapping::Gue { port } => format!("TUN type gue port {port}"),
            Wrapping::Gre => "TUN type gre".to_owned(),
        }
    }

    /// The commands that open the tunnel.
    pub fn commands(self) -> Vec<String> {
        let v4 = self.vip.addr.is_ipv4();
        match self.wrapping {
            Wrapping::Gue { port } => {
                let ip = if v4 { "ip" } else { "ip -6" };
                vec!["modprobe fou".to_owned(), format!("{ip} fou add port {port} gue")]
            }
            Wrapping::Gre => {
                let (vip, device) = (self.vip.prefix(), self.gre_device());
                let module = format!("modprobe {}", if v4 { "ip_gre" } else { "ip6_gre" });
                let up = format!("ip link set dev {device} up");
                // The sender of what is unwrapped is the client, who is not behind the tunnel; and where a device has no
                // address, even a loose filter drops all (__fib_validate_source: no_addr).
                let passes = v4.then(|| {
                    [
                        format!("sysctl -w net.ipv4.conf.{device}.rp_filter=2"),
                        format!("ip address add {vip} dev {device}"),
                    ]
                });
                [module].into_iter().chain(passes.into_iter().flatten()).chain([up]).collect()
            }
        }
    }

    /// Why `up --config` does not prepare it, and what does.
    pub fn refusal(self) -> String {
        let vip = self.vip;
        let up = match self.wrapping {
            Wrapping::Gue { .. } => format!("rs-prep up --tunnel {vip}"),
            Wrapping::Gre => format!("rs-prep up {vip}"),
        };
        format!(
            "{vip}: its packets come by {}, a tunnel that rs-prep does not open, so nothing was touched; name the VIPs and \
             open it: {up}; {}",
            self.name(),
            self.commands().join("; ")
        )
    }
}
