//! tshark on the switch.

use lab::{Daemon, Lab, SECONDS, pause};

/// Begins to look at these segments; each packet becomes a line of these fields.
pub(crate) fn listen(lab: &Lab, segments: &[&str], filter: &str, fields: &[&str]) -> Daemon {
    let mut words = vec!["tshark", "-l", "-f", filter, "-T", "fields"];
    words.extend(segments.iter().flat_map(|s| ["-i", s]));
    words.extend(fields.iter().flat_map(|f| ["-e", f]));
    let shark = lab.switch().spawn(&words);
    shark.wait_for_line("Capturing", 60 * SECONDS);
    // tshark says so a little before it does so.
    pause(SECONDS);
    shark
}
