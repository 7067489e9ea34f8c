//! Words into a command: options in the order in which they stand, then what goes with what, then the whole.

use super::Names;
use super::command::{Command, List, Refusal};
use super::options::{Opt, OptionInfo, Verb};
use super::reader::Reader;
use super::target::{self, ServerWords, ServiceWords};
use super::values::{number16, number32};
use crate::plan::{Daemon, DaemonRole, Op, Timeouts};
use crate::table::{Forward, Protocol, Tunnel, TunnelChecksum};

/// Reads one command line without the program's name.
///
/// # Errors
/// The first thing that is wrong, in the order in which ipvsadm finds it; its exit status is in the refusal.
pub fn parse<'a>(words: impl Iterator<Item = &'a str>, names: &dyn Names) -> Result<Command, Refusal> {
    let mut reader = Reader::new(words);
    // ipvsadm's -R ends at a line whose first option it does not know, and goes on after any other.
    let first = reader.next().map_err(|e| Refusal { ends_restore: true, ..e })?;
    let Some((first, value)) = first else {
        return Err(Refusal::no_command(reader.plain.first().copied()));
    };
    let Opt::Command(verb) = first.opt else {
        return Err(Refusal::no_command(Some(&first.name())));
    };
    match verb {
        // Whatever follows is not even looked at.
        Verb::Help => return Ok(Command::Help),
        Verb::Version => return Ok(Command::Version),
        _ => {}
    }
    let mut line = Line::new(verb, names);
    if let Some(state) = value {
        line.role = Some(role(state)?);
    }
    while let Some((option, value)) = reader.next()? {
        line.take(option, value)?;
    }
    line.finish(&reader.plain)
}

fn role(state: &str) -> Result<DaemonRole, Refusal> {
    match state {
        "master" => Ok(DaemonRole::Master),
        "backup" => Ok(DaemonRole::Backup),
        other => Err(Refusal::wrong(format!("'{other}' is neither master nor backup"))),
    }
}

/// A line while it is read.
pub(super) struct Line<'a> {
    pub(super) verb: Verb,
    pub(super) names: &'a dyn Names,
    given: Vec<&'static OptionInfo>,
    groups: u64,
    pub(super) service: ServiceWords<'a>,
    pub(super) server: ServerWords,
    role: Option<DaemonRole>,
    daemon: Daemon,
}

impl<'a> Line<'a> {
    fn new(verb: Verb, names: &'a dyn Names) -> Self {
        Self {
            verb,
            names,
            given: Vec::with_capacity(8),
            groups: 0,
            service: ServiceWords::default(),
            server: ServerWords::default(),
            role: None,
            daemon: Daemon {
                role: DaemonRole::Master,
                interface: String::new(),
                sync_id: 0,
                max_len: 0,
                group: None,
                port: 0,
                ttl: 0,
            },
        }
    }

    pub(super) fn has(&self, opt: Opt) -> bool {
        self.given.iter().any(|o| o.opt == opt)
    }

    fn take(&mut self, option: &'static OptionInfo, value: Option<&'a str>) -> Result<(), Refusal> {
        if matches!(option.opt, Opt::Command(_)) {
            let text = format!("{} is a second command; one line does one thing", option.name());
            return Err(Refusal::wrong(text));
        }
        if self.groups & option.group_bit() != 0 {
            let other = self.given.iter().find(|o| o.group == option.group).map_or(option, |o| o);
            let text = format!("option {} is given twice, or besides {}", option.name(), other.name());
            return Err(Refusal::wrong(text));
        }
        if value.is_some_and(|v| v.contains('\0')) {
            // The kernel's texts end there: it would do something else than the line says.
            return Err(Refusal::wrong(format!("the value of {} has a NUL byte in it", option.name())));
        }
        self.groups |= option.group_bit();
        self.given.push(option);
        if option.opt == Opt::Persistent {
            return self.service.persistent(value);
        }
        let value = value.unwrap_or_default();
        self.assign(option.opt, value);
        self.value(option, value)
    }

