//! A [`Report`] in Prometheus' text format.

use std::fmt::{self, Write};

use crate::status::{Report, Router};
use crate::words::State;

/// One family: its name, type and help, and its samples of a router as (further labels, value).
struct Family {
    name: &'static str,
    kind: &'static str,
    help: &'static str,
    samples: fn(&Router) -> Vec<(String, f64)>,
}

macro_rules! counter {
    ($name:literal, $help:literal, $field:ident) => {
        Family { name: $name, kind: "counter", help: $help, samples: |r| plain(r.counters.$field as f64) }
    };
}

/// Counts stay exact up to 2^53.
const FAMILIES: &[Family] = &[
    Family {
        name: "vrrpd_state",
        kind: "gauge",
        help: "1 for the state that the instance is in, 0 for the others.",
        samples: |r| {
            let is = |name| f64::from(u8::from(r.state == name));
            State::ALL.iter().map(|s| (label("state", s.name()), is(s.name()))).collect()
        },
    },
    Family {
        name: "vrrpd_state_since_timestamp_seconds",
        kind: "gauge",
        help: "When the state was entered.",
        samples: |r| plain(r.since),
    },
    Family {
        name: "vrrpd_priority",
        kind: "gauge",
        help: "The effective priority.",
        samples: |r| plain(f64::from(r.priority)),
    },
    Family {
        name: "vrrpd_base_priority",
        kind: "gauge",
        help: "The configured priority.",
        samples: |r| plain(f64::from(r.base_priority)),
    },
    Family {
        name: "vrrpd_addresses_unset",
        kind: "gauge",
        help: "Addresses that a master could not set: nobody serves them.",
        samples: |r| plain(r.unset.len() as f64),
    },
    Family {
        name: "vrrpd_tracked_fault",
        kind: "gauge",
        help: "1 while what is tracked is a fault.",
        samples: |r| {
            let thing = |t: &crate::status::Thing| {
                (label("kind", &t.kind) + &label("name", &t.name), f64::from(u8::from(t.effect == "fault")))
            };
            r.tracked.iter().map(thing).collect()
        },
    },
    Family {
        name: "vrrpd_peer_priority",
        kind: "gauge",
        help: "The priority in a peer's last advertisement.",
        samples: |r| {
            r.peers.iter().map(|p| (label("peer", &p.address.to_string()), f64::from(p.priority))).collect()
        },
    },
    Family {
        name: "vrrpd_peer_last_advertisement_age_seconds",
        kind: "gauge",
        help: "Since a peer's last advertisement.",
        samples: |r| r.peers.iter().map(|p| (label("peer", &p.address.to_string()), p.age)).collect(),
    },
    counter!("vrrpd_advertisements_sent_total", "Advertisements sent.", sent),
    counter!("vrrpd_send_errors_total", "Advertisements that the kernel refused to send.", send_errors),
    counter!("vrrpd_advertisements_received_total", "Advertisements that counted.", received),
    counter!("vrrpd_priority_zero_received_total", "Of those, with priority 0.", received_zero),
    counter!("vrrpd_other_addresses_total", "Advertisements with another list of addresses.", other_vips),
    counter!("vrrpd_gratuitous_arp_sent_total", "Gratuitous ARP and neighbour advertisements sent.", garps),
    counter!("vrrpd_became_master_total", "Times the instance became master.", became_master),
    counter!("vrrpd_addresses_restored_total", "Addresses put back after someone took them away.", restored),
    Family {
        name: "vrrpd_packets_rejected_total",
        kind: "counter",
        help: "Packets that did not count.",
        samples: |r| r.rejected.iter().map(|(why, n)| (label("reason", why), *n as f64)).collect(),
    },
];

fn plain(value: f64) -> Vec<(String, f64)> {
    vec![(String::new(), value)]
}

/// `,name="value"`, with what the format wants escaped.
fn label(name: &str, value: &str) -> String {
    let value = value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
    format!(",{name}=\"{value}\"")
}

/// All metrics.
pub fn render(report: &Report) -> String {
    let mut text = String::new();
    // Writing to a string does not fail.
    let _ = write_all(report, &mut text);
    text
}

fn write_all(report: &Report, out: &mut String) -> fmt::Result {
    writeln!(out, "# HELP vrrpd_info The program's version.\n# TYPE vrrpd_info gauge")?;
    writeln!(out, "vrrpd_info{{{}}} 1", &label("version", &report.version)[1..])?;
    for family in FAMILIES {
        writeln!(out, "# HELP {0} {1}\n# TYPE {0} {2}", family.name, family.help, family.kind)?;
        for r in &report.instances {
            let labels = label("instance", &r.name) + &label("interface", &r.interface);
            let labels = labels + &label("vrid", &r.vrid.to_string());
            for (more, value) in (family.samples)(r) {
                writeln!(out, "{}{{{}{more}}} {value}", family.name, &labels[1..])?;
            }
        }
    }
    Ok(())
}
