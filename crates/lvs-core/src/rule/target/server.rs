//! A real server out of the values of a line.

use super::{ServiceWords, bad_address, required_service};
use crate::addr::{Endpoint, Family};
use crate::plan::Op;
use crate::rule::Names;
use crate::rule::command::Refusal;
use crate::rule::options::{Opt, Verb};
use crate::rule::parse::Line;
use crate::rule::values::host_port;
use crate::table::{Forward, Server, ServiceKey, Tunnel, TunnelChecksum};

/// What a line says of its server.
pub(in crate::rule) struct ServerWords {
    endpoint: Option<Endpoint>,
    pub(in crate::rule) forward: Forward,
    pub(in crate::rule) weight: u32,
    pub(in crate::rule) upper: u32,
    pub(in crate::rule) lower: u32,
    kind: TunnelKind,
    pub(in crate::rule) tunnel_port: u16,
    pub(in crate::rule) checksum: TunnelChecksum,
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
    pub(in crate::rule) fn endpoint(
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

    pub(in crate::rule) fn tunnel_type(&mut self, text: &str) -> Result<(), Refusal> {
        self.kind = match text {
            "ipip" => TunnelKind::Ipip,
            "gue" => TunnelKind::Gue,
            "gre" => TunnelKind::Gre,
            _ => return Err(Refusal::wrong(format!("--tun-type '{text}': not ipip, gue or gre"))),
        };
        Ok(())
    }
}

pub(in crate::rule) fn server(line: &Line<'_>) -> Result<Op, Refusal> {
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
