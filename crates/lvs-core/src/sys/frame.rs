//! Ethernet frames of probes and checks: ARP, neighbour discovery, TCP SYN and RST. Bytes only.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use pnet::datalink::MacAddr;
use pnet::packet::Packet;
use pnet::packet::arp::{ArpHardwareTypes, ArpOperation, ArpOperations, ArpPacket, MutableArpPacket};
use pnet::packet::ethernet::{EtherType, EtherTypes, EthernetPacket, MutableEthernetPacket};
use pnet::packet::icmpv6::ndp::{
    MutableNdpOptionPacket, MutableNeighborAdvertPacket, MutableNeighborSolicitPacket, NdpOptionTypes,
    NeighborAdvertPacket,
};
use pnet::packet::icmpv6::{self, Icmpv6Packet, Icmpv6Types};
use pnet::packet::ip::IpNextHeaderProtocols;
use pnet::packet::ipv4::{self, Ipv4Flags, Ipv4Packet, MutableIpv4Packet};
use pnet::packet::ipv6::{Ipv6Packet, MutableIpv6Packet};
use pnet::packet::tcp::{self, MutableTcpPacket, TcpFlags, TcpPacket};

use crate::addr::{Endpoint, Mac};

const ETHERNET: usize = 14;
const ARP: usize = 28;
const IPV4: usize = 20;
const IPV6: usize = 40;
const TCP: usize = 20;
/// A neighbour solicitation or advertisement without options, and its link-layer address option.
const NDP: usize = 24;
const OPTION: usize = 8;
/// Neighbour discovery is only taken with it (RFC 4861 section 7.1): nobody sends from afar.
const HOP_LIMIT: u8 = 255;

/// What a frame says, as far as a probe wants to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heard {
    /// Somebody says that an address is at a MAC.
    Claim {
        /// The address.
        addr: IpAddr,
        /// The MAC that the message names.
        mac: Mac,
        /// Whether it is an answer; otherwise it came unasked, in a request or an announcement.
        answer: bool,
    },
    /// A TCP segment.
    Tcp {
        /// Where it comes from.
        from: Endpoint,
        /// The port it goes to.
        port: u16,
        /// Whether SYN and ACK are set.
        open: bool,
        /// Whether RST is set.
        reset: bool,
        /// The acknowledged sequence number.
        ack: u32,
        /// The MAC that sent the frame.
        mac: Mac,
    },
}

/// Who sends a TCP segment, and to whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Path {
    /// The sender's MAC.
    pub own: Mac,
    /// The receiver's MAC, which need not be the one that others have for `to`.
    pub mac: Mac,
    /// The sender's address and port.
    pub from: Endpoint,
    /// The receiver's address and port.
    pub to: Endpoint,
}

fn mac(m: Mac) -> MacAddr {
    MacAddr::from(m.0)
}

