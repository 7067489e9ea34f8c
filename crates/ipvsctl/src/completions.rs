//! `ipvsctl completions SHELL`: what bash, zsh and fish need, made from the tables that the parsers use.
//!
//! `completions/` in the project holds the output; a test keeps it true.

mod shells;

use clap::{ArgAction, Command};
use lvs_core::rule::{Opt, Takes, options};
use lvs_core::table::{ENGINES, SCHEDULERS};

use crate::failure::Failure;
use crate::out::print;
use crate::verbs::command;

/// A shell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Shell {
    /// completions/ipvsctl.bash
    Bash,
    /// completions/_ipvsctl
    Zsh,
    /// completions/ipvsctl.fish
    Fish,
}

/// The options of `completions`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

/// Prints the completions.
///
/// # Errors
/// Standard output fails.
pub fn run(args: &Args) -> Result<u8, Failure> {
    print(&render(args.shell)).map(|()| 0)
}

/// The completions of a shell.
pub fn render(shell: Shell) -> String {
    let groups = groups(&command());
    match shell {
        Shell::Bash => shells::bash(&groups),
        Shell::Zsh => shells::zsh(&groups),
        Shell::Fish => shells::fish(&groups),
    }
}

/// A verb with its options, or ipvsadm's language, whose name is empty.
struct Group {
    name: String,
    about: String,
    flags: Vec<Flag>,
    /// What stands without an option: a file, or one of these words.
    file: bool,
    words: Vec<String>,
}

/// An option.
struct Flag {
    /// `-t`, `--tcp-service`.
    names: Vec<String>,
    value: bool,
    /// The values, where they are few.
    choices: Vec<String>,
    /// Only the first word can be it.
    first: bool,
    about: String,
}

fn groups(command: &Command) -> Vec<Group> {
    let verbs = command.get_subcommands().filter(|c| c.get_name() != "help");
    std::iter::once(ipvsadm()).chain(verbs.map(verb)).collect()
}

fn ipvsadm() -> Group {
    let (schedulers, engines) = (SCHEDULERS.join(" "), ENGINES.join(" "));
    let flags = options().iter().map(|o| Flag {
        names: o.short.chars().map(|c| format!("-{c}")).chain([format!("--{}", o.long)]).collect(),
        value: o.takes != Takes::Nothing,
        choices: split(match o.opt {
            Opt::Scheduler => schedulers.as_str(),
            Opt::TunType => "ipip gue gre",
            Opt::Engine => engines.as_str(),
            Opt::SchedFlags => "sh-fallback sh-port mh-fallback mh-port flag-1 flag-2 flag-3",
            Opt::Command(lvs_core::rule::Verb::Start | lvs_core::rule::Verb::Stop) => "master backup",
            _ => "",
        }),
        first: matches!(o.opt, Opt::Command(_)),
        about: o.long.replace('-', " "),
    });
    Group {
        name: String::new(),
        about: String::new(),
        flags: flags.collect(),
        file: false,
        words: Vec::new(),
    }
}

fn verb(command: &Command) -> Group {
    let choices =
        |a: &clap::Arg| a.get_possible_values().iter().map(|v| v.get_name().to_owned()).collect::<Vec<_>>();
    let about = |text: Option<&clap::builder::StyledStr>| text.map(ToString::to_string).unwrap_or_default();
    let flag = |a: &clap::Arg| Flag {
        names: a
            .get_short()
            .map(|c| format!("-{c}"))
            .into_iter()
            .chain(a.get_long().map(|l| format!("--{l}")))
            .collect(),
        value: matches!(a.get_action(), ArgAction::Set | ArgAction::Append),
        choices: if matches!(a.get_action(), ArgAction::Set) { choices(a) } else { Vec::new() },
        first: false,
        about: about(a.get_help()),
    };
    let words: Vec<String> = command.get_positionals().flat_map(choices).collect();
    Group {
        name: command.get_name().to_owned(),
        about: about(command.get_about()),
        flags: command.get_opts_and_flags().map(flag).collect(),
        file: command.get_positionals().next().is_some() && words.is_empty(),
        words,
    }
}

trait Flags {
    /// Options, and not what stands by its place.
    fn get_opts_and_flags(&self) -> impl Iterator<Item = &clap::Arg>;
}

impl Flags for Command {
    fn get_opts_and_flags(&self) -> impl Iterator<Item = &clap::Arg> {
        self.get_arguments().filter(|a| !a.is_positional())
    }
}

fn split(words: &str) -> Vec<String> {
    words.split_whitespace().map(str::to_owned).collect()
}

#[cfg(test)]
mod tests;
