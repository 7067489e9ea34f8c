//! The report's parts, of what the daemon knows.

use super::{Counters, Group, Moment, Peer, Router, Thing, Transition};
use crate::door::Reject;
use crate::instance::Instance;
use crate::packet::Version;
use crate::stats::Stats;
use crate::track::{Effect, Entry, Kind, Standing};
use crate::words::State;

pub(super) fn router(i: &Instance, last_result: impl Fn(&str) -> Option<String>, moment: Moment) -> Router {
    let (spec, tracked, since) = (&i.spec, i.router.tracked(), i.router.since());
    let faulty = |k: &Kind| tracked.faults & k.bit() != 0;
    Router {
        name: spec.name.clone(),
        state: i.router.state().name().to_owned(),
        since: moment.unix_at(since),
        age: moment.age(since),
        priority: tracked.priority,
        base_priority: spec.params.priority,
        why: i.ledger.to_string(),
        faults: Kind::ALL.iter().filter(|k| faulty(k)).map(|k| k.name().to_owned()).collect(),
        tracked: i.ledger.entries().iter().map(|e| thing(e, &last_result)).collect(),
        interface: spec.interface.clone(),
        vrid: spec.vrid,
        protocol: if spec.params.version == Version::V2 { 2 } else { 3 },
        interval: spec.params.interval.as_secs_f64(),
        source: i.source,
        master: if i.router.state() == State::Master { i.source } else { i.router.master() },
        group: spec.group_name.clone(),
        vips: spec.vips.iter().map(|v| v.prefix.to_string()).collect(),
        unset: i.unset.describe(),
        unset_routes: i.unset_lines.describe(),
        peers: peers(&i.stats, moment),
        counters: counters(&i.stats),
        rejected: Reject::KINDS.iter().map(|k| (*k).to_owned()).zip(i.stats.rejected).collect(),
        transitions: transitions(&i.stats, moment),
    }
}

fn thing(e: &Entry, last_result: impl Fn(&str) -> Option<String>) -> Thing {
    Thing {
        kind: e.kind.name().to_owned(),
        name: e.name.clone(),
        standing: match e.standing() {
            Standing::Unknown | Standing::Presumed => "unknown".to_owned(),
            Standing::Off => "off".to_owned(),
            Standing::Up => "up".to_owned(),
            Standing::Down => "down".to_owned(),
            Standing::Value(n) => n.to_string(),
        },
        effect: match e.effect() {
            Effect::None => "none".to_owned(),
            Effect::Pending => "pending".to_owned(),
            Effect::Fault => "fault".to_owned(),
            Effect::Weight(w) => format!("{w:+}"),
        },
        last_result: if e.kind == Kind::Script { last_result(&e.name) } else { None },
    }
}

fn peers(stats: &Stats, moment: Moment) -> Vec<Peer> {
    let peers = stats.peers.iter();
    peers
        .map(|p| Peer { address: p.addr, priority: p.priority, age: moment.age(p.at), adverts: p.adverts })
        .collect()
}

fn counters(s: &Stats) -> Counters {
    Counters {
        sent: s.sent,
        send_errors: s.send_errors,
        received: s.received,
        received_zero: s.received_zero,
        other_vips: s.other_vips,
        garps: s.garps,
        became_master: s.became_master,
        restored: s.restored,
    }
}

fn transitions(stats: &Stats, moment: Moment) -> Vec<Transition> {
    let history = stats.history.iter();
    history
        .map(|t| Transition {
            at: moment.unix_at(t.at),
            age: moment.age(t.at),
            from: t.from.name().to_owned(),
            to: t.to.name().to_owned(),
            cause: t.why(),
        })
        .collect()
}

pub(super) fn groups(instances: &[Router]) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    for i in instances {
        let Some(name) = &i.group else { continue };
        match groups.iter_mut().find(|g| g.name == *name) {
            Some(group) => {
                if group.state != i.state {
                    "MIXED".clone_into(&mut group.state);
                }
                group.members.push(i.name.clone());
            }
            None => {
                let (name, state) = (name.clone(), i.state.clone());
                groups.push(Group { name, state, members: vec![i.name.clone()] });
            }
        }
    }
    groups
}
