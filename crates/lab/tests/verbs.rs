//! The verbs of ipvsctl that ipvsadm does not have, on a real table with real connections.

use lab::{Daemon, Host, Lab, SECONDS, Signal, wait};

const VIP: &str = "192.168.15.111";

/// A director with one service and two real servers by direct routing, and a client.
struct Cluster {
    director: Host,
    client: Host,
    /// Kept: they go with the cluster.
    _servers: Vec<(Host, Daemon)>,
    _lab: Lab,
}

impl Cluster {
    /// `options` are those of the service, as `-s rr -p 5`.
    fn new(options: &str) -> Self {
        let lab = Lab::new();
        let director = lab.host("d100", &["192.168.15.100/21", "192.168.15.111/32"]);
        let client = lab.host("c", &["192.168.15.50/21"]);
        director.ok(&format!("ipvsadm -A -t {VIP}:80 {options}"));
        // Connections that are being closed are forgotten after two seconds instead of two minutes.
        director.ok("ipvsadm --set 900 2 300");
        let servers = ["102", "103"].map(|n| {
            let host = lab.host(&format!("r{n}"), &[&format!("192.168.15.{n}/21")]);
            host.ok("sysctl -qw net.ipv4.conf.all.arp_ignore=1 net.ipv4.conf.all.arp_announce=2");
            host.ok(&format!("ip addr add {VIP}/32 dev lo"));
            let daemon = host.spawn(&format!("lab server r{n} 80"));
            daemon.wait_for_line("serves", 10 * SECONDS);
            director.ok(&format!("ipvsadm -a -t {VIP}:80 -r 192.168.15.{n}:80 -g -w 5"));
            (host, daemon)
        });
        Self { director, client, _servers: servers.into(), _lab: lab }
    }

    /// A connection of the client that stays until the daemon goes.
    fn connection(&self) -> Daemon {
        let script = format!("exec 3<>/dev/tcp/{VIP}/80; read -r name <&3; echo \"by $name\"; sleep 1000");
        let daemon = self.client.spawn(&["bash", "-c", &script]);
        daemon.wait_for_line("by r10", 10 * SECONDS);
        daemon
    }

    /// What `ipvsadm -Sn` says of a server; empty without it.
    fn rule(&self, server: &str) -> String {
        let all = self.director.ok("ipvsadm -Sn");
        all.lines().find(|l| l.contains(&format!("-r {server}:80"))).unwrap_or_default().to_owned()
    }

    fn drain(&self, options: &str) -> Daemon {
        self.director.spawn(&format!("ipvsctl drain -t {VIP}:80 {options}"))
    }
}

#[test]
fn a_drained_server_is_removed_when_its_last_client_has_gone() {
    let cluster = Cluster::new("-s rr");
    let clients = [cluster.connection(), cluster.connection()];
    let drain = cluster.drain("-r 192.168.15.102:80 --remove");
    drain.wait_for_line("1 left: 1 active, 0 inactive, 0 persistent", 10 * SECONDS);
    assert!(cluster.rule("192.168.15.102").ends_with("-w 0"));
    for _ in 0..4 {
        assert_eq!(cluster.client.ok(&format!("lab get {VIP}:80")), "r103\n", "no new connections");
    }
    assert!(drain.running(), "{}", drain.log());
    drop(clients);
    assert_eq!(drain.wait_for_end(20 * SECONDS), 0, "{}", drain.log());
    drain.wait_for_line("and removed it", 5 * SECONDS);
    assert_eq!(cluster.rule("192.168.15.102"), "");
    assert!(cluster.rule("192.168.15.103").ends_with("-w 5"));
}

