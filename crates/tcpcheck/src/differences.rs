//! What another file changes, a sentence each: nothing leaves the table in silence.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};

use lvs_core::addr::Endpoint;
use lvs_core::conf::Config;
use lvs_core::conf::check::many;
use lvs_core::conf::model::{RealServer, ServiceId, VirtualServer};
use lvs_core::desired;
use lvs_core::table::ServiceKey;

use crate::monitor::{Monitor, name};
use crate::roster::{Identity, User, roster};

/// The most lines that are logged of one reload.
const MOST: usize = 20;

/// The lines that are logged of so many, and how many more there are.
pub fn in_short(lines: Vec<String>) -> impl Iterator<Item = String> {
    let more = lines.len().checked_sub(MOST).filter(|n| *n > 0);
    lines.into_iter().take(MOST).chain(more.map(|n| format!("and {}", many(n, "further change"))))
}

/// What changes when this configuration takes the place of the monitor's: first what is removed.
pub fn differences(monitor: &Monitor, new: &Config) -> Vec<String> {
    let hasher = RandomState::new();
    let wanted = roster(new, monitor.options());
    let before = Side::new(
        monitor.config(),
        desired::keys(monitor.config()),
        checks(&hasher, monitor.checks().map(|c| (&c.identity, c.users.iter()))),
    );
    let after = Side::new(
        new,
        desired::keys(new),
        checks(&hasher, wanted.iter().map(|w| (&w.identity, w.users.iter()))),
    );
    let gone = before.services.iter().filter(|(id, _)| !after.places.contains_key(id));
    let mut removed: Vec<_> = gone.map(|(_, v)| before.sentence(*v, "removed")).collect();
    let mut others = Vec::new();
    for (id, v) in &after.services {
        match before.places.get(id) {
            None => others.push(after.sentence(*v, "added")),
            Some(old) => between((&before, *old), (&after, *v), &mut removed, &mut others),
        }
    }
    removed.append(&mut others);
    removed
}

/// A hash of the checks of each real server.
fn checks<'a>(
    hasher: &RandomState,
    all: impl Iterator<Item = (&'a Identity, impl Iterator<Item = &'a User>)>,
) -> HashMap<User, u64> {
    let mut sums: HashMap<User, u64> = HashMap::new();
    for (identity, users) in all {
        let hash = hasher.hash_one(identity);
        for user in users {
            let sum = sums.entry(*user).or_default();
            *sum = sum.wrapping_mul(31).wrapping_add(hash);
        }
    }
    sums
}

/// A configuration with its checks.
struct Side<'a> {
    config: &'a Config,
    keys: Vec<Vec<ServiceKey>>,
    services: Vec<(ServiceId, usize)>,
    places: HashMap<ServiceId, usize>,
    checks: HashMap<User, u64>,
}

impl<'a> Side<'a> {
    fn new(config: &'a Config, keys: Vec<Vec<ServiceKey>>, checks: HashMap<User, u64>) -> Self {
        let each = config.virtual_servers.iter().enumerate();
        let services: Vec<_> = each.map(|(v, vs)| (vs.id(), v)).collect();
        Self { config, keys, places: services.iter().cloned().collect(), services, checks }
    }

    fn vs(&self, v: usize) -> &'a VirtualServer {
        &self.config.virtual_servers[v]
    }

    fn sentence(&self, v: usize, what: &str) -> String {
        let vs = self.vs(v);
        format!("{}: {what}, with {}", name(vs), many(vs.real_servers.len(), "real server"))
    }

    fn servers(&self, v: usize) -> HashMap<Endpoint, (&'a RealServer, Option<u64>)> {
        let each = self.vs(v).real_servers.iter().enumerate();
        let known = |r: usize| self.checks.get(&User { vs: v as u32, rs: r as u32 }).copied();
        each.map(|(r, server)| (*server.endpoint, (server, known(r)))).collect()
    }
}

