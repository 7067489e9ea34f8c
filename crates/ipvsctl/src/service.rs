//! How the verbs are told which service and which real server: with ipvsadm's own options.

use std::net::IpAddr;
use std::str::FromStr;

use lvs_core::addr::Endpoint;
use lvs_core::plan::Op;
use lvs_core::rule::{Command, NoNames, parse};
use lvs_core::table::ServiceKey;

use crate::failure::Failure;

/// The options that name a virtual service.
#[derive(Clone, Debug, Default, clap::Args)]
#[group(skip)]
pub struct ServiceArgs {
    /// A TCP service
    #[arg(short, long, value_name = "VIP:PORT", group = "service")]
    tcp_service: Option<String>,
    /// A UDP service
    #[arg(short, long, value_name = "VIP:PORT", group = "service")]
    udp_service: Option<String>,
    /// An SCTP service
    #[arg(long, value_name = "VIP:PORT", group = "service")]
    sctp_service: Option<String>,
    /// A firewall mark
    #[arg(short, long, value_name = "MARK", group = "service")]
    fwmark_service: Option<String>,
    /// The firewall mark is of IPv6 packets
    #[arg(short = '6', long, requires = "fwmark_service")]
    ipv6: bool,
}

impl ServiceArgs {
    /// The service; none if no option names one.
    ///
    /// # Errors
    /// The value is no address or mark.
    pub fn key(&self) -> Result<Option<ServiceKey>, Failure> {
        let options = [
            ("-t", &self.tcp_service),
            ("-u", &self.udp_service),
            ("--sctp-service", &self.sctp_service),
            ("-f", &self.fwmark_service),
        ];
        let Some((option, value)) = options.into_iter().find_map(|(o, v)| Some((o, v.as_deref()?))) else {
            return Ok(None);
        };
        // The rule language reads services; the line that needs nothing else is the one that deletes one.
        let words = ["-D", option, value].into_iter().chain(self.ipv6.then_some("-6"));
        match parse(words, &NoNames) {
            Ok(Command::Op(Op::DelService(key))) => Ok(Some(key)),
            Ok(_) => Ok(None),
            Err(refusal) => Err(Failure::Usage(refusal.text)),
        }
    }
}

/// A real server: one port of a host, or all that a host has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RealServer {
    /// The host.
    pub addr: IpAddr,
    /// The port; none: every port.
    pub port: Option<u16>,
}

impl RealServer {
    /// Whether this is, or includes, the server at `endpoint`.
    pub fn covers(&self, endpoint: Endpoint) -> bool {
        self.addr == endpoint.addr && self.port.is_none_or(|p| p == endpoint.port)
    }
}

impl FromStr for RealServer {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Ok(Endpoint { addr, port }) = text.parse() {
            return Ok(Self { addr, port: Some(port) });
        }
        let bad = |_| "not ADDRESS or ADDRESS:PORT (10.0.0.1, 10.0.0.1:80, 2001:db8::1, [2001:db8::1]:80)";
        Ok(Self { addr: text.parse().map_err(bad)?, port: None })
    }
}

impl std::fmt::Display for RealServer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.port {
            Some(port) => Endpoint { addr: self.addr, port }.fmt(f),
            None => self.addr.fmt(f),
        }
    }
}
