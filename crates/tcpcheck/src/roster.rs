//! Which tries a configuration asks for: each once, however many services want it.

use std::collections::{BTreeSet, HashMap};
use std::hash::{BuildHasher, RandomState};
use std::net::IpAddr;
use std::sync::Arc;

use lvs_core::addr::Endpoint;
use lvs_core::conf::Config;
use lvs_core::conf::model::{Check, CheckKind, RealServer, VirtualServer};
use lvs_core::desired::{self, starts_down};
use lvs_core::sys::tcp::{Dial, Source};
use lvs_core::table::{Forward, ServiceKey};

use crate::few::Few;
use crate::monitor::name;
use crate::options::{Options, Way};
use crate::schedule::Schedule;
use crate::task::{Misc, Task, Via};
use crate::web::Web;

/// A real server in a virtual server, by their places in the configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct User {
    /// The virtual server.
    pub vs: u32,
    /// The real server in it.
    pub rs: u32,
}

/// What distinguishes one check from another.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Identity {
    /// What is done; shared with whoever does it.
    pub task: Arc<Task>,
    /// When; most checks of a file have the same.
    pub schedule: Arc<Schedule>,
    /// Whether its server is dead until it has passed.
    pub alpha: bool,
    /// Whether each failed try is logged.
    pub loud: bool,
}

/// A check and all who want it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// The check.
    pub identity: Identity,
    /// Those whose life depends on it, at least one.
    pub users: Few<User>,
}

/// The checks of a configuration, in the order in which they are first named.
pub fn roster(config: &Config, options: &Options) -> Vec<Wanted> {
    let mut schedules: HashMap<Schedule, Arc<Schedule>> = HashMap::new();
    let vips = vips(config, options);
    let mut all = Checks::default();
    for (user, vs, server) in servers(config) {
        for check in &server.checks {
            let Ok(task) = task(check, options) else { continue };
            let loud = *check.log_all_failures || *config.global.log_all_failures;
            let alpha = starts_down(vs, server);
            let schedule = schedule(check, options);
            let schedule = schedules.entry(schedule).or_insert_with(|| Arc::new(schedule));
            for task in by_vips(task, check, server, vips.get(user.vs as usize)) {
                let schedule = Arc::clone(schedule);
                all.add(Identity { task: Arc::new(task), schedule, alpha, loud }, user);
            }
        }
    }
    all.all
}

/// Checks, each once.
#[derive(Default)]
struct Checks {
    all: Vec<Wanted>,
    /// By hash, so that no check is kept twice while thousands are sorted out.
    places: HashMap<u64, Few<u32>>,
    hasher: RandomState,
}

impl Checks {
    fn add(&mut self, identity: Identity, user: User) {
        let alike = self.places.entry(self.hasher.hash_one(&identity)).or_default();
        let place = alike.iter().copied().find(|p| self.all[*p as usize].identity == identity);
        let place = place.unwrap_or_else(|| {
            alike.push(self.all.len() as u32);
            self.all.push(Wanted { identity, users: Few::None });
            self.all.len() as u32 - 1
        });
        self.all[place as usize].users.push(user);
    }
}

/// For each virtual server its VIPs, if they are what is checked.
fn vips(config: &Config, options: &Options) -> Vec<Vec<Endpoint>> {
    if options.way == Way::Rip {
        return Vec::new();
    }
    desired::keys(config).into_iter().map(|keys| keys.into_iter().filter_map(vip).collect()).collect()
}

/// All addresses that a configuration serves or moves about.
pub fn all_vips(config: &Config) -> BTreeSet<IpAddr> {
    let served = desired::keys(config).into_iter().flatten().filter_map(vip).map(|vip| vip.addr);
    let moved = config.instances.iter().flat_map(|i| i.addresses.iter().chain(&i.excluded));
    served.chain(moved.map(|a| a.prefix.addr)).collect()
}

fn vip(key: ServiceKey) -> Option<Endpoint> {
    match key {
        ServiceKey::Addr { vip, .. } => Some(vip),
        ServiceKey::Mark { .. } => None,
    }
}

