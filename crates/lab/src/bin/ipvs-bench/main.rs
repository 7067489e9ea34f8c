//! `scripts/bench ipvsctl` inside the guest: ipvsctl against ipvsadm and against ready-made netlink batches, in one boot.
//!
//! Each figure is a median of runs in turn, every program timed from its start to its end. `ipvs-bench ready FILE` is the
//! program that sends ready-made batches.

mod measure;
mod ready;
mod space;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, ensure};
use measure::{Run, median, pairs, system_calls};
use space::{Space, table};

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let done = match words.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["ready", file] => ready::send_file(Path::new(file)),
        _ => all(),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            // Nobody to tell when standard error is closed.
            let _ = writeln!(std::io::stderr().lock(), "ipvs-bench: {e:#}");
            ExitCode::FAILURE
        }
    }
}

/// One line of the result.
pub(crate) fn say(line: &str) -> Result<()> {
    Ok(writeln!(std::io::stdout().lock(), "{line}")?)
}

fn all() -> Result<()> {
    let folder = std::env::temp_dir().join(format!("ipvs-bench-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    let result = measure_all(&folder);
    let _ = std::fs::remove_dir_all(&folder);
    result
}

fn measure_all(folder: &Path) -> Result<()> {
    let files = Files::write(folder)?;
    loads(&files)?;
    Space::fresh(|| lists(&files))?;
    Space::fresh(start_up)?;
    memory(folder)
}

/// The table of 1,020 services with 10 real servers each, as rule lines and as netlink messages.
struct Files {
    rules: PathBuf,
    ready: PathBuf,
    lines: usize,
}

impl Files {
    fn write(folder: &Path) -> Result<Self> {
        let text = table(1020, 10);
        let files =
            Self { rules: folder.join("rules"), ready: folder.join("ready"), lines: text.lines().count() };
        std::fs::write(&files.rules, &text)?;
        std::fs::write(&files.ready, ready::make(&text)?)?;
        Ok(files)
    }

    fn loaders(&self) -> Result<[Run; 3]> {
        let ready = self.ready.display().to_string();
        let own = std::env::current_exe()?.display().to_string();
        Ok([
            Run::new("ipvsadm", &["-R"]).input(&self.rules),
            Run::new("ipvsctl", &["-R"]).input(&self.rules),
            Run::new(&own, &["ready", &ready]),
        ])
    }
}

/// Loads into the clean table of a fresh namespace, and right after the flush of a big one.
fn loads(files: &Files) -> Result<()> {
    let [theirs, ours, ready] = files.loaders()?;
    for (what, rounds, flushed) in
        [("into a clean table", 7, false), ("after the flush of a big table", 3, true)]
    {
        let mut times = [Vec::new(), Vec::new(), Vec::new()];
        for _ in 0..rounds {
            for (run, times) in [&theirs, &ours, &ready].into_iter().zip(&mut times) {
                times.push(Space::fresh(|| {
                    if flushed {
                        ready.time()?;
                        Run::new("ipvsctl", &["-C"]).time()?;
                    }
                    run.time()
                })?);
            }
        }
        let [old, new, least] = times.map(median);
        say(&format!(
            "load {} rules {what}: ipvsadm -R {old:.3} s, ipvsctl -R {new:.4} s, ready-made batches {least:.4} s \
             (medians of {rounds}): {:.1} times faster than ipvsadm, {:.2} times ready-made batches",
            files.lines,
            old / new,
            new / least
        ))?;
    }
    Ok(())
}

/// Listings of the table, equal byte for byte.
fn lists(files: &Files) -> Result<()> {
    let [_, ours, _] = files.loaders()?;
    let calls = system_calls(&ours)?;
    say(&format!("ipvsctl -R: {calls} system calls for {} rules", files.lines))?;
    for line in ["-Ln", "-Sn", "-Ln --stats", "-Ln --rate --exact"] {
        let words: Vec<&str> = line.split(' ').collect();
        let both = ["ipvsadm", "ipvsctl"].map(|program| Run::new(program, &words));
        ensure!(both[0].output()? == both[1].output()?, "{line}: the listings differ");
        let [old, new] = pairs(&both, 15)?;
        let calls = system_calls(&both[1])?;
        say(&format!(
            "list {line}: ipvsadm {old:.4} s, ipvsctl {new:.4} s (medians of 15), {:.1} times faster; {calls} system calls for \
             1,020 services",
            old / new
        ))?;
    }
    Ok(())
}

fn start_up() -> Result<()> {
    let small = "-A -t 127.0.0.1:80 -s rr\n-a -t 127.0.0.1:80 -r 127.0.0.1:80 -g -w 1\n";
    let file = std::env::temp_dir().join(format!("ipvs-bench-{}", std::process::id())).join("small");
    std::fs::write(&file, small)?;
    Run::new("ipvsctl", &["-R"]).input(&file).time()?;
    // Names too: a static program asks for them in another way.
    let [names, same] = ["ipvsadm", "ipvsctl"].map(|program| Run::new(program, &["-L"]).output());
    let (names, same) = (names?, same?);
    ensure!(
        names == same && String::from_utf8_lossy(&names).contains("localhost:http"),
        "-L: the names differ"
    );
    let [old, new] = pairs(&["ipvsadm", "ipvsctl"].map(|program| Run::new(program, &["-Ln"])), 61)?;
    say(&format!(
        "start-up, -Ln of one service: ipvsadm {:.2} ms, ipvsctl {:.2} ms (medians of 61), {:.2} times faster",
        old * 1e3,
        new * 1e3,
        old / new
    ))
}

/// Peaks of resident memory while 1,000 to 100,000 real servers are loaded and listed.
fn memory(folder: &Path) -> Result<()> {
    let sizes = [1, 50, 100];
    let mut peaks = vec![Vec::new(); 5];
    for services in sizes {
        let file = folder.join("many");
        std::fs::write(&file, table(services, 1000))?;
        Space::fresh(|| {
            let lines = [&["-R"][..], &["-Ln"], &["-Sn"], &["-Ln", "--stats"], &["list", "--json"]];
            for (words, peaks) in lines.into_iter().zip(&mut peaks) {
                peaks.push(Run::new("ipvsctl", words).input(&file).peak()?);
            }
            Ok(())
        })?;
    }
    for (line, p) in ["-R", "-Ln", "-Sn", "-Ln --stats", "list --json"].into_iter().zip(&peaks) {
        let [small, middle, large] = p.as_slice() else { anyhow::bail!("three sizes") };
        let a_rule = (large.saturating_sub(*small)) as f64 * 1024.0 / 99_000.0;
        say(&format!(
            "ipvsctl {line}: {small} KiB with 1,000 real servers, {middle} with 50,000, {large} with 100,000: {a_rule:.0} bytes each"
        ))?;
    }
    Ok(())
}

/// Where what the measured programs print goes.
pub(crate) fn null() -> Result<std::fs::File> {
    std::fs::OpenOptions::new().write(true).open("/dev/null").context("/dev/null")
}
