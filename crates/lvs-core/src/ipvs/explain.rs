//! From an operation and the kernel's error number to a sentence for the admin at three in the morning.
//!
//! IPVS sends no text with its errors, and one number means several things; the operation tells which.

use std::net::IpAddr;

use crate::addr::Family;
use crate::plan::Op;
use crate::table::{ENGINES, SCHEDULERS, Service};

const EPERM: i32 = 1;
const ENOENT: i32 = 2;
const ESRCH: i32 = 3;
const ENOMEM: i32 = 12;
const EEXIST: i32 = 17;
const ENODEV: i32 = 19;
const EINVAL: i32 = 22;
const ERANGE: i32 = 34;
const EPROTONOSUPPORT: i32 = 93;
const EOPNOTSUPP: i32 = 95;
const EAFNOSUPPORT: i32 = 97;

/// The reason, and what to try where there is something to try. No full stop, no line break.
pub fn explain(op: &Op, errno: i32) -> String {
    match errno {
        EPERM => "no rights: the IPVS table needs CAP_NET_ADMIN; run this as root".to_owned(),
        ENOMEM => "the kernel has no memory for it".to_owned(),
        EEXIST => exists(op),
        ESRCH => missing(op),
        ENOENT => not_found(op),
        EINVAL => invalid(op),
        ERANGE => out_of_range(op),
        ENODEV => match op {
            Op::StartDaemon(d) => format!("no interface '{}' in this network namespace", d.interface),
            _ => "no such device".to_owned(),
        },
        EPROTONOSUPPORT => "this kernel's IPVS does not balance that protocol".to_owned(),
        EAFNOSUPPORT => {
            "this kernel's IPVS does not know that address family (IPv6 may be switched off)".to_owned()
        }
        EOPNOTSUPP => "this kernel's IPVS cannot do that".to_owned(),
        other => std::io::Error::from_raw_os_error(other).to_string(),
    }
}

fn exists(op: &Op) -> String {
    match op {
        Op::AddService(..) => "the service exists already (-E edits it)".to_owned(),
        Op::AddServer(..) => "the service has this real server already (-e edits it)".to_owned(),
        Op::StartDaemon(d) => format!("a {:?} daemon runs already", d.role).to_lowercase(),
        _ => "it exists already".to_owned(),
    }
}

fn missing(op: &Op) -> String {
    match op {
        Op::StopDaemon(role, _) => format!("no {role:?} daemon runs").to_lowercase(),
        _ => "no such service (-L lists them, -A adds one)".to_owned(),
    }
}

fn not_found(op: &Op) -> String {
    match op {
        Op::AddService(_, service) | Op::EditService(_, service) => unknown_module(service),
        _ => "the service has no such real server (-L lists them)".to_owned(),
    }
}

/// The kernel gives one number for both, and looks for the scheduler first. Linux has one engine: another one is the
/// cause where the scheduler is Linux's own.
fn unknown_module(service: &Service) -> String {
    let scheduler = &service.scheduler;
    let of_scheduler = format!(
        "scheduler '{scheduler}' is unknown or its module cannot be loaded (modprobe ip_vs_{scheduler})"
    );
    let Some(engine) = &service.engine else { return of_scheduler };
    let of_engine = format!("persistence engine '{engine}'");
    match (SCHEDULERS.contains(&scheduler.as_str()), ENGINES.contains(&engine.as_str())) {
        (true, false) => format!(
            "{of_engine} is unknown or its module cannot be loaded (modprobe ip_vs_pe_{engine}); Linux has '{}'",
            ENGINES.join("', '")
        ),
        (false, true) => of_scheduler,
        _ => format!("{of_scheduler}, or {of_engine} (modprobe ip_vs_pe_{engine})"),
    }
}

fn invalid(op: &Op) -> String {
    match op {
        Op::AddServer(key, endpoint, _) | Op::EditServer(key, endpoint, _) => {
            mixed(key.family(), endpoint.addr).unwrap_or_else(|| bad_server(endpoint.addr))
        }
        Op::AddService(_, s) | Op::EditService(_, s) => {
            let mut text = "the kernel finds a value of the service invalid".to_owned();
            if s.persistence.is_some() {
                text.push_str(" (netmask, prefix length or persistence timeout)");
            }
            if s.engine.is_some() {
                text.push_str("; a persistence engine needs -p");
            }
            text
        }
        Op::SetTimeouts(_) => "a timeout is out of the kernel's range".to_owned(),
        Op::StartDaemon(_) => "the kernel finds a value of the sync daemon invalid (interface, group, maxlen), or the \
                               table has real servers of another address family than their service, which sync \
                               messages cannot name"
            .to_owned(),
        _ => "the kernel finds it invalid".to_owned(),
    }
}

/// Sync messages have one address family for a whole connection, so the kernel (ip_vs_genl_set_cmd) takes a server of
/// the other family only while no daemon runs, and starts none while there is such a server.
fn mixed(service: Family, addr: IpAddr) -> Option<String> {
    let server = Family::of(addr);
    (server != service).then(|| {
        format!(
            "an {} real server of an {} service needs a tunnel (-i), and no sync daemon may run, whose messages cannot \
             name it (-L --daemon shows those that run, --stop-daemon ends one)",
            server.name(),
            service.name()
        )
    })
}

fn bad_server(addr: IpAddr) -> String {
    let unfit = match addr {
        IpAddr::V4(a) => a.is_multicast() || a.is_broadcast() || a.is_unspecified(),
        IpAddr::V6(a) => a.is_multicast() || a.is_unspecified(),
    };
    if unfit {
        format!("{addr} is not a unicast address")
    } else {
        format!(
            "the kernel does not take {addr} as a unicast or local address here: it may be a network's broadcast \
             address, or this network namespace has no routes (is lo up?)"
        )
    }
}

fn out_of_range(op: &Op) -> String {
    match op {
        Op::AddServer(_, _, s) | Op::EditServer(_, _, s) if s.lower > s.upper => {
            format!("lower threshold {} is above upper threshold {} (-y needs a larger -x)", s.lower, s.upper)
        }
        _ => "a weight or threshold is out of the kernel's range".to_owned(),
    }
}