/// The tries that a check becomes where the VIPs are what is checked: one each; a try of another kind, or where there
/// is no VIP to be had, stays as it is.
fn by_vips(task: Task, check: &Check, server: &RealServer, vips: Option<&Vec<Endpoint>>) -> Vec<Task> {
    let vips = vips.map(Vec::as_slice).unwrap_or_default();
    let Task::Tcp(dial) = &task else { return vec![task] };
    if vips.is_empty() || stays(check, server).is_some() {
        return vec![task];
    }
    let written = check.probe.connect_to.is_written().then_some(dial.to.port);
    let via = |vip: &Endpoint| {
        // A service of all ports has none of its own.
        let port = written.or(Some(vip.port).filter(|p| *p != 0)).unwrap_or(dial.to.port);
        Task::Vip(Box::new(Via { vip: Endpoint::new(vip.addr, port), dial: dial.clone() }))
    };
    vips.iter().map(via).collect()
}

/// Why a check stays at the real server's own address although the VIP is to be checked.
fn stays(check: &Check, server: &RealServer) -> Option<&'static str> {
    match check.kind {
        CheckKind::Tcp if *server.forward != Forward::Route => Some("they are not reached by DR"),
        CheckKind::Tcp if check.probe.connect_to.addr != server.endpoint.addr => {
            Some("connect_ip is another")
        }
        CheckKind::Tcp => None,
        _ => Some("only a TCP_CHECK can ask by a frame"),
    }
}

/// What `--via vip` does not reach, each as a sentence.
pub fn not_by_vip(config: &Config, options: &Options) -> Vec<String> {
    let vips = vips(config, options);
    let mut said = BTreeSet::new();
    for (user, vs, server) in servers(config).filter(|_| options.way == Way::Vip) {
        let none = vips[user.vs as usize].is_empty().then_some("a mark has no address");
        for why in server.checks.iter().filter_map(|c| none.or_else(|| stays(c, server))) {
            said.insert((user.vs, name(vs), why));
        }
    }
    let line = |(_, name, why)| format!("{name}: checks go to its real servers' own addresses: {why}");
    said.into_iter().map(line).collect()
}

/// Every real server with its virtual server.
pub fn servers(config: &Config) -> impl Iterator<Item = (User, &VirtualServer, &RealServer)> {
    config.virtual_servers.iter().enumerate().flat_map(|(v, vs)| {
        let each = vs.real_servers.iter().enumerate();
        each.map(move |(r, server)| (User { vs: v as u32, rs: r as u32 }, vs, server))
    })
}

/// Checks of the file that are not done, each as a sentence.
pub fn unsupported(config: &Config) -> Vec<String> {
    let options = Options::default();
    let checks = servers(config).flat_map(|(_, _, server)| &server.checks);
    let missing = checks.filter_map(|c| task(c, &options).err().map(|why| (c, why)));
    missing
        .map(|(c, why)| {
            let place = config.files.show(c.place.place);
            format!("{place}: {why}: nothing is checked by this, its server counts as alive")
        })
        .collect()
}

/// What a check does; the error says why it cannot be done.
fn task(check: &Check, options: &Options) -> Result<Task, String> {
    match &check.kind {
        CheckKind::Tcp => Ok(Task::Tcp(dial(check, options))),
        CheckKind::Http(http) => Ok(Task::Web(Arc::new(Web::new(dial(check, options), http, false)))),
        CheckKind::Ssl(http) => Ok(Task::Web(Arc::new(Web::new(dial(check, options), http, true)))),
        CheckKind::Misc(misc) => {
            Ok(Task::Misc(Arc::new(Misc { command: misc.command.clone(), dynamic: *misc.dynamic })))
        }
        CheckKind::Other(other) => {
            Err(format!("{}_CHECK is not supported", format!("{other:?}").to_uppercase()))
        }
    }
}

fn dial(check: &Check, options: &Options) -> Dial {
    let probe = &check.probe;
    let source = Source {
        addr: probe.bind_addr.map(|a| *a),
        port: probe.bind_port.map_or(0, |p| *p),
        device: probe.bind_if.as_ref().map(|d| d.value.clone()),
        mark: *probe.mark,
    };
    Dial { reset: options.reset, ..Dial::to(*probe.connect_to).from(source) }
}

fn schedule(check: &Check, options: &Options) -> Schedule {
    Schedule {
        interval: *check.interval,
        timeout: match &check.kind {
            CheckKind::Misc(misc) => *misc.timeout,
            _ => *check.probe.timeout,
        },
        retries: *check.retry,
        retry_delay: *check.retry_delay,
        warmup: *check.warmup,
        rise: options.rise,
        hold: options.hold,
        jitter_percent: options.jitter_percent,
    }
}
