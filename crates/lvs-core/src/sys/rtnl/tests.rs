//! What needs no rights, against the running kernel; changes are tested in the lab.

use std::net::{IpAddr, Ipv4Addr};

use nix::errno::Errno;

use super::*;
use crate::addr::Prefix;

#[test]
fn the_loopback_is_described() {
    let mut rtnl = Rtnl::open().unwrap();
    let lo = rtnl.link("lo").unwrap().unwrap();
    assert!(lo.loopback && !lo.arp);
    assert_eq!(rtnl.link("no-such-link").unwrap(), None);
    assert_eq!(rtnl.link_at(lo.index).unwrap(), Some(lo));
    assert!(rtnl.link_at(u32::MAX >> 1).is_err());
}

#[test]
fn addresses_and_routes_survive_their_encoding() {
    let mut address = Address::new(1, "192.168.15.111/32".parse().unwrap());
    address.broadcast = Some(Ipv4Addr::new(192, 168, 15, 111));
    address.label = Some("lo:0".to_owned());
    address.flags = Address::NOPREFIXROUTE;
    address.lifetimes = Some((0, u32::MAX));
    assert_eq!(Address::decode(&address.encode()), Some(address));

    let mut route = Route::on_link(Prefix::host(IpAddr::from([192, 168, 15, 111])), 1);
    route.table = 1000;
    route.metric = Some(7);
    assert_eq!(Route::decode(&route.encode()), Some(Route { ..route }));
}

#[test]
fn a_route_with_several_next_hops_is_listed_once_for_each() {
    let gateway = IpAddr::from([10, 0, 0, 1]);
    // Two struct rtnexthop: interface 2 without a gateway, interface 3 with one.
    let mut hops = vec![8, 0, 0, 0, 2, 0, 0, 0];
    hops.extend([16, 0, 0, 0, 3, 0, 0, 0, 8, 0, 5, 0, 10, 0, 0, 1]);
    let mut route = Route::on_link("0.0.0.0/0".parse().unwrap(), 1);
    route.link = None;
    let mut body = route.encode();
    crate::nlattr::put(&mut body, 9, &hops);
    let by = |link, gateway| Route { link: Some(link), gateway, ..route.clone() };
    assert_eq!(Route::decode_each(&body), [by(2, None), by(3, Some(gateway))]);
}

#[test]
fn the_route_to_the_loopback_is_local() {
    let mut rtnl = Rtnl::open().unwrap();
    let route = rtnl.route_to(IpAddr::from([127, 0, 0, 1])).unwrap().unwrap();
    assert_eq!(route.kind, RouteKind::Local);
}

#[test]
fn the_way_of_a_packet_is_asked_with_its_sender_and_its_interface() {
    let mut rtnl = Rtnl::open().unwrap();
    let own = IpAddr::from([127, 0, 0, 1]);
    let route = rtnl.way(&Flow { to: own, from: Some(own), on: None }).unwrap().unwrap();
    assert_eq!(route.kind, RouteKind::Local);
    // RFC 1122 section 3.2.1.3: from outside nothing comes from such a sender.
    let from = Some(IpAddr::from([255, 255, 255, 255]));
    assert!(rtnl.way(&Flow { to: own, from, on: Some(1) }).is_err());
    assert_eq!(rtnl.way(&Flow { to: own, from: None, on: Some(u32::MAX) }).unwrap_err().errno, Errno::ENODEV);
}

proptest::proptest! {
    #[test]
    fn any_bytes_are_an_answer_or_none(bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..200)) {
        let _ = (Link::decode(&bytes), Address::decode(&bytes), Route::decode_each(&bytes));
    }
}
