//! The parser's errors in words for an admin.

use super::Fault;

/// The parser's words for types, and ours.
const TYPES: [(&str, &str); 12] = [
    ("u8", "a number from 0 to 255"),
    ("u16", "a number from 0 to 65535"),
    ("u32", "a number from 0 to 4294967295"),
    ("u64", "a whole number"),
    ("a boolean", "true or false"),
    ("a string", "text in quotes"),
    ("IP address", "an IP address in quotes"),
    ("IPv4 address", "an IPv4 address in quotes"),
    ("a sequence", "a list [ ... ]"),
    ("an array of length 3", "a list of three"),
    ("struct ", "an object { ... }"),
    ("internally tagged enum ", "an object { ... }"),
];

/// An error with its place apart.
pub(super) fn fault(e: &serde_json::Error) -> Fault {
    let text = e.to_string();
    let place = format!(" at line {} column {}", e.line(), e.column());
    let text = text.strip_suffix(&place).unwrap_or(&text);
    Fault { line: e.line().max(1), column: e.column().max(1), text: plain(text) }
}

fn plain(text: &str) -> String {
    let quoted = text.replace('`', "'");
    if let Some(field) = quoted.strip_prefix("missing field ") {
        return format!("{field} is missing");
    }
    if quoted.starts_with("EOF while parsing") {
        return "the text ends in the middle: is a bracket or quote missing?".to_owned();
    }
    let wrong = ["invalid type: ", "invalid value: "].iter().find_map(|p| quoted.strip_prefix(p));
    let Some((found, expected)) = wrong.and_then(|w| w.split_once(", expected ")) else { return quoted };
    let known = TYPES
        .iter()
        .find(|(theirs, _)| expected == *theirs || (theirs.ends_with(' ') && expected.starts_with(theirs)));
    format!("{found} stands where {} belongs", known.map_or(expected, |(_, ours)| ours))
}
