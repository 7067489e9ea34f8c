//! `tcpcheck watch`: from the command line to a running driver, everything checked before anything is touched.

use std::io::{self, Write};
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, bail};
use log::Level;
use lvs_core::conf::schema::{TOP, Tool};
use lvs_core::conf::{Config, Diag, Severity};
use lvs_core::desired;
use lvs_core::ipvs::Ipvs;
use lvs_core::sys::ipvs::Client;
use lvs_core::sys::owner::{Owner, OwnerError};
use lvs_core::sys::poll::Poll;
use lvs_core::sys::{clock, conf, log as syslog};
use lvs_core::table::Table;

use crate::WRONG;
use crate::cli::{Events, Watch};
use crate::differences::in_short;
use crate::drains::Drains;
use crate::driver::Driver;
use crate::explain;
use crate::keeper::Keeper;
use crate::kernel::Kernel;
use crate::lines::Lines;
use crate::monitor::{Monitor, Remembered};
use crate::options::{Options, Way};
use crate::programs::Programs;
use crate::roster;
use crate::shots;
use crate::state::{self, Kept};
use crate::told::Told;
use crate::web;

/// Another program may hold the table for a moment (`ipvsctl apply`); so long we wait for it.
const CLAIM: Duration = Duration::from_secs(3);

/// Runs `tcpcheck watch`; the exit status is 0 after a stop, 2 for a file that is wrong.
///
/// # Errors
/// The system refuses what the watch needs.
pub fn run(args: &Watch) -> anyhow::Result<u8> {
    if let Some(why) = args.contradiction() {
        let _ = writeln!(io::stderr().lock(), "tcpcheck: {why}");
        return Ok(WRONG);
    }
    let mut config = match read(&args.config, true) {
        Ok((config, findings)) => {
            show(&findings);
            config
        }
        Err(text) => {
            let _ = writeln!(io::stderr().lock(), "tcpcheck: {text}");
            return Ok(WRONG);
        }
    };
    let drains = match args.drain_file.as_deref().map(|path| drain_file(path, &config)).transpose() {
        Ok(drains) => drains.map(|(drains, said)| {
            complain(&said);
            drains
        }),
        Err(text) => {
            let _ = writeln!(io::stderr().lock(), "tcpcheck: {text}");
            return Ok(WRONG);
        }
    };
    if args.explain {
        let (_, said) = Programs::prepare(&mut config);
        complain(&said);
        warn_of(&notices(&config, &args.options()));
        let found = if args.ipvs { Client::open()?.read()? } else { Table::default() };
        let (remembered, said) = remember(args, &config, drains, &found)?;
        complain(&said);
        explain::tell(config, args.options(), remembered, &found, io::stdout().lock())?;
        return Ok(0);
    }
    watch(args, config, drains)
}

fn watch(args: &Watch, mut config: Config, drains: Option<Drains>) -> anyhow::Result<u8> {
    if args.via == Way::Vip {
        shots::permitted()?;
    }
    let without = left_out(&config);
    warn_of(&notices(&config, &args.options()));
    syslog::init("tcpcheck", log::LevelFilter::Info)?;
    without.iter().for_each(|line| log::error!("{line}"));
    let programs = programs(&mut config);
    let mut found = Table::default();
    let mut kernel = None;
    if args.ipvs {
        let mut client = Client::open()?;
        let (owner, table) = own(&mut client, claim)?;
        found = table;
        let keeper = Keeper::new(client, found.clone());
        kernel = Some(Kernel::new(keeper, owner, args.resync, state::path(".json")?));
    }
    let (remembered, said) = remember(args, &config, drains, &found)?;
    said.iter().for_each(|(level, text)| log::log!(*level, "{text}"));
    let now = clock::now();
    let seed = now.as_nanos() ^ (u64::from(std::process::id()) << 40);
    let (monitor, orders) = Monitor::start(config, args.options(), remembered, &found, seed, now);
    let told = told(args)?;
    let mut driver = Driver::new(monitor, kernel, told, args.clone(), seed)?;
    driver.run_programs(programs);
    driver.obey(orders);
    let status = driver.run();
    log::logger().flush();
    Ok(status?)
}

