//! keepalived.conf from the disk.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use super::script::Scripts;
use crate::conf::check::{Format, Report};
use crate::conf::model::{CheckKind, Command};
use crate::conf::{self, Config, Diag, Env, Host, JudgeRegex, Loader};

/// Larger files are no configurations.
const LARGEST: u64 = 256 << 20;
/// How the words begin that lead to other files.
const INCLUDE: &[u8] = b"include";
/// How the words begin that lead to programs.
const PROGRAMS: [&[u8]; 4] = [b"misc_path", b"notify", b"quorum_", b"script"];

/// Reads a configuration with its includes. What cannot be read is a finding like any other.
///
/// # Errors
/// Fails when the file itself cannot be read; the reason is a clause such as `no such file`.
pub fn load(path: &str) -> Result<(Config, Vec<Diag>), String> {
    load_by(path, None)
}

/// The same, with a judge of `regex`.
///
/// # Errors
/// As [`load`].
pub fn load_by(path: &str, regex: Option<JudgeRegex>) -> Result<(Config, Vec<Diag>), String> {
    let text = read(Path::new(path))?;
    Ok(conf::parse(path, &text, &mut Disk::default(), &Env { regex, ..env() }))
}

/// Reads a configuration as [`load`] does, and judges it with facts about this host.
///
/// # Errors
/// As [`load`].
fn judged_by(path: &str, regex: Option<JudgeRegex>) -> Result<(Config, Vec<Diag>), String> {
    let text = read(Path::new(path))?;
    Ok(judge(path, &text, &mut Disk::default(), regex))
}

/// Judges a text that has been read, with facts about this host; what it includes comes through `loader`.
pub fn judged_text(name: &str, text: &[u8], loader: &mut dyn Loader) -> (Config, Vec<Diag>) {
    judge(name, text, loader, None)
}

fn judge(name: &str, text: &[u8], loader: &mut dyn Loader, regex: Option<JudgeRegex>) -> (Config, Vec<Diag>) {
    let mut disk = Disk::default();
    // Which files and programs there are is found out by a reading of its own, where there can be any.
    let mut refused = BTreeMap::new();
    let named = |key: &&[u8]| text.windows(key.len()).any(|word| word == *key);
    if named(&INCLUDE) || PROGRAMS.iter().any(named) {
        let (config, _) = conf::parse(name, text, &mut disk, &env());
        refused = refused_programs(&config);
    }
    let files = disk.found.into_iter().chain([name.to_owned()]);
    let exposed = files.filter(|f| exposed(f)).collect();
    let host = Host { interfaces: interfaces(), exposed, refused };
    conf::parse(name, text, loader, &Env { host: Some(host), regex, ..env() })
}

/// The `check` verb of all tools: reads a configuration, judges it, and shows the findings.
pub fn check(path: &str, format: Format, strict: bool) -> Report {
    conf::check::run(path, judged_by(path, None), format, strict)
}

/// [`check`] with its text on standard output; gives the exit status. A reader that has gone away ends it quietly.
pub fn run_check(path: &str, format: Format, strict: bool) -> u8 {
    run_check_by(path, format, strict, None)
}

/// The same, with a judge of `regex`.
pub fn run_check_by(path: &str, format: Format, strict: bool, regex: Option<JudgeRegex>) -> u8 {
    let report = conf::check::run(path, judged_by(path, regex), format, strict);
    let mut out = io::stdout().lock();
    let _ = out.write_all(report.text.as_bytes()).and_then(|()| out.flush());
    report.status
}

/// The programs of checks, scripts and notifications that would not be run, and why.
fn refused_programs(config: &Config) -> BTreeMap<String, String> {
    let scripts = Scripts::new(&config.global);
    let checks = config.virtual_servers.iter().flat_map(|vs| &vs.real_servers).flat_map(|rs| &rs.checks);
    let checks = checks.filter_map(|check| match &check.kind {
        CheckKind::Misc(misc) => Some(&misc.command),
        _ => None,
    });
    let tracked = config.tracked_scripts().map(|s| &s.command);
    let all = config.notifiers().chain(checks).chain(tracked);
    // A thousand real servers may have one program: it is looked at once for each user who runs it.
    let user = |c: &Command| [&c.user, &c.group].map(|word| word.as_ref().map(|w| w.value.clone()));
    let each: BTreeMap<_, &Command> = all.filter_map(|c| Some(((c.argv.first()?, user(c)), c))).collect();
    let refused = each.into_iter().filter_map(|((program, _), c)| Some((program, scripts.prepare(c).err()?)));
    refused.map(|(program, why)| (program.clone(), why.to_string())).collect()
}

