use std::net::IpAddr;
use std::os::unix::net::UnixDatagram;

use super::*;
use crate::addr::Endpoint;
use crate::sys::frame::Path;

const OWN: Mac = Mac([2, 0, 0, 0, 0, 1]);

/// What the kernel's filter lets through, on a socket that needs no rights.
fn passes(frame: &[u8]) -> bool {
    passes_to(Arp::Replies, frame)
}

fn passes_to(arp: Arp, frame: &[u8]) -> bool {
    let (a, b) = UnixDatagram::pair().unwrap();
    b.set_nonblocking(true).unwrap();
    let b = Socket::from(std::os::fd::OwnedFd::from(b));
    b.attach_filter(&filter(&(61_000..=65_000), arp)).unwrap();
    a.send(frame).unwrap();
    recv(b.as_raw_fd(), &mut [0; LONGEST], MsgFlags::MSG_DONTWAIT).is_ok()
}

fn segment(from: &str, to: &str) -> Vec<u8> {
    let (from, to): (Endpoint, Endpoint) = (from.parse().unwrap(), to.parse().unwrap());
    frame::syn(&Path { own: OWN, mac: OWN, from, to }, 1)
}

#[test]
fn only_answers_are_let_through() {
    for (port, want) in [(60_999, false), (61_000, true), (65_000, true), (65_001, false), (80, false)] {
        let v4 = segment("10.0.0.1:80", &format!("10.0.0.2:{port}"));
        let v6 = segment("[fd00::1]:80", &format!("[fd00::2]:{port}"));
        assert_eq!((passes(&v4), passes(&v6)), (want, want), "port {port}");
    }
    let addr: IpAddr = "10.0.0.1".parse().unwrap();
    let [unasked, reply] = frame::announcements(OWN, addr).try_into().unwrap();
    assert_eq!((passes(&unasked), passes(&reply)), (false, true));
    assert!(passes_to(Arp::All, &unasked) && passes_to(Arp::All, &reply));
    let six: IpAddr = "fd00::1".parse().unwrap();
    assert!(passes(&frame::announcements(OWN, six)[0]));
    assert!(!passes(&frame::question(OWN, six)) && !passes(&frame::question(OWN, addr)));
    let (mut udp, mut fragment) =
        (segment("10.0.0.1:80", "10.0.0.2:61000"), segment("10.0.0.1:80", "10.0.0.2:61000"));
    udp[23] = 17;
    fragment[21] = 1;
    assert!(!passes(&udp) && !passes(&fragment) && !passes(&[0; 20]));
}

#[test]
fn options_of_the_header_do_not_hide_the_port() {
    let plain = segment("10.0.0.1:80", "10.0.0.2:61000");
    let mut with_options = plain[..34].to_vec();
    with_options[14] = 0x46;
    with_options.extend_from_slice(&[1; 4]);
    with_options.extend_from_slice(&plain[34..]);
    assert!(passes(&with_options));
}
