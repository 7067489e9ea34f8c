//! A machine of the lab: namespaces of its own, kept by a process 1 of its own.

use std::env;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::os::fd::AsFd;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use nix::sched::{CloneFlags, setns, unshare};

use crate::command::{Output, Words, finish};
use crate::daemon::Daemon;
use crate::place;
use crate::switch::Wire;
use crate::wait::fail;

/// How long a command may take unless it is said.
const PATIENCE: Duration = Duration::from_secs(30);

/// A machine on the switch. Copies are the same machine; it is powered off when the last one goes.
#[derive(Clone)]
pub struct Host(Arc<Machine>);

struct Machine {
    name: String,
    /// None for the switch itself.
    wire: Option<Wire>,
    first: Mutex<Option<Child>>,
    spaces: Spaces,
}

/// The namespaces of a host, kept open: they can be entered as long as its process 1 lives.
pub(crate) struct Spaces {
    pid: u32,
    pids: File,
    net: File,
    names: File,
    mounts: File,
}

impl Host {
    /// Starts a machine without interfaces other than lo.
    pub(crate) fn boot(name: &str, wire: Option<Wire>) -> Result<Self> {
        let first = start_first(name)?;
        let spaces = Spaces::of(first.id())?;
        let machine = Machine { name: name.to_owned(), wire, first: Mutex::new(Some(first)), spaces };
        Ok(Self(Arc::new(machine)))
    }

    /// The name, which is also its host name.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// The number of its process 1 outside; `nsenter -t PID -a` looks into a host.
    pub fn pid(&self) -> u32 {
        self.0.spaces.pid
    }

    /// Runs a command and returns what it answered; panics when it takes more than 30 s or cannot be started.
    #[track_caller]
    pub fn run(&self, line: &(impl Words + ?Sized)) -> Output {
        self.run_for(line, PATIENCE)
    }

    /// Runs a command that may take as long as `deadline`; then it is killed, and this panics.
    #[track_caller]
    pub fn run_for(&self, line: &(impl Words + ?Sized), deadline: Duration) -> Output {
        let words = line.words();
        finish(self.start(&words, Stdio::null()), self.shown(&words), "", deadline)
    }

    /// Runs a command with `text` as its standard input.
    #[track_caller]
    pub fn input(&self, line: &(impl Words + ?Sized), text: &str) -> Output {
        let words = line.words();
        finish(self.start(&words, Stdio::piped()), self.shown(&words), text, PATIENCE)
    }

    /// Runs a command that must succeed, and returns its standard output; panics with all that it said otherwise.
    #[track_caller]
    pub fn ok(&self, line: &(impl Words + ?Sized)) -> String {
        let output = self.run(line);
        assert_eq!(output.status, 0, "{output}");
        output.stdout
    }

    /// Runs a shell script (`sh -c`).
    #[track_caller]
    pub fn sh(&self, script: &str) -> Output {
        self.run(&["sh", "-c", script])
    }

    /// Starts a command that stays. Its output is read into [`Daemon::log`].
    #[track_caller]
    pub fn spawn(&self, line: &(impl Words + ?Sized)) -> Daemon {
        let words = line.words();
        Daemon::new(self.shown(&words), self.start(&words, Stdio::null()))
    }

    /// Makes a named pipe and reads it for as long as the reader is kept; a writer that goes does not end it.
    #[track_caller]
    pub fn pipe(&self, path: &str) -> Daemon {
        let read = format!("exec 3<>{path}; while read -r line <&3; do echo \"$line\"; done");
        self.ok(&["mkfifo", path]);
        self.spawn(&["sh", "-c", &read])
    }

    /// Does `work` in a thread that sees this host's interfaces and its IPVS; threads that it starts see them too.
    #[track_caller]
    pub fn on_net<T: Send>(&self, work: impl FnOnce() -> T + Send) -> T {
        let inside = || {
            setns(self.0.spaces.net.as_fd(), CloneFlags::CLONE_NEWNET)?;
            Ok(work())
        };
        in_thread(inside).unwrap_or_else(|e| fail(&format!("{}: its network: {e:#}", self.name())))
    }

    /// Writes a file as this host sees it. `/run`, `/etc` and `/var` are its own.
    #[track_caller]
    pub fn write(&self, path: &str, text: &str) {
        let output = self.input(&["tee", path], text);
        assert_eq!(output.status, 0, "{output}");
    }

    /// Reads a file as this host sees it; panics when it is not there.
    #[track_caller]
    pub fn read(&self, path: &str) -> String {
        self.ok(&["cat", path])
    }

    /// Adds an interface `nic` on the switch, up, with these addresses (`10.0.0.1/24`, `fd00::1/64`). Its MAC address
    /// is 02:00 and the first IPv4 address in hexadecimal.
    #[track_caller]
    pub fn nic(&self, nic: &str, addresses: &[&str]) {
        self.nic_on("br0", nic, addresses);
    }

    /// Adds an interface on another segment of the switch, see [`crate::Lab::segment`].
    #[track_caller]
    pub fn nic_on(&self, segment: &str, nic: &str, addresses: &[&str]) {
        self.wire().connect(self.name(), self.spaces(), segment, nic, addresses);
    }

