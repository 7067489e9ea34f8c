//! The verbs `up` and `down`: read, decide, do.

use std::net::IpAddr;
use std::path::Path;

use anyhow::{Context, Result, bail};
use lvs_core::conf::Config;
use lvs_core::sys::{conf, sysctl};

use crate::cli::{Cli, Down, Scope, Up, Verb, Vips, Wrong, YES};
use crate::config::{self, Role};
use crate::effects;
use crate::heal;
use crate::host::HostState;
use crate::judge;
use crate::keep;
use crate::kernel::Kernel;
use crate::output::{Output, say};
use crate::plan::{self, Wish};
use crate::probe;
use crate::saved::Saved;
use crate::step::Step;
use crate::store::{self, Store};
use crate::undo;
use crate::vip::{self, Vip};

/// Runs one verb; the exit status, unless it failed.
///
/// # Errors
/// What was not done, and why.
pub fn run(cli: &Cli, out: &mut Output) -> Result<u8> {
    conf::go_by(cli.config_id.clone());
    match &cli.verb {
        Verb::Up(args) => up(&cli.state_dir, args, out),
        Verb::Down(args) => down(&cli.state_dir, args, out),
        Verb::Probe(args) => probe::probe(args, out),
        Verb::Heal(args) => heal::heal(args, out),
        Verb::Persist(args) => keep::persist(&cli.state_dir, args, out),
        Verb::Unpersist(args) => keep::unpersist(args, out),
        Verb::Check(args) => judge::check(&cli.state_dir, args, out),
    }
}

/// Takes the memory's lock.
pub(crate) fn lock(dir: &Path) -> Result<Store> {
    Store::lock(dir, || say("waiting for another rs-prep"))
}

/// What the file of `--config` asks of this host, if it was given.
pub(crate) fn role(which: &Vips, host: impl FnOnce() -> Result<HostState>) -> Result<Option<Role>> {
    let Some(file) = &which.config else { return Ok(None) };
    role_in(&config::read(file)?, file, &host()?).map(Some)
}

/// What a configuration that was read from `file` asks of this host.
pub(crate) fn role_in(config: &Config, file: &Path, host: &HostState) -> Result<Role> {
    let role = config::role(config, host);
    role.notices.iter().for_each(say);
    if role.served.is_empty() {
        bail!("{}: this host has no address of a real server of a DR or TUN service", file.display());
    }
    Ok(role)
}

/// How a named VIP's packets arrive.
pub(crate) fn maker(tunnel: bool) -> fn(IpAddr) -> Vip {
    if tunnel { Vip::tunnel } else { Vip::direct }
}

/// The VIPs that were named, or those of the file if `fits` does not refuse it.
pub(crate) fn chosen(
    which: &Vips,
    host: impl FnOnce() -> Result<HostState>,
    make: impl Fn(IpAddr) -> Vip,
    fits: impl FnOnce(&Role) -> Result<()>,
) -> Result<Vec<Vip>> {
    if let Some(role) = role(which, host)? {
        fits(&role)?;
        return Ok(role.vips());
    }
    if which.vips.is_empty() {
        return Err(Wrong("which VIP? name it, or give --config FILE".to_owned()).into());
    }
    Ok(vip::once(&which.vips.iter().map(|addr| make(*addr)).collect::<Vec<_>>()))
}

