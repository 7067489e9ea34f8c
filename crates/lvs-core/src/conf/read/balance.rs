//! How a `virtual_server` is balanced: forwarding, scheduler, persistence, protocol.

use super::{At, Cx};
use crate::addr::Family;
use crate::conf::model::{Target, VirtualServer};
use crate::conf::tree::Stmt;
use crate::table::{Forward, Protocol, SCHEDULERS, ServiceFlags, Tunnel, TunnelChecksum};

impl Cx<'_> {
    /// `NAT|DR|TUN [type ipip|gue port N|gre] [nocsum|csum|remcsum]`.
    pub(super) fn forward(&mut self, s: Stmt<'_>) -> Option<At<Forward>> {
        let tunnel = Forward::Tunnel(Tunnel::Ipip);
        let mut found =
            self.choice(s, 1, &[("NAT", Forward::Masq), ("DR", Forward::Route), ("TUN", tunnel)])?;
        if found.value == tunnel && s.len() > 2 {
            found.value = Forward::Tunnel(self.tunnel(s));
        }
        Some(found)
    }

    fn tunnel(&mut self, s: Stmt<'_>) -> Tunnel {
        let (mut kind, mut port, mut checksum) = ("ipip", 0, TunnelChecksum::None);
        let mut n = 2;
        while let Some(word) = s.get(n) {
            n += 1;
            match word {
                "type" => {
                    kind = s.get(n).unwrap_or("ipip");
                    n += 1;
                }
                "port" => {
                    port = self.port(s, n).map_or(0, |p| p.value);
                    n += 1;
                }
                "csum" => checksum = TunnelChecksum::Full,
                "remcsum" => checksum = TunnelChecksum::Remote,
                "nocsum" => checksum = TunnelChecksum::None,
                other => {
                    let message = format!("a tunnel has no option '{other}'; it is skipped");
                    let help = "write type ipip, type gue port N or type gre, then nocsum, csum or remcsum";
                    self.findings.warning("unknown-option", s.place(n - 1), message).help(help);
                }
            }
        }
        match kind {
            "gue" => Tunnel::Gue { port, checksum },
            "gre" => Tunnel::Gre { checksum },
            _ => Tunnel::Ipip,
        }
    }

    /// Whether the sorry server that a line is about stands above it; if not, the line has no effect, as in keepalived.
    pub(super) fn has_sorry(&mut self, s: Stmt<'_>, sorry: Option<Stmt<'_>>) -> bool {
        if sorry.is_none() {
            let message = format!("{} stands before or without sorry_server; it has no effect", s.key());
            let help = "write it below the line sorry_server IP PORT";
            self.findings.warning("no-sorry-server", s.place(0), message).help(help);
        }
        sorry.is_some()
    }

    pub(super) fn scheduler(&mut self, s: Stmt<'_>) -> Option<At<String>> {
        let found = Self::text(s, 1)?;
        if !SCHEDULERS.contains(&found.as_str()) {
            let message = format!("'{}' is no scheduler; wlc is used, as keepalived does", found.value);
            let near = crate::text::nearest(&found, SCHEDULERS.into_iter());
            let help = near.map_or(format!("write one of {}", SCHEDULERS.join(", ")), |n| {
                format!("did you mean '{n}'?")
            });
            self.findings.warning("unknown-scheduler", found.place, message).help(help);
            return None;
        }
        Some(found)
    }

    pub(super) fn persistence(&mut self, s: Stmt<'_>) -> Option<At<u32>> {
        if s.get(1).is_none() {
            return Some(At::new(360, s.place(0)));
        }
        self.count(s, 1, 1..=2_678_400)
    }

    pub(super) fn protocol(&mut self, vs: &VirtualServer, stmt: Stmt<'_>) {
        let named = matches!(vs.target.value, Target::Mark(_));
        if named && vs.protocol.is_written() {
            let message = "a firewall mark has no protocol; the line has no effect".to_owned();
            self.findings.warning("mark-protocol", vs.protocol.place, message).help("remove the line");
        }
        if !named && !vs.protocol.is_written() {
            let message = "no protocol: UDP is used, as keepalived does".to_owned();
            self.findings.warning("no-protocol", stmt.place(0), message).help("add a line: protocol TCP");
        }
    }

    /// The kernel would take it for TCP, and the packets of a connection would go to different servers. A mark may stand for UDP.
    pub(super) fn one_packet(&mut self, vs: &mut VirtualServer) {
        let other = !matches!(vs.target.value, Target::Mark(_)) && vs.protocol.value != Protocol::Udp;
        if other && vs.flags.value.has(ServiceFlags::ONE_PACKET) {
            let message = "ops is for UDP; it is not used".to_owned();
            self.findings.warning("ops-protocol", vs.flags.place, message).help("remove the line");
            vs.flags.value = vs.flags.value.without(ServiceFlags::ONE_PACKET);
        }
    }

    /// The kernel takes a service for every port with persistence only.
    pub(super) fn port_zero(&mut self, vs: &mut VirtualServer) {
        let every = matches!(&vs.target.value, Target::Addr(e) if e.port == 0);
        if every && vs.persistence.is_none() {
            let message =
                "a service without a port needs persistence; persistence_timeout 360 is used".to_owned();
            self.findings
                .warning("no-port", vs.target.place, message)
                .help("write the port, or persistence_timeout");
            vs.persistence = Some(At::assumed(360));
        }
    }

    /// IPv4 a mask in dotted form, or a prefix length; IPv6 a prefix length.
    pub(super) fn granularity(&mut self, s: Option<Stmt<'_>>, family: Family) -> At<u32> {
        let whole = crate::table::Service::default_netmask(family);
        let Some(s) = s else { return At::assumed(whole) };
        let text = s.get(1).unwrap_or("");
        let value = match family {
            Family::Inet => mask4(text),
            Family::Inet6 => text.parse().ok().filter(|len| (1..=128).contains(len)),
        };
        match value {
            Some(value) => At::new(value, s.place(1)),
            None => {
                let message = format!("'{text}' is no mask; each client counts for itself");
                let help = "write 255.255.255.0 for IPv4, or a prefix length from 1 to 128 for IPv6";
                self.findings.warning("bad-mask", s.place(1), message).help(help);
                At::assumed(whole)
            }
        }
    }
}

fn mask4(text: &str) -> Option<u32> {
    if let Ok(mask) = text.parse::<std::net::Ipv4Addr>() {
        return Some(u32::from(mask));
    }
    let len: u32 = text.parse().ok().filter(|l| (1..=32).contains(l))?;
    Some(u32::MAX << (32 - len))
}
