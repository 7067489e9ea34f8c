//! The lines of a listing, byte for byte as ipvsadm prints them.

use std::fmt::{self, Write};

use lvs_core::addr::Family;
use lvs_core::ipvs::{Info, ServerState, ServiceState, Stats};
use lvs_core::rule::{self, Dialect, List, Spelling, scheduler_flags};
use lvs_core::table::{Forward, Service, ServiceFlags, ServiceKey, Tunnel, TunnelChecksum};

use crate::list::Print;
use crate::names::cut;
use crate::units;

/// Which columns a listing has; the first that is asked for wins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Columns {
    Stats,
    Rate,
    Thresholds,
    PersistentConn,
    TunInfo,
    Plain,
}

impl Columns {
    pub(crate) fn of(list: &List) -> Self {
        match list {
            List { stats: true, .. } => Self::Stats,
            List { rate: true, .. } => Self::Rate,
            List { thresholds: true, .. } => Self::Thresholds,
            List { persistent_conn: true, .. } => Self::PersistentConn,
            List { tun_info: true, .. } => Self::TunInfo,
            _ => Self::Plain,
        }
    }

    fn titles(self) -> &'static str {
        match self {
            Self::Stats => concat!(
                "Prot LocalAddress:Port               Conns   InPkts  OutPkts  InBytes OutBytes\n",
                "  -> RemoteAddress:Port\n"
            ),
            Self::Rate => concat!(
                "Prot LocalAddress:Port                 CPS    InPPS   OutPPS    InBPS   OutBPS\n",
                "  -> RemoteAddress:Port\n"
            ),
            Self::Thresholds => concat!(
                "Prot LocalAddress:Port            Uthreshold Lthreshold ActiveConn InActConn \n",
                "  -> RemoteAddress:Port\n"
            ),
            Self::PersistentConn => concat!(
                "Prot LocalAddress:Port            Weight    PersistConn ActiveConn InActConn \n",
                "  -> RemoteAddress:Port\n"
            ),
            Self::TunInfo => concat!(
                "Prot LocalAddress:Port Scheduler Flags\n",
                "  -> RemoteAddress:Port           Forward TunnelInfo    Weight ActiveConn InActConn\n"
            ),
            Self::Plain => concat!(
                "Prot LocalAddress:Port Scheduler Flags\n",
                "  -> RemoteAddress:Port           Forward Weight ActiveConn InActConn\n"
            ),
        }
    }
}

/// How lines are laid out.
pub(crate) struct Layout<'a> {
    pub(crate) columns: Columns,
    pub(crate) exact: bool,
    pub(crate) dialect: Dialect,
    pub(crate) spell: &'a dyn Spelling,
}

/// The lines above everything, where no single service was asked for.
pub(crate) fn heading(out: &mut dyn Write, info: Info) -> fmt::Result {
    let [major, minor, patch] = info.version;
    let size = info.connection_table_size;
    writeln!(out, "IP Virtual Server version {major}.{minor}.{patch} (size={size})")
}

impl Layout<'_> {
    pub(crate) fn titles(&self, out: &mut dyn Write) -> fmt::Result {
        out.write_str(self.columns.titles())
    }

    /// `TCP  10.0.0.1:80`, `FWM  5 IPv6`.
    fn name(&self, out: &mut String, key: &ServiceKey) -> fmt::Result {
        match key {
            ServiceKey::Addr { protocol, vip } => {
                write!(out, "{protocol:<4} ")?;
                self.spell.endpoint(out, Some(*protocol), *vip)
            }
            ServiceKey::Mark { mark, family } => {
                out.write_str("FWM  ")?;
                self.dialect.mark(out, *mark)?;
                out.write_str(if *family == Family::Inet6 { " IPv6" } else { "" })
            }
        }
    }

    fn scheduling(&self, out: &mut dyn Write, family: Family, service: &Service) -> fmt::Result {
        out.write_str(&service.scheduler)?;
        if let Some(names) = scheduler_flags(service, self.dialect) {
            out.write_str(" (")?;
            rule::join(out, names)?;
            out.write_str(")")?;
        }
        if let Some(seconds) = service.persistence {
            write!(out, " persistent {seconds}")?;
            rule::netmask(out, " mask ", family, service.netmask)?;
            // Without persistence an engine does nothing, and ipvsadm does not show it.
            if let Some(engine) = &service.engine {
                write!(out, " pe {engine}")?;
            }
        }
        out.write_str(if service.flags.has(ServiceFlags::ONE_PACKET) { " ops\n" } else { "\n" })
    }

    /// In a server's row of --rate the first three columns never have a unit.
    fn counters(&self, out: &mut String, stats: &Stats, service: bool) -> fmt::Result {
        let rate = self.columns == Columns::Rate;
        let numbers = if rate { stats.rates() } else { stats.totals() };
        for (i, n) in numbers.into_iter().enumerate() {
            if self.exact || (rate && !service && i < 3) {
                units::exact(out, n)?;
            } else {
                units::short(out, n)?;
            }
        }
        out.write_char('\n')
    }
}

