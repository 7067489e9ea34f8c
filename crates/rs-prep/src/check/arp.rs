//! Settings that let a VIP be heard of in ARP, or neighbours be answered for.

use lvs_core::addr::Family;
use lvs_core::sys::sysctl::Key;

use super::{Asked, Finding};
use crate::host::{HostState, Nic, Settings};
use crate::quiet::{self, Leak};
use crate::shell::word;
use crate::step::Step;

/// The arp_ignore that answers for no address of scope host, and for all others.
const SCOPE_HOST_IS_HIDDEN: i32 = 3;

pub(super) fn findings(host: &HostState, asked: &Asked) -> Vec<Finding> {
    let mut found = Vec::new();
    // IPv6 VIPs on lo are silent by themselves.
    if asked.vips.iter().any(|vip| vip.addr.is_ipv4()) {
        let hidden = hidden_by_scope(host, asked);
        for nic in host.speakers().filter(|nic| nic.up) {
            let leaks = quiet::leaks(host, nic).into_iter();
            let leaks = leaks.filter(|leak| !(hidden && *leak == Leak::Answers(SCOPE_HOST_IS_HIDDEN)));
            found.extend(leaks.map(|leak| finding(host, nic, leak)));
        }
    }
    found.extend(host.speakers().filter(|nic| host.has_ipv4(&nic.name)).filter_map(|nic| proxy(host, nic)));
    found.extend(proxies(host, asked));
    found
}

/// Whether the IPv4 VIPs are here, and all with scope host.
fn hidden_by_scope(host: &HostState, asked: &Asked) -> bool {
    let mut vips = asked.vips.iter().filter(|vip| vip.addr.is_ipv4());
    vips.all(|vip| {
        let mut holding = host.holding(vip.addr).peekable();
        holding.peek().is_some() && holding.all(|held| held.host_scope)
    })
}

fn finding(host: &HostState, nic: &Nic, leak: Leak) -> Finding {
    let name = &nic.name;
    let (code, what, read): (_, _, fn(&Settings) -> i32) = match leak {
        Leak::Answers(0) => ("arp-ignore", "answers ARP for the VIP", |s| s.arp_ignore),
        Leak::Answers(SCOPE_HOST_IS_HIDDEN) => {
            ("arp-ignore", "answers ARP for a VIP of scope global, as 3 allows", |s| s.arp_ignore)
        }
        Leak::Answers(_) => {
            ("arp-ignore", "answers ARP for the VIP, as a reserved value hides nothing", |s| s.arp_ignore)
        }
        Leak::Mute => {
            ("arp-mute", "answers no ARP at all, so nobody finds this real server", |s| s.arp_ignore)
        }
        Leak::Announces(_) => {
            ("arp-announce", "sends ARP requests with the VIP as the sender, which moves the VIP here", |s| {
                s.arp_announce
            })
        }
    };
    let setting = if code == "arp-announce" { "arp_announce" } else { "arp_ignore" };
    let (all, own) = (read(&host.all), read(&nic.settings));
    let mut sentence = format!(
        "{name} {what}: {setting} in effect is {} (the larger of all {all} and {name} {own})",
        all.max(own)
    );
    let on_lo = host.nic("lo").map_or(0, |lo| read(&lo.settings));
    if on_lo > 0 && all == 0 {
        sentence.push_str("; the value of lo does nothing, set all");
    }
    let right = if code == "arp-announce" { quiet::ANNOUNCE } else { quiet::IGNORE };
    let mut found = Finding::error(code, name, sentence);
    if all != right {
        found = found.up(format!("sysctl -w net.ipv4.conf.all.{setting}={right}"));
    }
    if own > right {
        found = found.up(format!(
            "sysctl -w {}",
            word(&format!("{}={right}", Key::conf(Family::Inet, name, setting)))
        ));
    }
    found
}

/// proxy_arp is on if `all` or the interface says so.
fn proxy(host: &HostState, nic: &Nic) -> Option<Finding> {
    let steps: Vec<_> = [("all", host.all.proxy_arp), (&nic.name, nic.settings.proxy_arp)]
        .into_iter()
        .filter(|(_, value)| *value != 0)
        .map(|(name, from)| Step::Set { key: Key::conf(Family::Inet, name, "proxy_arp"), from, to: 0 })
        .collect();
    let sentence = format!(
        "{} answers ARP on behalf of other hosts (proxy_arp), so the LAN may send it packets for VIPs that it does not \
         hold",
        nic.name
    );
    (!steps.is_empty()).then(|| Finding::warning("proxy-arp", &nic.name, sentence).steps(steps))
}

/// Entries of `ip neighbour add proxy` for a VIP: they answer whatever the settings say.
fn proxies(host: &HostState, asked: &Asked) -> Vec<Finding> {
    let of_vip = |addr| asked.vips.iter().any(|vip| vip.addr == addr);
    let entries = host.proxies.iter().filter(|(addr, _)| of_vip(*addr));
    let found = entries.map(|(addr, device)| {
        let sentence = format!("{device} answers for {addr} on behalf of another host (a proxy entry)");
        Finding::error("proxy-entry", &addr, sentence)
            .steps(vec![Step::RemoveProxy { addr: *addr, device: device.clone() }])
    });
    found.collect()
}
