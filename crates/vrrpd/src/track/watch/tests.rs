use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Child, Command as Process};
use std::time::Duration;

use lvs_core::conf::At;
use lvs_core::conf::model::{Command, Weight};
use lvs_core::sys::clock;

use super::*;

const SECOND: Duration = Duration::from_secs(1);

/// A directory of the test's own that goes with it.
struct Dir(PathBuf);

impl Dir {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("vrrpd-watch-{name}-{}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn path(&self, name: &str) -> String {
        self.0.join(name).display().to_string()
    }

    fn script(&self, name: &str, text: &str) -> String {
        let path = self.path(name);
        fs::write(&path, format!("#!/bin/sh\n{text}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        path
    }
}

impl Drop for Dir {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).unwrap();
    }
}

fn at<T>(value: T) -> At<T> {
    At::assumed(value)
}

fn script(name: &str, words: &[&str]) -> Script {
    let argv = at(words.iter().map(|w| (*w).to_owned()).collect());
    Script {
        name: at(name.to_owned()),
        command: Command { argv, user: None, group: None },
        interval: at(SECOND / 20),
        timeout: at(10 * SECOND),
        weight: at(Weight::default()),
        rise: at(1),
        fall: at(1),
        init_fail: at(false),
    }
}

/// Turns until `name` stands so, at most ten seconds.
fn until(watch: &mut Watch, name: &str, standing: Standing) {
    let end = clock::now() + 10 * SECOND;
    let mut poll = Poll::new().unwrap();
    poll.add(&*watch, 1, Interest::Read).unwrap();
    loop {
        let all = watch.all();
        let now = all.iter().find(|n| n.name == name).unwrap();
        if now.standing == standing {
            return;
        }
        assert!(clock::now() < end, "{all:?}");
        let deadline = watch.deadline().map_or(end, |t| t.min(end));
        poll.wait(Some(deadline), &mut Vec::new()).unwrap();
        watch.turn(clock::now(), &mut Vec::new());
    }
}

#[test]
fn a_script_follows_what_it_finds_and_a_refused_one_is_off() {
    let dir = Dir::new("script");
    let flag = dir.path("flag");
    let chk = script("chk", &[&dir.script("chk", &format!("test -e {flag}"))]);
    let things = Things { scripts: vec![chk, script("none", &["/no/such"])], ..Things::default() };
    let mut watch = Watch::new().unwrap();
    watch.configure(&things, clock::now());
    until(&mut watch, "chk", Standing::Down);
    until(&mut watch, "none", Standing::Off);
    assert_eq!(watch.last_result("chk").as_deref(), Some("exit status 1"));
    fs::write(&flag, "").unwrap();
    until(&mut watch, "chk", Standing::Up);
    watch.configure(&things, clock::now());
    until(&mut watch, "chk", Standing::Up);
}

#[test]
fn a_script_that_hangs_has_failed_and_is_ended_with_all_it_started() {
    let dir = Dir::new("hang");
    let pid = dir.path("pid");
    let text = format!("sh -c 'trap \"\" TERM; echo $$ > {pid}.new; mv {pid}.new {pid}; sleep 1000' &\nwait");
    let mut chk = script("chk", &[&dir.script("chk", &text)]);
    (chk.timeout, chk.interval) = (at(SECOND), at(60 * SECOND));
    let mut watch = Watch::new().unwrap();
    watch.configure(&Things { scripts: vec![chk], ..Things::default() }, clock::now());
    until(&mut watch, "chk", Standing::Down);
    let end = clock::now() + 10 * SECOND;
    let stat = format!("/proc/{}/stat", fs::read_to_string(pid).unwrap().trim());
    while fs::read_to_string(&stat).is_ok_and(|s| !s.contains(") Z ")) {
        assert!(clock::now() < end, "the grandchild lives");
        watch.turn(clock::now(), &mut Vec::new());
    }
    assert_eq!(watch.last_result("chk").as_deref(), Some("not done in time"));
}

fn file(name: &str, path: String) -> TrackFile {
    TrackFile { name: at(name.to_owned()), path: at(path), weight: at(Weight::default()), init: None }
}