fn up(dir: &Path, args: &Up, out: &mut Output) -> Result<u8> {
    let host_scope = args.scope.map(|scope| scope == Scope::Host);
    let wish = Wish { route: !args.no_route, host_scope, label: args.label.clone() };
    let mut kernel = Kernel::open()?;
    let vips = chosen(&args.which, || kernel.read(), maker(args.tunnel), Role::can_be_prepared)?;
    plan::unheeded(&vips, &wish).iter().for_each(say);
    if args.dry_run {
        for step in planned(&kernel.read()?, &vips, &wish)? {
            out.line(step)?;
        }
        return Ok(YES);
    }
    let store = lock(dir)?;
    let (host, steps) = prepare(&mut kernel, &vips, &wish)?;
    let saved = store.load()?;
    let next = saved.before(&host, &vips, &steps);
    if next != saved {
        store.save(&next)?;
    }
    let silent = vips.iter().any(|vip| vip.addr.is_ipv4());
    if let Err(failed) = effects::run(&mut kernel, &steps, silent) {
        if failed.undone {
            store.save(&saved)?;
        }
        return Err(failed.error);
    }
    tell(out, &host, &vips, &steps)?;
    Ok(YES)
}

/// The plan; what the command line cannot mean is told apart from what the host does not allow.
fn planned(host: &HostState, vips: &[Vip], wish: &Wish) -> Result<Vec<Step>> {
    plan::up(host, vips, wish).map_err(|refusal| {
        if refusal.is_usage() { Wrong(refusal.to_string()).into() } else { refusal.into() }
    })
}

/// The host and the plan for it; a tunnel module is loaded first, because its device's settings are part of both.
fn prepare(kernel: &mut Kernel, vips: &[Vip], wish: &Wish) -> Result<(HostState, Vec<Step>)> {
    let host = kernel.read()?;
    let steps = planned(&host, vips, wish)?;
    let (load, rest): (Vec<_>, Vec<_>) =
        steps.into_iter().partition(|step| matches!(step, Step::Load { .. }));
    if load.is_empty() {
        return Ok((host, rest));
    }
    load.iter().try_for_each(|step| kernel.run(step))?;
    let host = kernel.read()?;
    let steps = planned(&host, vips, wish)?;
    let missing = steps.iter().find(|step| matches!(step, Step::Load { .. }));
    match missing {
        None => Ok((host, steps)),
        Some(step) => bail!("{step}: loaded, but its device is not in this network namespace"),
    }
}

fn tell(out: &mut Output, host: &HostState, vips: &[Vip], steps: &[Step]) -> Result<()> {
    for notice in plan::notices(host, vips, steps) {
        out.notice(notice);
    }
    for vip in vips {
        let placed = steps.iter().find_map(|step| match step {
            Step::AddAddress(p) if p.prefix.addr == vip.addr => Some(p.label.as_ref().unwrap_or(&p.device)),
            _ => None,
        });
        match placed {
            Some(place) => out.done(format_args!("{vip}: ready on {place}"))?,
            None if steps.is_empty() => out.done(format_args!("{vip}: was ready"))?,
            None => out.done(format_args!("{vip}: ready"))?,
        }
    }
    Ok(())
}

fn down(dir: &Path, args: &Down, out: &mut Output) -> Result<u8> {
    let mut kernel = Kernel::open()?;
    let store = if args.dry_run { None } else { Some(lock(dir)?) };
    let saved = match &store {
        Some(store) => store.load()?,
        None => store::peek(dir)?,
    };
    let host = kernel.read()?;
    let vips = match args.all {
        true => saved.vips.clone(),
        false => chosen(&args.which, || Ok(host.clone()), Vip::direct, |_| Ok(()))?,
    };
    let plan = undo::down(&host, &vips, &saved, |key| sysctl::read(key).ok().flatten());
    plan.notices.iter().for_each(|notice| out.notice(notice));
    let Some(store) = store else {
        plan.steps.iter().try_for_each(|step| out.line(step))?;
        return Ok(YES);
    };
    effects::run_all(&mut kernel, &plan.steps).context("not all undone; run it again once that is mended")?;
    forget(&store, &saved, &plan.saved)?;
    for vip in &plan.gone {
        out.done(format_args!("{vip}: gone from this host"))?;
    }
    Ok(YES)
}

fn forget(store: &Store, saved: &Saved, next: &Saved) -> Result<()> {
    if next == saved { Ok(()) } else { store.save(next) }
}
