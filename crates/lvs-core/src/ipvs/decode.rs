//! What the kernel answers, as values. Unknown attributes are passed over; a message that lacks what names its
//! subject is none.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::uapi::{daemon, dest, info, stats, svc, top};
use super::{Info, ServerState, ServiceState, Stats};
use crate::addr::{Endpoint, Family};
use crate::nlattr::{Attr, attrs};
use crate::plan::{Daemon, DaemonRole, Timeouts};
use crate::table::{Forward, Protocol, Server, Service, ServiceFlags, ServiceKey, Tunnel, TunnelChecksum};

/// The attribute of this kind among those of a message body.
fn find(body: &[u8], kind: u16) -> Option<Attr<'_>> {
    attrs(body).find(|a| a.kind == kind)
}

/// Reads a service from a message of GET_SERVICE.
pub fn service(body: &[u8]) -> Option<ServiceState> {
    let raw = RawService::read(&find(body, top::SERVICE)?);
    let family = Family::from_number(raw.family?)?;
    let key = match raw.mark {
        Some(mark) => ServiceKey::Mark { mark, family },
        None => ServiceKey::Addr {
            protocol: Protocol::from_number(raw.protocol?)?,
            vip: Endpoint { addr: address(family, raw.addr?)?, port: raw.port? },
        },
    };
    let service = Service {
        scheduler: raw.scheduler.unwrap_or_default().to_owned(),
        flags: ServiceFlags(raw.flags & !(svc::F_PERSISTENT | svc::F_HASHED)),
        persistence: (raw.flags & svc::F_PERSISTENT != 0).then_some(raw.timeout),
        netmask: match family {
            Family::Inet => u32::from_be(raw.netmask),
            Family::Inet6 => raw.netmask,
        },
        engine: raw.engine.filter(|e| !e.is_empty()).map(str::to_owned),
    };
    Some(ServiceState { key, service, stats: raw.stats })
}

#[derive(Default)]
struct RawService<'a> {
    family: Option<u16>,
    protocol: Option<u16>,
    addr: Option<&'a [u8]>,
    port: Option<u16>,
    mark: Option<u32>,
    scheduler: Option<&'a str>,
    flags: u32,
    timeout: u32,
    netmask: u32,
    engine: Option<&'a str>,
    stats: Stats,
}

impl<'a> RawService<'a> {
    fn read(attr: &Attr<'a>) -> Self {
        let mut raw = Self::default();
        let mut wide = false;
        for a in attr.nested() {
            match a.kind {
                svc::AF => raw.family = a.u16(),
                svc::PROTOCOL => raw.protocol = a.u16(),
                svc::ADDR => raw.addr = Some(a.payload),
                svc::PORT => raw.port = a.be16(),
                svc::FWMARK => raw.mark = a.u32(),
                svc::SCHED_NAME => raw.scheduler = a.text(),
                svc::FLAGS => raw.flags = a.u32().unwrap_or(0),
                svc::TIMEOUT => raw.timeout = a.u32().unwrap_or(0),
                svc::NETMASK => raw.netmask = a.u32().unwrap_or(0),
                svc::PE_NAME => raw.engine = a.text(),
                svc::STATS | svc::STATS64 => read_stats(&a, svc::STATS64, &mut wide, &mut raw.stats),
                _ => {}
            }
        }
        raw
    }
}

/// Reads a server of a service from a message of GET_DEST; `family` is the service's, for kernels that do not
/// tell the server's.
pub fn server(body: &[u8], family: Family) -> Option<ServerState> {
    let raw = RawServer::read(&find(body, top::DEST)?);
    let family = raw.family.map_or(Some(family), Family::from_number)?;
    let endpoint = Endpoint { addr: address(family, raw.addr?)?, port: raw.port? };
    let server = Server {
        forward: forward(raw.method, raw.tunnel)?,
        weight: raw.weight,
        upper: raw.upper,
        lower: raw.lower,
    };
    Some(ServerState {
        endpoint,
        server,
        active: raw.active,
        inactive: raw.inactive,
        persistent: raw.persistent,
        stats: raw.stats,
    })
}

#[derive(Default)]
struct RawServer<'a> {
    family: Option<u16>,
    addr: Option<&'a [u8]>,
    port: Option<u16>,
    method: u32,
    weight: u32,
    upper: u32,
    lower: u32,
    active: u32,
    inactive: u32,
    persistent: u32,
    tunnel: (u8, u16, u16),
    stats: Stats,
}

