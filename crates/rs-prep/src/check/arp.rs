//! Settings that let a VIP be heard of in ARP, or neighbours be answered for.

use std::net::IpAddr;

use lvs_core::addr::Family;
use lvs_core::sys::sysctl::Key;

use super::{Asked, Finding, Seen};
use crate::host::{HostState, Nic, Settings};
use crate::quiet::{self, Leak};
use crate::rules::ArpRule;
use crate::shell::word;
use crate::step::Step;

/// The arp_ignore that answers for no address of scope host, and for all others.
const SCOPE_HOST_IS_HIDDEN: i32 = 3;

pub(super) fn findings(host: &HostState, asked: &Asked, seen: &Seen) -> Vec<Finding> {
    let mut found = Vec::new();
    // IPv6 VIPs on lo are silent by themselves.
    if asked.vips.iter().any(|vip| vip.addr.is_ipv4()) {
        let rules = Filter::of(asked, seen);
        let hidden = hidden_by_scope(host, asked);
        let mut filtered = false;
        for nic in host.speakers().filter(|nic| nic.up) {
            let leaks = quiet::leaks(host, nic).into_iter();
            let leaks = leaks.filter(|leak| !(hidden && *leak == Leak::Answers(SCOPE_HOST_IS_HIDDEN)));
            let (by_rules, open): (Vec<_>, Vec<_>) = leaks.partition(|leak| rules.hides(*leak));
            filtered |= !by_rules.is_empty();
            found.extend(open.into_iter().map(|leak| finding(host, nic, leak)));
        }
        found.extend(filtered.then(|| rules.finding()).flatten());
    }
    found.extend(host.speakers().filter(|nic| host.has_ipv4(&nic.name)).filter_map(|nic| proxy(host, nic)));
    found.extend(proxies(host, asked));
    found
}

/// The packet filter's rules for ARP, which may do what the settings do not.
struct Filter<'a> {
    vips: Vec<IpAddr>,
    rules: &'a [ArpRule],
}

impl<'a> Filter<'a> {
    fn of(asked: &Asked, seen: &'a Seen) -> Self {
        let vips = asked.vips.iter().map(|vip| vip.addr).filter(IpAddr::is_ipv4).collect();
        Self { vips, rules: seen.rules.as_ref().map_or(&[], |rules| &rules.arp) }
    }

    /// Whether rules hide every VIP in this respect.
    fn hides(&self, leak: Leak) -> bool {
        self.vips.iter().all(|vip| {
            self.rules.iter().any(|rule| match leak {
                Leak::Answers(_) => rule.hides_answers(*vip),
                Leak::Announces(_) => rule.hides_sender(*vip),
                Leak::Mute => false,
            })
        })
    }

    /// What other rules make of the same packets is not judged: the network knows.
    fn finding(&self) -> Option<Finding> {
        let vip = self.vips.first()?;
        let rule = self.rules.iter().find(|rule| rule.hides_answers(*vip) || rule.hides_sender(*vip))?;
        let sentence = format!(
            "rules for ARP hide the VIP where the settings do not; whether others let it through before is not judged: {}",
            rule.rule
        );
        let ask = format!("ask from another host of the LAN: rs-prep probe {vip} --dev IFACE");
        Some(Finding::warning("arp-rules", vip, sentence).advice(ask))
    }
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

/// proxy_arp and proxy_arp_pvlan are on if `all` or the interface says so (IN_DEV_ORCONF).
fn proxy(host: &HostState, nic: &Nic) -> Option<Finding> {
    let (all, own) = (&host.all, &nic.settings);
    let steps: Vec<_> = [
        ("all", "proxy_arp", all.proxy_arp),
        (&nic.name, "proxy_arp", own.proxy_arp),
        ("all", "proxy_arp_pvlan", all.proxy_arp_pvlan),
        (&nic.name, "proxy_arp_pvlan", own.proxy_arp_pvlan),
    ]
    .into_iter()
    .filter(|(_, _, value)| *value != 0)
    .map(|(interface, name, from)| Step::Set { key: Key::conf(Family::Inet, interface, name), from, to: 0 })
    .collect();
    let proxied = all.proxy_arp != 0 || own.proxy_arp != 0;
    let sentence = format!(
        "{} answers ARP on behalf of other hosts ({}), so the LAN may send it packets for VIPs that it does not hold",
        nic.name,
        if proxied { "proxy_arp" } else { "proxy_arp_pvlan" }
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
