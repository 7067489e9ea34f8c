//! Texts into a tree: includes, definitions, `@id` lines, `~SEQ` and `~LST`, comments.

use super::define::{Definitions, Expanded, Failure, Spliced};
use super::findings::Findings;
use super::lex::{self, Line, Stretch};
use super::place::Place;
use super::repeat::{self, Repeat};
use super::source::{Env, Loader, MADE, Sources};
use super::tree::{Builder, Fault, Tree};

mod include;

/// Repetitions and multi-line definitions inside each other.
const NESTED: usize = 32;
/// Files in all.
const FILES: usize = 10_000;
/// Bytes in all, included and made by definitions.
const BYTES: usize = 256 << 20;

/// Reads a text with everything that it includes.
pub(super) fn read(
    name: &str,
    text: &[u8],
    loader: &mut dyn Loader,
    env: &Env,
    findings: &mut Findings,
) -> (Sources, Tree) {
    let mut reader = Reader {
        sources: Sources::default(),
        builder: Builder::default(),
        definitions: Definitions::new(&env.id, env.seed),
        id: &env.id,
        loader,
        findings,
        path: Vec::new(),
        active: Vec::new(),
        nested: 0,
        bytes: 0,
        full: false,
    };
    reader.file(name, text, Place::NONE);
    let Reader { sources, builder, .. } = reader;
    let (tree, faults) = builder.end();
    for fault in faults {
        report(fault, findings);
    }
    (sources, tree)
}

struct Reader<'a> {
    sources: Sources,
    builder: Builder,
    definitions: Definitions,
    id: &'a str,
    loader: &'a mut dyn Loader,
    findings: &'a mut Findings,
    /// The files that are being read, outermost first.
    path: Vec<String>,
    /// The multi-line definitions whose lines are being read, outermost first.
    active: Vec<String>,
    nested: usize,
    bytes: usize,
    /// A limit was met and said; nothing more is read.
    full: bool,
}

/// A multi-line definition under way.
struct Pending {
    name: String,
    value: String,
    place: Place,
}

impl Pending {
    /// Adds a line; false if it is the last.
    fn add(&mut self, line: &str) -> bool {
        let (text, more) = continued(line);
        self.value.push('\n');
        self.value.push_str(text);
        more
    }
}

