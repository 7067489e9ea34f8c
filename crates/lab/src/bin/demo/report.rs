//! The end of the story: each figure beside its limit and beside keepalived's.

use lab::seed::Side;

use crate::story::{Paint, Story};

/// One line of the report.
pub(crate) struct Figure {
    /// What was measured.
    pub(crate) what: &'static str,
    /// Seconds (or requests); None when it did not happen at all.
    pub(crate) value: Option<f64>,
    /// The most that it may be.
    pub(crate) limit: f64,
    /// keepalived 2.2.7 and ipvsadm 1.31 in the same story (`./scripts/demo --peer`).
    pub(crate) peer: &'static str,
    /// Requests answered and failed meanwhile.
    pub(crate) requests: Option<(usize, usize)>,
}

/// Something that is so or is not.
pub(crate) struct Fact {
    pub(crate) what: &'static str,
    pub(crate) holds: bool,
}

impl Figure {
    fn passes(&self) -> bool {
        self.value.is_some_and(|v| v <= self.limit)
    }
}

/// Prints the report; true when nothing failed. The peer is measured, not judged.
pub(crate) fn print(story: &Story, side: Side, facts: &[Fact], figures: &[Figure]) -> bool {
    story.chapter("Report");
    let verdict = |good: bool| match (side, good) {
        (Side::Peer, _) => String::new(),
        (Side::Ours, true) => story.paint(Paint::Good, "PASS"),
        (Side::Ours, false) => story.paint(Paint::Bad, "FAIL"),
    };
    for fact in facts {
        let word = if side == Side::Peer && !fact.holds { "no" } else { "" };
        story.line(format_args!("  {:<79} {word}{}", fact.what, verdict(fact.holds)));
    }
    story.line("");
    let head =
        format!("  {:<44} {:>8} {:>8} {:>13}   {:<20}", "", "measured", "at most", "keepalived", "requests");
    story.line(story.paint(Paint::Dim, head));
    for figure in figures {
        let value = figure.value.map_or_else(|| "never".to_owned(), seconds);
        let requests =
            figure.requests.map_or_else(String::new, |(ok, failed)| format!("{ok} ok, {failed} failed"));
        let (limit, peer) = (seconds(figure.limit), figure.peer);
        let text = format!("  {:<44} {value:>8} {limit:>8} {peer:>13}   {requests:<20}", figure.what);
        story.line(format_args!("{text} {}", verdict(figure.passes())));
    }
    let good = facts.iter().all(|f| f.holds) && figures.iter().all(Figure::passes);
    story.line("");
    story.line(match (side, good) {
        (Side::Peer, _) => "  That was keepalived with ipvsadm; ./scripts/demo runs our commands.".to_owned(),
        (_, true) => story.paint(Paint::Good, "  PASS: the cluster served, lost, recovered, as promised."),
        (_, false) => story.paint(Paint::Bad, "  FAIL: see the lines above."),
    });
    good || side == Side::Peer
}

fn seconds(value: f64) -> String {
    format!("{value:.2} s")
}
