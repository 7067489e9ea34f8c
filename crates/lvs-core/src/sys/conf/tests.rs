use super::*;

/// A folder of its own for a test, removed at its end.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("lvs-conf-{name}-{}", std::process::id()));
        fs::create_dir_all(path.join("conf.d")).unwrap();
        Self(path)
    }

    fn write(&self, name: &str, text: &str) -> String {
        let path = self.0.join(name);
        fs::write(&path, text).unwrap();
        shown(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[test]
fn includes_are_relative_to_the_including_file_and_take_patterns() {
    let dir = Folder::new("include");
    let main = dir.write("main.conf", "include conf.d/{a,b}*.conf\n");
    for (file, id) in [("a1", 1), ("b1", 2), ("c1", 3)] {
        let text =
            format!("vrrp_instance {file} {{\n interface e\n virtual_router_id {id}\n include vips\n}}\n");
        dir.write(&format!("conf.d/{file}.conf"), &text);
    }
    dir.write("conf.d/vips", "virtual_ipaddress {\n 10.0.0.1\n nonsense\n}\n");
    let (config, findings) = load(&main).unwrap();
    let names: Vec<&str> = config.left_out.iter().map(|l| l.name.as_str()).collect();
    assert_eq!(names, ["a1", "b1"]);
    let bad = findings.iter().find(|d| d.code == "bad-address").unwrap();
    let at = bad.at.as_ref().unwrap();
    assert!(at.file.ends_with("conf.d/vips"), "{}", at.file);
    assert_eq!((at.place.line, at.place.col), (3, 2));
    let trail: Vec<String> = bad
        .related
        .iter()
        .map(|(_, e)| format!("{}:{}", e.file.rsplit('/').next().unwrap_or(""), e.place.line))
        .collect();
    assert_eq!(trail, ["a1.conf:4", "main.conf:1"]);
}

#[test]
fn a_file_that_includes_itself_is_an_error_and_ends() {
    let dir = Folder::new("cycle");
    let main = dir.write("main.conf", "include main.conf\n");
    let (_, findings) = load(&main).unwrap();
    assert_eq!(findings.iter().map(|d| d.code).collect::<Vec<_>>(), ["include-cycle"]);
}

#[test]
fn a_missing_file_is_said_in_words() {
    assert_eq!(load("/nowhere/keepalived.conf").unwrap_err(), "no such file");
}

#[test]
fn a_program_that_is_not_here_is_told() {
    let dir = Folder::new("programs");
    let here = dir.write("here", "");
    fs::set_permissions(&here, fs::Permissions::from_mode(0o755)).unwrap();
    let service = |program: &str| {
        let check = format!("MISC_CHECK {{\nmisc_path \"{program} -q\"\n}}");
        format!("virtual_server 10.0.0.1 80 {{\nprotocol TCP\nreal_server 10.0.0.2 80 {{\n{check}\n}}\n}}\n")
    };
    let codes = |program: &str| {
        let path = dir.write("main.conf", &service(program));
        let (_, findings) = judged_by(&path, None).unwrap();
        findings.iter().map(|d| d.code).collect::<Vec<_>>()
    };
    assert_eq!(codes(&here), [""; 0]);
    assert_eq!(codes("/nowhere/here"), ["no-program"]);
    let path = dir.write("main.conf", &service(&here).replace("MISC", "notify_down /nowhere/there\nMISC"));
    let (_, findings) = judged_by(&path, None).unwrap();
    let said: Vec<_> = findings.iter().filter(|d| d.message.contains("nobody is told by it")).collect();
    assert_eq!(said.len(), 1, "{findings:?}");
    assert!(said[0].message.starts_with("/nowhere/there: cannot be run"), "{}", said[0].message);
    let open = dir.write("open", "");
    fs::set_permissions(&open, fs::Permissions::from_mode(0o777)).unwrap();
    let secure = "global_defs {\nscript_user root\nenable_script_security\n}\n";
    let text =
        format!("virtual_server 10.0.0.1 80 {{\nquorum_up {open}\nreal_server 10.0.0.2 80 {{\n}}\n}}\n");
    let path = dir.write("main.conf", &format!("{secure}{text}"));
    let (_, findings) = judged_by(&path, None).unwrap();
    assert!(findings.iter().any(|d| d.code == "no-program" && d.line() == 6), "{findings:?}");
}

#[test]
fn a_vrrp_script_that_is_not_here_is_told() {
    let dir = Folder::new("scripts");
    let router = "interface lo\nvirtual_router_id 5\npriority 9\nvirtual_ipaddress {\n10.0.0.1\n}";
    let text = format!("vrrp_instance V {{\n{router}\nnotify_master /nowhere/there\n}}\n");
    let (_, findings) = judged_by(&dir.write("main.conf", &text), None).unwrap();
    let said: Vec<_> = findings.iter().map(|d| (d.code, d.line())).collect();
    assert_eq!(said, [("no-program", 8)], "{findings:?}");
}