    /// What cannot be wrong by itself.
    fn assign(&mut self, opt: Opt, value: &'a str) {
        match opt {
            Opt::Scheduler => self.service.scheduler = Some(value),
            Opt::Engine => self.service.engine = Some(value),
            Opt::SchedFlags => self.service.flags = Some(value),
            Opt::Masq => self.server.forward = Forward::Masq,
            Opt::Route => self.server.forward = Forward::Route,
            Opt::Tunnel => self.server.forward = Forward::Tunnel(Tunnel::Ipip),
            Opt::TunCsum => self.server.checksum = TunnelChecksum::Full,
            Opt::TunRemCsum => self.server.checksum = TunnelChecksum::Remote,
            _ => {}
        }
    }

    fn value(&mut self, option: &OptionInfo, value: &'a str) -> Result<(), Refusal> {
        let bad = |what: &str| Refusal::wrong(format!("{} '{value}': {what}", option.name()));
        match option.opt {
            Opt::Tcp => self.service.endpoint(Protocol::Tcp, value, self.names),
            Opt::Udp => self.service.endpoint(Protocol::Udp, value, self.names),
            Opt::Sctp => self.service.endpoint(Protocol::Sctp, value, self.names),
            Opt::Mark => self.service.mark(value),
            Opt::Ipv6 => self.service.ipv6(),
            Opt::Netmask => self.service.netmask(value, self.names),
            Opt::RealServer => self.server.endpoint(&self.service, value, self.names),
            Opt::Weight => set(&mut self.server.weight, whole(value), || bad("not 0 to 2147483647")),
            Opt::Upper => set(&mut self.server.upper, whole(value), || bad("not 0 to 2147483647")),
            Opt::Lower => set(&mut self.server.lower, whole(value), || bad("not 0 to 2147483647")),
            Opt::TunType => self.server.tunnel_type(value),
            Opt::TunPort => set(&mut self.server.tunnel_port, number16(value, 1, u16::MAX), || {
                bad("not a port (1 to 65535)")
            }),
            _ => self.daemon_value(option, value),
        }
    }

    fn daemon_value(&mut self, option: &OptionInfo, value: &str) -> Result<(), Refusal> {
        let bad = |what: &str| Refusal::wrong(format!("{} '{value}': {what}", option.name()));
        let d = &mut self.daemon;
        match option.opt {
            Opt::Interface => {
                // The kernel's names have at most 15 bytes; a longer one is cut as ipvsadm cuts it.
                d.interface = target::cut(value).to_owned();
                Ok(())
            }
            Opt::SyncId => set(&mut d.sync_id, number32(value, 0, 255), || bad("not 0 to 255")),
            Opt::MaxLen => set(&mut d.max_len, number16(value, 1, 65507), || bad("not 1 to 65507")),
            Opt::Group => {
                let group = value.parse().ok().filter(std::net::IpAddr::is_multicast);
                d.group = Some(group.ok_or_else(|| bad("not a multicast address"))?);
                Ok(())
            }
            Opt::Port => set(&mut d.port, number16(value, 1, u16::MAX), || bad("not a port (1 to 65535)")),
            Opt::Ttl => {
                let ttl = number16(value, 1, 255).and_then(|t| u8::try_from(t).ok());
                set(&mut d.ttl, ttl, || bad("not 1 to 255"))
            }
            _ => Ok(()),
        }
    }

