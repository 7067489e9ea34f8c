//! The command line.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use lvs_core::conf::check::Format;
use lvs_core::time::parse_duration;

use crate::drains::Drained;
use crate::once;
use crate::options::{Options, Way};
use crate::schedule::Hold;

/// Finds dead real servers and keeps the IPVS table true
#[derive(Debug, Parser)]
#[command(name = "tcpcheck", version, args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub struct Cli {
    /// What to do instead of checking targets once
    #[command(subcommand)]
    pub verb: Option<Verb>,
    /// The targets and how to check them
    #[command(flatten)]
    pub once: Once,
}

/// What to do instead of checking targets once.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Follows the checks of a keepalived.conf and tells or makes every change
    Watch(Box<Watch>),
    /// Says what the running watch knows: exit 0 all up, 1 some down
    Status(AskStatus),
    /// Prints the running watch's metrics for Prometheus
    Metrics(Ask),
    /// Takes real servers out of service: weight 0, old connections go on
    Drain(Drain),
    /// Gives real servers back
    Resume(Change),
    /// Says all that is wrong with a keepalived.conf, and touches nothing
    Check(Check),
}

/// Whom to ask.
#[derive(Debug, Args)]
pub struct Ask {
    /// The watch's socket, if it was started with one
    #[arg(long, value_name = "PATH")]
    pub socket: Option<PathBuf>,
}

/// What to show.
#[derive(Debug, Args)]
pub struct AskStatus {
    /// Prints JSON
    #[arg(long, conflicts_with = "watch")]
    pub json: bool,
    /// Shows it anew every second
    #[arg(long)]
    pub watch: bool,
    /// Whom to ask
    #[command(flatten)]
    pub ask: Ask,
}

/// Whom to drain or resume.
#[derive(Debug, Args)]
pub struct Change {
    /// The real servers; an address alone means all of its ports
    #[arg(required = true, value_name = "ADDRESS[:PORT]")]
    pub servers: Vec<Drained>,
    /// Whom to ask
    #[command(flatten)]
    pub ask: Ask,
}

/// What to drain, and whether to wait.
#[derive(Debug, Args)]
pub struct Drain {
    /// Which servers, and whom to ask
    #[command(flatten)]
    pub change: Change,
    /// Waits until no connection is left, at most this long (30s, 10m); then the exit status is 1
    #[arg(long, value_name = "TIME", value_parser = parse_duration)]
    pub wait: Option<Duration>,
}

/// Judges a configuration: exit 0 unless there are errors (2), or warnings that are to count (1).
#[derive(Debug, Args)]
pub struct Check {
    /// The keepalived.conf
    #[arg(long, value_name = "FILE")]
    pub config: String,
    /// Take the @NAME lines of keepalived.conf [default: this host's name to its first dot]
    #[arg(long, short = 'i', value_name = "NAME")]
    pub config_id: Option<String>,
    /// text for people, json for programs: one object a finding
    #[arg(long, default_value = "text", value_name = "FORM")]
    pub format: Format,
    /// Warnings count: exit 1
    #[arg(long)]
    pub strict: bool,
}

/// Checks targets once: exit 0 all up, 1 some down, 2 wrong usage
#[derive(Debug, Args)]
pub struct Once {
    /// What to check; - reads more from standard input, one a line
    #[arg(required = true, value_name = "HOST:PORT", value_parser = target)]
    pub targets: Vec<String>,
    /// The most that one try may take
    #[arg(long, default_value = "5s", value_parser = parse_duration)]
    pub timeout: Duration,
    /// Tries after the first failed one
    #[arg(long, default_value_t = 1, value_name = "N")]
    pub retries: u32,
    /// From the end of a failed try to the next
    #[arg(long, default_value = "1s", value_parser = parse_duration)]
    pub delay: Duration,
    /// The source address
    #[arg(long, value_name = "ADDRESS")]
    pub bind: Option<IpAddr>,
    /// The interface that the packets leave by
    #[arg(long, value_name = "INTERFACE")]
    pub dev: Option<String>,
    /// How a good connection ends
    #[arg(long, value_enum, default_value_t = Close::Fin)]
    pub close: Close,
    /// Prints a JSON array
    #[arg(long, conflicts_with = "quiet")]
    pub json: bool,
    /// Prints nothing: the exit status tells
    #[arg(long, short)]
    pub quiet: bool,
}

/// How a good connection ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Close {
    /// In order; stays in TIME_WAIT on this host for a minute
    Fin,
    /// At once; many servers log it
    Rst,
}

