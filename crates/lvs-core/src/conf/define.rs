//! Definitions: `$NAME=value`, used as `$NAME` or `${NAME}`, replaced late and recursively.

use std::collections::HashMap;

use super::lex::{Stretch, is_blank};
use super::place::Place;

/// A definition.
#[derive(Clone, Debug)]
pub(super) struct Definition {
    /// Its text; several lines for a multi-line definition.
    pub(super) value: String,
    /// Where its name is written.
    pub(super) place: Place,
}

/// All definitions so far.
#[derive(Debug, Default)]
pub(super) struct Definitions {
    named: HashMap<String, Definition>,
    /// The state of `${_RANDOM}`.
    random: u64,
    /// `${_INSTANCE}`.
    id: String,
    /// Names replaced in this line.
    in_line: usize,
    /// Names replaced in all lines.
    pub(super) replaced: usize,
}

/// A line after replacement.
#[derive(Debug, Default)]
pub(super) struct Expanded {
    /// Its text.
    pub(super) text: String,
    /// Where its parts come from.
    pub(super) stretches: Vec<Stretch>,
    /// Uses of names that nobody defined: the name, its place, whether it has braces.
    pub(super) unknown: Vec<(String, Place, bool)>,
    /// The places of the uses that were replaced, with those of the definitions.
    pub(super) origins: Vec<(Place, Place)>,
}

/// Why a line cannot be replaced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Failure {
    /// A definition leads back to itself.
    Cycle(String),
    /// The line grows without bound, or replacing it would never end.
    Size,
    /// A definition uses one that uses one, and so on.
    Deep,
}

/// A use of a multi-line definition in a line: its lines take the place of `$NAME`.
pub(super) struct Spliced {
    /// The name.
    pub(super) name: String,
    /// The line with the definition's text in it: several lines, nothing in them replaced yet.
    pub(super) text: String,
    /// Where the use is written.
    pub(super) used: Place,
    /// Where the definition is.
    pub(super) defined: Place,
}

/// Longest line that replacement may make, in bytes.
const LONGEST: usize = 1 << 20;
/// Most names that are replaced in a line. A definition that uses another one twice doubles the work, and so does every
/// further one; where the text is empty, no limit of its length would end that.
const MOST: usize = 10_000;
/// Definitions inside each other.
const NESTED: usize = 256;

/// A use of a definition found in a text.
struct Use<'t> {
    /// Byte offsets of the whole use.
    from: usize,
    to: usize,
    name: &'t str,
}

impl Use<'_> {
    /// Where it is in a line, counted from byte `from`, which has the place `start`.
    fn place(&self, line: &str, from: usize, start: Place) -> Place {
        let col = start.col + super::lex::chars(&line.as_bytes()[from..self.from]);
        let len = super::lex::chars(&line.as_bytes()[self.from..self.to]);
        Place { col, len: u16::try_from(len).unwrap_or(u16::MAX), ..start }
    }
}

impl Definitions {
    /// No definitions yet.
    pub(super) fn new(id: &str, seed: u64) -> Self {
        Self { random: seed | 1, id: id.to_owned(), ..Self::default() }
    }

    /// Adds one, in place of an older one of the name.
    pub(super) fn set(&mut self, name: &str, value: String, place: Place) {
        self.named.insert(name.to_owned(), Definition { value, place });
    }

    /// Forgets one.
    pub(super) fn unset(&mut self, name: &str) {
        self.named.remove(name);
    }

    /// The name and the offset of the value when the line is a definition: blanks, `$NAME=`, nothing else before.
    pub(super) fn parse(line: &str) -> Option<(&str, usize)> {
        let body = line.trim_start_matches(|c: char| c.is_ascii() && is_blank(c as u8));
        let rest = body.strip_prefix('$')?;
        let name = name_of(rest);
        let value = rest[name.len()..].strip_prefix('=')?;
        (!name.is_empty()).then_some((name, line.len() - value.len()))
    }

    /// The first use of a multi-line definition in a line that begins at `start`.
    pub(super) fn splice(&self, line: &str, start: Place) -> Option<Spliced> {
        let mut done = 0;
        while let Some(used) = next_use(line, done) {
            if let Some(d) = self.named.get(used.name).filter(|d| d.value.contains('\n')) {
                let place = used.place(line, 0, start);
                let text = [&line[..used.from], &d.value, &line[used.to..]].concat();
                return Some(Spliced { name: used.name.to_owned(), text, used: place, defined: d.place });
            }
            done = used.to;
        }
        None
    }

    /// A text with its definitions replaced, without places.
    pub(super) fn plain(&mut self, text: &str, dir: &str) -> Result<String, Failure> {
        let made = self.expand(text, Place::NONE, dir)?;
        Ok(made.map_or_else(|| text.to_owned(), |m| m.text))
    }

