//! The command line.

use std::ffi::OsString;
use std::net::IpAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};

use lvs_core::sys::netlink::NetlinkError;
use nix::unistd::geteuid;

use crate::output::{self, Output};
use crate::persist::Format;
use crate::{run, vip};

/// Done, and all is well.
pub const YES: u8 = 0;
/// Not done, or not well.
pub const NO: u8 = 1;
/// The command line or the file is wrong; nothing was touched.
pub const USAGE: u8 = 2;

/// The codes of warnings that `--fix` mends where they are named: what they find may be meant.
const MEANT: [&str; 2] = ["proxy-arp", "rp-filter"];

/// Where it is remembered what was there before, unless `--state-dir` says otherwise.
pub const STATE_DIR: &str = "/run/rs-prep";

/// Prepares an LVS real server: the VIP on lo, silent in ARP, and everything taken back again.
#[derive(Debug, Parser)]
#[command(name = "rs-prep", version, max_term_width = 100)]
pub struct Cli {
    /// Where earlier settings are remembered between up and down
    #[arg(long, value_name = "DIR", global = true, default_value = STATE_DIR)]
    pub state_dir: PathBuf,
    /// Take the @NAME lines of --config [default: this host's name to its first dot]
    #[arg(long, short = 'i', value_name = "NAME", global = true)]
    pub config_id: Option<String>,
    /// Say nothing when all went well
    #[arg(short, long, global = true)]
    pub quiet: bool,
    /// What to do.
    #[command(subcommand)]
    pub verb: Verb,
}

/// The verbs.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Put VIPs on this host: ARP settings first, then the address, then the host route
    Up(Up),
    /// Take VIPs off this host: route, address, and with the last VIP the earlier settings
    Down(Down),
    /// Find every mistake that can be seen on this host, and say what mends it
    Check(Check),
    /// Ask the LAN who answers for a VIP, and the real servers what they do with its packets
    Probe(Probe),
    /// Announce a VIP from the director that holds it, so that everybody unlearns a leak
    Heal(Heal),
    /// Print (or write) the files that prepare this host again after a reboot
    Persist(Persist),
    /// Remove the files that persist wrote
    Unpersist(Unpersist),
}

/// Which VIPs.
#[derive(Debug, Args)]
pub struct Vips {
    /// The VIPs, each a single address (/32 or /128)
    #[arg(value_name = "VIP", value_parser = address)]
    pub vips: Vec<IpAddr>,
    /// Those of the DR and TUN services of this keepalived.conf in which this host is a real server
    #[arg(long, value_name = "FILE", conflicts_with = "vips")]
    pub config: Option<PathBuf>,
}

/// `up`.
#[derive(Debug, Args)]
pub struct Up {
    /// Which VIPs.
    #[command(flatten)]
    pub which: Vips,
    /// The VIPs' packets come through a tunnel (lb_kind TUN): use tunl0 or ip6tnl0 instead of lo
    #[arg(long, conflicts_with = "config")]
    pub tunnel: bool,
    /// Scope of the address [default: global]: with host, this host never uses the VIP for its own connections
    #[arg(long, value_enum)]
    pub scope: Option<Scope>,
    /// Label of the (single) IPv4 address [default: the next free of lo:0, lo:1, ...]
    #[arg(long, value_name = "LABEL", value_parser = label)]
    pub label: Option<String>,
    /// Leave out the host route that runbooks add; the kernel does not need it
    #[arg(long)]
    pub no_route: bool,
    /// Print the commands that would make the same state, and change nothing
    #[arg(short = 'n', long)]
    pub dry_run: bool,
}

/// `down`.
#[derive(Debug, Args)]
pub struct Down {
    /// Which VIPs.
    #[command(flatten)]
    pub which: Vips,
    /// Every VIP that rs-prep put on this host
    #[arg(long, conflicts_with_all = ["vips", "config"])]
    pub all: bool,
    /// Print the commands that would make the same state, and change nothing
    #[arg(short = 'n', long)]
    pub dry_run: bool,
}

/// `check`.
#[derive(Debug, Args)]
pub struct Check {
    /// Which VIPs.
    #[command(flatten)]
    pub which: Vips,
    /// The named VIPs' packets come through a tunnel (lb_kind TUN)
    #[arg(long, conflicts_with = "config")]
    pub tunnel: bool,
    /// Also see that a program listens on this port of each VIP
    #[arg(short, long, value_name = "PORT", conflicts_with = "config", value_parser = port())]
    pub port: Vec<u16>,
    /// A director's address, which must not be the default gateway
    #[arg(long, value_name = "ADDRESS")]
    pub director: Vec<IpAddr>,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
    /// Mend the errors that can be mended without asking, and the warnings of this CODE, then judge again
    #[arg(long, value_name = "CODE", num_args = 0..=1, require_equals = true, value_parser = MEANT)]
    pub fix: Option<Vec<String>>,
}

