//! `virtual_routes` and `virtual_rules`: lines of iproute2, carried out by iproute2.
//!
//! The configuration speaks `ip`'s own language, with every option that `ip` will ever learn.

use std::process::{Command, Stdio};

use lvs_core::addr::Family;
use lvs_core::conf::model;
use lvs_core::sys::child;

/// Routes and rules of an instance, as arguments of `ip`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lines {
    /// To set them, in the file's order.
    pub add: Vec<String>,
    /// To remove them, the last one first.
    pub remove: Vec<String>,
}

impl Lines {
    /// Those of an instance.
    pub fn new(routes: &[model::Route], rules: &[model::Rule]) -> Self {
        let mut lines = Self::default();
        for r in routes {
            lines.push(r.family, "route", "replace", &r.words);
        }
        for r in rules {
            lines.push(r.family, "rule", "add", &r.words);
        }
        lines.remove.reverse();
        lines
    }

    fn push(&mut self, family: Family, what: &str, set: &str, words: &model::Extra) {
        let words: Vec<&str> = words.iter().map(|w| w.value.as_str()).collect();
        let (words, family) = (words.join(" "), if family == Family::Inet { "-4" } else { "-6" });
        self.add.push(format!("{family} {what} {set} {words}"));
        self.remove.push(format!("{family} {what} del {words}"));
    }
}

/// Runs lines; each is tried, whatever became of the one before.
///
/// # Errors
/// What `ip` says.
pub fn run(lines: &[String]) -> Result<(), String> {
    let failed: Vec<String> = lines.iter().filter_map(|line| one(line).err()).collect();
    if failed.is_empty() { Ok(()) } else { Err(failed.join("; ")) }
}

fn one(line: &str) -> Result<(), String> {
    let mut ip = Command::new("ip");
    ip.args(line.split(' ')).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    child::unburden(&mut ip);
    let output = ip.output().map_err(|e| format!("ip: {e}"))?;
    let text = String::from_utf8_lossy(&output.stderr);
    if output.status.success() || text.contains("File exists") {
        return Ok(());
    }
    Err(format!("ip {line}: {}", text.trim()))
}

#[cfg(test)]
mod tests {
    use lvs_core::conf::At;

    use super::*;

    #[test]
    fn what_is_set_last_is_removed_first() {
        let words = |text: &str| text.split(' ').map(|w| At::assumed(w.to_owned())).collect();
        let route = model::Route {
            family: Family::Inet,
            words: words("10.0.0.0/8 via 192.168.15.1"),
            no_track: false,
            track_group: None,
        };
        let rule = model::Rule {
            family: Family::Inet6,
            words: words("from fd00::1 table 7"),
            no_track: false,
            track_group: None,
        };
        let lines = Lines::new(&[route], &[rule]);
        assert_eq!(
            lines.add,
            ["-4 route replace 10.0.0.0/8 via 192.168.15.1", "-6 rule add from fd00::1 table 7"]
        );
        assert_eq!(
            lines.remove,
            ["-6 rule del from fd00::1 table 7", "-4 route del 10.0.0.0/8 via 192.168.15.1"]
        );
    }
}
