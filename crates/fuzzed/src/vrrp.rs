//! What anyone on the LAN can send to vrrpd.

use std::net::IpAddr;
use std::time::Duration;

use lvs_core::time::Time;
use vrrpd::door::{Door, Peer, Way};
use vrrpd::packet::{Auth, Malformed, Packet, Version};
use vrrpd::params::Params;
use vrrpd::router::Router;
use vrrpd::words::{Input, State};

const PASSWORD: [u8; 8] = *b"password";

/// First four bytes: how the packets come. Then packets, each after its length.
pub fn vrrp_packet(data: &[u8]) {
    let Some((&[how, ttl, from, own], mut rest)) = data.split_first_chunk::<4>() else { return };
    let scene = Scene::new(how, ttl, from);
    let own = scene.host(own);
    let mut router = Router::new(scene.params());
    let mut out = Vec::new();
    let mut now = Time::from_nanos(1_000_000_000);
    router.handle(Input::Source(Some(own)), now, &mut out);
    router.handle(Input::Start, now, &mut out);
    while let Some((&[length, pause], tail)) = rest.split_first_chunk::<2>() {
        let (packet, tail) = tail.split_at(usize::from(length).min(tail.len()));
        now = now + Duration::from_millis(u64::from(pause) * 16);
        scene.hear(packet, own, &mut router, now);
        rest = tail;
    }
}

struct Scene {
    version: Version,
    six: bool,
    sums: bool,
    way: Way,
    door: Door,
}

impl Scene {
    fn new(how: u8, ttl: u8, from: u8) -> Self {
        let bit = |n: u8| how & (1 << n) != 0;
        let six = bit(0);
        let version = if six || bit(1) { Version::V3 } else { Version::V2 };
        let group = if six { IpAddr::from([0xff02, 0, 0, 0, 0, 0, 0, 0x12]) } else { [224, 0, 0, 18].into() };
        let src = host(six, from);
        let (dst, peers) = if bit(2) {
            (host(six, 1), vec![Peer { addr: src, min_ttl: 100, max_ttl: 255 }])
        } else {
            (group, Vec::new())
        };
        let auth = if version == Version::V2 && bit(3) { Auth::Pass(PASSWORD) } else { Auth::None };
        let interval = Duration::from_secs(1);
        let door = Door {
            version,
            interval,
            auth,
            vips: vec![host(six, 200)],
            peers,
            check_source: bit(4),
            old_sum: None,
        };
        Self { version, six, sums: !bit(5), way: Way { src, dst, ttl: if bit(6) { ttl } else { 255 } }, door }
    }

    fn host(&self, last: u8) -> IpAddr {
        host(self.six, last)
    }

    fn params(&self) -> Params {
        Params { version: self.version, ..Params::default() }
    }

    fn hear(&self, bytes: &[u8], own: IpAddr, router: &mut Router, now: Time) {
        let mut bytes = bytes.to_vec();
        if self.sums {
            self.mend_sum(&mut bytes);
        }
        let mut out = Vec::new();
        // The daemon wakes for its timers, so they never lie behind.
        while let Some(due) = router.deadline().filter(|d| *d <= now) {
            router.handle(Input::Tick, due, &mut out);
        }
        let before = (router.state(), router.deadline());
        match Packet::parse(&bytes, self.way.src, self.way.dst) {
            Ok(packet) => {
                self.comes_back(&packet);
                let _ = self.door.lists_others(&packet);
                match self.door.admit(&packet, self.way, Some(own)) {
                    Ok(advert) => router.handle(Input::Advert(advert), now, &mut out),
                    Err(why) => assert!(!why.to_string().is_empty()),
                }
            }
            Err(why) => assert!(!why.to_string().is_empty() && (router.state(), router.deadline()) == before),
        }
        let waits = matches!(router.state(), State::Backup | State::Master);
        let soon = now + Duration::from_secs(130 * 3);
        assert!(!waits || router.deadline().is_some_and(|d| d <= soon), "it waits for nothing: {router:?}");
    }

    /// Random bytes hardly ever have a right checksum.
    fn mend_sum(&self, bytes: &mut [u8]) {
        if bytes.len() < 8 || Packet::parse(bytes, self.way.src, self.way.dst) != Err(Malformed::Checksum) {
            return;
        }
        bytes[6..8].fill(0);
        let mut sum = 0_u32;
        let mut add = |bytes: &[u8]| {
            for pair in bytes.chunks(2) {
                sum += u32::from(u16::from_be_bytes([pair[0], pair.get(1).copied().unwrap_or(0)]));
            }
        };
        if bytes[0] >> 4 == 3 {
            for addr in [self.way.src, self.way.dst] {
                match addr {
                    IpAddr::V4(a) => add(&a.octets()),
                    IpAddr::V6(a) => add(&a.octets()),
                }
            }
            add(&[0, 112]);
            add(&u16::try_from(bytes.len()).unwrap_or(0).to_be_bytes());
        }
        add(bytes);
        while sum > 0xffff {
            sum = (sum >> 16) + (sum & 0xffff);
        }
        bytes[6..8].copy_from_slice(&(!(sum as u16)).to_be_bytes());
        let mended = Packet::parse(bytes, self.way.src, self.way.dst);
        assert_ne!(mended, Err(Malformed::Checksum), "two sums of {bytes:?}");
    }

    /// What was read can be sent, and is then read as the same.
    fn comes_back(&self, packet: &Packet<vrrpd::packet::Addresses<'_>>) {
        let vips: Vec<IpAddr> = packet.vips.iter().collect();
        assert_eq!(vips.len(), packet.vips.len());
        if matches!(packet.auth, Auth::Other(_)) {
            return;
        }
        let Packet { version, vrid, priority, interval, auth, .. } = *packet;
        let mut bytes = Vec::new();
        Packet { version, vrid, priority, interval, auth, vips: &vips[..] }.emit(
            self.way.src,
            self.way.dst,
            &mut bytes,
        );
        let again = Packet::parse(&bytes, self.way.src, self.way.dst).expect("our own packet is read");
        assert_eq!((again.version, again.vrid, again.priority), (version, vrid, priority));
        assert_eq!((again.interval, again.auth), (interval, auth));
        assert_eq!(again.vips.iter().collect::<Vec<_>>(), vips);
    }
}

fn host(six: bool, last: u8) -> IpAddr {
    match six {
        true => IpAddr::from([0xfe80, 0, 0, 0, 0, 0, 0, u16::from(last)]),
        false => IpAddr::from([192, 168, 15, last]),
    }
}

/// Records of a daemon, edited: they end in a word about the first line that is wrong, or in the same actions.
pub fn replay(bytes: &[u8]) {
    if let Err(why) = vrrpd::record::replay(&String::from_utf8_lossy(bytes)) {
        assert!(why.starts_with("line "), "{why}");
    }
}
