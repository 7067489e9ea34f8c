//! The verbs that ipvsadm does not have and that look at the table rather than write rules.
//!
//! Each lives in a file of its own, with a pure part (snapshots and times in, plans and text out) and a thin
//! driver: [`check`], [`completions`], [`drain`], [`export`], [`metrics`], [`top`]. This file is
//! their only door: the command line takes [`Verb`] as a flattened subcommand and gives it to [`run`].

use std::ffi::OsString;

use clap::error::{ContextKind, ContextValue};
use clap::{CommandFactory, Parser, Subcommand};
use lvs_core::rule::{self, Opt};
use lvs_core::text::nearest;

use crate::failure::Failure;
use crate::out::{complain, print};
use crate::{apply, check, completions, drain, export, metrics, show, top};

const TOOL: &str = "ipvsctl";
/// Both languages of the command line.
const USAGE: &str = "ipvsctl VERB [OPTIONS]
       ipvsctl -A|-a|-L|... [OPTIONS]   (ipvsadm's options; 'ipvsctl -h' lists them)";

/// The command line while these verbs are the only ones.
#[derive(Debug, Parser)]
#[command(name = TOOL, version, about, override_usage = USAGE)]
struct Cli {
    #[command(subcommand)]
    verb: Verb,
}

/// One verb with its options.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Show everything that the kernel tells of its table
    List(show::Args),
    /// Make the table that of a file, with the least change
    Apply(apply::Args),
    /// Print what 'apply' would change, as rule lines; 1 if there is anything
    Diff(apply::DiffArgs),
    /// Find every mistake of a file, and what will be one at night
    Check(check::Args),
    /// Print what a shell needs to complete ipvsctl's words
    Completions(completions::Args),
    /// Take a real server out of service without cutting anybody off
    Drain(drain::Args),
    /// Print the table, or that of a file, as keepalived.conf, rule lines or JSON
    Export(export::Args),
    /// Print the table's counters for Prometheus
    Metrics(metrics::Args),
    /// Show services and servers with their connections and traffic
    Top(top::Args),
}

/// The command line of the verbs.
pub(crate) fn command() -> clap::Command {
    Cli::command()
}

/// Does what the command line says, with its messages on standard error; the exit status.
pub fn main(args: impl IntoIterator<Item = OsString>) -> u8 {
    match Cli::try_parse_from(args) {
        Ok(cli) => run(&cli.verb).unwrap_or_else(|e| failed(&e)),
        Err(e) if e.use_stderr() => {
            complain(TOOL, &misspelt(&e));
            e.exit_code().try_into().unwrap_or(2)
        }
        Err(help) => print(&help.render().to_string()).map_or_else(|e| failed(&e), |()| 0),
    }
}

/// clap's words, or for a first word that is no verb the nearest one, of either language.
fn misspelt(e: &clap::Error) -> String {
    let text = e.to_string();
    let Some(ContextValue::String(word)) = e.get(ContextKind::InvalidSubcommand) else {
        let text = text.strip_prefix("error: ").unwrap_or(&text);
        return text.trim_end().to_owned();
    };
    let verbs: Vec<String> = command().get_subcommands().map(|c| c.get_name().to_owned()).collect();
    let help = match nearest(word, verbs.iter().map(String::as_str)) {
        Some(verb) => format!("did you mean '{verb}'?"),
        None => match nearest(word, commands()) {
            Some(option) => format!("did you mean '--{option}'?"),
            None => format!("the verbs are {}; 'ipvsctl -h' shows them and the options", verbs.join(", ")),
        },
    };
    format!("'{word}' is no verb; {help}")
}

/// The long names of the options that are commands.
fn commands() -> impl Iterator<Item = &'static str> {
    rule::options().iter().filter(|o| matches!(o.opt, Opt::Command(_))).map(|o| o.long)
}

/// Does a verb; the exit status when nothing failed.
///
/// # Errors
/// See [`Failure`]; it prints as a sentence without the tool's name.
pub fn run(verb: &Verb) -> Result<u8, Failure> {
    match verb {
        Verb::List(args) => show::run(args),
        Verb::Apply(args) => apply::run(args),
        Verb::Diff(args) => apply::run_diff(args),
        Verb::Check(args) => check::run(args),
        Verb::Completions(args) => completions::run(args),
        Verb::Drain(args) => drain::run(args),
        Verb::Export(args) => export::run(args),
        Verb::Metrics(args) => metrics::run(args),
        Verb::Top(args) => top::run(args),
    }
}

fn failed(failure: &Failure) -> u8 {
    complain(TOOL, &failure.to_string());
    failure.status()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(line: &str) -> String {
        misspelt(&Cli::try_parse_from(line.split(' ')).unwrap_err())
    }

    #[test]
    fn a_mistyped_verb_is_told_the_nearest() {
        assert_eq!(told("ipvsctl appply x"), "'appply' is no verb; did you mean 'apply'?");
        assert_eq!(
            told("ipvsctl start-daemon master"),
            "'start-daemon' is no verb; did you mean '--start-daemon'?"
        );
        let nothing = told("ipvsctl qqqq");
        assert!(
            nothing.contains("the verbs are list, apply,") && nothing.contains("'ipvsctl -h'"),
            "{nothing}"
        );
    }

    #[test]
    fn errors_begin_with_what_is_wrong() {
        let text = told("ipvsctl list --jsn");
        assert!(text.starts_with("unexpected argument '--jsn'"), "{text}");
        assert!(command().render_help().to_string().contains("ipvsadm's options; 'ipvsctl -h' lists them"));
    }
}
