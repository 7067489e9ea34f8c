//! The telling: lines with the time since the start, commands with their own output, daemons' logs as they come.

use std::collections::HashMap;
use std::fmt;
use std::io::{self, Write};

use lab::{Daemon, Host, Output};
use lvs_core::sys::clock;
use lvs_core::time::Time;

/// How a piece of text looks on a terminal.
#[derive(Clone, Copy)]
pub(crate) enum Paint {
    Plain,
    Dim,
    Bold,
    Good,
    Bad,
    Tool,
}

/// What writes the story to standard output.
pub(crate) struct Story {
    start: Time,
    colour: bool,
    /// How many lines of each daemon have been told.
    told: HashMap<String, usize>,
}

impl Story {
    pub(crate) fn new(colour: bool) -> Self {
        Self { start: clock::now(), colour, told: HashMap::new() }
    }

    /// Text in a colour, where there are colours.
    pub(crate) fn paint(&self, paint: Paint, text: impl fmt::Display) -> String {
        let code = match paint {
            Paint::Plain => return text.to_string(),
            Paint::Dim => "2",
            Paint::Bold => "1",
            Paint::Good => "32",
            Paint::Bad => "1;31",
            Paint::Tool => "36",
        };
        if self.colour { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_string() }
    }

    /// A line without the time.
    pub(crate) fn line(&self, text: impl fmt::Display) {
        // A reader who has gone does not stop the faults: the exit status still tells how they ended.
        let _ = writeln!(io::stdout().lock(), "{text}");
    }

    /// A line of the story, with the time.
    pub(crate) fn say(&self, paint: Paint, text: &str) {
        self.at(clock::now(), &self.paint(paint, text));
    }

    fn at(&self, time: Time, text: &str) {
        let seconds = format!("{:7.2}", time.since(self.start).as_secs_f64());
        self.line(format_args!("{}  {text}", self.paint(Paint::Dim, seconds)));
    }

    /// A new part of the story.
    pub(crate) fn chapter(&self, title: &str) {
        let rule = "─".repeat(92usize.saturating_sub(title.chars().count()));
        self.line(format_args!(
            "\n{} {}",
            self.paint(Paint::Bold, format_args!("── {title}")),
            self.paint(Paint::Dim, rule)
        ));
    }

    /// Runs a command and shows it with all that it wrote.
    pub(crate) fn command(&self, host: &Host, line: &str) -> Output {
        let output = host.run(line);
        self.say(Paint::Tool, &format!("{}# {line}", host.name()));
        for text in output.stdout.lines().chain(output.stderr.lines()) {
            self.line(format_args!("             {text}"));
        }
        output
    }

    /// Tells what a daemon has written since the last time, each line with the time at which it came.
    pub(crate) fn hear(&mut self, host: &str, tool: &str, daemon: &Daemon) {
        let key = format!("{host} {tool} {}", daemon.pid());
        let told = self.told.entry(key).or_default();
        let lines = daemon.lines();
        let new = lines.get(*told..).unwrap_or_default().to_vec();
        *told = lines.len();
        for line in new {
            let who = self.paint(Paint::Tool, format_args!("{host} {tool:<10}"));
            self.at(line.at, &format!("{who} {}", line.text));
        }
    }
}