impl Print for Layout<'_> {
    fn service(&self, out: &mut String, state: &ServiceState) -> fmt::Result {
        let family = state.key.family();
        let start = out.len();
        self.name(out, &state.key)?;
        limit(out, start, 33, family);
        match self.columns {
            Columns::Stats | Columns::Rate => {
                fill(out, start, 33);
                self.counters(out, &state.stats, true)
            }
            _ => {
                out.push(' ');
                self.scheduling(out, family, &state.service)
            }
        }
    }

    fn server(&self, out: &mut String, key: &ServiceKey, s: &ServerState) -> fmt::Result {
        out.push_str("  -> ");
        let start = out.len();
        self.spell.endpoint(out, rule::protocol(key), s.endpoint)?;
        limit(out, start, 28, Family::of(s.endpoint.addr));
        fill(out, start, 28);
        let (active, inactive) = (s.active, s.inactive);
        let weight = i32::from_ne_bytes(s.server.weight.to_ne_bytes());
        match self.columns {
            Columns::Stats | Columns::Rate => self.counters(out, &s.stats, false),
            Columns::Thresholds => {
                let (upper, lower) = (s.server.upper, s.server.lower);
                writeln!(out, " {upper:<10} {lower:<10} {active:<10} {inactive:<10}")
            }
            Columns::PersistentConn => {
                let persistent = s.persistent;
                let weight = s.server.weight;
                writeln!(out, " {weight:<9} {persistent:<11} {active:<10} {inactive:<10}")
            }
            Columns::TunInfo => {
                write!(out, " {:<7} ", method(s.server.forward))?;
                let start = out.len();
                tunnel(out, s.server.forward)?;
                fill(out, start, 13);
                writeln!(out, " {weight:<6} {active:<10} {inactive:<10}")
            }
            Columns::Plain => {
                let method = method(s.server.forward);
                writeln!(out, " {method:<7} {weight:<6} {active:<10} {inactive:<10}")
            }
        }
    }
}

/// Cuts the field that began at `start`; IPv6 is never cut.
fn limit(out: &mut String, start: usize, width: usize, family: Family) {
    if family == Family::Inet {
        let kept = cut(&out[start..], width).len();
        out.truncate(start + kept);
    }
}

/// Fills the field that began at `start` with blanks.
fn fill(out: &mut String, start: usize, width: usize) {
    while out.len() < start + width {
        out.push(' ');
    }
}

fn method(forward: Forward) -> &'static str {
    match forward {
        Forward::Masq => "Masq",
        Forward::Local => "Local",
        Forward::Tunnel(_) => "Tunnel",
        Forward::Route => "Route",
        Forward::Bypass => "Bypass",
    }
}

fn tunnel(out: &mut dyn Write, forward: Forward) -> fmt::Result {
    let sum = |checksum| match checksum {
        TunnelChecksum::None => "-c",
        TunnelChecksum::Full => "+c",
        TunnelChecksum::Remote => "r+c",
    };
    match forward {
        Forward::Tunnel(Tunnel::Ipip) => out.write_str("ipip"),
        Forward::Tunnel(Tunnel::Gue { port, checksum }) => write!(out, "gue:{port}:{}", sum(checksum)),
        Forward::Tunnel(Tunnel::Gre { checksum }) => write!(out, "gre:{}", sum(checksum)),
        _ => out.write_str("n/a"),
    }
}

#[cfg(test)]
mod tests;
