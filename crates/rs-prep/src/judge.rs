//! The verb `check`: looks, judges, and with `--fix` mends and judges again.

use std::io::{self, Write};
use std::path::Path;

use anyhow::Result;
use lvs_core::conf::Config;
use lvs_core::conf::check::{Format, contents, report};
use lvs_core::sys::conf;
use serde::Serialize;

use crate::check::{self, Asked, Finding, Seen, Severity};
use crate::cli::{Check, NO, Wrong, YES};
use crate::config::Served;
use crate::effects;
use crate::host::HostState;
use crate::kernel::Kernel;
use crate::mend::{self, Mend};
use crate::output::Output;
use crate::run;
use crate::seen;
use crate::step::Step;
use crate::store;
use crate::vip::{self, Forwarding, Vip};

/// What `--json` prints. Stable; documented in rs-prep(8).
#[derive(Serialize)]
struct Report<'a> {
    ready: bool,
    vips: Vec<String>,
    findings: &'a [Finding],
    mended: Vec<String>,
    /// Why `--fix` could not end what it began.
    error: Option<String>,
    not_checked: Vec<String>,
}

/// Runs `check`; 0 if the host is ready, 1 if it is not.
///
/// # Errors
/// The host cannot be read, or what `--fix` began could not be done.
pub fn check(dir: &Path, args: &Check, out: &mut Output) -> Result<u8> {
    let config = args.which.config.as_deref().map(judged).transpose()?;
    let mut kernel = Kernel::open()?;
    let mut host = kernel.read()?;
    let mut asked = asked(dir, args, config.as_ref(), &host)?;
    let mut seen = seen::look(&mut kernel, &host, &asked);
    let mut found = check::findings(&host, &asked, &seen);
    let mut done = Ok(Vec::new());
    if args.fix.is_some() && found.iter().any(|finding| finding.by_up || !finding.steps.is_empty()) {
        // What is found is told also where it cannot be mended.
        done = fix(dir, &mut kernel, args, &asked);
        host = kernel.read()?;
        asked = again(dir, args, &asked, &host)?;
        seen = seen::look(&mut kernel, &host, &asked);
        found = check::findings(&host, &asked, &seen);
    }
    let report = Report {
        ready: done.is_ok() && check::ready(&found) && !asked.vips.is_empty(),
        vips: asked.vips.iter().map(ToString::to_string).collect(),
        findings: &found,
        mended: done.iter().flatten().map(ToString::to_string).collect(),
        error: done.as_ref().err().map(|error| format!("{error:#}")),
        not_checked: not_checked(&seen),
    };
    if args.json {
        out.line(serde_json::to_string(&report)?)?;
    } else {
        print(out, &report)?;
    }
    done.map(|_| if report.ready { YES } else { NO })
}

/// What could not be looked at, and why: the codes that would tell of it first.
fn not_checked(seen: &Seen) -> Vec<String> {
    let rules = "nat, conntrack-invalid, arp-rules: the rules cannot be listed (run as root, with nft or iptables installed)";
    let rules = seen.rules.is_none().then(|| rules.to_owned());
    let routers = seen.routers.unknown.iter().map(|why| format!("gateway-director: {why}"));
    rules.into_iter().chain(routers).collect()
}

/// Reads a file and shows all that is wrong with it, as the other tools' `check` does; on standard error, for the report is
/// about the host.
fn judged(path: &Path) -> Result<Config> {
    let name = path.display().to_string();
    // Without facts about this host: those are a director's, whose interfaces and passwords the file is about.
    let (config, findings) = conf::load(&name).map_err(|reason| Wrong(format!("{name}: {reason}")))?;
    let wrong = findings.iter().any(|finding| finding.severity == lvs_core::conf::Severity::Error);
    let shown = report(&name, &findings, &contents(&config), Format::Text, true);
    if shown.status > 0 {
        // Nobody to tell when standard error is closed.
        let _ = io::stderr().lock().write_all(shown.text.as_bytes());
    }
    if wrong { Err(Wrong(format!("{name} has errors, nothing was touched")).into()) } else { Ok(config) }
}

