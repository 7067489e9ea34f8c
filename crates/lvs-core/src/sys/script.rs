//! Programs that a configuration names: run as the right user, without a shell, and only if nobody else can have
//! replaced them.

use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};

use nix::sys::signal::{Signal, killpg};
use nix::unistd::{Gid, Group, Pid, Uid, User};

use crate::conf::model::{Command, Global};

/// Why a script is not run.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ScriptError {
    /// The user or group does not exist.
    #[error("{script}: there is no {kind} '{name}'; create it or name another one after the command")]
    Nobody {
        /// The program.
        script: String,
        /// `user` or `group`.
        kind: &'static str,
        /// Its name.
        name: String,
    },
    /// Another user could replace what root would run.
    #[error(
        "{script}: not run as root, because {} can be changed by other users (enable_script_security); \
         'chown root' and 'chmod go-w' it, or name a user after the command",
        path.display()
    )]
    Insecure {
        /// The program.
        script: String,
        /// The part of its path.
        path: PathBuf,
    },
    /// It cannot be started.
    #[error("{script}: cannot be run: {why}")]
    Start {
        /// The program.
        script: String,
        /// What the system said.
        why: String,
    },
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

    /// Starts a command with further arguments at its end. Its output goes to our standard error; it is a process
    /// group of its own, so that [`end`] reaches what it starts.
    ///
    /// # Errors
    /// Its user does not exist, others can change it, or it cannot be started.
    pub fn start(&self, command: &Command, more: &[String]) -> Result<Child, ScriptError> {
        let Some((program, args)) = command.argv.split_first() else {
            return Err(ScriptError::Start { script: String::new(), why: "no program is named".to_owned() });
        };
        let fail = |e: io::Error| ScriptError::Start { script: program.clone(), why: e.to_string() };
        let (uid, gid) = self.identity(program, command)?;
        if self.security && uid.is_root() {
            secure(program)?;
        }
        let mut run = std::process::Command::new(program);
        run.args(args).args(more).stdin(Stdio::null()).process_group(0);
        run.stdout(Stdio::from(dup_stderr().map_err(fail)?));
        if (uid, gid) != (Uid::effective(), Gid::effective()) {
            run.uid(uid.as_raw()).gid(gid.as_raw());
        }
        super::child::unburden(&mut run);
        run.spawn().map_err(fail)
    }

    /// The written user, else `script_user`, else `keepalived_script` where root runs us and it exists, else us.
    fn identity(&self, script: &str, command: &Command) -> Result<(Uid, Gid), ScriptError> {
        let nobody =
            |kind, name: &str| ScriptError::Nobody { script: script.to_owned(), kind, name: name.to_owned() };
        let written = command.user.as_ref().map(|u| u.value.as_str());
        let named = written.or(self.user.as_deref());
        let user = match named {
            Some(name) => Some(find_user(name).ok_or_else(|| nobody("user", name))?),
            None if Uid::effective().is_root() => find_user("keepalived_script"),
            None => None,
        };
        let (uid, own) = user.map_or((Uid::effective(), Gid::effective()), |u| (u.uid, u.gid));
        let group = match written {
            Some(_) => command.group.as_ref().map(|g| g.value.as_str()),
            None => self.group.as_deref(),
        };
        let gid = match group {
            Some(name) => find_group(name).ok_or_else(|| nobody("group", name))?,
            None => own,
        };
        Ok((uid, gid))
    }
}

/// Kills a command and everything that it started, unless that left its process group.
pub fn end(child: &Child) {
    if let Ok(pid) = i32::try_from(child.id()) {
        // It may have ended just now; then there is nobody to kill, and its number is still kept for `wait`.
        let _ = killpg(Pid::from_raw(pid), Signal::SIGKILL);
    }
}

fn dup_stderr() -> io::Result<OwnedFd> {
    use std::os::fd::AsFd;
    io::stderr().as_fd().try_clone_to_owned()
}

fn find_user(name: &str) -> Option<User> {
    let found = User::from_name(name).ok().flatten();
    found.or_else(|| name.parse().ok().and_then(|n| User::from_uid(Uid::from_raw(n)).ok().flatten()))
}

