//! From rows to a screen's text: columns that fit a terminal of 80, and fewer of them one that is narrower.

use std::fmt::Write;

use super::model::{Rates, Row};

/// A column of numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Column {
    Weight,
    Active,
    Inactive,
    Persistent,
    Connections,
    Packets,
    BytesIn,
    BytesOut,
}

use Column::{Active, BytesIn, BytesOut, Connections, Inactive, Packets, Persistent, Weight};

/// The columns in their order, each with its title and width.
const COLUMNS: [(Column, &str, usize); 8] = [
    (Weight, "Weight", 7),
    (Active, "Active", 7),
    (Inactive, "Inact", 6),
    (Persistent, "Pers", 6),
    (Connections, "Conn/s", 7),
    (Packets, "Pkt/s", 6),
    (BytesIn, "In/s", 6),
    (BytesOut, "Out/s", 6),
];

/// The order in which columns go where names need their room; active connections stay.
const GO: [Column; 7] = [Persistent, Packets, BytesOut, BytesIn, Inactive, Weight, Connections];

const TITLE: &str = "Service / real server";
/// The column of names on a terminal of 80, whose last column stays empty.
const NAMES: usize = 28;

/// Which columns there are: names, so wide, and numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    names: usize,
    columns: Vec<(Column, &'static str, usize)>,
}

impl Frame {
    /// All columns, and names in full.
    pub fn full(rows: &[Row]) -> Self {
        Self { names: longest(rows).max(NAMES), columns: COLUMNS.into() }
    }

    /// What fits into `width`: columns go before a name is cut, for a cut name may be another server's too.
    pub fn fitting(rows: &[Row], width: usize) -> Self {
        let mut frame = Self { names: longest(rows).max(TITLE.len()), columns: COLUMNS.into() };
        for gone in GO {
            if frame.width() <= width {
                break;
            }
            frame.columns.retain(|(column, ..)| *column != gone);
        }
        // What is left over, or missing, is the names'.
        let others = frame.width() - frame.names;
        let room = width.saturating_sub(others).max(10);
        frame.names = if frame.names > room { room } else { frame.names.max(NAMES.min(room)) };
        frame
    }

    fn width(&self) -> usize {
        self.names + self.columns.iter().map(|(_, _, width)| width).sum::<usize>()
    }

    /// The title line.
    pub fn title(&self) -> String {
        let names = self.names;
        let mut line = format!("{:names$}", cut(TITLE, names));
        for (_, title, width) in &self.columns {
            // Writing to a String cannot fail.
            let _ = write!(line, "{title:>width$}");
        }
        line
    }

    /// One row; a name that is longer than its column is cut.
    pub fn line(&self, row: &Row) -> String {
        let names = self.names;
        let mut line = format!("{:names$}", cut(&format!("{}{}", indent(row), row.name), names));
        for (column, _, width) in &self.columns {
            let _ = write!(line, "{:>width$}", value(row, *column));
        }
        line
    }
}

fn value(row: &Row, column: Column) -> String {
    let Rates { connections, packets, bytes_in, bytes_out } = row.rates;
    match column {
        Weight => count(row.weight),
        Active => count(row.active),
        Inactive => count(row.inactive),
        Persistent => count(row.persistent),
        Connections => rate(connections),
        Packets => rate(packets),
        BytesIn => rate(bytes_in),
        BytesOut => rate(bytes_out),
    }
}

/// The columns that names need to be shown whole.
fn longest(rows: &[Row]) -> usize {
    rows.iter().map(|r| r.name.len() + indent(r).len()).max().unwrap_or(0)
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