fn asked(dir: &Path, args: &Check, config: Option<&Config>, host: &HostState) -> Result<Asked> {
    // Without the right to read the memory, or with a broken one, nothing is known to be ours.
    let recorded = store::peek(dir).unwrap_or_default().vips.iter().map(|vip| vip.addr).collect();
    let mut asked = Asked {
        directors: args.director.clone(),
        recorded,
        also_mended: args.fix.clone().unwrap_or_default(),
        ..Asked::default()
    };
    if let (Some(config), Some(file)) = (config, &args.which.config) {
        let role = run::role_in(config, file, host)?;
        asked.vips = role.vips();
        asked.wrapped = role.wrapped;
        asked.served = role.served;
        asked.directors.extend(role.directors);
        asked.named = true;
        return Ok(asked);
    }
    let make = run::maker(args.tunnel);
    asked.vips = args.which.vips.iter().map(|addr| make(*addr)).collect();
    asked.named = !asked.vips.is_empty();
    if !asked.named {
        asked.vips = held(host);
    }
    for vip in &asked.vips {
        asked.served.extend(args.port.iter().filter_map(|port| served(host, *vip, *port)));
    }
    Ok(asked)
}

/// The same question to a host that may have changed: without a file or a VIP it is about what the host holds.
fn again(dir: &Path, args: &Check, asked: &Asked, host: &HostState) -> Result<Asked> {
    if args.which.config.is_some() { Ok(asked.clone()) } else { self::asked(dir, args, None, host) }
}

/// The VIPs of this host as they can be guessed: single addresses on `lo` and on the tunnels that `up` uses.
pub(crate) fn held(host: &HostState) -> Vec<Vip> {
    let devices =
        host.nics.iter().filter(|nic| nic.loopback).map(|nic| (nic.name.as_str(), Forwarding::Direct));
    let tunnels = ["tunl0", "ip6tnl0"].map(|name| (name, Forwarding::Tunnel));
    let held = devices.chain(tunnels).flat_map(|(name, forwarding)| {
        host.vips_on(name).map(move |held| Vip { addr: held.prefix.addr, forwarding })
    });
    vip::once(&held.collect::<Vec<_>>())
}

/// A service on a port, with the host's own address as its RIP, best the one in the VIP's network.
fn served(host: &HostState, vip: Vip, port: u16) -> Option<Served> {
    let own = |addr: &std::net::IpAddr| addr.is_ipv4() == vip.addr.is_ipv4() && *addr != vip.addr;
    let rips = host.addresses.iter().filter(|held| !host.is_quiet(&held.device));
    let rips: Vec<_> = rips.map(|held| held.prefix).filter(|prefix| own(&prefix.addr)).collect();
    let near = rips.iter().find(|prefix| prefix.contains(vip.addr));
    near.or(rips.first()).map(|prefix| Served { vip, port, rip: prefix.addr })
}

/// Mends what can be mended, with the memory that `down` needs to give settings back.
fn fix(dir: &Path, kernel: &mut Kernel, args: &Check, asked: &Asked) -> Result<Vec<Step>> {
    let store = run::lock(dir)?;
    // Whoever had the lock may have taken a VIP down, which must not come back: what is mended is judged anew.
    let host = kernel.read()?;
    let asked = again(dir, args, asked, &host)?;
    let seen = seen::look(kernel, &host, &asked);
    let found = check::findings(&host, &asked, &seen);
    let Mend { steps, vips } = mend::plan(&host, &asked.vips, &found);
    let saved = store.load()?;
    let next = saved.mending(&host, &vips, &steps);
    if next != saved {
        store.save(&next)?;
    }
    let silent = vips.iter().any(|vip| vip.addr.is_ipv4());
    if let Err(failed) = effects::run(kernel, &steps, silent) {
        if failed.undone {
            store.save(&saved)?;
        }
        return Err(failed.error);
    }
    Ok(steps)
}

fn print(out: &mut Output, report: &Report<'_>) -> Result<()> {
    for step in &report.mended {
        out.line(format_args!("mended: {step}"))?;
    }
    print_findings(out, report.findings)?;
    for what in &report.not_checked {
        out.done(format_args!("not checked: {what}"))?;
    }
    match (report.ready, report.vips.as_slice()) {
        (true, vips) => out.done(format_args!("ready: {}", vips.join(" ")))?,
        (false, []) => out.line("not ready: no VIP is on this host; name the one to look for")?,
        (false, vips) => out.line(format_args!("not ready: {}", vips.join(" ")))?,
    }
    Ok(())
}

/// Prints findings, each with what mends it.
pub(crate) fn print_findings(out: &mut Output, findings: &[Finding]) -> Result<()> {
    for finding in findings {
        let severity = match finding.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        out.line(format_args!("{severity} [{}] {}", finding.code, finding.sentence))?;
        for mend in finding.commands.iter().chain(&finding.advice) {
            out.line(format_args!("    mend: {mend}"))?;
        }
    }
    Ok(())
}
