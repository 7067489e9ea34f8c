//! What the servers see of checks: where they come from, how often, how they end. The same file with the real keepalived first,
//! then with tcpcheck.

use std::collections::BTreeSet;

use lab::pair::{KEEPALIVED, TCPCHECK, check, serve, server, service};
use lab::{Daemon, Host, Lab, SECONDS, pause, wait};
use lvs_core::sys::clock;

/// A check, lines of its real server, where its connections come from and go to with keepalived and with tcpcheck (`*` is any
/// port), and how many seconds apart. The first one asks at port 1001, the next at 1002.
struct Knock {
    kind: &'static str,
    lines: &'static str,
    server: &'static str,
    ways: [&'static str; 2],
    every: f64,
}

fn knocks() -> Vec<Knock> {
    let knock = |lines, way| Knock { kind: "TCP_CHECK", lines, server: "", ways: [way; 2], every: 1.0 };
    let plain = "10.0.0.101:* 10.0.0.1";
    vec![
        knock("", plain),
        knock("bindto 10.0.0.103", "10.0.0.103:* 10.0.0.1"),
        knock("bindto 10.0.0.103\nbind_port 4001", "10.0.0.103:4001 10.0.0.1"),
        // keepalived does not hear of a port alone.
        Knock { ways: [plain, "10.0.0.101:4002 10.0.0.1"], ..knock("bind_port 4002", plain) },
        knock("bind_if ens224", "10.0.0.105:* 10.0.0.1"),
        knock("connect_ip 10.0.0.2", "10.0.0.101:* 10.0.0.2"),
        // The mark takes another route, whose packets come from another address.
        knock("fwmark 7", "10.0.0.103:* 10.0.0.1"),
        Knock {
            kind: "HTTP_GET",
            ..knock("bindto 10.0.0.103\nbind_port 4003\nurl {\npath /\n}", "10.0.0.103:4003 10.0.0.1")
        },
        Knock { server: "delay_loop 0.7", every: 0.7, ..knock("", plain) },
        Knock { server: "delay_loop 0.7", every: 0.4, ..knock("delay_loop 0.4", plain) },
    ]
}

/// A director that runs one program, and the real servers that see what it does.
struct World {
    director: Host,
    _farm: Host,
    shark: Daemon,
    daemon: Daemon,
    _servers: Vec<Daemon>,
    _lab: Lab,
}

impl World {
    fn new(program: &str, text: &str) -> Self {
        let lab = Lab::new();
        let farm = lab.host("farm", &["10.0.0.1/24", "10.0.0.2/24"]);
        let director = lab.host("director", &["10.0.0.101/24", "10.0.0.103/24"]);
        director.nic("ens224", &["10.0.0.105/24"]);
        director.ok("ip rule add fwmark 7 table 7");
        director.ok("ip route add 10.0.0.0/24 dev ens192 src 10.0.0.103 table 7");
        director.write("/run/checks.conf", text);
        let quiet = ["1001", "1011", "1012"].map(|port| serve(&farm, &["lab", "echo", "farm", port]));
        let others = "lab server farm 1002 1003 1004 1005 1006 1007 1009 1010";
        let others = serve(&farm, &others.split(' ').collect::<Vec<_>>());
        let page = serve(&farm, &["lab", "page", "1008", "200 OK"]);
        let servers = quiet.into_iter().chain([others, page]).collect();
        let fields = "-e frame.time_epoch -e ip.src -e tcp.srcport -e ip.dst -e tcp.dstport -e tcp.flags";
        // The beginnings and ends alone: to look at every packet takes longer than to check.
        let filter = "src net 10.0.0.96/27 and tcp[tcpflags] & (tcp-syn|tcp-fin|tcp-rst) != 0";
        let shark = ["tshark", "-l", "-n", "-i", "ens192", "-f", filter, "-T", "fields"].into_iter();
        let shark = farm.spawn(&shark.chain(fields.split(' ')).collect::<Vec<_>>());
        shark.wait_for_line("Capturing", 60 * SECONDS);
        // tshark says so a little before it does so.
        pause(SECONDS);
        let daemon = director.spawn(program);
        Self { director, _farm: farm, shark, daemon, _servers: servers, _lab: lab }
    }

    /// The packets that came in on a port, in their order.
    fn packets(&self, port: u16) -> Vec<Packet> {
        self.shark
            .lines()
            .iter()
            .filter_map(|line| Packet::read(&line.text))
            .filter(|p| p.asked == port)
            .collect()
    }

