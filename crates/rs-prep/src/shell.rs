//! Words of commands that are shown to be typed into a shell.

use std::borrow::Cow;

/// A word as a shell reads it back: the kernel allows nearly every character in the name of an interface or a label.
pub fn word(text: &str) -> Cow<'_, str> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_@%+=:,./-".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(format!("'{}'", text.replace('\'', r"'\''")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_a_shell_would_read_otherwise_is_quoted() {
        for plain in ["ens192", "br0.100", "lo:0", "net.ipv4.conf.br0/100.arp_ignore=1", "a@b"] {
            assert_eq!(word(plain), plain);
        }
        for (text, want) in
            [("a$b", "'a$b'"), ("x;y", "'x;y'"), ("lo:a b", "'lo:a b'"), ("", "''"), ("a'b", r"'a'\''b'")]
        {
            assert_eq!(word(text), want);
        }
    }
}