    /// Replaces the definitions in a line of the folder `dir`, which begins at `start`. None if it has none.
    pub(super) fn expand(
        &mut self,
        line: &str,
        start: Place,
        dir: &str,
    ) -> Result<Option<Expanded>, Failure> {
        let mut out = Expanded::default();
        self.in_line = 0;
        let mut done = 0;
        let mut col = start.col;
        while let Some(used) = next_use(line, done) {
            let before = &line[done..used.from];
            let place = used.place(line, done, Place { col, ..start });
            let mut value = String::new();
            let known = self.value(used.name, dir, &mut Vec::new(), &mut value)?;
            push(&mut out, before, Place { col, ..start }, false);
            if known {
                push(&mut out, &value, place, true);
                out.origins.extend(self.named.get(used.name).map(|d| (place, d.place)));
            } else {
                out.unknown.push((used.name.to_owned(), place, line[used.from..].starts_with("${")));
                push(&mut out, &line[used.from..used.to], place, false);
            }
            if out.text.len() > LONGEST + line.len() {
                return Err(Failure::Size);
            }
            col = place.col + super::lex::chars(&line.as_bytes()[used.from..used.to]);
            done = used.to;
        }
        if done == 0 {
            return Ok(None);
        }
        push(&mut out, &line[done..], Place { col, ..start }, false);
        Ok(Some(out))
    }

    /// Appends the whole value of a name to `out`; false if there is no such name.
    fn value(
        &mut self,
        name: &str,
        dir: &str,
        path: &mut Vec<String>,
        out: &mut String,
    ) -> Result<bool, Failure> {
        if self.built_in(name, dir, out) {
            return Ok(true);
        }
        let Some(definition) = self.named.get(name) else { return Ok(false) };
        if path.iter().any(|p| p == name) {
            return Err(Failure::Cycle(format!(
                "${}",
                [&path[..], &[name.to_owned()]].concat().join(" -> $")
            )));
        }
        if path.len() >= NESTED {
            return Err(Failure::Deep);
        }
        self.in_line += 1;
        self.replaced += 1;
        if self.in_line > MOST {
            return Err(Failure::Size);
        }
        let text = definition.value.clone();
        path.push(name.to_owned());
        let mut done = 0;
        while let Some(used) = next_use(&text, done) {
            out.push_str(&text[done..used.from]);
            if !self.value(used.name, dir, path, out)? {
                out.push_str(&text[used.from..used.to]);
            }
            done = used.to;
            if out.len() > LONGEST {
                return Err(Failure::Size);
            }
        }
        out.push_str(&text[done..]);
        path.pop();
        Ok(true)
    }

    fn built_in(&mut self, name: &str, dir: &str, out: &mut String) -> bool {
        let mut words = name.split_ascii_whitespace();
        match words.next() {
            Some("_HASH") => out.push('#'),
            Some("_BANG") => out.push('!'),
            Some("_PWD") => out.push_str(dir),
            Some("_INSTANCE") => out.push_str(&self.id),
            Some("_RANDOM") => {
                let number = |w: Option<&str>, otherwise| w.and_then(|w| w.parse().ok()).unwrap_or(otherwise);
                let (low, high) = (number(words.next(), 0u32), number(words.next(), 32767));
                out.push_str(&self.draw(low, high).to_string());
            }
            _ => return false,
        }
        true
    }

    /// A number from `low` to `high`, both included (xorshift64*).
    fn draw(&mut self, low: u32, high: u32) -> u32 {
        self.random ^= self.random >> 12;
        self.random ^= self.random << 25;
        self.random ^= self.random >> 27;
        let bits = self.random.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 32;
        let span = u64::from(high.saturating_sub(low)) + 1;
        low + u32::try_from(bits % span).unwrap_or(0)
    }
}

fn push(out: &mut Expanded, text: &str, place: Place, fixed: bool) {
    if !text.is_empty() || out.stretches.is_empty() {
        out.stretches.push(Stretch { at: out.text.len() as u32, place, fixed });
        out.text.push_str(text);
    }
}

/// The next `$NAME` (before a blank, a comma, a `)` or the end) or `${NAME}` from byte `from` on.
fn next_use(text: &str, from: usize) -> Option<Use<'_>> {
    let mut at = from;
    while let Some(found) = text[at..].find('$') {
        let dollar = at + found;
        let rest = &text[dollar + 1..];
        if let Some(inner) = rest.strip_prefix('{') {
            if let Some(end) = inner.find('}') {
                return Some(Use { from: dollar, to: dollar + end + 3, name: &inner[..end] });
            }
        } else {
            let name = name_of(rest);
            // Measured: `$B,` and `$B)` are uses; `$B/`, `$B.`, `$B"` and the like stay as they are.
            let ends =
                rest.as_bytes().get(name.len()).is_none_or(|b| is_blank(*b) || matches!(b, b',' | b')'));
            if !name.is_empty() && ends {
                return Some(Use { from: dollar, to: dollar + 1 + name.len(), name });
            }
        }
        at = dollar + 1;
    }
    None
}

/// The longest name that `text` begins with.
fn name_of(text: &str) -> &str {
    let ok = |i: usize, b: u8| b == b'_' || b.is_ascii_alphabetic() || (i > 0 && b.is_ascii_digit());
    let len = text.bytes().enumerate().take_while(|(i, b)| ok(*i, *b)).count();
    &text[..len]
}
