//! Raw IP sockets of one protocol on one interface.
//!
//! Over IPv4 the caller writes the IP header itself ([`RawIp::send`]), because its source address, TTL and type of
//! service belong to the protocol; over IPv6 the kernel writes it from what it is told.

use std::io::{self, IoSliceMut};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};

use nix::errno::Errno;
use nix::libc;
use nix::sys::socket::{
    ControlMessage, ControlMessageOwned, MsgFlags, SockaddrIn6, SockaddrStorage, recv, recvmsg, sendmsg,
    setsockopt, sockopt,
};
use socket2::{Domain, InterfaceIndexOrAddress, Protocol, Socket, Type};

use crate::addr::Family;

/// TC_PRIO_CONTROL: advertisements overtake other traffic in the local queue.
const PRIORITY: u32 = 7;
/// Internetwork control, as routing protocols mark their packets.
const TRAFFIC_CLASS: u32 = 0xc0;
const IPV4_HEADER: usize = 20;

/// A raw socket bound to one interface. It never blocks.
pub struct RawIp {
    socket: Socket,
    family: Family,
    protocol: u8,
    link: u32,
    control: Vec<u8>,
}

/// A packet that came in; the payload lies in the buffer given to [`RawIp::receive`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Received {
    /// The sender.
    pub src: IpAddr,
    /// The destination in its header.
    pub dst: IpAddr,
    /// The TTL or hop limit left.
    pub ttl: u8,
    /// Where in the buffer its payload lies.
    pub payload: std::ops::Range<usize>,
}

impl Received {
    /// Reads a whole IPv4 packet, as a raw IPv4 socket hands it over; none where its header is no such header or is cut.
    pub fn of_v4(bytes: &[u8]) -> Option<Self> {
        let header: &[u8; IPV4_HEADER] = bytes.first_chunk()?;
        let start = usize::from(header[0] & 0xf) * 4;
        let address = |i: usize| Some(Ipv4Addr::from(*bytes.get(i..)?.first_chunk::<4>()?));
        (header[0] >> 4 == 4 && (IPV4_HEADER..=bytes.len()).contains(&start)).then_some(())?;
        let (src, dst) = (address(12)?.into(), address(16)?.into());
        Some(Self { src, dst, ttl: header[8], payload: start..bytes.len() })
    }
}

/// Where an outgoing packet goes, and from where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Route {
    /// The source address; it need not be set on any interface (IPv4).
    pub src: IpAddr,
    /// The destination.
    pub dst: IpAddr,
    /// TTL or hop limit.
    pub ttl: u8,
    /// Identification of the IPv4 header.
    pub id: u16,
}

impl RawIp {
    /// Opens a socket for an IP protocol on the interface of that name and index.
    ///
    /// # Errors
    /// `EPERM` without CAP_NET_RAW; `ENODEV` when there is no such interface.
    pub fn open(family: Family, protocol: u8, name: &str, link: u32) -> io::Result<Self> {
        let domain = match family {
            Family::Inet => Domain::IPV4,
            Family::Inet6 => Domain::IPV6,
        };
        let socket = Socket::new(domain, Type::RAW, Some(Protocol::from(i32::from(protocol))))?;
        socket.set_nonblocking(true)?;
        socket.bind_device(Some(name.as_bytes()))?;
        socket.set_priority(PRIORITY)?;
        match family {
            Family::Inet => prepare_v4(&socket)?,
            Family::Inet6 => prepare_v6(&socket, link)?,
        }
        Ok(Self { socket, family, protocol, link, control: nix::cmsg_space!(i32, libc::in6_pktinfo) })
    }

    /// Hears a multicast group on the interface; hearing it twice is no error.
    ///
    /// # Errors
    /// `ENODEV` when the interface is gone.
    pub fn join(&self, group: IpAddr) -> io::Result<()> {
        let joined = match group {
            IpAddr::V4(g) => self.socket.join_multicast_v4_n(&g, &InterfaceIndexOrAddress::Index(self.link)),
            IpAddr::V6(g) => self.socket.join_multicast_v6(&g, self.link),
        };
        match joined {
            Err(e) if e.raw_os_error() == Some(libc::EADDRINUSE) => Ok(()),
            other => other,
        }
    }

