//! Judges a real server: every mistake that can be seen on the host itself, in words, with what mends it.
//!
//! A pure function from what the host holds ([`HostState`]) and what is asked of it ([`Asked`]) to findings.

mod address;
mod arp;
mod director;
mod service;
mod stay;
pub(crate) mod traffic;
mod tunnel;

use std::net::IpAddr;

use lvs_core::addr::Endpoint;
use lvs_core::table::Table;
use serde::Serialize;

use crate::config::Served;
use crate::gateway::Routers;
use crate::host::HostState;
use crate::rules::Rules;
use crate::step::Step;
use crate::tunnel::Wrapped;
use crate::vip::Vip;
use crate::ways::Ways;

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The VIP leaks, or its clients are not served.
    Error,
    /// It may be meant, or does harm only in some networks.
    Warning,
}

/// One mistake.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// A stable name for scripts: `arp-ignore`.
    pub code: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// What it is about: a VIP or an interface.
    pub subject: String,
    /// What is wrong and what follows from it.
    pub sentence: String,
    /// What mends it, to be typed here; empty where only the admin can know.
    pub commands: Vec<String>,
    /// What mends it elsewhere or otherwise, in words.
    pub advice: Vec<String>,
    /// The same as steps, where `--fix` can do it.
    #[serde(skip)]
    pub steps: Vec<Step>,
    /// Whether `up` mends it.
    #[serde(skip)]
    pub by_up: bool,
}

/// What the host is judged for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    /// The VIPs.
    pub vips: Vec<Vip>,
    /// Whether they were named (or come from a file): then their absence is a mistake.
    pub named: bool,
    /// The services of the file, or of `--port`.
    pub served: Vec<Served>,
    /// Addresses of the directors, as far as they are known.
    pub directors: Vec<IpAddr>,
    /// VIPs that come through tunnels which `up` does not open.
    pub wrapped: Vec<Wrapped>,
    /// The VIPs that `up` has put here, as it remembers them.
    pub recorded: Vec<IpAddr>,
    /// The codes of warnings that `--fix` may mend beside errors.
    pub also_mended: Vec<String>,
}

impl Asked {
    /// Whether somebody said of an address that it is a VIP: by name, in the file, or with `up` before.
    fn is_vip(&self, addr: IpAddr) -> bool {
        self.vips.iter().any(|vip| vip.addr == addr) || self.recorded.contains(&addr)
    }
}

/// What was seen beside the host's state.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// Where programs listen (TCP) or have bound (UDP).
    pub listeners: Vec<Endpoint>,
    /// UDP ports that somebody has bound, the kernel's own tunnels among them.
    pub udp_ports: Vec<u16>,
    /// Rules of the packet filter; `None` if there are some that cannot be asked for.
    pub rules: Option<Rules>,
    /// The ways of the VIPs' packets.
    pub ways: Ways,
    /// What the routers of the VIPs' replies do with a VIP.
    pub routers: Routers,
    /// Packets that the reverse path filter has dropped so far.
    pub reverse_path_drops: u64,
    /// ifcfg files of `lo` that let ifup announce the VIP.
    pub announcing_files: Vec<String>,
    /// This host's own IPVS table.
    pub own_table: Table,
    /// Programs of a director that run here: vrrpd, keepalived.
    pub director_daemons: Vec<String>,
}

/// Every mistake, the ones that leak first.
pub fn findings(host: &HostState, asked: &Asked, seen: &Seen) -> Vec<Finding> {
    let mut found = address::findings(host, asked, seen);
    found.extend(arp::findings(host, asked, seen));
    found.extend(traffic::findings(host, asked, seen));
    found.extend(tunnel::findings(host, asked, seen));
    found.extend(director::findings(host, asked, seen));
    found.extend(service::findings(host, asked, seen));
    found.iter_mut().for_each(|finding| finding.leave_what_may_be_meant(asked));
    found
}

/// Whether the host may serve: no finding is an error.
pub fn ready(findings: &[Finding]) -> bool {
    findings.iter().all(|finding| finding.severity != Severity::Error)
}

impl Finding {
    pub(crate) fn error(code: &'static str, subject: &(impl ToString + ?Sized), sentence: String) -> Self {
        Self {
            code,
            severity: Severity::Error,
            subject: subject.to_string(),
            sentence,
            commands: Vec::new(),
            advice: Vec::new(),
            steps: Vec::new(),
            by_up: false,
        }
    }

    pub(crate) fn warning(code: &'static str, subject: &(impl ToString + ?Sized), sentence: String) -> Self {
        Self { severity: Severity::Warning, ..Self::error(code, subject, sentence) }
    }

    /// A warning may be what the admin wants: `--fix` mends it only where its code is named.
    fn leave_what_may_be_meant(&mut self, asked: &Asked) {
        let named = asked.also_mended.iter().any(|code| code == self.code);
        if self.severity == Severity::Warning && !self.steps.is_empty() && !named {
            self.steps.clear();
            self.advice.push(format!("it may be meant, so only --fix={} does that", self.code));
        }
    }

    /// Mended by these steps.
    fn steps(mut self, steps: Vec<Step>) -> Self {
        self.commands.extend(steps.iter().map(ToString::to_string));
        self.steps.extend(steps);
        self
    }

    /// Mended by the settings and addresses of `up`; the command says it.
    fn up(mut self, command: String) -> Self {
        self.commands.push(command);
        self.by_up = true;
        self
    }

    /// Mended by hand.
    pub(crate) fn command(mut self, command: String) -> Self {
        self.commands.push(command);
        self
    }

    /// Mended elsewhere, or by what is no command.
    pub(crate) fn advice(mut self, advice: String) -> Self {
        self.advice.push(advice);
        self
    }
}

#[cfg(test)]
mod tests;
