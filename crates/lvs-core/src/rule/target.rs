//! Services and servers out of the values of a line, with the rules that look at several of them.

mod server;
mod service;

use super::command::Refusal;
use super::values::{Unread, halves};

pub(super) use server::{ServerWords, server};
pub(super) use service::{ServiceWords, add_service, edit_service, required_service};

/// The longest timeout in seconds: 31 days.
pub(super) const LONGEST: u32 = 31 * 86400;
/// Bytes of a scheduler's, engine's or interface's name.
const NAME: usize = 15;

/// A name of at most 15 bytes: the kernel's field has 16 with the NUL.
pub(super) fn cut(name: &str) -> &str {
    let mut end = name.len().min(NAME);
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    &name[..end]
}

/// Names are not asked for again: a name server that is dead would have to be waited for twice.
fn bad_address(text: &str, part: Unread) -> Refusal {
    let (host, port) = halves(text);
    let port = port.unwrap_or_default();
    let numeric = |text: &str| text.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    let why = match part {
        Unread::Form => "is not an address (10.0.0.1:80, [2001:db8::1]:80)".to_owned(),
        Unread::Host if host.is_empty() => "has no address before the port".to_owned(),
        Unread::Host if host.starts_with('[') => {
            format!("has no IPv6 address in its brackets: '{}'", &host[1..])
        }
        Unread::Host if host.contains(':') => {
            "is not an IPv6 address; with a port it stands in brackets, [2001:db8::1]:80".to_owned()
        }
        Unread::Host if numeric(host) => format!("begins with '{host}', which is not an IPv4 address"),
        Unread::Host => format!(
            "begins with '{host}', which is not an address, and as the name of a host it has no IPv4 address or no \
             name server answers"
        ),
        Unread::Port if port.is_empty() => "ends in a colon without a port".to_owned(),
        Unread::Port if numeric(port) => format!("has the port '{port}', which is not 0 to 65535"),
        Unread::Port => {
            format!("has the port '{port}', which is no number nor the name of a service (/etc/services)")
        }
    };
    Refusal::wrong(format!("'{text}' {why}"))
}