/// Reads a configuration; the error is all that stands in the way, ready to be shown. To `begin`, blocks with errors are
/// left out, as long as there is a sound one; a watch that runs keeps what it has.
///
/// # Errors
/// It cannot be read, or has errors.
pub fn read(path: &str, begin: bool) -> Result<(Config, Vec<Diag>), String> {
    let read = conf::load_by(path, Some(web::judge));
    let (config, findings) = read.map_err(|why| format!("{path}: {why}"))?;
    let nothing = config.virtual_servers.is_empty();
    let stops = |d: &&Diag| d.stops(Tool::Tcpcheck, begin && !nothing);
    let errors: Vec<_> = findings.iter().filter(stops).map(ToString::to_string).collect();
    if errors.is_empty() { Ok((config, findings)) } else { Err(errors.join("\n")) }
}

/// Reads a list of drained servers, and says what of it has no effect. Without the file nobody is drained: to remove it
/// is a way to say so.
///
/// # Errors
/// It is there and cannot be read.
pub fn drain_file(path: &Path, config: &Config) -> Result<(Drains, Vec<(Level, String)>), String> {
    let name = path.display();
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(e) if e.kind() == io::ErrorKind::NotFound => {
            return Ok((
                Drains::default(),
                vec![(Level::Warn, format!("{name}: no such file: nobody is drained"))],
            ));
        }
        Err(e) => return Err(format!("{name}: {e}; make it a text that root can read, or remove it")),
    };
    let (drains, wrong) = Drains::parse(&text);
    let wrong = wrong.into_iter().map(|(line, why)| (Level::Error, format!("{name}:{line}: {why}")));
    let strangers = drains.strangers(config);
    let unknown = strangers
        .map(|d| (Level::Warn, format!("{name}: {d}: no virtual server of the file has this real server")));
    let said = wrong.chain(unknown).collect();
    Ok((drains, said))
}

/// Warnings of a file in the log, which has lines; `tcpcheck check` shows their places.
pub fn warn(findings: &[Diag], config: &Config, options: &Options) {
    let ours = findings.iter().filter(|d| d.severity == Severity::Warning && d.concerns(Tool::Tcpcheck));
    for finding in ours {
        log::warn!("{}", finding.headline());
    }
    for line in notices(config, options) {
        log::warn!("{line}");
    }
}

/// What of a file is not done.
fn notices(config: &Config, options: &Options) -> Vec<String> {
    let mut lines = roster::unsupported(config);
    lines.extend(roster::not_by_vip(config, options));
    lines
}

/// The programs of a configuration, which loses the checks that may not be run; what there is to say is logged.
pub fn programs(config: &mut Config) -> Programs {
    let (programs, said) = Programs::prepare(config);
    said.iter().for_each(|(level, text)| log::log!(*level, "{text}"));
    programs
}

fn warn_of(lines: &[String]) {
    for line in lines {
        let _ = writeln!(io::stderr().lock(), "tcpcheck: warning: {line}");
    }
}

/// Says on the terminal what a watch says in its log.
fn complain(said: &[(Level, String)]) {
    for (level, text) in said {
        let word = if *level == Level::Warn { "warning" } else { "error" };
        let _ = writeln!(io::stderr().lock(), "tcpcheck: {word}: {text}");
    }
}

fn show(findings: &[Diag]) {
    for finding in findings.iter().filter(|d| d.severity >= Severity::Warning && d.concerns(Tool::Tcpcheck)) {
        let _ = writeln!(io::stderr().lock(), "tcpcheck: {finding}");
    }
}

/// What the watch begins without, and what becomes of it.
fn left_out(config: &Config) -> Vec<String> {
    let ours = |block| TOP.find(block).is_some_and(|k| k.status.is_used_by(Tool::Tcpcheck));
    let left = config.left_out.iter().filter(|l| ours(l.block));
    let mut lines: Vec<String> = left.map(|l| format!("started without {l}")).collect();
    let stay = if desired::reserved(config).unknown {
        "which services that was cannot be told: none is removed until the file is mended"
    } else {
        "what the table has of their services stays as it is until the file is mended"
    };
    if !lines.is_empty() {
        lines.push(stay.to_owned());
    }
    lines
}

