//! A typed configuration as keepalived's text again. Reading it back gives the same configuration.
//!
//! A line stands there for what would be otherwise without it, and for what every reader looks for; definitions and
//! includes are spelled out. What is not in the typed configuration (mail, SNMP, ...) is not in the text.

mod global;
mod service;
mod vrrp;

use std::fmt::{Display, Write as _};
use std::time::Duration;

use super::model::{Command, Config, Script, TrackFile, TrackProcess, Weight};
use super::place::At;

/// The configuration as a file.
pub fn print(config: &Config) -> String {
    let mut out = Out::default();
    global::print(&mut out, &config.global);
    config.scripts.iter().for_each(|s| script(&mut out, s));
    config.track_files.iter().for_each(|f| track_file(&mut out, f));
    config.track_processes.iter().for_each(|p| track_process(&mut out, p));
    vrrp::print(&mut out, config);
    service::print(&mut out, config);
    if out.text.is_empty() {
        // A file with nothing in it is taken for one that was cut off.
        out.block("global_defs", |_| {});
    }
    out.text
}

/// Text under way, indented by blocks.
#[derive(Default)]
struct Out {
    text: String,
    depth: usize,
}

impl Out {
    /// A line of words that need no quotes.
    fn line(&mut self, words: impl Display) {
        let _ = writeln!(self.text, "{:1$}{words}", "", self.depth * 4);
    }

    /// A keyword with a word that may need quotes.
    fn word(&mut self, key: &str, value: &str) {
        self.line(format_args!("{key} {}", quote(value)));
    }

    /// The same for a word that may be missing.
    fn optional(&mut self, key: &str, value: Option<&At<String>>) {
        if let Some(value) = value {
            self.word(key, value);
        }
    }

    /// A value, unless it is what stands there without the line.
    fn value<T: Copy + Display + PartialEq>(&mut self, key: &str, value: T, default: T) {
        if value != default {
            self.line(format_args!("{key} {value}"));
        }
    }

    fn seconds(&mut self, key: &str, value: Duration, default: Duration) {
        if value != default {
            self.line(format_args!("{key} {}", seconds(value)));
        }
    }

    fn switch(&mut self, key: &str, value: bool, default: bool) {
        if value != default {
            self.line(format_args!("{key}{}", if value { "" } else { " off" }));
        }
    }

    /// A switch that has no default of its own.
    fn nearest(&mut self, key: &str, value: Option<At<bool>>) {
        if let Some(value) = value {
            self.switch(key, *value, !*value);
        }
    }

    /// A bare keyword, if it holds.
    fn flag(&mut self, key: &str, value: bool) {
        if value {
            self.line(key);
        }
    }

    fn command(&mut self, key: &str, command: Option<&Command>) {
        if let Some(c) = command {
            self.line(format_args!(
                "{key} {}{}",
                command_line(&c.argv),
                owner(c.user.as_ref(), c.group.as_ref())
            ));
        }
    }

    /// A block with what `inside` writes.
    fn block(&mut self, title: impl Display, inside: impl FnOnce(&mut Self)) {
        self.line(format_args!("{title} {{"));
        self.depth += 1;
        inside(self);
        self.depth -= 1;
        self.line("}");
    }
}

/// A word as it must be written: in quotes where it would be cut, or taken for something else.
fn quote(word: &str) -> String {
    let special = |c: char| c.is_ascii_whitespace() || "\"#!{}\u{b}".contains(c);
    if word.is_empty() || word.contains(special) || word.starts_with(['@', '~', '$']) {
        format!("\"{word}\"")
    } else {
        word.to_owned()
    }
}

/// A command with its arguments as one quoted word.
fn command_line(argv: &[String]) -> String {
    let words: Vec<String> = argv.iter().map(|a| argument(a)).collect();
    format!("\"{}\"", words.join(" "))
}

/// It is cut twice, so that what is escaped once in itself is escaped once more in the line.
fn argument(word: &str) -> String {
    if word.is_empty() {
        return "''".to_owned();
    }
    let plain = |c: char| !c.is_ascii_whitespace() && !"'\"\\\u{b}".contains(c);
    let mut out = String::new();
    for c in word.chars() {
        match c {
            '\n' => out.push_str("\\\\n"),
            '\r' => out.push_str("\\\\r"),
            '"' => out.push_str("\\\\\\\""),
            '\\' => out.push_str("\\\\\\\\"),
            c if plain(c) => out.push(c),
            c => out.extend(['\\', '\\', c]),
        }
    }
    out
}

/// ` USER GROUP`.
fn owner(user: Option<&At<String>>, group: Option<&At<String>>) -> String {
    [user, group].into_iter().flatten().fold(String::new(), |s, name| s + " " + &quote(name))
}

/// Seconds with as many decimals as needed.
fn seconds(d: Duration) -> String {
    let text = format!("{}.{:06}", d.as_secs(), d.subsec_micros());
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn script(out: &mut Out, s: &Script) {
    out.block(format_args!("vrrp_script {}", quote(&s.name)), |out| {
        out.line(format_args!("script {}", command_line(&s.command.argv)));
        if let Some(user) = &s.command.user {
            out.line(format_args!("user{}", owner(Some(user), s.command.group.as_ref())));
        }
        out.seconds("interval", *s.interval, Duration::from_secs(1));
        out.seconds("timeout", *s.timeout, *s.interval);
        weight(out, *s.weight, Weight::default());
        out.value("rise", *s.rise, 1);
        out.value("fall", *s.fall, 1);
        out.switch("init_fail", *s.init_fail, false);
    });
}

/// The weight of a tracked thing, `N [reverse]`.
fn weight(out: &mut Out, w: Weight, default: Weight) {
    if w != default {
        out.line(format_args!("weight {}", vrrp::weight(w)));
    }
}

/// The weight of a track file or process.
const ONE: Weight = Weight { value: 1, reverse: false };

fn track_file(out: &mut Out, f: &TrackFile) {
    out.block(format_args!("track_file {}", quote(&f.name)), |out| {
        out.word("file", &f.path);
        weight(out, *f.weight, ONE);
        if let Some(At { value: (number, overwrite), .. }) = f.init {
            out.line(format_args!("init_file {number}{}", if overwrite { " overwrite" } else { "" }));
        }
    });
}

fn track_process(out: &mut Out, p: &TrackProcess) {
    out.block(format_args!("vrrp_track_process {}", quote(&p.name)), |out| {
        out.line(format_args!("process {}", command_line(&p.process)));
        out.optional("param_match", p.param_match.as_ref());
        weight(out, *p.weight, ONE);
        out.value("quorum", *p.quorum, 1);
        if let Some(most) = p.quorum_max {
            out.line(format_args!("quorum_max {}", most.value));
        }
        out.seconds("fork_delay", *p.fork_delay, Duration::ZERO);
        out.seconds("terminate_delay", *p.terminate_delay, Duration::ZERO);
        out.flag("full_command", p.full_command.value);
    });
}

#[cfg(test)]
mod tests;
