//! What vrrpd would run, beside keepalived's own dump of the same file: every field that both know.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};

use lab::corpus::{self, Copies};
use lvs_core::conf::Config;
use lvs_core::sys::conf::load;

mod forms;
mod ours;
mod theirs;

/// Files in work at the same time.
const WORKERS: usize = 4;

/// Differences that stay: file, field, and the reason.
const DIFFERENT: [(&str, &str, &str); 17] = [
    ("005.conf", "", "AH is an error, and the instance left out: the standard dropped it in 2004"),
    ("007.conf", "", UNTRACKED),
    ("018.conf", "addresses", "an address that is listed twice is set once, keepalived shows it twice"),
    ("029.conf", "Tracked files", NO_FOLDER),
    ("030.conf", "", UNTRACKED),
    ("034.conf", "Tracked files", NO_FOLDER),
    ("041.conf", "", UNTRACKED),
    ("041.conf", "Interface", FREED),
    ("041.conf", "VMAC", FREED),
    ("041.conf", "addresses", FREED),
    ("042.conf", "", UNTRACKED),
    (
        "050.conf",
        "",
        "unicast_peer without an address: keepalived falls back to multicast, beside others that do not",
    ),
    ("053.conf", "", UNTRACKED),
    ("057.conf", "", UNTRACKED),
    ("070.conf", "Tracked BFDs", NO_BFD),
    ("085.conf", "Tracked BFDs", NO_BFD),
    ("", START, "files with which keepalived does not run at all"),
];
const UNTRACKED: &str = "what it tracks has an error: it is left out, and not master while nobody looks";
const NO_FOLDER: &str = "there is no folder for the files: vrrpd waits for them, keepalived leaves them out";
const FREED: &str = "the instance that had the name of this VMAC is left out";
const NO_BFD: &str = "BFD is not supported, which is said";
/// Instead of a field: keepalived refused to run.
const START: &str = "start";
/// So many files of a thousand may that be; the others are compared.
const REFUSED: usize = 150;
/// And those of the forms.
const OTHER_FORMS: [(&str, &str, &str); 1] =
    [("sequences-in-a-row", "", "it gives addresses that are none: an error, and the instance is left out")];

/// For `sh -c SCRIPT FILE INTERFACE...`: keepalived dumps what it has read, starts, and is killed with its namespaces,
/// whatever processes it has by then. Without -B its BFD process dumps too, into the same log in the midst of a router. What has
/// died twice will go on dying.
const SCRIPT: &str = r#"
ip link set lo up
n=0
for i in "$@"; do
    n=$((n + 1))
    printf 'link add %s type veth peer name peer%s\nlink set %s up\nlink set peer%s up\n' $i $n $i $n
    printf 'address add 10.%s.%s.1/24 dev %s\n' $((250 + n / 250)) $((n % 250)) $i
done | ip -batch - || exit 9
d=$(mktemp -d)
mkfifo $d/log
keepalived -n -l -d -G -P -B -f "$0" -p $d/p -r $d/r -b $d/b >$d/log 2>&1 &
timeout 120 sed -u '/< Interfaces >/q; /died: Respawning/{x; s/$/x/; /xx/{x; q}; x}' <$d/log
rm -r $d
"#;

/// What each line begins with: `Sun Nov 22 21:50:09 2026: `.
const TIME: usize = 26;

/// keepalived's dump of a file, without the times; or what it says when it does not start.
fn dump(file: &Path, interfaces: &BTreeSet<String>) -> Result<String, String> {
    let mut command = Command::new("unshare");
    command
        .args(["-n", "-p", "--fork", "--kill-child", "sh", "-c", SCRIPT])
        .arg(file)
        .args(interfaces)
        .env("LC_ALL", "C");
    let output = command.output().map_err(|e| e.to_string())?;
    let log = String::from_utf8_lossy(&output.stdout).into_owned();
    if !log.contains("< Interfaces >") {
        return Err(format!("{log}{}", String::from_utf8_lossy(&output.stderr)));
    }
    Ok(log.lines().map(|l| l.get(TIME..).unwrap_or("").to_owned() + "\n").collect())
}

/// The interfaces that must be there for keepalived to start.
fn interfaces(config: &Config) -> BTreeSet<String> {
    let of = |i: &lvs_core::conf::model::Instance| {
        let vips = i.addresses.iter().chain(&i.excluded).map(|a| a.dev.value.clone());
        let tracked = i.track.interfaces.iter().map(|r| r.name.value.clone());
        let vmac = i.vmac.as_ref().map(|v| v.name.value.clone());
        let own = i.interface.iter().map(|n| n.value.clone());
        own.chain(vips).chain(tracked).filter(move |n| Some(n) != vmac.as_ref()).collect::<Vec<_>>()
    };
    let usual = ["eth0", "eth1", "eth2", "eth3"].map(str::to_owned);
    config.instances.iter().flat_map(of).filter(|n| !n.is_empty() && n != "lo").chain(usual).collect()
}

/// A field of a file that differs; without a field, all of a router or of the file.
struct Difference {
    file: String,
    field: String,
    text: String,
}

impl Difference {
    fn of(file: &str, field: &str, text: String) -> Self {
        Self { file: file.to_owned(), field: field.to_owned(), text }
    }
}

