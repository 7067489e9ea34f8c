use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::time::Duration;

use crate::conf::At;
use crate::conf::model::{Command, Global};
use crate::sys::clock;
use crate::sys::script::Scripts;

use super::*;

fn command(words: &[&str]) -> Command {
    let argv = words.iter().map(|w| (*w).to_owned()).collect();
    Command { argv: At::assumed(argv), user: None, group: None }
}

/// Runs as ourselves whoever we are.
fn job(words: &[&str]) -> Job {
    let me = At::assumed(nix::unistd::geteuid().to_string());
    let scripts = Scripts::new(&Global { script_user: Some(me), ..Global::default() });
    scripts.prepare(&command(words)).unwrap().0
}

/// Waits for the next ends, at most ten seconds.
fn next(children: &mut Children) -> Vec<(u64, End)> {
    let mut poll = Poll::new().unwrap();
    poll.add(&*children, 1, Interest::Read).unwrap();
    let end = clock::now() + Duration::from_secs(10);
    while clock::now() < end {
        poll.wait(Some(end), &mut Vec::new()).unwrap();
        let ended = children.ended();
        if !ended.is_empty() {
            return ended;
        }
    }
    panic!("nothing has ended");
}

#[test]
fn a_program_s_end_is_told_with_its_number() {
    let mut children = Children::new().unwrap();
    let number = children.start(job(&["sh", "-c", "exit 7"])).unwrap();
    assert!(!children.is_idle());
    assert_eq!(next(&mut children), [(number, End::Status(7))]);
    assert!(children.is_idle());
    let number = children.start(job(&["sh", "-c", "kill -9 $$"])).unwrap();
    assert_eq!(next(&mut children), [(number, End::Signal(9))]);
}

#[test]
fn a_program_that_somebody_else_has_waited_for_has_ended() {
    let mut children = Children::new().unwrap();
    let number = children.start(job(&["sh", "-c", "read line < /dev/zero"])).unwrap();
    let end = clock::now() + Duration::from_secs(10);
    while !children.running.contains_key(&number) {
        assert!(clock::now() < end);
        children.ended();
    }
    let pid = nix::unistd::Pid::from_raw(children.running[&number].child.id().try_into().unwrap());
    nix::sys::signal::kill(pid, Signal::SIGKILL).unwrap();
    nix::sys::wait::waitpid(pid, None).unwrap();
    let ended = next(&mut children);
    assert!(matches!(&ended[..], [(n, End::Unknown(_))] if *n == number), "{ended:?}");
    assert!(children.is_idle());
}

#[test]
fn a_signal_reaches_what_the_program_has_started_and_nothing_is_left() {
    let dir = std::env::temp_dir().join(format!("lvs-children-{}", std::process::id()));
    fs::create_dir_all(&dir).unwrap();
    let file = dir.join("pid");
    // The child of the script ignores SIGTERM; the script itself does not.
    let script = format!(
        "sh -c 'trap \"\" TERM; echo $$ > {0}.new; mv {0}.new {0}; sleep 100' & wait",
        file.display()
    );
    let mut children = Children::new().unwrap();
    let number = children.start(job(&["sh", "-c", &script])).unwrap();
    let end = clock::now() + Duration::from_secs(10);
    while !file.exists() {
        assert!(clock::now() < end);
        children.ended();
    }
    children.signal(number, Signal::SIGTERM);
    assert_eq!(next(&mut children), [(number, End::Signal(15))]);
    let pid = fs::read_to_string(&file).unwrap();
    let stat = PathBuf::from(format!("/proc/{}/stat", pid.trim()));
    // Killed; it may stay as a zombie until its new parent has waited for it.
    let gone = || fs::read_to_string(&stat).map_or(true, |s| s.contains(") Z "));
    while !gone() {
        assert!(clock::now() < end, "the grandchild lives");
    }
    fs::remove_dir_all(dir).unwrap();
}

#[test]
fn what_cannot_be_started_says_why() {
    let mut children = Children::new().unwrap();
    let dir = std::env::temp_dir().join(format!("lvs-children-bad-{}", std::process::id()));
    fs::write(&dir, "#!/no/such/interpreter\n").unwrap();
    fs::set_permissions(&dir, fs::Permissions::from_mode(0o755)).unwrap();
    let number = children.start(job(&[&dir.display().to_string()])).unwrap();
    let ended = next(&mut children);
    assert_eq!(ended[0].0, number);
    assert_eq!(ended[0].1.to_string(), "not started: No such file or directory (os error 2)");
    fs::remove_file(dir).unwrap();
}
