//! What stands in the table for every flag and every death: tcpcheck beside the real keepalived, with the same file
//! and the same real servers.

use lab::{Daemon, Host, Lab, SECONDS, wait};

/// Flags of a virtual server, flags of its real servers, and the table: both dead at the start, both alive, a dead,
/// both dead, a back, both back.
struct Row {
    flags: &'static str,
    servers: &'static str,
    table: [&'static str; 6],
}

const SORRY: &str = "sorry_server 10.0.0.9 80\n";

fn rows() -> Vec<Row> {
    let row = |flags, table| Row { flags, servers: "", table };
    vec![
        row("", ["", "a b", "b", "", "a", "a b"]),
        row("alpha", ["", "a b", "b", "", "a", "a b"]),
        row("SORRY", ["s", "a b", "b", "s", "a", "a b"]),
        row("SORRY sorry_server_inhibit", ["s", "a b s=0", "b s=0", "s", "a s=0", "a b s=0"]),
        row("SORRY alpha", ["s", "a b", "b", "s", "a", "a b"]),
        row("quorum 2", ["", "a b", "b", "", "a", "a b"]),
        row("SORRY quorum 2", ["s", "a b", "s", "s", "s", "a b"]),
        row("SORRY quorum 2; hysteresis 1", ["s", "s", "s", "s", "s", "s"]),
        Row {
            flags: "",
            servers: "inhibit_on_failure",
            table: ["a=0 b=0", "a b", "a=0 b", "a=0 b=0", "a b=0", "a b"],
        },
        Row {
            flags: "SORRY",
            servers: "inhibit_on_failure",
            table: ["a=0 b=0 s", "a b", "a=0 b", "a=0 b=0 s", "a b=0", "a b"],
        },
        Row {
            flags: "SORRY quorum 2",
            servers: "inhibit_on_failure",
            table: ["a=0 b=0 s", "a b", "a=0 b=0 s", "a=0 b=0 s", "a=0 b=0 s", "a b"],
        },
        Row { flags: "sorry_server_inhibit; SORRY", servers: "", table: ["s", "a b", "b", "s", "a", "a b"] },
        Row { flags: "", servers: "weight 3", table: ["", "a=3 b=3", "b=3", "", "a=3", "a=3 b=3"] },
        Row { flags: "", servers: "weight 0", table: ["", "a=0 b=0", "b=0", "", "a=0", "a=0 b=0"] },
    ]
}

/// All rows as one configuration: row n has port 8000 + n.
fn config(rows: &[Row]) -> String {
    let service = |(n, row): (usize, &Row)| {
        let server = |name: &str, last: u8, port: u16| {
            format!(
                "real_server 10.0.0.{last} {p} {{\n{}\nnotify_up \"/run/note {n} {name} up\"\n\
                 notify_down \"/run/note {n} {name} down\"\nTCP_CHECK {{\nconnect_port {port}\nconnect_timeout 1\n\
                 retry 1\ndelay_before_retry 1\nwarmup 0\n}}\n}}\n",
                row.servers,
                p = 8000 + n
            )
        };
        let flags = row.flags.replace("SORRY", SORRY).replace("; ", "\n");
        format!(
            "virtual_server 10.0.0.100 {} {{\ndelay_loop 1\nlb_algo rr\nlb_kind DR\nprotocol TCP\n{flags}\n\
             quorum_up \"/run/note {n} quorum up\"\nquorum_down \"/run/note {n} quorum down\"\n{}{}}}\n",
            8000 + n,
            server("a", 1, 1001),
            server("b", 2, 1002)
        )
    };
    rows.iter().enumerate().map(service).collect()
}

/// The rows as they stand in a host's table.
fn shown(director: &Host, rows: usize) -> Vec<String> {
    let mut table = vec![Vec::new(); rows];
    for line in director.ok("ipvsadm -Sn").lines().filter(|l| l.starts_with("-a")) {
        let word = |option: &str| {
            line.split_whitespace().skip_while(|w| *w != option).nth(1).expect("an option of a rule line")
        };
        let row: usize = word("-t").rsplit(':').next().expect("a port").parse().expect("a port");
        let name = match word("-r").split(':').next().expect("an address") {
            "10.0.0.1" => "a",
            "10.0.0.2" => "b",
            "10.0.0.9" => "s",
            other => unreachable!("{other} in {line}"),
        };
        let weight = word("-w");
        table[row - 8000].push(if weight == "1" { name.to_owned() } else { format!("{name}={weight}") });
    }
    table.iter_mut().for_each(|servers| servers.sort());
    table.iter().map(|servers| servers.join(" ")).collect()
}

struct Pair {
    ours: Host,
    peer: Host,
}

impl Pair {
    fn new(lab: &Lab, config: &str) -> Self {
        let director = |name, address| {
            let host = lab.host(name, &[address]);
            host.write("/run/checks.conf", config);
            host.write("/run/note", "#!/bin/sh\necho \"$@\" >>/run/notes\n");
            host.ok("chmod 755 /run/note");
            host
        };
        Self { ours: director("ours", "10.0.0.101/24"), peer: director("peer", "10.0.0.102/24") }
    }

