//! Checkers of a real server.

use std::net::IpAddr;
use std::time::Duration;

use super::script::Command;
use crate::addr::Endpoint;
use crate::conf::place::At;

/// From where and to where a check connects.
#[derive(Clone, Debug, PartialEq)]
pub struct Probe {
    /// `connect_ip`, `connect_port` (default: the real server's address and the port that is written for it,
    /// even where the table holds the virtual server's port because of direct routing).
    pub connect_to: At<Endpoint>,
    /// `bindto`.
    pub bind_addr: Option<At<IpAddr>>,
    /// `bind_port`.
    pub bind_port: Option<At<u16>>,
    /// `bind_if`.
    pub bind_if: Option<At<String>>,
    /// `fwmark` on the socket; 0: none.
    pub mark: At<u32>,
    /// `connect_timeout` (default 5 s).
    pub timeout: At<Duration>,
}

/// One checker, with its schedule.
#[derive(Clone, Debug, PartialEq)]
pub struct Check {
    /// Where the block begins; says nothing by itself.
    pub place: At<()>,
    /// What it does.
    pub kind: CheckKind,
    /// The connection; present for MISC_CHECK and the like too, unused there.
    pub probe: Probe,
    /// `retry` (or `nb_get_retry`): tries after the first failed one. Default 1; MISC 0; DNS 3.
    pub retry: At<u32>,
    /// `delay_before_retry`: from the end of a failed try to the next. Default 1 s; HTTP 3 s; DNS `interval`.
    pub retry_delay: At<Duration>,
    /// `delay_loop`: from the end of a good check to the next (default: the virtual server's, 60 s).
    pub interval: At<Duration>,
    /// `warmup`: the first check comes after a random time up to this (default: `interval`).
    pub warmup: At<Duration>,
    /// `alpha`: down until it first succeeds.
    pub alpha: At<bool>,
    /// `log_all_failures`.
    pub log_all_failures: At<bool>,
}

/// What a check does.
#[derive(Clone, Debug, PartialEq)]
pub enum CheckKind {
    /// `TCP_CHECK`: connects.
    Tcp,
    /// `HTTP_GET`: fetches.
    Http(Box<Http>),
    /// `SSL_GET`: fetches over TLS.
    Ssl(Box<Http>),
    /// `MISC_CHECK`: runs a command.
    Misc(Box<Misc>),
    /// SMTP, DNS, UDP, PING, BFD and FILE checks, which nothing of ours does.
    Other(Other),
}

/// The checkers that are known but not done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Other {
    /// `SMTP_CHECK`.
    Smtp,
    /// `DNS_CHECK`.
    Dns,
    /// `UDP_CHECK`.
    Udp,
    /// `PING_CHECK`.
    Ping,
    /// `BFD_CHECK`.
    Bfd,
    /// `FILE_CHECK`.
    File,
}

/// `http_protocol`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum HttpVersion {
    /// `1.0`.
    #[default]
    V1_0,
    /// `1.0C`: with `Connection: close`.
    V1_0Close,
    /// `1.1`.
    V1_1,
}

/// `HTTP_GET` and `SSL_GET`.
#[derive(Clone, Debug, PartialEq)]
pub struct Http {
    /// `http_protocol`.
    pub version: At<HttpVersion>,
    /// `virtualhost` (default: the real server's, then the virtual server's).
    pub virtualhost: Option<At<String>>,
    /// `enable_sni` (SSL_GET).
    pub sni: At<bool>,
    /// `fast_recovery`.
    pub fast_recovery: At<bool>,
    /// The pages to fetch, at least one; all must be well.
    pub urls: Vec<Url>,
}

/// A range of status codes, ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Status {
    /// The first code.
    pub from: u16,
    /// The last code.
    pub to: u16,
}

/// `url { }`.
#[derive(Clone, Debug, PartialEq)]
pub struct Url {
    /// `path`.
    pub path: At<String>,
    /// `digest`: MD5 of the body.
    pub digest: Option<At<[u8; 16]>>,
    /// `status_code` (default 200-299).
    pub status: Vec<At<Status>>,
    /// `virtualhost` (default: the check's).
    pub virtualhost: Option<At<String>>,
    /// `regex`.
    pub regex: Option<At<String>>,
    /// `regex_no_match`: the page is well when it does not match.
    pub regex_no_match: At<bool>,
    /// `regex_options`, as written.
    pub regex_options: Vec<At<String>>,
    /// `regex_min_offset`, bytes.
    pub regex_min_offset: At<u32>,
    /// `regex_max_offset`, bytes; none: no limit.
    pub regex_max_offset: Option<At<u32>>,
}

/// `MISC_CHECK`.
#[derive(Clone, Debug, PartialEq)]
pub struct Misc {
    /// `misc_path` and `user`.
    pub command: Command,
    /// `misc_timeout` (default: `interval`).
    pub timeout: At<Duration>,
    /// `misc_dynamic`: statuses 2 to 255 set the weight to the status less 2.
    pub dynamic: At<bool>,
}
