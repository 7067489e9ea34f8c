//! Services and servers out of the values of a line, with the rules that look at several of them.

use std::net::IpAddr;

use super::Names;
use super::command::Refusal;
use super::options::{Opt, Verb};
use super::parse::Line;
use super::values::{Unread, halves, host_port, netmask, number32, parse_flags};
use crate::addr::{Endpoint, Family};
use crate::plan::Op;
use crate::table::{Forward, Protocol, Server, Service, ServiceFlags, ServiceKey, Tunnel, TunnelChecksum};

/// The longest timeout in seconds: 31 days.
pub(super) const LONGEST: u32 = 31 * 86400;
/// `-p` without a number.
const DEFAULT_PERSISTENCE: u32 = 360;
const DEFAULT_SCHEDULER: &str = "wlc";
/// Bytes of a scheduler's, engine's or interface's name.
const NAME: usize = 15;

/// A name of at most 15 bytes: the kernel's field has 16 with the NUL.
pub(super) fn cut(name: &str) -> &str {
    let mut end = name.len().min(NAME);
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    &name[..end]
}

/// What a line says of its service.
#[derive(Default)]
pub(super) struct ServiceWords<'a> {
    protocol: Option<Protocol>,
    addr: Option<IpAddr>,
    port: u16,
    mark: Option<u32>,
    ipv6: bool,
    mask: Option<u32>,
    persistence: Option<u32>,
    pub(super) scheduler: Option<&'a str>,
    pub(super) engine: Option<&'a str>,
    pub(super) flags: Option<&'a str>,
}

impl ServiceWords<'_> {
    pub(super) fn endpoint(
        &mut self,
        protocol: Protocol,
        text: &str,
        names: &dyn Names,
    ) -> Result<(), Refusal> {
        let read = host_port(text, Some(protocol), names);
        let (addr, port) = read.map_err(|part| bad_address(text, part))?;
        if addr.is_ipv6() {
            // ipvsadm sets the default mask here, over one that was read before.
            self.mask = None;
        }
        (self.protocol, self.addr, self.port) = (Some(protocol), Some(addr), port.unwrap_or(0));
        Ok(())
    }

    pub(super) fn mark(&mut self, text: &str) -> Result<(), Refusal> {
        let bad = || Refusal::wrong(format!("-f '{text}': not a firewall mark (1 to 4294967295)"));
        self.mark = Some(number32(text, 1, u32::MAX).ok_or_else(bad)?);
        Ok(())
    }

    pub(super) fn ipv6(&mut self) -> Result<(), Refusal> {
        if self.mark.is_none() {
            return Err(Refusal::wrong("-6 belongs to a firewall mark and stands after its -f"));
        }
        (self.ipv6, self.mask) = (true, None);
        Ok(())
    }

    pub(super) fn persistent(&mut self, text: Option<&str>) -> Result<(), Refusal> {
        let seconds = match text {
            None => Some(DEFAULT_PERSISTENCE),
            Some(text) => number32(text, 1, LONGEST),
        };
        let bad = || {
            let text = text.unwrap_or_default();
            Refusal::wrong(format!("-p '{text}': not 1 to {LONGEST} seconds"))
        };
        self.persistence = Some(seconds.ok_or_else(bad)?);
        Ok(())
    }

    /// The protocol by which names of ports are found; for a firewall mark ipvsadm takes TCP's.
    fn naming(&self) -> Option<Protocol> {
        self.protocol.or(self.mark.map(|_| Protocol::Tcp))
    }

    /// The family as far as the line has told it: a mask is read by it.
    fn family(&self) -> Family {
        match self.addr {
            Some(addr) => Family::of(addr),
            None if self.ipv6 => Family::Inet6,
            None => Family::Inet,
        }
    }

    pub(super) fn netmask(&mut self, text: &str, names: &dyn Names) -> Result<(), Refusal> {
        let bad = || {
            let form = match self.family() {
                Family::Inet => "an IPv4 mask (255.255.255.0)",
                Family::Inet6 => "an IPv6 prefix length (1 to 128)",
            };
            Refusal::wrong(format!("-M '{text}': not {form}"))
        };
        self.mask = Some(netmask(text, self.family(), names).ok_or_else(bad)?);
        Ok(())
    }

    pub(super) fn key(&self) -> Option<ServiceKey> {
        match (self.mark, self.protocol, self.addr) {
            (Some(mark), ..) => Some(ServiceKey::Mark { mark, family: self.family() }),
            (None, Some(protocol), Some(addr)) => {
                Some(ServiceKey::Addr { protocol, vip: Endpoint { addr, port: self.port } })
            }
            _ => None,
        }
    }

    fn service(&self, one_packet: bool) -> Result<Service, Refusal> {
        let scheduler = self.scheduler.filter(|s| !s.is_empty()).unwrap_or(DEFAULT_SCHEDULER);
        let mut service = Service::new(cut(scheduler), self.family());
        if let Some(list) = self.flags {
            service.flags = parse_flags(list, scheduler).map_err(|word| {
                Refusal::wrong(format!("-b '{word}': scheduler {scheduler} has no such flag"))
            })?;
        }
        if one_packet {
            service.flags = service.flags.with(ServiceFlags::ONE_PACKET);
        }
        service.persistence = self.persistence;
        service.netmask = self.mask.unwrap_or(service.netmask);
        service.engine = self.engine.filter(|e| !e.is_empty()).map(|e| cut(e).to_owned());
        Ok(service)
    }
}

