//! Prometheus' text format, written: families of samples, label values escaped.

use std::fmt::{self, Display, Write};

/// What a family counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Only grows.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Counts by bounds.
    Histogram,
}

impl Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
        })
    }
}

/// The labels of a sample in their order; none at all are written as nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Labels(String);

impl Labels {
    /// These labels and one more.
    #[must_use]
    pub fn with(&self, name: &str, value: impl Display) -> Self {
        let mut all = self.0.clone();
        if !all.is_empty() {
            all.push(',');
        }
        // Writing to a string cannot fail.
        let _ = write!(all, "{name}=\"");
        let _ = write!(Escape(&mut all), "{value}");
        all.push('"');
        Self(all)
    }
}

impl Display for Labels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() { Ok(()) } else { write!(f, "{{{}}}", self.0) }
    }
}

/// Writes what comes as the format wants it between quotes.
struct Escape<'a>(&'a mut String);

impl Write for Escape<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for c in text.chars() {
            match c {
                '\\' => self.0.push_str("\\\\"),
                '"' => self.0.push_str("\\\""),
                '\n' => self.0.push_str("\\n"),
                c => self.0.push(c),
            }
        }
        Ok(())
    }
}

/// Metrics as they are written, one family after the other.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Metrics(String);

impl Metrics {
    /// Begins a family; its samples follow.
    pub fn family(&mut self, name: &str, kind: Kind, help: &str) {
        // Writing to a string cannot fail, here and below.
        let _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }

    /// Writes a sample.
    pub fn sample(&mut self, name: &str, labels: &Labels, value: impl Display) {
        let _ = writeln!(self.0, "{name}{labels} {value}");
    }

    /// Writes a family of one sample without labels.
    pub fn single(&mut self, name: &str, kind: Kind, help: &str, value: impl Display) {
        self.family(name, kind, help);
        self.sample(name, &Labels::default(), value);
    }

    /// All of it; the last line ends.
    pub fn text(self) -> String {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn families_with_their_samples() {
        let mut metrics = Metrics::default();
        metrics.single("a_total", Kind::Counter, "All.", 7);
        metrics.family("b", Kind::Gauge, "Some.");
        let labels = Labels::default().with("service", "group web");
        metrics.sample("b", &labels, 0.5);
        metrics.sample("b", &labels.with("server", "10.0.0.1:80"), true);
        assert_eq!(
            metrics.text(),
            "# HELP a_total All.\n# TYPE a_total counter\na_total 7\n# HELP b Some.\n# TYPE b gauge\n\
             b{service=\"group web\"} 0.5\nb{service=\"group web\",server=\"10.0.0.1:80\"} true\n"
        );
    }

    #[test]
    fn what_would_end_a_value_or_a_line_is_escaped() {
        let labels = Labels::default().with("service", "group a\"b\\c\nd");
        assert_eq!(labels.to_string(), r#"{service="group a\"b\\c\nd"}"#);
    }
}
