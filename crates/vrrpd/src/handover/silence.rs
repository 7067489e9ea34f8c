//! Keeps this host's own TCP silent on the ports of IPVS services, so that it does not reset what it has not been told yet.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::time::Duration;

use lvs_core::addr::Family;
use lvs_core::sys::ipvs::Client;
use lvs_core::sys::rtnl::{Mute, Rtnl};
use lvs_core::table::{Protocol, ServiceKey};
use lvs_core::time::Time;
use nix::errno::Errno;

use crate::spec::Spec;

/// After the addresses were taken. By then the new director knows, or never will; clients repeat what was lost after
/// 200 ms.
pub(super) const LENGTH: Duration = Duration::from_millis(400);
/// Each rule costs every routed packet a comparison.
const MOST: usize = 256;
/// Many instances change in the same moment; the services are read once for all of them.
const FRESH: Duration = Duration::from_secs(1);

/// The TCP ports of the services of each address.
type Ports = BTreeMap<IpAddr, BTreeSet<u16>>;

/// The rules, each until its time.
#[derive(Default)]
pub(super) struct Silence {
    rules: Vec<(Mute, Time)>,
    ports: Option<(Time, Ports)>,
}

impl Silence {
    /// Keeps the services at the instance's addresses silent until then; whether there are any.
    pub(super) fn keep(&mut self, spec: &Spec, until: Time, now: Time, rtnl: &mut Rtnl) -> bool {
        let ports = self.ports(now);
        let of = |vip: IpAddr| ports.get(&vip).into_iter().flatten().map(move |port| (vip, *port));
        let rules = spec.vips.iter().flat_map(|v| of(v.prefix.addr)).map(|(from, port)| Mute { from, port });
        let rules: Vec<Mute> = rules.collect();
        rules.iter().for_each(|rule| self.keep_one(*rule, until, rtnl));
        !rules.is_empty()
    }

    fn keep_one(&mut self, rule: Mute, until: Time, rtnl: &mut Rtnl) {
        if let Some(known) = self.rules.iter_mut().find(|m| m.0 == rule) {
            known.1 = known.1.max(until);
        } else if self.rules.len() < MOST {
            match rtnl.mute(&rule) {
                Ok(()) => self.rules.push((rule, until)),
                Err(e) => log::debug!("cannot keep {}:{} silent for the handover: {e}", rule.from, rule.port),
            }
        }
    }

    /// The instance takes its addresses now: so much longer and no more.
    pub(super) fn end_soon(&mut self, spec: &Spec, now: Time) {
        for (_, until) in self.rules.iter_mut().filter(|(rule, _)| spec.has_vip(rule.from)) {
            *until = now + LENGTH;
        }
    }

    /// Whether something of the instance is kept silent.
    pub(super) fn concerns(&self, spec: &Spec) -> bool {
        self.rules.iter().any(|(rule, _)| spec.has_vip(rule.from))
    }

    /// Whether this port is.
    pub(super) fn covers(&self, from: IpAddr, port: u16) -> bool {
        self.rules.iter().any(|(rule, _)| *rule == Mute { from, port })
    }

    /// When the next rule goes.
    pub(super) fn deadline(&self) -> Option<Time> {
        self.rules.iter().map(|m| m.1).min()
    }

    /// Removes the rules whose time has come.
    pub(super) fn tick(&mut self, now: Time, rtnl: &mut Rtnl) {
        self.rules.retain(|(rule, until)| {
            let stays = *until > now;
            if !stays {
                remove(rule, rtnl);
            }
            stays
        });
    }

    /// Removes them all.
    pub(super) fn end(&mut self, rtnl: &mut Rtnl) {
        self.rules.drain(..).for_each(|(rule, _)| remove(&rule, rtnl));
    }

    fn ports(&mut self, now: Time) -> &Ports {
        let fresh = self.ports.take().filter(|(at, _)| now - *at < FRESH);
        &self.ports.insert(fresh.unwrap_or_else(|| (now, read_ports()))).1
    }
}

/// Removes the rules of an earlier run; gives their number.
///
/// # Errors
/// What the kernel says.
pub(super) fn clean(rtnl: &mut Rtnl) -> Result<usize, String> {
    let mut found = 0;
    for family in [Family::Inet, Family::Inet6] {
        // A kernel without policy rules has none of ours.
        for rule in rtnl.mutes(family).unwrap_or_default() {
            rtnl.unmute(&rule).map_err(|e| e.to_string())?;
            found += 1;
        }
    }
    Ok(found)
}

fn remove(rule: &Mute, rtnl: &mut Rtnl) {
    match rtnl.unmute(rule) {
        Ok(()) => (),
        Err(e) if e.errno == Errno::ENOENT => (),
        Err(e) => log::error!(
            "{}:{} is still kept silent ('ip rule' shows it, a restart removes it): {e}",
            rule.from,
            rule.port
        ),
    }
}

fn read_ports() -> Ports {
    let mut ports = Ports::new();
    let Ok(mut client) = Client::open() else { return ports };
    let read = client.services(|s| {
        if let ServiceKey::Addr { protocol: Protocol::Tcp, vip } = s.key {
            if vip.port != 0 {
                ports.entry(vip.addr).or_default().insert(vip.port);
            }
        }
    });
    if let Err(e) = read {
        log::debug!("cannot read the services for the handover: {e}");
    }
    ports
}
