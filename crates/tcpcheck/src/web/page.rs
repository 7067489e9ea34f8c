//! An answer as it comes in, and what its text must match.

use std::borrow::Cow;
use std::hash::{Hash, Hasher};

use lvs_core::conf::model::Url;
use regex_lite::Regex;

/// A larger answer is cut: no check needs to read a film.
pub const LARGEST: usize = 1 << 20;
/// Header lines of an answer.
const HEADERS: usize = 100;

/// A whole answer, or all that came of one.
#[derive(Debug, PartialEq, Eq)]
pub struct Answer<'a> {
    /// The status code.
    pub status: u16,
    /// The body, chunks put together.
    pub body: Cow<'a, [u8]>,
    /// It ended before the length that it announced; how far it came.
    pub cut: Option<String>,
}

impl<'a> Answer<'a> {
    /// Reads what has come so far; none while something is missing and the other end has not closed (`ended`).
    ///
    /// # Errors
    /// It is no HTTP.
    pub fn read(bytes: &'a [u8], ended: bool) -> Result<Option<Self>, String> {
        let mut headers = [httparse::EMPTY_HEADER; HEADERS];
        let mut head = httparse::Response::new(&mut headers);
        let start = match head.parse(bytes) {
            Ok(httparse::Status::Complete(n)) => n,
            Ok(httparse::Status::Partial) if ended && bytes.is_empty() => {
                return Err("the connection was closed without an answer".to_owned());
            }
            Ok(httparse::Status::Partial) if ended => return Err("the answer was cut".to_owned()),
            Ok(httparse::Status::Partial) if bytes.len() >= LARGEST => {
                return Err("no end of headers".to_owned());
            }
            Ok(httparse::Status::Partial) => return Ok(None),
            Err(e) => return Err(format!("no HTTP: {e}")),
        };
        let field = |name: &str| {
            let found = head.headers.iter().find(|h| h.name.eq_ignore_ascii_case(name));
            found.map(|h| String::from_utf8_lossy(h.value).trim().to_ascii_lowercase())
        };
        let status = head.code.unwrap_or(0);
        let rest = &bytes[start..];
        let full = ended || bytes.len() >= LARGEST;
        // What we do not read ourselves is not missing.
        let short = bytes.len() < LARGEST;
        if field("transfer-encoding").is_some_and(|v| v.ends_with("chunked")) {
            let (body, complete) = unchunk(rest)?;
            let after = || format!("the answer was cut after {} bytes, before its last chunk", body.len());
            let cut = (short && !complete).then(after);
            return Ok((complete || full).then_some(Self { status, body: Cow::Owned(body), cut }));
        }
        let length = field("content-length").and_then(|v| v.parse::<usize>().ok());
        // These have no body, whatever their headers say (RFC 9110 section 6.4.1).
        let length = if matches!(status, 204 | 304) { Some(0) } else { length };
        let body = length.and_then(|n| rest.get(..n));
        let cut = length.filter(|_| short && body.is_none());
        let cut = cut.map(|n| format!("the answer was cut: {} of {n} bytes", rest.len()));
        let body = body.or(full.then_some(rest));
        Ok(body.map(|body| Self { status, body: Cow::Borrowed(body), cut }))
    }
}

/// Chunks put together (RFC 9112 section 7.1), and whether the last one has come.
fn unchunk(mut bytes: &[u8]) -> Result<(Vec<u8>, bool), String> {
    let mut body = Vec::new();
    loop {
        match httparse::parse_chunk_size(bytes) {
            Err(_) => return Err("a broken chunk".to_owned()),
            Ok(httparse::Status::Partial) => return Ok((body, false)),
            Ok(httparse::Status::Complete((_, 0))) => return Ok((body, true)),
            Ok(httparse::Status::Complete((start, size))) => {
                let end = usize::try_from(size).ok().and_then(|n| start.checked_add(n));
                let Some(chunk) = end.and_then(|end| bytes.get(start..end)) else {
                    body.extend_from_slice(&bytes[start..]);
                    return Ok((body, false));
                };
                body.extend_from_slice(chunk);
                // The chunk's own line end.
                bytes = bytes.get(start + chunk.len() + 2..).unwrap_or_default();
            }
        }
    }
}

/// `regex` with its options.
#[derive(Clone, Debug)]
pub struct Pattern {
    text: String,
    inverted: bool,
    from: usize,
    to: Option<usize>,
    compiled: Regex,
}

impl Pattern {
    /// The expression of a page.
    ///
    /// # Errors
    /// It is not understood: PCRE knows more than linear time allows.
    pub fn new(regex: &str, url: &Url) -> Result<Self, String> {
        let mut flags = String::new();
        for option in &url.regex_options {
            flags.push(match option.value.as_str() {
                "caseless" => 'i',
                "multiline" => 'm',
                "dotall" => 's',
                "extended" => 'x',
                // The page is bytes and is read leniently; nothing else follows from these.
                "utf" | "ucp" | "no_utf_check" => continue,
                other => return Err(format!("regex_options {other} is not supported")),
            });
        }
        let text = if flags.is_empty() { regex.to_owned() } else { format!("(?{flags}){regex}") };
        let compiled = Regex::new(&text).map_err(|e| format!("regex '{regex}' is not understood: {e}"))?;
        let to = url.regex_max_offset.map(|o| *o as usize);
        Ok(Self { text, inverted: *url.regex_no_match, from: *url.regex_min_offset as usize, to, compiled })
    }

    /// Whether a body is as it should be: it matches at an allowed place, or does not if that is asked for.
    pub fn is_content(&self, body: &[u8]) -> bool {
        let text = String::from_utf8_lossy(body);
        let mut starts = self.compiled.find_iter(&text).map(|m| m.start());
        let found = starts.any(|s| s >= self.from && self.to.is_none_or(|to| s <= to));
        found != self.inverted
    }

    fn key(&self) -> (&str, bool, usize, Option<usize>) {
        (&self.text, self.inverted, self.from, self.to)
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl Eq for Pattern {}

impl Hash for Pattern {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.key().hash(state);
    }
}
