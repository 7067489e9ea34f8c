//! Every option once: its letter, its name, its value, and the commands that it goes with.

/// What a rule line does: its first option.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Verb {
    /// `-A`
    AddService,
    /// `-E`
    EditService,
    /// `-D`
    DelService,
    /// `-C`
    Clear,
    /// `-L`
    List,
    /// `-a`
    AddServer,
    /// `-e`
    EditServer,
    /// `-d`
    DelServer,
    /// `--set`
    Set,
    /// `--start-daemon`
    Start,
    /// `--stop-daemon`
    Stop,
    /// `-R`
    Restore,
    /// `-S`
    Save,
    /// `-Z`
    Zero,
    /// `-h`
    Help,
    /// `--version`
    Version,
}

/// Whether an option takes a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Takes {
    /// No.
    Nothing,
    /// Always: attached, after `=`, or the next word whatever it is.
    Value,
    /// As above, but the next word only if it does not begin with `-`.
    Perhaps,
}

/// The options; [`Opt::Command`] begins a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
#[allow(missing_docs, reason = "each is named as its long option")]
pub enum Opt {
    Command(Verb),
    Tcp,
    Udp,
    Sctp,
    Mark,
    Ipv6,
    Scheduler,
    Persistent,
    Netmask,
    Engine,
    Ops,
    SchedFlags,
    RealServer,
    Masq,
    Route,
    Tunnel,
    Weight,
    Upper,
    Lower,
    TunType,
    TunPort,
    TunNoCsum,
    TunCsum,
    TunRemCsum,
    Interface,
    SyncId,
    MaxLen,
    Group,
    Port,
    Ttl,
    Numeric,
    Connection,
    Timeout,
    Daemon,
    Stats,
    Rate,
    Exact,
    Thresholds,
    PersistentConn,
    TunInfo,
    NoSort,
    Sort,
}

/// One option of the language.
#[derive(Clone, Copy, Debug)]
pub struct OptionInfo {
    /// What it is.
    pub opt: Opt,
    /// Its letters; both mean the same.
    pub short: &'static str,
    /// Its name after `--`.
    pub long: &'static str,
    /// Its value.
    pub takes: Takes,
    /// The commands that it goes with, a bit each.
    legal: u16,
    /// Options with the same number stand for one another: only one of them, once. 0: may be repeated.
    pub group: u8,
}

impl OptionInfo {
    /// Whether the option may stand in a line of this command.
    pub(crate) fn goes_with(&self, verb: Verb) -> bool {
        self.legal & bit(verb) != 0
    }

    /// A bit of its own for each group.
    pub(super) fn group_bit(&self) -> u64 {
        if self.group == 0 { 0 } else { 1 << self.group }
    }

    /// As an admin types it: `-t` or `--sctp-service`.
    pub fn name(&self) -> String {
        match self.short.chars().next() {
            Some(c) => format!("-{c}"),
            None => format!("--{}", self.long),
        }
    }
}

const fn bit(verb: Verb) -> u16 {
    1 << verb as u8
}

const EVERY: u16 = u16::MAX;
const SERVICE: u16 = bit(Verb::AddService) | bit(Verb::EditService);
const SERVER: u16 = bit(Verb::AddServer) | bit(Verb::EditServer);
const DEL_SERVER: u16 = SERVER | bit(Verb::DelServer);
const LIST: u16 = bit(Verb::List);
const TARGET: u16 = SERVICE | bit(Verb::DelService) | DEL_SERVER | LIST | bit(Verb::Zero);
const START: u16 = bit(Verb::Start);
/// Listings ignore a sync id; ipvsadm lets it stand there.
const SYNC_ID: u16 = START | bit(Verb::Stop) | LIST;
const NUMERIC: u16 = LIST | bit(Verb::Save);

const fn row(
    opt: Opt,
    short: &'static str,
    long: &'static str,
    takes: Takes,
    legal: u16,
    group: u8,
) -> OptionInfo {
    OptionInfo { opt, short, long, takes, legal, group }
}

const fn command(verb: Verb, short: &'static str, long: &'static str) -> OptionInfo {
    let takes = match verb {
        Verb::Start | Verb::Stop => Value,
        _ => Nothing,
    };
    row(Opt::Command(verb), short, long, takes, 0, 0)
}

use Takes::{Nothing, Perhaps, Value};

