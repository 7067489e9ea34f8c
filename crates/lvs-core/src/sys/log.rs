//! A log that can never hold up the daemon that writes to it.
//!
//! A line is formatted by the caller and handed to a queue of fixed length; one thread writes the queue to standard
//! error. When the reader of standard error stalls (a full pipe, a slow console, a stuck journal) the queue fills
//! and further lines are dropped and counted; the count is written as soon as the reader moves again. The descriptor
//! keeps its flags: `O_NONBLOCK` belongs to the open file, which a shell or a terminal shares with us.
//!
//! Lines are `TIME tool: message`, or `<N>message` when standard error is the journal, which adds time and name.

use std::io::{self, Write};
use std::os::fd::AsFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use log::{Level, LevelFilter, Log, Metadata, Record};
use nix::sys::time::TimeSpec;
use nix::time::{ClockId, clock_gettime};

use super::outbox::Outbox;

/// Lines that wait for a stalled reader; at 100 bytes a line this bounds the memory to some 100 KiB.
const QUEUE: u64 = 1024;
/// A longer line is cut: what the network says must not decide how much memory a line takes.
const LONGEST: usize = 2048;

/// How a line begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Style {
    /// `2026-11-22T18:22:13.123Z tool: `.
    Plain,
    /// `<6>`, the priority as systemd's journal reads it from a service's standard error.
    Journal,
}

/// The writer's handle. [`init`] installs one for the whole program.
struct Logger {
    tool: &'static str,
    level: LevelFilter,
    style: Style,
    outbox: Outbox,
    /// Lines lost since the log itself told of them.
    dropped: Arc<AtomicU64>,
}

/// Sends the program's log (`log::info!` and the others, up to `level`) to standard error under the name `tool`.
///
/// Call it once, before other threads start.
///
/// # Errors
/// When the writing thread cannot be started, or a logger is installed already.
pub fn init(tool: &'static str, level: LevelFilter) -> io::Result<()> {
    let logger = Logger::start(tool, level, style_of_stderr(), io::stderr())?;
    log::set_boxed_logger(Box::new(logger)).map_err(io::Error::other)?;
    log::set_max_level(level);
    Ok(())
}

impl Logger {
    /// A logger that writes to `out` from its own thread, which ends with the logger.
    ///
    /// # Errors
    /// When the thread cannot be started.
    fn start(
        tool: &'static str,
        level: LevelFilter,
        style: Style,
        out: impl Write + Send + 'static,
    ) -> io::Result<Self> {
        let dropped = Arc::new(AtomicU64::new(0));
        let lost = Arc::clone(&dropped);
        let outbox = Outbox::start("log", QUEUE, true, out, move |out| say_lost(out, &lost, style, tool))?;
        Ok(Self { tool, level, style, outbox, dropped })
    }
}

impl Log for Logger {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.level() <= self.level
    }

    fn log(&self, record: &Record<'_>) {
        if !self.enabled(record.metadata()) {
            return;
        }
        let mut line = prefix(self.style, self.tool, record.level());
        let start = line.len();
        line.push_str(&record.args().to_string());
        tame(&mut line, start);
        if self.outbox.send(line).is_err() {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn flush(&self) {
        self.outbox.flush();
    }
}

/// One message is one line: control characters that came from a file or the network cannot forge another.
fn tame(line: &mut String, start: usize) {
    if line.len() > LONGEST {
        let end = (0..=LONGEST).rev().find(|&i| line.is_char_boundary(i)).unwrap_or(0);
        line.truncate(end);
        line.push_str("...");
    }
    if line[start..].chars().any(char::is_control) {
        let clean: String = line[start..].chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        line.truncate(start);
        line.push_str(&clean);
    }
    line.push('\n');
}

/// The reader moves again: it learns what it has missed.
fn say_lost(out: &mut impl Write, lost: &AtomicU64, style: Style, tool: &str) {
    let lost = lost.swap(0, Ordering::Relaxed);
    if lost > 0 {
        let prefix = prefix(style, tool, Level::Warn);
        drop(writeln!(out, "{prefix}{lost} log lines lost: the reader of the log was too slow"));
    }
}

fn prefix(style: Style, tool: &str, level: Level) -> String {
    match style {
        Style::Journal => format!("<{}>", syslog_priority(level)),
        Style::Plain => format!("{} {tool}: {}", wall_clock(), mark(level)),
    }
}

/// syslog(3): 3 error, 4 warning, 6 informational, 7 debug. Notice (5) has no level in the `log` facade.
fn syslog_priority(level: Level) -> u8 {
    match level {
        Level::Error => 3,
        Level::Warn => 4,
        Level::Info => 6,
        Level::Debug | Level::Trace => 7,
    }
}

fn mark(level: Level) -> &'static str {
    match level {
        Level::Error => "error: ",
        Level::Warn => "warning: ",
        Level::Info | Level::Debug | Level::Trace => "",
    }
}

/// The time of day in UTC with milliseconds.
pub fn wall_clock() -> String {
    let now = clock_gettime(ClockId::CLOCK_REALTIME).unwrap_or(TimeSpec::new(0, 0));
    utc(now.tv_sec(), now.tv_nsec() / 1_000_000)
}

/// Seconds since 1970 as `2026-11-22T18:22:13.123Z`.
fn utc(seconds: i64, millis: i64) -> String {
    let (days, rest) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    let (year, month, day) = civil(days);
    let (hour, minute, second) = (rest / 3600, rest / 60 % 60, rest % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{millis:03}Z")
}

/// Days since 1970 to year, month, day of the Gregorian calendar. Years begin in March here, so that the day
/// that comes and goes is the last one of the year.
fn civil(days: i64) -> (i64, i64, i64) {
    const DAYS_IN_400_YEARS: i64 = 146_097;
    let days = days + 719_468; // from 0000-03-01
    let era = days.div_euclid(DAYS_IN_400_YEARS);
    let day = days.rem_euclid(DAYS_IN_400_YEARS);
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let of_year = day - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let of_month = of_year - (153 * month + 2) / 5 + 1;
    let (month, carry) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    (year + era * 400 + carry, month, of_month)
}

/// systemd names the device and inode of the stream that it connected in `JOURNAL_STREAM`; the variable is
/// inherited, so only the comparison tells whether standard error still is that stream.
fn style_of_stderr() -> Style {
    let named = std::env::var("JOURNAL_STREAM").ok();
    let actual =
        nix::sys::stat::fstat(io::stderr().as_fd()).ok().map(|s| format!("{}:{}", s.st_dev, s.st_ino));
    if named.is_some() && named == actual { Style::Journal } else { Style::Plain }
}

#[cfg(test)]
mod tests;
