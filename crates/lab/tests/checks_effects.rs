//! What a check does besides its verdict, and what becomes of it: the log, the stop, a pause, a weight. The same file
//! with the real keepalived first, then with tcpcheck.

use lab::pair::{KEEPALIVED, Pair, TCPCHECK, check, expect, forget_notes, notes, serve, server, service};
use lab::{Daemon, Lab, SECONDS, pause, wait};
use lvs_core::sys::clock;

fn connect(port: u16) -> String {
    check("TCP_CHECK", &format!("connect_port {port}"))
}

/// Three tries take a server out: each is logged where the check or the file asks for that, and no further one.
#[test]
fn each_failed_try_of_a_live_server_is_logged_where_that_is_asked_for() {
    const KINDS: [(&str, &str); 2] = [("TCP_CHECK", ""), ("HTTP_GET", "url {\npath /\n}")];
    const LOUD: [&str; 3] = ["", "log_all_failures", "log_all_failures off"];
    let lab = Lab::new();
    let farm = lab.host("farm", &["10.0.0.1/24"]);
    let pair = Pair::new(&lab, "");
    for (global, logged) in [("", [0, 3, 0]), ("checker_log_all_failures", [3; 3])] {
        let rows = KINDS.iter().flat_map(|kind| LOUD.iter().zip(logged).map(move |loud| (kind, loud)));
        let rows: Vec<_> =
            (8000..).zip(rows).map(|(port, (kind, loud))| (port, *kind, *loud.0, loud.1)).collect();
        let of = |(port, (kind, more), loud, _): &(usize, (&str, &str), &str, usize)| {
            let lines = format!("connect_port 1001\n{more}\n{loud}");
            // Each with a timeout of its own: what is alike is one check for tcpcheck.
            let schedule = format!("retry 2\ndelay_before_retry 0.3\nconnect_timeout {}", port - 7990);
            let check = check(kind, &lines).replace("connect_timeout 5\nretry 0", &schedule);
            service(*port, "", &[server(1, *port, &check)])
        };
        let text: String = rows.iter().map(of).collect();
        pair.write(&format!("global_defs {{\n{global}\n}}\n{text}"));
        let page = serve(&farm, &["lab", "page", "1001", "200 OK"]);
        let (ours, peer) = pair.start();
        let all = |shown| rows.iter().map(|_| (global, shown)).collect::<Vec<_>>();
        peer.wait_for_line("Startup complete", 20 * SECONDS);
        passed(&pair, &peer, rows.len());
        page.kill();
        pair.expect("dead", &all(""));
        pause(2 * SECONDS);
        let _page = serve(&farm, &["lab", "page", "1001", "200 OK"]);
        pair.expect("back", &all("a"));
        for (port, (kind, _), loud, logged) in &rows {
            let theirs = peer.log().lines().filter(|l| is_failure(l, *port)).count();
            assert_eq!(theirs, *logged, "keepalived: {global}: {kind} {loud}: {}", peer.log());
            let whom = format!("10.0.0.100:{port}: real server 10.0.0.1:{port}: ");
            let said = ours.log().lines().filter(|l| l.contains(&whom) && l.contains(" failed: ")).count();
            assert_eq!(said, *logged, "tcpcheck: {global}: {kind} {loud}: {}", ours.log());
        }
        assert_eq!((ours.stop(5 * SECONDS), peer.stop(10 * SECONDS)), (0, 0));
    }
}

/// Waits until every check has passed, so that its retries count.
fn passed(pair: &Pair, peer: &Daemon, checks: usize) {
    let good = |l: &str| l.contains(" success.") || l.contains("succeed on service");
    wait(20 * SECONDS, "keepalived's first tries", || {
        peer.log().lines().filter(|l| good(l)).count() >= checks
    });
    wait(20 * SECONDS, "tcpcheck's first tries", || {
        let status = pair.ours.run("tcpcheck status --json").stdout;
        status.matches("\"passed\"").count() >= checks && !status.contains("\"passed\":0")
    });
}

/// Whether keepalived tells by this line that one try failed.
fn is_failure(line: &str, port: usize) -> bool {
    let of = line.contains(&format!("[10.0.0.1]:tcp:{port}")) && !line.contains("_CHECK on service");
    of && ["fail", "rror", "refused"].iter().any(|word| line.contains(word))
}