#[test]
fn who_interrupts_a_drain_is_told_the_state_and_can_undo_it() {
    let cluster = Cluster::new("-s rr");
    let _clients = [cluster.connection(), cluster.connection()];
    for signal in [Signal::SIGINT, Signal::SIGTERM] {
        let drain = cluster.drain("-r 192.168.15.102");
        drain.wait_for_line("1 left", 10 * SECONDS);
        drain.signal(signal);
        assert_eq!(drain.wait_for_end(10 * SECONDS), 1);
        drain.wait_for_line("192.168.15.102:80 of -t 192.168.15.111:80 stays at weight 0", 5 * SECONDS);
    }
    assert!(cluster.rule("192.168.15.102").ends_with("-w 0"));
    let undo = cluster.director.run(&format!("ipvsctl drain -t {VIP}:80 -r 192.168.15.102:80 --undo"));
    assert_eq!(undo.status, 0, "{undo}");
    assert!(cluster.rule("192.168.15.102").ends_with("-w 5"), "{undo}");
    let again = cluster.director.run(&format!("ipvsctl drain -t {VIP}:80 -r 192.168.15.102:80 --undo"));
    assert_eq!(again.status, 1, "{again}");
}

#[test]
fn a_killed_drain_leaves_a_weight_that_can_be_put_back() {
    let cluster = Cluster::new("-s rr");
    let _clients = [cluster.connection(), cluster.connection()];
    let drain = cluster.drain("-r 192.168.15.103");
    drain.wait_for_line("1 left", 10 * SECONDS);
    drain.kill();
    cluster.director.ok("ipvsctl drain -r 192.168.15.103 --undo");
    assert!(cluster.rule("192.168.15.103").ends_with("-w 5"));
}

#[test]
fn patience_and_other_hands_end_a_drain() {
    let cluster = Cluster::new("-s rr");
    let _clients = [cluster.connection(), cluster.connection()];
    let drain = cluster.director.run(&format!("ipvsctl drain -t {VIP}:80 -r 192.168.15.102 --timeout 300ms"));
    assert_eq!(drain.status, 1, "{drain}");
    assert!(drain.stderr.contains("not drained within 0:00"), "{drain}");

    let drain = cluster.drain("-r 192.168.15.102");
    drain.wait_for_line("1 left", 10 * SECONDS);
    cluster.director.ok(&format!("ipvsadm -e -t {VIP}:80 -r 192.168.15.102:80 -g -w 7"));
    assert_eq!(drain.wait_for_end(10 * SECONDS), 1);
    drain.wait_for_line("somebody else gave it weight 7", 5 * SECONDS);

    let drain = cluster.drain("-r 192.168.15.102");
    drain.wait_for_line("1 left", 10 * SECONDS);
    cluster.director.ok(&format!("ipvsadm -d -t {VIP}:80 -r 192.168.15.102:80"));
    assert_eq!(drain.wait_for_end(10 * SECONDS), 1);
    drain.wait_for_line("somebody else removed it", 5 * SECONDS);
}

#[test]
fn clients_that_persistence_binds_are_waited_for() {
    let cluster = Cluster::new("-s rr -p 300");
    cluster.client.ok(&format!("lab get {VIP}:80"));
    let bound = ["102", "103"].into_iter().find(|n| {
        let list = cluster.director.ok("ipvsadm -Ln --persistent-conn");
        let row =
            list.lines().find(|l| l.contains(&format!("192.168.15.{n}:80"))).unwrap_or_default().to_owned();
        row.split_whitespace().nth(3) == Some("1")
    });
    let server = format!("192.168.15.{}", bound.expect("a server with the client's template"));
    let drain = cluster.drain(&format!("-r {server}"));
    drain.wait_for_line("1 persistent", 10 * SECONDS);
    drain.wait_for_line("expire_quiescent_template", 5 * SECONDS);
    // Its connection is forgotten after two seconds; the client stays bound.
    drain.wait_for_line("1 left: 0 active, 0 inactive, 1 persistent", 60 * SECONDS);
    assert!(drain.running(), "{}", drain.log());
    drain.signal(Signal::SIGINT);
    assert_eq!(drain.wait_for_end(10 * SECONDS), 1, "{}", drain.log());
}

