//! What stands in the table for every flag and every death: tcpcheck beside the real keepalived, with the same file
//! and the same real servers.

use lab::pair::{Pair, notes};
use lab::{Host, Lab, SECONDS, wait};

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
        Row {
            flags: "inhibit_on_failure",
            servers: "",
            table: ["a=0 b=0", "a b", "a=0 b", "a=0 b=0", "a b=0", "a b"],
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

/// Waits until both tables are as the rows have it at a moment.
#[track_caller]
fn expect(pair: &Pair, when: &str, rows: &[Row], moment: usize) {
    let names: Vec<_> = rows.iter().map(|r| format!("{} {}", r.flags, r.servers)).collect();
    let want: Vec<_> = names.iter().zip(rows).map(|(name, r)| (name.as_str(), r.table[moment])).collect();
    pair.expect(when, &want);
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
    expect(&pair, "both dead at the start", &rows, 0);
    let (a, b) = (serve("a", 1001), serve("b", 1002));
    expect(&pair, "both alive", &rows, 1);
    a.kill();
    expect(&pair, "a dead", &rows, 2);
    b.kill();
    expect(&pair, "both dead", &rows, 3);
    let _a = serve("a", 1001);
    expect(&pair, "a back", &rows, 4);
    let _b = serve("b", 1002);
    expect(&pair, "both back", &rows, 5);

    let told = || (notes(&pair.ours), notes(&pair.peer));
    wait(5 * SECONDS, "the same notifications", || {
        let (ours, peer) = told();
        ours == peer
    });
    assert_eq!(ours.stop(5 * SECONDS), 0);
    assert_eq!(peer.stop(10 * SECONDS), 0);
}

/// A check with its name, lines of its virtual server, and what stands in the table: `a` with its weight, or nothing.
struct Judged {
    name: &'static str,
    service: &'static str,
    check: String,
    shown: &'static str,
}

fn judged(name: &'static str, check: String, shown: &'static str) -> Judged {
    Judged { name, service: "", check, shown }
}

/// A virtual server each, on port 8000 and up, with one real server and this check.
fn services(checks: &[Judged]) -> String {
    let service = |(n, Judged { service, check, .. }): (usize, &Judged)| {
        format!(
            "virtual_server 10.0.0.100 {port} {{\ndelay_loop 2\nlb_algo rr\nlb_kind DR\nprotocol TCP\n{service}\n\
             real_server 10.0.0.1 {port} {{\n{check}\n}}\n}}\n",
            port = 8000 + n
        )
    };
    checks.iter().enumerate().map(service).collect()
}

/// Waits until all of these are as they should be, with both.
#[track_caller]
fn expect_alike(pair: &Pair, when: &str, checks: &[Judged], changed: &[(&str, &str)]) {
    let want =
        |c: &Judged| changed.iter().find(|(name, _)| *name == c.name).map_or(c.shown, |(_, shown)| shown);
    let all: Vec<_> = checks.iter().map(|c| (c.name, want(c))).collect();
    pair.expect(when, &all);
}

fn get(kind: &str, port: u16, urls: &[&str]) -> String {
    let urls: String = urls.iter().map(|lines| format!("url {{\n{lines}\n}}\n")).collect();
    format!("{kind} {{\nconnect_port {port}\nconnect_timeout 3\nretry 0\nwarmup 0\n{urls}}}")
}

fn connect(lines: &str) -> String {
    format!("TCP_CHECK {{\nconnect_timeout 1\nretry 0\nwarmup 0\n{lines}\n}}")
}

/// Port 1001 is well, 1002 answers 404, 1003 is well over TLS, 1004 busy over TLS, 1005 busy, 1006 points elsewhere, 1007 sends
/// half of what it announces.
fn judged_pages() -> Vec<Judged> {
    // Of "page" and a line end.
    let digest = "path /\ndigest 2adf521149526dde524f030851c7f903";
    let other = "path /\ndigest 00000000000000000000000000000000";
    let one = |name, kind, port, url: &str, shown| judged(name, get(kind, port, &[url]), shown);
    let plain = |name, port, url: &str, shown| one(name, "HTTP_GET", port, url, shown);
    let tls = |name, port, url: &str, shown| one(name, "SSL_GET", port, url, shown);
    let named = |url: &str| get("HTTP_GET", 1001, &[url]);
    // Without anchors: keepalived finds neither the beginning nor the end of a page that comes in one packet.
    let host = "path /host\nregex www.example";
    vec![
        plain("plain, well", 1001, "path /", "a"),
        plain("plain, 404", 1002, "path /", ""),
        tls("TLS, well, with a certificate that is over", 1003, "path /", "a"),
        tls("TLS, 503", 1004, "path /", ""),
        tls("TLS, 503 wanted", 1004, "path /\nstatus_code 503", "a"),
        tls("TLS asked of a plain server", 1001, "path /", ""),
        plain("plain asked of a TLS server", 1003, "path /", ""),
        tls("TLS, nobody there", 1009, "path /", ""),
        tls("TLS, its digest", 1003, digest, "a"),
        tls("TLS, another digest", 1003, other, ""),
        plain("503 with its digest", 1005, digest, ""),
        plain("503 with its regex", 1005, "path /\nregex page", ""),
        plain("503 wanted, with its regex", 1005, "path /\nregex page\nstatus_code 503", "a"),
        plain("302 with its regex", 1006, "path /\nregex page", ""),
        plain("404 that does not say it", 1002, "path /\nregex sorry\nregex_no_match", ""),
        plain("its regex", 1001, "path /\nregex pag.", "a"),
        plain("another regex", 1001, "path /\nregex Page", ""),
        plain("another regex, caseless", 1001, "path /\nregex Page\nregex_options caseless", "a"),
        plain("a regex that looks ahead", 1001, "path /\nregex \"pa(?=ge)\"", "a"),
        plain("a regex that refers back", 1001, "path /\nregex \"(.)ag\\\\1\"", ""),
        plain("cut, well", 1007, "path /\nstatus_code 200", "a"),
        plain("cut, the digest of what comes", 1007, digest, "a"),
        plain("cut, another digest", 1007, other, ""),
        judged(
            "a second page that is ill",
            get("HTTP_GET", 1001, &["path /", "path /\nstatus_code 404"]),
            "",
        ),
        judged("two slow pages", get("HTTP_GET", 1001, &["path /slow", "path /slow"]), "a"),
        judged("the host of its url", named(&format!("{host}\nvirtualhost www.example")), "a"),
        judged("the host of its server", format!("virtualhost www.example\n{}", named(host)), "a"),
        Judged { service: "virtualhost www.example", ..judged("the host of its service", named(host), "a") },
        judged("no host", named(host), ""),
        judged("a connection", connect("connect_port 1001"), "a"),
        judged("a connection to another address", connect("connect_port 1001\nconnect_ip 10.0.0.77"), ""),
        judged("a connection to another port", connect("connect_port 1009"), ""),
        Judged { service: "protocol UDP", ..judged("UDP, alive", connect("connect_port 1001"), "a") },
        Judged { service: "protocol UDP", ..judged("UDP, dead", connect("connect_port 1009"), "") },
        judged(
            "one of two checks fails",
            connect("connect_port 1001") + "\n" + &connect("connect_port 1009"),
            "",
        ),
    ]
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
    let checks = judged_pages();
    let pair = Pair::new(&lab, &services(&checks));
    let _plain = (serve(1001, "200 OK", ""), serve(1002, "404 Not Found", ""));
    let _odd = (serve(1005, "503 Busy", ""), serve(1006, "302 Found", ""), serve(1007, "200 OK", "cut"));
    let (well, _busy) = (serve(1003, "200 OK", "tls"), serve(1004, "503 Busy", "tls"));
    let (ours, peer) = pair.start();
    expect_alike(&pair, "all servers up", &checks, &[]);
    well.kill();
    let tls = ["TLS, well, with a certificate that is over", "TLS, its digest"];
    expect_alike(&pair, "the TLS server dead", &checks, &tls.map(|name| (name, "")));
    let _well = serve(1003, "200 OK", "tls");
    // Every check has its second turn, the slowest too.
    lab::pause(6 * SECONDS);
    expect_alike(&pair, "the TLS server back", &checks, &[]);
    assert_eq!(ours.stop(5 * SECONDS), 0);
    assert_eq!(peer.stop(10 * SECONDS), 0);
}

#[test]
fn commands_are_judged_alike() {
    let lab = Lab::new();
    let run = |command: &str, more: &str| {
        format!("weight 5\nMISC_CHECK {{\nmisc_path \"{command}\"\nwarmup 0\nmisc_timeout 10\n{more}\n}}")
    };
    let sorry = "sorry_server 10.0.0.9 80";
    let checks = [
        judged("well", run("/bin/true", ""), "a=5"),
        judged("ill", run("/bin/false", ""), ""),
        judged("another status", run("/bin/sh -c 'exit 42'", ""), ""),
        judged("another status, as a weight", run("/bin/sh -c 'exit 42'", "misc_dynamic"), "a=40"),
        judged("the least weight", run("/bin/sh -c 'exit 2'", "misc_dynamic"), "a=0"),
        judged("ill with weights", run("/bin/false", "misc_dynamic"), ""),
        judged("too slow", run("/bin/sleep 30", "misc_timeout 1"), ""),
        judged("killed", run("/bin/sh -c 'kill -9 $$'", ""), ""),
        judged("not there", run("/run/gone", ""), "a=5"),
        judged("as somebody else", run("/bin/sh -c 'test $(id -un) = nobody'", "user nobody"), "a=5"),
        judged("as nobody known", run("/bin/false", "user nosuchuser"), "a=5"),
        judged("inhibited", format!("inhibit_on_failure\n{}", run("/bin/false", "")), "a=0"),
        Judged {
            service: sorry,
            ..judged("no weight but a sorry server", run("/bin/sh -c 'exit 2'", "misc_dynamic"), "s")
        },
    ];
    let pair = Pair::new(&lab, &format!("global_defs {{\nscript_user root\n}}\n{}", services(&checks)));
    let (ours, peer) = pair.start();
    expect_alike(&pair, "all known", &checks, &[]);
    lab::pause(3 * SECONDS);
    expect_alike(&pair, "a while later", &checks, &[]);
    assert_eq!((ours.stop(5 * SECONDS), peer.stop(10 * SECONDS)), (0, 0));
}

/// Nobody answers and nobody refuses, so that the first check of each is under way for as long as we look.
#[test]
fn alpha_is_what_nothing_is_known_of() {
    let lab = Lab::new();
    let farm = lab.host("farm", &["10.0.0.1/24", "10.0.0.2/24", "10.0.0.9/24"]);
    let row = |flags, servers, first| Row { flags, servers, table: [first, "a b", "a b", "", "", ""] };
    let rows = [
        row("", "", "a b"),
        row("alpha", "", ""),
        row("", "alpha", ""),
        row("SORRY alpha", "", "s"),
        row("SORRY", "", "a b"),
        row("alpha; inhibit_on_failure", "", "a=0 b=0"),
        row("inhibit_on_failure", "", "a b"),
    ];
    let pair = Pair::new(&lab, &config(&rows).replace("connect_timeout 1", "connect_timeout 60"));
    farm.ok("iptables-legacy -A INPUT -p tcp -j DROP");
    let servers =
        [("a", 1001), ("b", 1002)].map(|(name, port)| farm.spawn(&format!("lab server {name} {port}")));
    servers.iter().for_each(|server| drop(server.wait_for_line("serves", 5 * SECONDS)));
    let (ours, peer) = pair.start();
    expect(&pair, "at the start", &rows, 0);
    lab::pause(2 * SECONDS);
    expect(&pair, "while the first check is under way", &rows, 0);
    farm.ok("iptables-legacy -F");
    expect(&pair, "the first success", &rows, 1);
    for daemon in [&ours, &peer] {
        daemon.signal(lab::Signal::SIGHUP);
    }
    ours.wait_for_line("taken anew", 5 * SECONDS);
    expect(&pair, "a reload", &rows, 2);
    assert_eq!((ours.stop(5 * SECONDS), peer.stop(10 * SECONDS)), (0, 0));
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
        let text = format!("global_defs {{\n{line}\n}}\n{}", services(&[judged("", String::new(), "a")]));
        pair.write(&text);
        both("ipvsadm -C");
        both("ipvsadm -A -t 10.9.9.9:99 -s rr");
        let (ours, peer) = pair.start();
        let expect = |when: &str, want: &str, hosts: &[(&str, &Host)]| {
            for (name, host) in hosts {
                wait(10 * SECONDS, &format!("'{want}' {when} with {line}: {name}"), || table(host) == want);
            }
        };
        expect("after the start", started, &pair.each());
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
