//! Real files of other people, read beside keepalived.
//!
//! The files are not part of the project. The test reads them from the folder that `LVS_CONF_CORPUS` names, or
//! from `../shared/corpus/keepalived` beside the workspace. `corpus/keepalived.tsv` holds what keepalived 2.2.7
//! says about each (made by `scripts/corpus-verdicts`), `corpus/verdicts.tsv` its verdict beside ours.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use lvs_core::conf::print::print;
use lvs_core::conf::{Config, Diag, Env, NoFiles, Severity, parse};

const KEEPALIVED: &str = include_str!("corpus/keepalived.tsv");

/// Files that keepalived calls ok and in which we find an error, with the mistake.
const PASSED_OVER: [(&str, &str); 1] =
    [("005.conf", "auth_type AH, which vrrpd does not speak and the standard dropped in 2004")];

/// Lines that keepalived complains about and we do not, with the reason.
const ELSEWHERE: [(&str, &[u32], &str); 8] = [
    ("032.conf", &[], UNDEFINED),
    ("047.conf", &[], UNDEFINED),
    ("068.conf", &[], UNDEFINED),
    ("134.conf", &[3], UNDEFINED),
    ("051.conf", &[51], NO_USER),
    ("070.conf", &[132], NO_USER),
    ("064.conf", &[80, 168], AFTER_BLOCK),
    ("066.conf", &[45], AFTER_BLOCK),
];
const UNDEFINED: &str =
    "${NAME} is not defined; we say so there, and its braces do not take the block apart as in keepalived";
const NO_USER: &str = "the script's user does not exist on the host that keepalived ran on";
const AFTER_BLOCK: &str = "we skip the unknown block as a whole, keepalived loses count of its braces";

fn folder() -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/corpus/keepalived");
    let folder = std::env::var_os("LVS_CONF_CORPUS").map_or(beside, PathBuf::from);
    if folder.is_dir() {
        return Some(folder);
    }
    let message = format!("the corpus of real files is not at {}; set LVS_CONF_CORPUS", folder.display());
    assert!(std::env::var("CI").as_deref() != Ok("true"), "{message}");
    // Not through print!: a passing test's output is swallowed, and a skipped test must not pass in silence.
    let _ = writeln!(std::io::stderr(), "\nNOT TESTED: {message}");
    None
}

/// The findings of every file, by name.
fn findings(folder: &Path) -> &'static BTreeMap<String, Vec<Diag>> {
    static FINDINGS: OnceLock<BTreeMap<String, Vec<Diag>>> = OnceLock::new();
    FINDINGS.get_or_init(|| read(folder))
}

fn read(folder: &Path) -> BTreeMap<String, Vec<Diag>> {
    let env = Env { id: "idhost".to_owned(), ..Env::default() };
    let files = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path());
    files
        .filter(|p| p.extension().is_some_and(|e| e == "conf"))
        .map(|p| {
            let name = p.file_name().unwrap().to_string_lossy().into_owned();
            let (_, findings) = parse(&name, &std::fs::read(&p).unwrap(), &mut NoFiles, &env);
            (name, findings)
        })
        .collect()
}

/// Name, verdict and lines of keepalived's table.
fn keepalived() -> impl Iterator<Item = (&'static str, &'static str, Vec<u32>)> {
    KEEPALIVED.lines().map(|row| {
        let mut columns = row.split('\t');
        let (name, verdict) = (columns.next().unwrap(), columns.next().unwrap());
        let lines = columns.next().unwrap_or("").split(',').filter_map(|n| n.parse().ok()).collect();
        (name, verdict, lines)
    })
}

fn worst(findings: &[Diag]) -> &'static str {
    match findings.iter().map(|d| d.severity).max() {
        None => "clean",
        Some(Severity::Note) => "note",
        Some(Severity::Warning) => "warning",
        Some(Severity::Error) => "error",
    }
}

#[test]
fn a_file_that_keepalived_takes_has_no_error_but_real_mistakes() {
    let Some(folder) = folder() else { return };
    let ours = findings(&folder);
    let wrong: Vec<&str> = keepalived()
        .filter(|(name, verdict, _)| *verdict == "ok" && worst(&ours[*name]) == "error")
        .map(|(name, ..)| name)
        .collect();
    assert_eq!(wrong, PASSED_OVER.map(|(name, _)| name));
}

#[test]
fn where_keepalived_complains_we_do() {
    let Some(folder) = folder() else { return };
    let ours = findings(&folder);
    let mut silent = Vec::new();
    for (name, _, lines) in keepalived() {
        let said = |line: u32| ours[name].iter().any(|d| (d.line()..=d.until).contains(&line));
        silent.extend(lines.into_iter().filter(|l| !said(*l)).map(|line| (name, line)));
    }
    let excuses = |(name, lines, _): &(&str, &[u32], _), at: &(&str, u32)| {
        *name == at.0 && (lines.is_empty() || lines.contains(&at.1))
    };
    let new: Vec<_> = silent.iter().filter(|at| !ELSEWHERE.iter().any(|e| excuses(e, at))).collect();
    assert!(new.is_empty(), "keepalived complains about these lines and we do not: {new:?}");
    // An excuse that nothing needs any more hides the next mistake.
    let needless = ELSEWHERE.iter().filter(|(name, lines, _)| {
        let of_file: Vec<u32> = silent.iter().filter(|at| at.0 == *name).map(|at| at.1).collect();
        of_file.is_empty() || !lines.iter().all(|l| of_file.contains(l))
    });
    assert_eq!(needless.map(|e| e.0).collect::<Vec<_>>(), [""; 0], "we complain about these lines, too");
}

#[test]
fn what_is_read_can_be_printed_and_read_again() {
    let Some(folder) = folder() else { return };
    let env = Env { id: "idhost".to_owned(), ..Env::default() };
    for (name, ..) in keepalived() {
        let (config, _) = parse(name, &std::fs::read(folder.join(name)).unwrap(), &mut NoFiles, &env);
        // What is not in force is not printed.
        let config = Config { left_out: Vec::new(), ..config };
        let printed = print(&config);
        let (again, _) = parse(name, printed.as_bytes(), &mut NoFiles, &env);
        let again = Config { outline: config.outline.clone(), ..again };
        assert!(config == again, "{name} is another file after printing:\n{printed}");
    }
}

#[test]
fn the_table_of_verdicts_is_current() {
    let Some(folder) = folder() else { return };
    let ours = findings(&folder);
    let table: String =
        keepalived().fold("file\tkeepalived\tours\n".to_owned(), |mut table, (name, verdict, _)| {
            let _ = writeln!(table, "{name}\t{verdict}\t{}", worst(&ours[name]));
            table
        });
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus/verdicts.tsv");
    if std::env::var_os("LVS_UPDATE_GOLDEN").is_some() {
        std::fs::write(&golden, &table).unwrap();
    }
    assert_eq!(std::fs::read_to_string(&golden).unwrap(), table, "LVS_UPDATE_GOLDEN=1 writes the table anew");
}