#[test]
fn a_drain_keeps_out_where_another_program_keeps_the_table() {
    let cluster = Cluster::new("-s rr");
    cluster.director.ok("ipvsctl drain -r 192.168.15.102");
    cluster.director.ok("ipvsctl drain -r 192.168.15.102 --undo");
    let lock =
        cluster.director.ok("ls /run/lvs").lines().find(|l| l.starts_with("table-")).unwrap_or("").to_owned();
    let script =
        format!("exec 9<>/run/lvs/{lock}; flock 9; echo 'tcpcheck (process 7)' >&9; echo held; sleep 1000");
    let keeper = cluster.director.spawn(&["bash", "-c", &script]);
    keeper.wait_for_line("held", 10 * SECONDS);
    let refused = cluster.director.run("ipvsctl drain -r 192.168.15.102");
    assert_eq!(refused.status, 1, "{refused}");
    assert!(refused.stderr.contains("tcpcheck drain 192.168.15.102"), "{refused}");
    assert!(cluster.rule("192.168.15.102").ends_with("-w 5"));
}

#[test]
fn metrics_of_a_real_table_pass_prometheus_own_parser() {
    let cluster = Cluster::new("-s rr -p 300");
    cluster.client.ok(&format!("lab get {VIP}:80"));
    let row = "ipvs_service_connections_total{local_address=\"192.168.15.111\",local_port=\"80\",local_mark=\"\",proto=\"TCP\"} 1\n";
    // The kernel adds up its counters now and then.
    wait(10 * SECONDS, "the connection to be counted", || {
        cluster.director.ok("ipvsctl metrics").contains(row)
    });
    cluster.director.ok("ipvsctl metrics --output /run/ipvs.prom");
    let judged = cluster.director.sh("$(../../scripts/lab/find-promtool) check metrics </run/ipvs.prom");
    assert_eq!((judged.status, judged.stdout.as_str(), judged.stderr.as_str()), (0, "", ""), "{judged}");
}

#[test]
fn top_once_shows_the_kernels_counts() {
    let cluster = Cluster::new("-s rr");
    let _clients = [cluster.connection(), cluster.connection()];
    let text = cluster.director.ok("ipvsctl top --once");
    let rows: Vec<Vec<&str>> = text.lines().skip(1).map(|l| l.split_whitespace().collect()).collect();
    assert_eq!(rows[0][..5], ["TCP", "192.168.15.111:80", "10", "2", "0"], "{text}");
    assert_eq!(rows[1][..5], ["->", "192.168.15.102:80", "5", "1", "0"], "{text}");
    assert_eq!(rows[2][..5], ["->", "192.168.15.103:80", "5", "1", "0"], "{text}");
    assert!(text.lines().all(|l| l.len() < 80), "{text}");
    let refused = cluster.director.run("ipvsctl top");
    assert_eq!(refused.status, 2, "without a terminal: {refused}");
}

#[test]
fn top_gives_the_terminal_back_however_it_ends() {
    let cluster = Cluster::new("-s rr");
    let script = "stty -g >/run/before; ipvsctl top --interval 100ms; echo status $?; stty -g >/run/after";
    for end in ["q", "INT", "TERM", "HUP", "QUIT"] {
        // A terminal of its own, fed from a pipe that this shell holds open.
        let keys = "mkfifo /run/keys 2>/dev/null; exec 8<>/run/keys; script -qec \"$0\" /dev/null <&8";
        let top = cluster.director.spawn(&["bash", "-c", keys, script]);
        top.wait_for_line("TCP  192.168.15.111:80", 10 * SECONDS);
        let director = &cluster.director;
        match end {
            "q" => director.ok(&["sh", "-c", "printf q >/run/keys"]),
            signal => director.ok(&format!("pkill -{signal} -x ipvsctl")),
        };
        top.wait_for_line("status 0", 10 * SECONDS);
        wait(5 * SECONDS, "the terminal's settings", || {
            let (before, after) = (director.read("/run/before"), director.sh("cat /run/after").stdout);
            !after.is_empty() && before == after
        });
        let log = top.log();
        let back = log.rfind("\x1b[?25h\x1b[?1049l").expect("the cursor and the screen come back");
        assert!(back > log.rfind("\x1b[?1049h").expect("a screen of its own"), "{end}: {log:?}");
        director.ok("rm /run/after");
        top.kill();
    }
}