/// What differs in a file.
fn differences(file: &Path) -> Vec<Difference> {
    let name = title(file);
    let (config, _) = load(&file.to_string_lossy()).expect("a readable file");
    let mut ours = ours::routers(&config);
    let dump = match dump(file, &interfaces(&config)) {
        Ok(dump) => dump,
        // It gives up, or falls over one of them again and again; anything else is a fault of this test.
        Err(log) if ["exited with permanent error", "died: Respawning"].iter().any(|w| log.contains(w)) => {
            return vec![Difference::of("", START, name)];
        }
        Err(log) => return vec![Difference::of(&name, "", format!("keepalived does not start:\n{log}"))],
    };
    let (theirs, missing) = (theirs::routers(&dump), theirs::missing_scripts(&dump));
    ours.values_mut().for_each(|fields| leave_out(fields, &missing));
    compare(&name, &ours, &theirs)
}

/// A real file's own name; a form of the syntax is named by its folder.
fn title(file: &Path) -> String {
    let folder = file.parent().filter(|_| file.extension().is_none());
    corpus::name(folder.unwrap_or(file))
}

fn compare(
    name: &str,
    ours: &BTreeMap<String, Fields>,
    theirs: &BTreeMap<String, Fields>,
) -> Vec<Difference> {
    let mut found = Vec::new();
    for router in ours.keys().chain(theirs.keys()).collect::<BTreeSet<_>>() {
        let (Some(a), Some(b)) = (ours.get(router), theirs.get(router)) else {
            found.push(Difference::of(name, "", format!("{router}: only one of both has it")));
            continue;
        };
        for field in a.keys().chain(b.keys()).collect::<BTreeSet<_>>() {
            let (a, b) = (a.get(field), b.get(field));
            if a != b {
                found.push(Difference::of(name, field, format!("{router}: {a:?}, keepalived {b:?}")));
            }
        }
    }
    found
}

/// What is not listed, and what is listed and no longer so, a line each.
fn judge(found: &[Difference], listed: &[(&str, &str, &str)]) -> String {
    let is = |d: &Difference, l: &(&str, &str, &str)| (d.file.as_str(), d.field.as_str()) == (l.0, l.1);
    let new = found.iter().filter(|d| !listed.iter().any(|l| is(d, l)));
    let new = new.map(|d| format!("{}: {}: {}\n", d.file, d.field, d.text));
    let stale = listed.iter().filter(|l| !found.iter().any(|d| is(d, l)));
    new.chain(stale.map(|l| format!("{}: {}: listed, but equal\n", l.0, l.1))).collect()
}

/// Scripts that this host does not have are tracked by vrrpd, as failed, and left out by keepalived.
fn leave_out(ours: &mut Fields, missing: &BTreeSet<&str>) {
    let all = ours.remove("Tracked scripts").unwrap_or_default();
    let gone = |item: &&str| item.split(' ').next().is_none_or(|name| missing.contains(name));
    let left: Vec<&str> = all.split("; ").filter(|i| !i.is_empty() && !gone(i)).collect();
    if !left.is_empty() {
        ours.insert("Tracked scripts".to_owned(), left.join("; "));
    }
}

/// A virtual router's fields by name, in keepalived's words.
type Fields = BTreeMap<String, String>;

/// The differences of all files, some at a time.
fn all_differences(files: &[PathBuf]) -> Vec<Difference> {
    let queue = Mutex::new(files.iter());
    let next = || queue.lock().unwrap_or_else(PoisonError::into_inner).next();
    let work = || {
        let mut found = Vec::new();
        while let Some(file) = next() {
            found.extend(differences(file));
        }
        found
    };
    std::thread::scope(|s| {
        let workers: Vec<_> = (0..WORKERS).map(|_| s.spawn(work)).collect();
        workers
            .into_iter()
            .flat_map(|w| w.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
            .collect()
    })
}

#[test]
fn parameters_are_those_of_keepalived_s_dump() {
    let copies = Copies::mentioning("vrrp_instance", &["ok", "complains"]).expect("copies of the files");
    let found = all_differences(&copies.files);
    let refused: Vec<&str> = found.iter().filter(|d| d.field == START).map(|d| d.text.as_str()).collect();
    assert!(
        refused.len() * 1000 <= copies.files.len() * REFUSED,
        "keepalived runs with too few: {refused:?}"
    );
    let found = judge(&found, if copies.files.len() == 1 { &[] } else { &DIFFERENT });
    assert!(found.is_empty(), "{found}");
}

#[test]
fn every_form_of_the_syntax_means_what_it_means_to_keepalived() {
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").expect("the host's name");
    let id = host.trim().split('.').next().unwrap_or_default();
    let top = std::env::temp_dir().join(format!("lvs-syntax-{}", std::process::id()));
    let mut files = Vec::new();
    for (name, texts) in forms::FORMS {
        let folder = top.join(name.replace([' ', ','], "-"));
        for (path, text) in texts {
            let path = folder.join(path);
            std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
            let written = match std::str::from_utf8(text) {
                Ok(text) => std::fs::write(&path, text.replace("HOST", id)),
                Err(_) => std::fs::write(&path, text),
            };
            written.expect("a file");
        }
        files.push(folder.join(texts[0].0));
    }
    let found = judge(&all_differences(&files), &OTHER_FORMS);
    std::fs::remove_dir_all(&top).expect("what we made");
    assert!(found.is_empty(), "{found}");
}