    /// Lets packets carry an address that this interface does not have: a VMAC speaks for the interface below it.
    ///
    /// # Errors
    /// What the kernel says.
    pub fn speak_for_others(&self) -> io::Result<()> {
        match self.family {
            Family::Inet => Ok(()),
            Family::Inet6 => self.socket.set_freebind_v6(true),
        }
    }

    /// Asks for a receive queue of so many bytes.
    ///
    /// # Errors
    /// What the kernel says.
    pub fn set_receive_buffer(&self, bytes: usize) -> io::Result<()> {
        self.socket.set_recv_buffer_size(bytes)
    }

    /// Sends a payload. `scratch` holds the IPv4 header and a copy, and keeps its memory between calls.
    ///
    /// # Errors
    /// What the kernel says: the link is down, there is no route.
    pub fn send(&self, route: Route, payload: &[u8], scratch: &mut Vec<u8>) -> io::Result<()> {
        match (route.src, route.dst) {
            (IpAddr::V4(src), IpAddr::V4(dst)) => self.send_v4(route, src, dst, payload, scratch),
            (IpAddr::V6(src), IpAddr::V6(dst)) => self.send_v6(route, src, dst, payload),
            _ => Err(io::Error::new(io::ErrorKind::InvalidInput, "source and destination of two families")),
        }
    }

    /// The next packet, or none when there is none now.
    ///
    /// # Errors
    /// What the kernel says; `ENETDOWN` once when the link went down.
    pub fn receive(&mut self, buffer: &mut [u8]) -> io::Result<Option<Received>> {
        let received = match self.family {
            Family::Inet => self.receive_v4(buffer),
            Family::Inet6 => self.receive_v6(buffer),
        };
        match received {
            Err(Errno::EAGAIN) => Ok(None),
            other => Ok(Some(other?)),
        }
    }

    /// All that is to be known of an IPv4 packet is in its header: nothing else is asked for.
    fn receive_v4(&self, buffer: &mut [u8]) -> nix::Result<Received> {
        let len = recv(self.socket.as_raw_fd(), buffer, MsgFlags::MSG_DONTWAIT)?;
        Ok(Received::of_v4(&buffer[..len]).unwrap_or_else(nobody))
    }

    fn receive_v6(&mut self, buffer: &mut [u8]) -> nix::Result<Received> {
        let mut slices = [IoSliceMut::new(buffer)];
        let fd = self.socket.as_raw_fd();
        let message =
            recvmsg::<SockaddrIn6>(fd, &mut slices, Some(&mut self.control), MsgFlags::MSG_DONTWAIT)?;
        let (mut dst, mut ttl) = (None, None);
        for c in message.cmsgs().into_iter().flatten() {
            match c {
                ControlMessageOwned::Ipv6PacketInfo(i) => dst = Some(Ipv6Addr::from(i.ipi6_addr.s6_addr)),
                ControlMessageOwned::Ipv6HopLimit(h) => ttl = u8::try_from(h).ok(),
                _ => (),
            }
        }
        Ok(received_v6(message.address.map(|a| a.ip()), dst, ttl, message.bytes).unwrap_or_else(nobody))
    }

    fn send_v4(
        &self,
        route: Route,
        src: Ipv4Addr,
        dst: Ipv4Addr,
        payload: &[u8],
        scratch: &mut Vec<u8>,
    ) -> io::Result<()> {
        scratch.clear();
        // Length and checksum are the kernel's with IP_HDRINCL; no flags: the original does not forbid fragments.
        let [id_high, id_low] = route.id.to_be_bytes();
        scratch.extend_from_slice(&[0x45, 0xc0, 0, 0, id_high, id_low, 0, 0, route.ttl, self.protocol, 0, 0]);
        scratch.extend_from_slice(&src.octets());
        scratch.extend_from_slice(&dst.octets());
        scratch.extend_from_slice(payload);
        self.socket.send_to(scratch, &SocketAddr::V4(SocketAddrV4::new(dst, 0)).into()).map(|_| ())
    }

