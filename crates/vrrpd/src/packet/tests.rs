use proptest::prelude::*;

use super::*;

const SRC4: &str = "192.168.15.100";
const GROUP4: &str = "224.0.0.18";

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn emitted(packet: &Packet<&[IpAddr]>, src: IpAddr, dst: IpAddr) -> Vec<u8> {
    let mut out = vec![0xa5; 3];
    packet.emit(src, dst, &mut out);
    out.split_off(3)
}

/// As keepalived 2.2.7 sends it for VRID 51, priority 100, PASS `your_password`, VIP 192.168.15.111.
const SEED: [u8; 20] =
    [0x21, 51, 100, 1, 1, 1, 0xf9, 0xec, 192, 168, 15, 111, b'y', b'o', b'u', b'r', b'_', b'p', b'a', b's'];

#[test]
fn version_2_with_a_password_is_byte_for_byte_keepalived_s() {
    let vips = [ip("192.168.15.111")];
    let packet = Packet {
        version: Version::V2,
        vrid: 51,
        priority: 100,
        interval: Duration::from_secs(1),
        auth: Auth::Pass(*b"your_pas"),
        vips: &vips[..],
    };
    assert_eq!(emitted(&packet, ip(SRC4), ip(GROUP4)), SEED);
    let parsed = Packet::parse(&SEED, ip(SRC4), ip(GROUP4)).unwrap();
    assert_eq!(parsed.auth, packet.auth);
    assert_eq!(parsed.vips.iter().collect::<Vec<_>>(), vips);
    // Version 2 sums up the packet alone: the way it took does not matter.
    assert!(Packet::parse(&SEED, ip("10.9.9.9"), ip("10.1.1.1")).is_ok());
}

#[test]
fn each_fault_of_form_has_its_own_name() {
    let with = |change: fn(&mut Vec<u8>)| {
        let mut bytes = SEED.to_vec();
        change(&mut bytes);
        Packet::parse(&bytes, ip(SRC4), ip(GROUP4)).map(|_| ()).unwrap_err()
    };
    assert_eq!(with(|b| b.truncate(7)), Malformed::Short { have: 7, need: 8 });
    assert_eq!(with(|b| b.truncate(19)), Malformed::Short { have: 19, need: 20 });
    assert_eq!(with(|b| b.push(0)), Malformed::Long { have: 21, need: 20 });
    assert_eq!(with(|b| b[3] = 2), Malformed::Short { have: 20, need: 24 });
    assert_eq!(with(|b| b[0] = 0x41), Malformed::Version(4));
    assert_eq!(with(|b| b[0] = 0x22), Malformed::Type(2));
    assert_eq!(with(|b| b[2] = 101), Malformed::Checksum);
    let mut no_vrid = SEED;
    no_vrid[1] = 0;
    no_vrid[6..8].copy_from_slice(&(0xf9ec_u16 + 51).to_be_bytes());
    assert_eq!(Packet::parse(&no_vrid, ip(SRC4), ip(GROUP4)), Err(Malformed::Vrid));
}

#[test]
fn version_2_does_not_exist_over_ipv6() {
    assert_eq!(Packet::parse(&SEED, ip("fe80::1"), ip("ff02::12")).map(|_| ()), Err(Malformed::Version(2)));
}

/// As keepalived 2.2.7 sends them from fe80::60d1:68ff:fe5c:2e2f and 192.168.15.100, 0.5 s.
const V3_INET6: [u8; 40] = [
    0x31, 0x34, 0x64, 0x02, 0x00, 0x32, 0x48, 0xbf, 0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 1,
    0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0x11,
];
const V3_INET: [u8; 16] =
    [0x31, 0x35, 0x64, 0x02, 0x00, 0x32, 0x19, 0xc2, 192, 168, 15, 113, 192, 168, 15, 114];

