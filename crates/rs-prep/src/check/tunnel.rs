//! Whether what comes through a tunnel is taken apart, and not dropped behind it.

use super::traffic::loose;
use super::{Asked, Finding, Seen};
use crate::host::{HostState, Nic};
use crate::tunnel::{Wrapped, Wrapping};

pub(super) fn findings(host: &HostState, asked: &Asked, seen: &Seen) -> Vec<Finding> {
    let mut found: Vec<Finding> = Vec::new();
    for wrapped in &asked.wrapped {
        // Several VIPs share a tunnel.
        let missing =
            closed(host, seen, *wrapped).filter(|new| found.iter().all(|f| f.subject != new.subject));
        found.extend(missing);
    }
    let tunnelled = asked.vips.iter().any(|vip| vip.device() == "tunl0")
        || asked.vips.iter().any(|vip| host.holding(vip.addr).any(|held| held.device == "tunl0"));
    let gre = asked.wrapped.iter().any(|wrapped| wrapped.wrapping == Wrapping::Gre);
    found.extend(tunnelled.then(|| filter(host, "tunl0")).flatten());
    found.extend(gre.then(|| filter(host, "gre0")).flatten());
    found
}

/// A tunnel that nobody has opened.
fn closed(host: &HostState, seen: &Seen, wrapped: Wrapped) -> Option<Finding> {
    let (subject, what, open) = match wrapped.wrapping {
        // The device behind it is judged with the VIP that it holds.
        Wrapping::Gue { port } => {
            (format!("UDP port {port}"), "nobody has opened it", seen.udp_ports.contains(&port))
        }
        Wrapping::Gre => {
            let device = wrapped.gre_device();
            let passes = |nic: &Nic| host.rp_filter_in_effect(nic) == 0 || host.has_ipv4(device);
            let open = |nic: &Nic| nic.up && (wrapped.vip.addr.is_ipv6() || passes(nic));
            (
                device.to_owned(),
                "it is not there, is down or has no address",
                host.nic(device).is_some_and(open),
            )
        }
    };
    let sentence = format!(
        "packets for {} come by {} to {subject}, and {what}, so they are dropped; rs-prep does not open such a tunnel",
        wrapped.vip,
        wrapped.name()
    );
    let commands = wrapped.commands().into_iter();
    (!open).then(|| commands.fold(Finding::error("no-tunnel", &subject, sentence), Finding::command))
}

/// Packets out of the tunnel have the client as their sender, to whom no route leads through the tunnel.
fn filter(host: &HostState, device: &str) -> Option<Finding> {
    let nic = host.nic(device).filter(|nic| host.rp_filter_in_effect(nic) == 1)?;
    let sentence =
        format!("rp_filter 1 is in effect on {device}, so every packet out of the tunnel is dropped");
    let step = loose(device, nic.settings.rp_filter);
    Some(Finding::error("tunnel-rp-filter", device, sentence).steps(vec![step]))
}
