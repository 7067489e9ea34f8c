//! What `check --fix` does: the steps of the findings and of `up`, in an order that never leaks.

use crate::check::Finding;
use crate::host::HostState;
use crate::plan::{self, Wish};
use crate::step::Step;
use crate::vip::Vip;

/// What is mended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mend {
    /// Settings first, then what must go, then the VIPs in their place.
    pub steps: Vec<Step>,
    /// The VIPs that the host holds afterwards.
    pub vips: Vec<Vip>,
}

/// What mends these findings. A VIP that stays on a NIC is left as it is.
pub fn plan(host: &HostState, vips: &[Vip], findings: &[Finding]) -> Mend {
    let (mut settings, removals): (Vec<_>, Vec<_>) = once(findings).into_iter().partition(Step::is_setting);
    let placing = findings.iter().any(|finding| finding.by_up || finding.code == "vip-on-nic");
    let after = without(host, &removals);
    let mut vips = wanted(host, vips, &removals);
    vips.retain(|vip| after.holding(vip.addr).all(|held| after.is_quiet(&held.device)));
    let mut rest = removals;
    if placing {
        // A tunnel that is down is a finding and a step of `up` too.
        for step in plan::settings(&after, &vips) {
            if !settings.contains(&step) {
                settings.push(step);
            }
        }
        let wish = Wish::default();
        let free: Vec<_> =
            vips.iter().copied().filter(|vip| plan::refuse(&after, *vip, &wish).is_ok()).collect();
        rest.extend(plan::places(&after, &free, &wish));
    }
    settings.sort_by_key(|step| !matches!(step, Step::Load { .. }));
    settings.extend(rest);
    Mend { steps: settings, vips }
}

/// The steps of the findings, each once: two interfaces may ask for the same setting of `all`.
fn once(findings: &[Finding]) -> Vec<Step> {
    let mut steps = Vec::new();
    for step in findings.iter().flat_map(|finding| &finding.steps) {
        if !steps.contains(step) {
            steps.push(step.clone());
        }
    }
    steps
}

/// The VIPs, and the addresses that come back with the right mask.
fn wanted(host: &HostState, vips: &[Vip], removals: &[Step]) -> Vec<Vip> {
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