#[test]
fn version_3_is_byte_for_byte_keepalived_s() {
    let six = [ip("fe80::1:1"), ip("2001:db8::111")];
    let four = [ip("192.168.15.113"), ip("192.168.15.114")];
    let cases = [
        (52, &six, "fe80::60d1:68ff:fe5c:2e2f", "ff02::12", &V3_INET6[..]),
        (53, &four, SRC4, GROUP4, &V3_INET[..]),
    ];
    for (vrid, vips, src, dst, bytes) in cases {
        let interval = Duration::from_millis(500);
        let packet =
            Packet { version: Version::V3, vrid, priority: 100, interval, auth: Auth::None, vips: &vips[..] };
        assert_eq!(emitted(&packet, ip(src), ip(dst)), bytes);
        assert_eq!(Packet::parse(bytes, ip(src), ip(dst)).unwrap().interval, interval);
    }
}

#[test]
fn version_3_sums_up_its_way() {
    let vips = [ip("fe80::5"), ip("2001:db8::5")];
    let packet = Packet {
        version: Version::V3,
        vrid: 7,
        priority: 150,
        interval: Duration::from_millis(100),
        auth: Auth::None,
        vips: &vips[..],
    };
    let (src, dst) = (ip("fe80::1"), ip("ff02::12"));
    let bytes = emitted(&packet, src, dst);
    assert_eq!(bytes.len(), 40);
    assert!(Packet::parse(&bytes, src, dst).is_ok());
    assert_eq!(Packet::parse(&bytes, ip("fe80::2"), dst).map(|_| ()), Err(Malformed::Checksum));
}

fn any_packet() -> impl Strategy<Value = (Packet<()>, Vec<IpAddr>, IpAddr, IpAddr)> {
    let common = (1_u8.., any::<u8>(), any::<bool>(), any::<[u8; 8]>(), 0_usize..=255, any::<u16>());
    common.prop_flat_map(|(vrid, priority, six, pass, count, interval)| {
        let addr = if six {
            any::<Ipv6Addr>().prop_map(IpAddr::V6).boxed()
        } else {
            any::<Ipv4Addr>().prop_map(IpAddr::V4).boxed()
        };
        let v2 = !six && interval % 2 == 0;
        let packet = Packet {
            version: if v2 { Version::V2 } else { Version::V3 },
            vrid,
            priority,
            interval: if v2 {
                Duration::from_secs(u64::from(interval) % 256)
            } else {
                Duration::from_millis(u64::from(interval) % 4096 * 10)
            },
            auth: if v2 && interval % 4 == 0 { Auth::Pass(pass) } else { Auth::None },
            vips: (),
        };
        (Just(packet), proptest::collection::vec(addr.clone(), count), addr.clone(), addr)
    })
}

proptest! {
    #[test]
    fn what_is_emitted_parses_to_the_same((p, vips, src, dst) in any_packet()) {
        let Packet { version, vrid, priority, interval, auth, .. } = p;
        let bytes = emitted(&Packet { version, vrid, priority, interval, auth, vips: &vips[..] }, src, dst);
        let back = Packet::parse(&bytes, src, dst).unwrap();
        let head = Packet {
            version: back.version, vrid: back.vrid, priority: back.priority,
            interval: back.interval, auth: back.auth, vips: (),
        };
        prop_assert_eq!(head, p);
        prop_assert_eq!(back.vips.iter().collect::<Vec<_>>(), vips);
    }

    #[test]
    fn any_bytes_are_read_without_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300), six: bool) {
        let (src, dst) = if six { (ip("fe80::1"), ip("ff02::12")) } else { (ip(SRC4), ip(GROUP4)) };
        if let Ok(p) = Packet::parse(&bytes, src, dst) {
            prop_assert_eq!(p.vips.iter().count(), p.vips.len());
        }
    }

    #[test]
    fn a_changed_bit_is_noticed((p, vips, src, dst) in any_packet(), bit in any::<proptest::sample::Index>()) {
        let Packet { version, vrid, priority, interval, auth, .. } = p;
        let mut bytes = emitted(&Packet { version, vrid, priority, interval, auth, vips: &vips[..] }, src, dst);
        let bit = bit.index(bytes.len() * 8);
        bytes[bit / 8] ^= 1 << (bit % 8);
        prop_assert!(Packet::parse(&bytes, src, dst).is_err());
    }
}
