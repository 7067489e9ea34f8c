//! Findings: what is wrong with a file, where, and what to write instead.

use std::borrow::Cow;
use std::fmt;

use super::lex::chars;
use super::place::Place;
use super::schema::{Status, TOP, Tool};
use crate::text::plain;

/// How bad a finding is. Only an error is in anybody's way, see [`Diag::stops`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth knowing; nothing to do.
    Note,
    /// Probably not what was meant; what is used instead is said.
    Warning,
    /// Nothing sensible can be made of it: its block is left out as a whole, see [`crate::conf::model::LeftOut`].
    Error,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        })
    }
}

/// A line of a file with the word that is meant; enough to show it without the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Excerpt {
    /// The file's name as it was given or included.
    pub file: String,
    /// Where in it.
    pub place: Place,
    /// The line as it is written, without its end; bytes that are no UTF-8 are replaced.
    pub text: String,
}

/// One finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diag {
    /// How bad it is.
    pub severity: Severity,
    /// A stable name for scripts, such as `unknown-keyword`.
    pub code: &'static str,
    /// Where it is; none for the file as a whole.
    pub at: Option<Excerpt>,
    /// The last line that it is about: a block that is skipped ends there. The finding's own line otherwise.
    pub until: u32,
    /// The kind of outermost block that it is in, such as `vrrp_instance`; none: it is about the file as a whole, as a
    /// missing brace is.
    pub block: Option<&'static str>,
    /// What is wrong and what is done about it, without a full stop.
    pub message: String,
    /// What to write instead.
    pub help: Option<String>,
    /// Other places that explain it, each with a word why: the definition, the include, the first of two.
    pub related: Vec<(String, Excerpt)>,
}

impl Diag {
    /// The finding's line in its file; 0 for the file as a whole.
    pub fn line(&self) -> u32 {
        self.at.as_ref().map_or(0, |e| e.place.line)
    }

    /// Place and message in a line, for a log that shows the severity itself.
    pub fn headline(&self) -> String {
        let place = self
            .at
            .as_ref()
            .map_or_else(String::new, |e| format!("{}:{}:{}: ", e.file, e.place.line, e.place.col));
        format!("{place}{} [{}]", self.message, self.code)
    }

    /// Whether it stands in the way of a tool.
    ///
    /// An error outside of all blocks, as a missing brace is, or in `global_defs` always does. One in a block of another
    /// tool never does. One in a block of its own does not where the tool can `begin` without that block; a tool that
    /// runs keeps the old configuration, for what is left out would be taken down.
    pub fn stops(&self, tool: Tool, begin: bool) -> bool {
        let of_tool = |name| TOP.find(name).is_some_and(|k| k.status.is_used_by(tool));
        self.severity == Severity::Error && self.block.is_none_or(|name| !begin && of_tool(name))
    }

    /// Whether it is about something that this tool acts on; another tool tells of the rest.
    pub fn concerns(&self, tool: Tool) -> bool {
        let block = self.block.and_then(|name| TOP.find(name));
        block.is_none_or(|k| k.status.is_used_by(tool) || !matches!(k.status, Status::Used(_)))
    }
}

/// `file:line:col: severity: message`, the line with a caret under the word, and the help; ends without newline.
impl fmt::Display for Diag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(e) = &self.at {
            write!(f, "{}:{}:{}: ", e.name(), e.place.line, e.place.col)?;
        }
        write!(f, "{}: {} [{}]", self.severity, self.message, self.code)?;
        if let Some(e) = &self.at {
            e.show(f)?;
        }
        for (why, e) in &self.related {
            write!(f, "\n  {}:{}:{}: {why}", e.name(), e.place.line, e.place.col)?;
            e.show(f)?;
        }
        match &self.help {
            Some(help) => write!(f, "\n  help: {help}"),
            None => Ok(()),
        }
    }
}

