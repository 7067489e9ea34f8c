//! Findings under way: collected with places, made into [`Diag`]s at the end.

use std::collections::HashSet;

use super::diag::{Diag, Excerpt, Severity};
use super::place::Place;
use super::source::{LineIndex, Sources};
use crate::text::plain;

/// A finding without its text.
#[derive(Clone, Debug)]
pub(super) struct Finding {
    severity: Severity,
    code: &'static str,
    place: Place,
    until: u32,
    block: Option<&'static str>,
    message: String,
    help: Option<String>,
    related: Vec<(String, Place)>,
}

impl Finding {
    /// Says what to write instead.
    pub(super) fn help(&mut self, text: impl Into<String>) -> &mut Self {
        self.help = Some(plain(text.into()));
        self
    }

    /// It is about everything to this line.
    pub(super) fn until(&mut self, line: u32) -> &mut Self {
        self.until = line;
        self
    }

    /// Points to another place.
    pub(super) fn see(&mut self, why: &str, place: Place) -> &mut Self {
        self.related.push((why.to_owned(), place));
        self
    }
}

/// Nobody reads more; a file of rubbish must not fill the memory.
const MOST: usize = 5_000;

/// All findings of a run.
#[derive(Debug, Default)]
pub(super) struct Findings {
    list: Vec<Finding>,
    /// The kind of outermost block that is being judged.
    block: Option<&'static str>,
    /// How many errors there were.
    errors: usize,
    /// How many further ones there were, and the worst of them.
    more: usize,
    worst: Option<Severity>,
    /// Findings that are said once a file.
    said: HashSet<(&'static str, String)>,
}

impl Findings {
    fn add(&mut self, severity: Severity, code: &'static str, place: Place, message: String) -> &mut Finding {
        self.errors += usize::from(severity == Severity::Error);
        if self.full() {
            self.more += 1;
            self.worst = self.worst.max(Some(severity));
            self.list.truncate(MOST);
        }
        let at = self.list.len();
        let block = self.block;
        self.list.push(Finding {
            severity,
            code,
            place,
            until: 0,
            block,
            message: plain(message),
            help: None,
            related: Vec::new(),
        });
        &mut self.list[at]
    }

    /// What follows is about blocks of this kind; none: about the file as a whole.
    pub(super) fn within(&mut self, block: Option<&'static str>) {
        self.block = block;
    }

    /// How many errors there were until now.
    pub(super) fn errors(&self) -> usize {
        self.errors
    }

    /// Whether there are so many that further ones are only counted.
    pub(super) fn full(&self) -> bool {
        self.list.len() >= MOST
    }

    pub(super) fn error(&mut self, code: &'static str, place: Place, message: String) -> &mut Finding {
        self.add(Severity::Error, code, place, message)
    }

    pub(super) fn warning(&mut self, code: &'static str, place: Place, message: String) -> &mut Finding {
        self.add(Severity::Warning, code, place, message)
    }

    pub(super) fn note(&mut self, code: &'static str, place: Place, message: String) -> &mut Finding {
        self.add(Severity::Note, code, place, message)
    }

    /// Whether this is the first time that something with this key is said.
    pub(super) fn first(&mut self, code: &'static str, key: &str) -> bool {
        self.said.insert((code, key.to_owned()))
    }

    /// The findings in the order of the files, each with its lines.
    pub(super) fn finish(mut self, sources: &Sources) -> Vec<Diag> {
        self.list.truncate(MOST);
        self.list.sort_by_key(|f| (!f.place.is_written(), f.place.file, f.place.line, f.place.col));
        // A repeated line is wrong in every round; once is enough.
        let mut seen = HashSet::new();
        self.list.retain(|f| seen.insert((f.place, f.message.clone())));
        if let Some(severity) = self.worst {
            self.list.truncate(MOST);
            let place = Place::NONE;
            let message = format!("{} more findings are not shown", self.more);
            self.list.push(Finding {
                severity,
                code: "too-many",
                place,
                until: 0,
                block: None,
                message,
                help: None,
                related: Vec::new(),
            });
        }
        let mut lines = LineIndex::new(sources);
        self.list.into_iter().map(|f| diag(f, sources, &mut lines)).collect()
    }
}

fn diag(mut finding: Finding, sources: &Sources, lines: &mut LineIndex<'_>) -> Diag {
    if let Some(origin) = sources.origins.get(&finding.place) {
        finding.see("it comes from this definition", *origin);
    }
    for place in sources.includes(finding.place) {
        finding.see("included here", place);
    }
    let at = lines.excerpt(finding.place);
    let secret = at.as_ref().is_some_and(Excerpt::has_password);
    let related = finding.related.into_iter().filter_map(|(why, place)| {
        let mut excerpt = lines.excerpt(place)?;
        if secret {
            excerpt.hide_definition();
        }
        Some((why, excerpt))
    });
    let related = related.collect();
    Diag {
        severity: finding.severity,
        code: finding.code,
        at,
        until: finding.until.max(finding.place.line),
        block: finding.block,
        message: finding.message,
        help: finding.help,
        related,
    }
}