    fn start(&self) -> (Daemon, Daemon) {
        let keepalived = "keepalived -G -n -l --check -f /run/checks.conf -p /run/k.pid -c /run/kc.pid";
        (self.ours.spawn("tcpcheck watch --ipvs --config /run/checks.conf"), self.peer.spawn(keepalived))
    }

    /// Waits until both tables are as expected; says which is not.
    #[track_caller]
    fn expect(&self, what: &str, rows: &[Row], moment: usize) {
        let want: Vec<_> = rows.iter().map(|r| r.table[moment].to_owned()).collect();
        for (name, host) in [("keepalived", &self.peer), ("tcpcheck", &self.ours)] {
            let mut last = Vec::new();
            let end = lvs_core::sys::clock::now() + 15 * SECONDS;
            while lvs_core::sys::clock::now() < end && last != want {
                last = shown(host, rows.len());
                lab::pause(SECONDS / 20);
            }
            for ((row, want), got) in rows.iter().zip(&want).zip(&last) {
                assert_eq!(got, want, "{what}: {name} with '{} {}'", row.flags, row.servers);
            }
        }
    }

    /// What the scripts were told, sorted: several that start together end in any order.
    fn notes(host: &Host) -> Vec<String> {
        let mut notes: Vec<_> = host.sh("cat /run/notes").stdout.lines().map(str::to_owned).collect();
        notes.sort();
        notes
    }
}

#[test]
fn every_flag_of_a_failure_row_by_row() {
    let lab = Lab::new();
    let farm = lab.host("farm", &["10.0.0.1/24", "10.0.0.2/24", "10.0.0.9/24"]);
    let rows = rows();
    let pair = Pair::new(&lab, &config(&rows));
    let serve = |name: &str, port: u16| {
        let server = farm.spawn(&format!("lab server {name} {port}"));
        server.wait_for_line("serves", 5 * SECONDS);
        server
    };

    let (ours, peer) = pair.start();
    pair.expect("both dead at the start", &rows, 0);
    let (a, b) = (serve("a", 1001), serve("b", 1002));
    pair.expect("both alive", &rows, 1);
    a.kill();
    pair.expect("a dead", &rows, 2);
    b.kill();
    pair.expect("both dead", &rows, 3);
    let _a = serve("a", 1001);
    pair.expect("a back", &rows, 4);
    let _b = serve("b", 1002);
    pair.expect("both back", &rows, 5);

    let told = || (Pair::notes(&pair.ours), Pair::notes(&pair.peer));
    wait(5 * SECONDS, "the same notifications", || {
        let (ours, peer) = told();
        ours == peer
    });
    assert_eq!(ours.stop(5 * SECONDS), 0);
    assert_eq!(peer.stop(10 * SECONDS), 0);
}

/// A virtual server each, on port 8000 and up, with one real server and this check.
fn pages(checks: &[(&str, String)]) -> String {
    let service = |(n, (_, check)): (usize, &(&str, String))| {
        format!(
            "virtual_server 10.0.0.100 {port} {{\ndelay_loop 1\nlb_algo rr\nlb_kind DR\nprotocol TCP\n\
             real_server 10.0.0.1 {port} {{\n{check}\n}}\n}}\n",
            port = 8000 + n
        )
    };
    checks.iter().enumerate().map(service).collect()
}

#[test]
fn pages_plain_and_over_tls_are_judged_alike() {
    let lab = Lab::new();
    let farm = lab.host("farm", &["10.0.0.1/24"]);
    let serve = |port: u16, status: &str, manner: &str| {
        let mut words = vec!["lab".to_owned(), "page".to_owned(), port.to_string(), status.to_owned()];
        words.extend((!manner.is_empty()).then(|| manner.to_owned()));
        let server = farm.spawn(words.iter().map(String::as_str).collect::<Vec<_>>().as_slice());
        server.wait_for_line("serves", 5 * SECONDS);
        server
    };
    let check = |kind: &str, port: u16, more: &str| {
        let times = "connect_timeout 2\nretry 0\nwarmup 0";
        format!("{kind} {{\nconnect_port {port}\n{times}\nurl {{\npath /\n{more}\n}}\n}}")
    };
    // Of "page" and a line end, and of another page.
    let [digest, other] =
        ["digest 2adf521149526dde524f030851c7f903", "digest 00000000000000000000000000000000"];
    let checks = [
        ("plain, well", check("HTTP_GET", 1001, "")),
        ("plain, 404", check("HTTP_GET", 1002, "")),
        ("TLS, well, with a certificate that is over", check("SSL_GET", 1003, "")),
        ("TLS, 503", check("SSL_GET", 1004, "")),
        ("TLS, 503 wanted", check("SSL_GET", 1004, "status_code 503")),
        ("TLS asked of a plain server", check("SSL_GET", 1001, "")),
        ("plain asked of a TLS server", check("HTTP_GET", 1003, "")),
        ("TLS, nobody there", check("SSL_GET", 1009, "")),
        ("TLS, its digest", check("SSL_GET", 1003, digest)),
        ("TLS, another digest", check("SSL_GET", 1003, other)),
        ("cut, well", check("HTTP_GET", 1005, "status_code 200")),
        ("cut, the digest of what comes", check("HTTP_GET", 1005, digest)),
        ("cut, another digest", check("HTTP_GET", 1005, other)),
    ];
    let config = pages(&checks);
    let pair = Pair::new(&lab, &config);
    let _plain = (serve(1001, "200 OK", ""), serve(1002, "404 Not Found", ""));
    let _cut = serve(1005, "200 OK", "cut");
    let (well, _busy) = (serve(1003, "200 OK", "tls"), serve(1004, "503 Busy", "tls"));
    let (ours, peer) = pair.start();
    let expect = |what: &str, want: &[&str]| {
        for (name, host) in [("keepalived", &pair.peer), ("tcpcheck", &pair.ours)] {
            let alive = || {
                let shown = shown(host, checks.len());
                let each = checks.iter().zip(shown).filter(|(_, servers)| !servers.is_empty());
                each.map(|((name, _), _)| *name).collect::<Vec<_>>()
            };
            let end = lvs_core::sys::clock::now() + 15 * SECONDS;
            while alive() != want && lvs_core::sys::clock::now() < end {
                lab::pause(SECONDS / 20);
            }
            assert_eq!(alive(), want, "{what}: {name}");
        }
    };
    let [plain, over, wanted, digest, cut, of_cut] = [0, 2, 4, 8, 10, 11].map(|n: usize| checks[n].0);
    expect("all servers up", &[plain, over, wanted, digest, cut, of_cut]);
    well.kill();
    expect("the TLS server dead", &[plain, wanted, cut, of_cut]);
    let _well = serve(1003, "200 OK", "tls");
    expect("the TLS server back", &[plain, over, wanted, digest, cut, of_cut]);
    assert_eq!(ours.stop(5 * SECONDS), 0);
    assert_eq!(peer.stop(10 * SECONDS), 0);
}

/// What is in the table of services of the file (8000) and of others, before the start (99) and while it runs (98).
#[test]
fn what_is_flushed_at_the_start_and_at_the_stop() {
    let lab = Lab::new();
    let pair = Pair::new(&lab, "");
    let table = |host: &Host| {
        let table = host.ok("ipvsadm -Sn");
        let ports = table.lines().filter(|l| l.starts_with("-A")).filter_map(|l| l.split([':', ' ']).nth(3));
        let mut ports: Vec<_> = ports.map(str::to_owned).collect();
        ports.sort();
        ports.join(" ")
    };
    let both = |command: &str| [&pair.ours, &pair.peer].map(|host| host.ok(command));
    for (line, started, stopped) in [
        ("lvs_flush", "8000", "98"),
        ("lvs_flush_on_stop", "8000 99", ""),
        ("lvs_flush_on_stop VS", "8000 99", "98 99"),
    ] {
        let text = format!("global_defs {{\n{line}\n}}\n{}", pages(&[("", String::new())]));
        for host in [&pair.ours, &pair.peer] {
            host.write("/run/checks.conf", &text);
        }
        both("ipvsadm -C");
        both("ipvsadm -A -t 10.9.9.9:99 -s rr");
        let (ours, peer) = pair.start();
        let expect = |when: &str, want: &str, hosts: &[(&str, &Host)]| {
            for (name, host) in hosts {
                wait(10 * SECONDS, &format!("'{want}' {when} with {line}: {name}"), || table(host) == want);
            }
        };
        expect("after the start", started, &[("keepalived", &pair.peer), ("tcpcheck", &pair.ours)]);
        both("ipvsadm -A -t 10.9.9.9:98 -s rr");
        assert_eq!((ours.stop(5 * SECONDS), peer.stop(10 * SECONDS)), (0, 0));
        expect("after the stop", stopped, &[("keepalived", &pair.peer)]);
        // Unlike keepalived it leaves its services where the file does not say otherwise.
        let left = if line == "lvs_flush" { "8000 98" } else { stopped };
        expect("after the stop", left, &[("tcpcheck", &pair.ours)]);
        let told = ours.log().contains("-D -t 10.9.9.9:98, which was not ours");
        assert_eq!(told, line == "lvs_flush_on_stop", "{}", ours.log());
    }
}
