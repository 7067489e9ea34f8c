//! The three languages.

use std::fmt::Write;

use super::{Flag, Group};

/// The words to offer after an option, one shell `case` arm an option that has few values.
fn arms(group: &Group, indent: &str) -> String {
    let mut out = String::new();
    for f in group.flags.iter().filter(|f| f.value) {
        let (names, choices) = (f.names.join("|"), f.choices.join(" "));
        // Writing to a String cannot fail.
        let _ = writeln!(out, "{indent}{names}) words='{choices}'; value=1;;");
    }
    out
}

/// The words of a group that can be the first one only, or all others.
fn names(group: &Group, first: bool) -> String {
    let flags = group.flags.iter().filter(|f| f.first == first).flat_map(|f| &f.names);
    let words = group.words.iter().filter(|_| !first);
    flags.chain(words).map(String::as_str).collect::<Vec<_>>().join(" ")
}

fn verbs(groups: &[Group]) -> String {
    groups.iter().map(|g| g.name.as_str()).filter(|n| !n.is_empty()).collect::<Vec<_>>().join(" ")
}

/// The part that bash and zsh have in common: from $verb, $prev and $first to $words, $files.
fn choose(groups: &[Group]) -> String {
    let mut out = String::from("  case $verb in\n");
    for g in groups.iter().rev() {
        let pattern = if g.name.is_empty() { "*" } else { &g.name };
        let files = if g.file { "; files=1" } else { "" };
        let _ = writeln!(out, "  {pattern})\n    words='{}'{files}", names(g, false));
        let commands = names(g, true);
        if !commands.is_empty() {
            let _ = writeln!(out, "    [ -z \"$first\" ] || words=\"{commands} $words\"");
        }
        let arms = arms(g, "    ");
        if !arms.is_empty() {
            let _ = write!(out, "    case $prev in\n{arms}    esac\n");
        }
        out.push_str("    ;;\n");
    }
    out.push_str(
        "  esac\n  [ -z \"$value\" ] || [ -n \"$words\" ] || return 0\n  [ -z \"$value\" ] || files=\n",
    );
    out
}

/// For bash-completion's folder, or to be sourced.
pub(super) fn bash(groups: &[Group]) -> String {
    format!(
        "# bash completion for ipvsctl, made by: ipvsctl completions bash
_ipvsctl() {{
  local cur=${{COMP_WORDS[COMP_CWORD]}} prev=${{COMP_WORDS[COMP_CWORD-1]}} verb=${{COMP_WORDS[1]}} words='' files='' value='' first=''
  COMPREPLY=()
  [ \"$COMP_CWORD\" != 1 ] || first=1
  if [ \"$COMP_CWORD\" = 1 ] && [[ $cur != -* ]]; then
    mapfile -t COMPREPLY < <(compgen -W '{}' -- \"$cur\")
    return 0
  fi
{}  mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$cur\"; [ -z \"$files\" ] || compgen -f -- \"$cur\")
}}
complete -o filenames -F _ipvsctl ipvsctl
",
        verbs(groups),
        choose(groups)
    )
}

/// For a folder of $fpath, as _ipvsctl.
pub(super) fn zsh(groups: &[Group]) -> String {
    format!(
        "#compdef ipvsctl
# zsh completion for ipvsctl, made by: ipvsctl completions zsh
_ipvsctl() {{
  local cur=${{words[CURRENT]}} prev=${{words[CURRENT-1]}} verb=${{words[2]}} files= value= first=
  [[ $CURRENT != 2 ]] || first=1
  if [[ $CURRENT == 2 && $cur != -* ]]; then
    compadd -- {}
    return
  fi
  local words=
{}  compadd -- ${{=words}}
  [ -z \"$files\" ] || _files
}}
_ipvsctl \"$@\"
",
        verbs(groups),
        choose(groups)
    )
}

/// For fish's completions folder.
pub(super) fn fish(groups: &[Group]) -> String {
    let mut out = String::from("# fish completion for ipvsctl, made by: ipvsctl completions fish\n");
    out.push_str("complete -c ipvsctl -f\n");
    for g in groups {
        let when = if g.name.is_empty() {
            // The first word after the program's name, be it complete or not.
            "string match -q -- '-*' (commandline -opc; commandline -ct)[2]".to_owned()
        } else {
            let _ = writeln!(
                out,
                "complete -c ipvsctl -n __fish_is_first_arg -a {} -d {}",
                g.name,
                quoted(&g.about)
            );
            format!("__fish_seen_subcommand_from {}", g.name)
        };
        if g.file {
            let _ = writeln!(out, "complete -c ipvsctl -n {} -F", quoted(&when));
        }
        if !g.words.is_empty() {
            let _ =
                writeln!(out, "complete -c ipvsctl -n {} -a {}", quoted(&when), quoted(&g.words.join(" ")));
        }
        for f in &g.flags {
            let first = if f.first { "test (count (commandline -opc)) = 1; and " } else { "" };
            let when = quoted(&format!("{first}{when}"));
            let _ = writeln!(out, "complete -c ipvsctl -n {when}{}", fish_flag(f));
        }
    }
    out
}

fn fish_flag(f: &Flag) -> String {
    let mut out = String::new();
    for name in &f.names {
        let _ = match name.strip_prefix("--") {
            Some(long) => write!(out, " -l {long}"),
            None => write!(out, " -s {}", name.trim_start_matches('-')),
        };
    }
    if f.value {
        out.push_str(" -x");
    }
    if !f.choices.is_empty() {
        let _ = write!(out, " -a {}", quoted(&f.choices.join(" ")));
    }
    let _ = write!(out, " -d {}", quoted(&f.about));
    out
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"))
}
