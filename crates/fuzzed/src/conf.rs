//! keepalived.conf: whatever the bytes, reading ends soon, points into the file, and what was understood can be written and
//! read again.

use std::time::Duration;

use lvs_core::conf::check::{Format, report};
use lvs_core::conf::print::print;
use lvs_core::conf::{Config, Diag, Env, NoFiles, Severity, parse};
use nix::time::{ClockId, clock_gettime};

/// A text may take this long, and so much more for each byte. Ten times what sound files take in an instrumented build.
const START: Duration = Duration::from_millis(200);
const PER_BYTE: Duration = Duration::from_micros(100);

fn read(text: &[u8]) -> (Config, Vec<Diag>) {
    let env = Env { id: "me".to_owned(), ..Env::default() };
    parse("f", text, &mut NoFiles, &env)
}

/// Processor time of this thread.
fn spent() -> Duration {
    let now = clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).expect("every Linux has this clock");
    now.into()
}

/// The processor time of an action; of three tries the best, if the first is `suspicious`.
fn measure(suspicious: Duration, mut action: impl FnMut()) -> Duration {
    let mut once = || {
        let start = spent();
        action();
        spent() - start
    };
    let first = once();
    if first < suspicious { first } else { first.min(once()).min(once()) }
}

/// Reads, judges, and writes back.
pub fn conf(text: &[u8]) {
    let bound = START + PER_BYTE * u32::try_from(text.len()).unwrap_or(u32::MAX);
    let took = measure(bound, || once(text));
    assert!(took < bound, "{took:?} for {} bytes", text.len());
}

fn once(text: &[u8]) {
    let (config, findings) = read(text);
    let lines = text.iter().filter(|b| **b == b'\n').count() + 1;
    for d in &findings {
        if let Some(e) = &d.at {
            assert!((1..=lines).contains(&(e.place.line as usize)), "{d}");
        }
    }
    for format in [Format::Text, Format::Json] {
        report("f", &findings, "", format, false);
    }
    // With an error in it, some block was left out, and others may ask for it.
    if findings.iter().all(|d| d.severity != Severity::Error) {
        comes_back(&config);
    }
    // What the daemons make of it.
    let _ = vrrpd::spec::setup(&config);
}

fn comes_back(config: &Config) {
    let printed = print(config);
    let (again, findings) = read(printed.as_bytes());
    let errors: Vec<&Diag> = findings.iter().filter(|d| d.severity == Severity::Error).collect();
    assert!(errors.is_empty(), "its own text is refused: {errors:?}\n{printed}");
    // Printing leaves out what says nothing.
    let again = Config { outline: config.outline.clone(), ..again };
    assert!(*config == again, "another configuration comes back:\n{printed}\n--- became\n{}", print(&again));
}

/// The same text again and again: eight times as much of it may take sixteen times as long at most.
pub fn conf_growth(text: &[u8]) {
    if text.is_empty() {
        return;
    }
    let times = |n: usize| text.iter().copied().cycle().take(n).collect::<Vec<u8>>();
    let (few, many) = (times(4 << 10), times(32 << 10));
    let short = measure(Duration::ZERO, || drop(read(&few))).max(Duration::from_millis(10));
    let long = measure(16 * short, || drop(read(&many)));
    assert!(long < 16 * short, "{short:?} for {} bytes, {long:?} for {}", few.len(), many.len());
}
