//! Programs as they are timed, counted and weighed.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail, ensure};
use lvs_core::sys::clock;
use nix::sys::ptrace::{self, Options};
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;

use crate::null;

/// A program with its arguments and, if it reads any, its input.
pub(crate) struct Run {
    words: Vec<String>,
    input: Option<PathBuf>,
}

impl Run {
    pub(crate) fn new(program: &str, options: &[&str]) -> Self {
        let words = [&[program], options].concat();
        Self { words: words.into_iter().map(str::to_owned).collect(), input: None }
    }

    pub(crate) fn input(mut self, file: &Path) -> Self {
        self.input = Some(file.to_owned());
        self
    }

    fn command(&self, before: &[&str]) -> Result<Command> {
        let mut words = before.iter().copied().chain(self.words.iter().map(String::as_str));
        let mut command = Command::new(words.next().context("a program")?);
        command.args(words).stdout(null()?);
        command.stdin(match &self.input {
            Some(file) => File::open(file)?.into(),
            None => Stdio::null(),
        });
        Ok(command)
    }

    /// Seconds from its start to its end; it must end well.
    pub(crate) fn time(&self) -> Result<f64> {
        let mut command = self.command(&[])?;
        let start = clock::now();
        let status = command.status()?;
        let took = clock::now().since(start);
        ensure!(status.success(), "{:?}: {status}", self.words);
        Ok(took.as_secs_f64())
    }

    /// Its standard output.
    pub(crate) fn output(&self) -> Result<Vec<u8>> {
        Ok(self.command(&[])?.stdout(Stdio::piped()).output()?.stdout)
    }
}

/// The programs in turn; their medians.
pub(crate) fn pairs<const N: usize>(runs: &[Run; N], rounds: usize) -> Result<[f64; N]> {
    let mut times = [const { Vec::new() }; N];
    for _ in 0..rounds {
        for (run, times) in runs.iter().zip(&mut times) {
            times.push(run.time()?);
        }
    }
    Ok(times.map(median))
}

/// The middle of some numbers, the upper one of two.
pub(crate) fn median(mut all: Vec<f64>) -> f64 {
    all.sort_by(f64::total_cmp);
    all.get(all.len() / 2).copied().unwrap_or(f64::NAN)
}

/// How many system calls a program makes, as strace counts them.
pub(crate) fn system_calls(run: &Run) -> Result<usize> {
    let file = std::env::temp_dir().join(format!("ipvs-bench-strace-{}", std::process::id()));
    let path = file.display().to_string();
    let status =
        run.command(&["strace", "-f", "-c", "-U", "name,calls", "-o", &path])?.status().context("strace")?;
    ensure!(status.success(), "strace: {status}");
    let text = std::fs::read_to_string(&file)?;
    std::fs::remove_file(&file)?;
    let total = text.lines().rev().find_map(|l| l.trim().strip_prefix("total"));
    total.and_then(|n| n.trim().parse().ok()).with_context(|| format!("strace: {text}"))
}

/// Stops before it becomes the program that its arguments name.
const STOP_THEN: [&str; 4] = ["sh", "-c", "kill -STOP $$; exec \"$@\"", "sh"];

impl Run {
    /// The peak of its resident memory in KiB, read while it ends. What wait4(2) tells instead counts the memory of the
    /// process that it was forked from, too.
    pub(crate) fn peak(&self) -> Result<u64> {
        let child = self.command(&STOP_THEN)?.spawn()?;
        let pid = Pid::from_raw(i32::try_from(child.id())?);
        waitpid(pid, Some(WaitPidFlag::WUNTRACED))?;
        ptrace::seize(pid, Options::PTRACE_O_TRACEEXIT)?;
        kill(pid, Signal::SIGCONT)?;
        let mut peak = None;
        loop {
            match waitpid(pid, None)? {
                WaitStatus::PtraceEvent(_, _, event) => {
                    if event == ptrace::Event::PTRACE_EVENT_EXIT as i32 {
                        peak = Some(high_water(pid)?);
                    }
                    ptrace::cont(pid, None)?;
                }
                WaitStatus::Stopped(_, signal) => ptrace::cont(pid, signal)?,
                WaitStatus::Exited(_, 0) => return peak.context("its end was not seen"),
                other => bail!("{:?}: {other:?}", self.words),
            }
        }
    }
}

/// A process's peak of resident memory in KiB.
fn high_water(pid: Pid) -> Result<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|l| l.strip_prefix("VmHWM:")).context("no VmHWM")?;
    Ok(line.trim().trim_end_matches(" kB").parse()?)
}
