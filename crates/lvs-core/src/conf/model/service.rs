//! `virtual_server`, `virtual_server_group` and `real_server`.

use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use super::check::Check;
use super::script::Command;
use crate::addr::{Endpoint, Family};
use crate::conf::place::At;
use crate::table::{Forward, Protocol, ServiceFlags};

/// What a virtual server listens to.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Target {
    /// An address and port; port 0 is every port.
    Addr(Endpoint),
    /// A firewall mark.
    Mark(u32),
    /// A `virtual_server_group`, by name; it exists in [`super::Config::server_groups`].
    Group(String),
}

/// For people: `192.168.15.111:443`, `fwmark 7`, `group web`.
impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Addr(endpoint) => endpoint.fmt(f),
            Self::Mark(mark) => write!(f, "fwmark {mark}"),
            Self::Group(name) => write!(f, "group {name}"),
        }
    }
}

/// A line of a `virtual_server_group`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GroupEntry {
    /// `A[-B] [PORT]`: the addresses from the first to the last, both included; a single one is its own last.
    /// Port 0 is every port.
    Range {
        /// The first address.
        first: IpAddr,
        /// The last address.
        last: IpAddr,
        /// The port.
        port: u16,
    },
    /// `fwmark N [inet|inet6]`; without a family it is that of the real servers.
    Mark {
        /// The mark.
        mark: u32,
        /// The written family.
        family: Option<Family>,
    },
}

impl GroupEntry {
    /// The addresses of a range, the first and the last included; none of a mark, or of a range over two families.
    pub fn addresses(&self) -> Box<dyn Iterator<Item = IpAddr>> {
        match *self {
            Self::Range { first: IpAddr::V4(a), last: IpAddr::V4(b), .. } => {
                Box::new((u32::from(a)..=u32::from(b)).map(|n| IpAddr::V4(n.into())))
            }
            Self::Range { first: IpAddr::V6(a), last: IpAddr::V6(b), .. } => {
                Box::new((u128::from(a)..=u128::from(b)).map(|n| IpAddr::V6(n.into())))
            }
            _ => Box::new(std::iter::empty()),
        }
    }
}

/// `virtual_server_group NAME { }`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerGroup {
    /// Its name.
    pub name: At<String>,
    /// Its lines.
    pub entries: Vec<At<GroupEntry>>,
}

/// `sorry_server`: serves while the quorum is lost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sorry {
    /// Its address and port (port default: the virtual server's; with DR or TUN always the virtual server's).
    pub endpoint: At<Endpoint>,
    /// How packets reach it (`sorry_server_lvs_method`, default: the virtual server's method).
    pub forward: At<Forward>,
    /// `sorry_server_inhibit`: weight 0 instead of removal while it is not needed.
    pub inhibit: At<bool>,
}

/// `virtual_server`.
#[derive(Clone, Debug, PartialEq)]
pub struct VirtualServer {
    /// What it listens to.
    pub target: At<Target>,
    /// The family of its packets: the address's, of a group the first one's; without an address [`Self::mark_family`].
    pub family: Family,
    /// The family of its firewall marks that say none: `ip_family` or the real servers'.
    pub mark_family: Family,
    /// `protocol` (default UDP, as in keepalived; a mark has none, and this is not used).
    pub protocol: At<Protocol>,
    /// `delay_loop` (default 60 s).
    pub delay_loop: At<Duration>,
    /// `lb_algo`, the kernel's name (default `wlc`).
    pub scheduler: At<String>,
    /// `ops` and the schedulers' flags.
    pub flags: At<ServiceFlags>,
    /// `lb_kind` (default NAT).
    pub forward: At<Forward>,
    /// `persistence_timeout`, seconds; none: no persistence.
    pub persistence: Option<At<u32>>,
    /// `persistence_granularity`: IPv4 the mask as a number in host order, IPv6 the prefix length.
    pub granularity: At<u32>,
    /// `persistence_engine`.
    pub engine: Option<At<String>>,
    /// `sorry_server`.
    pub sorry: Option<Sorry>,
    /// `alpha`: real servers are down until their first good check.
    pub alpha: At<bool>,
    /// `omega`: notifiers run at the stop too.
    pub omega: At<bool>,
    /// `quorum` (default 1): the least sum of weights of live real servers. Never more than all weights together.
    pub quorum: At<u32>,
    /// `hysteresis` (default 0).
    pub hysteresis: At<u32>,
    /// `quorum_up`.
    pub quorum_up: Option<Command>,
    /// `quorum_down`.
    pub quorum_down: Option<Command>,
    /// `smtp_alert`; none: as [`super::Mail::is_of_quorum`] has it.
    pub mail: Option<At<bool>>,
    /// `ha_suspend`: no checks while its address is not on this host.
    pub ha_suspend: At<bool>,
    /// `virtualhost`.
    pub virtualhost: Option<At<String>>,
    /// Its real servers, in the order of the file.
    pub real_servers: Vec<RealServer>,
}

/// `real_server`.
#[derive(Clone, Debug, PartialEq)]
pub struct RealServer {
    /// Its key in the table: the port is the virtual server's if none is written, and always with DR or TUN,
    /// where packets arrive unchanged. Port 0 follows a virtual server of port 0.
    pub endpoint: At<Endpoint>,
    /// The port as written (or the virtual server's): where checks go by default.
    pub written_port: u16,
    /// `weight`, 0 to 65535 (default 1).
    pub weight: At<u32>,
    /// How packets reach it (`lvs_method`, default: the virtual server's `lb_kind`).
    pub forward: At<Forward>,
    /// `uthreshold`; 0: no limit.
    pub upper: At<u32>,
    /// `lthreshold`.
    pub lower: At<u32>,
    /// `inhibit_on_failure` (also from the virtual server): weight 0 instead of removal.
    pub inhibit_on_failure: At<bool>,
    /// `alpha` (also from the virtual server).
    pub alpha: At<bool>,
    /// `notify_up`; in a box, because few of thousands have one.
    pub notify_up: Option<Box<Command>>,
    /// `notify_down`.
    pub notify_down: Option<Box<Command>>,
    /// `smtp_alert`; none: as [`super::Mail::is_of_server`] has it.
    pub mail: Option<At<bool>>,
    /// Its checkers; all must be well. Without any it is always in the table.
    pub checks: Vec<Check>,
}

/// What one service of the kernel is known by, whatever stands in its group; a mark has no protocol.
pub type ServiceId = (Target, Option<Protocol>, Family);

impl VirtualServer {
    /// What it is known by among those of its file, and found by in another file.
    pub fn id(&self) -> ServiceId {
        let protocol = (!matches!(*self.target, Target::Mark(_))).then_some(*self.protocol);
        (self.target.value.clone(), protocol, self.family)
    }

    /// The commands that are told of its changes: its own, then its real servers'.
    pub fn notifiers(&self) -> impl Iterator<Item = &Command> {
        let own = [&self.quorum_up, &self.quorum_down].into_iter().flatten();
        let servers = self.real_servers.iter().flat_map(|s| [&s.notify_up, &s.notify_down]);
        own.chain(servers.flatten().map(AsRef::as_ref))
    }
}
