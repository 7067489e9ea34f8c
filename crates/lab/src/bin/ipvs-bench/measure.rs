//! Programs as they are timed, counted and weighed.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use lvs_core::sys::clock;
use nix::sys::resource::{UsageWho, getrusage};

use crate::{null, say};

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

/// Runs a program, and prints the peak of its resident memory in KiB.
pub(crate) fn peak(program: &str, options: &[&str]) -> Result<()> {
    let status = Command::new(program).args(options).stdout(null()?).status()?;
    ensure!(status.success(), "{program}: {status}");
    say(&getrusage(UsageWho::RUSAGE_CHILDREN)?.max_rss().to_string())
}

/// The same from a process of its own, which has no other child.
pub(crate) fn peak_of(program: &str, options: &[&str], input: &Path) -> Result<u64> {
    let own = std::env::current_exe()?;
    let output =
        Command::new(own).arg("peak").arg(program).args(options).stdin(File::open(input)?).output()?;
    let text = String::from_utf8_lossy(&output.stdout);
    text.trim().parse().with_context(|| String::from_utf8_lossy(&output.stderr).into_owned())
}
