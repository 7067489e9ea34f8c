//! Rule lines: the language of ipvsadm, in which the IPVS table is written down.
//!
//! One printer serves `-S`, `diff`, dry runs and logs; one parser ([`parse`]) serves the command line and the
//! lines of `-R`.

mod command;
mod options;
mod parse;
mod reader;
mod target;
mod values;

use std::fmt::{self, Write};
use std::net::Ipv4Addr;

pub use command::{Command, List, Refusal};
pub use options::{Opt, OptionInfo, Takes, Verb, options};
pub use parse::parse;
pub use values::scheduler_flags;

use crate::addr::{Endpoint, Family};
use crate::plan::{Daemon, DaemonRole, Op};
use crate::table::{Forward, Protocol, Server, Service, ServiceFlags, ServiceKey, Tunnel, TunnelChecksum};

/// Turns names into numbers, while a rule is read.
pub trait Names {
    /// The first IPv4 address of a host.
    fn host(&self, name: &str) -> Option<Ipv4Addr>;
    /// The port of a service of this protocol.
    fn port(&self, name: &str, protocol: Protocol) -> Option<u16>;
}

/// Knows no names: only numbers are read.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoNames;

impl Names for NoNames {
    fn host(&self, _: &str) -> Option<Ipv4Addr> {
        None
    }

    fn port(&self, _: &str, _: Protocol) -> Option<u16> {
        None
    }
}

/// Turns numbers into what is printed.
pub trait Spelling {
    /// Writes address and port of a service or server; no protocol: a firewall mark's server.
    fn endpoint(&self, out: &mut dyn Write, protocol: Option<Protocol>, e: Endpoint) -> fmt::Result;
}

/// Whose lines are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// Lines that say everything and are read back.
    Ours,
    /// ipvsadm's, which leave out thresholds and the third flag of sh and mh, and show big marks negative.
    Ipvsadm,
}

impl Dialect {
    /// Writes a firewall mark.
    pub fn mark(self, out: &mut dyn Write, mark: u32) -> fmt::Result {
        match self {
            Self::Ours => write!(out, "{mark}"),
            Self::Ipvsadm => write!(out, "{}", i32::from_ne_bytes(mark.to_ne_bytes())),
        }
    }
}

/// How rule lines are written: the dialect, and the spelling of addresses.
#[derive(Clone, Copy)]
pub struct Style<'a> {
    /// Whose lines.
    pub dialect: Dialect,
    /// Numbers or names.
    pub spell: &'a dyn Spelling,
}

const OURS: Style<'static> = Style { dialect: Dialect::Ours, spell: &Numeric };

/// Prints numbers as they are.
#[derive(Clone, Copy, Debug, Default)]
pub struct Numeric;

impl Spelling for Numeric {
    fn endpoint(&self, out: &mut dyn Write, _: Option<Protocol>, e: Endpoint) -> fmt::Result {
        write!(out, "{e}")
    }
}

/// Writes `-A` with everything that is not the default, without a line end.
pub fn add_service(
    out: &mut dyn Write,
    style: Style<'_>,
    key: &ServiceKey,
    service: &Service,
) -> fmt::Result {
    out.write_str("-A ")?;
    target(out, style, key)?;
    service_options(out, style.dialect, key.family(), service)
}

/// Writes `-a` with method, weight and tunnel, and in our dialect with thresholds that are set.
pub fn add_server(
    out: &mut dyn Write,
    style: Style<'_>,
    key: &ServiceKey,
    endpoint: Endpoint,
    server: &Server,
) -> fmt::Result {
    out.write_str("-a ")?;
    server_target(out, style, key, endpoint)?;
    server_options(out, style.dialect, server)
}

/// The option that names a service, with its value: `-t 10.0.0.1:80`, `-f 5 -6`.
pub fn target(out: &mut dyn Write, style: Style<'_>, key: &ServiceKey) -> fmt::Result {
    match key {
        ServiceKey::Addr { protocol, vip } => {
            out.write_str(match protocol {
                Protocol::Tcp => "-t ",
                Protocol::Udp => "-u ",
                Protocol::Sctp => "--sctp-service ",
            })?;
            style.spell.endpoint(out, Some(*protocol), *vip)
        }
        ServiceKey::Mark { mark, family } => {
            out.write_str("-f ")?;
            style.dialect.mark(out, *mark)?;
            out.write_str(if *family == Family::Inet6 { " -6" } else { "" })
        }
    }
}

fn server_target(out: &mut dyn Write, style: Style<'_>, key: &ServiceKey, endpoint: Endpoint) -> fmt::Result {
    target(out, style, key)?;
    out.write_str(" -r ")?;
    style.spell.endpoint(out, protocol(key), endpoint)
}

/// The protocol of a service; none for a firewall mark.
pub fn protocol(key: &ServiceKey) -> Option<Protocol> {
    match key {
        ServiceKey::Addr { protocol, .. } => Some(*protocol),
        ServiceKey::Mark { .. } => None,
    }
}

