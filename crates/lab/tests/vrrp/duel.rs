//! Two routers of one file, one of them keepalived, the other vrrpd, in either role.

use std::time::Duration;

use lab::{Daemon, Host, Lab, SECONDS, Signal, wait};

/// Who runs on a host.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Program {
    Vrrpd,
    Keepalived,
}

impl Program {
    pub(crate) fn start(self, host: &Host) -> Daemon {
        match self {
            Self::Vrrpd => host.spawn("vrrpd --config /etc/vrrp.conf"),
            Self::Keepalived => {
                host.spawn("keepalived -G -n -l -P -f /etc/vrrp.conf -p /run/p -r /run/r -c /run/c")
            }
        }
    }
}

/// A file for both programs, with PRIO for the priority, and HERE and PEER for the addresses of the two hosts.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) file: String,
    /// What must be seen on the master and nowhere else, in what `look` shows.
    pub(crate) marks: Vec<&'static str>,
    /// The command that shows it.
    pub(crate) look: &'static str,
    /// The higher priority takes over again when it returns.
    pub(crate) preempts: bool,
    /// The interval of the advertisements.
    pub(crate) interval: Duration,
}

/// The blocks around the lines of one instance.
pub(crate) fn instance(lines: &str) -> String {
    format!("vrrp_instance VI_1 {{\n interface ens192\n virtual_router_id 51\n priority PRIO\n {lines}\n}}\n")
}

impl Case {
    /// Version 3 over IPv4, ten advertisements a second, one VIP, and these lines more.
    pub(crate) fn quick(name: &'static str, lines: &str) -> Self {
        let vip = "virtual_ipaddress {\n 192.168.15.111\n }";
        let lines = format!("version 3\n advert_int 0.1\n {vip}\n {lines}");
        Self::whole(name, &instance(&lines), &["192.168.15.111/32"])
    }

    /// Version 2, one advertisement a second.
    pub(crate) fn slow(name: &'static str, lines: &str) -> Self {
        let vip = "virtual_ipaddress {\n 192.168.15.111\n }";
        let file = instance(&format!("advert_int 1\n {vip}\n {lines}"));
        Self { interval: SECONDS, ..Self::whole(name, &file, &["192.168.15.111/32"]) }
    }

    /// A whole file.
    pub(crate) fn whole(name: &'static str, file: &str, marks: &[&'static str]) -> Self {
        Self {
            name,
            file: file.to_owned(),
            marks: marks.to_vec(),
            look: "ip -o address",
            preempts: true,
            interval: SECONDS / 10,
        }
    }

    pub(crate) fn marks(mut self, marks: &[&'static str]) -> Self {
        self.marks = marks.to_vec();
        self
    }

    /// What is set is seen by another command.
    pub(crate) fn seen_by(mut self, look: &'static str, marks: &[&'static str]) -> Self {
        (self.look, self.marks) = (look, marks.to_vec());
        self
    }

    pub(crate) fn stays(mut self) -> Self {
        self.preempts = false;
        self
    }

    /// Runs it with `high` on the host of the higher priority.
    pub(crate) fn run(&self, high: Program, low: Program) {
        let duel = Duel::new(self, high, low);
        duel.fight();
    }

    /// Three intervals, the longest skew, and what starting and looking takes on a slow machine.
    fn patience(&self) -> Duration {
        self.interval * 5 + 40 * SECONDS
    }
}

struct Duel<'a> {
    case: &'a Case,
    _lab: Lab,
    hosts: [Host; 2],
    programs: [Program; 2],
    who: String,
}

impl<'a> Duel<'a> {
    fn new(case: &'a Case, high: Program, low: Program) -> Self {
        let lab = Lab::new();
        let hosts = [("d100", "100", "101", "150"), ("d101", "101", "100", "100")].map(
            |(name, here, peer, priority)| {
                let host =
                    lab.host(name, &[&format!("192.168.15.{here}/21"), &format!("2001:db8::{here}/64")]);
                let file = case.file.replace("PRIO", priority).replace("HERE", here).replace("PEER", peer);
                host.write("/etc/vrrp.conf", &file);
                host.ok("sysctl -qw net.ipv6.conf.ens192.accept_dad=0");
                host.write("/etc/reader", "#!/bin/sh\nexec cat \"$1\" >/dev/null\n");
                host.ok("chmod 755 /etc/reader");
                host
            },
        );
        let who = format!("{}: {high:?} above {low:?}", case.name);
        Self { case, _lab: lab, hosts, programs: [high, low], who }
    }

    fn start(&self, i: usize) -> Daemon {
        self.programs[i].start(&self.hosts[i])
    }

    /// The state that both programs must come to, wait for it and let it stand.
    fn master_is(&self, i: usize, daemons: &[&Daemon]) {
        let what = format!("{}: {} is master", self.who, self.hosts[i].name());
        let deadline = lvs_core::sys::clock::now() + self.case.patience();
        while !(self.holds(i, true) && self.holds(1 - i, false)) {
            let logs: Vec<String> = daemons.iter().map(|d| d.log()).collect();
            let states: Vec<String> = [0, 1].map(|i| self.state(i)).into();
            assert!(
                lvs_core::sys::clock::now() < deadline,
                "{what}\n{}\n{}",
                logs.join("\n--\n"),
                states.join("\n--\n")
            );
            lab::pause(Duration::from_millis(100));
        }
    }

    fn state(&self, i: usize) -> String {
        self.hosts[i].ok(self.case.look)
    }

    fn holds(&self, i: usize, all: bool) -> bool {
        let state = self.state(i);
        let has = |m: &&str| state.contains(*m);
        if all { self.case.marks.iter().all(has) } else { !self.case.marks.iter().any(has) }
    }

    /// Election, graceful stop, return, crash: each with the same end state whoever plays which part.
    fn fight(&self) {
        let low = self.start(1);
        let high = self.start(0);
        if self.case.preempts {
            self.master_is(0, &[&high, &low]);
        } else {
            // Whoever was first stays; make that the higher one.
            low.stop(10 * SECONDS);
            self.master_is(0, &[&high]);
        }
        let low = if low.running() { low } else { self.start(1) };
        wait(self.case.patience(), "the lower one listens", || low.log().to_lowercase().contains("backup"));
        high.stop(10 * SECONDS);
        self.master_is(1, &[&high, &low]);
        let high = self.start(0);
        if self.case.preempts {
            self.master_is(0, &[&high, &low]);
            high.signal(Signal::SIGSTOP);
            self.hosts[0].unplug();
            wait(self.case.patience(), "the lower one takes over after a crash", || self.holds(1, true));
        } else {
            wait(self.case.patience(), "the higher one listens", || {
                high.log().to_lowercase().contains("backup")
            });
            lab::pause(self.case.interval * 5);
            self.master_is(1, &[&high, &low]);
        }
    }
}
