//! What `check --fix` does: the steps of the findings and of `up`, in an order that never leaks.

use crate::check::Finding;
use crate::host::HostState;
use crate::plan::{self, Refusal, Wish};
use crate::step::Step;
use crate::vip::Vip;

/// The steps that mend these findings: settings first, then what must go, then the VIPs in their place.
///
/// # Errors
/// A VIP that stands in the way of itself and is not among the findings.
pub fn plan(host: &HostState, vips: &[Vip], findings: &[Finding]) -> Result<Vec<Step>, Refusal> {
    let (mut settings, removals): (Vec<_>, Vec<_>) =
        findings.iter().flat_map(|finding| finding.steps.clone()).partition(Step::is_setting);
    let placing = findings.iter().any(|finding| finding.by_up || finding.code == "vip-on-nic");
    let mut rest = removals.clone();
    if placing {
        let up = plan::up(&without(host, &removals), &wanted(host, vips, &removals), &Wish::default())?;
        for step in up {
            let list = if step.is_setting() { &mut settings } else { &mut rest };
            // A tunnel that is down is a finding and a step of `up` too.
            if !list.contains(&step) {
                list.push(step);
            }
        }
    }
    settings.sort_by_key(|step| !matches!(step, Step::Load { .. }));
    settings.extend(rest);
    Ok(settings)
}

/// The VIPs, and the addresses that come back with the right mask.
pub fn wanted(host: &HostState, vips: &[Vip], removals: &[Step]) -> Vec<Vip> {
    let mut wanted = vips.to_vec();
    for step in removals {
        let Step::RemoveAddress { prefix, device } = step else { continue };
        if host.is_quiet(device) && !wanted.iter().any(|vip| vip.addr == prefix.addr) {
            wanted.push(Vip::direct(prefix.addr));
        }
    }
    wanted
}

/// The host once these addresses, routes and entries are gone.
fn without(host: &HostState, removals: &[Step]) -> HostState {
    let mut host = host.clone();
    for step in removals {
        match step {
            Step::RemoveAddress { prefix, device } => {
                host.addresses.retain(|held| held.prefix != *prefix || held.device != *device);
            }
            Step::RemoveRoute { addr, device } => {
                host.routes
                    .retain(|route| route.to.addr != *addr || route.device != *device || route.by_kernel);
            }
            _ => {}
        }
    }
    host
}

#[cfg(test)]
mod tests;
