//! Commands: a program with arguments, never a shell line.

use super::{At, Cx};
use crate::conf::lex::is_blank;
use crate::conf::model::Command;
use crate::conf::place::Place;
use crate::conf::tree::Stmt;

impl Cx<'_> {
    /// `COMMAND [USER [GROUP]]` from the n-th word on: one bare path or one quoted command line, then the user.
    pub(super) fn command(&mut self, s: Stmt<'_>, n: usize) -> Option<Command> {
        let place = s.place(n);
        let line = s.get(n)?;
        let argv = self.split(line, place)?;
        let Some(program) = argv.first() else {
            let message = format!("{} is empty; the line is skipped", s.key());
            self.findings.warning("missing-value", place, message).help("write the path of a program");
            return None;
        };
        self.looks_like_shell(&argv, line, place);
        if !program.starts_with('/') {
            let message = format!("'{program}' is no absolute path; it is looked for in the PATH");
            self.findings.note("relative-command", place, message);
        }
        let user = Self::text(s, n + 1);
        let group = Self::text(s, n + 2);
        if let Some(word) = s.get(n + 1).filter(|w| w.starts_with(['-', '/'])) {
            let message = format!("'{word}' is taken as the user who runs {}", s.key());
            let help =
                format!("put the command with its arguments in double quotes: {} \"{}\"", s.key(), s.rest(n));
            self.findings.warning("unquoted-command", s.place(n + 1), message).help(help);
        }
        Some(Command { argv: At::new(argv, place), user, group })
    }

    /// Splits a command line at blanks; single quotes keep blanks, a backslash keeps the next letter.
    fn split(&mut self, line: &str, place: Place) -> Option<Vec<String>> {
        let mut words = Vec::new();
        let mut word: Option<String> = None;
        let mut quote: Option<char> = None;
        let mut letters = line.chars();
        while let Some(c) = letters.next() {
            match (c, quote) {
                (c, Some(q)) if c == q => quote = None,
                ('\'' | '"', None) => {
                    quote = Some(c);
                    word.get_or_insert_default();
                }
                ('\\', _) => word.get_or_insert_default().push(unescape(letters.next().unwrap_or('\\'))),
                (c, None) if c.is_ascii() && is_blank(c as u8) => words.extend(word.take()),
                (c, _) => word.get_or_insert_default().push(c),
            }
        }
        if let Some(q) = quote {
            let message = format!("the {q} in this command is not closed; the line is skipped");
            self.findings.warning("missing-quote", place, message);
            return None;
        }
        words.extend(word);
        Some(words)
    }

    /// Pipes and the like are handed to the program as words; nobody means that.
    fn looks_like_shell(&mut self, argv: &[String], line: &str, place: Place) {
        let shell = |w: &String| {
            matches!(w.as_str(), "|" | "||" | "&&" | ";" | ">" | ">>" | "<" | "&") || w.starts_with("2>")
        };
        if let Some(word) = argv.iter().find(|w| shell(w)) {
            let message = format!("no shell runs this command: '{word}' is given to {} as a word", argv[0]);
            let help = format!("put the line into a script, or write /bin/sh -c '{line}'");
            self.findings.warning("shell-syntax", place, message).help(help);
        }
    }
}

fn unescape(c: char) -> char {
    match c {
        'n' => '\n',
        't' => '\t',
        'r' => '\r',
        other => other,
    }
}
