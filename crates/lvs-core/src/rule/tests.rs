use std::net::IpAddr;

use proptest::prelude::*;

use super::*;
use crate::plan::Timeouts;

fn read(line: &str) -> Result<Command, Refusal> {
    parse(line.split_ascii_whitespace(), &NoNames)
}

fn op(line: &str) -> Op {
    match read(line) {
        Ok(Command::Op(op)) => op,
        other => panic!("{line}: {other:?}"),
    }
}

fn status(line: &str) -> u8 {
    read(line).map_or_else(|e| e.status, |_| 0)
}

fn vip() -> ServiceKey {
    ServiceKey::tcp([10, 0, 0, 1], 80)
}

/// Found by fuzzing: the kernel would have been told less than the line says.
#[test]
fn a_nul_byte_in_a_value_is_refused() {
    assert_eq!(status("-A -u [2001:db8::1]:53 -s rr -o --pe=\0\0sip"), 2);
    assert_eq!(status("-A -t 10.0.0.1:80 -s r\0r"), 2);
}

#[test]
fn the_seeds_rules_are_read() {
    let sh = Service { persistence: Some(3600), ..Service::new("sh", Family::Inet) };
    let key = ServiceKey::tcp([192, 168, 15, 111], 443);
    assert_eq!(op("-A -t 192.168.15.111:443 -s sh -p 3600"), Op::AddService(key, sh));
    let server = Server::new(Forward::Route, 1);
    let expected = Op::AddServer(key, Endpoint::new([192, 168, 15, 109], 443), server);
    assert_eq!(op("-a -t 192.168.15.111:443 -r 192.168.15.109:443 -g -w 1"), expected);
    assert_eq!(op("-at192.168.15.111:443 -r 192.168.15.109"), expected);
    assert_eq!(
        op("--add-server --tcp-service=192.168.15.111:443 --real-server 192.168.15.109 -gw1"),
        expected
    );
}

#[test]
fn defaults_are_ipvsadms() {
    let Op::AddService(_, service) = op("-A -t 10.0.0.1 -p") else { panic!("no service") };
    assert_eq!((service.scheduler.as_str(), service.persistence), ("wlc", Some(360)));
    assert_eq!(
        op("-a -t 10.0.0.1:80 -r 10.0.0.2:8080 -m").to_string(),
        "-a -t 10.0.0.1:80 -r 10.0.0.2:8080 -m -w 1"
    );
    // Only masquerading translates ports, but a deletion names the server as it is told.
    assert_eq!(
        op("-a -t 10.0.0.1:80 -r 10.0.0.2:8080").to_string(),
        "-a -t 10.0.0.1:80 -r 10.0.0.2:80 -g -w 1"
    );
    assert_eq!(op("-d -t 10.0.0.1:80 -r 10.0.0.2:8080").to_string(), "-d -t 10.0.0.1:80 -r 10.0.0.2:8080");
    assert_eq!(op("-a -f 5 -r 10.0.0.2:8080").to_string(), "-a -f 5 -r 10.0.0.2:8080 -g -w 1");
}

#[test]
fn the_order_of_options_matters_where_it_does_in_ipvsadm() {
    assert_eq!(op("-A -f 6 -6 -M 64 -p").to_string(), "-A -f 6 -6 -s wlc -p 360 -M 64");
    assert_eq!(status("-A -6 -f 6"), 2);
    assert_eq!(
        op("-A -M 255.0.0.0 -t [2001:db8::1]:80 -p").to_string(),
        "-A -t [2001:db8::1]:80 -s wlc -p 360"
    );
    assert_eq!(op("-a -r 10.0.0.2 -t 10.0.0.1:80 -m").to_string(), "-a -t 10.0.0.1:80 -r 10.0.0.2:0 -m -w 1");
}

#[test]
fn addresses_take_the_forms_of_inet_aton() {
    for (text, addr) in
        [("10.1", [10, 0, 0, 1]), ("0x0a.0.0.012", [10, 0, 0, 10]), ("0xc0a80001", [192, 168, 0, 1])]
    {
        assert_eq!(op(&format!("-D -t {text}:80")), Op::DelService(ServiceKey::tcp(addr, 80)), "{text}");
    }
    for bad in [
        "80",
        "10.0.0.256:80",
        "10.0.0.1:",
        "1.2.3.4.5:80",
        ":80",
        "[2001:db8::1]",
        "host:80",
        "10.0.0.1:http",
    ] {
        assert_eq!(status(&format!("-D -t {bad}")), 2, "{bad}");
    }
}

