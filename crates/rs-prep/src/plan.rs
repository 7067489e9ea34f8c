//! Decides what to do to a host: pure functions from what it holds to the steps that are missing.

mod refusal;

use lvs_core::addr::Family;
use lvs_core::sys::sysctl::Key;

use crate::host::HostState;
use crate::quiet;
use crate::step::{Placement, Step};
use crate::vip::Vip;
pub use refusal::Refusal;
pub(crate) use refusal::refuse;

/// How `up` puts a VIP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wish {
    /// Whether the host route of the runbooks is added; the kernel's own local route does the work.
    pub route: bool,
    /// Scope host instead of global: the host never takes the VIP as the source of its own connections.
    /// Not asked for: global, or as it is held already.
    pub host_scope: Option<bool>,
    /// The label of a single VIP; without it the next free `lo:0`, `lo:1`, ...
    pub label: Option<String>,
}

impl Default for Wish {
    fn default() -> Self {
        Self { route: true, host_scope: None, label: None }
    }
}

/// The steps that make this host a silent holder of the VIPs: settings, then addresses, then routes. Empty if it is.
///
/// # Errors
/// The first VIP that stands in the way of itself; see [`Refusal`].
pub fn up(host: &HostState, vips: &[Vip], wish: &Wish) -> Result<Vec<Step>, Refusal> {
    refusal::meaningless(vips, wish)?;
    vips.iter().try_for_each(|vip| refuse(host, *vip, wish))?;
    let mut steps = settings(host, vips);
    steps.extend(places(host, vips, wish));
    Ok(steps)
}

/// The addresses and routes that are missing.
pub(crate) fn places(host: &HostState, vips: &[Vip], wish: &Wish) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut labels = Labels::of(host);
    let mut routes = Vec::new();
    for vip in vips {
        if host.holding(vip.addr).next().is_none() {
            steps.push(Step::AddAddress(placement(*vip, wish, &mut labels)));
        }
        // The kernel shows a /128 in the main table by itself.
        if wish.route && vip.family() == Family::Inet && host.host_routes(vip.addr).next().is_none() {
            routes.push(Step::AddRoute { addr: vip.addr, device: vip.device().to_owned() });
        }
    }
    steps.extend(routes);
    steps
}

/// Everything that must be true before the first address: silence in ARP, and the devices.
pub(crate) fn settings(host: &HostState, vips: &[Vip]) -> Vec<Step> {
    let mut steps = Vec::new();
    for step in vips.iter().flat_map(|vip| device(host, *vip)) {
        if !steps.contains(&step) {
            steps.push(step);
        }
    }
    // IPv6 asks for nothing: a solicitation for an address of lo gets no answer on another link.
    let silence =
        if vips.iter().any(|vip| vip.family() == Family::Inet) { quiet::settings(host) } else { vec![] };
    // A module first: its device has settings too.
    let after = steps.iter().position(|step| !matches!(step, Step::Load { .. })).unwrap_or(steps.len());
    steps.splice(after..after, silence);
    steps
}

/// What makes the VIP's device take its packets: the module, a loose filter, and the device up.
pub(crate) fn device(host: &HostState, vip: Vip) -> Vec<Step> {
    let (device, nic) = (vip.device(), host.nic(vip.device()));
    let mut steps = Vec::new();
    if let (None, Some((kind, module))) = (nic, vip.module()) {
        steps.push(Step::Load { device, kind, module });
    }
    if device == "tunl0" {
        // The inner packet's sender is the client, which is not behind the tunnel: strict filtering drops it.
        let (own, effective) =
            nic.map_or((0, 0), |nic| (nic.settings.rp_filter, host.rp_filter_in_effect(nic)));
        if effective != 2 {
            quiet::set(&mut steps, device, "rp_filter", own, 2);
        }
    }
    if !nic.is_some_and(|nic| nic.up) {
        steps.push(Step::LinkUp { device: device.to_owned() });
    }
    steps
}

fn placement(vip: Vip, wish: &Wish, labels: &mut Labels) -> Placement {
    let v4 = vip.family() == Family::Inet;
    let label = v4.then(|| wish.label.clone().unwrap_or_else(|| labels.next(vip.device())));
    // The kernel gives an IPv6 address the scope that its bits say, whatever is asked for.
    let host_scope = v4 && wish.host_scope.unwrap_or(false);
    Placement { prefix: vip.prefix(), device: vip.device().to_owned(), label, host_scope }
}

/// The labels that are taken: one a VIP, because ifconfig shows only the first address of a label.
struct Labels(Vec<String>);

impl Labels {
    fn of(host: &HostState) -> Self {
        Self(host.addresses.iter().map(|held| held.label.clone()).collect())
    }

    fn next(&mut self, device: &str) -> String {
        let free = (0..).map(|n| format!("{device}:{n}")).find(|label| !self.0.contains(label));
        let label = free.unwrap_or_default();
        self.0.push(label.clone());
        label
    }
}

/// What of a wish does not count for some of the VIPs.
pub fn unheeded(vips: &[Vip], wish: &Wish) -> Option<String> {
    let six = vips.iter().find(|vip| vip.family() == Family::Inet6)?;
    (wish.host_scope == Some(true)).then(|| {
        format!("{six}: IPv6 addresses have no scope host; --scope host counts for the IPv4 VIPs alone")
    })
}

/// What the admin should know about a plan: harmful values that it mends, and a VIP that was there too early.
pub fn notices(host: &HostState, vips: &[Vip], steps: &[Step]) -> Vec<String> {
    let mut notices = Vec::new();
    for nic in host.speakers() {
        let own = &nic.settings;
        for (name, value, harmful) in [
            ("arp_ignore", own.arp_ignore, own.arp_ignore > 2),
            ("arp_announce", own.arp_announce, own.arp_announce > quiet::ANNOUNCE),
        ] {
            if harmful && steps.iter().any(|step| sets(step, &nic.name, name)) {
                notices.push(format!(
                    "{}: {name} was {value}, which lets the VIP be heard of; mended",
                    nic.name
                ));
            }
        }
    }
    for vip in vips {
        let other = host.host_routes(vip.addr).find(|route| !host.is_quiet(&route.device));
        notices.extend(other.map(|route| {
            format!(
                "{vip}: a route by {} is there for it already, so the host route is left out; the kernel does not need it",
                route.device
            )
        }));
    }
    let loud = host.speakers().any(|nic| !quiet::leaks(host, nic).is_empty());
    let early =
        vips.iter().filter(|vip| loud && vip.addr.is_ipv4() && host.holding(vip.addr).next().is_some());
    notices.extend(early.map(|vip| {
        format!(
            "{vip}: was here before the settings, so others may have learned this host's MAC for it; on the director \
             that holds it: rs-prep heal {vip} --dev IFACE"
        )
    }));
    notices
}

fn sets(step: &Step, interface: &str, name: &str) -> bool {
    matches!(step, Step::Set { key, .. } if *key == Key::conf(Family::Inet, interface, name))
}

#[cfg(test)]
mod tests;
