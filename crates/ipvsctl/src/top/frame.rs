//! From rows to a screen's text: fixed columns that fit a terminal of 80.

use std::fmt::Write;

use super::model::{Rates, Row};

/// Columns of the numbers, each with its title.
const TITLES: [(&str, usize); 8] = [
    ("Weight", 7),
    ("Active", 7),
    ("Inact", 6),
    ("Pers", 6),
    ("Conn/s", 7),
    ("Pkt/s", 6),
    ("In/s", 6),
    ("Out/s", 6),
];
/// What they take together.
pub const NUMBERS: usize = 51;
/// The column of names on a terminal of 80, whose last column stays empty.
pub const NAMES: usize = 28;

/// The title line, `width` columns for names.
pub fn title(names: usize) -> String {
    let mut line = format!("{:names$}", "Service / real server");
    for (title, width) in TITLES {
        // Writing to a String cannot fail.
        let _ = write!(line, "{title:>width$}");
    }
    line
}

/// The columns that names need to be shown whole.
pub fn longest(rows: &[Row]) -> usize {
    rows.iter().map(|r| r.name.len() + indent(r).len()).max().unwrap_or(0).max(NAMES)
}

/// One row, `names` columns for its name, which is cut if it is longer.
pub fn line(row: &Row, names: usize) -> String {
    let Rates { connections, packets, bytes_in, bytes_out } = row.rates;
    let mut line = format!("{:names$}", cut(&format!("{}{}", indent(row), row.name), names));
    let counts = [row.weight, row.active, row.inactive, row.persistent].map(count);
    let rates = [connections, packets, bytes_in, bytes_out].map(rate);
    for (text, (_, width)) in counts.into_iter().chain(rates).zip(TITLES) {
        let _ = write!(line, "{text:>width$}");
    }
    line
}

fn indent(row: &Row) -> &'static str {
    if row.server { "  -> " } else { "" }
}

/// The end of an address tells servers apart, so a long one loses its middle.
fn cut(text: &str, width: usize) -> String {
    if text.len() <= width {
        return text.to_owned();
    }
    let tail = width / 2;
    let head = width - tail - 2;
    format!("{}..{}", &text[..head], &text[text.len() - tail..])
}

/// A number in at most five columns: `99999`, `1.2M`, `340G`.
pub fn count(n: u64) -> String {
    if n < 100_000 { n.to_string() } else { scaled(n as f64) }
}

/// A rate in at most five columns; small ones with a decimal: `0.5`, `12`, `1.2M`.
pub fn rate(r: f64) -> String {
    if r > 0.0 && r < 9.95 {
        format!("{r:.1}")
    } else if r < 99_999.5 {
        format!("{r:.0}")
    } else {
        scaled(r)
    }
}

fn scaled(mut n: f64) -> String {
    for unit in ["K", "M", "G", "T", "P"] {
        n /= 1000.0;
        if n < 99.95 {
            return format!("{n:.1}{unit}");
        }
        if n < 999.5 {
            return format!("{n:.0}{unit}");
        }
    }
    "lots".to_owned()
}