#[test]
fn a_file_is_followed_when_written_replaced_removed_and_when_its_directory_comes() {
    let dir = Dir::new("file");
    let (f, late) = (dir.path("f"), dir.path("late/g"));
    let mut made = file("made", dir.path("made"));
    made.init = Some(at((7, false)));
    let files = vec![file("f", f.clone()), file("late", late.clone()), made];
    let mut watch = Watch::new().unwrap();
    watch.configure(&Things { files, ..Things::default() }, clock::now());
    until(&mut watch, "f", Standing::Value(0));
    until(&mut watch, "made", Standing::Value(7));
    fs::write(&f, "5\n").unwrap();
    until(&mut watch, "f", Standing::Value(5));
    fs::write(dir.path("new"), "-3").unwrap();
    fs::rename(dir.path("new"), &f).unwrap();
    until(&mut watch, "f", Standing::Value(-3));
    fs::remove_file(&f).unwrap();
    until(&mut watch, "f", Standing::Value(0));
    for number in [1, 2] {
        fs::create_dir(dir.path("late")).unwrap();
        fs::write(&late, number.to_string()).unwrap();
        until(&mut watch, "late", Standing::Value(number));
        fs::remove_dir_all(dir.path("late")).unwrap();
        until(&mut watch, "late", Standing::Value(0));
    }
}

/// A process of this name, killed with the value.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

fn run(program: &str) -> Running {
    Running(Process::new(program).arg("1000").spawn().unwrap())
}

#[test]
fn processes_are_counted_when_they_come_and_when_they_end() {
    let dir = Dir::new("process");
    let program = dir.path(&format!("trk{}", std::process::id() % 100_000));
    fs::copy("/bin/sleep", &program).unwrap();
    let process = TrackProcess {
        name: at("p".to_owned()),
        process: at(vec![program.rsplit('/').next().unwrap().to_owned()]),
        param_match: None,
        weight: at(Weight::default()),
        quorum: at(2),
        quorum_max: None,
        fork_delay: at(Duration::ZERO),
        terminate_delay: at(Duration::ZERO),
        full_command: at(false),
    };
    let first = run(&program);
    let mut watch = Watch::new().unwrap();
    watch.configure(&Things { processes: vec![process], ..Things::default() }, clock::now());
    until(&mut watch, "p", Standing::Down);
    let second = run(&program);
    until(&mut watch, "p", Standing::Up);
    let third = run(&program);
    drop(first);
    until(&mut watch, "p", Standing::Up);
    drop((second, third));
    let killed = clock::now();
    until(&mut watch, "p", Standing::Down);
    assert!(clock::now() - killed < SECOND, "an end is seen at once");
}

/// The process itself has the number of a real one; what /proc says of it is the test's.
#[test]
fn a_process_whose_command_line_cannot_be_read_holds_up_nobody() {
    let dir = Dir::new("stuck");
    let pid = std::process::id();
    fs::create_dir(dir.path(&pid.to_string())).unwrap();
    fs::write(dir.path(&format!("{pid}/stat")), format!("{pid} (stuck) S 1")).unwrap();
    let line = dir.path(&format!("{pid}/cmdline"));
    assert!(Process::new("mkfifo").arg(&line).status().unwrap().success());
    let process = TrackProcess {
        name: at("p".to_owned()),
        process: at(vec!["stuck".to_owned()]),
        param_match: None,
        weight: at(Weight::default()),
        quorum: at(1),
        quorum_max: None,
        fork_delay: at(Duration::ZERO),
        terminate_delay: at(Duration::ZERO),
        full_command: at(true),
    };
    let mut watch = Watch::new().unwrap();
    watch.processes = processes::Processes::new(&dir.0);
    watch.configure(&Things { processes: vec![process], ..Things::default() }, clock::now());
    watch.turn(clock::now(), &mut Vec::new());
    assert_eq!(watch.deadline(), None, "nor is it asked for again and again");
    assert_eq!(watch.all()[0].standing, Standing::Unknown);
    fs::write(&line, "/usr/bin/stuck\0").unwrap();
    until(&mut watch, "p", Standing::Up);
}

#[test]
fn while_all_is_well_nothing_is_due_but_a_rare_look() {
    let mut watch = Watch::new().unwrap();
    assert_eq!(watch.deadline(), None);
    let now = clock::now();
    let myself = fs::read_to_string("/proc/self/comm").unwrap();
    let process = TrackProcess {
        name: at("p".to_owned()),
        process: at(vec![myself.trim().to_owned()]),
        param_match: None,
        weight: at(Weight::default()),
        quorum: at(1),
        quorum_max: None,
        fork_delay: at(Duration::ZERO),
        terminate_delay: at(Duration::ZERO),
        full_command: at(false),
    };
    watch.configure(&Things { processes: vec![process], ..Things::default() }, now);
    until(&mut watch, "p", Standing::Up);
    watch.turn(now, &mut Vec::new());
    assert!(watch.deadline().unwrap() - now >= 4 * SECOND);
}
