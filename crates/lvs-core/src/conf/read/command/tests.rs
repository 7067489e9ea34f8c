use crate::conf::{Env, NoFiles, parse};

/// Measured with keepalived 2.2.7, whom the laboratory asks again: a line, and the arguments that its program gets; `-` where
/// the line is skipped.
const WORDS: &str = include_str!("words.txt");

#[test]
fn commands_are_cut_as_the_original_cuts_them() {
    for (line, expected) in WORDS.lines().filter_map(|l| l.rsplit_once(" => ")) {
        let text = format!("vrrp_script s {{\nscript {}\n}}\n", line.replace("%s", "/bin/p"));
        let (config, findings) = parse("t.conf", text.as_bytes(), &mut NoFiles, &Env::default());
        let found = config.scripts.first().map(|s| {
            let [program, args @ ..] = s.command.argv.as_slice() else { return String::new() };
            assert_eq!(program, "/bin/p", "{line}");
            args.iter().map(|a| format!("<{}>", a.escape_default())).collect()
        });
        assert_eq!(found.as_deref().unwrap_or("-"), expected, "{line}");
        assert!(
            expected != "-" || findings.iter().any(|f| f.code == "missing-quote"),
            "{line}: {findings:?}"
        );
    }
}

#[test]
fn the_user_stands_after_the_command_whatever_quotes_it_has() {
    let text = "vrrp_script s {\nscript '/bin/p \"a b\" c' nobody \"nogroup\"\n}\n";
    let (config, _) = parse("t.conf", text.as_bytes(), &mut NoFiles, &Env::default());
    let command = &config.scripts[0].command;
    let user = command.user.as_ref().expect("a user");
    assert_eq!((user.as_str(), user.place.col), ("nobody", 25));
    assert_eq!(command.group.as_ref().map(|g| g.as_str()), Some("nogroup"));
}