#[test]
fn refusals_say_which_part_is_wrong() {
    for (line, reason) in [
        ("-D -t 10.0.0.300:80", "begins with '10.0.0.300', which is not an IPv4 address"),
        ("-D -t web:80", "begins with 'web', which is not an address, and as the name of a host"),
        ("-D -t 10.0.0.1:99999", "has the port '99999', which is not 0 to 65535"),
        ("-D -t 10.0.0.1:htpp", "has the port 'htpp', which is no number nor the name of a service"),
        ("-d -f 1 -r 10.0.0.1:", "ends in a colon without a port"),
        ("-D -t :80", "has no address before the port"),
        ("-D -t 80", "is not an address (10.0.0.1:80"),
        ("-D -t [2001:db8::x]:80", "has no IPv6 address in its brackets: '2001:db8::x]'"),
        ("-D -t [2001:db8::1]", "is not an address (10.0.0.1:80, [2001:db8::1]:80)"),
        ("-D -t 2001:db8::x", "in brackets, [2001:db8::1]:80"),
        ("-L -n --json", "'ipvsctl list --json' prints the table as JSON"),
        ("-L --numric", "did you mean --numeric?"),
        ("-L --xyz", "unknown option --xyz; try -h"),
        ("-L --stats=1", "option --stats takes no value"),
        ("-A -t \u{1b}[31m:80", "'\\u{1b}[31m:80' begins with '\\u{1b}[31m'"),
    ] {
        let text = read(line).unwrap_err().text;
        assert!(text.contains(reason), "{line}: {text}");
    }
    let long = format!("-A -t 10.0.0.1:80 -p {}", "x".repeat(10_000_000));
    assert!(read(&long).unwrap_err().text.len() < 300);
}

#[test]
fn refusals_have_ipvsadms_status() {
    let wrong = [
        "-A",
        "-A -t 10.0.0.1",
        "-A -t 10.0.0.1:80 -o",
        "-A -t 10.0.0.1:80 -t 10.0.0.1:81",
        "-a -t 10.0.0.1:80",
        "-A -t 10.0.0.1:80 -b sh-port",
        "-A -t 10.0.0.1:80 -p 0",
        "-A -f 0",
        "-A -f 4294967296",
        "-a -t 10.0.0.1:80 -r 10.0.0.2 -w -1",
        "-a -t 10.0.0.1:80 -r 10.0.0.2 -g -m",
        "-C -n",
        "-L -c --stats",
        "-L -t 10.0.0.1:80 -c",
        "-a -t 10.0.0.1:80 -r ::1",
        "-a -t 10.0.0.1:80 -r 10.0.0.2 --tun-type ipip",
        "-a -t 10.0.0.1:80 -r 10.0.0.2 -i --tun-type gue",
        "-a -t 10.0.0.1:80 -r 10.0.0.2 -i --tun-csum",
        "-a -t 10.0.0.1:80 -r 10.0.0.2 -i --tun-type gre --tun-remcsum",
        "-L -S",
        "-L foo",
        "--set 1 2",
        "--set 1 2 2678401",
        "--start-daemon leader",
        "--start-daemon master --mcast-group 10.0.0.1",
    ];
    for line in wrong {
        assert_eq!(status(line), 2, "{line}");
    }
    for line in ["", "foo", "-n -L", "-nL", "-A -Q", "-A -t", "--list=x", "-A --tcp 10.0.0.1:80"] {
        assert_eq!(status(line), 255, "{line}");
    }
}

#[test]
fn other_commands_are_read() {
    assert_eq!(op("--set 900 0 300"), Op::SetTimeouts(Timeouts { tcp: 900, tcp_fin: 0, udp: 300 }));
    assert_eq!(op("-Z -t 10.0.0.1:80"), Op::Zero(Some(vip())));
    assert_eq!(op("--stop-daemon backup"), Op::StopDaemon(DaemonRole::Backup, 0));
    assert_eq!(
        op("--start-daemon master").to_string(),
        "--start-daemon master --mcast-interface eth0 --syncid 0"
    );
    assert_eq!(read("-Sn"), Ok(Command::Save { numeric: true }));
    let list = List { numeric: true, service: Some(vip()), ..List::default() };
    assert_eq!(read("-Lnt 10.0.0.1:80"), Ok(Command::List(list)));
    assert_eq!(read("-l"), Ok(Command::List(List::default())));
}

