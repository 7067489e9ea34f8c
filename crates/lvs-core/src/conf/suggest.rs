//! The nearest known keyword, and the block in which a keyword would be right.

use super::schema::{self, Block, Status};

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

/// The word that can be reached with the fewest edits, at most a third of the length.
pub(super) fn nearest<'k>(word: &str, known: impl Iterator<Item = &'k str>) -> Option<&'k str> {
    // Nobody mistypes a keyword of a hundred letters; the cost of comparing stays bounded.
    if word.len() < 3 || word.len() > 64 {
        return None;
    }
    let limit = (word.len() / 3).max(1);
    known
        .map(|k| (distance(word, k, limit), k))
        .filter(|(d, _)| *d <= limit)
        .min_by_key(|(d, _)| *d)
        .map(|(_, k)| k)
}

/// Edits (insert, remove, replace, swap neighbours) between two words; `limit + 1` if there are more.
fn distance(a: &str, b: &str, limit: usize) -> usize {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    if a.len().abs_diff(b.len()) > limit {
        return limit + 1;
    }
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let mut d =
                (last[j] + 1).min(row[j - 1] + 1).min(last[j - 1] + usize::from(a[i - 1] != b[j - 1]));
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                d = d.min(before[j - 2] + 1);
            }
            row.push(d);
        }
        before = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}
