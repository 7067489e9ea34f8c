//! What a drain says while it runs: a bar on a terminal, lines elsewhere.

use std::fmt::Write;
use std::time::Duration;

use lvs_core::time::Time;

use super::plan::{Target, Undo};
use super::watch::{Counts, Disturbance, Watch};

/// A terminal's columns, less the last: a full line would wrap on some.
const COLUMNS: usize = 79;
const BAR: usize = 20;
/// Without a terminal a line comes when something changed, and otherwise this often, as a sign of life.
const QUIET: Duration = Duration::from_secs(60);

/// Turns looks into what is to be written.
#[derive(Clone, Debug)]
pub struct View {
    terminal: bool,
    peak: u64,
    last: Option<(Counts, Time)>,
}

impl View {
    /// For a terminal, or for a file.
    pub fn new(terminal: bool) -> Self {
        Self { terminal, peak: 0, last: None }
    }

    /// What to write after a look; nothing if nobody needs to hear it.
    pub fn show(&mut self, watch: &Watch, left: Counts, now: Time) -> Option<String> {
        // The peak and not the start: persistence brings clients back even at weight 0.
        self.peak = self.peak.max(left.total());
        let text = status(watch, left, now);
        if self.terminal {
            return Some(format!("\r{}\x1b[K", bar(&text, left.total(), self.peak)));
        }
        let due = match self.last {
            None => true,
            Some((counts, when)) => counts != left || now.since(when) >= QUIET,
        };
        due.then(|| {
            self.last = Some((left, now));
            format!("{text}\n")
        })
    }

    /// What to write before anything else is said: the bar's line goes.
    pub fn clear(&self) -> &'static str {
        if self.terminal { "\r\x1b[K" } else { "" }
    }
}

/// `12 left: 3 active, 5 inactive, 4 persistent; 0:42, gives up at 10:00`.
fn status(watch: &Watch, left: Counts, now: Time) -> String {
    let mut text = format!("{} left: {left}; {}", left.total(), clock(now.since(watch.begun())));
    if let Some(deadline) = watch.deadline() {
        // Writing to a String cannot fail.
        let _ = write!(text, ", gives up at {}", clock(deadline.since(watch.begun())));
    }
    text
}

fn bar(text: &str, left: u64, peak: u64) -> String {
    let room = COLUMNS.saturating_sub(text.len() + 3).min(BAR);
    if room < 5 {
        return text.chars().take(COLUMNS).collect();
    }
    let gone = u128::from(peak - left);
    let done = usize::try_from(room as u128 * gone / u128::from(peak.max(1))).unwrap_or(room);
    format!("[{}{}] {text}", "#".repeat(done), ".".repeat(room - done))
}

/// A duration as a clock shows it: `0:42`, `1:02:03`.
pub fn clock(d: Duration) -> String {
    let seconds = d.as_secs();
    let (h, m, s) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    if h > 0 { format!("{h}:{m:02}:{s:02}") } else { format!("{m}:{s:02}") }
}

/// What is said when the weights have been set.
pub fn opening(targets: &[Target], templates_expire: bool) -> String {
    let mut text = String::new();
    for t in targets {
        let _ = match t.server.weight {
            0 => writeln!(text, "draining {t}: its weight is 0 already"),
            weight => writeln!(text, "draining {t}: weight {weight} -> 0"),
        };
    }
    let longest = targets.iter().filter_map(|t| t.persistence).max();
    if let (Some(seconds), false) = (longest, templates_expire) {
        let _ = writeln!(
            text,
            "note: clients bound by persistence ({seconds} s) still get the server when they come back, and each \
             visit binds them anew; 'sysctl net.ipv4.vs.expire_quiescent_template=1' sends them to other servers"
        );
    }
    if let Some((t, scheduler)) = targets.iter().find_map(|t| Some((t, t.refuses.as_ref()?))) {
        let _ = writeln!(
            text,
            "warning: scheduler {scheduler} refuses new clients that it hashes to a server of weight 0; the flag \
             {scheduler}-fallback sends them to others: ipvsctl -E {} with all its options and -b {scheduler}-fallback",
            t.key
        );
    }
    text
}

/// What is said when nothing is left.
pub fn closing(watch: &Watch, now: Time, removed: bool) -> String {
    let took = clock(now.since(watch.begun()));
    let mut text = String::new();
    for t in watch.targets() {
        let _ = match removed {
            true => writeln!(text, "drained {t} after {took} and removed it"),
            false => writeln!(text, "drained {t} after {took}; it stays at weight 0"),
        };
    }
    text
}

/// The reason when the patience is over.
pub fn time_is_over(watch: &Watch) -> String {
    format!(
        "not drained within {}",
        clock(watch.deadline().map_or(Duration::ZERO, |d| d.since(watch.begun())))
    )
}

/// Why the drain ended before its end, and the state that it leaves.
pub fn left_behind(watch: &Watch, why: &str, left: Counts, known: impl Fn(&Target) -> Option<u32>) -> String {
    let mut text = format!("{why}; left: {left}");
    for t in watch.targets() {
        let _ = write!(text, "\n  {t} stays at weight 0 and takes no new connections");
        let _ = match known(t) {
            Some(weight) => write!(
                text,
                "; back to weight {weight}: ipvsctl drain {} -r {} --undo; remove it anyway: ipvsctl -d {} -r {}",
                t.key, t.endpoint, t.key, t.endpoint
            ),
            None => write!(text, ", as before the drain"),
        };
    }
    text
}

/// What somebody else did.
pub fn disturbed(target: &Target, what: Disturbance) -> String {
    match what {
        Disturbance::Removed => {
            format!("{target}: somebody else removed it before it was drained; its connections are cut off")
        }
        Disturbance::Weight(weight) => {
            format!("{target}: somebody else gave it weight {weight}; it is in service and no longer drained")
        }
    }
}

/// What an undo did about a server.
pub fn undone(target: &Target, what: &Undo) -> String {
    match what {
        Undo::Restore(weight) => format!("{target}: weight {weight} again\n"),
        Undo::NotDrained(weight) => {
            format!("{target}: it has weight {weight}, there is nothing to undo\n")
        }
        Undo::Unknown => format!("{target}: no drain has remembered its weight; {}\n", by_hand(target)),
        Undo::Another(weight) => format!(
            "{target}: it is not the server that was drained (weight {weight} then): it was added anew, edited, or its \
             counters were set to zero since; {}\n",
            by_hand(target)
        ),
    }
}

fn by_hand(target: &Target) -> String {
    let (key, server) = (target.key, target.endpoint);
    format!(
        "set one: ipvsctl -e {key} -r {server} -w WEIGHT (with the forwarding method and thresholds that it has)"
    )
}
