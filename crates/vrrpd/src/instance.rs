//! One virtual router with its place on the host.

use std::net::IpAddr;

use lvs_core::addr::Family;

use crate::host::Host;
use crate::router::Router;
use crate::spec::Spec;
use crate::stats::Stats;
use crate::words::Tracked;

/// The reasons for a fault, one bit each.
pub mod fault {
    /// The interface does not exist.
    pub const NO_INTERFACE: u32 = 1;
    /// The interface is down or has no carrier.
    pub const LINK_DOWN: u32 = 1 << 1;
    /// The interface has no address to speak from.
    pub const NO_ADDRESS: u32 = 1 << 2;
    /// The configured source address is missing.
    pub const NO_SOURCE: u32 = 1 << 3;

    /// What each bit means, for logs and status.
    pub const TEXTS: [(u32, &str); 4] = [
        (NO_INTERFACE, "its interface does not exist"),
        (LINK_DOWN, "its link is down"),
        (NO_ADDRESS, "its interface has no address to speak from"),
        (NO_SOURCE, "its source address is not set"),
    ];

    /// The bits as a sentence.
    pub fn describe(faults: u32) -> String {
        let named: Vec<&str> =
            TEXTS.iter().filter(|(bit, _)| faults & bit != 0).map(|(_, text)| *text).collect();
        named.join(", ")
    }
}

/// A virtual router and where it lives.
pub struct Instance {
    /// What was configured.
    pub spec: Spec,
    /// Its state machine.
    pub router: Router,
    /// The index of its interface, while there is one.
    pub link: Option<u32>,
    /// The source address of its advertisements, while there is one.
    pub source: Option<IpAddr>,
    /// Identification of the last IPv4 header; the original counts up too.
    pub ip_id: u16,
    /// What it has seen and done.
    pub stats: Stats,
    /// It is no longer in the configuration and ends once it has handed over.
    pub retired: bool,
    /// Addresses that are the host's own (priority 255): they are never removed.
    pub owned: Vec<IpAddr>,
}

impl Instance {
    /// An instance that has not started.
    pub fn new(spec: Spec) -> Self {
        Self {
            router: Router::new(spec.params.clone()),
            link: None,
            source: None,
            ip_id: 0,
            stats: Stats::default(),
            retired: false,
            owned: Vec::new(),
            spec,
        }
    }

    /// Looks where the interface is and what its state means; true when the link's index has changed.
    pub fn locate(&mut self, host: &Host) -> bool {
        let link = host.link(&self.spec.interface).map(|l| l.index);
        let own = link.and_then(|l| host.primary(l, self.spec.family, |a| self.spec.has_vip(a)));
        // An owner has no address but the VIP (RFC 9568 6.4.1).
        let only = || link.and_then(|l| host.primary(l, self.spec.family, |_| false));
        self.source = self.spec.source.or(own).or_else(only);
        std::mem::replace(&mut self.link, link) != link
    }

    /// What the host's state comes to for this router.
    pub fn tracked(&self, host: &Host) -> Tracked {
        Tracked { priority: self.spec.params.priority, faults: self.faults(host) }
    }

    fn faults(&self, host: &Host) -> u32 {
        let Some(link) = host.link(&self.spec.interface) else { return fault::NO_INTERFACE };
        let mut faults = 0;
        if self.spec.track_primary && !link.usable() {
            faults |= fault::LINK_DOWN;
        }
        if self.source.is_none() {
            faults |= fault::NO_ADDRESS;
        }
        if let Some(source) = self.spec.source {
            let missing = self.spec.track_source && !host.has(link.index, source);
            faults |= if missing { fault::NO_SOURCE } else { 0 };
        }
        faults
    }

    /// Whether packets of this family on this link may be for it.
    pub fn is_on(&self, link: u32, family: Family) -> bool {
        self.link == Some(link) && self.spec.family == family
    }
}
