//! A [`Report`] in Prometheus' text format.

use lvs_core::prometheus::{Kind, Labels, Metrics};

use crate::status::{Report, Router};
use crate::words::State;

/// The samples of a router: each its labels, to which the given ones belong, and its value.
type Samples = fn(&Router, &Labels) -> Vec<(Labels, f64)>;

/// One family: its name, type and help, and its samples.
struct Family {
    name: &'static str,
    kind: Kind,
    help: &'static str,
    samples: Samples,
}

macro_rules! counter {
    ($name:literal, $help:literal, $field:ident) => {
        Family {
            name: $name,
            kind: Kind::Counter,
            help: $help,
            samples: |r, l| plain(l, r.counters.$field as f64),
        }
    };
}

/// Counts stay exact up to 2^53.
const FAMILIES: &[Family] = &[
    Family {
        name: "vrrpd_state",
        kind: Kind::Gauge,
        help: "1 for the state that the instance is in, 0 for the others.",
        samples: |r, l| {
            let is = |name| f64::from(u8::from(r.state == name));
            State::ALL.iter().map(|s| (l.with("state", s.name()), is(s.name()))).collect()
        },
    },
    Family {
        name: "vrrpd_state_since_timestamp_seconds",
        kind: Kind::Gauge,
        help: "When the state was entered.",
        samples: |r, l| plain(l, r.since),
    },
    Family {
        name: "vrrpd_priority",
        kind: Kind::Gauge,
        help: "The effective priority.",
        samples: |r, l| plain(l, f64::from(r.priority)),
    },
    Family {
        name: "vrrpd_base_priority",
        kind: Kind::Gauge,
        help: "The configured priority.",
        samples: |r, l| plain(l, f64::from(r.base_priority)),
    },
    Family {
        name: "vrrpd_addresses_unset",
        kind: Kind::Gauge,
        help: "Addresses that a master could not set: nobody serves them.",
        samples: |r, l| plain(l, r.unset.len() as f64),
    },
    Family {
        name: "vrrpd_routes_unset",
        kind: Kind::Gauge,
        help: "Routes and rules that a master could not set.",
        samples: |r, l| plain(l, r.unset_routes.len() as f64),
    },
    Family {
        name: "vrrpd_tracked_fault",
        kind: Kind::Gauge,
        help: "1 while what is tracked is a fault.",
        samples: |r, l| {
            let thing = |t: &crate::status::Thing| {
                (l.with("kind", &t.kind).with("name", &t.name), f64::from(u8::from(t.effect == "fault")))
            };
            r.tracked.iter().map(thing).collect()
        },
    },
    Family {
        name: "vrrpd_peer_priority",
        kind: Kind::Gauge,
        help: "The priority in a peer's last advertisement.",
        samples: |r, l| r.peers.iter().map(|p| (l.with("peer", p.address), f64::from(p.priority))).collect(),
    },
    Family {
        name: "vrrpd_peer_last_advertisement_age_seconds",
        kind: Kind::Gauge,
        help: "Since a peer's last advertisement.",
        samples: |r, l| r.peers.iter().map(|p| (l.with("peer", p.address), p.age)).collect(),
    },
    counter!("vrrpd_advertisements_sent_total", "Advertisements sent.", sent),
    counter!("vrrpd_send_errors_total", "Advertisements that the kernel refused to send.", send_errors),
    counter!("vrrpd_advertisements_received_total", "Advertisements that counted.", received),
    counter!("vrrpd_priority_zero_received_total", "Of those, with priority 0.", received_zero),
    counter!("vrrpd_other_addresses_total", "Advertisements with another list of addresses.", other_vips),
    counter!("vrrpd_gratuitous_arp_sent_total", "Gratuitous ARP and neighbour advertisements sent.", garps),
    counter!("vrrpd_became_master_total", "Times the instance became master.", became_master),
    counter!(
        "vrrpd_addresses_restored_total",
        "Addresses, routes and rules put back after someone took them away.",
        restored
    ),
    Family {
        name: "vrrpd_packets_rejected_total",
        kind: Kind::Counter,
        help: "Packets that did not count.",
        samples: |r, l| r.rejected.iter().map(|(why, n)| (l.with("reason", why), *n as f64)).collect(),
    },
];

fn plain(labels: &Labels, value: f64) -> Vec<(Labels, f64)> {
    vec![(labels.clone(), value)]
}

/// All metrics.
pub fn render(report: &Report) -> String {
    let mut out = Metrics::default();
    out.family("vrrpd_info", Kind::Gauge, "The program's version.");
    out.sample("vrrpd_info", &Labels::default().with("version", &report.version), 1);
    for family in FAMILIES {
        out.family(family.name, family.kind, family.help);
        for r in &report.instances {
            let labels = Labels::default().with("instance", &r.name).with("interface", &r.interface);
            for (labels, value) in (family.samples)(r, &labels.with("vrid", r.vrid)) {
                out.sample(family.name, &labels, value);
            }
        }
    }
    out.text()
}