impl<'a> RawServer<'a> {
    fn read(attr: &Attr<'a>) -> Self {
        let mut raw = Self::default();
        let mut wide = false;
        for a in attr.nested() {
            let number = || a.u32().unwrap_or(0);
            match a.kind {
                dest::ADDR_FAMILY => raw.family = a.u16(),
                dest::ADDR => raw.addr = Some(a.payload),
                dest::PORT => raw.port = a.be16(),
                dest::FWD_METHOD => raw.method = number(),
                dest::WEIGHT => raw.weight = number(),
                dest::U_THRESH => raw.upper = number(),
                dest::L_THRESH => raw.lower = number(),
                dest::ACTIVE_CONNS => raw.active = number(),
                dest::INACT_CONNS => raw.inactive = number(),
                dest::PERSIST_CONNS => raw.persistent = number(),
                dest::TUN_TYPE => raw.tunnel.0 = a.u8().unwrap_or(0),
                dest::TUN_PORT => raw.tunnel.1 = a.be16().unwrap_or(0),
                dest::TUN_FLAGS => raw.tunnel.2 = a.u16().unwrap_or(0),
                dest::STATS | dest::STATS64 => {
                    read_stats(&a, dest::STATS64, &mut wide, &mut raw.stats);
                }
                _ => {}
            }
        }
        raw
    }
}

fn forward(method: u32, (kind, port, flags): (u8, u16, u16)) -> Option<Forward> {
    let checksum = match flags {
        1 => TunnelChecksum::Full,
        2 => TunnelChecksum::Remote,
        _ => TunnelChecksum::None,
    };
    Some(match method & dest::FWD_MASK {
        0 => Forward::Masq,
        1 => Forward::Local,
        2 => Forward::Tunnel(match kind {
            1 => Tunnel::Gue { port, checksum },
            2 => Tunnel::Gre { checksum },
            _ => Tunnel::Ipip,
        }),
        3 => Forward::Route,
        4 => Forward::Bypass,
        _ => return None,
    })
}

/// The kernel sends the 32-bit counters and the 64-bit ones; the wide win, whichever comes first.
fn read_stats(attr: &Attr<'_>, wide_kind: u16, wide: &mut bool, out: &mut Stats) {
    if attr.kind != wide_kind && *wide {
        return;
    }
    *wide |= attr.kind == wide_kind;
    for a in attr.nested() {
        if (stats::CONNS..=stats::OUTBPS).contains(&a.kind) {
            let value = a.u64().or(a.u32().map(u64::from)).unwrap_or(0);
            out.set(usize::from(a.kind - stats::CONNS), value);
        }
    }
}

fn address(family: Family, bytes: &[u8]) -> Option<IpAddr> {
    match family {
        Family::Inet => bytes.first_chunk::<4>().map(|b| Ipv4Addr::from(*b).into()),
        Family::Inet6 => bytes.first_chunk::<16>().map(|b| Ipv6Addr::from(*b).into()),
    }
}

/// Reads a sync daemon from a message of GET_DAEMON.
pub fn daemon(body: &[u8]) -> Option<Daemon> {
    let mut role = None;
    let mut d = Daemon {
        role: DaemonRole::Master,
        interface: String::new(),
        sync_id: 0,
        max_len: 0,
        group: None,
        port: 0,
        ttl: 0,
    };
    for a in find(body, top::DAEMON)?.nested() {
        match a.kind {
            daemon::STATE => role = a.u32(),
            daemon::MCAST_IFN => a.text().unwrap_or_default().clone_into(&mut d.interface),
            daemon::SYNC_ID => d.sync_id = a.u32().unwrap_or(0),
            daemon::SYNC_MAXLEN => d.max_len = a.u16().unwrap_or(0),
            daemon::MCAST_GROUP => d.group = address(Family::Inet, a.payload),
            daemon::MCAST_GROUP6 => d.group = address(Family::Inet6, a.payload),
            daemon::MCAST_PORT => d.port = a.u16().unwrap_or(0),
            daemon::MCAST_TTL => d.ttl = a.u8().unwrap_or(0),
            _ => {}
        }
    }
    d.role = match role? {
        1 => DaemonRole::Master,
        2 => DaemonRole::Backup,
        _ => return None,
    };
    Some(d)
}

/// Reads the timeouts from the answer to GET_CONFIG.
pub fn timeouts(body: &[u8]) -> Option<Timeouts> {
    let read = |kind| find(body, kind).and_then(|a| a.u32());
    Some(Timeouts {
        tcp: read(top::TIMEOUT_TCP)?,
        tcp_fin: read(top::TIMEOUT_TCP_FIN)?,
        udp: read(top::TIMEOUT_UDP)?,
    })
}

/// Reads version and table size from the answer to GET_INFO.
pub fn info(body: &[u8]) -> Option<Info> {
    let version = find(body, info::VERSION)?.u32()?;
    let connection_table_size = find(body, info::CONN_TAB_SIZE)?.u32()?;
    Some(Info {
        version: [(version >> 16) as u8, (version >> 8) as u8, version as u8],
        connection_table_size,
    })
}
