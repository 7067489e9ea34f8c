use super::*;

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn door() -> Door {
    Door {
        version: Version::V2,
        interval: Duration::from_secs(1),
        auth: Auth::Pass(*b"your_pas"),
        vips: vec![ip("192.168.15.111")],
        peers: Vec::new(),
        check_source: false,
        old_sum: None,
    }
}

fn multicast() -> Way {
    Way { src: ip("192.168.15.100"), dst: ip("224.0.0.18"), ttl: 255 }
}

/// Sends a packet that `door` itself would send, changed by `change`, and asks what becomes of it.
fn knock(door: &Door, way: Way, change: impl Fn(&mut Packet<&[IpAddr]>)) -> Result<Advert, Reject> {
    let mut packet = Packet {
        version: door.version,
        vrid: 51,
        priority: 100,
        interval: door.interval,
        auth: door.auth,
        vips: &door.vips[..],
    };
    change(&mut packet);
    let mut bytes = Vec::new();
    packet.emit(way.src, way.dst, &mut bytes);
    door.admit(&Packet::parse(&bytes, way.src, way.dst)?, way, Some(ip("192.168.15.101")))
}

#[test]
fn a_peer_s_advertisement_is_let_in() {
    let want = Advert { src: ip("192.168.15.100"), priority: 100, interval: Duration::from_secs(1) };
    assert_eq!(knock(&door(), multicast(), |_| ()), Ok(want));
}

#[test]
fn every_other_is_refused_with_its_reason() {
    let d = door();
    let two = Duration::from_secs(2);
    assert_eq!(knock(&d, Way { ttl: 254, ..multicast() }, |_| ()), Err(Reject::Ttl(254)));
    assert_eq!(knock(&d, multicast(), |p| p.auth = Auth::Pass(*b"his_pass")), Err(Reject::Password));
    assert_eq!(knock(&d, multicast(), |p| p.auth = Auth::None), Err(Reject::AuthType { theirs: 0, ours: 1 }));
    assert_eq!(
        knock(&d, multicast(), |p| p.auth = Auth::Other(2)),
        Err(Reject::AuthType { theirs: 2, ours: 1 })
    );
    assert_eq!(
        knock(&d, multicast(), |p| p.interval = two),
        Err(Reject::Interval { theirs: two, ours: d.interval })
    );
    assert_eq!(
        knock(&d, multicast(), |p| p.version = Version::V3),
        Err(Reject::Version { theirs: Version::V3, ours: Version::V2 })
    );
    assert_eq!(knock(&d, Way { src: ip("192.168.15.101"), ..multicast() }, |_| ()), Err(Reject::OwnAddress));
    let unicast = Way { dst: ip("192.168.15.101"), ..multicast() };
    assert_eq!(knock(&d, unicast, |_| ()), Err(Reject::NotPeer));
}

#[test]
fn version_3_takes_any_interval() {
    let d = Door { version: Version::V3, auth: Auth::None, ..door() };
    let slow = Duration::from_secs(7);
    assert_eq!(knock(&d, multicast(), |p| p.interval = slow).map(|a| a.interval), Ok(slow));
}

#[test]
fn unicast_peers_have_bounds_of_their_own() {
    let peer = Peer { addr: ip("192.168.15.100"), min_ttl: 60, max_ttl: 64 };
    let mut d = Door { peers: vec![peer], ..door() };
    let way = |src, ttl| Way { src: ip(src), dst: ip("192.168.15.101"), ttl };
    assert!(knock(&d, way("192.168.15.100", 64), |_| ()).is_ok());
    assert_eq!(knock(&d, way("192.168.15.100", 65), |_| ()), Err(Reject::PeerTtl(65)));
    assert!(knock(&d, way("10.0.0.9", 3), |_| ()).is_ok());
    assert_eq!(knock(&d, multicast(), |_| ()), Err(Reject::Group(ip("224.0.0.18"))));
    d.check_source = true;
    assert_eq!(knock(&d, way("10.0.0.9", 64), |_| ()), Err(Reject::NotPeer));
}

#[test]
fn old_sums_are_read_where_they_are_meant() {
    let peer = Peer { addr: ip("192.168.15.100"), min_ttl: 0, max_ttl: 255 };
    let group = ip("224.0.0.18");
    let d =
        Door { version: Version::V3, auth: Auth::None, peers: vec![peer], old_sum: Some(group), ..door() };
    let way = Way { dst: ip("192.168.15.101"), ..multicast() };
    // As keepalived 2.2.7 with old_unicast_checksum sends it from 192.168.200.1 for VRID 51, priority 150, 1 s.
    let bytes = [0x31, 51, 150, 1, 0, 100, 0x46, 0x74, 192, 168, 200, 16];
    let from = Way { src: ip("192.168.200.1"), dst: ip("192.168.200.2"), ..way };
    assert_eq!(Packet::parse(&bytes, from.src, from.dst).map(|_| ()), Err(Malformed::Checksum));
    assert_eq!(d.read_old(&bytes, from).map(|p| p.priority), Some(150));
    assert!(d.read_old(&bytes, Way { src: ip("192.168.200.9"), ..from }).is_none());
    assert!(d.read_old(&bytes, Way { dst: group, ..from }).is_none());
    assert!(Door { old_sum: None, ..d }.read_old(&bytes, from).is_none());
}

#[test]
fn another_list_of_addresses_is_seen_but_not_refused() {
    let d = door();
    for (vips, differ) in [(vec!["192.168.15.111"], false), (vec![], true), (vec!["192.168.15.112"], true)] {
        let vips: Vec<IpAddr> = vips.into_iter().map(ip).collect();
        let packet = Packet {
            version: d.version,
            vrid: 51,
            priority: 100,
            interval: d.interval,
            auth: d.auth,
            vips: &vips[..],
        };
        let mut bytes = Vec::new();
        packet.emit(multicast().src, multicast().dst, &mut bytes);
        let packet = Packet::parse(&bytes, multicast().src, multicast().dst).unwrap();
        assert_eq!(d.lists_others(&packet), differ);
        assert!(d.admit(&packet, multicast(), None).is_ok());
    }
}

#[test]
fn every_kind_of_reject_has_a_name() {
    let v = Version::V2;
    let (t, z) = (Duration::ZERO, 0);
    let all = [
        Reject::Malformed(Malformed::Short { have: 0, need: 0 }),
        Reject::Malformed(Malformed::Long { have: 0, need: 0 }),
        Reject::Malformed(Malformed::Version(z)),
        Reject::Malformed(Malformed::Type(z)),
        Reject::Malformed(Malformed::Checksum),
        Reject::Malformed(Malformed::Vrid),
        Reject::Ttl(z),
        Reject::PeerTtl(z),
        Reject::NotPeer,
        Reject::OwnAddress,
        Reject::Version { theirs: v, ours: v },
        Reject::Interval { theirs: t, ours: t },
        Reject::AuthType { theirs: z, ours: z },
        Reject::Password,
        Reject::Group(ip("224.0.0.18")),
    ];
    let kinds: Vec<usize> = all.iter().map(Reject::kind).collect();
    assert_eq!(kinds, (0..Reject::KINDS.len()).collect::<Vec<_>>());
}