fn from_pnet(m: MacAddr) -> Mac {
    Mac(m.octets())
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
        IpAddr::V6(target) => solicitation(own, target),
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

/// The announcements that make everybody learn `own` for an address: gratuitous ARP as request and as reply, because
/// some hosts take only one of them; or an unsolicited neighbour advertisement (RFC 4861 section 7.2.6).
pub fn announcements(own: Mac, addr: IpAddr) -> Vec<Vec<u8>> {
    match addr {
        IpAddr::V4(addr) => vec![
            arp(own, ArpOperations::Request, addr, (Mac::default(), addr)),
            arp(own, ArpOperations::Reply, addr, (own, addr)),
        ],
        IpAddr::V6(addr) => vec![advertisement(own, addr)],
    }
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

fn solicitation(own: Mac, target: Ipv6Addr) -> Vec<u8> {
    let [.., a, b, c] = target.octets();
    // The solicited-node group, RFC 4291 section 2.7.1.
    let group = Ipv6Addr::from([0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff, a, b, c]);
    let from = Ipv6Addr::UNSPECIFIED;
    let mut frame = icmp(own, from, group, NDP);
    if let Some(mut packet) = MutableNeighborSolicitPacket::new(&mut frame[ETHERNET + IPV6..]) {
        packet.set_icmpv6_type(Icmpv6Types::NeighborSolicit);
        packet.set_target_addr(target);
    }
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
    if let Some(mut option) = MutableNdpOptionPacket::new(&mut frame[ETHERNET + IPV6 + NDP..]) {
        option.set_option_type(NdpOptionTypes::TargetLLAddr);
        option.set_length(1);
        option.set_data(&own.0);
    }
    seal(frame, addr, nodes)
}

/// A SYN that asks whether a port is open.
pub fn syn(path: &Path, sequence: u32) -> Vec<u8> {
    segment(path, TcpFlags::SYN, sequence)
}

/// The RST that ends what a SYN began.
pub fn rst(path: &Path, sequence: u32) -> Vec<u8> {
    segment(path, TcpFlags::RST, sequence)
}

fn segment(path: &Path, flags: u8, sequence: u32) -> Vec<u8> {
    match (path.from.addr, path.to.addr) {
        (IpAddr::V4(from), IpAddr::V4(to)) => {
            let mut frame = ethernet(path.own, path.mac, EtherTypes::Ipv4, IPV4 + TCP);
            ipv4(&mut frame[ETHERNET..], from, to);
            fill(&mut frame[ETHERNET + IPV4..], path, flags, sequence, |packet| {
                tcp::ipv4_checksum(packet, &from, &to)
            });
            frame
        }
        (IpAddr::V6(from), IpAddr::V6(to)) => {
            let mut frame = ethernet(path.own, path.mac, EtherTypes::Ipv6, IPV6 + TCP);
            ipv6(&mut frame[ETHERNET..], from, to, IpNextHeaderProtocols::Tcp.0, 64);
            fill(&mut frame[ETHERNET + IPV6..], path, flags, sequence, |packet| {
                tcp::ipv6_checksum(packet, &from, &to)
            });
            frame
        }
        // A path is made of one family.
        _ => Vec::new(),
    }
}

fn ipv4(bytes: &mut [u8], from: Ipv4Addr, to: Ipv4Addr) {
    if let Some(mut packet) = MutableIpv4Packet::new(bytes) {
        packet.set_version(4);
        packet.set_header_length(5);
        packet.set_total_length((IPV4 + TCP) as u16);
        packet.set_flags(Ipv4Flags::DontFragment);
        packet.set_ttl(64);
        packet.set_next_level_protocol(IpNextHeaderProtocols::Tcp);
        packet.set_source(from);
        packet.set_destination(to);
        let sum = ipv4::checksum(&packet.to_immutable());
        packet.set_checksum(sum);
    }
}

fn fill(bytes: &mut [u8], path: &Path, flags: u8, sequence: u32, sum: impl Fn(&TcpPacket<'_>) -> u16) {
    if let Some(mut packet) = MutableTcpPacket::new(bytes) {
        packet.set_source(path.from.port);
        packet.set_destination(path.to.port);
        packet.set_sequence(sequence);
        packet.set_data_offset(5);
        packet.set_flags(flags);
        packet.set_window(1024);
        let sum = sum(&packet.to_immutable());
        packet.set_checksum(sum);
    }
}

/// What a received frame says; none if nothing of interest, or if it is cut.
pub fn parse(frame: &[u8]) -> Option<Heard> {
    let frame = EthernetPacket::new(frame)?;
    let mac = from_pnet(frame.get_source());
    match frame.get_ethertype() {
        EtherTypes::Arp => parse_arp(frame.payload()),
        EtherTypes::Ipv4 => {
            let packet = Ipv4Packet::new(frame.payload())?;
            let from = packet.get_source().into();
            (packet.get_next_level_protocol() == IpNextHeaderProtocols::Tcp)
                .then(|| parse_tcp(packet.payload(), from, mac))?
        }
        EtherTypes::Ipv6 => {
            let packet = Ipv6Packet::new(frame.payload())?;
            match packet.get_next_header() {
                IpNextHeaderProtocols::Tcp => parse_tcp(packet.payload(), packet.get_source().into(), mac),
                IpNextHeaderProtocols::Icmpv6 if packet.get_hop_limit() == HOP_LIMIT => {
                    parse_advert(packet.payload(), mac)
                }
                _ => None,
            }
        }
        _ => None,
    }
}

fn parse_arp(bytes: &[u8]) -> Option<Heard> {
    let packet = ArpPacket::new(bytes)?;
    let sender = packet.get_sender_proto_addr();
    let ours = packet.get_protocol_type() == EtherTypes::Ipv4 && packet.get_proto_addr_len() == 4;
    (ours && !sender.is_unspecified()).then(|| Heard::Claim {
        addr: sender.into(),
        mac: from_pnet(packet.get_sender_hw_addr()),
        // A gratuitous reply has itself as its target.
        answer: packet.get_operation() == ArpOperations::Reply && packet.get_target_proto_addr() != sender,
    })
}

fn parse_advert(bytes: &[u8], sender: Mac) -> Option<Heard> {
    let packet = NeighborAdvertPacket::new(bytes)?;
    if packet.get_icmpv6_type() != Icmpv6Types::NeighborAdvert {
        return None;
    }
    let options = packet.get_options_raw();
    // A proxy answers with its own MAC as the sender of the frame but may name another.
    let named = match options {
        [2, 1, rest @ ..] => rest.first_chunk().map(|mac| Mac(*mac)),
        _ => None,
    };
    let addr = packet.get_target_addr().into();
    Some(Heard::Claim { addr, mac: named.unwrap_or(sender), answer: true })
}

fn parse_tcp(bytes: &[u8], from: IpAddr, mac: Mac) -> Option<Heard> {
    let packet = TcpPacket::new(bytes)?;
    let flags = packet.get_flags();
    Some(Heard::Tcp {
        from: Endpoint::new(from, packet.get_source()),
        port: packet.get_destination(),
        open: flags & TcpFlags::SYN != 0 && flags & TcpFlags::ACK != 0,
        reset: flags & TcpFlags::RST != 0,
        ack: packet.get_acknowledgement(),
        mac,
    })
}

#[cfg(test)]
mod tests;
