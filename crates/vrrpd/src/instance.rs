//! One virtual router with its place on the host.

use std::net::IpAddr;

use lvs_core::addr::Family;
use lvs_core::sys::rtnl::Link;
use lvs_core::time::Time;

use crate::host::Host;
use crate::iproute::Line;
use crate::lost::Search;
use crate::router::Router;
use crate::spec::{Spec, Vip};
use crate::stats::Stats;
use crate::track::{Kind, Ledger, Standing};
use crate::unset::Unset;

/// A virtual router and where it lives.
pub struct Instance {
    /// What was configured.
    pub spec: Spec,
    /// Its state machine.
    pub router: Router,
    /// What it tracks, and what that comes to.
    pub ledger: Ledger,
    /// The index of its interface, while there is one.
    pub link: Option<u32>,
    /// The index of the interface on which it hears: its own, or its VMAC.
    pub ear: Option<u32>,
    /// The source address of its advertisements, while there is one.
    pub source: Option<IpAddr>,
    /// The last advertisement that counted was summed up as older routers do.
    pub old_sum: bool,
    /// Identification of the last IPv4 header; the original counts up too.
    pub ip_id: u16,
    /// What it has seen and done.
    pub stats: Stats,
    /// Why its VMACs are not as they must be.
    pub vmac_trouble: Option<String>,
    /// Addresses that it could not set.
    pub unset: Unset<Vip>,
    /// Routes and rules that it could not set.
    pub unset_lines: Unset<Line>,
    /// When its routes and rules are looked for.
    pub search: Search,
    /// It has been told to begin.
    pub started: bool,
    /// It is no longer in the configuration and ends once it has handed over.
    pub retired: bool,
    /// Addresses that are the host's own (priority 255): they are never removed.
    pub owned: Vec<IpAddr>,
}

impl Instance {
    /// An instance that has not started.
    pub fn new(spec: Spec) -> Self {
        Self {
            router: Router::new(spec.params.clone()),
            ledger: ledger(&spec),
            link: None,
            ear: None,
            source: None,
            old_sum: false,
            ip_id: 0,
            stats: Stats::default(),
            vmac_trouble: None,
            unset: Unset::default(),
            unset_lines: Unset::default(),
            search: Search::default(),
            started: false,
            retired: false,
            owned: Vec::new(),
            spec,
        }
    }

    /// When it wants to be called again.
    pub fn deadline(&self) -> Option<Time> {
        let edges = [self.unset.deadline(), self.unset_lines.deadline(), self.search.deadline()];
        edges.into_iter().chain([self.router.deadline()]).flatten().min()
    }

    /// Opens a new account after a reload; how things stand is carried over, faults too: until they are looked at again
    /// they are what they were, and nobody takes part in an election for so long.
    pub fn account(&mut self) {
        let old = std::mem::replace(&mut self.ledger, ledger(&self.spec));
        for entry in old.entries() {
            self.ledger.set(entry.kind, &entry.name, entry.standing());
        }
        for kind in old.failed() {
            // Without a group there is nobody who would take its fault away.
            self.ledger.fail(kind, kind != Kind::Group || self.spec.group_name.is_some());
        }
    }

    /// Looks where the interface is and what its state means; true when the link's index has changed.
    pub fn locate(&mut self, host: &Host) -> bool {
        let link = host.link(&self.spec.interface).map(|l| l.index);
        let own = link.and_then(|l| host.primary(l, self.spec.family, |a| self.spec.has_vip(a)));
        // An owner has no address but the VIP (RFC 9568 6.4.1).
        let only = || link.and_then(|l| host.primary(l, self.spec.family, |_| false));
        self.source = self.spec.source.or(own).or_else(only);
        std::mem::replace(&mut self.link, link) != link
    }

    /// Enters the state of the host into the account.
    pub fn look(&mut self, host: &Host) {
        let link = host.link(&self.spec.interface);
        let dead = link.is_none_or(|l| self.spec.track_primary && !l.usable());
        self.ledger.fail(Kind::Link, dead);
        let missing = |s| link.is_some_and(|l| !host.has(l.index, s));
        let lost = self.spec.track_source && self.spec.source.is_some_and(missing);
        self.ledger.fail(Kind::Source, !dead && (self.source.is_none() || lost));
        self.ledger.fail(Kind::Peer, self.spec.fault_no_peer && self.spec.door.peers.is_empty());
        let tracked = [&self.spec.track, &self.spec.group_track];
        let tracked = tracked.iter().flat_map(|t| &t.interfaces).map(|i| &i.name.value);
        for name in tracked.chain(&self.spec.devs) {
            let up = host.link(name).is_some_and(Link::usable);
            self.ledger.set(Kind::Interface, name, if up { Standing::Up } else { Standing::Down });
        }
    }

