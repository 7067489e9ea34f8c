//! TCP segments that ask a port and say goodbye.

use std::net::{IpAddr, Ipv4Addr};

use pnet::packet::ethernet::EtherTypes;
use pnet::packet::ip::IpNextHeaderProtocols;
use pnet::packet::ipv4::{self, Ipv4Flags, MutableIpv4Packet};
use pnet::packet::tcp::{self, MutableTcpPacket, TcpFlags, TcpPacket};

use super::{ETHERNET, IPV6, ethernet, ipv6};
use crate::addr::{Endpoint, Mac};

const IPV4: usize = 20;
const TCP: usize = 20;

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
