//! The IPVS table that `ipvsctl apply` makes from a file is the one that keepalived makes from it.
//!
//! Each file has a network namespace of its own. Both tables are read by ipvsadm.
#![allow(clippy::unwrap_used)]

mod forms;

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use lab::corpus::{self, Copies};
use lab::{Host, Lab, SECONDS};

/// Files in work at the same time: keepalived waits for itself now and then.
const WORKERS: usize = 4;

/// Differences that stay, with the reason.
const DIFFERENT: [(&str, &str); 4] = [
    (
        "005.conf",
        "its vrrp_instance asks for AH, which would run without any authentication: an error, and with one nothing is applied",
    ),
    (
        "036.conf",
        "two groups of one name: a service belongs to its first virtual_server, keepalived mixes the servers of both",
    ),
    (
        "a-service-in-two-groups",
        "a service belongs to its first virtual_server; keepalived mixes the servers of both",
    ),
    (
        "037.conf",
        "30,000 real servers, for which keepalived takes longer here than for all other files together",
    ),
];

/// One file in a namespace of its own, for `sh -c SCRIPT FILE`. The default route leads nowhere: checks hang instead of
/// failing at once, and no server leaves the table while it is looked at. The checker activates BFD's last of all, when
/// its table is made; killed, it leaves that as it is.
const SCRIPT: &str = r#"
ip -batch - <<END || exit 9
link set lo up
link add eth0 type dummy
link set eth0 up
address add 10.255.255.1/24 dev eth0
route add default dev eth0
route add ::/0 dev eth0
END
show() { echo "== $1"; ipvsadm -Sn; if grep -q threshold $0; then ipvsadm -Ln --thresholds; fi; }
d=/run/$$; mkdir $d
ipvsctl apply $0 >$d/apply 2>&1
show ours
ipvsadm -C
mkfifo $d/log
exec 3<>$d/log # without a reader keepalived would end and take its table along
keepalived -n -l -D -G -C -f $0 -p $d/p -c $d/c >$d/log 2>&1 3<&- & k=$!
timeout 30 sed -u '/Activating BFD healthchecker/q' <&3 >$d/all
kill -9 $k $(cat $d/c)
show theirs
echo "== log"
cat $d/apply $d/all
"#;

struct Tables {
    ours: String,
    theirs: String,
    log: String,
}

fn tables(host: &Host, file: &Path) -> Tables {
    let path = file.to_str().unwrap();
    let answer = host.run_for(&["unshare", "-n", "sh", "-c", SCRIPT, path], 60 * SECONDS);
    assert_eq!(answer.status, 0, "{path}: {answer}");
    let part = |name: &str| {
        let after = answer.stdout.split(&format!("== {name}\n")).nth(1).unwrap_or_default();
        after.split("== ").next().unwrap_or_default().to_owned()
    };
    Tables { ours: part("ours"), theirs: part("theirs"), log: part("log") }
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

/// The differences of all files.
fn differences(host: &Host, files: &[PathBuf]) -> String {
    let known = |f: &&PathBuf| DIFFERENT.iter().any(|(name, _)| *name == corpus::name(f));
    let files: Vec<&PathBuf> = files.iter().filter(|f| !known(f)).collect();
    let queue = Mutex::new(files.iter());
    let next = || queue.lock().unwrap_or_else(PoisonError::into_inner).next();
    let work = || {
        let mut found = String::new();
        while let Some(file) = next() {
            found += &difference(host, file).unwrap_or_default();
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
    let copies = Copies::mentioning("virtual_server").unwrap();
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