fn interfaces() -> BTreeSet<String> {
    let Ok(list) = nix::net::if_::if_nameindex() else { return BTreeSet::new() };
    list.iter().map(|i| i.name().to_string_lossy().into_owned()).collect()
}

/// Whether every user can read a file.
fn exposed(path: &str) -> bool {
    fs::metadata(path).is_ok_and(|m| m.permissions().mode() & 0o004 != 0)
}

/// The configuration id of this process, where its command line gives one.
static ID: OnceLock<String> = OnceLock::new();

/// Whatever this process reads from now on is read as the host of this configuration id (`--config-id`); without one, by the
/// host's own name. The first one counts.
pub fn go_by(id: Option<String>) {
    if let Some(id) = id {
        let _ = ID.set(id);
    }
}

/// This host's name; empty if it cannot be read.
pub(super) fn host_name() -> String {
    fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default().trim().to_owned()
}

/// What a file may ask about this host: its configuration id, by default its name up to the first dot, and a number that differs from run to run.
pub fn env() -> Env {
    let host = host_name();
    let name = host.split('.').next().unwrap_or_default();
    let id = ID.get().cloned().unwrap_or_else(|| name.to_owned());
    Env {
        id,
        host: None,
        regex: None,
        seed: super::clock::now().as_nanos() ^ u64::from(std::process::id()).rotate_left(40),
    }
}

/// Included files on the disk.
#[derive(Clone, Debug, Default)]
pub struct Disk {
    /// The files that patterns led to.
    found: Vec<String>,
}

impl Loader for Disk {
    fn find(&mut self, from: &str, pattern: &str) -> Result<Vec<String>, String> {
        let folder = Path::new(from).parent().unwrap_or(Path::new(""));
        let mut found = Vec::new();
        for pattern in braces(pattern) {
            let whole = folder.join(&pattern);
            let paths =
                glob::glob(&whole.to_string_lossy()).map_err(|e| format!("bad pattern: {}", e.msg))?;
            found.extend(paths.filter_map(Result::ok).filter(|p| !p.is_dir()).map(shown));
        }
        self.found.extend(found.iter().cloned());
        Ok(found)
    }

    fn read(&mut self, path: &str) -> Result<Vec<u8>, String> {
        read(Path::new(path))
    }
}

fn shown(path: PathBuf) -> String {
    path.into_os_string().into_string().unwrap_or_else(|p| p.to_string_lossy().into_owned())
}

/// The bytes of a configuration file.
///
/// # Errors
/// Why it cannot be read, as a clause such as `no such file`; also that it is too large for a configuration.
pub fn read(path: &Path) -> Result<Vec<u8>, String> {
    let about = fs::metadata(path).map_err(|e| reason(&e))?;
    if about.is_dir() {
        return Err("it is a directory".to_owned());
    }
    if about.len() > LARGEST {
        return Err(format!("it has {} MiB; no configuration is so large", about.len() >> 20));
    }
    fs::read(path).map_err(|e| reason(&e))
}

/// The system's reason without its number.
fn reason(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "no such file".to_owned(),
        io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        _ => error.to_string(),
    }
}

/// A pattern for each choice of its `{a,b}` parts.
fn braces(pattern: &str) -> Vec<String> {
    let Some((head, rest)) = pattern.split_once('{') else { return vec![pattern.to_owned()] };
    let Some((choices, tail)) = rest.split_once('}') else { return vec![pattern.to_owned()] };
    let tails = braces(tail);
    choices.split(',').flat_map(|c| tails.iter().map(move |t| format!("{head}{c}{t}"))).collect()
}

#[cfg(test)]
mod tests;
