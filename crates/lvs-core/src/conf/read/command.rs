//! Commands: a program with arguments, never a shell line.

use super::{At, Cx};
use crate::conf::lex::is_blank;
use crate::conf::model::Command;
use crate::conf::place::Place;
use crate::conf::tree::Stmt;

impl Cx<'_> {
    /// `COMMAND [USER [GROUP]]` from the n-th word on: one bare path or one quoted command line, then the user.
    ///
    /// The line's rest is cut twice by the same rules, as keepalived does it: into command, user and group, and then the
    /// command into its arguments. What is to reach the second cut in quotes is escaped from the first.
    pub(super) fn command(&mut self, s: Stmt<'_>, n: usize) -> Option<Command> {
        let place = s.place(n);
        let outer = self.cut(s.rest(n), place)?;
        let (_, line) = outer.first()?;
        let argv: Vec<String> = self.cut(line, place)?.into_iter().map(|(_, word)| word).collect();
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
        let word = |k: usize| outer.get(k).map(|(at, word)| At::new(word.clone(), s.place_at(n, *at)));
        let (user, group) = (word(1), word(2));
        if let Some(word) = user.as_ref().filter(|w| w.starts_with(['-', '/'])) {
            let message = format!("'{}' is taken as the user who runs {}", word.value, s.key());
            let help =
                format!("put the command with its arguments in double quotes: {} \"{}\"", s.key(), s.rest(n));
            self.findings.warning("unquoted-command", word.place, message).help(help);
        }
        Some(Command { argv: At::new(argv, place), user, group })
    }

    fn cut(&mut self, text: &str, place: Place) -> Option<Vec<(usize, String)>> {
        cut(text)
            .map_err(|why| {
                let message = format!("{why} in this command; the line is skipped");
                self.findings.warning("missing-quote", place, message);
            })
            .ok()
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

/// The words of a text, each with the byte at which it begins, cut as keepalived 2.2.7 cuts commands: at blanks; quotes of
/// either kind keep blanks and the other kind, also in the middle of a word; a backslash is undone in and out of quotes. A
/// quote that is the last character closes itself.
fn cut(text: &str) -> Result<Vec<(usize, String)>, &'static str> {
    let bytes = text.as_bytes();
    let mut words = Vec::new();
    let mut i = 0;
    while i < bytes.len() {
        if is_blank(bytes[i]) {
            i += 1;
            continue;
        }
        let (end, word) = word(bytes, i)?;
        // As a string in C, which a zero byte ends.
        let ends = word.contains(&0);
        let word = word.into_iter().take_while(|b| *b != 0).collect();
        let word = String::from_utf8(word).map_err(|_| "there are bytes that are no UTF-8")?;
        if !(ends && word.is_empty()) {
            words.push((i, word));
        }
        if ends {
            break;
        }
        i = end;
    }
    Ok(words)
}

/// The word that begins at `from`, and where it ends.
fn word(bytes: &[u8], from: usize) -> Result<(usize, Vec<u8>), &'static str> {
    let (mut word, mut quote, mut i) = (Vec::new(), None, from);
    while let Some(&b) = bytes.get(i) {
        i += 1;
        match (b, quote) {
            (b, Some((q, _))) if b == q => quote = None,
            (b'\'' | b'"', None) => quote = Some((b, i)),
            (b'\\', _) => i = unescape(bytes, i, &mut word)?,
            (b, None) if is_blank(b) => return Ok((i, word)),
            (b, _) => word.push(b),
        }
    }
    match quote {
        Some((b'"', after)) if after < i => Err("a \" is not closed"),
        Some((_, after)) if after < i => Err("a ' is not closed"),
        _ => Ok((i, word)),
    }
}

/// Appends what the escape after a backslash stands for; gives where the text goes on.
fn unescape(bytes: &[u8], at: usize, word: &mut Vec<u8>) -> Result<usize, &'static str> {
    let Some(&b) = bytes.get(at) else { return Err("a backslash ends the text") };
    let digits = |from: usize, most: usize, radix: u32| {
        let rest = bytes[from..].iter().take(most);
        rest.map_while(|b| (*b as char).to_digit(radix)).collect::<Vec<u32>>()
    };
    // Numbers are cut to a byte, whatever they say.
    let number =
        |digits: &[u32], radix: u32| digits.iter().fold(0u32, |n, d| n.wrapping_mul(radix) + d) as u8;
    let (used, byte) = match b {
        b'a' => (1, 7),
        b'b' => (1, 8),
        b'f' => (1, 12),
        b'n' => (1, b'\n'),
        b'r' => (1, b'\r'),
        b't' => (1, b'\t'),
        b'v' => (1, 11),
        b'0'..=b'7' => {
            let digits = digits(at, 3, 8);
            (digits.len(), number(&digits, 8))
        }
        b'x' => match digits(at + 1, usize::MAX, 16) {
            digits if digits.is_empty() => (1, b'x'),
            digits => (1 + digits.len(), number(&digits, 16)),
        },
        other => (1, other),
    };
    word.push(byte);
    Ok(at + used)
}

#[cfg(test)]
mod tests;