#[test]
fn check_looks_at_the_directors_own_routes_and_timeouts() {
    let cluster = Cluster::new("-s rr");
    let director = &cluster.director;
    director.ok("ip route add 10.1.0.0/16 via 192.168.15.50");
    let rules = "-A -t 192.168.15.111:80 -s rr -p 300\n\
        -a -t 192.168.15.111:80 -r 192.168.15.102 -g\n\
        -a -t 192.168.15.111:80 -r 10.1.0.5 -g\n\
        -a -t 192.168.15.111:80 -r 192.168.15.100 -g\n\
        -a -t 192.168.15.111:80 -r 172.16.0.1 -g\n";
    let before = director.ok("ipvsadm -Sn");
    let found = director.input("ipvsctl check -", rules);
    assert_eq!(found.status, 0, "{found}");
    let codes = |text: &str| -> Vec<String> {
        let lines = text.lines().filter(|l| l.starts_with("standard input:") && l.ends_with(']'));
        lines
            .map(|l| format!("{} {}", l.split(':').nth(1).unwrap_or(""), l.rsplit('[').next().unwrap_or("")))
            .collect()
    };
    assert_eq!(codes(&found.stdout), ["3 not-connected]", "4 own-address]", "5 no-route]"], "{found}");
    director.ok("ipvsadm --set 299 0 0");
    let found = director.input(
        "ipvsctl check --strict -",
        "-A -t 192.168.15.111:80 -s rr -p 300\n-a -t 192.168.15.111:80 -r 192.168.15.102\n",
    );
    assert_eq!(
        (found.status, codes(&found.stdout)),
        (1, vec!["1 persistence-timeout]".to_owned()]),
        "{found}"
    );
    assert_eq!(director.ok("ipvsadm -Sn"), before, "a check changes nothing");
}

#[test]
fn sh_refuses_clients_of_a_drained_server_as_drain_and_check_say() {
    let cluster = Cluster::new("-s sh");
    let from: Vec<String> = (1..=20).map(|n| format!("192.168.14.{n}")).collect();
    for address in &from {
        cluster.client.ok(&format!("ip addr add {address}/21 dev ens192"));
    }
    let refused = || {
        let get = |a: &&String| {
            // Whom the kernel takes as the source of what it sends into this network.
            cluster.client.ok(&format!("ip route replace 192.168.8.0/21 dev ens192 src {a}"));
            cluster.client.run(&format!("lab get {VIP}:80")).status != 0
        };
        from.iter().filter(get).count()
    };
    assert_eq!(refused(), 0);
    let drain = cluster.director.run("ipvsctl drain -r 192.168.15.102 --timeout 100ms");
    assert!(drain.stdout.contains("sh-fallback"), "{drain}");
    let some = refused();
    assert!(0 < some && some < 20, "{some} of 20 clients are refused");
    cluster.director.ok(&format!("ipvsctl -E -t {VIP}:80 -s sh -b sh-fallback"));
    assert_eq!(refused(), 0, "with the flag that drain recommends");
}

