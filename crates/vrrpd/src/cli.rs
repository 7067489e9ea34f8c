//! The command line.

use std::ffi::OsString;
use std::io::{self, Write};
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use log::LevelFilter;
use lvs_core::addr::{Family, Prefix};
use lvs_core::conf::check::Format;
use lvs_core::sys::child;
use lvs_core::sys::conf::{go_by, run_check};
use lvs_core::sys::log as logger;
use lvs_core::time::parse_duration;

use crate::control::{self, Question};
use crate::door::Door;
use crate::driver::{Driver, Source};
use crate::file::File;
use crate::packet::{Auth, Version};
use crate::params::Params;
use crate::rights;
use crate::spec::{Setup, Spec, Vip};

mod verbs;

/// Elects the director that holds the VIP (VRRP version 2 and 3, keepalived's configuration).
///
/// It stays in the foreground and logs to standard error.  SIGHUP reads the configuration anew, SIGTERM hands over
/// and ends.
#[derive(Debug, Parser)]
#[command(name = "vrrpd", version, args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
struct Cli {
    #[command(subcommand)]
    verb: Option<Verb>,
    #[command(flatten)]
    run: Run,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Says how a running daemon stands
    Status {
        /// As JSON; the manual page says what is in it
        #[arg(long)]
        json: bool,
        /// Again every second
        #[arg(long)]
        watch: bool,
        #[command(flatten)]
        at: At,
    },
    /// Prints the counters of a running daemon for Prometheus
    Metrics(At),
    /// Hands an instance over and keeps it out of the election
    Release(Which),
    /// Lets a released instance take part again
    Resume(Which),
    /// Tells the hosts again where the addresses are
    Garp(Which),
    /// Lets a running daemon read its configuration anew
    Reload(At),
    /// Removes what a killed daemon left behind: addresses, routes, rules, interfaces
    Flush {
        /// keepalived.conf
        #[arg(long, value_name = "FILE")]
        config: PathBuf,
        /// Take the @NAME lines of keepalived.conf [default: this host's name to its first dot]
        #[arg(long, short = 'i', value_name = "NAME")]
        config_id: Option<String>,
        #[command(flatten)]
        at: At,
    },
    /// Reads a configuration and says all that is wrong with it; touches nothing
    Check {
        /// keepalived.conf
        #[arg(long, value_name = "FILE")]
        config: String,
        /// Take the @NAME lines of keepalived.conf [default: this host's name to its first dot]
        #[arg(long, short = 'i', value_name = "NAME")]
        config_id: Option<String>,
        /// text for people, json for programs: one object a finding
        #[arg(long, default_value = "text", value_name = "FORM")]
        format: Format,
        /// Warnings count: exit 1
        #[arg(long)]
        strict: bool,
    },
}

/// Which daemon.
#[derive(Debug, Args)]
struct At {
    /// The name of the daemon's socket
    #[arg(long, value_name = "NAME", default_value = control::NAME, value_parser = name)]
    socket: String,
}

#[derive(Debug, Args)]
struct Which {
    /// The instance's name; without it every instance
    instance: Option<String>,
    #[command(flatten)]
    at: At,
}

#[derive(Debug, Args)]
struct Run {
    /// Run the vrrp_instance blocks of this keepalived.conf
    #[arg(long, short = 'f', value_name = "FILE", required_unless_present = "interface")]
    config: Option<PathBuf>,
    /// Take the @NAME lines of keepalived.conf [default: this host's name to its first dot]
    #[arg(long, short = 'i', value_name = "NAME")]
    config_id: Option<String>,
    /// Write everything that the routers are told, and what they do, to this file
    #[arg(long, value_name = "FILE")]
    record: Option<PathBuf>,
    /// Log more: once for the details of decisions
    #[arg(long, short, action = clap::ArgAction::Count)]
    verbose: u8,
    #[command(flatten)]
    at: At,
    #[command(flatten)]
    one: One,
}

/// One virtual router without a file.
#[derive(Clone, Debug, Args)]
struct One {
    /// Run one virtual router on this interface, without a file
    #[arg(long, value_name = "IFACE", conflicts_with = "config", requires_all = ["vrid", "vip"])]
    interface: Option<String>,
    /// Its number, the same on all its routers
    #[arg(long, value_name = "1-255", value_parser = clap::value_parser!(u8).range(1..), requires = "interface")]
    vrid: Option<u8>,
    /// The highest priority becomes master
    #[arg(long, value_name = "1-255", default_value_t = 100, value_parser = clap::value_parser!(u8).range(1..))]
    priority: u8,
    /// An address to hold while master: 192.168.15.111/32 (may be repeated)
    #[arg(long, value_name = "ADDR/32", requires = "interface")]
    vip: Vec<Prefix>,
    /// Seconds between advertisements, such as 1 or 0.1s; version 2 takes whole seconds
    #[arg(long, value_name = "TIME", default_value = "1", value_parser = interval)]
    interval: Duration,
    /// Speak version 3 over IPv4 (IPv6 always does)
    #[arg(long)]
    v3: bool,
    /// The password of version 2, at most 8 bytes
    #[arg(long, value_name = "TEXT")]
    password: Option<String>,
    /// Leave a running master of lower priority alone
    #[arg(long)]
    nopreempt: bool,
}

/// Part of a file's name.
fn name(text: &str) -> Result<String, String> {
    let whole = !text.is_empty() && text.len() <= 40 && !text.contains('/');
    if whole { Ok(text.to_owned()) } else { Err("write a name, up to 40 bytes without '/'".to_owned()) }
}

