//! One router that has the LAN to itself, with what it tells: scripts write to a file, the pipe is read line by line.

use lab::{Daemon, Host, Lab, SECONDS, Signal, pause, wait};

/// Who runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Program {
    Vrrpd,
    Keepalived,
}

/// How long anything may take on a slow machine.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(60);

/// A host with a program on it.
pub(crate) struct Scene {
    pub(crate) program: Program,
    pub(crate) host: Host,
    pub(crate) daemon: Daemon,
    pipe: Daemon,
    _lab: Lab,
}

/// Global definitions of every scene: scripts run as root, states go to the pipe.
pub(crate) const GLOBALS: &str = "global_defs {\n vrrp_version 3\n script_user root\n vrrp_notify_fifo /run/pipe\n \
                                  vrrp_notify_priority_changes true\n}\n";

/// An instance with ten advertisements a second and these lines.
pub(crate) fn instance(name: &str, vrid: u8, priority: u8, lines: &str) -> String {
    instance_on("ens192", name, vrid, priority, lines)
}

/// The same on another interface.
pub(crate) fn instance_on(nic: &str, name: &str, vrid: u8, priority: u8, lines: &str) -> String {
    format!(
        "vrrp_instance {name} {{\n interface {nic}\n virtual_router_id {vrid}\n priority {priority}\n \
         advert_int 0.1\n virtual_ipaddress {{\n 192.168.15.{vrid}\n }}\n {lines}\n}}\n"
    )
}

/// Plays a scene with the original first, and then, or rather at the same time, with ours.
pub(crate) fn both(file: &str, play: impl Fn(&Scene) + Sync) {
    std::thread::scope(|scope| {
        for program in [Program::Keepalived, Program::Vrrpd] {
            let play = &play;
            scope.spawn(move || play(&Scene::start(program, file, |_| ())));
        }
    });
}

impl Scene {
    /// Makes the host, lets `prepare` add to it, and starts the program.
    pub(crate) fn start(program: Program, file: &str, prepare: impl FnOnce(&Host)) -> Self {
        let lab = Lab::new();
        let host = lab.host("d100", &["192.168.15.100/21"]);
        host.nic("ens224", &["10.1.0.1/24"]);
        script(&host, "/etc/note", "echo \"$@\" >> /run/told");
        host.write("/etc/vrrp.conf", file);
        prepare(&host);
        let pipe = host.pipe("/run/pipe");
        let daemon = host.spawn(match program {
            Program::Vrrpd => "vrrpd --config /etc/vrrp.conf",
            Program::Keepalived => "keepalived -G -n -l -P -f /etc/vrrp.conf -p /run/p -r /run/r -c /run/c",
        });
        Self { program, host, daemon, pipe, _lab: lab }
    }

    /// The states and priorities that the pipe told of one name: `MASTER 100`.
    pub(crate) fn states(&self, name: &str) -> Vec<String> {
        let quoted = format!("\"{name}\" ");
        let after = |line: &str| line.split_once(&quoted).map(|(_, rest)| rest.to_owned());
        self.pipe.lines().iter().filter_map(|l| after(&l.text)).collect()
    }

    /// Waits until the last that the pipe told of a name is this.
    #[track_caller]
    pub(crate) fn until(&self, name: &str, state: &str) {
        let end = lvs_core::sys::clock::now() + PATIENCE;
        while self.states(name).last().is_none_or(|s| s != state) {
            let (states, log) = (self.states(name), self.daemon.log());
            let late = lvs_core::sys::clock::now() > end;
            assert!(!late, "{:?}: {name} is not {state} but {states:?}\n{log}", self.program);
            pause(SECONDS / 100);
        }
    }

    /// Waits until a name is master with this priority, whichever came first.
    #[track_caller]
    pub(crate) fn until_master(&self, name: &str, priority: u8) {
        let (at_once, later) = (format!("MASTER {priority}"), format!("MASTER_PRIORITY {priority}"));
        self.wait(&format!("{name}: {at_once}"), || {
            self.states(name).last().is_some_and(|s| *s == at_once || *s == later)
        });
    }

    /// What the scripts wrote: their arguments, one call a line.
    pub(crate) fn told(&self) -> Vec<String> {
        self.host.sh("cat /run/told 2>/dev/null").stdout.lines().map(str::to_owned).collect()
    }

    /// Ends the program, and waits for the last word of a name.
    pub(crate) fn stop(&self, name: &str, state: &str) {
        self.daemon.signal(Signal::SIGTERM);
        self.until(name, state);
        self.daemon.wait_for_end(PATIENCE);
    }

    pub(crate) fn wait(&self, what: &str, condition: impl FnMut() -> bool) {
        wait(PATIENCE, &format!("{:?}: {what}\n{}", self.program, self.daemon.log()), condition);
    }
}

/// Writes a shell script that may be run.
pub(crate) fn script(host: &Host, path: &str, text: &str) {
    host.write(path, &format!("#!/bin/sh\n{text}\n"));
    host.ok(&["chmod", "755", path]);
}