#[test]
fn checks_rest_while_the_address_is_on_the_other_director() {
    let lab = Lab::new();
    let farm = lab.host("farm", &["10.0.0.1/24", "10.0.0.2/24"]);
    let text = service(8000, "ha_suspend", &[server(1, 8000, &connect(1001))])
        + &service(8001, "", &[server(2, 8001, &connect(1001))]);
    let pair = Pair::new(&lab, &text);
    let address = |verb: &str| {
        pair.each().iter().for_each(|(_, host)| {
            host.ok(&format!("ip address {verb} 10.0.0.100/32 dev ens192"));
        });
    };
    let expect = |when: &str, resting: &str, other: &str| {
        pair.expect(when, &[("rests", resting), ("goes on", other)]);
    };
    let (ours, peer) = pair.start();
    expect("nobody serves, the address is elsewhere", "a", "");
    address("add");
    expect("the address is here", "", "");
    let servers = serve(&farm, &["lab", "server", "farm", "1001"]);
    expect("they serve", "a", "b");
    address("del");
    peer.wait_for_line("Suspending healthchecker for service [10.0.0.1]:tcp:8000", 5 * SECONDS);
    servers.kill();
    expect("they died, the address is elsewhere", "a", "");
    // Two turns more.
    pause(2 * SECONDS);
    expect("and a while later", "a", "");
    address("add");
    expect("the address is here again", "", "");
    assert_eq!((ours.stop(5 * SECONDS), peer.stop(10 * SECONDS)), (0, 0));
}

/// Lines of a virtual server, the ports that a and b are asked at, their lines, the table, and what the scripts are told at the stop.
const STOPS: [(&str, [u16; 2], &str, &str, &str); 9] = [
    ("", [1001, 1001], "", "a b", ""),
    ("omega", [1001, 1001], "", "a b", "a down, b down, quorum down"),
    ("omega", [1001, 1009], "", "a", "a down, quorum down"),
    ("omega", [1009, 1009], "", "", "quorum down"),
    ("omega", [1001, 1009], "inhibit_on_failure", "a b=0", "a down, quorum down"),
    ("omega\nquorum 2", [1001, 1009], "", "a", "a down, quorum down"),
    ("omega\nsorry_server 10.0.0.9 80", [1009, 1009], "", "s", "quorum down"),
    ("omega\nquorum 2\nsorry_server 10.0.0.9 80", [1001, 1009], "", "s", "quorum down"),
    ("omega\nalpha", [1009, 1009], "", "", "quorum down"),
];

fn stops() -> String {
    let of = |(n, (lines, ports, more, _, _)): (usize, &(&str, [u16; 2], &str, &str, &str))| {
        let port = 8000 + n;
        let told = |what: &str, up: bool| {
            let way = if up { "up" } else { "down" };
            format!("{what}_{way} \"/run/note {n} NAME {way}\"\n")
        };
        let lines = format!("{lines}\n{}", told("quorum", false).replace("NAME", "quorum"));
        let servers = [("a", 1, ports[0]), ("b", 2, ports[1])].map(|(name, last, asked)| {
            let notify = told("notify", false).replace("NAME", name);
            server(last, port, &format!("{more}\n{notify}{}", connect(asked)))
        });
        service(port, &lines, &servers)
    };
    STOPS.iter().enumerate().map(of).collect()
}

#[test]
fn omega_tells_the_scripts_at_the_stop() {
    let lab = Lab::new();
    let farm = lab.host("farm", &["10.0.0.1/24", "10.0.0.2/24"]);
    let pair = Pair::new(&lab, &format!("global_defs {{\nscript_user root\n}}\n{}", stops()));
    let _servers = serve(&farm, &["lab", "server", "farm", "1001"]);
    let peer = pair.peer.spawn(KEEPALIVED);
    let ours = pair.ours.spawn(&format!("{TCPCHECK} --clear-on-exit"));
    let shown: Vec<_> = STOPS.iter().map(|(lines, _, _, shown, _)| (*lines, *shown)).collect();
    pair.expect("all known", &shown);
    pause(SECONDS);
    pair.each().iter().for_each(|(_, host)| forget_notes(host));
    assert_eq!((ours.stop(5 * SECONDS), peer.stop(10 * SECONDS)), (0, 0));
    let mut want: Vec<_> = (0..)
        .zip(&STOPS)
        .flat_map(|(n, stop)| {
            stop.4.split(", ").filter(|t| !t.is_empty()).map(move |told| format!("{n} {told}"))
        })
        .collect();
    want.sort();
    for (who, host) in pair.each() {
        let end = clock::now() + 10 * SECONDS;
        while notes(host) != want && clock::now() < end {
            pause(SECONDS / 20);
        }
        assert_eq!(notes(host), want, "{who}");
        assert_eq!(host.ok("ipvsadm -Sn"), "", "{who}");
    }
    // Unlike keepalived it leaves its servers in the table unless it is told otherwise, and then nothing goes down.
    let ours = pair.ours.spawn(TCPCHECK);
    expect("tcpcheck", &pair.ours, "all known", &shown);
    pause(SECONDS);
    forget_notes(&pair.ours);
    assert_eq!(ours.stop(5 * SECONDS), 0);
    pause(SECONDS);
    assert_eq!(notes(&pair.ours), [""; 0]);
}

