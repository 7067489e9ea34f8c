//! Ethernet frames that ask for an address or announce it, and those of probes and checks. Bytes only.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use pnet::datalink::MacAddr;
use pnet::packet::arp::{ArpHardwareTypes, ArpOperation, ArpOperations, MutableArpPacket};
use pnet::packet::ethernet::{EtherType, EtherTypes, MutableEthernetPacket};
use pnet::packet::icmpv6::ndp::{
    MutableNdpOptionPacket, MutableNeighborAdvertPacket, MutableNeighborSolicitPacket, NdpOptionType,
    NdpOptionTypes,
};
use pnet::packet::icmpv6::{self, Icmpv6Packet, Icmpv6Types};
use pnet::packet::ip::IpNextHeaderProtocols;
use pnet::packet::ipv6::MutableIpv6Packet;

use crate::addr::Mac;

mod heard;
mod segment;

pub use heard::{Heard, parse};
pub use segment::{Path, rst, syn};

const ETHERNET: usize = 14;
const ARP: usize = 28;
const IPV6: usize = 40;
/// A neighbour solicitation or advertisement without options, and its link-layer address option.
const NDP: usize = 24;
const OPTION: usize = 8;
/// Neighbour discovery is only taken with it (RFC 4861 section 7.1): nobody sends from afar.
const HOP_LIMIT: u8 = 255;

fn mac(m: Mac) -> MacAddr {
    MacAddr::from(m.0)
}

fn ethernet(own: Mac, to: Mac, kind: EtherType, payload: usize) -> Vec<u8> {
    let mut frame = vec![0; ETHERNET + payload];
    if let Some(mut packet) = MutableEthernetPacket::new(&mut frame) {
        packet.set_source(mac(own));
        packet.set_destination(mac(to));
        packet.set_ethertype(kind);
    }
    frame
}

fn arp(own: Mac, operation: ArpOperation, sender: Ipv4Addr, target: (Mac, Ipv4Addr)) -> Vec<u8> {
    let mut frame = ethernet(own, Mac::BROADCAST, EtherTypes::Arp, ARP);
    if let Some(mut packet) = MutableArpPacket::new(&mut frame[ETHERNET..]) {
        packet.set_hardware_type(ArpHardwareTypes::Ethernet);
        packet.set_protocol_type(EtherTypes::Ipv4);
        packet.set_hw_addr_len(6);
        packet.set_proto_addr_len(4);
        packet.set_operation(operation);
        packet.set_sender_hw_addr(mac(own));
        packet.set_sender_proto_addr(sender);
        packet.set_target_hw_addr(mac(target.0));
        packet.set_target_proto_addr(target.1);
    }
    frame
}

/// The question who has an address, of a kind that enters no cache: an ARP probe (RFC 5227 section 1.1: sender
/// 0.0.0.0), or a neighbour solicitation from the unspecified address (RFC 4862 section 5.4.2).
pub fn question(own: Mac, target: IpAddr) -> Vec<u8> {
    match target {
        IpAddr::V4(target) => {
            arp(own, ArpOperations::Request, Ipv4Addr::UNSPECIFIED, (Mac::default(), target))
        }
        IpAddr::V6(target) => solicitation(own, Ipv6Addr::UNSPECIFIED, target),
    }
}

/// The question who has an address, as a host asks that is going to send there: it tells its own address, which some
/// real servers want to see in their network (arp_ignore 2).
pub fn request(own: Mac, from: IpAddr, target: IpAddr) -> Vec<u8> {
    match (from, target) {
        (IpAddr::V4(from), IpAddr::V4(target)) => {
            arp(own, ArpOperations::Request, from, (Mac::default(), target))
        }
        _ => question(own, target),
    }
}

/// A question that makes whoever has `target`, and routers in between, learn `own` for `from`, also where they had given it
/// up: an ARP request to all, or a neighbour solicitation with the source's address option (RFC 4861 section 7.2.3).
pub fn acquaint(own: Mac, from: IpAddr, target: IpAddr) -> Vec<u8> {
    match (from, target) {
        (IpAddr::V6(from), IpAddr::V6(target)) => solicitation(own, from, target),
        _ => request(own, from, target),
    }
}

/// The announcement that makes everybody learn `own` for an address, byte for byte keepalived's: gratuitous ARP in the
/// request form, because some hosts ignore unasked replies (RFC 5227 section 3), or an unsolicited neighbour
/// advertisement (RFC 4861 section 7.2.6).
pub fn announcement(own: Mac, addr: IpAddr) -> Vec<u8> {
    match addr {
        IpAddr::V4(addr) => arp(own, ArpOperations::Request, addr, (Mac::BROADCAST, addr)),
        IpAddr::V6(addr) => advertisement(own, addr),
    }
}

