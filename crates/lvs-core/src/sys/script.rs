//! Programs that a configuration names: found, judged, and run as the right user, without a shell.
//!
//! `enable_script_security` refuses what someone other than root could change and root would run; without it that is a
//! warning. The original's rules for the user hold: the one written, else `script_user`, else `keepalived_script` where
//! it exists, else root (but not with `enable_script_security`).

use std::io;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command as Process, Stdio};

use nix::sys::signal::{Signal, killpg};
use nix::unistd::{Gid, Group, Pid, Uid, User, getegid, geteuid};

use super::child;
use crate::conf::model::{Command, Global};

pub mod security;

use security::{Found, Unsafe};

/// keepalived's name for whom scripts run as when the configuration names nobody.
const DEFAULT_USER: &str = "keepalived_script";

/// Why a program will not be run.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// The program itself.
    #[error(transparent)]
    Program(#[from] Unsafe),
    /// No such user.
    #[error("there is no user '{0}'; try: useradd --system {0}")]
    User(String),
    /// No such group.
    #[error("there is no group '{0}'; try: groupadd --system {0}")]
    Group(String),
    /// `enable_script_security` without anyone to run it as.
    #[error(
        "enable_script_security lets no script run as root by default: set script_user, or try: useradd --system {DEFAULT_USER}"
    )]
    NoDefaultUser,
}

/// How scripts are run: `script_user` and `enable_script_security`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Scripts {
    user: Option<String>,
    group: Option<String>,
    security: bool,
}

impl Scripts {
    /// By the global definitions of a configuration.
    pub fn new(global: &Global) -> Self {
        Self {
            user: global.script_user.as_ref().map(|u| u.value.clone()),
            group: global.script_group.as_ref().map(|g| g.value.clone()),
            security: *global.script_security,
        }
    }

    /// Finds the program, judges its path and looks up its user. The second value is a warning: it will run, but
    /// someone other than root could change what it does.
    ///
    /// # Errors
    /// It will not be run, and why.
    pub fn prepare(&self, command: &Command) -> Result<(Job, Option<String>), Refused> {
        let run_as = self.runner(command)?;
        let mut argv = command.argv.value.clone();
        let written = security::find(argv.first().map_or("", String::as_str))?;
        let written =
            std::path::absolute(&written).map_err(|error| Unsafe::Missing { path: written, error })?;
        let Found { program, parts } = security::look(&written)?;
        security::executable(&parts)?;
        let root = run_as.map_or_else(|| geteuid().is_root(), |(uid, _)| uid == 0);
        let hole = security::hole(&parts).filter(|_| root);
        if let Some(first) = argv.first_mut() {
            *first = written.display().to_string();
        }
        match hole {
            Some(hole) if self.security => Err(Unsafe::Writable(hole).into()),
            hole => Ok((Job { program, argv, run_as }, hole.map(|h| h.to_string()))),
        }
    }

    /// Whom a command runs as; none for ourselves.
    fn runner(&self, command: &Command) -> Result<Option<(u32, u32)>, Refused> {
        let written = command.user.as_ref().map(|u| u.value.as_str());
        let user = match written.or(self.user.as_deref()) {
            Some(user) => find_user(user)?,
            None => match find_user(DEFAULT_USER) {
                Ok(user) if geteuid().is_root() => user,
                Err(_) if self.security && geteuid().is_root() => return Err(Refused::NoDefaultUser),
                _ => return Ok(None),
            },
        };
        let group = match written {
            Some(_) => command.group.as_ref().map(|g| g.value.as_str()),
            None => self.group.as_deref(),
        };
        let gid = group.map_or(Ok(user.gid), find_group)?;
        let ourselves = user.uid == geteuid() && gid == getegid();
        Ok((!ourselves).then_some((user.uid.as_raw(), gid.as_raw())))
    }
}

/// A program that may be run: found, judged, and with its user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    /// What was judged is what runs, wherever we are and wherever a symbolic link leads by then; as with the original.
    program: PathBuf,
    /// As written, with the whole path: a program of several names does what it is called.
    argv: Vec<String>,
    /// None: as ourselves.
    run_as: Option<(u32, u32)>,
}

impl Job {
    /// The same program with more arguments.
    pub fn with(&self, arguments: impl IntoIterator<Item = String>) -> Self {
        let mut job = self.clone();
        job.argv.extend(arguments);
        job
    }

    /// Its words, for messages.
    pub fn line(&self) -> String {
        self.argv.join(" ")
    }

    /// Starts it; [`end`] reaches it and what it starts. What it writes goes nowhere, as with the original: with our
    /// standard error, a log that nobody reads would stop every script that has something to say.
    ///
    /// # Errors
    /// What the system says.
    pub fn start(&self) -> io::Result<Child> {
        self.process().spawn()
    }

    /// Ready to start; it will lead a process group, so that a signal reaches what it starts. It works
    /// where we do, as with the original: in `/` under systemd.
    fn process(&self) -> Process {
        let mut process = Process::new(&self.program);
        process
            .arg0(self.argv.first().map_or("", String::as_str))
            .args(self.argv.get(1..).unwrap_or_default())
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        if let Some((uid, gid)) = self.run_as {
            // Root's supplementary groups are given up with it.
            process.gid(gid).uid(uid);
        }
        child::unburden(&mut process);
        process
    }
}

/// Sends a signal to a command and everything that it started, unless that left its process group.
pub fn signal(child: &Child, signal: Signal) {
    if let Ok(pid) = i32::try_from(child.id()) {
        // It may have ended just now; then there is nobody to tell, and its number is still kept for `wait`.
        let _ = killpg(Pid::from_raw(pid), signal);
    }
}

/// Kills a command and everything that it started.
pub fn end(child: &Child) {
    signal(child, Signal::SIGKILL);
}

/// The numbers of a user and a group by name; without a group the user's own.
///
/// # Errors
/// There is no such user or group.
pub fn owner(user: Option<&str>, group: Option<&str>) -> Result<(Option<u32>, Option<u32>), Refused> {
    let user = user.map(find_user).transpose()?;
    let group = group.map(find_group).transpose()?;
    let gid = group.or(user.as_ref().map(|u| u.gid));
    Ok((user.map(|u| u.uid.as_raw()), gid.map(Gid::as_raw)))
}

/// A user by name or number.
fn find_user(name: &str) -> Result<User, Refused> {
    let named = User::from_name(name).ok().flatten();
    let numbered = || name.parse().ok().and_then(|n| User::from_uid(Uid::from_raw(n)).ok().flatten());
    named.or_else(numbered).ok_or_else(|| Refused::User(name.to_owned()))
}

/// A group by name or number.
fn find_group(name: &str) -> Result<Gid, Refused> {
    let named = Group::from_name(name).ok().flatten().map(|g| g.gid);
    named.or_else(|| name.parse().ok().map(Gid::from_raw)).ok_or_else(|| Refused::Group(name.to_owned()))
}

#[cfg(test)]
mod tests;
