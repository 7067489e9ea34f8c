//! `vrrp_strict` and `strict_mode`: what the protocol's letter takes away, whatever else is written.
//!
//! Each was measured with keepalived 2.2.7: a router that keeps what the others ignore is no longer understood by them.

use super::super::{At, Cx};
use super::Draft;
use crate::conf::model::{InitialState, VrrpVersion};

const MEND: &str = "remove the line, or vrrp_strict on all routers";

/// Before `state` is judged: a strict router that is not the owner is a backup, so that its nopreempt counts.
pub(super) fn apply(cx: &mut Cx<'_>, d: &mut Draft<'_>) {
    if !d.out.strict.value {
        return;
    }
    state(cx, d);
    if !d.out.preempt_delay.is_zero() && d.out.state.value == InitialState::Backup {
        let message = "strict rules know no preempt_delay: this router takes over at once".to_owned();
        cx.findings.warning("strict-preempt-delay", d.out.preempt_delay.place, message).help(MEND);
        d.out.preempt_delay = At::default();
    }
    accept(cx, d);
    d.out.lower_prio_no_advert = At::assumed(true);
    d.out.higher_prio_send_advert = At::default();
    d.out.garp.lower_prio_delay = At::default();
    d.out.garp.lower_prio_repeat = At::default();
}

fn state(cx: &mut Cx<'_>, d: &mut Draft<'_>) {
    let owner = d.out.priority.value == 255;
    if d.out.state.value == InitialState::Master && !owner {
        let message = "strict rules: state MASTER is for the owner of the addresses alone (priority 255), this router starts as BACKUP";
        let help = "write state BACKUP; the highest priority becomes master all the same";
        cx.findings.warning("strict-state", d.out.state.place, message.to_owned()).help(help);
    }
    let state = if owner { InitialState::Master } else { InitialState::Backup };
    d.out.state = At::new(state, d.out.state.place);
}

/// Only version 3 lets a router that is not the owner take packets to its addresses.
fn accept(cx: &mut Cx<'_>, d: &mut Draft<'_>) {
    let two = d.out.version.value == VrrpVersion::V2;
    if let (true, Some(At { value: true, place })) = (two, d.accept) {
        let message =
            "strict rules: version 2 knows no accept, packets to the addresses are dropped".to_owned();
        cx.findings.warning("strict-accept", place, message).help("write version 3, or remove vrrp_strict");
        d.accept = None;
    }
    let owner = d.out.priority.value == 255;
    d.out.accept = d.accept.unwrap_or(At::assumed(owner));
}

/// The VMAC of a strict router speaks itself.
pub(super) fn xmit_base(cx: &mut Cx<'_>, xmit_base: At<bool>) -> At<bool> {
    if xmit_base.is_written() {
        let message =
            "strict rules know no vmac_xmit_base: advertisements leave the virtual MAC address".to_owned();
        cx.findings.warning("strict-xmit-base", xmit_base.place, message).help(MEND);
    }
    At::default()
}
