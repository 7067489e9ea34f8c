use std::os::unix::fs::{PermissionsExt, symlink};

use super::*;

fn part(path: &str, uid: u32, gid: u32, mode: u32) -> Part {
    Part { path: path.into(), uid, gid, mode, directory: mode & 0o170_000 == 0o040_000 }
}

fn chain(last: Part) -> Vec<Part> {
    vec![part("/", 0, 0, 0o040_755), part("/etc", 0, 0, 0o040_755), last]
}

#[test]
fn a_path_that_only_root_can_write_is_sound() {
    for mode in [0o100_755, 0o100_700, 0o100_555] {
        assert_eq!(hole(&chain(part("/etc/x", 0, 0, mode))), None);
    }
    assert_eq!(hole(&chain(part("/etc/x", 0, 0, 0o100_775))), None, "group root is root");
}

#[test]
fn every_way_to_write_it_is_named_with_its_mending() {
    let say = |p: Part| hole(&chain(p)).map(|h| h.to_string()).unwrap_or_default();
    let owner = say(part("/etc/x", 33, 0, 0o100_755));
    assert!(
        owner.contains("/etc/x belongs to user 33") && owner.ends_with("try: chown root /etc/x"),
        "{owner}"
    );
    let group = say(part("/etc/x", 0, 50, 0o100_775));
    assert!(group.contains("group 50") && group.ends_with("try: chmod g-w /etc/x"), "{group}");
    let all = say(part("/etc/x", 0, 0, 0o100_757));
    assert!(all.contains("everyone") && all.ends_with("try: chmod o-w /etc/x"), "{all}");
}

#[test]
fn a_directory_on_the_way_counts_and_the_first_one_is_named() {
    let parts = [
        part("/", 0, 0, 0o040_755),
        part("/srv", 0, 0, 0o040_777),
        part("/srv/a", 7, 0, 0o040_755),
        part("/srv/a/x", 0, 0, 0o100_755),
    ];
    assert_eq!(hole(&parts), Some(Hole { path: "/srv".into(), by: By::Everyone }));
}

#[test]
fn a_sticky_directory_protects_what_root_owns_in_it() {
    let tmp = part("/tmp", 0, 0, 0o041_777);
    assert_eq!(hole(&[tmp.clone(), part("/tmp/x", 0, 0, 0o100_755)]), None);
    assert!(hole(&[tmp, part("/tmp/x", 9, 0, 0o100_755)]).is_some());
}

#[test]
fn what_cannot_be_executed_is_said() {
    let plain = chain(part("/etc/x", 0, 0, 0o100_644));
    assert_eq!(executable(&plain).unwrap_err().to_string(), "/etc/x: not executable; try: chmod +x /etc/x");
    assert!(matches!(executable(&chain(part("/etc/x", 0, 0, 0o040_755))), Err(Unsafe::NotAFile(_))));
    executable(&chain(part("/etc/x", 0, 0, 0o100_755))).unwrap();
}

#[test]
fn the_real_file_is_read_behind_links_and_a_missing_component_is_named() {
    let dir = std::env::temp_dir().join(format!("vrrpd-security-{}", std::process::id()));
    fs::create_dir_all(dir.join("a")).unwrap();
    fs::write(dir.join("a/x"), "").unwrap();
    fs::set_permissions(dir.join("a/x"), fs::Permissions::from_mode(0o755)).unwrap();
    symlink(dir.join("a/x"), dir.join("link")).unwrap();
    let Found { program, parts } = look(&dir.join("link")).unwrap();
    assert_eq!(program, dir.join("a/x"));
    assert_eq!(parts.last().unwrap().path, program);
    assert!(parts.iter().any(|p| p.path == dir.join("a") && p.directory));
    executable(&parts).unwrap();
    let missing = look(&dir.join("b/x")).unwrap_err().to_string();
    assert!(missing.starts_with(&dir.join("b").display().to_string()), "{missing}");
    fs::remove_dir_all(dir).unwrap();
}

/// A folder for one test.
fn folder(name: &str) -> PathBuf {
    let dir = std::env::temp_dir().canonicalize().unwrap().join(format!("lvs-{name}-{}", std::process::id()));
    fs::create_dir_all(&dir).unwrap();
    dir
}

#[test]
fn a_directory_that_a_link_only_leads_through_is_judged() {
    let dir = folder("security-chain");
    fs::create_dir_all(dir.join("root")).unwrap();
    fs::create_dir_all(dir.join("theirs")).unwrap();
    symlink("/usr/bin/env", dir.join("theirs/chk")).unwrap();
    symlink("./../theirs/chk", dir.join("root/chk")).unwrap();
    let found = look(&dir.join("root/./../root/chk")).unwrap();
    assert_eq!(found.program, Path::new("/usr/bin/env").canonicalize().unwrap());
    assert_eq!(found.parts.last().unwrap().path, found.program);
    let judged: Vec<_> = found.parts.iter().map(|p| p.path.clone()).collect();
    assert!(judged.contains(&dir.join("root")) && judged.contains(&dir.join("theirs")), "{judged:?}");
    if nix::unistd::geteuid().is_root() {
        std::os::unix::fs::chown(dir.join("theirs"), Some(65_534), None).unwrap();
        let hole = hole(&look(&dir.join("root/chk")).unwrap().parts);
        assert_eq!(hole, Some(Hole { path: dir.join("theirs"), by: By::Owner(65_534) }));
    }
    fs::remove_dir_all(dir).unwrap();
}

#[test]
fn a_link_is_its_owners_only_where_everyone_has_entries() {
    let dir = folder("security-sticky");
    symlink("/usr/bin/env", dir.join("chk")).unwrap();
    let links = |mode| {
        fs::set_permissions(&dir, fs::Permissions::from_mode(mode)).unwrap();
        let found = look(&dir.join("chk")).unwrap();
        found.parts.into_iter().filter(|p| p.path == dir.join("chk")).count()
    };
    assert_eq!([links(0o755), links(0o1777)], [0, 1]);
    fs::remove_dir_all(dir).unwrap();
}

#[test]
fn links_that_lead_nowhere_are_said() {
    let dir = folder("security-nowhere");
    symlink("gone", dir.join("dangling")).unwrap();
    symlink("circle", dir.join("circle")).unwrap();
    let why = |name| look(&dir.join(name)).unwrap_err().to_string();
    let dangling = why("dangling");
    assert!(dangling.starts_with(&format!("{}: cannot be run: ", dir.join("gone").display())), "{dangling}");
    let circle = why("circle");
    assert!(circle.contains("symbolic links"), "{circle}");
    fs::remove_dir_all(dir).unwrap();
}

#[test]
fn a_bare_name_is_looked_for_in_the_usual_places() {
    assert!(find("sh").unwrap().ends_with("sh"));
    assert_eq!(find("./x").unwrap(), PathBuf::from("./x"));
    assert!(find("no-such-program-here").unwrap_err().to_string().contains("give its whole path"));
}
