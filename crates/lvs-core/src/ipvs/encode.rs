//! Operations and questions as attribute bytes, written into one buffer without an allocation of their own.

use std::net::IpAddr;

use super::uapi::{cmd, daemon, dest, svc, top};
use crate::addr::{Endpoint, Family};
use crate::nlattr::{nest, put, put_be16, put_str, put_u8, put_u16, put_u32};
use crate::plan::{Daemon, DaemonRole, Op, Timeouts};
use crate::table::{Forward, Server, Service, ServiceKey, Tunnel, TunnelChecksum};

/// The command number of an operation.
pub fn command(op: &Op) -> u8 {
    match op {
        Op::AddService(..) => cmd::NEW_SERVICE,
        Op::EditService(..) => cmd::SET_SERVICE,
        Op::DelService(_) => cmd::DEL_SERVICE,
        Op::AddServer(..) => cmd::NEW_DEST,
        Op::EditServer(..) => cmd::SET_DEST,
        Op::DelServer(..) => cmd::DEL_DEST,
        Op::Flush => cmd::FLUSH,
        Op::Zero(_) => cmd::ZERO,
        Op::SetTimeouts(_) => cmd::SET_CONFIG,
        Op::StartDaemon(_) => cmd::NEW_DAEMON,
        Op::StopDaemon(..) => cmd::DEL_DAEMON,
    }
}

/// Appends the attributes of an operation.
pub fn op(buf: &mut Vec<u8>, op: &Op) {
    match op {
        Op::AddService(key, service) | Op::EditService(key, service) => {
            nest(buf, top::SERVICE, |b| {
                put_key(b, key);
                put_service(b, key.family(), service);
            });
        }
        Op::DelService(key) | Op::Zero(Some(key)) => self::key(buf, key),
        Op::AddServer(key, endpoint, server) | Op::EditServer(key, endpoint, server) => {
            self::key(buf, key);
            nest(buf, top::DEST, |b| {
                put_endpoint(b, endpoint);
                put_server(b, server);
            });
        }
        Op::DelServer(key, endpoint) => {
            self::key(buf, key);
            nest(buf, top::DEST, |b| put_endpoint(b, endpoint));
        }
        Op::Flush | Op::Zero(None) => {}
        Op::SetTimeouts(timeouts) => put_timeouts(buf, *timeouts),
        Op::StartDaemon(d) => nest(buf, top::DAEMON, |b| put_daemon(b, d)),
        Op::StopDaemon(role, sync_id) => nest(buf, top::DAEMON, |b| {
            put_u32(b, daemon::STATE, role_number(*role));
            put_u32(b, daemon::SYNC_ID, *sync_id);
        }),
    }
}

/// Appends the attribute that names a service: the question of GET_SERVICE and GET_DEST.
pub fn key(buf: &mut Vec<u8>, key: &ServiceKey) {
    nest(buf, top::SERVICE, |b| put_key(b, key));
}

fn put_key(buf: &mut Vec<u8>, key: &ServiceKey) {
    put_u16(buf, svc::AF, key.family().number());
    match key {
        ServiceKey::Addr { protocol, vip } => {
            put_u16(buf, svc::PROTOCOL, protocol.number());
            put_addr(buf, svc::ADDR, vip.addr);
            put_be16(buf, svc::PORT, vip.port);
        }
        ServiceKey::Mark { mark, .. } => put_u32(buf, svc::FWMARK, *mark),
    }
}

/// The kernel copies 16 bytes whatever the family.
fn put_addr(buf: &mut Vec<u8>, kind: u16, addr: IpAddr) {
    match addr {
        IpAddr::V4(a) => {
            let mut bytes = [0; 16];
            bytes[..4].copy_from_slice(&a.octets());
            put(buf, kind, &bytes);
        }
        IpAddr::V6(a) => put(buf, kind, &a.octets()),
    }
}

