use std::process::Command as Process;

use super::*;

/// Runs a shell of this machine; it is needed, so its absence is a failure with its name.
fn shell(program: &str, args: &[&str]) -> Vec<String> {
    let output = Process::new(program).args(args).output();
    let output =
        output.unwrap_or_else(|e| panic!("this test needs {program} (Debian package {program}): {e}"));
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && errors.is_empty(), "{program}: {errors}");
    String::from_utf8_lossy(&output.stdout).split_whitespace().map(str::to_owned).collect()
}

fn file(name: &str) -> String {
    format!("{}/../../completions/{name}", env!("CARGO_MANIFEST_DIR"))
}

fn bash(words: &[&str]) -> Vec<String> {
    let script =
        "source \"$0\"; COMP_WORDS=(ipvsctl \"$@\"); COMP_CWORD=$#; _ipvsctl; echo \"${COMPREPLY[@]}\"";
    shell("bash", &[&["--norc", "-c", script, &file("ipvsctl.bash")], words].concat())
}

fn zsh(words: &[&str]) -> Vec<String> {
    // compadd works in the line editor only; here it says what it was given.
    let script = "f=$0; compadd() { shift; print -r -- $@ }; _files() { print -r FILES }
                  words=(ipvsctl \"$@\"); CURRENT=$#words; shift $#; source $f";
    shell("zsh", &[&["-f", "-c", script, &file("_ipvsctl")], words].concat())
}

fn fish(line: &str) -> Vec<String> {
    let source = format!(
        "source {}; complete -C \"ipvsctl {line}\" | string replace -r '\\t.*' ''",
        file("ipvsctl.fish")
    );
    shell("fish", &["--no-config", "-c", &source])
}

#[test]
fn the_files_of_the_project_are_what_is_printed() {
    for (shell, name) in
        [(Shell::Bash, "ipvsctl.bash"), (Shell::Zsh, "_ipvsctl"), (Shell::Fish, "ipvsctl.fish")]
    {
        let file = std::fs::read_to_string(file(name)).unwrap_or_default();
        let verb = format!("{shell:?}").to_lowercase();
        assert!(file == render(shell), "write it again: ipvsctl completions {verb} >completions/{name}");
    }
}

#[test]
fn every_verb_and_option_is_offered_by_bash_and_zsh() {
    for g in groups(&command()) {
        let words: &[&str] = if g.name.is_empty() { &["-"] } else { &[&g.name, "-"] };
        let (bash, zsh) = (bash(words), zsh(words));
        for name in g.flags.iter().flat_map(|f| &f.names) {
            assert!(bash.contains(name), "bash: {} {name}: {bash:?}", g.name);
            assert!(zsh.contains(name), "zsh: {} {name}: {zsh:?}", g.name);
        }
    }
    for verb in command().get_subcommands().map(|c| c.get_name().to_owned()).filter(|n| n != "help") {
        for offered in [bash(&[""]), zsh(&[""]), fish("")] {
            assert!(offered.contains(&verb), "{verb}: {offered:?}");
        }
    }
}

#[test]
fn fish_knows_every_long_option_of_every_verb() {
    for g in groups(&command()).into_iter().filter(|g| !g.flags.is_empty()) {
        let offered = fish(&format!("{}{}--", g.name, if g.name.is_empty() { "" } else { " " }));
        for name in g.flags.iter().flat_map(|f| &f.names).filter(|n| n.starts_with("--")) {
            assert!(offered.contains(name), "{} {name}: {offered:?}", g.name);
        }
    }
}

#[test]
fn values_are_offered_where_they_are_few() {
    assert_eq!(bash(&["dr"]), ["drain"]);
    assert_eq!(bash(&["export", "--format", ""]), ["keepalived", "rules", "json"]);
    assert_eq!(bash(&["-A", "-t", "10.0.0.1:80", "-s", "w"]), ["wrr", "wlc"]);
    for offered in [bash(&["check", "--format", ""]), zsh(&["check", "--format", ""])] {
        assert_eq!(offered, ["text", "json"]);
    }
    assert_eq!(fish("check --format "), ["json", "text"]);
    assert_eq!(bash(&["-A", "-t", ""]), Vec::<String>::new());
    assert_eq!(zsh(&["export", "--format", ""]), ["keepalived", "rules", "json"]);
    assert_eq!(fish("export --format "), ["json", "keepalived", "rules"]);
    assert_eq!(bash(&["completions", "z"]), ["zsh"]);
    assert!(bash(&["apply", &file("ipvsctl.b")])[0].ends_with("completions/ipvsctl.bash"));
    assert!(zsh(&["apply", "x"]).contains(&"FILES".to_owned()));
}

#[test]
fn a_command_is_offered_as_the_first_word_only() {
    for offered in [bash(&["-A", ""]), zsh(&["-A", ""]), bash(&["-A", "-"]), fish("-A -"), fish("-A --")] {
        let has = |name: &str| offered.iter().any(|o| o == name);
        assert!(has("-t") || has("--tcp-service"), "{offered:?}");
        assert!(!["-A", "-D", "--add-service", "--delete-service"].iter().any(|c| has(c)), "{offered:?}");
    }
}

#[test]
fn a_verb_is_offered_its_own_options_only() {
    for offered in [bash(&["check", "-"]), zsh(&["check", "-"]), fish("check -"), fish("check --")] {
        let has = |name: &str| offered.iter().any(|o| o == name);
        assert!(has("--strict"), "{offered:?}");
        assert!(
            !["-A", "-t", "--add-service", "--tcp-service", "--prune"].iter().any(|c| has(c)),
            "{offered:?}"
        );
    }
}

#[test]
fn the_manual_names_every_verb_and_option() {
    let page =
        std::fs::read_to_string(format!("{}/../../man/ipvsctl.8", env!("CARGO_MANIFEST_DIR"))).unwrap();
    // mdoc writes -t as "Fl t" and --timeout as "Fl -timeout"; a list has commas or bars between.
    let words: Vec<&str> = page.split_whitespace().collect();
    for g in groups(&command()) {
        assert!(g.name.is_empty() || words.windows(2).any(|w| w == ["Cm", &g.name]), "{} is missing", g.name);
        for name in g.flags.iter().flat_map(|f| &f.names) {
            let name = &name[1..];
            let named = words.windows(2).any(|w| ["Fl", ".Fl", "|", ","].contains(&w[0]) && w[1] == name);
            assert!(named, "{} -{name} is missing", g.name);
        }
    }
}