#[test]
fn prune_deletes_nothing_for_a_file_that_says_nothing() {
    let cluster = Cluster::new("-s rr");
    let director = &cluster.director;
    let before = director.ok("ipvsadm -Sn");
    director.write("/run/typo.conf", "virtual_servre 192.168.15.111 80 {\n}\nglobal_defs {\n}\n");
    for command in [
        "ipvsctl apply --prune /etc/passwd",
        "ipvsctl apply --prune /run/typo.conf",
        "ipvsadm -Ln | ipvsctl apply --prune -",
        "ipvsctl apply --prune - </dev/null",
        "echo 'include /nosuch/*.conf' | ipvsctl apply --prune -",
        "ipvsctl export -f keepalived /nosuch | ipvsctl apply --prune -",
    ] {
        let refused = director.sh(command);
        assert_eq!((refused.status, refused.stdout.as_str()), (2, ""), "{command}: {refused}");
        assert_eq!(director.ok("ipvsadm -Sn"), before, "{command}");
    }
    director.sh("ipvsctl apply --prune --allow-empty - </dev/null");
    assert_eq!(director.ok("ipvsadm -Sn"), "");
}

/// Rules enough for an apply to be interrupted.
fn many_rules() -> String {
    let mut rules = String::new();
    for service in 1..=100 {
        rules += &format!("-A -t 10.9.0.{service}:80 -s rr\n");
        for server in 1..=200 {
            rules += &format!("-a -t 10.9.0.{service}:80 -r 10.8.{service}.{server}:80 -m -w 1\n");
        }
    }
    rules
}

#[test]
fn an_interrupted_apply_says_what_was_done_and_rolls_back() {
    let director = Lab::new().host("d100", &["192.168.15.100/21"]);
    director.ok("ipvsadm -A -t 192.168.15.111:80 -s rr");
    let before = director.ok("ipvsadm -Sn");
    director.write("/run/many.rules", &many_rules());
    for (signal, rollback) in [(Signal::SIGINT, " --rollback"), (Signal::SIGTERM, "")] {
        let apply = director.spawn(&format!("ipvsctl apply{rollback} /run/many.rules"));
        wait(20 * SECONDS, "the first service", || director.run("ipvsadm -Ln -t 10.9.0.1:80").status == 0);
        apply.signal(signal);
        assert_eq!(apply.wait_for_end(60 * SECONDS), 1);
        let last = if rollback.is_empty() {
            "what is done stays; --rollback"
        } else {
            "rolled back: the table is as it was"
        };
        apply.wait_for_line(last, 60 * SECONDS);
        let log = apply.log();
        assert!(log.contains(&format!("ended by {signal}: ")) && log.contains("\n  not done  -"), "{signal}");
        if rollback.is_empty() {
            let done = log.matches("\n  done ").count();
            assert_eq!(
                director.ok("ipvsadm -Sn").lines().count(),
                done + 1,
                "what was done, and nothing else"
            );
        } else {
            assert_eq!(director.ok("ipvsadm -Sn"), before);
        }
    }
}

#[test]
fn a_server_that_was_added_anew_is_not_undrained() {
    let cluster = Cluster::new("-s rr");
    let director = &cluster.director;
    let _clients = [cluster.connection(), cluster.connection()];
    let server = format!("-t {VIP}:80 -r 192.168.15.102:80");
    let drain = director.run(&format!("ipvsctl drain {server} --timeout 100ms"));
    assert_eq!(drain.status, 1, "{drain}");
    // The original's -a: within two minutes the kernel takes the old server back, counters and all.
    director.ok(&format!("ipvsctl -d {server}"));
    director.ok(&format!("ipvsadm -a {server} -g -w 0"));
    let undo = director.run(&format!("ipvsctl drain {server} --undo"));
    assert_eq!(undo.status, 1, "{undo}");
    assert!(undo.stdout.contains("no drain has remembered"), "{undo}");
    assert!(cluster.rule("192.168.15.102").ends_with("-w 0"));
    // Who puts a drained server back without knowing is told.
    director.ok(&format!("ipvsadm -e {server} -g -w 5"));
    let rules = director.ok("ipvsadm -Sn");
    director.run(&format!("ipvsctl drain {server} --timeout 100ms"));
    let apply = director.input("ipvsctl apply -", &rules);
    assert_eq!(apply.status, 0, "{apply}");
    assert!(apply.stderr.contains("192.168.15.102:80 -g -w 5: it was drained"), "{apply}");
    assert!(cluster.rule("192.168.15.102").ends_with("-w 5"));
}

