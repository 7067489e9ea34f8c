//! A service out of the values of a line.

use std::net::IpAddr;

use super::{LONGEST, bad_address, cut};
use crate::addr::{Endpoint, Family};
use crate::plan::Op;
use crate::rule::Names;
use crate::rule::command::Refusal;
use crate::rule::options::Opt;
use crate::rule::parse::Line;
use crate::rule::values::{host_port, netmask, number32, parse_flags};
use crate::table::{Protocol, Service, ServiceFlags, ServiceKey};

/// `-p` without a number.
const DEFAULT_PERSISTENCE: u32 = 360;
const DEFAULT_SCHEDULER: &str = "wlc";

/// What a line says of its service.
#[derive(Default)]
pub(in crate::rule) struct ServiceWords<'a> {
    protocol: Option<Protocol>,
    addr: Option<IpAddr>,
    pub(super) port: u16,
    mark: Option<u32>,
    ipv6: bool,
    mask: Option<u32>,
    persistence: Option<u32>,
    pub(in crate::rule) scheduler: Option<&'a str>,
    pub(in crate::rule) engine: Option<&'a str>,
    pub(in crate::rule) flags: Option<&'a str>,
}

impl ServiceWords<'_> {
    pub(in crate::rule) fn endpoint(
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

    pub(in crate::rule) fn mark(&mut self, text: &str) -> Result<(), Refusal> {
        let bad = || Refusal::wrong(format!("-f '{text}': not a firewall mark (1 to 4294967295)"));
        self.mark = Some(number32(text, 1, u32::MAX).ok_or_else(bad)?);
        Ok(())
    }

    pub(in crate::rule) fn ipv6(&mut self) -> Result<(), Refusal> {
        if self.mark.is_none() {
            return Err(Refusal::wrong("-6 belongs to a firewall mark and stands after its -f"));
        }
        (self.ipv6, self.mask) = (true, None);
        Ok(())
    }

    pub(in crate::rule) fn persistent(&mut self, text: Option<&str>) -> Result<(), Refusal> {
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
    pub(super) fn naming(&self) -> Option<Protocol> {
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

    pub(in crate::rule) fn netmask(&mut self, text: &str, names: &dyn Names) -> Result<(), Refusal> {
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

    pub(in crate::rule) fn key(&self) -> Option<ServiceKey> {
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

pub(in crate::rule) fn required_service(line: &Line<'_>) -> Result<ServiceKey, Refusal> {
    line.service.key().ok_or_else(|| Refusal::wrong("which service? give -t, -u, --sctp-service or -f"))
}

pub(in crate::rule) fn add_service(line: &Line<'_>) -> Result<Op, Refusal> {
    let (key, service) = service(line)?;
    Ok(Op::AddService(key, service))
}

pub(in crate::rule) fn edit_service(line: &Line<'_>) -> Result<Op, Refusal> {
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
