//! Lines with definitions or a repetition in them.

use super::{Reader, WORK};
use crate::conf::define::{Definitions, Expanded, Failure, Spliced};
use crate::conf::lex::{self, Stretch};
use crate::conf::place::Place;
use crate::conf::repeat::{self, Repeat};

/// Repetitions and multi-line definitions inside each other.
const NESTED: usize = 32;

impl Reader<'_> {
    /// A line with definitions or a repetition in it. With `fixed` the whole line stands for one place: it is part of
    /// a definition that is used there.
    pub(super) fn expand(&mut self, line: &str, place: Place, fixed: bool) {
        if self.full {
            return;
        }
        self.made += 1;
        if self.made + self.definitions.replaced > WORK {
            return self.stop(place);
        }
        if self.nested >= NESTED {
            return self.failed(&Failure::Deep, place);
        }
        let dir = folder(self.path.last().map_or("", String::as_str)).to_owned();
        self.nested += 1;
        if let Err(failure) = self.expand_in(line, place, fixed, &dir) {
            self.failed(&failure, place);
        }
        self.nested -= 1;
    }

    fn expand_in(&mut self, line: &str, place: Place, fixed: bool, dir: &str) -> Result<(), Failure> {
        if let Some((head, rest)) = repeat::split(line) {
            let head = self.definitions.plain(head, dir)?;
            match repeat::parse(&head) {
                Ok(repeat) => self.repeat(&repeat, rest, line, place, fixed),
                Err(why) => {
                    let help =
                        "write ~SEQ(VARIABLE, START, STEP, END) TEXT or ~LST(VARIABLE, VALUE, ...) TEXT";
                    self.findings.error("bad-repetition", place, why).help(help);
                }
            }
            return Ok(());
        }
        if let Some(spliced) = self.definitions.splice(line, place) {
            return self.lines(spliced, place, fixed);
        }
        match self.definitions.expand(line, place, dir)? {
            None => self.cut_made(line, &[Stretch { at: 0, place, fixed }]),
            Some(made) if fixed => {
                self.undefined(&made, Some(place));
                self.cut_made(&made.text, &[Stretch { at: 0, place, fixed }]);
            }
            Some(made) => {
                self.undefined(&made, None);
                self.sources.origins.extend(made.origins);
                self.cut_made(&made.text, &made.stretches);
            }
        }
        Ok(())
    }

    /// Names that stay in the text because nobody defined them.
    fn undefined(&mut self, made: &Expanded, at: Option<Place>) {
        for (name, place, braces) in &made.unknown {
            let place = at.unwrap_or(*place);
            if *braces {
                let message = format!("${{{name}}} is not defined: it stays in the text as it is");
                let help =
                    format!("add a line ${name}=VALUE above; keepalived would take its braces for a block");
                self.findings.warning("undefined-name", place, message).help(help);
            } else {
                let message = format!("${name} is not defined: it stays in the text as it is");
                self.findings.note("undefined-name", place, message);
            }
        }
    }

    /// The lines of a multi-line definition, each read as if it stood in the file.
    fn lines(&mut self, spliced: Spliced, place: Place, fixed: bool) -> Result<(), Failure> {
        if self.active.contains(&spliced.name) {
            return Err(Failure::Cycle(format!(
                "${}",
                [&self.active[..], &[spliced.name]].concat().join(" -> $")
            )));
        }
        let place = if fixed { place } else { spliced.used };
        self.sources.origins.insert(place, spliced.defined);
        self.active.push(spliced.name);
        for line in spliced.text.split('\n') {
            let Some((line, _)) = self.chosen(line) else { continue };
            match Definitions::parse(line) {
                Some((name, value)) => self.definitions.set(name, line[value..].trim().to_owned(), place),
                None => self.expand(line, place, true),
            }
        }
        self.active.pop();
        Ok(())
    }

    fn failed(&mut self, failure: &Failure, place: Place) {
        let place = Place { len: place.len.max(1), ..place };
        match failure {
            Failure::Cycle(path) => {
                let message = format!("the definition leads back to itself: {path}");
                let help =
                    "keepalived would never end here; give one of them a value that does not use the other";
                self.findings.error("definition-cycle", place, message).help(help);
            }
            Failure::Size => {
                let message =
                    "the definitions in this line make more than 1 MiB, or use more than 10000 names";
                self.findings.error("too-large", place, message.to_owned());
            }
            Failure::Deep => {
                let message = "repetitions or definitions are nested too deep";
                self.findings.error("too-deep", place, message.to_owned());
            }
        }
    }

    fn repeat(&mut self, repeat: &Repeat<'_>, rest: &str, line: &str, place: Place, fixed: bool) {
        let skipped = line.len() - rest.len();
        let col = if fixed { place.col } else { place.col + lex::chars(&line.as_bytes()[..skipped]) };
        for round in repeat.rounds() {
            for (name, value) in repeat.names.iter().zip(round) {
                self.definitions.set(name, value, place);
            }
            self.expand(rest, Place { col, ..place }, fixed);
            if self.full {
                break;
            }
        }
        for name in &repeat.names {
            self.definitions.unset(name);
        }
    }
}

/// The folder of a file, as `${_PWD}` gives it.
fn folder(path: &str) -> &str {
    match path.rfind('/') {
        Some(0) => "/",
        Some(n) => &path[..n],
        None => ".",
    }
}
