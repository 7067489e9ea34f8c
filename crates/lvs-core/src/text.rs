//! Words of others in our messages: a file's word may hold anything, and a message reaches terminals and logs.

/// Characters of a word that are shown at most; file names are hardly ever longer.
const WORD: usize = 200;
/// Characters of a message.
const MESSAGE: usize = 2000;

/// One line without control characters, which would speak to the terminal, and of a length that is read.
pub fn plain(text: String) -> String {
    let short = text.split(' ').all(|word| word.len() <= WORD) && text.len() <= MESSAGE;
    if short && !text.contains(is_control) {
        return text;
    }
    let mut out = String::new();
    for (i, word) in text.split(' ').enumerate() {
        out.push_str(if i > 0 { " " } else { "" });
        let mut rest = word.chars();
        rest.by_ref().take(WORD).for_each(|c| escaped(&mut out, c));
        out.push_str(if rest.as_str().is_empty() { "" } else { "…" });
        if out.len() > MESSAGE {
            out.push_str(" …");
            break;
        }
    }
    out
}

/// Tabs harm nobody, and a line that is shown with a mark below it needs its own.
fn is_control(c: char) -> bool {
    c.is_control() && c != '\t'
}

fn escaped(out: &mut String, c: char) {
    if is_control(c) {
        out.extend(c.escape_default());
    } else {
        out.push(c);
    }
}

/// The same of several lines.
pub fn plain_lines(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for (i, line) in text.split('\n').enumerate() {
        out.push_str(if i > 0 { "\n" } else { "" });
        out.push_str(&plain(line.to_owned()));
    }
    out
}

/// The known word that can be reached with the fewest edits, at most a third of the length.
pub fn nearest<'k>(word: &str, known: impl Iterator<Item = &'k str>) -> Option<&'k str> {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_fit_to_print_stays_as_it_is() {
        for text in ["", "'10.0.0.1' is not a host", "größer  als\t…"] {
            assert_eq!(plain(text.to_owned()), text);
        }
        assert_eq!(plain_lines("a\nb\n"), "a\nb\n");
    }

    #[test]
    fn terminals_hear_nothing_from_a_file() {
        assert_eq!(
            plain("'\x1b[31m\x07\r\n\0\u{9b}' is bad".to_owned()),
            "'\\u{1b}[31m\\u{7}\\r\\n\\u{0}\\u{9b}' is bad"
        );
        assert_eq!(plain_lines("a\x07\nb"), "a\\u{7}\nb");
    }

    #[test]
    fn long_words_and_messages_are_cut() {
        let message = plain(format!("'{}' is bad", "ü".repeat(10_000_000)));
        assert_eq!(message, format!("'{}… is bad", "ü".repeat(WORD - 1)));
        let message = plain(format!("'{}' is bad", "word ".repeat(1_000_000)));
        assert!(message.len() < MESSAGE + 300 && message.ends_with(" …"), "{message}");
    }

    #[test]
    fn near_words_are_found() {
        let verbs = ["list", "apply", "start-daemon"];
        let near = ["appply", "lits", "start-demon", "xyz", "ab"].map(|w| nearest(w, verbs.into_iter()));
        assert_eq!(near, [Some("apply"), Some("list"), Some("start-daemon"), None, None]);
    }
}