fn between(
    (before, old): (&Side<'_>, usize),
    (after, new): (&Side<'_>, usize),
    removed: &mut Vec<String>,
    lines: &mut Vec<String>,
) {
    let service = name(after.vs(new));
    if before.keys[old] != after.keys[new] || alone(before.vs(old)) != alone(after.vs(new)) {
        lines.push(format!("{service}: changed"));
    }
    let (was, is) = (before.servers(old), after.servers(new));
    let in_order = |side: &Side<'_>, v: usize| -> Vec<Endpoint> {
        side.vs(v).real_servers.iter().map(|s| *s.endpoint).collect()
    };
    for endpoint in in_order(before, old).into_iter().filter(|e| !is.contains_key(e)) {
        removed.push(format!("{service}: real server {endpoint} removed"));
    }
    for endpoint in in_order(after, new) {
        let (server, checks) = is[&endpoint];
        match was.get(&endpoint) {
            None => lines.push(format!("{service}: real server {endpoint} added")),
            Some((old, before)) => {
                let what = changed(old, server, *before == checks);
                lines.extend(what.map(|what| format!("{service}: real server {endpoint} changed: {what}")));
            }
        }
    }
}

/// A virtual server without its real servers, which are compared one by one.
fn alone(vs: &VirtualServer) -> VirtualServer {
    VirtualServer { real_servers: Vec::new(), ..vs.clone() }
}

fn changed(old: &RealServer, new: &RealServer, same_checks: bool) -> Option<String> {
    let bare = |s: &RealServer| RealServer { checks: Vec::new(), weight: new.weight, ..s.clone() };
    let mut what = Vec::new();
    if *old.weight != *new.weight {
        what.push(format!("weight {} to {}", *old.weight, *new.weight));
    }
    if bare(old) != bare(new) {
        what.push("settings".to_owned());
    }
    if !same_checks {
        what.push("checks".to_owned());
    }
    (!what.is_empty()).then(|| what.join(", "))
}

#[cfg(test)]
mod tests {
    use lvs_core::conf::{Env, NoFiles, parse};
    use lvs_core::table::Table;
    use lvs_core::time::Time;

    use super::*;
    use crate::monitor::Remembered;
    use crate::options::Options;

    fn config(text: &str) -> Config {
        parse("f", text.as_bytes(), &mut NoFiles, &Env::default()).0
    }

    fn server(last: u8, weight: u8, more: &str) -> String {
        let check = format!("TCP_CHECK {{\nconnect_timeout 1\n{more}\n}}");
        format!("real_server 10.0.0.{last} 80 {{\nweight {weight}\n{check}\n}}\n")
    }

    fn service(port: u16, more: &str, servers: &[String]) -> String {
        let servers = servers.concat();
        format!("virtual_server 10.0.0.100 {port} {{\nprotocol TCP\nlb_kind NAT\n{more}\n{servers}}}\n")
    }

    fn between(old: &str, new: &str) -> Vec<String> {
        let (options, remembered) = (Options::default(), Remembered::default());
        let (monitor, _) = Monitor::start(config(old), options, remembered, &Table::default(), 1, Time::ZERO);
        differences(&monitor, &config(new))
    }

    #[test]
    fn all_that_a_reload_changes_is_said_and_nothing_else() {
        let old = [
            service(80, "", &[server(1, 1, ""), server(2, 1, ""), server(3, 1, ""), server(4, 1, "")]),
            service(81, "", &[server(1, 1, "")]),
            service(82, "", &[server(1, 1, "")]),
        ]
        .concat();
        assert_eq!(between(&old, &old), [""; 0]);
        assert_eq!(between(&old, &old.replace('\n', "\n\n")), [""; 0], "places are no change");
        let new = [
            service(83, "", &[server(1, 1, "")]),
            service(82, "lb_algo wrr", &[server(1, 1, "")]),
            service(
                80,
                "",
                &[server(2, 1, ""), server(3, 5, "retry 2"), server(4, 1, "retry 2"), server(5, 1, "")],
            ),
        ]
        .concat();
        assert_eq!(
            between(&old, &new),
            [
                "10.0.0.100:81: removed, with 1 real server",
                "10.0.0.100:80: real server 10.0.0.1:80 removed",
                "10.0.0.100:83: added, with 1 real server",
                "10.0.0.100:82: changed",
                "10.0.0.100:80: real server 10.0.0.3:80 changed: weight 1 to 5, checks",
                "10.0.0.100:80: real server 10.0.0.4:80 changed: checks",
                "10.0.0.100:80: real server 10.0.0.5:80 added",
            ]
        );
    }

    #[test]
    fn many_changes_are_counted() {
        let all: String = (1..=30).map(|n| service(n, "", &[server(1, 1, "")])).collect();
        let said: Vec<_> = in_short(between(&all, "global_defs {\n}\n")).collect();
        assert_eq!((said.len(), said[20].as_str()), (21, "and 10 further changes"));
        assert_eq!(in_short(vec![String::new(); 20]).count(), 20);
    }
}