fn service_options(out: &mut dyn Write, dialect: Dialect, family: Family, service: &Service) -> fmt::Result {
    write!(out, " -s {}", service.scheduler)?;
    if let Some(seconds) = service.persistence {
        write!(out, " -p {seconds}")?;
        netmask(out, " -M ", family, service.netmask)?;
    }
    if let Some(engine) = &service.engine {
        write!(out, " --pe {engine}")?;
    }
    if service.flags.has(ServiceFlags::ONE_PACKET) {
        out.write_str(" -o")?;
    }
    if let Some(names) = scheduler_flags(service, dialect) {
        out.write_str(" -b ")?;
        join(out, names)?;
    }
    Ok(())
}

/// Writes the names with commas between them.
pub fn join<'a>(out: &mut dyn Write, names: impl Iterator<Item = &'a str>) -> fmt::Result {
    for (i, name) in names.enumerate() {
        out.write_str(if i > 0 { "," } else { "" })?;
        out.write_str(name)?;
    }
    Ok(())
}

/// Writes a persistence mask after `before`; nothing if every client stands for itself.
pub fn netmask(out: &mut dyn Write, before: &str, family: Family, mask: u32) -> fmt::Result {
    match family {
        _ if mask == Service::default_netmask(family) => Ok(()),
        Family::Inet => write!(out, "{before}{}", Ipv4Addr::from(mask)),
        Family::Inet6 => write!(out, "{before}{mask}"),
    }
}

fn server_options(out: &mut dyn Write, dialect: Dialect, server: &Server) -> fmt::Result {
    let method = match server.forward {
        Forward::Masq => "-m",
        Forward::Tunnel(_) => "-i",
        // The kernel's own methods have no option; -g gives them back where the address still asks for it.
        Forward::Route | Forward::Local | Forward::Bypass => "-g",
    };
    write!(out, " {method} -w {}", server.weight)?;
    if dialect == Dialect::Ours && server.upper != 0 {
        write!(out, " -x {}", server.upper)?;
    }
    if dialect == Dialect::Ours && server.lower != 0 {
        write!(out, " -y {}", server.lower)?;
    }
    match server.forward {
        Forward::Tunnel(Tunnel::Ipip) => out.write_str(" --tun-type ipip"),
        Forward::Tunnel(Tunnel::Gue { port, checksum }) => {
            write!(out, " --tun-type gue --tun-port {port} {}", checksum_option(checksum))
        }
        Forward::Tunnel(Tunnel::Gre { checksum }) => {
            write!(out, " --tun-type gre {}", checksum_option(checksum))
        }
        _ => Ok(()),
    }
}

fn checksum_option(checksum: TunnelChecksum) -> &'static str {
    match checksum {
        TunnelChecksum::None => "--tun-nocsum",
        TunnelChecksum::Full => "--tun-csum",
        TunnelChecksum::Remote => "--tun-remcsum",
    }
}

fn daemon_options(out: &mut dyn Write, d: &Daemon) -> fmt::Result {
    write!(out, " --mcast-interface {} --syncid {}", d.interface, d.sync_id)?;
    if d.max_len != 0 {
        write!(out, " --sync-maxlen {}", d.max_len)?;
    }
    if let Some(group) = d.group {
        write!(out, " --mcast-group {group}")?;
    }
    if d.port != 0 {
        write!(out, " --mcast-port {}", d.port)?;
    }
    if d.ttl != 0 {
        write!(out, " --mcast-ttl {}", d.ttl)?;
    }
    Ok(())
}

/// The word that `--start-daemon` takes.
pub fn role(role: DaemonRole) -> &'static str {
    match role {
        DaemonRole::Master => "master",
        DaemonRole::Backup => "backup",
    }
}

impl fmt::Display for Op {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AddService(key, service) => add_service(f, OURS, key, service),
            Self::EditService(key, service) => {
                write!(f, "-E {key}")?;
                service_options(f, Dialect::Ours, key.family(), service)
            }
            Self::DelService(key) => write!(f, "-D {key}"),
            Self::AddServer(key, endpoint, server) => add_server(f, OURS, key, *endpoint, server),
            Self::EditServer(key, endpoint, server) => {
                f.write_str("-e ")?;
                server_target(f, OURS, key, *endpoint)?;
                server_options(f, Dialect::Ours, server)
            }
            Self::DelServer(key, endpoint) => {
                f.write_str("-d ")?;
                server_target(f, OURS, key, *endpoint)
            }
            Self::Flush => f.write_str("-C"),
            Self::Zero(None) => f.write_str("-Z"),
            Self::Zero(Some(key)) => write!(f, "-Z {key}"),
            Self::SetTimeouts(t) => write!(f, "--set {} {} {}", t.tcp, t.tcp_fin, t.udp),
            Self::StartDaemon(d) => {
                write!(f, "--start-daemon {}", role(d.role))?;
                daemon_options(f, d)
            }
            Self::StopDaemon(which, sync_id) => {
                write!(f, "--stop-daemon {} --syncid {sync_id}", role(*which))
            }
        }
    }
}

/// A service prints as the option that names it: `-t 10.0.0.1:80`.
impl fmt::Display for ServiceKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        target(f, OURS, self)
    }
}

#[cfg(test)]
mod tests;
