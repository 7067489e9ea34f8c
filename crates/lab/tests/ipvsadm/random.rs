//! Random legal tables from a fixed seed: the same on every run.

use lvs_core::addr::{Endpoint, Family};
use lvs_core::table::{
    Forward, Protocol, Server, Service, ServiceEntry, ServiceFlags, ServiceKey, Table, Tunnel, TunnelChecksum,
};

/// A small generator (splitmix64).
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self, below: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % below
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        let i = self.next(from.len() as u64);
        from[usize::try_from(i).unwrap_or(0)]
    }

    /// Few addresses, so that tables share services and servers.
    pub(crate) fn table(&mut self) -> Table {
        let mut table = Table::default();
        for _ in 0..self.next(9) {
            let key = self.key();
            let mut entry = ServiceEntry::new(self.service(&key));
            for _ in 0..self.next(7) {
                let (endpoint, server) = self.server(&key);
                entry.servers.insert(endpoint, server);
            }
            table.services.insert(key, entry);
        }
        table
    }

    /// Forty services with some of the same sixteen servers each: from one to the next takes several writes.
    pub(crate) fn large(&mut self) -> Table {
        let mut table = Table::default();
        for n in 0..40 {
            let key = ServiceKey::Addr { protocol: Protocol::Tcp, vip: Endpoint::new([10, 0, 1, n], 80) };
            let mut entry = ServiceEntry::new(self.service(&key));
            for last in 10..26 {
                let server =
                    Server { forward: Forward::Route, weight: self.pick(&[0, 1, 5]), upper: 0, lower: 0 };
                if self.next(3) > 0 {
                    entry.servers.insert(Endpoint::new([10, 0, 0, last], 80), server);
                }
            }
            table.services.insert(key, entry);
        }
        table
    }

    fn key(&mut self) -> ServiceKey {
        let protocol = self.pick(&[Protocol::Tcp, Protocol::Udp, Protocol::Sctp]);
        let port = self.pick(&[80, 443]);
        match self.next(4) {
            0 => ServiceKey::Mark {
                mark: self.pick(&[1, 7, u32::MAX]),
                family: self.pick(&[Family::Inet, Family::Inet6]),
            },
            1 => ServiceKey::Addr { protocol, vip: Endpoint::new([0xfd, 0, 0, 0, 0, 0, 0, 9], port) },
            _ => ServiceKey::Addr { protocol, vip: Endpoint::new([10, 0, 0, self.pick(&[8, 9])], port) },
        }
    }

    fn service(&mut self, key: &ServiceKey) -> Service {
        let mut service = Service::new(self.pick(&["rr", "wlc", "sh", "mh", "wrr"]), key.family());
        if matches!(service.scheduler.as_str(), "sh" | "mh") {
            let flags = [
                ServiceFlags::default(),
                ServiceFlags::SCHED_1,
                ServiceFlags::SCHED_2,
                ServiceFlags::SCHED_3,
            ];
            service.flags = self.pick(&flags);
        }
        if matches!(key, ServiceKey::Addr { protocol: Protocol::Udp, .. }) && self.next(2) == 0 {
            service.flags = service.flags.with(ServiceFlags::ONE_PACKET);
        }
        if self.next(2) == 0 {
            service.persistence = Some(self.pick(&[60, 3600]));
            service.netmask = match key.family() {
                Family::Inet => self.pick(&[u32::MAX, 0xffff_ff00]),
                Family::Inet6 => self.pick(&[128, 64]),
            };
        }
        service
    }

    fn server(&mut self, key: &ServiceKey) -> (Endpoint, Server) {
        let tunnels = [
            Forward::Tunnel(Tunnel::Ipip),
            Forward::Tunnel(Tunnel::Gue { port: 5555, checksum: TunnelChecksum::Full }),
            Forward::Tunnel(Tunnel::Gre { checksum: TunnelChecksum::None }),
        ];
        let forward = match self.next(3) {
            0 => Forward::Masq,
            1 => Forward::Route,
            _ => self.pick(&tunnels),
        };
        let last = u8::try_from(10 + self.next(6)).unwrap_or(10);
        // Only masquerading translates ports.
        let port = if forward == Forward::Masq { 8080 } else { key.port() };
        let endpoint = match key.family() {
            Family::Inet => Endpoint::new([10, 0, 0, last], port),
            Family::Inet6 => Endpoint::new([0xfd00, 0, 0, 0, 0, 0, 0, u16::from(last)], port),
        };
        let upper = self.pick(&[0, 50]);
        let server = Server { forward, weight: self.pick(&[0, 1, 5]), upper, lower: upper / 2 };
        (endpoint, server)
    }
}
