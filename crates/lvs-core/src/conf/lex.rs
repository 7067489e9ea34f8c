//! A line cut into words.
//!
//! Words are split at white space. Measured with keepalived 2.2.7 on plain keywords: a word that begins with `"`
//! runs to the next `"`; a `"` inside a word ends it and begins the next; `{` and `}` outside quotes are words of their own
//! wherever they stand (`a{b` is three words); `'` is a letter like any other and does not even protect from a
//! comment. The richer quoting of commands begins only after this, in [`super::command`].

use super::place::Place;

/// A word: where its text is, and where it was written.
#[derive(Clone, Copy, Debug)]
pub(super) struct Word {
    /// Byte offset in the buffer, quotes included.
    pub(super) start: u32,
    /// Bytes, quotes included.
    pub(super) len: u32,
    /// The buffer.
    pub(super) buf: u16,
    /// Whether it stands in double quotes.
    pub(super) quoted: bool,
    /// Where it was written.
    pub(super) place: Place,
}

/// A stretch of a line and where its text comes from. A line from a file is one stretch; a line with definitions
/// in it has one for every part.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stretch {
    /// Byte offset in the line at which it begins.
    pub(super) at: u32,
    /// The place of its first character, or, if `fixed`, of the `$NAME` it stands for.
    pub(super) place: Place,
    /// Whether the whole stretch stands for one place.
    pub(super) fixed: bool,
}

/// A line to be cut: text in a buffer, and where the text comes from.
pub(super) struct Line<'a> {
    /// The buffer it lies in.
    pub(super) buf: u16,
    /// Its byte offset there.
    pub(super) start: u32,
    /// Its text.
    pub(super) text: &'a str,
    /// At least one, the first at 0.
    pub(super) stretches: &'a [Stretch],
}

/// Byte length of a line without its comment: `#` and `!` begin one anywhere outside double quotes.
pub(super) fn without_comment(line: &str) -> usize {
    if !line.as_bytes().contains(&b'#') && !line.as_bytes().contains(&b'!') {
        return line.len();
    }
    let mut quoted = false;
    let mut escaped = false;
    for (i, b) in line.bytes().enumerate() {
        match b {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b'#' | b'!' if !quoted => return i,
            _ => {}
        }
    }
    line.len()
}

/// White space in C's sense, which is the original's; U+00A0 is none.
pub(super) fn is_blank(b: u8) -> bool {
    matches!(b, b' ' | b'\t' | b'\r' | b'\n' | 0x0b | 0x0c)
}

/// What the cutter reports: a word, or a word whose closing quote is missing.
pub(super) fn words(line: &Line<'_>, mut each: impl FnMut(Word, bool)) {
    let bytes = line.text.as_bytes();
    let mut places = Places::new(line);
    let mut i = 0;
    while i < bytes.len() {
        if is_blank(bytes[i]) {
            i += 1;
            continue;
        }
        let quoted = bytes[i] == b'"';
        let (end, closed) = word_end(bytes, i);
        let place = places.of(i, end);
        each(
            Word { start: line.start + i as u32, len: (end - i) as u32, buf: line.buf, quoted, place },
            closed,
        );
        i = end;
    }
}

/// The end of the word that begins at `from`, and whether its quote is closed.
fn word_end(bytes: &[u8], from: usize) -> (usize, bool) {
    match bytes[from] {
        b'{' | b'}' => return (from + 1, true),
        b'"' => {}
        _ => return (plain_end(bytes, from), true),
    }
    let mut i = from + 1;
    while i < bytes.len() {
        match bytes[i] {
            b'\\' => i += 2,
            b'"' => return (i + 1, true),
            _ => i += 1,
        }
    }
    (bytes.len(), false)
}

/// The end of a word outside quotes. What is left of a `${NAME}` that nobody defined is text: its braces would take
/// the enclosing block apart.
fn plain_end(bytes: &[u8], from: usize) -> usize {
    let mut i = from;
    while i < bytes.len() {
        match bytes[i] {
            b'"' | b'{' | b'}' => return i,
            b if is_blank(b) => return i,
            b'$' if bytes.get(i + 1) == Some(&b'{') => {
                let close = bytes[i..].iter().position(|b| *b == b'}' || is_blank(*b));
                i = close.filter(|n| bytes[i + n] == b'}').map_or(i + 1, |n| i + n + 1);
            }
            _ => i += 1,
        }
    }
    i
}

/// Turns byte offsets, asked in rising order, into places.
struct Places<'a> {
    line: &'a Line<'a>,
    stretch: usize,
    /// Offset and column up to which characters were counted.
    at: usize,
    col: u32,
}

impl<'a> Places<'a> {
    fn new(line: &'a Line<'a>) -> Self {
        Self { line, stretch: 0, at: 0, col: line.stretches[0].place.col }
    }

    fn of(&mut self, from: usize, to: usize) -> Place {
        let stretches = self.line.stretches;
        while stretches.get(self.stretch + 1).is_some_and(|s| s.at as usize <= from) {
            self.stretch += 1;
            self.at = stretches[self.stretch].at as usize;
            self.col = stretches[self.stretch].place.col;
        }
        let stretch = stretches[self.stretch];
        if stretch.fixed {
            return stretch.place;
        }
        self.col += chars(&self.line.text.as_bytes()[self.at..from]);
        self.at = from;
        let end = stretches.get(self.stretch + 1).map_or(to, |s| to.min(s.at as usize));
        let len = chars(&self.line.text.as_bytes()[from..end]);
        Place { col: self.col, len: u16::try_from(len).unwrap_or(u16::MAX), ..stretch.place }
    }
}

/// Characters in UTF-8 bytes: all but continuation bytes count.
pub(super) fn chars(bytes: &[u8]) -> u32 {
    bytes.iter().filter(|b| (**b & 0xc0) != 0x80).count() as u32
}