/// `probe`.
#[derive(Debug, Args)]
pub struct Probe {
    /// The VIP
    #[arg(value_parser = address)]
    pub vip: IpAddr,
    /// The interface towards the real servers
    #[arg(short, long, value_name = "IFACE")]
    pub dev: String,
    /// Also send a SYN to this port of each real server, at the VIP and at its own address
    #[arg(short, long, value_parser = port())]
    pub port: Option<u16>,
    /// A real server [default: those of this host's IPVS table]
    #[arg(short, long, value_name = "RIP", conflicts_with = "config")]
    pub real_server: Vec<IpAddr>,
    /// The real servers and ports of the VIP in this keepalived.conf
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// How long answers are waited for: seconds, or with a unit (500ms)
    #[arg(short, long, value_name = "TIME", default_value = "1", value_parser = duration)]
    pub timeout: Duration,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}

/// `heal`.
#[derive(Debug, Args)]
pub struct Heal {
    /// The VIP
    #[arg(value_parser = address)]
    pub vip: IpAddr,
    /// The interface that holds it
    #[arg(short, long, value_name = "IFACE")]
    pub dev: String,
    /// How often it is announced, five times a second
    #[arg(short, long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub count: u32,
    /// Announce it although others answer for it
    #[arg(short, long)]
    pub force: bool,
}

/// `persist`.
#[derive(Debug, Args)]
pub struct Persist {
    /// Which VIPs; without any, those that this host holds.
    #[command(flatten)]
    pub which: Vips,
    /// The named VIPs' packets come through a tunnel (lb_kind TUN)
    #[arg(long, conflicts_with = "config")]
    pub tunnel: bool,
    /// What configures the network of this host
    #[arg(long, value_enum)]
    pub format: Format,
    /// Write the files instead of printing them
    #[arg(long)]
    pub write: bool,
    /// The root to write below, for images
    #[arg(long, value_name = "DIR", default_value = "/")]
    pub root: PathBuf,
}

/// `unpersist`.
#[derive(Debug, Args)]
pub struct Unpersist {
    /// The root to remove below, for images
    #[arg(long, value_name = "DIR", default_value = "/")]
    pub root: PathBuf,
}

/// The scope of an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Scope {
    /// As `ip address add` and ifconfig make it.
    Global,
    /// Only on this host.
    Host,
}

/// Nobody listens on port 0.
fn port() -> clap::builder::RangedI64ValueParser<u16> {
    clap::value_parser!(u16).range(1..)
}

fn address(text: &str) -> Result<IpAddr, String> {
    vip::parse(text).map_err(|e| e.to_string())
}

/// The shortest wait that an answer can meet.
const SHORTEST: Duration = Duration::from_millis(1);
/// The longest wait that makes sense for a LAN.
const LONGEST: Duration = Duration::from_secs(3600);

fn duration(text: &str) -> Result<Duration, String> {
    let duration = lvs_core::time::parse_duration(text).map_err(|e| e.to_string())?;
    let fits = (SHORTEST..=LONGEST).contains(&duration);
    fits.then_some(duration).ok_or_else(|| format!("a time is {SHORTEST:?} to {LONGEST:?}"))
}

/// IFNAMSIZ with its zero byte.
const LABEL: usize = 15;

fn label(text: &str) -> Result<String, String> {
    match text.len() {
        0 => Err("an empty label".to_owned()),
        1..=LABEL => Ok(text.to_owned()),
        len => Err(format!("{len} characters; the kernel takes {LABEL}")),
    }
}

/// Runs the tool and gives its exit status: 0 done, 1 not, 2 the command line or the file is wrong.
pub fn main(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    let cli = match Cli::try_parse_from(args) {
        Ok(cli) => cli,
        // clap writes help to standard output and errors to standard error.
        Err(e) => {
            let _ = e.print();
            return ExitCode::from(if e.use_stderr() { USAGE } else { YES });
        }
    };
    let mut out = Output::new(cli.quiet);
    let code = run::run(&cli, &mut out).unwrap_or_else(|error| {
        let text = format!("{error:#}");
        let why = hint(&text, is_denied(&error), geteuid().is_root());
        output::say(format_args!("{text}{why}"));
        if error.is::<Wrong>() { USAGE } else { NO }
    });
    ExitCode::from(code)
}

/// Whether the kernel refused for want of rights; a file that may not be written says enough by itself.
fn is_denied(error: &anyhow::Error) -> bool {
    let mut errors = error.chain().filter_map(|cause| cause.downcast_ref::<NetlinkError>());
    errors.any(|e| std::io::Error::from(e.errno).kind() == std::io::ErrorKind::PermissionDenied)
}

/// What whoever runs this lacks, unless the error says it.
fn hint(text: &str, denied: bool, root: bool) -> &'static str {
    let said = ["needs root", "as root"].iter().any(|words| text.contains(words));
    match (denied && !said, root) {
        (false, _) => "",
        (true, false) => ": rs-prep needs CAP_NET_ADMIN, run it as root",
        (true, true) => {
            ": root lacks CAP_NET_ADMIN here; give it to this container, or run rs-prep outside of it"
        }
    }
}

/// An error of what the user wrote, not of the host.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Wrong(pub String);

#[cfg(test)]
mod tests;
