//! An answer as it comes in, and what its text must match.

use std::borrow::Cow;
use std::hash::{Hash, Hasher};

use fancy_regex::{BytesMode, Regex, RegexBuilder};
use lvs_core::conf::model::Url;

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
    /// The body as it came, where that was in chunks: with the lines between them.
    pub raw: Option<&'a [u8]>,
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
            let (body, raw) = (Cow::Owned(body), Some(rest));
            return Ok((complete || full).then_some(Self { status, body, raw, cut }));
        }
        let length = field("content-length").and_then(|v| v.parse::<usize>().ok());
        // These have no body, whatever their headers say (RFC 9110 section 6.4.1).
        let length = if matches!(status, 204 | 304) { Some(0) } else { length };
        let body = length.and_then(|n| rest.get(..n));
        let cut = length.filter(|_| short && body.is_none());
        let cut = cut.map(|n| format!("the answer was cut: {} of {n} bytes", rest.len()));
        let body = body.or(full.then_some(rest));
        Ok(body.map(|body| Self { status, body: Cow::Borrowed(body), raw: None, cut }))
    }
}

/// Chunks put together (RFC 9112 section 7.1), and whether all of them have come with what follows the last one.
fn unchunk(mut bytes: &[u8]) -> Result<(Vec<u8>, bool), String> {
    let mut body = Vec::new();
    loop {
        match httparse::parse_chunk_size(bytes) {
            Err(_) => return Err("a broken chunk".to_owned()),
            Ok(httparse::Status::Partial) => return Ok((body, false)),
            Ok(httparse::Status::Complete((start, 0))) => {
                let trailer = &bytes[start..];
                let ended = trailer.starts_with(b"\r\n") || trailer.windows(4).any(|w| w == b"\r\n\r\n");
                return Ok((body, ended));
            }
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
    options: Vec<String>,
    inverted: bool,
    from: usize,
    to: Option<usize>,
    compiled: Regex,
}

impl Pattern {
    /// The expression of a page.
    ///
    /// # Errors
    /// It, or one of its options, is not understood.
    pub fn new(regex: &str, url: &Url) -> Result<Self, String> {
        let mut builder = RegexBuilder::new(regex);
        // As PCRE without `utf`: a page may be in any encoding.
        builder.bytes_mode(BytesMode::Ascii);
        for option in &url.regex_options {
            match option.value.as_str() {
                "caseless" => builder.case_insensitive(true),
                "multiline" => builder.multi_line(true),
                "dotall" => builder.dot_matches_new_line(true),
                "extended" => builder.ignore_whitespace(true),
                // Bytes are compared all the same; nothing else follows from these.
                "utf" | "ucp" | "no_utf_check" => continue,
                other => return Err(format!("regex_options {other} is not supported")),
            };
        }
        let compiled = builder.build().map_err(|e| e.to_string())?;
        Ok(Self {
            text: regex.to_owned(),
            options: url.regex_options.iter().map(|o| o.value.clone()).collect(),
            inverted: *url.regex_no_match,
            from: *url.regex_min_offset as usize,
            to: url.regex_max_offset.map(|o| *o as usize),
            compiled,
        })
    }

    /// Whether a body is as it should be: it matches at an allowed place, or does not if that is asked for.
    ///
    /// # Errors
    /// The search takes more steps than any sensible expression: the other checks wait for it.
    pub fn is_content(&self, body: &[u8]) -> Result<bool, String> {
        // `$` of PCRE also stands before the last line end.
        let both = [body, body.strip_suffix(b"\n").unwrap_or(body)];
        for found in both.iter().flat_map(|body| self.compiled.find_iter(*body)) {
            let start = found.map_err(|e| format!("regex: {e}"))?.start();
            if start >= self.from && self.to.is_none_or(|to| start <= to) {
                return Ok(!self.inverted);
            }
        }
        Ok(self.inverted)
    }

    fn key(&self) -> (&str, &[String], bool, usize, Option<usize>) {
        (&self.text, &self.options, self.inverted, self.from, self.to)
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
