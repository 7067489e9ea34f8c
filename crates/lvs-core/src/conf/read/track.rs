//! What instances and groups track and notify; `vrrp_sync_group`.

use super::script::{block, on};
use super::statics::names;
use super::{At, Cx, name};
use crate::conf::model::{Notify, Reference, SyncGroup, Tracking, Weight};
use crate::conf::tree::Stmt;

/// Stands for "the thing's own weight" until the things are known.
pub(super) const OWN: Weight = Weight { value: i32::MAX, reverse: false };

/// `vrrp_sync_group NAME { }`.
pub(super) fn sync_group(cx: &mut Cx<'_>, stmt: Stmt<'_>) -> Option<SyncGroup> {
    let keywords = block("vrrp_sync_group");
    let mut out = SyncGroup {
        name: name(stmt),
        members: Vec::new(),
        track: Tracking::default(),
        notify: Notify {
            priority_changes: At::assumed(cx.global.notify_priority_changes.value),
            ..Notify::default()
        },
        tracking_weight: At::default(),
    };
    for s in cx.statements(stmt, keywords) {
        match s.key {
            "group" => out.members.extend(names(s.stmt)),
            "sync_group_tracking_weight" => out.tracking_weight = on(s.stmt),
            key if cx.tracking(key, s.stmt, &mut out.track) || cx.notify(key, s.stmt, &mut out.notify) => {}
            other => cx.untyped(other, keywords, s.stmt),
        }
    }
    Some(out)
}

impl Cx<'_> {
    /// A `track_*` block; false if the keyword is none.
    pub(super) fn tracking(&mut self, key: &str, s: Stmt<'_>, out: &mut Tracking) -> bool {
        let (list, most) = match key {
            "track_interface" => (&mut out.interfaces, 253),
            "track_script" => (&mut out.scripts, 253),
            "track_file" => (&mut out.files, 254),
            "track_process" => (&mut out.processes, 254),
            _ => return false,
        };
        for line in s.children() {
            list.extend(self.reference(line, most));
        }
        true
    }

    /// `NAME [weight N [reverse]]`.
    fn reference(&mut self, s: Stmt<'_>, most: i64) -> Option<Reference> {
        let name = Self::text(s, 0)?;
        let weight = match s.get(1) {
            None => At::assumed(OWN),
            Some("weight") if s.get(2).is_none() => {
                let message = format!("weight has no number: {} counts with its own", name.value);
                self.findings
                    .warning("missing-value", s.place(1), message)
                    .help("write weight N, or nothing");
                At::assumed(OWN)
            }
            Some("weight") => self.weight(s, 2, most).unwrap_or(At::assumed(OWN)),
            Some(other) => {
                let message = format!("'{other}' after a tracked name has no effect");
                let help = "write NAME or NAME weight N [reverse], one a line";
                self.findings.warning("unknown-option", s.place(1), message).help(help);
                At::assumed(OWN)
            }
        };
        Some(Reference { name, weight })
    }

    /// A `notify*` line or `smtp_alert`; false if the keyword is none.
    pub(super) fn notify(&mut self, key: &str, s: Stmt<'_>, out: &mut Notify) -> bool {
        if key == "notify_deleted" {
            out.says_deleted = At::assumed(true);
            if s.get(0).is_none() {
                return true;
            }
        }
        let slot = match key {
            "notify_master" => &mut out.master,
            "notify_backup" => &mut out.backup,
            "notify_fault" => &mut out.fault,
            "notify_stop" => &mut out.stop,
            "notify_deleted" => &mut out.deleted,
            "notify_master_rx_lower_pri" => &mut out.master_rx_lower_pri,
            "notify" => &mut out.any,
            "notify_priority_changes" => {
                self.set_switch(s, &mut out.priority_changes);
                return true;
            }
            "smtp_alert" => {
                self.set_alert(s, &mut out.mail);
                return true;
            }
            _ => return false,
        };
        *slot = self.command(s, 1);
        true
    }
}