#[test]
fn every_option_is_found_by_its_names() {
    for o in options() {
        assert_eq!(options::by_name(o.long).map(|f| f.opt), Some(o.opt));
        for c in o.short.chars() {
            assert_eq!(options::by_letter(c).map(|f| f.opt), Some(o.opt));
        }
    }
}

fn any_key() -> impl Strategy<Value = ServiceKey> {
    let protocol = prop_oneof![Just(Protocol::Tcp), Just(Protocol::Udp), Just(Protocol::Sctp)];
    let family = prop_oneof![Just(Family::Inet), Just(Family::Inet6)];
    prop_oneof![
        (protocol, any::<IpAddr>(), 1u16..)
            .prop_map(|(protocol, addr, port)| ServiceKey::Addr { protocol, vip: Endpoint { addr, port } }),
        (1u32.., family).prop_map(|(mark, family)| ServiceKey::Mark { mark, family }),
    ]
}

/// Services as rule lines can say them: a mask only with persistence, -o not for TCP and SCTP.
fn any_service(key: ServiceKey) -> impl Strategy<Value = Service> {
    let mask = match key.family() {
        Family::Inet => any::<u32>().boxed(),
        Family::Inet6 => (1u32..=128).boxed(),
    };
    let persistence = proptest::option::of((1u32..=2_678_400, mask));
    let one_packet = !matches!(key, ServiceKey::Addr { protocol: Protocol::Tcp | Protocol::Sctp, .. });
    (
        prop_oneof![Just("rr"), Just("sh"), Just("mh"), Just("wlc")],
        0u32..4,
        any::<bool>(),
        persistence,
        any::<bool>(),
    )
        .prop_map(move |(scheduler, flags, ops, persistence, engine)| {
            let mut service = Service::new(scheduler, key.family());
            service.flags = ServiceFlags(flags << 3 | u32::from(ops && one_packet) << 2);
            service.persistence = persistence.map(|p| p.0);
            service.netmask = persistence.map_or(service.netmask, |p| p.1);
            service.engine = engine.then(|| "sip".to_owned());
            service
        })
}

fn any_server(key: ServiceKey) -> impl Strategy<Value = (Endpoint, Server)> {
    let checksum = prop_oneof![Just(TunnelChecksum::None), Just(TunnelChecksum::Full)];
    let forward = prop_oneof![
        Just(Forward::Masq),
        Just(Forward::Route),
        Just(Forward::Tunnel(Tunnel::Ipip)),
        (1u16.., checksum.clone())
            .prop_map(|(port, checksum)| Forward::Tunnel(Tunnel::Gue { port, checksum })),
        checksum.prop_map(|checksum| Forward::Tunnel(Tunnel::Gre { checksum })),
    ];
    let whole = 0u32..=i32::MAX.unsigned_abs();
    (any::<IpAddr>(), any::<u16>(), forward, whole.clone(), whole.clone(), whole).prop_map(
        move |(addr, port, forward, weight, upper, lower)| {
            let tunnel = Forward::Tunnel(Tunnel::Ipip);
            let forward = if Family::of(addr) == key.family() { forward } else { tunnel };
            let port = if forward == Forward::Masq || key.port() == 0 { port } else { key.port() };
            (Endpoint { addr, port }, Server { forward, weight, upper, lower })
        },
    )
}

fn any_op() -> impl Strategy<Value = Op> {
    any_key().prop_flat_map(|key| {
        (any_service(key), any_server(key), 0..6).prop_map(move |(service, (endpoint, server), which)| {
            match which {
                0 => Op::AddService(key, service),
                1 => Op::EditService(key, service),
                2 => Op::AddServer(key, endpoint, server),
                3 => Op::EditServer(key, endpoint, server),
                4 => Op::DelService(key),
                _ => Op::Zero(Some(key)),
            }
        })
    })
}

proptest! {
    #[test]
    fn what_is_printed_is_read(op in any_op()) {
        prop_assert_eq!(read(&op.to_string()), Ok(Command::Op(op)));
    }

    #[test]
    fn any_line_ends(line in "[ -~]{0,80}") {
        let _ = read(&line);
    }

    #[test]
    fn any_words_of_the_language_end(picks in proptest::collection::vec((0usize..57, "[0-9a-f.:,-]{0,12}"), 0..8)) {
        let words: Vec<String> =
            picks.iter().flat_map(|(i, v)| [format!("--{}", options()[*i].long), v.clone()]).collect();
        let _ = parse(words.iter().map(String::as_str), &NoNames);
    }
}
