//! The nearest known keyword, and the block in which a keyword would be right.

use super::schema::{self, Block, Status};
use crate::text::nearest;

/// What to write instead of an unknown keyword.
pub(super) fn help(name: &str, block: &Block) -> Option<String> {
    let lower = name.to_ascii_lowercase();
    if let Some(k) = block.iter().find(|k| k.name.eq_ignore_ascii_case(name)) {
        return Some(format!("keywords are case sensitive: write '{}'", k.name));
    }
    let homes = schema::homes(name);
    if !homes.is_empty() {
        return Some(format!(
            "'{name}' belongs in {}; is a brace missing or too many before this line?",
            or(&homes)
        ));
    }
    let known = block.iter().filter(|k| !matches!(k.status, Status::Foreign(_))).map(|k| k.name);
    if let Some(near) = nearest(&lower, known) {
        return Some(format!("did you mean '{near}'?"));
    }
    let mut everywhere = Vec::new();
    schema::blocks(&mut |_, b| everywhere.extend(b.iter().map(|k| k.name)));
    let near = nearest(&lower, everywhere.into_iter())?;
    Some(format!("did you mean '{near}'? It belongs in {}", or(&schema::homes(near))))
}

/// `a, b or c`; long lists are cut.
fn or(words: &[String]) -> String {
    match words {
        [] => String::new(),
        [one] => one.clone(),
        [first, .., last] if words.len() > 4 => format!("{first}, ... or {last}"),
        [head @ .., last] => format!("{} or {last}", head.join(", ")),
    }
}
