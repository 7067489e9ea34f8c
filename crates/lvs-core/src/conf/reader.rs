//! Texts into a tree: includes, definitions, `@id` lines, `~SEQ` and `~LST`, comments.

use super::define::{Definitions, Failure};
use super::findings::Findings;
use super::lex::{self, Line, Stretch};
use super::place::Place;
use super::repeat::{self, Repeat};
use super::source::{Env, Loader, MADE, Sources};
use super::tree::{Builder, Fault, Tree};

/// Includes inside includes.
const DEPTH: usize = 16;
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
        if let Some(p) = pending {
            let (text, more) = continued(&line[..lex::without_comment(line)]);
            p.value.push('\n');
            p.value.push_str(text);
            if !more {
                if let Some(p) = pending.take() {
                    self.definitions.set(&p.name, p.value, p.place);
                }
            }
            return;
        }
        let line = &line[..lex::without_comment(line)];
        let plain = !line.contains(['$', '@', '~']);
        if plain {
            return self.cut_source(line, start, place);
        }
        let Some((line, skipped)) = self.chosen(line) else { return };
        let place = Place { col: place.col + lex::chars(skipped.as_bytes()), ..place };
        if let Some((name, value)) = Definitions::parse(line) {
            let blanks = line.len() - line.trim_start().len();
            let place = Place { col: place.col + blanks as u32, ..place };
            *pending = self.define(name, &line[value..], place);
            return;
        }
        if line.contains('$') || line.trim_start().starts_with('~') {
            return self.expand(line, place, 0);
        }
        self.cut_source(line, start + skipped.len(), place);
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

    /// A line with definitions, `~SEQ` or `~LST` in it. `depth` counts repetitions inside repetitions.
    fn expand(&mut self, line: &str, place: Place, depth: usize) {
        if self.full {
            return;
        }
        match repeat::parse(line) {
            Some(Ok(repeat)) if depth < DEPTH => return self.repeat(&repeat, line, place, depth),
            Some(Ok(_)) => {
                self.findings.error("too-deep", place, "repetitions are nested too deep".to_owned());
                return;
            }
            Some(Err(why)) => {
                self.findings.error("bad-repetition", place, why).help("~SEQ(VAR, START, STEP, END) TEXT");
                return;
            }
            None => {}
        }
        let dir = folder(self.path.last().map_or("", String::as_str)).to_owned();
        match self.definitions.expand(line, place, &dir) {
            Ok(None) => self.cut_made(line, &[Stretch { at: 0, place, fixed: false }]),
            Ok(Some(made)) => {
                self.sources.origins.extend(made.origins);
                self.cut_made(&made.text, &made.stretches);
            }
            Err(Failure::Cycle(path)) => {
                let at = Place { col: place.col, len: 1, ..place };
                self.findings
                    .error("definition-cycle", at, format!("the definition leads back to itself: {path}"))
                    .help("keepalived would never end here; give one of them a value that does not use the other");
            }
            Err(Failure::Size) => {
                self.findings.error(
                    "too-large",
                    place,
                    "the definitions in this line make more than 1 MiB".to_owned(),
                );
            }
        }
    }

    fn repeat(&mut self, repeat: &Repeat<'_>, line: &str, place: Place, depth: usize) {
        let skipped = line.len() - repeat.rest.len();
        let at = Place { col: place.col + lex::chars(&line.as_bytes()[..skipped]), ..place };
        for round in repeat.rounds() {
            for (name, value) in repeat.names.iter().zip(round) {
                self.definitions.set(name, value, place);
            }
            self.expand(repeat.rest, at, depth + 1);
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

    /// Cuts text that definitions made, line after line.
    fn cut_made(&mut self, text: &str, stretches: &[Stretch]) {
        self.bytes += text.len();
        if self.bytes > BYTES {
            return self.stop(stretches[0].place);
        }
        let mut offset = 0;
        for line in text.split('\n') {
            let from = stretches.partition_point(|s| s.at as usize <= offset).saturating_sub(1);
            let mut own: Vec<Stretch> = stretches[from..].to_vec();
            for s in &mut own {
                s.at = s.at.saturating_sub(offset as u32);
            }
            let start = self.sources.made.len() as u32;
            if !self.include(line, own[0].place) {
                cut(&Line { buf: MADE, start, text: line, stretches: &own }, &mut self.builder);
                self.sources.made.push_str(line);
            }
            offset += line.len() + 1;
        }
    }

    /// Follows an `include` line; false if it is none.
    fn include(&mut self, line: &str, place: Place) -> bool {
        let body = line.trim_start();
        if !body.starts_with("include") {
            return false;
        }
        let mut words = body.split_ascii_whitespace();
        let (Some(keyword), Some(pattern)) = (words.next(), words.next()) else { return false };
        if !matches!(keyword, "include" | "includer" | "includem" | "includew" | "includeb" | "includea") {
            return false;
        }
        let col = place.col + (line.len() - body.len()) as u32;
        let place = Place { col, len: keyword.len() as u16, ..place };
        self.builder.end_line();
        self.follow(keyword, pattern.trim_matches('"'), place);
        true
    }

    fn follow(&mut self, keyword: &str, pattern: &str, place: Place) {
        if self.path.len() > DEPTH {
            self.findings.error(
                "include-depth",
                place,
                format!("includes are nested more than {DEPTH} deep"),
            );
            return;
        }
        let from = self.path.last().cloned().unwrap_or_default();
        let found = match self.loader.find(&from, pattern) {
            Ok(found) => found,
            Err(why) => return self.missing(keyword, pattern, &why, place),
        };
        if found.is_empty() {
            self.missing(keyword, pattern, "no such file", place);
        }
        for path in found {
            if self.path.contains(&path) {
                self.findings.error(
                    "include-cycle",
                    place,
                    format!("'{path}' is being read already: it includes itself"),
                );
                continue;
            }
            match self.loader.read(&path) {
                Ok(bytes) => self.file(&path, &bytes, place),
                Err(why) => self.missing(keyword, &path, &why, place),
            }
        }
    }

    /// A file that an include asks for and that is not there: a plain `include` passes over it as keepalived
    /// does, but says so; the checked forms do not.
    fn missing(&mut self, keyword: &str, what: &str, why: &str, place: Place) {
        let message = format!("{keyword} {what}: {why}");
        if keyword == "include" {
            self.findings.warning("include-missing", place, message);
        } else {
            self.findings.error("include-missing", place, message);
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