/// What a line says of its server.
pub(super) struct ServerWords {
    endpoint: Option<Endpoint>,
    pub(super) forward: Forward,
    pub(super) weight: u32,
    pub(super) upper: u32,
    pub(super) lower: u32,
    kind: TunnelKind,
    pub(super) tunnel_port: u16,
    pub(super) checksum: TunnelChecksum,
}

#[derive(Clone, Copy, PartialEq)]
enum TunnelKind {
    Ipip,
    Gue,
    Gre,
}

impl Default for ServerWords {
    fn default() -> Self {
        Self {
            endpoint: None,
            forward: Forward::Route,
            weight: 1,
            upper: 0,
            lower: 0,
            kind: TunnelKind::Ipip,
            tunnel_port: 0,
            checksum: TunnelChecksum::None,
        }
    }
}

impl ServerWords {
    /// Without a port the service's is taken, as far as the line has told it.
    pub(super) fn endpoint(
        &mut self,
        service: &ServiceWords<'_>,
        text: &str,
        names: &dyn Names,
    ) -> Result<(), Refusal> {
        let read = host_port(text, service.naming(), names);
        let (addr, port) = read.map_err(|part| bad_address(text, part))?;
        self.endpoint = Some(Endpoint { addr, port: port.unwrap_or(service.port) });
        Ok(())
    }

    pub(super) fn tunnel_type(&mut self, text: &str) -> Result<(), Refusal> {
        self.kind = match text {
            "ipip" => TunnelKind::Ipip,
            "gue" => TunnelKind::Gue,
            "gre" => TunnelKind::Gre,
            _ => return Err(Refusal::wrong(format!("--tun-type '{text}': not ipip, gue or gre"))),
        };
        Ok(())
    }
}

/// Names are not asked for again: a name server that is dead would have to be waited for twice.
fn bad_address(text: &str, part: Unread) -> Refusal {
    let (host, port) = halves(text);
    let port = port.unwrap_or_default();
    let numeric = |text: &str| text.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    let why = match part {
        Unread::Form => "is not an address (10.0.0.1:80, [2001:db8::1]:80)".to_owned(),
        Unread::Host if host.is_empty() => "has no address before the port".to_owned(),
        Unread::Host if host.starts_with('[') => {
            format!("has no IPv6 address in its brackets: '{}'", &host[1..])
        }
        Unread::Host if host.contains(':') => {
            "is not an IPv6 address; with a port it stands in brackets, [2001:db8::1]:80".to_owned()
        }
        Unread::Host if numeric(host) => format!("begins with '{host}', which is not an IPv4 address"),
        Unread::Host => format!(
            "begins with '{host}', which is not an address, and as the name of a host it has no IPv4 address or no \
             name server answers"
        ),
        Unread::Port if port.is_empty() => "ends in a colon without a port".to_owned(),
        Unread::Port if numeric(port) => format!("has the port '{port}', which is not 0 to 65535"),
        Unread::Port => {
            format!("has the port '{port}', which is no number nor the name of a service (/etc/services)")
        }
    };
    Refusal::wrong(format!("'{text}' {why}"))
}

