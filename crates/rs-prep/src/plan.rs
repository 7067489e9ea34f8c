//! Decides what to do to a host: pure functions from what it holds to the steps that are missing.

use std::net::IpAddr;

use lvs_core::addr::{Family, Prefix};

use lvs_core::sys::sysctl::Key;

use crate::host::HostState;
use crate::quiet;

use crate::step::{Placement, Step};
use crate::vip::Vip;

/// How `up` puts a VIP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wish {
    /// Whether the host route of the runbooks is added; the kernel's own local route does the work.
    pub route: bool,
    /// Scope host instead of global: the host never takes the VIP as the source of its own connections.
    pub host_scope: bool,
    /// The label of a single VIP; without it the next free `lo:0`, `lo:1`, ...
    pub label: Option<String>,
}

impl Default for Wish {
    fn default() -> Self {
        Self { route: true, host_scope: false, label: None }
    }
}

/// Why a VIP cannot be put on this host as it is. Nothing has been changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The VIP is on an interface that speaks ARP.
    #[error(
        "{vip}: it is on {device} as {prefix}, where this host answers ARP for it whatever the settings say; if this \
         is a real server and no director: ip address del {prefix} dev {device} (or rs-prep check --fix {vip})"
    )]
    OnNic {
        /// The VIP.
        vip: IpAddr,
        /// The address as it is held.
        prefix: Prefix,
        /// The interface.
        device: String,
    },
    /// The VIP is there with a wider mask.
    #[error(
        "{vip}: {device} has it as {prefix}, which makes this host take that whole network for its own; ip address \
         del {prefix} dev {device} (or rs-prep check --fix {vip})"
    )]
    Mask {
        /// The VIP.
        vip: IpAddr,
        /// The address as it is held.
        prefix: Prefix,
        /// The interface.
        device: String,
    },
    /// One label for several VIPs.
    #[error("--label names one VIP, but {0} were given; without it each gets the next free label")]
    Label(usize),
}

/// The steps that make this host a silent holder of the VIPs: settings, then addresses, then routes. Empty if it is.
///
/// # Errors
/// The first VIP that stands in the way of itself; see [`Refusal`].
pub fn up(host: &HostState, vips: &[Vip], wish: &Wish) -> Result<Vec<Step>, Refusal> {
    let labelled = vips.iter().filter(|vip| vip.family() == Family::Inet).count();
    if wish.label.is_some() && labelled > 1 {
        return Err(Refusal::Label(labelled));
    }
    vips.iter().try_for_each(|vip| refuse(host, *vip))?;
    let mut steps = settings(host, vips);
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
    Ok(steps)
}

fn refuse(host: &HostState, vip: Vip) -> Result<(), Refusal> {
    for held in host.holding(vip.addr) {
        let (vip, prefix, device) = (vip.addr, held.prefix, held.device.clone());
        if !host.is_quiet(&held.device) {
            return Err(Refusal::OnNic { vip, prefix, device });
        }
        if !prefix.is_host() {
            return Err(Refusal::Mask { vip, prefix, device });
        }
    }
    Ok(())
}

/// Everything that must be true before the first address: silence in ARP, and the devices.
fn settings(host: &HostState, vips: &[Vip]) -> Vec<Step> {
    let mut steps = Vec::new();
    for vip in vips {
        let missing = vip.module().filter(|_| host.nic(vip.device()).is_none());
        once(&mut steps, missing.map(|(kind, module)| Step::Load { device: vip.device(), kind, module }));
    }
    // IPv6 asks for nothing: a solicitation for an address of lo gets no answer on another link.
    if vips.iter().any(|vip| vip.family() == Family::Inet) {
        steps.extend(quiet::settings(host));
    }
    if vips.iter().any(|vip| vip.device() == "tunl0") {
        // The inner packet's sender is the client, which is not behind the tunnel: strict filtering drops it.
        let now = host.nic("tunl0").map_or(0, |nic| nic.settings.rp_filter);
        quiet::set(&mut steps, "tunl0", "rp_filter", now, 2);
    }
    for vip in vips {
        let down = !host.nic(vip.device()).is_some_and(|nic| nic.up);
        once(&mut steps, down.then(|| Step::LinkUp { device: vip.device().to_owned() }));
    }
    steps
}

/// Appends a step that several VIPs may need, the first time.
fn once(steps: &mut Vec<Step>, step: Option<Step>) {
    steps.extend(step.filter(|step| !steps.contains(step)));
}

fn placement(vip: Vip, wish: &Wish, labels: &mut Labels) -> Placement {
    let label = match vip.family() {
        Family::Inet => Some(wish.label.clone().unwrap_or_else(|| labels.next(vip.device()))),
        Family::Inet6 => None,
    };
    Placement { prefix: vip.prefix(), device: vip.device().to_owned(), label, host_scope: wish.host_scope }
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