#[test]
fn a_port_that_direct_routing_cannot_translate_does_not_reach_the_kernel() {
    let director = Lab::new().host("d100", &["192.168.15.100/21"]);
    let json = r#"{"services": [{"protocol": "tcp", "address": "192.168.15.111", "port": 443,
        "servers": [{"address": "192.168.15.102", "port": 8080}]}]}"#;
    let apply = director.input("ipvsctl apply -", json);
    assert_eq!(apply.status, 0, "{apply}");
    assert!(director.ok("ipvsadm -Sn").contains("-r 192.168.15.102:443 -g -w 1"));
    let same = director.sh("ipvsctl -Sn | ipvsctl diff --prune -");
    assert_eq!((same.status, same.stdout.as_str()), (0, ""), "{same}");
    assert_eq!(director.input("ipvsctl diff --prune -", json).status, 0);
}

/// What check calls an error, the kernel refuses; what it only warns of may pass.
#[test]
fn check_calls_an_error_what_the_kernel_refuses() {
    let director = Lab::new().host("d100", &["192.168.15.100/21", "fd00::100/64"]);
    for (server, code) in [
        ("224.0.0.5", "[bad-server]"),
        ("0.0.0.0", "[bad-server]"),
        ("255.255.255.255", "[bad-server]"),
        ("fd00::5", "[other-family]"),
    ] {
        let json = format!(
            r#"{{"services": [{{"protocol": "tcp", "address": "192.168.15.111", "port": 443, "servers": [{{"address": "{server}"}}]}}]}}"#
        );
        let found = director.input("ipvsctl check -", &json);
        assert!(found.status == 2 && found.stdout.contains(code), "{found}");
        let refused = director.input("ipvsctl apply --rollback -", &json);
        assert!(refused.status == 1 && refused.stderr.contains("FAILED"), "{server}: {refused}");
    }
    for (name, status) in [("nosuch", 0), ("abcdefghijklmnop", 2)] {
        let json = format!(
            r#"{{"services": [{{"mark": 5, "scheduler": "{name}", "servers": [{{"address": "192.168.15.7"}}]}}]}}"#
        );
        let found = director.input("ipvsctl check --no-host -", &json);
        assert!(found.status == status && found.stdout.contains("[unknown-scheduler]"), "{found}");
        assert_eq!(director.input("ipvsctl apply --rollback -", &json).status, 1, "{name}");
    }
}

#[test]
fn the_originals_parser_finds_nothing_in_an_exported_file() {
    let director = Lab::new().host("d100", &["192.168.15.100/21"]);
    director.write("/run/k.conf", lab::seed::CONFIG);
    director.sh("ipvsctl export -f keepalived /run/k.conf >/run/e.conf");
    let judged = director.sh("keepalived -t -f /run/e.conf 2>&1");
    assert_eq!((judged.status, judged.stdout.as_str()), (0, ""), "{judged}");
}

#[test]
fn output_that_cannot_be_written_is_an_error_and_devices_stay() {
    let cluster = Cluster::new("-s rr");
    for command in [
        "-h",
        "apply --help",
        "check /dev/null",
        "metrics",
        "metrics -o -",
        "metrics -o /dev/full",
        "list --json",
    ] {
        let full = cluster.director.sh(&format!("ipvsctl {command} >/dev/full"));
        assert_eq!(full.status, 1, "{command}: {full}");
        assert!(full.stderr.contains("No space left"), "{command}: {full}");
    }
    cluster.director.ok("ipvsctl metrics -o /dev/null");
    assert_eq!(cluster.director.sh("test -c /dev/null && test -c /dev/full && ! test -e -").status, 0);
}
