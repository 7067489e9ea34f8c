//! Counters in columns of nine, as ipvsadm prints them.

use std::fmt::{self, Write};

/// Writes a counter: plain below 10^8, then cut (not rounded) to thousands, millions and so on.
pub(crate) fn short(out: &mut dyn Write, n: u64) -> fmt::Result {
    match n {
        0..100_000_000 => write!(out, " {n:>8}"),
        100_000_000..1_000_000_000 => write!(out, "{:>8}K", n / 1000),
        1_000_000_000..100_000_000_000 => write!(out, "{:>8}M", n / 1_000_000),
        100_000_000_000..100_000_000_000_000 => write!(out, "{:>8}G", n / 1_000_000_000),
        _ => write!(out, "{:>8}T", n / 1_000_000_000_000),
    }
}

/// Writes every digit.
pub(crate) fn exact(out: &mut dyn Write, n: u64) -> fmt::Result {
    write!(out, " {n:>8}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_steps_are_ipvsadms() {
        let cases = [
            (0, "        0"),
            (99_999_999, " 99999999"),
            (100_000_000, "  100000K"),
            (999_999_999, "  999999K"),
            (1_000_000_000, "    1000M"),
            (99_999_999_999, "   99999M"),
            (100_000_000_000, "     100G"),
            (99_999_999_999_999, "   99999G"),
            (100_000_000_000_000, "     100T"),
            (u64::MAX, "18446744T"),
        ];
        for (n, text) in cases {
            let mut out = String::new();
            short(&mut out, n).unwrap();
            assert_eq!(out, text);
        }
    }

    #[test]
    fn exact_numbers_never_touch() {
        let mut out = String::new();
        exact(&mut out, 12_345_678_901).unwrap();
        assert_eq!(out, " 12345678901");
    }
}