/// Makes the table ours, then reads it: what its last owner still adds while we wait would be taken for missing, and
/// the servers of it for dead.
fn own<O>(ipvs: &mut impl Ipvs, claim: impl FnOnce() -> anyhow::Result<O>) -> anyhow::Result<(O, Table)> {
    let owner = claim()?;
    let found = ipvs.read().context("the IPVS table cannot be read")?;
    Ok((owner, found))
}

/// What the watch begins with besides the table that was `found`, and what there is to say of it.
fn remember(
    args: &Watch,
    config: &Config,
    drains: Option<Drains>,
    found: &Table,
) -> io::Result<(Remembered, Vec<(Level, String)>)> {
    let mut said = Vec::new();
    let kept = if args.ipvs { state::load(&state::path(".json")?) } else { Ok(Kept::default()) };
    let kept = kept.unwrap_or_else(|why| {
        said.push((Level::Error, why));
        Kept::default()
    });
    let mut remembered = kept.remembered;
    if !kept.config.is_empty() && kept.config != state::known_as(&args.config) {
        // It may be no more than a trial: what another file's clients use is not ours to take.
        let others = remembered.leave_to_others(config);
        let stays = others.iter().filter(|key| found.services.contains_key(key));
        let whose = &kept.config;
        let line = |key| format!("{key}: stays in the table: it is of {whose}, which was watched before");
        said.extend(in_short(stays.map(line).collect()).map(|line| (Level::Warn, line)));
    }
    if let Some(drains) = drains {
        remembered.drains = drains;
    }
    if *config.global.flush {
        remembered.owned.extend(found.services.keys());
    }
    Ok((remembered, said))
}

fn claim() -> anyhow::Result<Owner> {
    let until = clock::now() + CLAIM;
    loop {
        match Owner::claim("tcpcheck") {
            Err(OwnerError::Taken(_)) if clock::now() < until => {
                let soon = clock::now() + Duration::from_millis(50);
                Poll::new()?.wait(Some(soon), &mut Vec::new())?;
            }
            Err(OwnerError::Taken(who)) => bail!("{who} keeps the IPVS table here; stop it first"),
            other => return Ok(other?),
        }
    }
}

fn told(args: &Watch) -> io::Result<Option<Told>> {
    let form = args.events.or(if args.ipvs { None } else { Some(Events::Text) });
    let Some(form) = form else { return Ok(None) };
    let lines = Lines::start(io::stdout())?;
    Ok(Some(match form {
        Events::Text => Told::Text(lines),
        Events::Json => Told::Json(lines),
        Events::Rules => {
            Told::Rules { keeper: Keeper::new(lines.clone(), Table::default()), lines, behind: true }
        }
    }))
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use lvs_core::addr::Family;
    use lvs_core::ipvs::IpvsError;
    use lvs_core::ipvs::fake::Fake;
    use lvs_core::plan::Op;
    use lvs_core::table::{Service, ServiceKey};

    use super::*;

    /// A table that several programs write.
    struct Shared<'a>(&'a RefCell<Fake>);

    impl Ipvs for Shared<'_> {
        fn read(&mut self) -> Result<Table, IpvsError> {
            self.0.borrow_mut().read()
        }

        fn apply(&mut self, ops: &[Op]) -> Vec<Result<(), IpvsError>> {
            self.0.borrow_mut().apply(ops)
        }
    }

    #[test]
    fn what_the_last_owner_adds_while_the_watch_waits_for_it_is_found() {
        let kernel = RefCell::new(Fake::default());
        let key = ServiceKey::tcp(std::net::Ipv4Addr::new(10, 0, 0, 100), 80);
        let last_word = || {
            Shared(&kernel).apply(&[Op::AddService(key, Service::new("rr", Family::Inet))]);
            Ok(())
        };
        let ((), found) = own(&mut Shared(&kernel), last_word).unwrap();
        assert_eq!(found.services.keys().collect::<Vec<_>>(), [&key]);
    }
}
