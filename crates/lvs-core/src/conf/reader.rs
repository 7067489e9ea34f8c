//! Texts into a tree: includes, definitions, `@id` lines, `~SEQ` and `~LST`, comments.

use super::define::Definitions;
use super::findings::Findings;
use super::lex::{self, Line, Stretch};
use super::place::Place;
use super::source::{Env, Loader, MADE, Sources};
use super::tree::{Builder, Fault, Tree};

mod expand;
mod include;
mod pending;

use pending::Pending;

/// Files in all.
const FILES: usize = 10_000;
/// Bytes in all, included and made by definitions.
const BYTES: usize = 256 << 20;
/// Lines made by repetitions and multi-line definitions, and names replaced in them. Empty lines and empty values make no
/// bytes, but those inside each other are as many as the product of all.
const WORK: usize = 3_000_000;

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
        made: 0,
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
    /// Lines that definitions and repetitions made, or have a part in.
    made: usize,
    /// A limit was met and said; nothing more is read.
    full: bool,
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
            let limit = format!(
                "the configuration is larger than {} MiB or {FILES} files, or definitions and repetitions have more than {WORK} steps",
                BYTES >> 20
            );
            let help = "is a file included again and again, or are repetitions or definitions in each other?";
            self.findings.error("too-large", place, limit).help(help);
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
        if !body.bytes().any(|b| matches!(b, b'$' | b'@' | b'~')) {
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
