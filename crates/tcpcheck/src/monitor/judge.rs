//! From the outcome of a try to the state of the real servers that it speaks for.

use lvs_core::addr::Endpoint;
use lvs_core::time::Time;

use super::{Monitor, Watched};
use crate::change::What;
use crate::checker::Verdict;
use crate::outcome::{Outcome, Reason};
use crate::roster::User;

/// The largest weight that a file may say.
const HEAVIEST: i64 = 65_535;

impl Watched {
    /// Why it is down, if it is.
    fn dead(&self) -> Option<Reason> {
        match &self.last {
            _ if self.checker.is_up() => None,
            Some(Outcome::Fail(why)) => Some(why.clone()),
            _ => Some(Reason::Unknown),
        }
    }
}

impl Monitor {
    /// Learns the outcome of a try; returns when the next one is due, none if nobody wants it any more.
    pub fn observe(&mut self, check: u32, outcome: Outcome, now: Time) -> Option<Time> {
        let watched = self.checks.get_mut(check as usize)?.as_mut()?;
        let verdict = watched.checker.observe(&outcome, now);
        let due = watched.checker.due();
        let mut news = matches!(verdict, Some(Verdict::Up | Verdict::Down));
        match &outcome {
            Outcome::Pass { weight, latency } => {
                self.latencies.add(*latency);
                watched.tries[0] += 1;
                news |= *weight != watched.weight;
                watched.weight = *weight;
            }
            Outcome::Fail(_) => watched.tries[1] += 1,
            Outcome::Unknown(_) => {}
        }
        let held = match verdict {
            Some(Verdict::Held(rest)) => Some((watched.users.clone(), rest)),
            _ => None,
        };
        watched.last = Some(outcome);
        let rests = watched.users.iter().all(|u| self.resting.contains(&u.vs));
        if news {
            for user in watched.users.clone().iter() {
                self.judge(*user, now);
            }
        }
        if let Some((users, rest)) = held {
            users.iter().for_each(|user| self.tell(user.vs, What::Held(*user, self.endpoint(*user), rest)));
        }
        (!rests).then_some(due)
    }

    pub(super) fn endpoint(&self, user: User) -> Endpoint {
        *self.config.virtual_servers[user.vs as usize].real_servers[user.rs as usize].endpoint
    }

    /// The weight that dynamic checks ask for, none if there are none: each moves the written one by its difference from
    /// what it asks for, as with keepalived.
    pub(super) fn weight(&self, user: User) -> Option<u32> {
        let server = &self.config.virtual_servers[user.vs as usize].real_servers[user.rs as usize];
        let written = i64::from(*server.weight);
        let moves = self.checks_of(user).filter_map(|c| c.weight).map(|asked| i64::from(asked) - written);
        let moved = moves.reduce(|all, one| all + one)? + written;
        u32::try_from(moved.clamp(0, HEAVIEST)).ok()
    }

    /// Derives a real server's state from its checks.
    fn judge(&mut self, user: User, now: Time) {
        let (v, r) = (user.vs as usize, user.rs as usize);
        let up = self.checks_of(user).all(|c| c.checker.is_up());
        let weight = self.weight(user);
        let h = &mut self.health.services[v].servers[r];
        let was = std::mem::replace(&mut h.up, up);
        h.weight = weight;
        self.dirty.insert(user.vs);
        let unproven = std::mem::take(&mut self.servers[v][r].unproven);
        if was != up || unproven {
            self.turn(user, now);
        }
    }

    /// A real server has become what its health says: it begins slowly, is remembered, and told.
    pub(super) fn turn(&mut self, user: User, now: Time) {
        let (v, r) = (user.vs as usize, user.rs as usize);
        let up = self.health.services[v].servers[r].up;
        let dead = self.checks_of(user).find_map(Watched::dead);
        let endpoint = self.endpoint(user);
        if let Some(whole) = self.options.slow_start {
            self.health.services[v].servers[r].share = self.ramps.turn(user, up, now, whole);
        }
        let server = &mut self.servers[v][r];
        server.changed = now;
        let what = match dead {
            Some(why) if !up => {
                server.died = Some(Box::new((now, why.clone())));
                What::Down(user, endpoint, why)
            }
            _ => What::Up(user, endpoint),
        };
        self.tell(user.vs, what);
    }
}