    fn finish(mut self, plain: &[&str]) -> Result<Command, Refusal> {
        if self.verb == Verb::Set {
            self.legal()?;
            return Ok(Command::Op(Op::SetTimeouts(timeouts(plain)?)));
        }
        if let Some(word) = plain.first() {
            return Err(Refusal::wrong(format!("unexpected word '{word}'")));
        }
        self.legal()?;
        let numeric = self.has(Opt::Numeric);
        Ok(match self.verb {
            Verb::AddService => Command::Op(target::add_service(&self)?),
            Verb::EditService => Command::Op(target::edit_service(&self)?),
            Verb::DelService => Command::Op(Op::DelService(target::required_service(&self)?)),
            Verb::Clear => Command::Op(Op::Flush),
            Verb::List => Command::List(self.list()?),
            Verb::AddServer | Verb::EditServer | Verb::DelServer => Command::Op(target::server(&self)?),
            Verb::Zero => Command::Op(Op::Zero(self.service.key())),
            Verb::Start | Verb::Stop => Command::Op(self.sync_daemon()),
            Verb::Restore => Command::Restore,
            Verb::Save => Command::Save { numeric },
            Verb::Help => Command::Help,
            Verb::Version | Verb::Set => Command::Version,
        })
    }

    fn legal(&self) -> Result<(), Refusal> {
        match self.given.iter().find(|o| !o.goes_with(self.verb)) {
            None => Ok(()),
            Some(o) => {
                let command = super::options().iter().find(|c| c.opt == Opt::Command(self.verb));
                let command = command.map_or_else(String::new, OptionInfo::name);
                Err(Refusal::wrong(format!("option {} does not go with {command}", o.name())))
            }
        }
    }

    fn list(&self) -> Result<List, Refusal> {
        let list = List {
            service: self.service.key(),
            numeric: self.has(Opt::Numeric),
            connections: self.has(Opt::Connection),
            timeouts: self.has(Opt::Timeout),
            daemons: self.has(Opt::Daemon),
            stats: self.has(Opt::Stats),
            rate: self.has(Opt::Rate),
            exact: self.has(Opt::Exact),
            thresholds: self.has(Opt::Thresholds),
            persistent_conn: self.has(Opt::PersistentConn),
            tun_info: self.has(Opt::TunInfo),
            no_sort: self.has(Opt::NoSort),
        };
        let what = [list.service.is_some(), list.connections, list.timeouts, list.daemons];
        if what.iter().filter(|w| **w).count() > 1 {
            return Err(Refusal::wrong("list one thing: a service, -c, --timeout or --daemon"));
        }
        let counters = list.stats || list.rate || list.thresholds;
        let other = list.connections || list.timeouts || list.daemons;
        if other && counters || (list.timeouts || list.daemons) && list.persistent_conn {
            return Err(Refusal::wrong("this listing has no such columns"));
        }
        Ok(list)
    }

    fn sync_daemon(&mut self) -> Op {
        let role = self.role.unwrap_or(DaemonRole::Master);
        if self.verb == Verb::Stop {
            return Op::StopDaemon(role, self.daemon.sync_id);
        }
        if self.daemon.interface.is_empty() {
            "eth0".clone_into(&mut self.daemon.interface);
        }
        Op::StartDaemon(Daemon { role, ..self.daemon.clone() })
    }
}

/// A weight or threshold: 0 to 2^31-1.
fn whole(text: &str) -> Option<u32> {
    number32(text, 0, i32::MAX.unsigned_abs())
}

fn set<T>(field: &mut T, value: Option<T>, bad: impl FnOnce() -> Refusal) -> Result<(), Refusal> {
    *field = value.ok_or_else(bad)?;
    Ok(())
}

fn timeouts(words: &[&str]) -> Result<Timeouts, Refusal> {
    let [tcp, tcp_fin, udp] = words else {
        return Err(Refusal::wrong(
            "--set takes three numbers: TCP, TCP after FIN, UDP (seconds; 0 keeps one)",
        ));
    };
    let seconds = |text: &str| {
        let bad = || Refusal::wrong(format!("--set '{text}': not 0 to {} seconds", target::LONGEST));
        number32(text, 0, target::LONGEST).ok_or_else(bad)
    };
    Ok(Timeouts { tcp: seconds(tcp)?, tcp_fin: seconds(tcp_fin)?, udp: seconds(udp)? })
}
