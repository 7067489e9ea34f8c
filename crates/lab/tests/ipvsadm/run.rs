//! Running one side of a case in a network namespace of its own.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use lvs_core::plan::{DaemonRole, Op, Timeouts};
use lvs_core::rule::{self, NoNames};
use lvs_core::sys::ipvs::Client;
use lvs_core::sys::netlink::Netlink;
use nix::sched::{CloneFlags, unshare};

use super::script::{Case, Line};

/// RTM_NEWLINK with the flag IFF_UP for the interface with index 1: lo.
const RTM_NEWLINK: u16 = 16;
const LO_UP: [u8; 16] = [0, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0];

/// The IPVS of a fresh namespace, from the thread that is in it.
pub(crate) struct Kernel(Client);

impl Kernel {
    /// Runs `work` in a new network namespace with lo up: without it the kernel takes no real server.
    pub(crate) fn fresh<T: Send>(work: impl FnOnce(&mut Self) -> T + Send) -> T {
        let inside = || {
            unshare(CloneFlags::CLONE_NEWNET).expect("a network namespace (are we root?)");
            let mut route = Netlink::route().expect("rtnetlink");
            route.request(RTM_NEWLINK, 0, &LO_UP).expect("lo up");
            work(&mut Self(Client::open().expect("IPVS")))
        };
        std::thread::scope(|s| s.spawn(inside).join()).unwrap_or_else(|e| std::panic::resume_unwind(e))
    }

    /// The table that a case begins with: nothing of the case before, and these lines.
    pub(crate) fn set_up(&mut self, lines: &[String]) {
        let timeouts = Timeouts { tcp: 900, tcp_fin: 120, udp: 300 };
        let stop = [DaemonRole::Master, DaemonRole::Backup].map(|role| Op::StopDaemon(role, 0));
        let clean = stop.into_iter().chain([Op::Flush, Op::SetTimeouts(timeouts)]);
        // Refusals are daemons that do not run.
        self.0.write(&clean.collect::<Vec<_>>(), |_, _| {}).expect("the kernel");
        for line in lines {
            let op = match rule::parse(line.split_ascii_whitespace(), &NoNames) {
                Ok(rule::Command::Op(op)) => Some(op),
                _ => None,
            };
            let mut refused = None;
            self.0.write(op.as_slice(), |_, e| refused = Some(e)).expect("the kernel");
            assert!(op.is_some() && refused.is_none(), "{line}: {refused:?}");
        }
    }

    /// Everything that netlink tells of the table, as text to compare. The rates are the estimator's and change.
    pub(crate) fn dump(&mut self) -> String {
        let mut services = Vec::new();
        self.0.services(|s| services.push(s)).expect("services");
        services.sort_by_key(|s| s.key);
        let mut text = String::new();
        for service in services {
            let mut servers = Vec::new();
            self.0.servers(&service.key, |s| servers.push(s)).expect("servers");
            servers.sort_by_key(|s| s.endpoint);
            writeln!(text, "{service:?}").expect("text");
            for server in servers {
                writeln!(text, "  {server:?}").expect("text");
            }
        }
        let (timeouts, daemons) = (self.0.timeouts().expect("timeouts"), self.0.daemons().expect("daemons"));
        writeln!(text, "{timeouts:?} {daemons:?}").expect("text");
        text
    }
}

/// What a command answered, as far as it is compared.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) stdout: String,
    pub(crate) status: i32,
    pub(crate) silent: bool,
}

/// One of the two programs: where it lies under ipvsadm's names.
pub(crate) struct Side {
    folder: PathBuf,
}

impl Side {
    /// The installed ipvsadm.
    pub(crate) fn original() -> Self {
        let folder = PathBuf::from("/sbin");
        assert!(folder.join("ipvsadm").exists(), "no /sbin/ipvsadm: apt-get install ipvsadm");
        Self { folder }
    }

    pub(crate) fn at(folder: PathBuf) -> Self {
        Self { folder }
    }

    pub(crate) fn run(&self, line: &Line) -> Answer {
        let mut command = Command::new(self.folder.join(&line.program));
        // The scripts call ipvsadm by its name.
        command.args(&line.words).env("PATH", "/sbin:/usr/sbin:/bin:/usr/bin").env("LC_ALL", "C");
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the program");
        // A program that does not read its input closes it: not our affair.
        let _ = child.stdin.take().expect("standard input").write_all(line.input.as_bytes());
        let output = child.wait_with_output().expect("its output");
        Answer {
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            status: output.status.code().unwrap_or(-1),
            silent: output.stderr.is_empty(),
        }
    }
}

/// Where two sides differ, as text; none if they do not.
pub(crate) fn compare(
    case: &Case,
    original: &(Vec<Answer>, String),
    ours: &(Vec<Answer>, String),
) -> Option<String> {
    if original == ours {
        return None;
    }
    let mut text = case.title.clone();
    for (o, m) in original.0.iter().zip(&ours.0).filter(|(o, m)| o != m) {
        write!(text, "\n  ipvsadm: {o:?}\n  ours:    {m:?}").expect("text");
    }
    if original.1 != ours.1 {
        write!(text, "\n  table of ipvsadm:\n{}  ours:\n{}", original.1, ours.1).expect("text");
    }
    Some(text)
}
