use std::sync::Mutex;
use std::sync::mpsc::{Sender, channel};
use std::time::Duration;

use super::*;

/// Collects what is written; each write first says that it has come, and then takes the gate.
#[derive(Clone, Default)]
struct Sink {
    come: Option<Sender<()>>,
    gate: Arc<Mutex<()>>,
    text: Arc<Mutex<Vec<u8>>>,
}

impl Sink {
    fn text(&self) -> String {
        String::from_utf8(self.text.lock().unwrap().clone()).unwrap()
    }
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // Nobody listens any more once the test has seen the first write.
        let _ = self.come.as_ref().map(|c| c.send(()));
        let _open = self.gate.lock().unwrap();
        self.text.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn say(logger: &Logger, level: Level, text: &str) {
    logger.log(&Record::builder().level(level).args(format_args!("{text}")).build());
}

#[test]
fn the_journal_gets_a_priority_and_everyone_else_time_and_name() {
    for (style, want) in [(Style::Journal, "<3>it broke\n"), (Style::Plain, "Z vrrpd: error: it broke\n")] {
        let sink = Sink::default();
        let logger = Logger::start("vrrpd", LevelFilter::Info, style, sink.clone()).unwrap();
        say(&logger, Level::Error, "it broke");
        say(&logger, Level::Debug, "too quiet to be heard");
        logger.flush();
        assert!(sink.text().ends_with(want), "{}", sink.text());
        assert_eq!(sink.text().lines().count(), 1);
    }
}

#[test]
fn a_stalled_reader_never_holds_up_the_caller_and_learns_what_it_missed() {
    let (come, written) = channel();
    let sink = Sink { come: Some(come), ..Sink::default() };
    let logger = Logger::start("vrrpd", LevelFilter::Info, Style::Journal, sink.clone()).unwrap();
    let closed = sink.gate.lock().unwrap();
    // The reader is stuck with the first line in its hands before the flood begins.
    say(&logger, Level::Info, "line");
    written.recv_timeout(Duration::from_secs(20)).unwrap();
    let total = QUEUE + 500;
    let (told, hear) = channel();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for i in 0..total {
                say(&logger, Level::Info, &format!("line {i}"));
            }
            told.send(()).unwrap();
        });
        // The caller ends while the reader is still stuck: the gate opens only afterwards.
        hear.recv_timeout(Duration::from_secs(20)).unwrap();
    });
    let lost = logger.dropped.load(Ordering::Relaxed);
    assert_eq!(lost, 501, "the line in the reader's hands takes a place too");
    drop(closed);
    logger.flush();
    let text = sink.text();
    assert!(text.contains(&format!("{lost} log lines lost")), "{text}");
    assert_eq!(text.lines().filter(|l| l.contains(">line")).count() as u64 + lost, 1 + total);
}

#[test]
fn a_message_cannot_forge_a_second_line() {
    let sink = Sink::default();
    let logger = Logger::start("vrrpd", LevelFilter::Info, Style::Journal, sink.clone()).unwrap();
    say(&logger, Level::Info, "name \"a\n<3>b\u{1b}[2J\"");
    say(&logger, Level::Info, &"ä".repeat(4000));
    logger.flush();
    let text = sink.text();
    assert_eq!(text.lines().count(), 2, "{text}");
    assert!(text.starts_with("<6>name \"a <3>b [2J\"\n"), "{text}");
    assert!(text.len() < 2 * LONGEST);
}

#[test]
fn dates_agree_with_the_calendar() {
    for (seconds, text) in [
        (0, "1970-01-01T00:00:00.007Z"),
        (951_782_400, "2000-02-29T00:00:00.007Z"),
        (1_795_371_733, "2026-11-22T18:22:13.007Z"),
        (4107542399, "2100-02-28T23:59:59.007Z"),
        (4107542400, "2100-03-01T00:00:00.007Z"),
        (1_735_689_599, "2024-12-31T23:59:59.007Z"),
    ] {
        assert_eq!(utc(seconds, 7), text);
    }
}
