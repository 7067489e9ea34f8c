//! How a monitor takes another configuration without forgetting what it knows.

use std::collections::HashMap;
use std::sync::Arc;

use lvs_core::conf::Config;
use lvs_core::desired;
use lvs_core::time::Time;

use super::load::{Known, forget_checks};
use super::places::Places;
use super::{Monitor, Order, Watched, name};
use crate::change::{Change, What};
use crate::roster::{User, Wanted, roster, servers};

impl Monitor {
    /// Takes another configuration. Servers and checks that are in both keep their state; what is known of a server that
    /// is new in its service, because another service shares its check, is told.
    pub fn reload(&mut self, mut config: Config, seed: u64, now: Time) -> Vec<Order> {
        let keys = desired::keys(&config);
        // Who rests is decided anew, for the numbers of virtual servers change.
        self.resting.clear();
        let old = Places::new(&self.config, &self.keys);
        let (old_health, old_servers) = (std::mem::take(&mut self.health), std::mem::take(&mut self.servers));
        let places: Vec<_> =
            config.virtual_servers.iter().zip(&keys).map(|(vs, k)| old.service(vs, k)).collect();
        let quorum = |v: usize| places[v].is_some_and(|o| old_health.services[o].quorum);
        let users = servers(&config).map(|(u, _, s)| (u, *s.endpoint));
        let before: HashMap<User, User> =
            users.filter_map(|(u, e)| Some((u, old.user(places[u.vs as usize], e)?))).collect();
        let up = |o: User| old_health.services[o.vs as usize].servers[o.rs as usize].up;
        let known = |u: User| before.get(&u).map(|o| up(*o));

        let mut orders = Vec::new();
        let wanted = roster(&config, &self.options);
        forget_checks(&mut config);
        let checks = self.inherit(wanted, &known, seed, now, &mut orders);
        self.gone.extend(self.keys.iter().flatten());
        // Only a file without errors is taken here.
        self.gone.append(&mut self.kept);
        self.take(config, keys, &quorum, now);
        self.checks.reserve_exact(checks.len());
        orders.extend(checks.into_iter().map(|w| self.enlist(w)));
        self.assess();

        for (u, o) in &before {
            let old = &old_servers[o.vs as usize][o.rs as usize];
            let new = &mut self.servers[u.vs as usize][u.rs as usize];
            (new.changed, new.serves) = (old.changed, old.serves);
            new.died.clone_from(&old.died);
            let old = &old_health.services[o.vs as usize].servers[o.rs as usize];
            let new = &mut self.health.services[u.vs as usize].servers[u.rs as usize];
            // The brake tells what is other than before.
            (new.share, new.kept) = (old.share, old.kept);
        }
        let moved: HashMap<User, User> = before.iter().map(|(u, o)| (*o, *u)).collect();
        self.ramps.translate(|o| moved.get(&o).copied());
        self.tell_news(&known, now);
        orders
    }

    /// Tells of servers that are other than they were known to be, or that begin dead.
    fn tell_news(&mut self, known: Known<'_>, now: Time) {
        let all: Vec<_> = servers(&self.config).map(|(u, vs, s)| (u, desired::starts_down(vs, s))).collect();
        for (user, alpha) in all {
            let (v, r) = (user.vs as usize, user.rs as usize);
            // Who begins alive is no news, unless his file has him begin dead.
            let was = known(user).unwrap_or(!alpha);
            if was != self.health.services[v].servers[r].up && !self.servers[v][r].unproven {
                self.turn(user, now);
            }
        }
    }

    /// What serves and is not in another configuration: keepalived tells that as it tells a death. To be told by the
    /// configuration that is still in force.
    pub fn farewell(&self, new: &Config) -> Vec<Change> {
        let keys = desired::keys(new);
        let next = Places::new(new, &keys);
        let mut leaving = Vec::new();
        for (v, vs) in self.config.virtual_servers.iter().enumerate() {
            let place = next.service(vs, &self.keys[v]);
            let health = &self.health.services[v];
            let change = |what| Change { vs: v as u32, service: name(vs), what };
            for (r, server) in vs.real_servers.iter().enumerate() {
                let stays = next.user(place, *server.endpoint).is_some();
                if !stays && health.servers[r].up && !self.servers[v][r].unproven {
                    let user = User { vs: v as u32, rs: r as u32 };
                    leaving.push(change(What::Left(user, *server.endpoint)));
                }
            }
            if place.is_none() && health.quorum {
                leaving.push(change(What::QuorumLeft));
            }
        }
        leaving
    }

    /// Finds for each wanted check the old one: the same in all, else the same try at other times. Checks that
    /// nobody wants any more end.
    fn inherit(
        &mut self,
        wanted: Vec<Wanted>,
        known: Known<'_>,
        seed: u64,
        now: Time,
        orders: &mut Vec<Order>,
    ) -> Vec<Watched> {
        let old: Vec<_> = std::mem::take(&mut self.checks).into_iter().enumerate().collect();
        let mut same = HashMap::new();
        let mut alike: HashMap<_, Vec<Watched>> = HashMap::new();
        let still: std::collections::HashSet<_> = wanted.iter().map(|w| &w.identity).collect();
        for (number, watched) in old {
            let Some(watched) = watched else { continue };
            orders.push(Order::End(number as u32));
            if still.contains(&watched.identity) {
                same.insert(watched.identity.clone(), watched);
            } else {
                alike.entry(watched.identity.task.clone()).or_default().push(watched);
            }
        }
        let mut all = Vec::with_capacity(wanted.len());
        for Wanted { identity, users } in wanted {
            let other = || alike.get_mut(&identity.task).and_then(Vec::pop);
            match same.remove(&identity).or_else(other) {
                Some(mut watched) => {
                    if watched.identity.schedule != identity.schedule {
                        watched.checker.reschedule(Arc::clone(&identity.schedule), now);
                    }
                    all.push(Watched { identity, users, ..watched });
                }
                None => all.push(self.fresh(Wanted { identity, users }, known, seed, now)),
            }
        }
        all
    }
}
