//! The verb `probe`: asks the LAN who answers for a VIP, and the real servers what they do with its packets.

pub mod verdict;
pub mod wire;

use std::net::IpAddr;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use lvs_core::addr::{Endpoint, Family, Mac};
use lvs_core::sys::clock;
use lvs_core::sys::frame::{self, Heard, Path};
use lvs_core::sys::rtnl::Rtnl;
use lvs_core::sys::wire::PORTS;
use serde::Serialize;

use crate::check::{self, Finding};
use crate::cli::{NO, Probe, YES};
use crate::host::HostState;
use crate::kernel::Kernel;
use crate::output::Output;
use crate::servers::{self, Service};
use verdict::{Port, Server, Survey, Tried};
use wire::Wire;

/// When a question is asked again, after the first time (RFC 5227 section 2.1.1 sends three).
const AGAIN: [Duration; 2] = [Duration::from_millis(100), Duration::from_millis(300)];

/// What `--json` prints. Stable; documented in rs-prep(8).
#[derive(Serialize)]
struct Report<'a> {
    well: bool,
    vip: IpAddr,
    held_here: bool,
    answers: Vec<Answer>,
    servers: Vec<Listed<'a>>,
    findings: &'a [Finding],
}

#[derive(Serialize)]
struct Answer {
    mac: String,
    address: Option<IpAddr>,
}

#[derive(Serialize)]
struct Listed<'a> {
    rip: IpAddr,
    macs: Vec<String>,
    ports: &'a [Tried],
}

/// Runs `probe`; 0 if all is well, 1 if not.
///
/// # Errors
/// Nobody can be asked on the interface.
pub fn probe(args: &Probe, out: &mut Output) -> Result<u8> {
    let services = servers::find(args)?;
    let host = Kernel::open()?.read()?;
    let (services, own) = servers::others(&host, services);
    for rip in own {
        out.notice(format_args!(
            "{rip}: left out, as it is this host, which cannot ask itself; ask from the director, or here: rs-prep check {}",
            args.vip
        ));
    }
    let mut wire = open(&args.dev)?;
    let survey = survey(&mut wire, args, &host, &services)?;
    let found = verdict::verdict(&survey);
    let well = check::ready(&found);
    if args.json {
        out.line(serde_json::to_string(&report(&survey, &found, well))?)?;
    } else {
        print(out, &survey, &found, well)?;
    }
    Ok(if well { YES } else { NO })
}

/// The channel of an interface by its name.
pub(crate) fn open(device: &str) -> Result<Wire> {
    let link = Rtnl::open()?.link(device)?;
    Wire::open(&link.with_context(|| format!("there is no interface {device}"))?)
}

/// Whether this host speaks for the VIP itself.
pub(crate) fn ours(host: &HostState, vip: IpAddr) -> bool {
    host.holding(vip).any(|held| !host.is_quiet(&held.device))
}

fn survey(wire: &mut Wire, args: &Probe, host: &HostState, services: &[Service]) -> Result<Survey> {
    let mut servers: Vec<Server> = Vec::new();
    for service in services {
        if servers.iter().all(|server| server.rip != service.rip) {
            servers.push(Server { rip: service.rip, macs: Vec::new(), ports: Vec::new() });
        }
    }
    let mut survey = Survey {
        vip: args.vip,
        device: args.dev.clone(),
        ours: ours(host, args.vip),
        answers: Vec::new(),
        announcers: Vec::new(),
        servers,
        known: known(args.vip)?,
    };
    ask(wire, host, &mut survey, args.timeout)?;
    try_ports(wire, host, &mut survey, services, args.timeout)?;
    Ok(survey)
}

/// The hosts whose MAC the kernel knows.
pub(crate) fn known(vip: IpAddr) -> Result<Vec<(Mac, IpAddr)>> {
    let neighbours = Rtnl::open()?.neighbours(Family::of(vip))?;
    Ok(neighbours.into_iter().map(|neighbour| (neighbour.mac, neighbour.addr)).collect())
}

/// Asks for the VIP and for each real server, and listens until the end: a leak may answer late.
pub(crate) fn ask(wire: &mut Wire, host: &HostState, survey: &mut Survey, timeout: Duration) -> Result<()> {
    let start = clock::now();
    let moments = AGAIN.iter().filter(|after| **after < timeout).map(|after| start + *after);
    for until in moments.chain([start + timeout]) {
        let open = survey.servers.iter().filter(|server| server.macs.is_empty()).map(|server| server.rip);
        for target in open.chain([survey.vip]).collect::<Vec<_>>() {
            wire.send(&frame::question(wire.mac, target))?;
        }
        wire.listen(until, |_, heard| {
            hear(host, survey, heard);
            Ok(false)
        })?;
    }
    Ok(())
}

fn hear(host: &HostState, survey: &mut Survey, heard: Heard) {
    let Heard::Claim { addr, mac, answer } = heard else { return };
    // The kernel shows a channel the frames of this host as well.
    if host.nics.iter().any(|nic| nic.mac == mac) {
        return;
    }
    let list = match (addr == survey.vip, answer) {
        (true, true) => Some(&mut survey.answers),
        (true, false) => Some(&mut survey.announcers),
        _ => survey.servers.iter_mut().find(|server| server.rip == addr).map(|server| &mut server.macs),
    };
    if let Some(list) = list.filter(|list| !list.contains(&mac)) {
        list.push(mac);
    }
}

/// A SYN on its way to a server.
struct Shot {
    server: usize,
    path: Path,
    answer: Option<Port>,
}