    /// Pulls the cable of ens192: the interface stays up but has no carrier.
    #[track_caller]
    pub fn unplug(&self) {
        self.wire().set(self.name(), "ens192", "down");
    }

    /// Puts the cable of ens192 back.
    #[track_caller]
    pub fn plug(&self) {
        self.wire().set(self.name(), "ens192", "up");
    }

    /// Takes all its cables and then the power: not one more packet leaves it, every process in it is killed. A host
    /// of this name can then be made anew.
    pub fn power_off(&self) {
        self.wire().remove(self.name());
        self.0.end();
    }

    pub(crate) fn spaces(&self) -> &Spaces {
        &self.0.spaces
    }

    #[track_caller]
    fn wire(&self) -> &Wire {
        self.0.wire.as_ref().expect("the switch has no cables of its own")
    }

    /// `host# words`, for messages.
    fn shown(&self, words: &[String]) -> String {
        format!("{}# {}", self.name(), words.join(" "))
    }

    #[track_caller]
    fn start(&self, words: &[String], stdin: Stdio) -> Child {
        let mut words = words.iter();
        let mut command = Command::new(words.next().map_or("true", String::as_str));
        command.args(words).stdin(stdin).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
            .env("PATH", place::path())
            .env("LC_ALL", "C")
            .current_dir(env::current_dir().unwrap_or_default());
        let child = self.0.spaces.start(&mut command);
        child.unwrap_or_else(|e| {
            let what = command.get_program().to_string_lossy();
            fail(&format!("{}: {what} cannot be started: {e:#}", self.name()))
        })
    }
}

impl Machine {
    fn end(&self) {
        let Some(mut first) = self.first.lock().unwrap_or_else(PoisonError::into_inner).take() else {
            return;
        };
        // Ended already is what we want.
        let _ = first.kill();
        // Process 1 goes last, after every daemon has been collected by the test that holds it: do not wait here.
        std::thread::spawn(move || first.wait());
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        self.end();
    }
}

impl Spaces {
    fn of(pid: u32) -> Result<Self> {
        let open = |kind: &str| {
            let path = PathBuf::from(format!("/proc/{pid}/ns/{kind}"));
            File::open(&path).with_context(|| path.display().to_string())
        };
        Ok(Self { pid, pids: open("pid")?, net: open("net")?, names: open("uts")?, mounts: open("mnt")? })
    }

    /// The process 1 of these namespaces.
    pub(crate) fn pid(&self) -> u32 {
        self.pid
    }

    /// Starts a command that sees everything as the host does.
    fn start(&self, command: &mut Command) -> Result<Child> {
        in_thread(|| {
            // A thread that shares its directories with others may not enter another view of the mounts.
            unshare(CloneFlags::CLONE_FS)?;
            let all = [
                (&self.pids, CloneFlags::CLONE_NEWPID),
                (&self.net, CloneFlags::CLONE_NEWNET),
                (&self.names, CloneFlags::CLONE_NEWUTS),
                (&self.mounts, CloneFlags::CLONE_NEWNS),
            ];
            for (space, kind) in all {
                setns(space.as_fd(), kind).context("the host is powered off")?;
            }
            Ok(command.spawn()?)
        })
    }

    /// Starts a command that sees this host's interfaces, and otherwise what we see.
    pub(crate) fn start_on_net(&self, command: &mut Command) -> Result<Child> {
        in_thread(|| {
            setns(self.net.as_fd(), CloneFlags::CLONE_NEWNET)?;
            Ok(command.spawn()?)
        })
    }
}

/// Namespaces belong to a thread; one that has entered some is not used for anything else.
fn in_thread<T: Send>(work: impl FnOnce() -> Result<T> + Send) -> Result<T> {
    std::thread::scope(|s| s.spawn(work).join()).unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

/// Starts process 1 in new namespaces and waits until it has made itself at home.
fn start_first(name: &str) -> Result<Child> {
    let program = place::bin("lab");
    let mut first = in_thread(|| {
        let new = CloneFlags::CLONE_NEWNET
            | CloneFlags::CLONE_NEWNS
            | CloneFlags::CLONE_NEWUTS
            | CloneFlags::CLONE_NEWPID
            | CloneFlags::CLONE_NEWIPC;
        unshare(new).context("new namespaces (are we root?)")?;
        let mut command = Command::new(program);
        command.args(["init", name]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::inherit());
        command.spawn().context("process 1 of a host")
    })?;
    let mut line = String::new();
    BufReader::new(first.stdout.take().context("its standard output")?).read_line(&mut line)?;
    if line != "ready\n" {
        // It said why on standard error.
        let _ = first.kill();
        let _ = first.wait();
    }
    ensure!(line == "ready\n", "host {name} did not come up");
    Ok(first)
}

/// Runs `ip -batch` with these lines where the interfaces of `spaces` are.
#[track_caller]
pub(crate) fn ip(spaces: &Spaces, lines: &str) {
    let mut command = Command::new("ip");
    command.args(["-batch", "-"]).env("PATH", place::path());
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = spaces.start_on_net(&mut command).expect("ip (package iproute2)");
    let output = finish(child, format!("ip -batch:\n{lines}"), lines, PATIENCE);
    assert_eq!(output.status, 0, "{output}");
}
