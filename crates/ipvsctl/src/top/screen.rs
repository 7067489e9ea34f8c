//! What the live display remembers between frames, what keys do to it, and how it is drawn.

use std::fmt::Write;
use std::time::Duration;

use super::frame::Frame;
use super::model::{Row, Sort};

/// The display's state.
#[derive(Clone, Debug, PartialEq)]
pub struct Screen {
    /// Columns and rows of the terminal.
    pub size: (usize, usize),
    /// The order of rows.
    pub sort: Sort,
    /// Real servers are left out.
    pub services_only: bool,
    /// How many rows are above the screen.
    pub scroll: usize,
    /// From one look at the table to the next.
    pub interval: Duration,
}

/// What a key asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wish {
    /// Another frame.
    Draw,
    /// Nothing.
    Nothing,
    /// The end.
    Quit,
}

/// Title, column titles, and the line of keys.
const FIXED: usize = 3;
const KEYS: &str = "sort: n)ame a)ctive i)nactive c)onn/s p)kt/s b)ytes/s | s)ervices j k g q)uit";

impl Screen {
    /// Rows that fit.
    fn room(&self) -> usize {
        self.size.1.saturating_sub(FIXED).max(1)
    }

    /// Takes what was typed: one or several keys, or the sequence of an arrow.
    pub fn keys(&mut self, bytes: &[u8]) -> Wish {
        let mut wish = Wish::Nothing;
        let mut rest = bytes;
        while !rest.is_empty() {
            let (key, length) = decode(rest);
            rest = &rest[length..];
            match self.key(key) {
                Wish::Quit => return Wish::Quit,
                Wish::Draw => wish = Wish::Draw,
                Wish::Nothing => {}
            }
        }
        wish
    }

    fn key(&mut self, key: u8) -> Wish {
        match key {
            b'q' | 0x03 | 0x04 => return Wish::Quit,
            b'n' => self.sort = Sort::Name,
            b'a' => self.sort = Sort::Active,
            b'i' => self.sort = Sort::Inactive,
            b'c' => self.sort = Sort::Connections,
            b'p' => self.sort = Sort::Packets,
            b'b' => self.sort = Sort::Bytes,
            b's' => self.services_only = !self.services_only,
            b'j' => self.scroll = self.scroll.saturating_add(1),
            b'k' => self.scroll = self.scroll.saturating_sub(1),
            b' ' => self.scroll = self.scroll.saturating_add(self.room()),
            b'u' => self.scroll = self.scroll.saturating_sub(self.room()),
            b'g' => self.scroll = 0,
            b'G' => self.scroll = usize::MAX,
            _ => return Wish::Nothing,
        }
        Wish::Draw
    }

    /// The bytes that draw a frame over the last one; every line ends by clearing what was longer before.
    pub fn draw(&mut self, rows: &[Row]) -> String {
        let width = self.size.0.saturating_sub(1);
        let frame = Frame::fitting(rows, width);
        self.scroll = self.scroll.min(rows.len().saturating_sub(self.room()));
        let shown = &rows[self.scroll..rows.len().min(self.scroll + self.room())];
        let mut out = String::from("\x1b[H");
        let mut put = |text: &str, style: &str| {
            // Writing to a String cannot fail.
            let _ = write!(out, "{style}{}\x1b[0m\x1b[K\r\n", clipped(text, width));
        };
        put(&self.heading(rows, shown.len()), "");
        put(&frame.title(), "\x1b[7m");
        for row in shown {
            put(&frame.line(row), if row.server { "" } else { "\x1b[1m" });
        }
        // The last line has no line break: it would move the whole screen up.
        let _ = write!(out, "\x1b[J\x1b[{};1H\x1b[2m{}\x1b[0m\x1b[K", self.size.1, clipped(KEYS, width));
        out
    }

    fn heading(&self, rows: &[Row], shown: usize) -> String {
        let services = rows.iter().filter(|r| !r.server).count();
        let active: u64 = rows.iter().filter(|r| !r.server).map(|r| r.active).sum();
        let seconds = self.interval.as_secs_f64();
        let mut text =
            format!("ipvsctl top: {services} services, {active} active connections, every {seconds} s");
        if shown < rows.len() {
            let (first, last) = (self.scroll + 1, self.scroll + shown);
            let _ = write!(text, ", rows {first}-{last} of {}", rows.len());
        }
        text
    }
}

fn clipped(text: &str, width: usize) -> &str {
    // Addresses and our own words are ASCII.
    text.get(..width).unwrap_or(text)
}

/// The key at the beginning, as its letter, and how many bytes it is. Arrows and page keys have letters too.
fn decode(bytes: &[u8]) -> (u8, usize) {
    let known: [(&[u8], u8); 9] = [
        (b"\x1b[A", b'k'),
        (b"\x1b[B", b'j'),
        (b"\x1bOA", b'k'),
        (b"\x1bOB", b'j'),
        (b"\x1b[5~", b'u'),
        (b"\x1b[6~", b' '),
        (b"\x1b[H", b'g'),
        (b"\x1b[F", b'G'),
        (b"\x1b", 0),
    ];
    let found = known.into_iter().find(|(sequence, _)| bytes.starts_with(sequence));
    found.map_or((bytes[0], 1), |(sequence, key)| match sequence {
        // An unknown sequence is skipped as a whole, or its letters would be taken for keys.
        [0x1b] => (0, bytes.len()),
        _ => (key, sequence.len()),
    })
}
