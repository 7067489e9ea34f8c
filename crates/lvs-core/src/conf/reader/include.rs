//! Files inside files.

use super::Reader;
use crate::conf::place::Place;

/// Includes inside includes.
const DEPTH: usize = 16;

impl Reader<'_> {
    /// Follows an `include` line; false if it is none.
    pub(super) fn include(&mut self, line: &str, place: Place) -> bool {
        let body = line.trim_start();
        if !body.starts_with("include") {
            return false;
        }
        let mut words = body.split_ascii_whitespace();
        let (Some(keyword), Some(pattern)) = (words.next(), words.next()) else { return false };
        if !matches!(keyword, "include" | "includer" | "includem" | "includew" | "includeb" | "includea") {
            return false;
        }
        let col = place.col + (line.len() - body.len()) as u32;
        let place = Place { col, len: keyword.len() as u16, ..place };
        self.builder.end_line();
        self.follow(keyword, pattern.trim_matches('"'), place);
        true
    }

    fn follow(&mut self, keyword: &str, pattern: &str, place: Place) {
        if self.path.len() > DEPTH {
            self.findings.error(
                "include-depth",
                place,
                format!("includes are nested more than {DEPTH} deep"),
            );
            return;
        }
        let from = self.path.last().cloned().unwrap_or_default();
        let found = match self.loader.find(&from, pattern) {
            Ok(found) => found,
            Err(why) => return self.missing(keyword, pattern, &why, place),
        };
        if found.is_empty() {
            self.missing(keyword, pattern, "no such file", place);
        }
        for path in found {
            if self.path.contains(&path) {
                self.findings.error(
                    "include-cycle",
                    place,
                    format!("'{path}' is being read already: it includes itself"),
                );
                continue;
            }
            match self.loader.read(&path) {
                Ok(bytes) => self.file(&path, &bytes, place),
                Err(why) => self.missing(keyword, &path, &why, place),
            }
        }
    }

    /// A file that an include asks for and that is not there: a plain `include` passes over it as keepalived
    /// does, but says so; the checked forms do not.
    fn missing(&mut self, keyword: &str, what: &str, why: &str, place: Place) {
        let message = format!("{keyword} {what}: {why}");
        if keyword == "include" {
            self.findings.warning("include-missing", place, message);
        } else {
            self.findings.error("include-missing", place, message);
        }
    }
}
