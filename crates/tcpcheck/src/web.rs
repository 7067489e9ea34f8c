//! HTTP_GET and SSL_GET: which pages are fetched and what they must say. Nothing here touches a socket.

mod page;

pub use page::{Answer, LARGEST, Pattern};

use lvs_core::conf::model::{Http, HttpVersion, Status, Url};
use lvs_core::sys::tcp::Dial;
use md5::{Digest, Md5};
use rustls::pki_types::ServerName;

/// The pages of one check.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Web {
    /// Where they are fetched.
    pub dial: Dial,
    /// At least one; all must be well.
    pub pages: Vec<Page>,
}

/// A page and what makes it well.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Page {
    /// Its path.
    pub path: String,
    /// Over TLS, to a server of this name: a host's name is told in the handshake, an address is not.
    pub tls: Option<ServerName<'static>>,
    /// The whole request.
    pub request: Vec<u8>,
    /// Ranges of status codes that are well, at least one.
    pub status: Vec<(u16, u16)>,
    /// The MD5 digest that its body must have.
    pub digest: Option<[u8; 16]>,
    /// What its body must match, or must not.
    pub pattern: Option<Pattern>,
}

impl Web {
    /// The pages of an HTTP_GET, or with `tls` of an SSL_GET. An expression that [`judge`] does not take is left out.
    pub fn new(dial: Dial, http: &Http, tls: bool) -> Self {
        let page = |url| {
            let page = Page::new(&dial, http, url);
            if tls { page.over_tls(&dial, http, url) } else { page }
        };
        let pages = http.urls.iter().map(page).collect();
        Self { dial, pages }
    }

    /// Whether they are fetched over TLS.
    pub fn is_tls(&self) -> bool {
        self.pages.iter().any(|p| p.tls.is_some())
    }

    /// The paths, for people.
    pub fn paths(&self) -> String {
        self.pages.iter().map(|p| p.path.as_str()).collect::<Vec<_>>().join(" ")
    }
}

impl Page {
    fn new(dial: &Dial, http: &Http, url: &Url) -> Self {
        let pattern = url.regex.as_ref().and_then(|regex| Pattern::new(regex, url).ok());
        let digest = url.digest.as_ref().map(|d| **d);
        let mut status: Vec<_> = url.status.iter().map(|s| range(**s)).collect();
        // An error page may say what is looked for, too.
        if status.is_empty() {
            status.push((200, 299));
        }
        let path = url.path.value.clone();
        let host = host(http, url).map_or_else(|| dial.to.to_string(), str::to_owned);
        let request = request(*http.version, &path, &host);
        Self { path, tls: None, request, status, digest, pattern }
    }

    /// The same page over TLS. With `enable_sni` its host is named in the handshake, unless that is no name.
    fn over_tls(self, dial: &Dial, http: &Http, url: &Url) -> Self {
        let told = host(http, url).filter(|_| *http.sni);
        let name = told.and_then(|host| ServerName::try_from(host.to_owned()).ok());
        Self { tls: Some(name.unwrap_or_else(|| dial.to.addr.into())), ..self }
    }

    /// Whether the answer is well; the error says what is not. That it was cut is no fault in itself: keepalived takes what
    /// came for the page, and a server must not leave with us that stays with it. Where what came is not what was asked
    /// for, that is why.
    pub(crate) fn judge(&self, answer: &Answer<'_>) -> Result<(), String> {
        let code = answer.status;
        if !self.status.iter().any(|(from, to)| (*from..=*to).contains(&code)) {
            return Err(format!("{}: HTTP status {code}", self.path));
        }
        if let Some(wanted) = self.digest {
            let found = digest(&answer.body);
            // For genhash and keepalived the lines between chunks are part of the page.
            if found != wanted && answer.raw.map(digest) != Some(wanted) {
                return Err(self.ill(answer, &format!("digest {}", hex(&found))));
            }
        }
        match self.pattern.as_ref().map(|pattern| pattern.is_content(&answer.body)) {
            Some(Ok(false)) => Err(self.ill(answer, "the page does not say what it must")),
            Some(Err(why)) => Err(self.ill(answer, &why)),
            _ => Ok(()),
        }
    }

    fn ill(&self, answer: &Answer<'_>, why: &str) -> String {
        format!("{}: {}", self.path, answer.cut.as_deref().unwrap_or(why))
    }
}

/// Whether the expression of a page is understood.
///
/// # Errors
/// Why it is not.
pub fn judge(url: &Url) -> Result<(), String> {
    url.regex.as_ref().map_or(Ok(()), |regex| Pattern::new(regex, url).map(drop))
}

/// The host whose page it is, where that is written.
fn host<'a>(http: &'a Http, url: &'a Url) -> Option<&'a str> {
    url.virtualhost.as_ref().or(http.virtualhost.as_ref()).map(|host| host.value.as_str())
}

fn range(s: Status) -> (u16, u16) {
    (s.from, s.to)
}

fn digest(bytes: &[u8]) -> [u8; 16] {
    Md5::digest(bytes).into()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

/// The connection always ends after one page, so the end of an answer is never in doubt.
fn request(version: HttpVersion, path: &str, host: &str) -> Vec<u8> {
    let (number, close) = match version {
        HttpVersion::V1_0 => ("1.0", ""),
        HttpVersion::V1_0Close => ("1.0", "Connection: close\r\n"),
        HttpVersion::V1_1 => ("1.1", "Connection: close\r\n"),
    };
    format!("GET {path} HTTP/{number}\r\nHost: {host}\r\nUser-Agent: tcpcheck\r\n{close}\r\n").into_bytes()
}

#[cfg(test)]
mod tests;
