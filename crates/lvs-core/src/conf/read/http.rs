//! `HTTP_GET` and `SSL_GET`.

use super::real::{Base, keywords};
use super::{At, Cx};
use crate::conf::model::{Http, HttpVersion, Status, Url};
use crate::conf::tree::Stmt;

/// An HTTP check under way.
#[derive(Default)]
pub(super) struct Draft<'t> {
    version: At<HttpVersion>,
    virtualhost: Option<At<String>>,
    sni: At<bool>,
    fast_recovery: At<bool>,
    urls: Vec<Stmt<'t>>,
}

impl<'t> Draft<'t> {
    /// A line of the check; false if it is another's.
    pub(super) fn line(&mut self, cx: &mut Cx<'_>, key: &str, s: Stmt<'t>) -> bool {
        match key {
            "url" => self.urls.push(s),
            "http_protocol" => {
                let known = [
                    ("1.0", HttpVersion::V1_0),
                    ("1.0c", HttpVersion::V1_0Close),
                    ("1.0C", HttpVersion::V1_0Close),
                    ("1.1", HttpVersion::V1_1),
                ];
                self.version = cx.choice(s, 1, &known).unwrap_or(self.version);
            }
            "virtualhost" => self.virtualhost = Cx::text(s, 1),
            "enable_sni" => cx.set_switch(s, &mut self.sni),
            "fast_recovery" => cx.set_switch(s, &mut self.fast_recovery),
            _ => return false,
        }
        true
    }

    /// The check; none without a page to fetch.
    pub(super) fn finish(self, cx: &mut Cx<'_>, stmt: Stmt<'_>, base: &Base<'_>) -> Option<Http> {
        let urls: Vec<Url> = self.urls.iter().map(|s| url(cx, *s, stmt.key())).collect();
        if urls.is_empty() {
            let message = format!("{} has no url; the virtual server is left out", stmt.key());
            cx.drop_block("missing-url", stmt, stmt.place(0), message, "add a block: url { path / }");
            return None;
        }
        let virtualhost = self.virtualhost.or_else(|| base.virtualhost.cloned());
        Some(Http {
            version: self.version,
            virtualhost,
            sni: self.sni,
            fast_recovery: self.fast_recovery,
            urls,
        })
    }
}

fn url(cx: &mut Cx<'_>, stmt: Stmt<'_>, check: &str) -> Url {
    let mut out = Url {
        path: At::assumed("/".to_owned()),
        digest: None,
        status: Vec::new(),
        virtualhost: None,
        regex: None,
        regex_no_match: At::default(),
        regex_options: Vec::new(),
        regex_min_offset: At::default(),
        regex_max_offset: None,
    };
    let Some(keywords) =
        keywords().find(check).and_then(|k| k.block).and_then(|b| b.find("url")).and_then(|k| k.block)
    else {
        return out;
    };
    for s in cx.statements(stmt, keywords) {
        let (key, s) = (s.key, s.stmt);
        match key {
            "path" => out.path = Cx::text(s, 1).unwrap_or(out.path),
            "digest" => out.digest = cx.digest(s),
            "status_code" => out.status = cx.statuses(s),
            "virtualhost" => out.virtualhost = Cx::text(s, 1),
            "regex" => out.regex = Cx::text(s, 1),
            "regex_no_match" => out.regex_no_match = At::new(true, s.place(0)),
            "regex_options" => out.regex_options = (1..s.len()).filter_map(|n| Cx::text(s, n)).collect(),
            "regex_min_offset" => cx.set_count(s, 0..=i32::MAX as u32, &mut out.regex_min_offset),
            "regex_max_offset" => out.regex_max_offset = cx.count(s, 1, 1..=i32::MAX as u32),
            other => cx.untyped(other, keywords, s),
        }
    }
    out
}

impl Cx<'_> {
    fn digest(&mut self, s: Stmt<'_>) -> Option<At<[u8; 16]>> {
        let text = s.get(1)?;
        let mut out = [0u8; 16];
        let bytes = text.as_bytes();
        let good = bytes.len() == 32
            && bytes.chunks(2).zip(&mut out).all(|(pair, byte)| {
                let digits = std::str::from_utf8(pair).unwrap_or("");
                let parsed = u8::from_str_radix(digits, 16).ok().filter(|_| !digits.starts_with('+'));
                parsed.map(|b| *byte = b).is_some()
            });
        if !good {
            let message = format!("'{text}' is no MD5 digest; the body is not compared");
            self.findings
                .warning("bad-digest", s.place(1), message)
                .help("write 32 hexadecimal digits, as md5sum prints them");
            return None;
        }
        Some(At::new(out, s.place(1)))
    }

    /// `N`, `N-N`, several of them.
    fn statuses(&mut self, s: Stmt<'_>) -> Vec<At<Status>> {
        let mut out = Vec::new();
        for n in 1..s.len() {
            let text = s.get(n).unwrap_or("");
            let (from, to) = text.split_once('-').unwrap_or((text, text));
            match (code(from), code(to)) {
                (Some(from), Some(to)) if from <= to => out.push(At::new(Status { from, to }, s.place(n))),
                _ => {
                    let message = format!("'{text}' is no status code; it is skipped");
                    self.findings
                        .warning("bad-number", s.place(n), message)
                        .help("write 200 or 200-299, from 100 to 999");
                }
            }
        }
        out
    }
}

fn code(text: &str) -> Option<u16> {
    text.parse().ok().filter(|c| (100..=999).contains(c))
}
