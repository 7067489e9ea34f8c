//! Frames that tell hosts where an address is: gratuitous ARP, unsolicited neighbour advertisements.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use lvs_core::addr::Mac;
use pnet::packet::MutablePacket;
use pnet::packet::Packet;
use pnet::packet::arp::{ArpHardwareTypes, ArpOperations, MutableArpPacket};
use pnet::packet::ethernet::{EtherTypes, MutableEthernetPacket};
use pnet::packet::icmpv6::ndp::{MutableNdpOptionPacket, MutableNeighborAdvertPacket, NdpOptionTypes};
use pnet::packet::icmpv6::{Icmpv6Packet, Icmpv6Types, checksum};
use pnet::packet::ip::IpNextHeaderProtocols;
use pnet::packet::ipv6::MutableIpv6Packet;
use pnet::util::MacAddr;

const ETHERNET: usize = 14;
const ARP: usize = ETHERNET + 28;
const IPV6: usize = 40;
const ADVERT: usize = 24;
const OPTION: usize = 8;
const NEIGHBOUR: usize = ETHERNET + IPV6 + ADVERT + OPTION;
/// The override flag: replace what is cached (RFC 4861 4.4).
const OVERRIDE: u8 = 0x20;
/// The router flag.
const ROUTER: u8 = 0x80;

/// A frame of at most so many bytes; it needs no allocation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame {
    bytes: [u8; NEIGHBOUR],
    len: usize,
}

impl Frame {
    /// The frame from its Ethernet header on.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }
}

/// The frame that says "`addr` is at `mac`".
pub fn frame(addr: IpAddr, mac: Mac, forwards: bool) -> Frame {
    let mut bytes = [0; NEIGHBOUR];
    let len = match addr {
        IpAddr::V4(a) => arp(a, mac, &mut bytes[..ARP]),
        IpAddr::V6(a) => neighbour(a, mac, forwards, &mut bytes),
    };
    // The buffers are as long as the packets: every constructor and setter has room.
    Frame { bytes, len: len.unwrap_or(0) }
}

fn ethernet<'a>(bytes: &'a mut [u8], to: Mac, from: Mac) -> Option<MutableEthernetPacket<'a>> {
    let mut frame = MutableEthernetPacket::new(bytes)?;
    frame.set_destination(mac_addr(to));
    frame.set_source(mac_addr(from));
    Some(frame)
}

fn mac_addr(Mac([a, b, c, d, e, f]): Mac) -> MacAddr {
    MacAddr(a, b, c, d, e, f)
}

/// The request form, as keepalived sends it: some hosts ignore unasked replies (RFC 5227 3).
fn arp(addr: Ipv4Addr, mac: Mac, bytes: &mut [u8]) -> Option<usize> {
    let mut frame = ethernet(bytes, Mac::BROADCAST, mac)?;
    frame.set_ethertype(EtherTypes::Arp);
    let mut arp = MutableArpPacket::new(frame.payload_mut())?;
    arp.set_hardware_type(ArpHardwareTypes::Ethernet);
    arp.set_protocol_type(EtherTypes::Ipv4);
    arp.set_hw_addr_len(6);
    arp.set_proto_addr_len(4);
    arp.set_operation(ArpOperations::Request);
    arp.set_sender_hw_addr(mac_addr(mac));
    arp.set_sender_proto_addr(addr);
    arp.set_target_hw_addr(mac_addr(Mac::BROADCAST));
    arp.set_target_proto_addr(addr);
    Some(ARP)
}

fn neighbour(addr: Ipv6Addr, mac: Mac, forwards: bool, bytes: &mut [u8]) -> Option<usize> {
    let all_nodes = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 1);
    let mut frame = ethernet(bytes, Mac([0x33, 0x33, 0, 0, 0, 1]), mac)?;
    frame.set_ethertype(EtherTypes::Ipv6);
    let mut ip = MutableIpv6Packet::new(frame.payload_mut())?;
    ip.set_version(6);
    ip.set_payload_length(u16::try_from(ADVERT + OPTION).ok()?);
    ip.set_next_header(IpNextHeaderProtocols::Icmpv6);
    // RFC 4861 7.1.2: receivers drop any other hop limit.
    ip.set_hop_limit(255);
    ip.set_source(addr);
    ip.set_destination(all_nodes);
    let mut advert = MutableNeighborAdvertPacket::new(ip.payload_mut())?;
    advert.set_icmpv6_type(Icmpv6Types::NeighborAdvert);
    advert.set_flags(if forwards { OVERRIDE | ROUTER } else { OVERRIDE });
    advert.set_target_addr(addr);
    let mut option = MutableNdpOptionPacket::new(advert.get_options_raw_mut())?;
    option.set_option_type(NdpOptionTypes::TargetLLAddr);
    option.set_length(1);
    option.set_data(&mac.0);
    let sum = checksum(&Icmpv6Packet::new(advert.packet())?, &addr, &all_nodes);
    advert.set_checksum(sum);
    Some(NEIGHBOUR)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAC: Mac = Mac([0x62, 0xd1, 0x68, 0x5c, 0x2e, 0x2f]);

    fn hex(text: &str) -> Vec<u8> {
        text.split_whitespace().map(|b| u8::from_str_radix(b, 16).unwrap()).collect()
    }

    /// As keepalived 2.2.7 sends it, byte for byte.
    #[test]
    fn gratuitous_arp_is_keepalived_s() {
        let want = hex(
            "ff ff ff ff ff ff 62 d1 68 5c 2e 2f 08 06 00 01 08 00 06 04 00 01 62 d1 68 5c 2e 2f c0 a8 0f 71 \
                        ff ff ff ff ff ff c0 a8 0f 71",
        );
        assert_eq!(frame("192.168.15.113".parse().unwrap(), MAC, false).bytes(), want);
    }

    /// As keepalived 2.2.7 sends it, byte for byte.
    #[test]
    fn the_neighbour_advertisement_is_keepalived_s() {
        let want = hex(
            "33 33 00 00 00 01 62 d1 68 5c 2e 2f 86 dd 60 00 00 00 00 20 3a ff fe 80 00 00 00 00 00 00 00 00 \
                        00 00 00 01 00 01 ff 02 00 00 00 00 00 00 00 00 00 00 00 00 00 01 88 00 60 3d 20 00 00 00 fe 80 \
                        00 00 00 00 00 00 00 00 00 00 00 01 00 01 02 01 62 d1 68 5c 2e 2f",
        );
        assert_eq!(frame("fe80::1:1".parse().unwrap(), MAC, false).bytes(), want);
    }
}