    fn send_v6(&self, route: Route, src: Ipv6Addr, dst: Ipv6Addr, payload: &[u8]) -> io::Result<()> {
        let to: SockaddrStorage = SocketAddr::V6(SocketAddrV6::new(dst, 0, 0, self.link)).into();
        let info = libc::in6_pktinfo {
            ipi6_addr: libc::in6_addr { s6_addr: src.octets() },
            ipi6_ifindex: self.link,
        };
        let hops = i32::from(route.ttl);
        let control = [ControlMessage::Ipv6PacketInfo(&info), ControlMessage::Ipv6HopLimit(&hops)];
        let fd = self.socket.as_raw_fd();
        sendmsg(fd, &[io::IoSlice::new(payload)], &control, MsgFlags::MSG_DONTWAIT, Some(&to))?;
        Ok(())
    }
}

impl AsFd for RawIp {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

fn prepare_v4(socket: &Socket) -> io::Result<()> {
    socket.set_header_included_v4(true)?;
    socket.set_multicast_loop_v4(false)?;
    // Only the groups joined here, not those of every program on the host.
    socket.set_multicast_all_v4(false)
}

fn prepare_v6(socket: &Socket, link: u32) -> io::Result<()> {
    socket.set_multicast_loop_v6(false)?;
    socket.set_multicast_if_v6(link)?;
    known(socket.set_multicast_all_v6(false))?;
    socket.set_tclass_v6(TRAFFIC_CLASS)?;
    socket.set_recv_hoplimit_v6(true)?;
    Ok(setsockopt(socket, sockopt::Ipv6RecvPacketInfo, &true)?)
}

/// An option that only newer kernels have: IPV6_MULTICAST_ALL came with Linux 4.20. Without it this protocol's packets to groups
/// that other programs joined come too, and are judged like any other.
fn known(set: io::Result<()>) -> io::Result<()> {
    match set {
        Err(e) if e.raw_os_error() == Some(libc::ENOPROTOOPT) => Ok(()),
        other => other,
    }
}

fn received_v6(
    src: Option<Ipv6Addr>,
    dst: Option<Ipv6Addr>,
    ttl: Option<u8>,
    len: usize,
) -> Option<Received> {
    Some(Received { src: src?.into(), dst: dst?.into(), ttl: ttl?, payload: 0..len })
}

/// What cannot be attributed is an empty packet, which every protocol refuses as too short.
fn nobody() -> Received {
    let nowhere = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
    Received { src: nowhere, dst: nowhere, ttl: 0, payload: 0..0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ipv4_packet_is_found_behind_its_header_and_options() {
        let mut packet = vec![0; 24];
        (packet[0], packet[8]) = (0x46, 255);
        packet[12..20].copy_from_slice(&[10, 0, 0, 1, 224, 0, 0, 18]);
        packet.extend_from_slice(b"payload");
        let got = Received::of_v4(&packet).unwrap();
        let want = Received {
            src: Ipv4Addr::new(10, 0, 0, 1).into(),
            dst: Ipv4Addr::new(224, 0, 0, 18).into(),
            ttl: 255,
            payload: 24..31,
        };
        assert_eq!(got, want);
    }

    #[test]
    fn a_header_that_lies_about_its_length_is_refused() {
        for (first, len) in [(0x4f, 20), (0x44, 30), (0x65, 30), (0x45, 19)] {
            let mut packet = vec![0; len];
            packet[0] = first;
            assert_eq!(Received::of_v4(&packet), None, "{first:x} {len}");
        }
    }

    #[test]
    fn an_option_that_this_kernel_does_not_know_is_done_without() {
        let failed = |errno| Err(io::Error::from_raw_os_error(errno));
        known(failed(libc::ENOPROTOOPT)).unwrap();
        assert_eq!(known(failed(libc::EPERM)).unwrap_err().raw_os_error(), Some(libc::EPERM));
    }

    /// The names of interfaces need rights to bind to; without them the reason must be that.
    #[test]
    fn a_socket_opens_on_the_loopback_or_says_that_rights_are_missing() {
        match RawIp::open(Family::Inet, 112, "lo", 1) {
            Ok(mut s) => assert_eq!(s.receive(&mut [0; 64]).unwrap(), None),
            Err(e) => assert_eq!(e.kind(), io::ErrorKind::PermissionDenied),
        }
    }
}
