//! What a try found out, and who is told what follows from it.

use lvs_core::conf::check::many;
use lvs_core::desired::Health;
use lvs_core::gate::Gate;
use lvs_core::sys::outbox::Refused;
use lvs_core::time::Time;

use super::Driver;
use crate::change::Change;
use crate::engine::Finished;
use crate::mail::letter;
use crate::outcome::{Outcome, Reason};

impl Driver {
    pub(super) fn learn(&mut self, ended: Finished) {
        match &ended.outcome {
            Outcome::Fail(why) => self.tell_failure(ended.check, why),
            Outcome::Unknown(why) => {
                if let Some(line) = unmade(&mut self.unmade, why, ended.at) {
                    log::warn!("{line}");
                }
            }
            Outcome::Pass { .. } => {}
        }
        if let Some(due) = self.monitor.observe(ended.check, ended.outcome, ended.at) {
            self.engine.schedule(ended.check, due);
        }
    }

    /// Says that a try failed, where the file asks for that; that a dead server goes on failing is no news.
    fn tell_failure(&self, check: u32, why: &Reason) {
        let loud = self.monitor.check(check).filter(|c| c.identity.loud && c.checker.is_up());
        if let Some(check) = loud {
            let (whom, task) = (self.monitor.whom(check), &check.identity.task);
            log::info!("{whom}: {task} failed: {why}");
        }
    }

    /// When what has changed is to reach the table.
    pub(super) fn settle_due(&self) -> Option<Time> {
        self.pace.due(self.monitor.has_news())
    }

    /// Makes what follows from the monitor's state, the table first, then tells it.
    pub(super) fn flush(&mut self, now: Time) {
        self.pace.wrote(now);
        let settled = self.monitor.settle();
        if let Some((want, gone)) = &settled {
            if let Some(kernel) = &mut self.kernel {
                kernel.keep(want, gone, now);
            }
        }
        if let Some(told) = &mut self.told {
            let (want, gone) = settled.unwrap_or_default();
            told.table(&want, &gone, || self.monitor.table());
        }
        let changes = self.monitor.take_changes();
        changes.iter().for_each(|change| self.tell(change, now));
        if !changes.is_empty() {
            self.tell_systemd();
        }
    }

    fn tell(&mut self, change: &Change, now: Time) {
        if self.kernel.is_some() {
            log::info!("{change}");
        }
        self.tell_others(change, now);
    }

    /// Tells a change to whoever does not read the log.
    pub(super) fn tell_others(&mut self, change: &Change, now: Time) {
        if let Some(told) = &self.told {
            match told.change(change) {
                Ok(()) if self.lost_lines > 0 => {
                    log::warn!("{} event lines were lost: their reader is too slow", self.lost_lines);
                    self.lost_lines = 0;
                }
                Err(Refused::Full) => self.lost_lines += 1,
                _ => {}
            }
        }
        // Who only looks on beside the director must run none of its programs.
        if self.kernel.is_some() {
            self.spread(change, now);
        }
    }

    /// Tells the programs, pipes and mailboxes of the file.
    fn spread(&mut self, change: &Change, now: Time) {
        self.fifos.tell(self.monitor.config(), change);
        self.notifier.tell(self.monitor.config(), change, now);
        if let Some(letter) = letter(self.monitor.config(), self.monitor.health(), change) {
            self.post.send(letter);
        }
    }

    /// Opens the ways to pipes and mailboxes; none where no table is kept.
    pub(super) fn open_ways(&mut self) {
        if self.kernel.is_some() {
            self.post.configure(&self.monitor.config().global);
            self.fifos.configure(self.monitor.config());
        }
    }

    /// What `systemctl status` shows; counted only where somebody reads it.
    pub(super) fn tell_systemd(&mut self) {
        let health = self.monitor.health();
        self.systemd.status(|| summary(health));
    }
}

/// What is said of a check that could not be made: a shortage meets thousands of them at once.
fn unmade(gate: &mut Gate, why: &Reason, now: Time) -> Option<String> {
    let more = match gate.pass(now)? {
        0 => String::new(),
        held => format!(" (and {} since it was last said)", many(held as usize, "other check")),
    };
    Some(format!("a check could not be made, nothing is concluded from it: {why}{more}"))
}

fn summary(health: &Health) -> String {
    let servers = health.services.iter().flat_map(|s| &s.servers);
    let (all, up) = servers.fold((0, 0), |(all, up), s| (all + 1, up + usize::from(s.up)));
    let lost = health.services.iter().filter(|s| !s.quorum).count();
    let lost = if lost == 0 { String::new() } else { format!(", {lost} without quorum") };
    format!(
        "{up} of {} up, {}{lost}",
        many(all, "real server"),
        many(health.services.len(), "virtual server")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_shortage_one_line_a_minute_says_how_many_checks_it_met() {
        let mut gate = Gate::default();
        let why = Reason::Errno(24);
        let said: Vec<_> =
            (0..121).filter_map(|n| unmade(&mut gate, &why, Time::from_nanos(n * 500_000_000))).collect();
        assert_eq!(said.len(), 2, "{said:?}");
        assert!(
            said[0].ends_with("nothing is concluded from it: Too many open files (os error 24)"),
            "{said:?}"
        );
        assert!(said[1].ends_with("(and 119 other checks since it was last said)"), "{said:?}");
    }
}