pub(super) fn required_service(line: &Line<'_>) -> Result<ServiceKey, Refusal> {
    line.service.key().ok_or_else(|| Refusal::wrong("which service? give -t, -u, --sctp-service or -f"))
}

pub(super) fn add_service(line: &Line<'_>) -> Result<Op, Refusal> {
    let (key, service) = service(line)?;
    Ok(Op::AddService(key, service))
}

pub(super) fn edit_service(line: &Line<'_>) -> Result<Op, Refusal> {
    let (key, service) = service(line)?;
    Ok(Op::EditService(key, service))
}

fn service(line: &Line<'_>) -> Result<(ServiceKey, Service), Refusal> {
    let key = required_service(line)?;
    let one_packet = line.has(Opt::Ops);
    match key {
        ServiceKey::Addr { vip, .. } if vip.port == 0 && line.service.persistence.is_none() => {
            Err(Refusal::wrong("port 0 (or none) means every port and needs persistence (-p)"))
        }
        ServiceKey::Addr { protocol: Protocol::Tcp | Protocol::Sctp, .. } if one_packet => {
            Err(Refusal::wrong("-o (one packet a connection) is for UDP and firewall marks"))
        }
        _ => Ok((key, line.service.service(one_packet)?)),
    }
}

pub(super) fn server(line: &Line<'_>) -> Result<Op, Refusal> {
    let key = required_service(line)?;
    let words = &line.server;
    let mut endpoint = words.endpoint.ok_or_else(|| Refusal::wrong("which real server? give -r"))?;
    if line.verb == Verb::DelServer {
        return Ok(Op::DelServer(key, endpoint));
    }
    let forward = forward(line)?;
    let tunnel = matches!(forward, Forward::Tunnel(_));
    if Family::of(endpoint.addr) != key.family() && !tunnel {
        return Err(Refusal::wrong("a server of the other address family needs a tunnel (-i)"));
    }
    // Only masquerading translates ports; elsewhere the packet keeps the one it came with.
    if let (ServiceKey::Addr { vip, .. }, false) = (key, forward == Forward::Masq) {
        endpoint.port = vip.port;
    }
    let server = Server { forward, weight: words.weight, upper: words.upper, lower: words.lower };
    Ok(match line.verb {
        Verb::AddServer => Op::AddServer(key, endpoint, server),
        _ => Op::EditServer(key, endpoint, server),
    })
}

fn forward(line: &Line<'_>) -> Result<Forward, Refusal> {
    let words = &line.server;
    let checksums = [Opt::TunNoCsum, Opt::TunCsum, Opt::TunRemCsum].map(|o| line.has(o));
    let count = checksums.iter().filter(|c| **c).count();
    let port = line.has(Opt::TunPort);
    let wrong = |text: &str| Err(Refusal::wrong(text));
    if !matches!(words.forward, Forward::Tunnel(_)) {
        let any = port || count > 0 || line.has(Opt::TunType);
        return if any { wrong("tunnel options need -i") } else { Ok(words.forward) };
    }
    let checksum = words.checksum;
    Ok(Forward::Tunnel(match words.kind {
        TunnelKind::Ipip if port || count > 0 => {
            return wrong("an ipip tunnel has neither port nor checksum");
        }
        TunnelKind::Ipip => Tunnel::Ipip,
        TunnelKind::Gue if !port => return wrong("a gue tunnel needs --tun-port"),
        TunnelKind::Gre if port || checksums[2] => {
            return wrong("a gre tunnel has neither port nor remote checksum");
        }
        _ if count > 1 => return wrong("one of --tun-nocsum, --tun-csum, --tun-remcsum"),
        TunnelKind::Gue => Tunnel::Gue { port: words.tunnel_port, checksum },
        TunnelKind::Gre => Tunnel::Gre { checksum },
    }))
}
