//! What the log says, and how often.

use std::io;

use lvs_core::time::Time;

use crate::door::{Reject, Way};
use crate::instance::Instance;
use crate::packet::{Addresses, Packet};
use crate::stats::Transition;
use crate::words::{Cause, Note, State};

/// A change of state with its reason.
pub(crate) fn entered(instance: &Instance, transition: &Transition) {
    let (name, why) = (&instance.spec.name, transition.why());
    let priority = instance.router.tracked().priority;
    match (transition.to, &transition.cause) {
        (State::Master, _) => log::info!("{name}: {why}: becoming master with priority {priority}"),
        (State::Fault, Cause::Failed { .. }) => {
            let group = transition.group.as_ref().map(|g| format!(" ({g})")).unwrap_or_default();
            log::warn!("{name}: {}{group}: taking no part in the election", instance.failures());
        }
        (State::Leaving, _) => {
            log::info!("{name}: {why}: priority 0 sent, the addresses stay until a successor is heard");
        }
        (State::Backup, _) => log::info!("{name}: {why}: backup with priority {priority}"),
        (State::Released, _) => log::info!("{name}: {why}: released"),
        (State::Stopped, _) => log::info!("{name}: {why}: stopped"),
        (State::Init | State::Fault, _) => log::info!("{name}: {why}"),
    }
}

/// Something worth knowing without a change of state.
pub(crate) fn note(instance: &mut Instance, note: &Note, now: Time) {
    let name = &instance.spec.name;
    match note {
        Note::Tolerated { .. } => log::info!("{name}: {note}"),
        Note::Overslept { .. } => log::warn!("{name}: {note}"),
        // Where it does not hear us, it says so for ever.
        Note::LowerMaster { .. } => {
            if let Some(held) = instance.stats.outdid(now) {
                log::warn!("{name}: {note}{}", more(held));
            }
        }
    }
}

/// A packet that did not count.
pub(crate) fn refused(instance: &mut Instance, why: Reject, way: Way, now: Time) {
    if let Some(held) = instance.stats.refused(why, now) {
        let (name, more) = (&instance.spec.name, more(held));
        log::warn!("{name}: advertisement from {} rejected: {why}{more}", way.src);
    }
}

/// A packet with other addresses than ours, and which.
pub(crate) fn other_vips(instance: &mut Instance, packet: &Packet<Addresses<'_>>, way: Way, now: Time) {
    let Some(held) = instance.stats.listed_others(now) else { return };
    let spec = &instance.spec;
    let theirs: Vec<_> = packet.vips.iter().collect();
    let list = |them: Vec<String>| if them.is_empty() { "none".to_owned() } else { them.join(" ") };
    let only_theirs =
        list(theirs.iter().filter(|v| !spec.door.vips.contains(v)).map(ToString::to_string).collect());
    let only_ours =
        list(spec.door.vips.iter().filter(|v| !theirs.contains(v)).map(ToString::to_string).collect());
    log::warn!(
        "{}: {} advertises other addresses: only there {only_theirs}; only here {only_ours}{}",
        spec.name,
        way.src,
        more(held)
    );
}

/// The master sums up its advertisements in another way than the last one did.
pub(crate) fn other_sum(instance: &Instance, way: Way) {
    let (name, src) = (&instance.spec.name, way.src);
    let how = if instance.old_sum { "as keepalived did before 1.3.7" } else { "as the standard has it" };
    let ours = if instance.spec.old_sum { "" } else { ", and so does this router now" };
    log::info!("{name}: {src} computes the checksum of its advertisements {how}{ours}");
}

/// What was put back, each with what had become of it.
pub(crate) fn restored(instance: &mut Instance, what: &[String], now: Time) {
    let Some(mut held) = instance.stats.put_back(what.len(), now) else { return };
    for what in what {
        log::warn!("{}: {what}: put back{}", instance.spec.name, more(std::mem::take(&mut held)));
    }
}

/// An advertisement that has left, or has not.
pub(crate) fn advertised(instance: &mut Instance, priority: u8, result: &io::Result<()>, now: Time) {
    match result {
        Ok(()) => instance.stats.sent += 1,
        // A goodbye over a link that is down: its fault is told.
        Err(_) if priority == 0 => instance.stats.send_errors += 1,
        Err(e) => {
            if let Some(held) = instance.stats.not_sent(now) {
                let (name, link) = (&instance.spec.name, &instance.spec.interface);
                log::warn!("{name}: cannot send an advertisement on {link}: {e}{}", more(held));
            }
        }
    }
}

/// One line about an instance.
pub(crate) fn summary(instance: &Instance) {
    let (s, stats) = (&instance.spec, &instance.stats);
    let refused: u64 = stats.rejected.iter().sum();
    log::info!(
        "{}: {} with priority {} on {}: sent {}, received {}, rejected {refused}",
        s.name,
        instance.router.state(),
        instance.router.tracked().priority,
        s.interface,
        stats.sent,
        stats.received
    );
}

fn more(held: u64) -> String {
    if held == 0 { String::new() } else { format!(" ({held} more like this since the last such line)") }
}
