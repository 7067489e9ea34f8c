//! Words into options, as popt reads them: letters may be bundled (`-Ln`), values attached (`-t10.0.0.1:80`,
//! `-t=VALUE`, `--tcp-service=VALUE`), and plain words may stand anywhere.

use super::command::Refusal;
use super::options::{OptionInfo, Takes, by_letter, by_name};

/// Reads options from words.
pub(super) struct Reader<'a, I> {
    words: I,
    /// The rest of a bundle of letters.
    bundle: &'a str,
    /// A word that was looked at and not taken.
    pending: Option<&'a str>,
    /// `--` has been seen.
    ended: bool,
    /// The words that are no options, in order.
    pub(super) plain: Vec<&'a str>,
}

impl<'a, I: Iterator<Item = &'a str>> Reader<'a, I> {
    pub(super) fn new(words: I) -> Self {
        Self { words, bundle: "", pending: None, ended: false, plain: Vec::new() }
    }

    /// The next option with its value; none at the end.
    pub(super) fn next(&mut self) -> Result<Option<(&'static OptionInfo, Option<&'a str>)>, Refusal> {
        if !self.bundle.is_empty() {
            return self.letter().map(Some);
        }
        while let Some(word) = self.word() {
            match word.strip_prefix('-') {
                _ if self.ended => self.plain.push(word),
                None | Some("") => self.plain.push(word),
                Some("-") => self.ended = true,
                Some(rest) => {
                    return match rest.strip_prefix('-') {
                        Some(name) => self.name(name).map(Some),
                        None => {
                            self.bundle = rest;
                            self.letter().map(Some)
                        }
                    };
                }
            }
        }
        Ok(None)
    }

    fn word(&mut self) -> Option<&'a str> {
        self.pending.take().or_else(|| self.words.next())
    }

    fn name(&mut self, text: &'a str) -> Result<(&'static OptionInfo, Option<&'a str>), Refusal> {
        let (name, attached) = match text.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (text, None),
        };
        let option = by_name(name).ok_or_else(|| Refusal::unknown(&format!("--{name}")))?;
        match (option.takes, attached) {
            (Takes::Nothing, Some(_)) => Err(Refusal::unwanted_value(name)),
            (_, Some(value)) => Ok((option, Some(value))),
            (takes, None) => self.value(option, takes),
        }
    }

    fn letter(&mut self) -> Result<(&'static OptionInfo, Option<&'a str>), Refusal> {
        let mut rest = self.bundle.chars();
        let letter = rest.next().unwrap_or('-');
        self.bundle = rest.as_str();
        let option = by_letter(letter).ok_or_else(|| Refusal::unknown(&format!("-{letter}")))?;
        if option.takes == Takes::Nothing || self.bundle.is_empty() {
            return self.value(option, option.takes);
        }
        let attached = std::mem::take(&mut self.bundle);
        Ok((option, Some(attached.strip_prefix('=').unwrap_or(attached))))
    }

    fn value(
        &mut self,
        option: &'static OptionInfo,
        takes: Takes,
    ) -> Result<(&'static OptionInfo, Option<&'a str>), Refusal> {
        let value = match takes {
            Takes::Nothing => None,
            Takes::Value => {
                let missing = || Refusal::missing_value(option);
                Some(self.word().ok_or_else(missing)?)
            }
            Takes::Perhaps => {
                self.pending = self.word();
                match self.pending {
                    Some(word) if !word.starts_with('-') => self.pending.take(),
                    _ => None,
                }
            }
        };
        Ok((option, value))
    }
}
