//! `--explain`: what a watch would do, in words and as rule lines.

use std::io::{self, Write};

use lvs_core::conf::Config;
use lvs_core::plan::{Scope, diff};
use lvs_core::table::Table;
use lvs_core::time::Time;

use crate::monitor::{Monitor, Remembered, name};
use crate::options::Options;
use crate::roster::{User, servers};

/// Writes the schedule of every check and the rule lines that a start with what is `remembered` would send to a table
/// that was `found`.
///
/// # Errors
/// The output cannot be written.
pub fn tell(
    config: Config,
    options: Options,
    remembered: Remembered,
    found: &Table,
    mut out: impl Write,
) -> io::Result<()> {
    also(&options, &mut out)?;
    let (mut monitor, _) = Monitor::start(config, options, remembered, found, 0, Time::ZERO);
    for (user, vs, server) in servers(monitor.config()) {
        if user.rs == 0 {
            writeln!(out, "# {}: quorum {}, hysteresis {}", name(vs), *vs.quorum, *vs.hysteresis)?;
        }
        checks(&monitor, user, &format!("#   {}", *server.endpoint), &mut out)?;
    }
    // Whether the real servers or the sorry server stand there is decided with the first table only.
    let gone = monitor.settle().map(|(_, gone)| gone).unwrap_or_default();
    for op in diff(found, &monitor.table(), &Scope::Services(gone)) {
        writeln!(out, "{op}")?;
    }
    Ok(())
}

/// What flags add that no check's schedule shows.
fn also(options: &Options, out: &mut impl Write) -> io::Result<()> {
    if let Some(hold) = options.hold {
        let (base, most) = (hold.base, hold.most);
        writeln!(
            out,
            "# hold-down: {base:?} after the second death, twice as long each time, at most {most:?}"
        )?;
    }
    if let Some(whole) = options.slow_start {
        writeln!(out, "# slow start: a server that comes back has its whole weight after {whole:?}")?;
    }
    if let Some(percent) = options.brake_percent {
        writeln!(out, "# brake: at most {percent} % of the real servers of a virtual server are taken out")?;
    }
    Ok(())
}

fn checks(monitor: &Monitor, user: User, server: &str, out: &mut impl Write) -> io::Result<()> {
    let mut any = false;
    for check in monitor.checks_of(user) {
        any = true;
        write!(out, "{server}: {} {}", check.identity.task, check.identity.schedule)?;
        match check.users.len() {
            1 => writeln!(out)?,
            n => writeln!(out, " (one check for {n} services)")?,
        }
    }
    if any { Ok(()) } else { writeln!(out, "{server}: no check, always in the table") }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use lvs_core::addr::Family;
    use lvs_core::conf::{Env, NoFiles, parse};

    use lvs_core::table::{Service, ServiceEntry, ServiceKey};

    use super::*;
    use crate::drains::Drains;
    use crate::schedule::Hold;

    #[test]
    fn the_rule_lines_are_those_of_a_start() {
        let text = "virtual_server 10.0.0.100 80 {\nprotocol TCP\nlb_kind DR\nsorry_server 10.0.0.9 80\n\
                    real_server 10.0.0.1 80 {\ninhibit_on_failure\nTCP_CHECK {\n}\n}\n\
                    real_server 10.0.0.2 80 {\nTCP_CHECK {\n}\n}\n}\n";
        let (config, _) = parse("f", text.as_bytes(), &mut NoFiles, &Env::default());
        let mut out = Vec::new();
        tell(config, Options::default(), Remembered::default(), &Table::default(), &mut out).unwrap();
        let said = String::from_utf8(out).unwrap();
        let rules: Vec<_> = said.lines().filter(|l| l.starts_with("-a")).collect();
        assert_eq!(
            rules,
            ["1", "2"].map(|n| format!("-a -t 10.0.0.100:80 -r 10.0.0.{n}:80 -g -w 1")),
            "{said}"
        );
    }

    #[test]
    fn what_is_remembered_counts_a_drained_server_and_a_service_that_left_the_file() {
        let text =
            "virtual_server 10.0.0.100 80 {\nprotocol TCP\nlb_kind DR\nreal_server 10.0.0.1 80 {\n}\n}\n";
        let (config, _) = parse("f", text.as_bytes(), &mut NoFiles, &Env::default());
        let left = ServiceKey::tcp(std::net::Ipv4Addr::new(10, 0, 0, 100), 81);
        let stranger = ServiceKey::tcp(std::net::Ipv4Addr::new(10, 0, 0, 200), 80);
        let entry = || ServiceEntry::new(Service::new("rr", Family::Inet));
        let found = Table { services: [left, stranger].map(|key| (key, entry())).into() };
        let drains = Drains::parse("10.0.0.1\n").0;
        let mut out = Vec::new();
        tell(config, Options::default(), Remembered { owned: [left].into(), drains }, &found, &mut out)
            .unwrap();
        let said = String::from_utf8(out).unwrap();
        let rules: Vec<_> = said.lines().filter(|l| l.starts_with(['-'])).skip(1).collect();
        assert_eq!(rules, ["-a -t 10.0.0.100:80 -r 10.0.0.1:80 -g -w 0", "-D -t 10.0.0.100:81"], "{said}");
    }

    #[test]
    fn what_flags_change_is_said() {
        let text =
            "virtual_server 10.0.0.100 80 {\nprotocol TCP\nreal_server 10.0.0.1 80 {\nTCP_CHECK {\n}\n}\n}\n";
        let said = |options| {
            let (config, _) = parse("f", text.as_bytes(), &mut NoFiles, &Env::default());
            let mut out = Vec::new();
            tell(config, options, Remembered::default(), &Table::default(), &mut out).unwrap();
            String::from_utf8(out).unwrap()
        };
        let plain = said(Options::default());
        assert!(!["hold", "slow", "brake"].iter().any(|word| plain.contains(word)), "{plain}");
        let seconds = Duration::from_secs;
        let all = said(Options {
            hold: Some(Hold { base: seconds(6), most: seconds(60) }),
            slow_start: Some(seconds(30)),
            brake_percent: Some(50),
            ..Options::default()
        });
        for words in [
            "# hold-down: 6s after the second death, twice as long each time, at most 60s\n",
            "has its whole weight after 30s\n",
            "at most 50 % of",
            "held down for 6s or more from its second death on\n",
        ] {
            assert!(all.contains(words), "{all}");
        }
    }
}