impl Excerpt {
    /// Characters of a line that are shown at most, so that a finding fits on a screen.
    const WIDTH: usize = 100;

    /// The file's name: an include may lead to any.
    fn name(&self) -> String {
        plain(self.file.clone())
    }

    /// The line, cut around the word, and a caret line under it.
    fn show(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (text, col, len) = self.masked();
        let skip = if col + len > Self::WIDTH { col.saturating_sub(20) } else { 0 };
        let shown: String = text.chars().skip(skip).take(Self::WIDTH).map(visible).collect();
        // A tab before the word stays a tab in the caret line, so that both lines move alike on a terminal.
        let pad: String =
            shown.chars().take(col - skip).map(|c| if c == '\t' { '\t' } else { ' ' }).collect();
        let carets = len.clamp(1, Self::WIDTH.saturating_sub(col - skip).max(1));
        let number = self.place.line.to_string();
        write!(f, "\n  {number} | {}", shown.trim_end())?;
        write!(f, "\n  {:width$} | {pad}{}", "", "^".repeat(carets), width = number.len())
    }

    /// The line without a password, the column from 0 and the length of the word in it.
    fn masked(&self) -> (Cow<'_, str>, usize, usize) {
        let (col, len) = ((self.place.col.max(1) - 1) as usize, usize::from(self.place.len));
        let Some(start) = self.secret() else { return (Cow::Borrowed(&self.text), col, len) };
        let before = chars(&self.text.as_bytes()[..start]) as usize;
        let (col, len) = if col < before { (col, len) } else { (before, MASK.len()) };
        (Cow::Owned(self.text[..start].to_owned() + MASK), col, len)
    }

    /// Where the password of the line begins, in bytes. Findings go to logs, mails and terminals that others see.
    fn secret(&self) -> Option<usize> {
        // Also as people misspell it: auth_pas, auth_password.
        let keyword = self.text.find("auth_pa")?;
        let after = keyword + self.text[keyword..].find([' ', '\t'])?;
        Some(after + self.text[after..].find(|c| c != ' ' && c != '\t')?)
    }

    /// Hides the value of a definition that a password is made of.
    pub(super) fn hide_definition(&mut self) {
        if let Some(value) = self.text.find('=') {
            self.text.truncate(value + 1);
            self.text.push_str(MASK);
        }
    }

    /// Whether the line has a password.
    pub(super) fn has_password(&self) -> bool {
        self.secret().is_some()
    }
}

/// What stands for a password, however long that is.
const MASK: &str = "********";

/// Control characters of a file must not reach the terminal, and here each is one column wide.
fn visible(c: char) -> char {
    if c.is_control() && c != '\t' { '\u{fffd}' } else { c }
}

#[cfg(test)]
mod tests {
    use crate::conf::{Env, NoFiles, parse};

    #[test]
    fn no_finding_shows_a_password() {
        for (lines, seen) in [
            ("  auth_pass Geheim-und-lang", "long-password"),
            ("  auth_pass\tGeheim zweites", "extra-words"),
            ("  auth_pass Geheim#x", "cut-password"),
            ("  auth_pas Geheim", "unknown-keyword"),
            ("  auth_pass $PW", "long-password"),
        ] {
            let text = format!(
                "$PW=Geheim-und-lang\nvrrp_instance V {{\n interface e\n virtual_router_id 5\n authentication {{\n  \
                 auth_type PASS\n{lines}\n }}\n}}\n"
            );
            let (_, findings) = parse("f", text.as_bytes(), &mut NoFiles, &Env::default());
            assert!(findings.iter().any(|d| d.code == seen), "{seen}: {findings:?}");
            for d in findings {
                let shown = d.to_string();
                assert!(!shown.contains("Geheim") && !shown.contains("zweites"), "{shown}");
                let carets = shown.matches('^').count();
                assert!(d.code != seen || shown.contains("********") && carets > 0, "{shown}");
            }
        }
    }
}
