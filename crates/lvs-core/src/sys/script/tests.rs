use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};

use super::*;
use crate::conf::At;
use crate::sys::poll::{Interest, Poll};

fn command(words: &[&str]) -> Command {
    let argv = words.iter().map(|w| (*w).to_owned()).collect();
    Command { argv: At::assumed(argv), user: None, group: None }
}

/// Whoever runs the tests, whether or not the host has a user keepalived_script.
fn own() -> Scripts {
    Scripts { user: Some(Uid::effective().to_string()), ..Scripts::default() }
}

fn job(words: &[&str]) -> Job {
    own().prepare(&command(words)).unwrap().0
}

#[test]
fn a_command_gets_its_arguments_and_no_shell() {
    let run = |words: &[&str], more: &[&str]| {
        let job = job(words).with(more.iter().map(|m| (*m).to_owned()));
        job.start().unwrap().wait().unwrap().code()
    };
    assert_eq!(run(&["/usr/bin/test", "a b"], &["=", "a b"]), Some(0));
    assert_eq!(run(&["/usr/bin/test", "$HOME"], &["=", "$HOME"]), Some(0));
    assert_eq!(run(&["/bin/false"], &[]), Some(1));
}

#[test]
fn what_it_writes_goes_nowhere() {
    let nowhere = |fd: u8| {
        let fd = format!("/proc/self/fd/{fd}");
        job(&["/usr/bin/test", &fd, "-ef", "/dev/null"]).start().unwrap().wait().unwrap().success()
    };
    assert!([0, 1, 2].into_iter().all(nowhere), "where it goes may be full");
}

#[test]
fn its_end_is_seen_and_can_be_brought_about() {
    let mut child = job(&["/bin/sleep", "100"]).start().unwrap();
    let fd = child::end(child.id()).unwrap();
    let mut poll = Poll::new().unwrap();
    poll.add(&fd, 5, Interest::Read).unwrap();
    end(&child);
    let mut events = Vec::new();
    poll.wait(None, &mut events).unwrap();
    assert_eq!(events[0].token, 5);
    assert_eq!(child.wait().unwrap().code(), None);
}

#[test]
fn who_runs_it_and_what_it_is_are_settled_before() {
    let mut c = command(&["true"]);
    c.user = Some(At::assumed("no-such-user-here".to_owned()));
    let why = own().prepare(&c).unwrap_err().to_string();
    assert!(why.contains("no user 'no-such-user-here'") && why.contains("useradd"), "{why}");
    let why = own().prepare(&command(&["/no/such/script"])).unwrap_err().to_string();
    assert!(why.starts_with("/no/such/script: cannot be run: "), "{why}");
    let why = own().prepare(&command(&["/nonexistent"])).unwrap_err().to_string();
    assert!(why.starts_with("/nonexistent: cannot be run: "), "{why}");
    assert!(job(&["true", "x"]).line().ends_with("/true x"));
    assert!(job(&["true"]).with(["INSTANCE".to_owned()]).line().ends_with("/true INSTANCE"));
}

#[test]
fn a_program_is_found_from_where_it_was_judged() {
    let here = std::env::current_dir().unwrap();
    let relative = format!("{}bin/true", "../".repeat(here.components().count()));
    let job = job(&[&relative]);
    assert_eq!(job.line(), format!("{}/{relative}", here.display()));
    assert!(job.start().unwrap().wait().unwrap().success());
}

#[test]
fn what_was_judged_runs_under_its_written_name_when_a_link_leads_elsewhere_by_then() {
    let dir = std::env::temp_dir().join(format!("lvs-script-link-{}", std::process::id()));
    fs::create_dir_all(&dir).unwrap();
    let link = dir.join("chk");
    symlink("/bin/sh", &link).unwrap();
    let written = link.display().to_string();
    let job = job(&[&written, "-c", "test \"$0\" = \"$NAME\""]);
    assert!(job.line().starts_with(&written), "{}", job.line());
    fs::remove_file(&link).unwrap();
    symlink("/bin/false", &link).unwrap();
    assert!(job.process().env("NAME", &written).status().unwrap().success());
    fs::remove_dir_all(dir).unwrap();
}

#[test]
fn security_turns_the_warning_into_a_refusal() {
    if !geteuid().is_root() {
        // For anyone else no script runs as root, so there is nothing to protect.
        assert!(own().prepare(&command(&["true"])).unwrap().1.is_none());
        return;
    }
    let path = std::env::temp_dir().join(format!("lvs-script-open-{}", std::process::id()));
    fs::write(&path, "#!/bin/sh\n").unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o777)).unwrap();
    let c = command(&[&path.display().to_string()]);
    let warning = own().prepare(&c).unwrap().1.unwrap();
    let mut secure = Scripts { security: true, ..own() };
    let refusal = secure.prepare(&c).unwrap_err().to_string();
    assert_eq!(warning, refusal);
    assert!(refusal.contains("chmod o-w"), "{refusal}");
    secure.user = None;
    if find_user(DEFAULT_USER).is_err() {
        let why = secure.prepare(&command(&["true"])).unwrap_err().to_string();
        assert!(why.contains("script_user"), "{why}");
    }
    fs::remove_file(path).unwrap();
}
