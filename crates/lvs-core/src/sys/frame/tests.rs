use proptest::prelude::*;

use pnet::packet::Packet;
use pnet::packet::ipv4::{self, Ipv4Packet};
use pnet::packet::tcp::{self, TcpFlags, TcpPacket};

use super::*;

const OWN: Mac = Mac([2, 0, 0xc0, 0xa8, 0x0f, 0x64]);

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

#[test]
fn an_arp_probe_has_no_sender_address() {
    let frame = question(OWN, "192.168.15.111".parse().unwrap());
    let want = "ffffffffffff0200c0a80f6408060001080006040001\
                0200c0a80f640000000000000000 0000c0a80f6f";
    assert_eq!(hex(&frame), want.replace(' ', ""));
    assert_eq!(parse(&frame), None, "a probe claims nothing");
}

#[test]
fn a_request_tells_who_asks() {
    let frame = request(OWN, "192.168.15.100".parse().unwrap(), "192.168.15.102".parse().unwrap());
    let want = "ffffffffffff0200c0a80f6408060001080006040001\
                0200c0a80f64c0a80f64000000000000c0a80f66";
    assert_eq!(hex(&frame), want);
}

#[test]
fn announcements_claim_the_address_unasked() {
    let addr: IpAddr = "192.168.15.111".parse().unwrap();
    let frames = announcements(OWN, addr);
    assert_eq!(frames.len(), 2);
    for frame in frames {
        assert_eq!(parse(&frame), Some(Heard::Claim { addr, mac: OWN, answer: false }));
    }
    let addr: IpAddr = "2001:db8::111".parse().unwrap();
    let [frame] = announcements(OWN, addr).try_into().unwrap();
    assert_eq!(parse(&frame), Some(Heard::Claim { addr, mac: OWN, answer: true }));
    assert_eq!(hex(&frame[..6]), "333300000001");
}

#[test]
fn a_solicitation_asks_the_group_of_its_target() {
    let frame = question(OWN, "2001:db8::1:2345".parse().unwrap());
    assert_eq!(hex(&frame[..14]), "3333ff0123450200c0a80f6486dd");
    // Next header, hop limit, unspecified source, solicited-node group.
    assert_eq!(hex(&frame[20..22]), "3aff");
    assert_eq!(hex(&frame[22..54]), format!("{}ff0200000000000000000001ff012345", "00".repeat(16)));
    let packet = Icmpv6Packet::new(&frame[54..]).unwrap();
    let group = Ipv6Addr::from(<[u8; 16]>::try_from(&frame[38..54]).unwrap());
    assert_eq!(packet.get_checksum(), icmpv6::checksum(&packet, &Ipv6Addr::UNSPECIFIED, &group));
}

#[test]
fn an_answer_is_told_from_an_announcement() {
    let reply =
        arp(OWN, ArpOperations::Reply, Ipv4Addr::new(10, 0, 0, 1), (Mac::default(), Ipv4Addr::UNSPECIFIED));
    let want = Heard::Claim { addr: "10.0.0.1".parse().unwrap(), mac: OWN, answer: true };
    assert_eq!(parse(&reply), Some(want));
}

fn path(from: &str, to: &str) -> Path {
    Path { own: OWN, mac: Mac([2, 0, 0, 0, 0, 9]), from: from.parse().unwrap(), to: to.parse().unwrap() }
}

#[test]
fn a_syn_goes_to_the_real_servers_mac_with_the_vip_as_destination() {
    let path = path("192.168.15.100:40000", "192.168.15.111:7885");
    let frame = syn(&path, 0x0102_0304);
    assert_eq!(hex(&frame[..12]), "0200000000090200c0a80f64");
    let packet = Ipv4Packet::new(&frame[14..]).unwrap();
    assert_eq!(packet.get_destination().to_string(), "192.168.15.111");
    assert_eq!(packet.get_checksum(), ipv4::checksum(&packet));
    let segment = TcpPacket::new(packet.payload()).unwrap();
    let (from, to) = (packet.get_source(), packet.get_destination());
    assert_eq!(segment.get_checksum(), tcp::ipv4_checksum(&segment, &from, &to));
    assert_eq!((segment.get_flags(), segment.get_destination()), (TcpFlags::SYN, 7885));
}

#[test]
fn ipv6_segments_too() {
    let path = path("[2001:db8::64]:40000", "[2001:db8::111]:80");
    let heard = parse(&rst(&path, 7)).unwrap();
    let Heard::Tcp { from, port, open, reset, mac, .. } = heard else { panic!("{heard:?}") };
    assert_eq!((from, port, open, reset, mac), (path.from, 80, false, true, OWN));
}

proptest! {
    #[test]
    fn any_frame_is_heard_or_not(bytes in proptest::collection::vec(any::<u8>(), 0..128), kind in 0usize..3) {
        let mut bytes = bytes;
        // Let it get past the Ethernet header.
        if bytes.len() > 14 {
            bytes[12..14].copy_from_slice(&[[8, 6], [8, 0], [0x86, 0xdd]][kind]);
        }
        let _ = parse(&bytes);
    }
}

/// Hosts learn from it: the sender's protocol address and hardware address stand in it.
#[test]
fn who_wants_to_be_known_says_who_it_is() {
    let [four, six] = [("10.0.0.1", "10.0.0.2"), ("fe80::1", "fe80::2")]
        .map(|(from, to)| acquaint(OWN, from.parse().unwrap(), to.parse().unwrap()));
    assert_eq!(four, request(OWN, "10.0.0.1".parse().unwrap(), "10.0.0.2".parse().unwrap()));
    let own = OWN.0;
    // RFC 4861 section 4.3: source, the solicited-node group, the target, and option 1 with the source's MAC address.
    assert_eq!(six.len(), 14 + 40 + 24 + 8);
    assert_eq!(six[..6], [0x33, 0x33, 0xff, 0, 0, 2]);
    assert_eq!(six[22..24], [0xfe, 0x80]);
    assert_eq!((six[37], six[20], six[54]), (1, 58, 135));
    assert_eq!(six[62..64], [0xfe, 0x80]);
    assert_eq!(six[78..], [&[1, 1][..], &own].concat());
}

const KEEPALIVEDS: Mac = Mac([0x62, 0xd1, 0x68, 0x5c, 0x2e, 0x2f]);

/// As keepalived 2.2.7 sends it, byte for byte.
#[test]
fn gratuitous_arp_is_keepalived_s() {
    let want = "ff ff ff ff ff ff 62 d1 68 5c 2e 2f 08 06 00 01 08 00 06 04 00 01 62 d1 68 5c 2e 2f c0 a8 0f 71 \
                    ff ff ff ff ff ff c0 a8 0f 71";
    assert_eq!(hex(&announcement(KEEPALIVEDS, "192.168.15.113".parse().unwrap())), want.replace(' ', ""));
}

/// As keepalived 2.2.7 sends it, byte for byte.
#[test]
fn the_neighbour_advertisement_is_keepalived_s() {
    let want = "33 33 00 00 00 01 62 d1 68 5c 2e 2f 86 dd 60 00 00 00 00 20 3a ff fe 80 00 00 00 00 00 00 00 00 \
                    00 00 00 01 00 01 ff 02 00 00 00 00 00 00 00 00 00 00 00 00 00 01 88 00 60 3d 20 00 00 00 fe 80 \
                    00 00 00 00 00 00 00 00 00 00 00 01 00 01 02 01 62 d1 68 5c 2e 2f";
    assert_eq!(hex(&announcement(KEEPALIVEDS, "fe80::1:1".parse().unwrap())), want.replace(' ', ""));
}
