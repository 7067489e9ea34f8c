//! A [`Report`] as people read it.

use std::fmt::{self, Write};

use super::{Report, Router};

/// Transitions shown of each router.
const SHOWN: usize = 5;

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, router) in self.instances.iter().enumerate() {
            if n > 0 {
                writeln!(f)?;
            }
            router.fmt(f)?;
        }
        for g in &self.groups {
            writeln!(f, "\nsync group {}: {} ({})", g.name, g.state, g.members.join(", "))?;
        }
        Ok(())
    }
}

impl fmt::Display for Router {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}: {} for {}", self.name, self.state, age(self.age))?;
        writeln!(
            f,
            "  VRID {} on {}, version {}, every {} s",
            self.vrid, self.interface, self.protocol, self.interval
        )?;
        writeln!(f, "  priority   {}", self.why)?;
        writeln!(f, "  addresses  {}", self.vips.join(" "))?;
        for unset in self.unset.iter().chain(&self.unset_routes) {
            writeln!(f, "  not set    {unset}")?;
        }
        if let Some(master) = self.master.filter(|_| self.state == "BACKUP") {
            writeln!(f, "  master     {master}")?;
        }
        self.write_tracked(f)?;
        for p in &self.peers {
            let (priority, adverts) = (p.priority, p.adverts);
            writeln!(
                f,
                "  peer       {}, priority {priority}, heard {} ago, {adverts} times",
                p.address,
                age(p.age)
            )?;
        }
        writeln!(f, "  packets    {}", self.packets())?;
        for t in self.transitions.iter().rev().take(SHOWN) {
            writeln!(f, "  {:>8} ago  {} -> {}: {}", age(t.age), t.from, t.to, t.cause)?;
        }
        Ok(())
    }
}

impl Router {
    fn write_tracked(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for t in &self.tracked {
            let effect = if t.effect == "none" { String::new() } else { format!(": {}", t.effect) };
            let last = t.last_result.as_ref().map(|r| format!(" (last run: {r})")).unwrap_or_default();
            writeln!(f, "  tracks     {} {} is {}{effect}{last}", t.kind, t.name, t.standing)?;
        }
        Ok(())
    }

    fn packets(&self) -> String {
        let c = &self.counters;
        let mut text = format!("sent {}, received {}", c.sent, c.received);
        let rejected: Vec<String> =
            self.rejected.iter().filter(|(_, n)| **n > 0).map(|(why, n)| format!("{why} {n}")).collect();
        // Writing to a string does not fail.
        if !rejected.is_empty() {
            let _ = write!(text, ", rejected: {}", rejected.join(", "));
        }
        if c.send_errors > 0 {
            let _ = write!(text, ", not sent {}", c.send_errors);
        }
        if c.restored > 0 {
            let _ = write!(text, ", put back {}", c.restored);
        }
        text
    }
}

/// The two largest units of a duration: `3d 4h`, `12m 5s`, `0.41s`.
pub fn age(seconds: f64) -> String {
    if seconds < 10.0 {
        return format!("{seconds:.2}s");
    }
    // An age is positive and far below the limit.
    let s = seconds as u64;
    match (s / 86_400, s / 3600 % 24, s / 60 % 60, s % 60) {
        (0, 0, 0, s) => format!("{s}s"),
        (0, 0, m, s) => format!("{m}m {s}s"),
        (0, h, m, _) => format!("{h}h {m}m"),
        (d, h, ..) => format!("{d}d {h}h"),
    }
}