fn put_service(buf: &mut Vec<u8>, family: Family, service: &Service) {
    put_str(buf, svc::SCHED_NAME, &service.scheduler);
    if let Some(engine) = &service.engine {
        put_str(buf, svc::PE_NAME, engine);
    }
    let persistent = if service.persistence.is_some() { svc::F_PERSISTENT } else { 0 };
    let mut flags = [0; 8];
    flags[..4].copy_from_slice(&(service.flags.0 | persistent).to_ne_bytes());
    // Every flag counts: what an edit leaves out is switched off.
    flags[4..].copy_from_slice(&u32::MAX.to_ne_bytes());
    put(buf, svc::FLAGS, &flags);
    put_u32(buf, svc::TIMEOUT, service.persistence.unwrap_or(0));
    match family {
        Family::Inet => put(buf, svc::NETMASK, &service.netmask.to_be_bytes()),
        Family::Inet6 => put_u32(buf, svc::NETMASK, service.netmask),
    }
}

fn put_endpoint(buf: &mut Vec<u8>, endpoint: &Endpoint) {
    put_u16(buf, dest::ADDR_FAMILY, Family::of(endpoint.addr).number());
    put_addr(buf, dest::ADDR, endpoint.addr);
    put_be16(buf, dest::PORT, endpoint.port);
}

fn put_server(buf: &mut Vec<u8>, server: &Server) {
    put_u32(buf, dest::FWD_METHOD, method_number(server.forward));
    put_u32(buf, dest::WEIGHT, server.weight);
    put_u32(buf, dest::U_THRESH, server.upper);
    put_u32(buf, dest::L_THRESH, server.lower);
    let Forward::Tunnel(tunnel) = server.forward else { return };
    let (kind, port, flags) = match tunnel {
        Tunnel::Ipip => (0, 0, 0),
        Tunnel::Gue { port, checksum } => (1, port, checksum_number(checksum)),
        Tunnel::Gre { checksum } => (2, 0, checksum_number(checksum)),
    };
    put_u8(buf, dest::TUN_TYPE, kind);
    put_be16(buf, dest::TUN_PORT, port);
    put_u16(buf, dest::TUN_FLAGS, flags);
}

fn method_number(forward: Forward) -> u32 {
    match forward {
        Forward::Masq => 0,
        Forward::Local => 1,
        Forward::Tunnel(_) => 2,
        Forward::Route => 3,
        Forward::Bypass => 4,
    }
}

fn checksum_number(checksum: TunnelChecksum) -> u16 {
    match checksum {
        TunnelChecksum::None => 0,
        TunnelChecksum::Full => 1,
        TunnelChecksum::Remote => 2,
    }
}

fn put_timeouts(buf: &mut Vec<u8>, timeouts: Timeouts) {
    put_u32(buf, top::TIMEOUT_TCP, timeouts.tcp);
    put_u32(buf, top::TIMEOUT_TCP_FIN, timeouts.tcp_fin);
    put_u32(buf, top::TIMEOUT_UDP, timeouts.udp);
}

fn role_number(role: DaemonRole) -> u32 {
    match role {
        DaemonRole::Master => 1,
        DaemonRole::Backup => 2,
    }
}

fn put_daemon(buf: &mut Vec<u8>, d: &Daemon) {
    put_u32(buf, daemon::STATE, role_number(d.role));
    put_str(buf, daemon::MCAST_IFN, &d.interface);
    put_u32(buf, daemon::SYNC_ID, d.sync_id);
    // What is zero is left out: then the kernel chooses.
    if d.max_len != 0 {
        put_u16(buf, daemon::SYNC_MAXLEN, d.max_len);
    }
    match d.group {
        Some(IpAddr::V4(g)) => put(buf, daemon::MCAST_GROUP, &g.octets()),
        Some(IpAddr::V6(g)) => put(buf, daemon::MCAST_GROUP6, &g.octets()),
        None => {}
    }
    if d.port != 0 {
        put_u16(buf, daemon::MCAST_PORT, d.port);
    }
    if d.ttl != 0 {
        put_u8(buf, daemon::MCAST_TTL, d.ttl);
    }
}