impl Reader<'_> {
    fn file(&mut self, name: &str, bytes: &[u8], included: Place) {
        self.bytes += bytes.len();
        if self.bytes > BYTES || self.sources.count() >= FILES {
            return self.stop(included);
        }
        let file = self.sources.add(name, bytes, included);
        self.path.push(name.to_owned());
        // The text leaves its place for the time of reading, because included files are added beside it.
        let text = self.sources.take(file);
        let mut pending = None;
        let mut start = 0;
        for (n, line) in text.split_inclusive('\n').enumerate() {
            let place = Place { line: n as u32 + 1, col: 1, file, len: 0 };
            let body = line.strip_suffix('\n').unwrap_or(line);
            self.line(body, start, place, &mut pending);
            start += line.len();
            if self.full {
                break;
            }
        }
        if let Some(p) = pending {
            self.definitions.set(&p.name, p.value, p.place);
        }
        self.sources.give_back(file, text);
        self.path.pop();
    }

    fn stop(&mut self, place: Place) {
        if !self.full {
            self.full = true;
            let limit = format!("the configuration is larger than {} MiB or {FILES} files", BYTES >> 20);
            self.findings.error("too-large", place, limit).help("is a file included again and again?");
        }
    }

    /// A line as it stands in a file.
    fn line(&mut self, line: &str, start: usize, place: Place, pending: &mut Option<Pending>) {
        let body = &line[..lex::without_comment(line)];
        self.cut_password(line, body, place);
        if let Some(p) = pending {
            // A line that is nothing but a comment neither adds to a definition nor ends it.
            if (body.trim().is_empty() && body.len() < line.len()) || p.add(body) {
                return;
            }
            if let Some(p) = pending.take() {
                self.definitions.set(&p.name, p.value, p.place);
            }
            return;
        }
        if !body.contains(['$', '@', '~']) {
            return self.cut_source(body, start, place);
        }
        let Some((body, skipped)) = self.chosen(body) else { return };
        let place = Place { col: place.col + lex::chars(skipped.as_bytes()), ..place };
        if let Some((name, value)) = Definitions::parse(body) {
            let blanks = body.len() - body.trim_start().len();
            let place = Place { col: place.col + blanks as u32, ..place };
            *pending = self.define(name, &body[value..], place);
            return;
        }
        if body.contains('$') || body.trim_start().starts_with('~') {
            return self.expand(body, place, false);
        }
        self.cut_source(body, start + skipped.len(), place);
    }

    /// A password with a bare `#` or `!` ends there, on every router alike until somebody adds the quotes on one.
    fn cut_password(&mut self, line: &str, body: &str, place: Place) {
        let glued = body.len() < line.len() && body.bytes().last().is_some_and(|b| !lex::is_blank(b));
        if glued && body.trim_start().starts_with("auth_pass") {
            let sign = &line[body.len()..=body.len()];
            let place = Place { col: place.col + lex::chars(body.as_bytes()), len: 1, ..place };
            let message = format!("this {sign} begins a comment: the password ends before it");
            let help = "put the password in double quotes, on all routers at once";
            self.findings.warning("cut-password", place, message).help(help);
        }
    }

    /// The rest of an `@id` line that is ours, with the text before it; none if it is another's.
    fn chosen<'l>(&self, line: &'l str) -> Option<(&'l str, &'l str)> {
        let body = line.trim_start();
        let Some(tag) = body.strip_prefix('@') else { return Some((line, "")) };
        let end = tag.find(|c: char| c.is_whitespace()).unwrap_or(tag.len());
        let (id, rest) = tag.split_at(end);
        let ours = match id.strip_prefix('^') {
            Some(other) => other != self.id,
            None => id == self.id,
        };
        ours.then(|| (rest, &line[..line.len() - rest.len()]))
    }

    /// A definition; what is returned goes on in the next lines.
    fn define(&mut self, name: &str, value: &str, place: Place) -> Option<Pending> {
        let place = Place { len: u16::try_from(name.len() + 1).unwrap_or(u16::MAX), ..place };
        let (text, more) = continued(value);
        if more {
            return Some(Pending { name: name.to_owned(), value: text.trim().to_owned(), place });
        }
        self.definitions.set(name, value.trim().to_owned(), place);
        None
    }

    /// A line with definitions or a repetition in it. With `fixed` the whole line stands for one place: it is part of
    /// a definition that is used there.
    fn expand(&mut self, line: &str, place: Place, fixed: bool) {
        if self.full {
            return;
        }
        if self.nested >= NESTED {
            self.findings.error(
                "too-deep",
                place,
                "repetitions or definitions are nested too deep".to_owned(),
            );
            return;
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
            let head = self.definitions.replaced(head, dir)?;
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
                let message = "the definitions in this line make more than 1 MiB".to_owned();
                self.findings.error("too-large", place, message);
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

    /// Cuts a line that stands in a file as it is.
    fn cut_source(&mut self, line: &str, start: usize, place: Place) {
        if self.include(line, place) {
            return;
        }
        let stretches = [Stretch { at: 0, place, fixed: false }];
        let line = Line { buf: place.file, start: start as u32, text: line, stretches: &stretches };
        cut(&line, &mut self.builder);
    }

    /// Cuts a line that definitions made. What they made may begin a comment: `${_HASH}` does.
    fn cut_made(&mut self, line: &str, stretches: &[Stretch]) {
        let line = &line[..lex::without_comment(line)];
        self.bytes += line.len();
        if self.bytes > BYTES {
            return self.stop(stretches[0].place);
        }
        if !self.include(line, stretches[0].place) {
            let start = self.sources.made.len() as u32;
            cut(&Line { buf: MADE, start, text: line, stretches }, &mut self.builder);
            self.sources.made.push_str(line);
        }
    }
}

fn cut(line: &Line<'_>, builder: &mut Builder) {
    lex::words(line, |word, closed| {
        if !closed {
            builder.faults.push(Fault::Quote(word.place));
        }
        let from = (word.start - line.start) as usize;
        builder.word(word, &line.text[from..from + word.len as usize]);
    });
    builder.end_line();
}

/// A line without the `\` at its end, and whether it had one.
fn continued(line: &str) -> (&str, bool) {
    let body = line.trim_end();
    match body.strip_suffix('\\') {
        Some(text) => (text, true),
        None => (body, false),
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

fn report(fault: Fault, findings: &mut Findings) {
    match fault {
        Fault::Open(p) => findings
            .warning("unexpected-brace", p, "this '{' belongs to nothing: its block is skipped".to_owned())
            .help("write the block's keyword before it"),
        Fault::Close(p) => findings
            .error("extra-brace", p, "this '}' closes nothing".to_owned())
            .help("remove it, or add the '{' that it should close"),
        Fault::Unclosed(p) => findings
            .error("missing-brace", p, "the block that begins here is never closed".to_owned())
            .help("add a '}' where it should end; it is read as if it stood at the end of the file"),
        Fault::Quote(p) => findings
            .warning("missing-quote", p, "the quote that begins here is not closed on its line".to_owned())
            .help("add a '\"' where it should end"),
        Fault::Deep(p) => {
            findings.error("too-deep", p, "blocks are nested too deep; what is inside is left out".to_owned())
        }
    };
}