    /// Waits for some connections to a port; the packets that begin them.
    fn knocks(&self, port: u16, what: &str) -> Vec<Packet> {
        let end = clock::now() + 60 * SECONDS;
        loop {
            let mut knocks = self.packets(port);
            knocks.retain(|p| p.flags == SYN);
            if knocks.len() >= 6 {
                return knocks;
            }
            assert!(clock::now() < end, "{what}: {} tries: {}", knocks.len(), self.daemon.log());
            pause(SECONDS / 4);
        }
    }

    /// Waits for the end of the first connection to this port; whether it ended with a FIN and with a RST of the director's.
    fn end(&self, port: u16) -> [bool; 2] {
        let first = || {
            let packets = self.packets(port);
            let from = packets.first().map_or(0, |p| p.port);
            packets.into_iter().filter(|p| p.port == from).map(|p| p.flags).collect::<Vec<_>>()
        };
        let ended = |flag: u8| first().iter().any(|flags| flags & flag != 0);
        wait(20 * SECONDS, "the end of a connection", || ended(FIN | RST));
        // What may come after a FIN.
        pause(SECONDS);
        [FIN, RST].map(ended)
    }
}

const FIN: u8 = 1;
const SYN: u8 = 2;
const RST: u8 = 4;

/// A packet to the real servers.
struct Packet {
    at: f64,
    from: String,
    port: u16,
    to: String,
    asked: u16,
    flags: u8,
}

impl Packet {
    fn read(line: &str) -> Option<Self> {
        let words: Vec<_> = line.split('\t').collect();
        let [at, from, port, to, asked, flags] = words.try_into().ok()?;
        Some(Self {
            at: at.parse().ok()?,
            from: from.to_owned(),
            port: port.parse().ok()?,
            to: to.to_owned(),
            asked: asked.parse().ok()?,
            flags: u8::from_str_radix(flags.trim_start_matches("0x"), 16).ok()?,
        })
    }

    fn way(&self) -> String {
        let port = if self.port < 32_768 { self.port.to_string() } else { "*".to_owned() };
        format!("{}:{port} {}", self.from, self.to)
    }
}

/// The middle one of the times between packets.
fn gap(packets: &[Packet]) -> f64 {
    let mut gaps: Vec<_> = packets.windows(2).map(|w| w[1].at - w[0].at).collect();
    gaps.sort_by(f64::total_cmp);
    gaps[gaps.len() / 2]
}

#[test]
fn the_server_sees_where_a_check_comes_from_how_often_and_how_it_ends() {
    let knocks = knocks();
    let of = |(n, knock): (usize, &Knock)| {
        let check = check(knock.kind, &format!("connect_port {}\n{}", 1001 + n, knock.lines));
        service(8000 + n, "", &[server(1, 8000 + n, &format!("{}\n{check}", knock.server))])
    };
    let text: String = knocks.iter().enumerate().map(of).collect();
    let worlds = [KEEPALIVED, TCPCHECK].map(|program| World::new(program, &text));
    // What a try is early or late, as a part of its interval: keepalived counts from the end of the last one, and tcpcheck is up
    // to 5 percent early.
    for (who, world, part) in [("keepalived", &worlds[0], 0.98..1.3), ("tcpcheck", &worlds[1], 0.92..1.15)] {
        for (port, knock) in (1001..).zip(&knocks) {
            let seen = world.knocks(port, who);
            let ways: BTreeSet<_> = seen.iter().map(Packet::way).collect();
            let way = knock.ways[usize::from(who == "tcpcheck")];
            assert_eq!(ways, [way.to_owned()].into(), "{who}: {}", knock.lines);
            let gap = gap(&seen);
            assert!(part.contains(&(gap / knock.every)), "{who}: {gap} s: {} {}", knock.server, knock.lines);
        }
    }
    // Of a server that says nothing; what one has said before is answered with a RST.
    assert_eq!(worlds[0].end(1001), [true, false], "keepalived");
    assert_eq!(worlds[1].end(1001), [true, false], "tcpcheck");
    let director = &worlds[1].director;
    director.ok("tcpcheck 10.0.0.1:1011 --close rst");
    director.ok("tcpcheck 10.0.0.1:1012 --close fin");
    assert_eq!([1011, 1012].map(|port| worlds[1].end(port)), [[false, true], [true, false]]);
}
