//! What a received frame says.

use std::net::IpAddr;

use pnet::datalink::MacAddr;
use pnet::packet::Packet;
use pnet::packet::arp::{ArpOperations, ArpPacket};
use pnet::packet::ethernet::{EtherTypes, EthernetPacket};
use pnet::packet::icmpv6::Icmpv6Types;
use pnet::packet::icmpv6::ndp::NeighborAdvertPacket;
use pnet::packet::ip::IpNextHeaderProtocols;
use pnet::packet::ipv4::Ipv4Packet;
use pnet::packet::ipv6::Ipv6Packet;
use pnet::packet::tcp::{TcpFlags, TcpPacket};

use super::HOP_LIMIT;
use crate::addr::{Endpoint, Mac};

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

fn from_pnet(m: MacAddr) -> Mac {
    Mac(m.octets())
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