/// What an advertisement can say.
fn interval(text: &str) -> Result<Duration, String> {
    let duration = parse_duration(text).map_err(|e| e.to_string())?;
    let fits = (10..=40_950).contains(&duration.as_millis());
    if fits { Ok(duration) } else { Err("an interval is 10 ms to 40.95 s".to_owned()) }
}

impl One {
    fn setup(&self) -> Result<Setup, String> {
        let (Some(interface), Some(vrid)) = (&self.interface, self.vrid) else {
            return Err("--interface, --vrid and --vip are needed without --config".to_owned());
        };
        if let Some(bad) = self.vip.iter().find(|v| !v.is_host()) {
            return Err(format!("--vip {bad}: a VIP is a single address: write {}", Prefix::host(bad.addr)));
        }
        let family = self.vip.first().map_or(Family::Inet, |v| Family::of(v.addr));
        let version = if self.v3 || family == Family::Inet6 { Version::V3 } else { Version::V2 };
        if version == Version::V3 && self.password.is_some() {
            return Err(
                "--password: version 3 has none, and IPv6 is always version 3: leave it out".to_owned()
            );
        }
        if version == Version::V2 && self.interval.subsec_nanos() != 0 {
            return Err("--interval: version 2 knows whole seconds only; use --v3".to_owned());
        }
        Ok(Setup { instances: vec![self.spec(interface, vrid, family, version)], ..Setup::default() })
    }

    fn spec(&self, interface: &str, vrid: u8, family: Family, version: Version) -> Spec {
        let password = |p: &String| std::array::from_fn(|i| p.as_bytes().get(i).copied().unwrap_or(0));
        let group: IpAddr = match family {
            Family::Inet => [224, 0, 0, 18].into(),
            Family::Inet6 => [0xff02, 0, 0, 0, 0, 0, 0, 0x12].into(),
        };
        let params = Params {
            version,
            priority: self.priority,
            interval: self.interval,
            preempt: !self.nopreempt,
            ..Params::default()
        };
        let vips: Vec<IpAddr> =
            self.vip.iter().map(|v| v.addr).filter(|a| Family::of(*a) == family).collect();
        let door = Door {
            version,
            interval: self.interval,
            auth: self.password.as_ref().map_or(Auth::None, |p| Auth::Pass(password(p))),
            vips,
            peers: Vec::new(),
            check_source: false,
            old_sum: None,
        };
        let vips = self.vip.iter().map(|v| Vip::plain(interface, *v)).collect();
        Spec::new(&format!("vrid-{vrid}"), interface, vrid, group, params, door, vips)
    }
}

/// The configuration of a run.
#[derive(Clone)]
enum Config {
    File(File),
    One(Box<One>),
}

impl Source for Config {
    fn read(&mut self) -> Result<Setup, String> {
        match self {
            Self::File(file) => file.read(),
            Self::One(one) => one.setup(),
        }
    }
}

/// Runs the command line and gives the exit status: 0 done, 1 no, 2 the command line or the file is wrong.
pub fn run(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let cli = match Cli::try_parse_from(args) {
        Ok(cli) => cli,
        Err(e) => {
            // The text goes to standard output for --help, else to standard error; nobody hears a failure of that.
            let _ = e.print();
            return ExitCode::from(u8::try_from(e.exit_code()).unwrap_or(2));
        }
    };
    match cli.verb {
        Some(Verb::Status { json, watch, at }) => verbs::status(&at.socket, json, watch),
        Some(Verb::Metrics(at)) => verbs::metrics(&at.socket),
        Some(Verb::Release(w)) => verbs::order(&w.at.socket, &Question::Release(w.instance)),
        Some(Verb::Resume(w)) => verbs::order(&w.at.socket, &Question::Resume(w.instance)),
        Some(Verb::Garp(w)) => verbs::order(&w.at.socket, &Question::Garp(w.instance)),
        Some(Verb::Reload(at)) => verbs::order(&at.socket, &Question::Reload),
        Some(Verb::Flush { config, config_id, at }) => {
            go_by(config_id);
            verbs::flush(config, &at.socket)
        }
        Some(Verb::Check { config, config_id, format, strict }) => {
            go_by(config_id);
            ExitCode::from(run_check(&config, format, strict))
        }
        None => daemon(cli.run),
    }
}

fn daemon(run: Run) -> ExitCode {
    let level = if run.verbose > 0 { LevelFilter::Debug } else { LevelFilter::Info };
    if let Err(e) = rights::give_up() {
        complain(&format!("cannot give up capabilities: {e}"));
        return ExitCode::FAILURE;
    }
    if let Err(e) = logger::init("vrrpd", level) {
        complain(&format!("cannot start the log: {e}"));
        return ExitCode::FAILURE;
    }
    child::keep_statuses();
    go_by(run.config_id);
    let config = match run.config {
        Some(path) => Config::File(File::new(path)),
        None => Config::One(Box::new(run.one)),
    };
    let status = serve(config, &run.at.socket, run.record.as_deref());
    log::logger().flush();
    status
}

fn serve(config: Config, name: &str, record: Option<&Path>) -> ExitCode {
    let mut driver = match Driver::start(config, name, record) {
        Ok(driver) => driver,
        Err(refusal) => {
            complain(&refusal.text);
            // The unit does not start it again after 2.
            return ExitCode::from(if refusal.may_pass { 1 } else { 2 });
        }
    };
    match driver.run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            log::error!("cannot wait for events: {e}");
            ExitCode::FAILURE
        }
    }
}

/// A text of one or more lines for the person at the prompt.
fn complain(text: &str) {
    let mut err = io::stderr().lock();
    let _ = text.lines().try_for_each(|line| {
        if line.starts_with(' ') { writeln!(err, "{line}") } else { writeln!(err, "vrrpd: {line}") }
    });
}

#[cfg(test)]
mod tests;