fn try_ports(
    wire: &mut Wire,
    host: &HostState,
    survey: &mut Survey,
    services: &[Service],
    timeout: Duration,
) -> Result<()> {
    let mut shots = shots(wire.mac, host, survey, services)?;
    let start = clock::now();
    let sequence = start.as_nanos() as u32;
    let moments = AGAIN.iter().filter(|after| **after < timeout).map(|after| start + *after);
    for until in moments.chain([start + timeout]) {
        let open: Vec<_> = shots.iter().filter(|shot| shot.answer.is_none()).map(|shot| shot.path).collect();
        if open.is_empty() {
            break;
        }
        for path in open {
            wire.send(&frame::syn(&path, sequence))?;
        }
        wire.listen(until, |wire, heard| {
            // To answer for the VIP a real server may have to ask for us: with which sender?
            hear(host, survey, heard);
            take(wire, &mut shots, heard)?;
            Ok(shots.iter().all(|shot| shot.answer.is_some()))
        })?;
    }
    record(survey, &shots);
    Ok(())
}

/// The SYNs of all services, two each: to the VIP, then to the real server's own address.
fn shots(own: Mac, host: &HostState, survey: &Survey, services: &[Service]) -> Result<Vec<Shot>> {
    let mut shots = Vec::new();
    // Other ports each time: a real server may still hold the last probe's SYN, if its answer never arrived.
    let start = clock::now().as_nanos() / 1000 % PORTS.len() as u64;
    let mut numbers = PORTS.cycle().skip(start as usize).take(PORTS.len());
    for service in services {
        let Some(port) = service.port else { continue };
        let found = survey.servers.iter().enumerate().find(|(_, server)| server.rip == service.rip);
        let Some((server, mac)) = found.and_then(|(i, server)| Some((i, *server.macs.first()?))) else {
            continue;
        };
        let source = source(host, survey, service.rip)?;
        for addr in [survey.vip, service.rip] {
            let Some(number) = numbers.next() else {
                bail!("too many real servers for one probe: name some with --real-server");
            };
            let path = Path { own, mac, from: Endpoint::new(source, number), to: Endpoint::new(addr, port) };
            shots.push(Shot { server, path, answer: None });
        }
    }
    Ok(shots)
}

/// This host's address on the interface, best in the real server's network; never the VIP itself.
fn source(host: &HostState, survey: &Survey, rip: IpAddr) -> Result<IpAddr> {
    let own = host.addresses.iter().filter(|held| {
        held.device == survey.device
            && held.prefix.addr != survey.vip
            && held.prefix.addr.is_ipv4() == rip.is_ipv4()
    });
    let own: Vec<_> = own.map(|held| held.prefix).collect();
    let near = own.iter().find(|prefix| prefix.contains(rip));
    let found = near.or(own.first()).map(|prefix| prefix.addr);
    found.with_context(|| format!("{}: no address of its own from which {rip} could be asked", survey.device))
}

fn take(wire: &Wire, shots: &mut [Shot], heard: Heard) -> Result<()> {
    let Heard::Tcp { from, port, open, reset, ack, mac } = heard else { return Ok(()) };
    let Some(shot) = shots.iter_mut().find(|shot| shot.path.from.port == port && shot.path.to == from) else {
        return Ok(());
    };
    // Another host's answer for the VIP is not this real server's.
    if mac != shot.path.mac {
        return Ok(());
    }
    // An ACK alone means that an older SYN from this port is still remembered: that is ended, and the next SYN counts.
    if !reset {
        wire.send(&frame::rst(&shot.path, ack))?;
    }
    if open || reset {
        shot.answer.get_or_insert(if open { Port::Open } else { Port::Closed });
    }
    Ok(())
}

fn record(survey: &mut Survey, shots: &[Shot]) {
    for pair in shots.chunks_exact(2) {
        let [vip, rip] = pair else { continue };
        let state = |shot: &Shot| shot.answer.unwrap_or(Port::Silent);
        let tried = Tried { port: vip.path.to.port, vip: state(vip), rip: state(rip) };
        survey.servers[vip.server].ports.push(tried);
    }
}

fn report<'a>(survey: &'a Survey, findings: &'a [Finding], well: bool) -> Report<'a> {
    let answer = |mac: &Mac| Answer { mac: mac.to_string(), address: survey.who(*mac) };
    let server = |server: &'a Server| Listed {
        rip: server.rip,
        macs: server.macs.iter().map(ToString::to_string).collect(),
        ports: &server.ports,
    };
    Report {
        well,
        vip: survey.vip,
        held_here: survey.ours,
        answers: survey.answers.iter().map(answer).collect(),
        servers: survey.servers.iter().map(server).collect(),
        findings,
    }
}

fn print(out: &mut Output, survey: &Survey, findings: &[Finding], well: bool) -> Result<()> {
    let vip = survey.vip;
    if survey.ours {
        out.done(format_args!("{vip} is here"))?;
    }
    for mac in &survey.answers {
        let name = survey.who(*mac).map(|addr| format!(" ({addr})")).unwrap_or_default();
        out.done(format_args!("{vip} is at {mac}{name}"))?;
    }
    for server in &survey.servers {
        for tried in &server.ports {
            let at = Endpoint::new(server.rip, tried.port);
            out.done(format_args!("{at}: RIP {}, VIP {}", tried.rip.word(), tried.vip.word()))?;
        }
    }
    crate::judge::print_findings(out, findings)?;
    out.done(format_args!("{}: {vip}", if well { "well" } else { "not well" }))?;
    Ok(())
}
