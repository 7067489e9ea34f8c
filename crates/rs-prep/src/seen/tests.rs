use super::*;

#[test]
fn listening_sockets_are_read_from_proc() {
    // As /proc/net/tcp has them on a little-endian machine: 192.168.15.102:7885 listening, then one connected.
    let lines = "\
   0: 660FA8C0:1ECD 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1 1 0
   1: 660FA8C0:1ECD 320FA8C0:C350 01 00000000:00000000 00:00000000 00000000     0        0 2 1 0";
    let found: Vec<_> = lines.lines().filter_map(|line| listener(line, LISTEN)).collect();
    let want = if cfg!(target_endian = "little") { "192.168.15.102:7885" } else { "102.15.168.192:7885" };
    assert_eq!(found, [want.parse().unwrap()]);
}

#[test]
fn ipv6_sockets_too_and_mapped_ones_are_ipv4() {
    let any = hex_addr("00000000000000000000000000000000").unwrap();
    assert_eq!(any, IpAddr::V6(Ipv6Addr::UNSPECIFIED));
    if cfg!(target_endian = "little") {
        assert_eq!(hex_addr("0000000000000000FFFF0000660FA8C0").unwrap().to_string(), "192.168.15.102");
        assert_eq!(hex_addr("B80D0120000000000000000011010000").unwrap().to_string(), "2001:db8::111");
    }
    assert_eq!(hex_addr("xyz"), None);
}

#[test]
fn this_process_listening_is_seen() {
    let socket = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = socket.local_addr().unwrap().port();
    assert!(
        look(&mut Kernel::open().unwrap(), &HostState::default(), &Asked::default())
            .listeners
            .contains(&Endpoint::new([127, 0, 0, 1], port))
    );
}

#[test]
fn the_reverse_path_counter_is_found_by_its_name() {
    let text = "TcpExt: SyncookiesSent IPReversePathFilter TW\nTcpExt: 1 42 3\nIpExt: InNoRoutes\nIpExt: 0\n";
    assert_eq!(drops(text), 42);
    assert_eq!(drops(""), 0);
}