/// With `misc_dynamic` each command moves the written weight, 5, by its status less 2 and less 5; 0 moves nothing.
#[test]
fn commands_move_the_weight() {
    let lab = Lab::new();
    let misc = |name: &str| {
        format!(
            "MISC_CHECK {{\nmisc_path \"/bin/sh /run/status {name}\"\nmisc_timeout 20\nwarmup 0\nmisc_dynamic\n}}\n"
        )
    };
    let [one, two] = ["one", "two"].map(misc);
    let text = service(8000, "", &[server(1, 8000, &format!("weight 5\n{one}"))])
        + &service(8001, "", &[server(1, 8001, &format!("weight 5\n{one}{two}"))]);
    let pair = Pair::new(&lab, &format!("global_defs {{\nscript_user root\n}}\n{text}"));
    for (_, host) in pair.each() {
        host.write("/run/status", "read status </run/$1\nexit $status\n");
    }
    let say = |statuses: [u8; 2]| {
        for (_, host) in pair.each() {
            for (name, status) in ["one", "two"].iter().zip(statuses) {
                host.write("/run/new", &format!("{status}\n"));
                host.ok(&format!("mv /run/new /run/{name}"));
            }
        }
    };
    let steps = [
        ([12, 22], ["a=10", "a=25"]),
        ([0, 22], ["a=5", "a=20"]),
        ([3, 2], ["a", "a=0"]),
        ([1, 22], ["", ""]),
        ([12, 0], ["a=10", "a=10"]),
    ];
    say(steps[0].0);
    let (ours, peer) = pair.start();
    for (statuses, [alone, together]) in steps {
        say(statuses);
        pair.expect(&format!("statuses {statuses:?}"), &[("one command", alone), ("two", together)]);
    }
    assert_eq!((ours.stop(5 * SECONDS), peer.stop(10 * SECONDS)), (0, 0));
}

/// keepalived takes what comes for the page, with the lines between chunks. Its files hold such digests, for that is what genhash prints.
#[test]
fn a_chunked_page_has_the_digest_that_genhash_prints() {
    // Of what comes, of the page, of neither.
    let digests = [
        "39114eb60fea41b4551323f5d5d15ac3",
        "2adf521149526dde524f030851c7f903",
        "00000000000000000000000000000000",
    ];
    let lab = Lab::new();
    let farm = lab.host("farm", &["10.0.0.1/24"]);
    let of = |(n, digest): (usize, &&str)| {
        let lines = format!("http_protocol 1.1\nconnect_port 1001\nurl {{\npath /\ndigest {digest}\n}}");
        service(8000 + n, "", &[server(1, 8000 + n, &check("HTTP_GET", &lines))])
    };
    let pair = Pair::new(&lab, &digests.iter().enumerate().map(of).collect::<String>());
    let _page = serve(&farm, &["lab", "page", "1001", "200 OK", "chunked"]);
    assert_eq!(pair.peer.ok("genhash -P 1.1 -s 10.0.0.1 -p 1001 -u /").trim(), digests[0]);
    let (ours, peer) = pair.start();
    let want = |page| [("what comes", "a"), ("the page", page), ("neither", "")];
    expect("keepalived", &pair.peer, "", &want(""));
    expect("tcpcheck", &pair.ours, "", &want("a"));
    // The second turn of each.
    pause(2 * SECONDS);
    expect("keepalived", &pair.peer, "later", &want(""));
    expect("tcpcheck", &pair.ours, "later", &want("a"));
    assert_eq!((ours.stop(5 * SECONDS), peer.stop(10 * SECONDS)), (0, 0));
}
