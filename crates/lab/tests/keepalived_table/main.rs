//! The IPVS table that `ipvsctl apply` makes from a file is the one that keepalived makes from it.
//!
//! Each file has a network namespace of its own. Both tables are read by ipvsadm.
#![allow(clippy::unwrap_used)]

mod forms;

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use lab::corpus::{self, Copies};
use lab::{Host, Lab, Output, SECONDS};

/// Files in work at the same time: keepalived waits for itself now and then.
const WORKERS: usize = 4;

/// Differences that stay, with the reason.
const DIFFERENT: [(&str, &str); 1] = [(
    "a-service-in-two-groups",
    "a service belongs to its first virtual_server; keepalived mixes the servers of both",
)];

/// Has 30,000 real servers, for which keepalived takes longer here than for all other files together.
const TOO_LARGE: &str = "037.conf";

/// One file in namespaces of its own, for `sh -c SCRIPT FILE RUN THRESHOLDS`: sh is their process 1, and with it goes
/// whatever keepalived has started. The default route leads nowhere: checks hang instead of failing at once, and no server
/// leaves the table while it is looked at.
///
/// The checker activates BFD's last of all, when its table is made. Without a reader of its log keepalived would end and
/// take its table along, so descriptor 3 stays open. The parent is stopped before the checker is killed: it would start
/// another one.
const SCRIPT: &str = r#"
ip -batch - <<END || exit 9
link set lo up
link add eth0 type dummy
link set eth0 up
address add 10.255.255.1/24 dev eth0
route add default dev eth0
route add ::/0 dev eth0
END
show() { echo "== $1"; ipvsadm -Sn; $2; }
ipvsctl apply $0 >$1.apply 2>&1
show ours "$2"
ipvsadm -C || exit 8
echo '== keepalived'
mkfifo $1.fifo
exec 3<>$1.fifo
keepalived -n -l -D -G -C -f $0 -p $1.parent -c $1.checker >$1.fifo 2>&1 3<&- & parent=$!
timeout 60 sed '/Activating BFD healthchecker/q' <&3 >$1.log
read checker <$1.checker
kill -STOP $parent && kill -KILL $checker
show theirs "$2"
echo "== log"
cat $1.apply $1.log
"#;

struct Tables {
    ours: String,
    theirs: String,
    log: String,
}

/// How often keepalived may begin anew with one file. Once in several hundred starts it stood still in this kernel; what
/// is asked for here is its table, not that.
const ATTEMPTS: u32 = 3;

fn tables(host: &Host, file: &Path) -> Tables {
    for attempt in 1..=ATTEMPTS {
        let answer = answer(host, file, attempt);
        let part = |name: &str| {
            let after = answer.stdout.split(&format!("== {name}\n")).nth(1).unwrap_or_default();
            after.split("== ").next().unwrap_or_default().to_owned()
        };
        let log = part("log");
        if answer.status == 0 && log.contains("Activating BFD healthchecker") {
            return Tables { ours: part("ours"), theirs: part("theirs"), log };
        }
        // Ours has no second chance.
        assert!(
            answer.stdout.contains("== keepalived\n") && attempt < ATTEMPTS,
            "{}: {answer}",
            file.display()
        );
    }
    unreachable!("the last attempt returns or fails")
}

/// What [`SCRIPT`] says about a file. After 25 s its processes are killed, whatever they are at.
fn answer(host: &Host, file: &Path, attempt: u32) -> Output {
    let path = file.to_str().unwrap();
    let run = format!("/run/{}.{attempt}", corpus::name(file));
    let limits = std::fs::read(file).unwrap().windows(9).any(|w| w == b"threshold");
    let limits = if limits { "ipvsadm -Ln --thresholds" } else { "" };
    let own = "timeout -s KILL 25 unshare --net --pid --fork --mount-proc --kill-child sh -c".split(' ');
    let line: Vec<&str> = own.chain([SCRIPT, path, &run, limits]).collect();
    host.run_for(&line, 60 * SECONDS)
}

/// What differs, for the reader of a failed test.
fn difference(host: &Host, file: &Path) -> Option<String> {
    let t = tables(host, file);
    let name = corpus::name(file);
    assert!(!t.log.contains("Removing service"), "{name}: a check was faster than the test:\n{}", t.log);
    let sorted = |text: &str| {
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        lines.sort_unstable();
        lines
    };
    let same = sorted(&t.ours) == sorted(&t.theirs);
    (!same).then(|| format!("{name}: keepalived makes\n{}\nipvsctl makes\n{}\n{}", t.theirs, t.ours, t.log))
}

/// The differences of all files, but for the listed ones: a listed file that is equal by now is one too.
fn differences(host: &Host, files: &[PathBuf]) -> String {
    let files: Vec<&PathBuf> = files.iter().filter(|f| corpus::name(f) != TOO_LARGE).collect();
    let queue = Mutex::new(files.iter());
    let next = || queue.lock().unwrap_or_else(PoisonError::into_inner).next();
    let work = || {
        let mut found = String::new();
        while let Some(file) = next() {
            let known = DIFFERENT.iter().any(|(name, _)| *name == corpus::name(file));
            found += &match difference(host, file) {
                None if known => format!("{}: listed as different, and equal\n", corpus::name(file)),
                Some(text) if !known => text,
                _ => String::new(),
            };
        }
        found
    };
    std::thread::scope(|s| {
        let workers: Vec<_> = (0..WORKERS).map(|_| s.spawn(work)).collect();
        workers
            .into_iter()
            .map(|w| w.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
            .collect()
    })
}

/// A machine whose /etc and /run are its own.
fn director(lab: &Lab) -> Host {
    let host = lab.host("director", &[]);
    // keepalived asks for the full name of its host; there is nobody to ask.
    host.write("/etc/nsswitch.conf", "hosts: files\n");
    host
}

#[test]
fn the_tables_of_real_files_are_keepalived_s() {
    let lab = Lab::new();
    let copies = Copies::mentioning("virtual_server", &["ok"]).unwrap();
    let found = differences(&director(&lab), &copies.files);
    assert!(found.is_empty(), "{found}");
}

#[test]
fn the_tables_of_every_form_are_keepalived_s() {
    let lab = Lab::new();
    let folder = std::env::temp_dir().join(format!("lvs-forms-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let files: Vec<PathBuf> = forms::FORMS
        .iter()
        .map(|(name, text)| {
            let path = folder.join(name);
            std::fs::write(&path, text).unwrap();
            path
        })
        .collect();
    let found = differences(&director(&lab), &files);
    std::fs::remove_dir_all(&folder).unwrap();
    assert!(found.is_empty(), "{found}");
}
