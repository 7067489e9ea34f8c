//! From whom, to whom and through whom mails go, and how one is handed over.

use std::time::{Duration, UNIX_EPOCH};

use lettre::message::header::{ContentTransferEncoding, ContentType};
use lettre::message::{Body, Mailbox};
use lettre::transport::smtp::extension::ClientId;
use lettre::transport::smtp::{Error, SmtpTransport};
use lettre::{Message, Transport};

use super::Letter;
use crate::conf::At;
use crate::conf::model::Global;
use crate::sys::conf::host_name;

/// From whom, to whom and through whom mails go.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Route {
    from: Mailbox,
    to: Vec<Mailbox>,
    pub(super) server: String,
    port: u16,
    timeout: Duration,
    helo: String,
    /// The name of this host in subjects.
    router: String,
}

impl Route {
    /// None: nobody is to be sent anything.
    pub(super) fn of(global: &Global) -> Option<Self> {
        let host = &host();
        let mail = &global.mail;
        let server = mail.server.as_ref()?.value.clone();
        let to: Vec<Mailbox> = mail.to.iter().filter_map(|word| mailbox(word, host)).collect();
        let from = mail.from.as_ref().map_or("root", |from| from.as_str());
        let from = mailbox(from, host).filter(|_| !to.is_empty())?;
        let name =
            |name: &Option<At<String>>| name.as_ref().map_or_else(|| host.to_owned(), |n| n.value.clone());
        Some(Self {
            from,
            to,
            server,
            port: *mail.port,
            timeout: *mail.timeout,
            helo: name(&mail.helo),
            router: name(&global.router_id),
        })
    }

    /// Hands a letter over, written so long after 1970.
    pub(super) fn send(&self, letter: &Letter, date: Duration) -> Result<(), Error> {
        let mut message = Message::builder()
            .from(self.from.clone())
            .date(UNIX_EPOCH + date)
            .subject(format!("[{}] {}", self.router, letter.subject))
            .user_agent("lvs".to_owned());
        for to in &self.to {
            message = message.to(to.clone());
        }
        // A message with a sender and a recipient can always be built.
        let Ok(message) = message.header(ContentType::TEXT_PLAIN).body(plain(&letter.body)) else {
            return Ok(());
        };
        let server = SmtpTransport::builder_dangerous(&self.server)
            .port(self.port)
            .timeout(Some(self.timeout))
            .hello_name(ClientId::Domain(self.helo.clone()))
            .build();
        server.send(&message).map(|_| ())
    }
}

/// A text as it is: scripts that read mailboxes know no quoted-printable, which the library takes for lines above 76.
fn plain(text: &str) -> Body {
    let encoding =
        if text.is_ascii() { ContentTransferEncoding::SevenBit } else { ContentTransferEncoding::EightBit };
    Body::dangerous_pre_encoded(format!("{text}\r\n").into_bytes(), encoding)
}

/// `name@host`, `Words <name@host>`, or a user of this host.
fn mailbox(word: &str, host: &str) -> Option<Mailbox> {
    let whole = if word.contains('@') { word.to_owned() } else { format!("{word}@{host}") };
    whole.parse().map_err(|e| log::error!("{word}: no mail address: {e}")).ok()
}

/// This host's name; an address needs one.
fn host() -> String {
    Some(host_name()).filter(|name| !name.is_empty()).unwrap_or_else(|| "localhost".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_may_be_local_named_and_plain() {
        let read = |word: &str| mailbox(word, "director").map(|m| m.to_string());
        assert_eq!(read("root").as_deref(), Some("root@director"));
        for word in ["root@localhost", "Keep Alive <ka@example.org>"] {
            assert_eq!(read(word).as_deref(), Some(word));
        }
        assert_eq!(read("a b@c@d"), None);
    }
}