/// All forms of the announcement: gratuitous ARP as reply too, because some hosts take only that.
pub fn announcements(own: Mac, addr: IpAddr) -> Vec<Vec<u8>> {
    let reply = match addr {
        IpAddr::V4(addr) => Some(arp(own, ArpOperations::Reply, addr, (own, addr))),
        IpAddr::V6(_) => None,
    };
    [announcement(own, addr)].into_iter().chain(reply).collect()
}

/// The Ethernet address of an IPv6 multicast group (RFC 2464 section 7).
fn multicast(group: Ipv6Addr) -> Mac {
    let [.., a, b, c, d] = group.octets();
    Mac([0x33, 0x33, a, b, c, d])
}

/// An ICMPv6 message in its frame; the caller fills the message and calls [`seal`].
fn icmp(own: Mac, from: Ipv6Addr, to: Ipv6Addr, len: usize) -> Vec<u8> {
    let mut frame = ethernet(own, multicast(to), EtherTypes::Ipv6, IPV6 + len);
    ipv6(&mut frame[ETHERNET..], from, to, IpNextHeaderProtocols::Icmpv6.0, HOP_LIMIT);
    frame
}

fn ipv6(bytes: &mut [u8], from: Ipv6Addr, to: Ipv6Addr, next: u8, hops: u8) {
    let len = u16::try_from(bytes.len() - IPV6).unwrap_or(0);
    if let Some(mut packet) = MutableIpv6Packet::new(bytes) {
        packet.set_version(6);
        packet.set_payload_length(len);
        packet.set_next_header(pnet::packet::ip::IpNextHeaderProtocol(next));
        packet.set_hop_limit(hops);
        packet.set_source(from);
        packet.set_destination(to);
    }
}

/// Writes the ICMPv6 checksum.
fn seal(mut frame: Vec<u8>, from: Ipv6Addr, to: Ipv6Addr) -> Vec<u8> {
    let body = &mut frame[ETHERNET + IPV6..];
    let sum = Icmpv6Packet::new(body).map_or(0, |packet| icmpv6::checksum(&packet, &from, &to));
    body[2..4].copy_from_slice(&sum.to_be_bytes());
    frame
}

/// From the unspecified address it may not tell the sender's MAC address (RFC 4861 section 4.3).
fn solicitation(own: Mac, from: Ipv6Addr, target: Ipv6Addr) -> Vec<u8> {
    let [.., a, b, c] = target.octets();
    // The solicited-node group, RFC 4291 section 2.7.1.
    let group = Ipv6Addr::from([0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff, a, b, c]);
    let len = if from.is_unspecified() { NDP } else { NDP + OPTION };
    let mut frame = icmp(own, from, group, len);
    if let Some(mut packet) = MutableNeighborSolicitPacket::new(&mut frame[ETHERNET + IPV6..]) {
        packet.set_icmpv6_type(Icmpv6Types::NeighborSolicit);
        packet.set_target_addr(target);
    }
    // There is room for it or not.
    option(&mut frame[ETHERNET + IPV6 + NDP..], NdpOptionTypes::SourceLLAddr, own);
    seal(frame, from, group)
}

fn advertisement(own: Mac, addr: Ipv6Addr) -> Vec<u8> {
    /// The flag that makes neighbours take the new MAC although they have one.
    const OVERRIDE: u8 = 0x20;
    let nodes = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 1);
    let mut frame = icmp(own, addr, nodes, NDP + OPTION);
    if let Some(mut packet) = MutableNeighborAdvertPacket::new(&mut frame[ETHERNET + IPV6..]) {
        packet.set_icmpv6_type(Icmpv6Types::NeighborAdvert);
        packet.set_flags(OVERRIDE);
        packet.set_target_addr(addr);
    }
    option(&mut frame[ETHERNET + IPV6 + NDP..], NdpOptionTypes::TargetLLAddr, own);
    seal(frame, addr, nodes)
}

fn option(bytes: &mut [u8], kind: NdpOptionType, own: Mac) {
    if let Some(mut option) = MutableNdpOptionPacket::new(bytes) {
        option.set_option_type(kind);
        option.set_length(1);
        option.set_data(&own.0);
    }
}

#[cfg(test)]
mod tests;