const OPTIONS: [OptionInfo; 57] = [
    command(Verb::AddService, "A", "add-service"),
    command(Verb::EditService, "E", "edit-service"),
    command(Verb::DelService, "D", "delete-service"),
    command(Verb::Clear, "C", "clear"),
    command(Verb::List, "Ll", "list"),
    command(Verb::AddServer, "a", "add-server"),
    command(Verb::EditServer, "e", "edit-server"),
    command(Verb::DelServer, "d", "delete-server"),
    command(Verb::Set, "", "set"),
    command(Verb::Start, "", "start-daemon"),
    command(Verb::Stop, "", "stop-daemon"),
    command(Verb::Restore, "R", "restore"),
    command(Verb::Save, "S", "save"),
    command(Verb::Zero, "Z", "zero"),
    command(Verb::Help, "h", "help"),
    command(Verb::Version, "v", "version"),
    row(Opt::Tcp, "t", "tcp-service", Value, TARGET, 1),
    row(Opt::Udp, "u", "udp-service", Value, TARGET, 1),
    row(Opt::Sctp, "", "sctp-service", Value, TARGET, 1),
    row(Opt::Mark, "f", "fwmark-service", Value, TARGET, 1),
    row(Opt::Ipv6, "6", "ipv6", Nothing, EVERY, 0),
    row(Opt::Scheduler, "s", "scheduler", Value, SERVICE, 2),
    row(Opt::Persistent, "p", "persistent", Perhaps, SERVICE, 3),
    row(Opt::Netmask, "M", "netmask", Value, SERVICE, 4),
    row(Opt::Engine, "", "pe", Value, SERVICE, 5),
    row(Opt::Ops, "o", "ops", Nothing, SERVICE, 6),
    row(Opt::SchedFlags, "b", "sched-flags", Value, SERVICE, 7),
    row(Opt::RealServer, "r", "real-server", Value, DEL_SERVER, 8),
    row(Opt::Masq, "m", "masquerading", Nothing, SERVER, 9),
    row(Opt::Route, "g", "gatewaying", Nothing, SERVER, 9),
    row(Opt::Tunnel, "i", "ipip", Nothing, SERVER, 9),
    row(Opt::Weight, "w", "weight", Value, SERVER, 10),
    row(Opt::Upper, "x", "u-threshold", Value, SERVER, 11),
    row(Opt::Lower, "y", "l-threshold", Value, SERVER, 12),
    row(Opt::TunType, "", "tun-type", Value, SERVER, 13),
    row(Opt::TunPort, "", "tun-port", Value, SERVER, 14),
    row(Opt::TunNoCsum, "", "tun-nocsum", Nothing, SERVER, 15),
    row(Opt::TunCsum, "", "tun-csum", Nothing, SERVER, 16),
    row(Opt::TunRemCsum, "", "tun-remcsum", Nothing, SERVER, 17),
    row(Opt::Interface, "", "mcast-interface", Value, START, 18),
    row(Opt::SyncId, "", "syncid", Value, SYNC_ID, 19),
    row(Opt::MaxLen, "", "sync-maxlen", Value, START, 20),
    row(Opt::Group, "", "mcast-group", Value, START, 21),
    row(Opt::Port, "", "mcast-port", Value, START, 22),
    row(Opt::Ttl, "", "mcast-ttl", Value, START, 23),
    row(Opt::Numeric, "n", "numeric", Nothing, NUMERIC, 24),
    row(Opt::Connection, "c", "connection", Nothing, LIST, 25),
    row(Opt::Timeout, "", "timeout", Nothing, LIST, 26),
    row(Opt::Daemon, "", "daemon", Nothing, LIST, 27),
    row(Opt::Stats, "", "stats", Nothing, LIST, 28),
    row(Opt::Rate, "", "rate", Nothing, LIST, 29),
    row(Opt::Exact, "X", "exact", Nothing, LIST, 30),
    row(Opt::Thresholds, "", "thresholds", Nothing, LIST, 31),
    row(Opt::PersistentConn, "", "persistent-conn", Nothing, LIST, 32),
    row(Opt::TunInfo, "", "tun-info", Nothing, LIST, 33),
    row(Opt::NoSort, "", "nosort", Nothing, LIST, 34),
    row(Opt::Sort, "", "sort", Nothing, EVERY, 0),
];

/// All options, commands first: what help, completions and the manual are checked against.
pub fn options() -> &'static [OptionInfo] {
    static ALL: [OptionInfo; OPTIONS.len()] = OPTIONS;
    &ALL
}

/// The place of each letter in [`OPTIONS`] plus one; restore looks up five a line.
static LETTERS: [u8; 128] = {
    let mut letters = [0; 128];
    let mut i = 0;
    while i < OPTIONS.len() {
        let short = OPTIONS[i].short.as_bytes();
        let mut j = 0;
        while j < short.len() {
            letters[short[j] as usize] = i as u8 + 1;
            j += 1;
        }
        i += 1;
    }
    letters
};

/// The option with this letter.
pub(super) fn by_letter(letter: char) -> Option<&'static OptionInfo> {
    let place = LETTERS.get(usize::try_from(u32::from(letter)).ok()?)?;
    options().get(usize::from(*place).checked_sub(1)?)
}

/// The option with this name; names are never abbreviated.
pub(super) fn by_name(name: &str) -> Option<&'static OptionInfo> {
    options().iter().find(|o| o.long == name)
}
