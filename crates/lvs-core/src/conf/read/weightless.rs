//! What the members of a sync group track with a weight while the group has no `sync_group_tracking_weight`: members whose
//! priorities drift apart would pull the group in two directions.
//!
//! Measured with keepalived 2.2.7: such a script does nothing; a file without a weight on its line counts as one of weight
//! 0, so that its number is a fault; with a weight on the line it does nothing. Of interfaces it says that their weight is
//! ignored, and changes the priority all the same, as it does for processes; here they do nothing either.

use super::Cx;
use super::track::OWN;
use crate::conf::model::{Config, Reference, Weight};
use crate::conf::place::At;

/// Takes out what does not count, and says so.
pub(super) fn weightless(cx: &mut Cx<'_>, config: &mut Config) {
    for i in &mut config.instances {
        let member = |m: &At<String>| m.value == i.name.value;
        let Some(group) = config.sync_groups.iter().find(|g| g.members.iter().any(member)) else { continue };
        if *group.tracking_weight {
            continue;
        }
        for file in i.track.files.iter_mut().filter(|f| !f.weight.is_written() && !counts(f)) {
            let consequence = "counts without its weight: a number other than 0 in it is a fault";
            say(cx, &i.name.value, &group.name.value, file, consequence);
            file.weight = At::assumed(Weight { value: 0, ..*file.weight });
        }
        let lists =
            [&mut i.track.interfaces, &mut i.track.scripts, &mut i.track.files, &mut i.track.processes];
        for list in lists {
            list.retain(|r| {
                let counts = counts(r);
                if !counts {
                    say(cx, &i.name.value, &group.name.value, r, "does nothing");
                }
                counts
            });
        }
    }
}

/// Whether it does what it does without a weight; what is left out takes the instance with it.
fn counts(r: &Reference) -> bool {
    r.weight.value.value == 0 || r.weight.value == OWN
}

fn say(cx: &mut Cx<'_>, instance: &str, group: &str, what: &Reference, consequence: &str) {
    let message = format!(
        "{instance} is in vrrp_sync_group {group}, where weights do not count: {} {consequence}",
        what.name.value
    );
    let help = format!("add sync_group_tracking_weight to {group}, or give it weight 0");
    cx.findings.warning("weight-in-group", what.name.place, message).help(help);
}
