//! The number in a tracked file, as keepalived reads it.

/// The number that a file begins with, after blanks; whatever follows it does not matter. A file that is empty, has
/// no number or is not there counts as 0. A number beyond 64 bits counts as the nearest.
pub fn number(text: &str) -> i64 {
    let text = text.trim_start();
    let (negative, digits) = match text.as_bytes().first() {
        Some(b'-') => (true, &text[1..]),
        Some(b'+') => (false, &text[1..]),
        _ => (false, text),
    };
    let digits = digits.bytes().take_while(u8::is_ascii_digit);
    let value = digits.fold(0i64, |n, d| n.saturating_mul(10).saturating_add(i64::from(d - b'0')));
    if negative { -value } else { value }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::number;

    #[test]
    fn numbers_as_measured() {
        for (text, value) in [
            ("10\n", 10),
            ("-5\n", -5),
            ("abc\n", 0),
            ("\n", 0),
            ("", 0),
            ("7 x\n", 7),
            (" 3\n", 3),
            ("+4", 4),
            ("-", 0),
            ("99999999999999999999", i64::MAX),
        ] {
            assert_eq!(number(text), value, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_some_number(text in any::<String>()) {
            number(&text);
        }

        #[test]
        fn what_is_written_is_read(n in any::<i32>()) {
            prop_assert_eq!(number(&format!("{n}\n")), i64::from(n));
        }
    }
}