    /// Why it takes no part in the election, in words.
    pub fn failures(&self) -> String {
        let mut words = self.ledger.failures();
        if let Some(why) = self.no_source() {
            words = words.replacen(Kind::Source.name(), &format!("{}: {why}", Kind::Source.name()), 1);
        }
        match self.link {
            None => format!("there is no interface {} ({words})", self.spec.interface),
            Some(_) => format!("failed on {}: {words}", self.spec.interface),
        }
    }

    /// Why its advertisements have no address to come from, if they have none.
    fn no_source(&self) -> Option<String> {
        self.ledger.failed().find(|k| *k == Kind::Source)?;
        Some(match (self.spec.source, self.spec.family) {
            (Some(source), _) => format!("{source} is not set there"),
            (None, Family::Inet) => "it has no IPv4 address".to_owned(),
            (None, Family::Inet6) => "it has no link-local IPv6 address".to_owned(),
        })
    }

    /// Whether packets of this family on this link may be for it.
    pub fn is_on(&self, link: u32, family: Family) -> bool {
        self.link.is_some() && self.ear == Some(link) && self.spec.family == family
    }
}

/// Which instances an order is for: the one of this name, or all. One that a reload has retired is none of them, even if its
/// name lives on: it goes its way to the end, and nobody could bring it back.
pub fn meant(instances: &[Instance], name: Option<&str>) -> Vec<usize> {
    let meant = |i: &Instance| !i.retired && name.is_none_or(|n| n == i.spec.name);
    instances.iter().enumerate().filter(|(_, i)| meant(i)).map(|(at, _)| at).collect()
}

/// Whether another instance than this one holds an address: then it is not this one's to remove.
pub fn is_held(instances: &[Instance], at: usize, vip: &Vip) -> bool {
    others(instances, at).any(|i| i.spec.vips.iter().any(|v| v.is_at(vip)))
}

/// Of routes and rules those that no other instance holds.
pub fn unheld(instances: &[Instance], at: usize, mut lines: Vec<Line>) -> Vec<Line> {
    lines.retain(|l| !others(instances, at).any(|i| i.spec.lines.iter().any(|o| o.remove == l.remove)));
    lines
}

fn others(instances: &[Instance], at: usize) -> impl Iterator<Item = &Instance> {
    instances.iter().enumerate().filter(move |(n, i)| *n != at && i.router.holds()).map(|(_, i)| i)
}

fn ledger(spec: &Spec) -> Ledger {
    Ledger::new(spec.params.priority, &spec.track, &spec.group_track, &spec.devs)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::door::Door;
    use crate::packet::{Auth, Version};
    use crate::params::Params;

    fn instance(name: &str, vrid: u8) -> Instance {
        let interval = std::time::Duration::from_secs(1);
        let (auth, vips, peers) = (Auth::None, Vec::new(), Vec::new());
        let door =
            Door { version: Version::V3, interval, auth, vips, peers, check_source: false, old_sum: None };
        let group = [224, 0, 0, 18].into();
        Instance::new(Spec::new(name, "ens192", vrid, group, Params::default(), door, Vec::new()))
    }

    #[test]
    fn a_reload_forgets_no_fault_but_that_of_a_group_that_it_has_left() {
        let mut member = instance("A", 51);
        member.spec.group_name = Some("G".to_owned());
        for kind in [Kind::Link, Kind::Group] {
            member.ledger.fail(kind, true);
        }
        member.account();
        assert_eq!(member.ledger.failures(), "link, group");
        member.spec.group_name = None;
        member.account();
        assert_eq!(member.ledger.failures(), "link");
    }

    #[test]
    fn what_is_missing_for_a_source_is_said() {
        let mut instance = instance("A", 51);
        instance.link = Some(2);
        instance.ledger.fail(Kind::Source, true);
        assert_eq!(instance.failures(), "failed on ens192: source: it has no IPv4 address");
        instance.spec.source = Some([192, 168, 15, 7].into());
        assert_eq!(instance.failures(), "failed on ens192: source: 192.168.15.7 is not set there");
    }

    #[test]
    fn an_order_is_for_what_the_file_has_now() {
        let mut all = [instance("A", 51), instance("B", 52), instance("A", 53)];
        all[0].retired = true;
        assert_eq!(meant(&all, Some("A")), [2]);
        assert_eq!(meant(&all, None), [1, 2]);
        all[1].retired = true;
        assert_eq!(meant(&all, Some("B")), [0; 0]);
    }
}