fn find_group(name: &str) -> Option<Gid> {
    let found = Group::from_name(name).ok().flatten().map(|g| g.gid);
    found.or_else(|| name.parse().ok().map(Gid::from_raw))
}

/// Refuses a program that somebody but root can replace: the file or a folder on the way to it.
fn secure(program: &str) -> Result<(), ScriptError> {
    let fail = |e: io::Error| ScriptError::Start { script: program.to_owned(), why: e.to_string() };
    // The real path: a link is as safe as what it leads to, and as the folder that holds the link.
    let real = Path::new(program).canonicalize().map_err(fail)?;
    for path in real.ancestors().chain(Path::new(program).ancestors().skip(1)) {
        if path.as_os_str().is_empty() {
            continue;
        }
        let meta = path.metadata().map_err(fail)?;
        let sticky_folder = meta.is_dir() && meta.mode() & 0o1000 != 0;
        if meta.uid() != 0 || meta.mode() & 0o022 != 0 && !sticky_folder {
            return Err(ScriptError::Insecure { script: program.to_owned(), path: path.to_owned() });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conf::At;
    use crate::sys::poll::{Interest, Poll};

    fn command(words: &[&str]) -> Command {
        let argv = words.iter().map(|w| (*w).to_owned()).collect();
        Command { argv: At::assumed(argv), user: None, group: None }
    }

    fn own() -> Scripts {
        // Whoever runs the tests, whether or not the host has a user keepalived_script.
        Scripts { user: Some(Uid::effective().to_string()), ..Scripts::default() }
    }

    #[test]
    fn a_command_gets_its_arguments_and_no_shell() {
        let run = |words: &[&str], more: &[&str]| {
            let more: Vec<_> = more.iter().map(|m| (*m).to_owned()).collect();
            own().start(&command(words), &more).unwrap().wait().unwrap().code()
        };
        assert_eq!(run(&["/usr/bin/test", "a b"], &["=", "a b"]), Some(0));
        assert_eq!(run(&["/usr/bin/test", "$HOME"], &["=", "$HOME"]), Some(0));
        assert_eq!(run(&["/bin/false"], &[]), Some(1));
    }

    #[test]
    fn its_end_is_seen_and_can_be_brought_about() {
        let mut child = own().start(&command(&["/bin/sleep", "100"]), &[]).unwrap();
        let fd = crate::sys::child::end(child.id()).unwrap();
        let mut poll = Poll::new().unwrap();
        poll.add(&fd, 5, Interest::Read).unwrap();
        end(&child);
        let mut events = Vec::new();
        poll.wait(None, &mut events).unwrap();
        assert_eq!(events[0].token, 5);
        assert_eq!(child.wait().unwrap().code(), None);
    }

    #[test]
    fn errors_name_the_script_and_what_to_do() {
        let missing = own().start(&command(&["/nonexistent"]), &[]).unwrap_err().to_string();
        assert!(missing.starts_with("/nonexistent: cannot be run: "), "{missing}");
        let user = Some(At::assumed("nosuchuser".to_owned()));
        let error = own().start(&Command { user, ..command(&["/bin/true"]) }, &[]).unwrap_err();
        assert!(error.to_string().contains("no user 'nosuchuser'"), "{error}");
    }

    #[test]
    fn root_runs_nothing_that_others_can_change() {
        let dir = std::env::temp_dir().join(format!("lvs-script-{}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        let script = dir.join("check");
        std::fs::copy("/bin/true", &script).unwrap();
        let set = |mode| {
            use std::os::unix::fs::PermissionsExt;
            std::fs::set_permissions(&script, std::fs::Permissions::from_mode(mode)).unwrap();
        };
        set(0o777);
        let error = secure(&script.to_string_lossy()).unwrap_err();
        assert!(
            matches!(error, ScriptError::Insecure { path, .. } if path.ends_with("check") || path == dir)
        );
        assert_eq!(secure("/bin/true"), Ok(()));
        std::fs::remove_dir_all(&dir).unwrap();
    }
}