/// Follows the checks of a configuration.
#[derive(Clone, Debug, Args)]
pub struct Watch {
    /// The keepalived.conf with the virtual servers
    #[arg(long, value_name = "FILE")]
    pub config: String,
    /// Take the @NAME lines of keepalived.conf [default: this host's name to its first dot]
    #[arg(long, short = 'i', value_name = "NAME")]
    pub config_id: Option<String>,
    /// Keeps the kernel's IPVS table as the file and the checks say
    #[arg(long)]
    pub ipvs: bool,
    /// Prints each change (default: text without --ipvs, nothing with it)
    #[arg(long, value_enum, value_name = "FORM")]
    pub events: Option<Events>,
    /// Looks at the kernel's table this often for what others changed
    #[arg(long, default_value = "10s", value_name = "TIME", value_parser = parse_duration)]
    pub resync: Duration,
    /// Removes the file's services at the stop instead of leaving them
    #[arg(long, requires = "ipvs")]
    pub clear_on_exit: bool,
    /// Says in words what would be done, and the rule lines that would be sent; touches nothing
    #[arg(long)]
    pub explain: bool,
    /// Good tries in a row that bring a dead server back
    #[arg(long, default_value_t = 1, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub rise: u32,
    /// A server that keeps dying waits this long after its second death, twice as long after each further one
    #[arg(long, value_name = "TIME", value_parser = parse_duration)]
    pub hold_down: Option<Duration>,
    /// The longest such wait; a server that lived longer starts anew [default: 5m]
    #[arg(long, value_name = "TIME", value_parser = parse_duration)]
    pub hold_down_max: Option<Duration>,
    /// A server that comes back gets its weight bit by bit over this time
    #[arg(long, value_name = "TIME", value_parser = parse_duration)]
    pub slow_start: Option<Duration>,
    /// Takes at most this share of a virtual server's real servers out, in percent
    #[arg(long, value_name = "PERCENT", value_parser = clap::value_parser!(u8).range(1..=100))]
    pub brake: Option<u8>,
    /// How much earlier than its interval a try may come, in percent
    #[arg(long, default_value_t = 5, value_name = "PERCENT", value_parser = clap::value_parser!(u8).range(0..=50))]
    pub jitter: u8,
    /// How a good connection ends
    #[arg(long, value_enum, default_value_t = Close::Fin)]
    pub close: Close,
    /// Which address of a real server is checked
    #[arg(long, value_enum, default_value_t = Way::Rip)]
    pub via: Way,
    /// Answers status, metrics, drain and resume at this path (default with --ipvs: one in /run/lvs)
    #[arg(long, value_name = "PATH")]
    pub socket: Option<PathBuf>,
    /// Servers that are out of service, one ADDRESS[:PORT] a line; read at the start and at SIGHUP
    #[arg(long, value_name = "FILE")]
    pub drain_file: Option<PathBuf>,
}

/// The longest wait of a server that keeps dying.
const HELD: Duration = Duration::from_secs(300);

impl Watch {
    /// What flags say that contradict each other.
    pub fn contradiction(&self) -> Option<&'static str> {
        let shorter = self.hold_down_max.zip(self.hold_down).is_some_and(|(most, base)| most < base);
        shorter
            .then_some("--hold-down-max is shorter than --hold-down: the first wait would be the longer one")
    }

    /// What the flags add to the file.
    pub fn options(&self) -> Options {
        Options {
            rise: self.rise,
            hold: self
                .hold_down
                .map(|base| Hold { base, most: self.hold_down_max.unwrap_or(HELD.max(base)) }),
            jitter_percent: self.jitter,
            slow_start: self.slow_start,
            brake_percent: self.brake,
            reset: self.close == Close::Rst,
            way: self.via,
        }
    }
}

/// How changes are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Events {
    /// A sentence each
    Text,
    /// A line of JSON each
    Json,
    /// Rule lines for ipvsctl -R or ipvsadm -R, the whole table first
    Rules,
}

fn target(text: &str) -> Result<String, String> {
    if text == "-" { Ok(text.to_owned()) } else { once::target(text) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn watch(flags: &str) -> Result<Box<Watch>, clap::Error> {
        let words = format!("tcpcheck watch --config f {flags}");
        let cli = Cli::try_parse_from(words.split_whitespace())?;
        let Some(Verb::Watch(watch)) = cli.verb else { unreachable!("{words}") };
        Ok(watch)
    }

    #[test]
    fn flags_that_contradict_each_other_are_refused() {
        assert!(watch("--clear-on-exit").is_err());
        assert!(watch("--check").is_err(), "a file is judged by the verb");
        assert!(watch("--clear-on-exit --ipvs").is_ok());
        let held = |flags: &str| watch(flags).unwrap();
        assert!(held("--hold-down 10m --hold-down-max 5m").contradiction().is_some());
        for (flags, most) in [("", 600), (" --hold-down-max 10m", 600), (" --hold-down-max 20m", 1200)] {
            let flags = format!("--hold-down 10m{flags}");
            let held = held(&flags);
            assert_eq!(held.contradiction(), None);
            assert_eq!(held.options().hold.unwrap().most, Duration::from_secs(most));
        }
        assert_eq!(held("--hold-down 1s").options().hold.unwrap().most, HELD);
    }
}
