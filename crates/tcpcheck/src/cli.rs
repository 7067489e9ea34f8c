//! The command line.

use std::net::IpAddr;
use std::time::Duration;

use clap::{Args, Parser};
use lvs_core::time::parse_duration;

use crate::once;

/// Finds dead real servers and keeps the IPVS table true
#[derive(Debug, Parser)]
#[command(name = "tcpcheck", version)]
pub struct Cli {
    /// The targets and how to check them
    #[command(flatten)]
    pub once: Once,
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

fn target(text: &str) -> Result<String, String> {
    if text == "-" { Ok(text.to_owned()) } else { once::target(text) }
}
