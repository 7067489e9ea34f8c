//! What instances and groups track: by name, with the weight of the line, else that of the thing's own block.

use std::collections::{HashMap, HashSet};

use super::super::leave::{FILE, PROCESS, SCRIPT, left};
use super::super::track::OWN;
use super::{At, Cx, Place};
use crate::conf::model::{Config, Reference, Tracking, Weight};

/// Fills in every tracking line, and drops those of unknown things.
pub(super) fn resolve(cx: &mut Cx<'_>, config: &mut Config) {
    let known = Names::of(config);
    for i in &mut config.instances {
        let own = i.interface.as_ref().map(|i| i.value.clone());
        tracking(cx, &i.name.value, &mut i.track, &known, own.as_deref());
    }
    for g in &mut config.sync_groups {
        tracking(cx, &g.name.value, &mut g.track, &known, None);
    }
}

/// What can be tracked, with its own weight.
struct Names {
    scripts: Things,
    files: Things,
    processes: Things,
}

/// Weight and place of things by name, and the names of those that are left out.
struct Things {
    sound: HashMap<String, (Weight, Place)>,
    lost: HashSet<String>,
}

impl Names {
    fn of(config: &Config) -> Self {
        let with = |block, sound| {
            let lost = left(config, block).map(|l| l.name.clone()).collect();
            Things { sound, lost }
        };
        let scripts = config.scripts.iter().map(|s| (s.name.value.clone(), (s.weight.value, s.name.place)));
        let files = config.track_files.iter().map(|f| (f.name.value.clone(), (f.weight.value, f.name.place)));
        let processes = config.track_processes.iter();
        let processes = processes.map(|p| (p.name.value.clone(), (p.weight.value, p.name.place)));
        Self {
            scripts: with(SCRIPT, scripts.collect()),
            files: with(FILE, files.collect()),
            processes: with(PROCESS, processes.collect()),
        }
    }
}

fn tracking(cx: &mut Cx<'_>, owner: &str, track: &mut Tracking, known: &Names, own: Option<&str>) {
    for r in &mut track.interfaces {
        if r.weight.value == OWN {
            r.weight.value = Weight::default();
        }
    }
    track.interfaces.retain(|r| {
        if own != Some(r.name.as_str()) {
            return true;
        }
        let message =
            format!("{owner} watches its own interface {} anyway; the line has no effect", r.name.value);
        cx.findings.warning("own-interface", r.name.place, message).help("remove the line");
        false
    });
    references(cx, owner, SCRIPT, &mut track.scripts, &known.scripts);
    references(cx, owner, FILE, &mut track.files, &known.files);
    references(cx, owner, PROCESS, &mut track.processes, &known.processes);
}

fn references(cx: &mut Cx<'_>, owner: &str, what: &str, list: &mut Vec<Reference>, known: &Things) {
    list.retain_mut(|r| {
        if known.lost.contains(&r.name.value) {
            let message = format!("{owner} tracks {}, which is left out", r.name.value);
            cx.findings.warning("unknown-name", r.name.place, message).help("mend the errors of that block");
            // Who tracks it is left out as well.
            return true;
        }
        let Some((weight, place)) = known.sound.get(&r.name.value) else {
            let message = format!(
                "{owner} tracks {}, but there is no sound {what} of this name; the line is skipped",
                r.name.value
            );
            let near = crate::text::nearest(&r.name, known.sound.keys().map(String::as_str));
            let help = near
                .map_or(format!("add {what} {} {{ ... }}", r.name.value), |n| format!("did you mean '{n}'?"));
            cx.findings.warning("unknown-name", r.name.place, message).help(help);
            return false;
        };
        if r.weight.value == OWN {
            r.weight = At::assumed(*weight);
        }
        if place.file == r.name.place.file && place.line > r.name.place.line {
            let message = format!(
                "{} is defined below: keepalived does not find it here and does not track it; vrrpd does",
                r.name.value
            );
            cx.findings
                .warning("defined-later", r.name.place, message)
                .help(format!("move the {what} above {owner}"))
                .see("defined here", *place);
        }
        true
    });
}
