//! tcpcheck with the kernel's own table: restarts, hands that meddle, files that are wrong.

use lab::seed::{FILE, RealServer, Seed, Side, VIP};
use lab::{Daemon, Host, Lab, SECONDS, Signal, wait};
use lvs_core::sys::clock;

/// A director with a service of two real servers on another host; checks go to the ports 1001 and 1002 there.
struct Bench {
    director: Host,
    farm: Host,
    _lab: Lab,
}

const CHECKS: &str = "/run/checks.conf";

fn config(flags: &str) -> String {
    let server = |last: u8| {
        format!(
            "real_server 10.0.0.{last} 80 {{\nTCP_CHECK {{\nconnect_port 100{last}\nconnect_timeout 1\nretry 1\n\
             delay_before_retry 0.3\nwarmup 0\n}}\n}}\n"
        )
    };
    format!(
        "virtual_server 10.0.0.100 80 {{\ndelay_loop 0.5\nlb_algo rr\nlb_kind DR\nprotocol TCP\n{flags}\n{}{}}}\n",
        server(1),
        server(2)
    )
}

impl Bench {
    fn new(flags: &str) -> Self {
        let lab = Lab::new();
        let director = lab.host("director", &["10.0.0.101/24"]);
        let farm = lab.host("farm", &["10.0.0.1/24", "10.0.0.2/24", "10.0.0.9/24"]);
        director.write(CHECKS, &config(flags));
        Self { director, farm, _lab: lab }
    }

    fn serve(&self, port: u16) -> Daemon {
        let server = self.farm.spawn(&format!("lab server {port} {port}"));
        server.wait_for_line("serves", 5 * SECONDS);
        server
    }

    fn watch(&self, flags: &str) -> Daemon {
        let watch = self.director.spawn(&format!("tcpcheck watch --ipvs --config {CHECKS} {flags}"));
        watch.wait_for_line("watching", 5 * SECONDS);
        watch
    }

    fn table(&self) -> String {
        self.director.ok("ipvsadm -Sn")
    }

    /// Waits until exactly these real servers are in the table, by the last part of their addresses.
    #[track_caller]
    fn expect(&self, servers: &[u8]) {
        let want: Vec<_> = servers.iter().map(|n| format!("-r 10.0.0.{n}:80 -g -w 1")).collect();
        wait(10 * SECONDS, &format!("the servers {servers:?}"), || {
            let table = self.table();
            want.iter().all(|w| table.contains(w)) && table.matches("-r ").count() == want.len()
        });
    }
}

/// Lists the table over and over until it is dropped.
struct Sampler(Daemon);

impl Sampler {
    fn start(director: &Host) -> Self {
        Self(director.spawn(&["sh", "-c", "while :; do ipvsadm -Sn | tr '\\n' ' '; echo; done"]))
    }

    /// Every list so far.
    fn samples(&self) -> Vec<String> {
        self.0.lines().into_iter().map(|l| l.text).collect()
    }
}

#[test]
fn restarts_and_sigkill_never_cost_a_live_server() {
    let bench = Bench::new("");
    let (_a, b) = (bench.serve(1001), bench.serve(1002));
    let watch = bench.watch("");
    bench.expect(&[1, 2]);
    b.kill();
    bench.expect(&[1]);

    let sampler = Sampler::start(&bench.director);
    assert_eq!(watch.stop(5 * SECONDS), 0);
    bench.expect(&[1]);
    for _ in 0..3 {
        let watch = bench.watch("");
        lab::pause(SECONDS / 2);
        watch.kill();
    }
    let watch = bench.watch("");
    watch.signal(Signal::SIGHUP);
    watch.wait_for_line("taken anew", 5 * SECONDS);
    wait(10 * SECONDS, "enough samples", || sampler.samples().len() > 30);
    for sample in sampler.samples() {
        assert!(sample.contains("-r 10.0.0.1:80 -g -w 1"), "a live server was missing: {sample}");
        assert!(!sample.contains("-r 10.0.0.2:80"), "a dead server came back: {sample}");
    }
    let _b = bench.serve(1002);
    bench.expect(&[1, 2]);
}

#[test]
fn a_table_changed_by_hand_is_restored_and_strangers_stay() {
    let bench = Bench::new("");
    let _servers = (bench.serve(1001), bench.serve(1002));
    let watch = bench.watch("--resync 0.5");
    bench.expect(&[1, 2]);
    let before = bench.table();

    bench.director.ok("ipvsadm -d -t 10.0.0.100:80 -r 10.0.0.1");
    watch.wait_for_line("restored: -a -t 10.0.0.100:80 -r 10.0.0.1:80 -g -w 1", 5 * SECONDS);
    bench.director.ok("ipvsadm -e -t 10.0.0.100:80 -r 10.0.0.2 -w 7");
    watch.wait_for_line("restored: -e -t 10.0.0.100:80 -r 10.0.0.2:80 -g -w 1", 5 * SECONDS);
    bench.director.ok("ipvsadm -E -t 10.0.0.100:80 -s wlc");
    watch.wait_for_line("restored: -E -t 10.0.0.100:80 -s rr", 5 * SECONDS);
    bench.director.ok("ipvsadm -a -t 10.0.0.100:80 -r 10.0.0.9 -g");
    watch.wait_for_line("restored: -d -t 10.0.0.100:80 -r 10.0.0.9:80", 5 * SECONDS);
    bench.director.ok("ipvsadm -C");
    bench.expect(&[1, 2]);
    assert_eq!(bench.table(), before);

    bench.director.ok("ipvsadm -A -t 10.0.0.200:80 -s rr");
    let lines = watch.lines().len();
    lab::pause(SECONDS * 3 / 2);
    assert!(bench.table().contains("10.0.0.200:80"));
    assert_eq!(watch.lines().len(), lines, "a stranger is no news: {}", watch.log());
}

/// The table that a start finds is other than the one that the last watch left: larger by services of others, smaller by
/// some of its own, with servers that nobody asked for.
#[test]
fn a_restart_mends_its_own_services_in_a_table_of_another_size() {
    let bench = Bench::new("");
    let _servers = (bench.serve(1001), bench.serve(1002));
    let port = |port: u16| config("").replace("10.0.0.100 80", &format!("10.0.0.100 {port}"));
    bench.director.write(CHECKS, &(80..83).map(port).collect::<String>());
    let sorted = || {
        let table = bench.table();
        let mut lines: Vec<_> = table.lines().map(str::to_owned).collect();
        lines.sort();
        lines
    };
    let watch = bench.watch("");
    wait(10 * SECONDS, "three services with two servers each", || sorted().len() == 9);
    let own = sorted();
    watch.kill();

    let meddle = "-D -t 10.0.0.100:81\n-d -t 10.0.0.100:82 -r 10.0.0.2:80\n-a -t 10.0.0.100:80 -r 10.0.0.9:80 -g\n\
                  -e -t 10.0.0.100:80 -r 10.0.0.1:80 -g -w 7\n-E -t 10.0.0.100:82 -s wlc\n";
    let others =
        |n: u16| format!("-A -t 10.0.0.200:{n} -s rr\n-a -t 10.0.0.200:{n} -r 10.0.0.9:{n} -g -w 1\n");
    let others: String = (1000..1100).map(others).collect();
    let restored = bench.director.input("ipvsadm -R", &(meddle.to_owned() + &others));
    assert_eq!(restored.status, 0, "{restored}");
    let mut want: Vec<_> = own.iter().cloned().chain(others.lines().map(str::to_owned)).collect();
    want.sort();
    assert_ne!(sorted(), want);

    let sampler = Sampler::start(&bench.director);
    let watch = bench.watch("--clear-on-exit");
    wait(10 * SECONDS, "its own services as they were, and the others", || sorted() == want);
    for sample in sampler.samples() {
        assert!(sample.contains("-r 10.0.0.2:80 -g -w 1"), "a live server was missing: {sample}");
    }
    assert_eq!(watch.stop(5 * SECONDS), 0);
    let rest = sorted();
    assert_eq!(rest.len(), 200, "the services of others stay");
    assert!(rest.iter().all(|line| line.contains("10.0.0.200:")), "{rest:?}");
}

#[test]
fn a_service_that_left_the_file_goes_whether_or_not_somebody_watched() {
    let bench = Bench::new("");
    let _servers = (bench.serve(1001), bench.serve(1002));
    let two = config("") + &config("").replace("10.0.0.100 80", "10.0.0.100 81");
    let three = two.clone() + &config("").replace("10.0.0.100 80", "10.0.0.100 82");
    bench.director.write(CHECKS, &three);
    let watch = bench.watch("");
    bench.director.ok("ipvsadm -A -t 10.0.0.200:80 -s rr");
    wait(5 * SECONDS, "all three", || bench.table().matches("-A -t 10.0.0.100").count() == 3);
    bench.director.write(CHECKS, &two);
    watch.signal(Signal::SIGHUP);
    wait(5 * SECONDS, "two", || bench.table().matches("-A -t 10.0.0.100").count() == 2);
    watch.kill();
    bench.director.write(CHECKS, &config(""));
    let watch = bench.watch("--clear-on-exit");
    wait(5 * SECONDS, "one", || bench.table().matches("-A -t 10.0.0.100").count() == 1);
    assert_eq!(watch.stop(5 * SECONDS), 0);
    assert_eq!(bench.table(), "-A -t 10.0.0.200:80 -s rr\n", "what is not ours stays");
}

#[test]
fn a_file_that_is_wrong_changes_nothing() {
    let bench = Bench::new("");
    let _servers = (bench.serve(1001), bench.serve(1002));
    let watch = bench.watch("");
    bench.expect(&[1, 2]);
    let before = bench.table();

    bench.director.write(CHECKS, &config("").replace("real_server 10.0.0.2 80 {", "real_server 10.0.0.2 80"));
    watch.signal(Signal::SIGHUP);
    watch.wait_for_line("the old configuration stays in force", 5 * SECONDS);
    assert_eq!(bench.table(), before);
    assert_eq!(watch.stop(5 * SECONDS), 0);

    let refused = bench.director.run(&format!("tcpcheck watch --ipvs --config {CHECKS}"));
    assert_eq!(refused.status, 2, "{refused}");
    assert!(refused.stderr.contains(&format!("{CHECKS}:")), "{refused}");
    assert_eq!(bench.director.run(&format!("tcpcheck check --config {CHECKS}")).status, 2);
    let missing = bench.director.run("tcpcheck watch --ipvs --config /run/none.conf");
    assert_eq!((missing.status, missing.stderr.as_str()), (2, "tcpcheck: /run/none.conf: no such file\n"));
    assert_eq!(bench.table(), before);
}

#[test]
fn a_block_with_errors_is_left_out_and_its_service_stays_until_the_file_is_mended() {
    let bench = Bench::new("");
    let _servers = (bench.serve(1001), bench.serve(1002));
    let other = config("").replace("10.0.0.100 80", "10.0.0.100 81");
    let lines = || bench.table().lines().map(str::to_owned).collect::<std::collections::BTreeSet<_>>();
    let services = || lines().iter().filter(|l| l.starts_with("-A")).count();
    bench.director.write(CHECKS, &(config("") + &other));
    let watch = bench.watch("");
    wait(5 * SECONDS, "both with their servers", || lines().len() == 6);
    watch.kill();
    let before = lines();

    bench
        .director
        .write(CHECKS, &(config("") + &other.replace("real_server 10.0.0.1 80", "real_server r1 80")));
    let watch = bench.watch("");
    assert!(watch.log().contains("started without virtual_server 10.0.0.100 81: 1 error"), "{}", watch.log());
    assert!(watch.log().contains("'r1' is no IP address"), "{}", watch.log());
    bench.director.ok("ipvsadm -d -t 10.0.0.100:80 -r 10.0.0.1:80");
    watch.signal(Signal::SIGHUP);
    watch.wait_for_line("the old configuration stays in force", 5 * SECONDS);
    wait(10 * SECONDS, "the sound service to be kept, the other left alone", || lines() == before);

    bench.director.write(CHECKS, &config(""));
    watch.signal(Signal::SIGHUP);
    wait(5 * SECONDS, "one", || services() == 1);
    assert_eq!(watch.stop(5 * SECONDS), 0);
}

#[test]
fn one_keeper_at_a_time_and_none_without_the_right() {
    let bench = Bench::new("");
    let _servers = (bench.serve(1001), bench.serve(1002));
    let command = format!("tcpcheck watch --ipvs --config {CHECKS}");
    let unable =
        bench.director.run(&format!("setpriv --bounding-set=-net_admin --inh-caps=-net_admin {command}"));
    assert_eq!(unable.status, 1, "{unable}");
    assert!(unable.stderr.contains("CAP_NET_ADMIN"), "{unable}");
    assert_eq!(bench.table(), "");

    let watch = bench.watch("");
    let second = bench.director.run(&command);
    assert_eq!(second.status, 1, "{second}");
    assert!(second.stderr.contains("tcpcheck (process "), "{second}");
    bench.expect(&[1, 2]);
    watch.kill();
    bench.watch("");
}

#[test]
fn rule_lines_build_the_same_table_through_the_original() {
    let bench = Bench::new("sorry_server 10.0.0.9 80");
    let a = bench.serve(1001);
    let mirror = bench.director.spawn(&[
        "sh",
        "-c",
        &format!("tcpcheck watch --events rules --config {CHECKS} | while read -r l; do ipvsadm $l; done"),
    ]);
    bench.expect(&[1]);
    a.kill();
    bench.expect(&[9]);
    let _b = bench.serve(1002);
    bench.expect(&[2]);
    assert!(mirror.running());
}

#[test]
fn the_seeds_file_takes_a_dead_server_out_in_time_and_back() {
    let seed = Seed::new(Side::Ours);
    let mut director = seed.director(100);
    let mut servers: Vec<RealServer> = [102, 103].map(|n| seed.real_server(n)).into();
    director.host.ok(&["sed", "-i", "/192.168.15.111 443/,/^}/d", FILE]);
    director.restart("tcpcheck");
    let known = |n: u8| director.knows(&format!("192.168.15.{n}:7885"));
    wait(5 * SECONDS, "both servers", || known(102) && known(103));
    // Once a server has passed, its three retries count.
    wait(30 * SECONDS, "a good try of each", || {
        let status = director.host.run("tcpcheck status --json").stdout;
        let status: serde_json::Value = serde_json::from_str(&status).unwrap_or_default();
        let servers = status["services"][0]["servers"].as_array().cloned().unwrap_or_default();
        servers.len() == 2 && servers.iter().all(|s| s["checks"][0]["passed"].as_u64() > Some(0))
    });
    let died = clock::now();
    servers[1].die();
    wait(30 * SECONDS, "the dead server to leave", || !known(103));
    let took = clock::now().since(died);
    assert!(took > 9 * SECONDS, "before its three retries: {took:?}");
    assert!(took < 16 * SECONDS, "after delay_loop 6 + 3 retries of 3 s: {took:?}");
    assert!(known(102));
    let lives = clock::now();
    servers[1].serve();
    wait(30 * SECONDS, "its return", || known(103));
    let took = clock::now().since(lives);
    assert!(took < 7 * SECONDS, "later than delay_loop: {took:?}");
    assert!(director.table().contains(VIP));
}

#[test]
fn a_running_watch_is_asked_and_told() {
    let bench = Bench::new("");
    let (_a, b) = (bench.serve(1001), bench.serve(1002));
    assert_eq!(bench.director.run("tcpcheck status").status, 1, "nobody answers yet");
    let watch = bench.watch("--resync 0.5");
    wait(5 * SECONDS, "all well", || {
        bench.director.run("tcpcheck status").stdout.matches(" up ").count() == 2
    });
    assert_eq!(bench.director.run("tcpcheck status").status, 0);

    assert_eq!(
        bench.director.ok("tcpcheck drain 10.0.0.1:80"),
        "10.0.0.1:80 drained in 1 service; its connections go on\n"
    );
    assert!(bench.table().contains("-r 10.0.0.1:80 -g -w 0"));
    let stranger = bench.director.run("tcpcheck drain 10.0.0.7");
    assert_eq!(stranger.status, 1);
    assert!(stranger.stderr.contains("no virtual server of the file has this real server"), "{stranger}");

    // It is remembered through a crash, and by the table as it is looked at again.
    watch.kill();
    let watch = bench.watch("--resync 0.5");
    lab::pause(SECONDS);
    assert!(bench.table().contains("-r 10.0.0.1:80 -g -w 0"), "{}", watch.log());
    bench.director.ok("tcpcheck resume 10.0.0.1:80");
    bench.expect(&[1, 2]);

    b.kill();
    bench.expect(&[1]);
    let status = bench.director.run("tcpcheck status --json");
    assert_eq!(status.status, 1);
    let json: serde_json::Value = serde_json::from_str(&status.stdout).expect("JSON");
    let server = &json["services"][0]["servers"][1];
    assert_eq!(server["up"], false);
    assert_eq!(server["checks"][0]["reason"], "connection refused");
    let metrics = bench.director.ok("tcpcheck metrics");
    assert!(
        metrics.contains("tcpcheck_server_up{service=\"10.0.0.100:80\",server=\"10.0.0.2:80\"} 0\n"),
        "{metrics}"
    );
}

/// A service of two real servers whose port 80 is asked.
fn by_port_80(vip: &str) -> String {
    let server = |n: u8| {
        format!(
            "real_server 10.0.0.{n} 80 {{\nTCP_CHECK {{\nconnect_timeout 1\nretry 0\ndelay_before_retry 0.3\nwarmup 0\n\
             }}\n}}\n"
        )
    };
    format!(
        "virtual_server {vip} 80 {{\ndelay_loop 0.5\nlb_algo rr\nlb_kind DR\nprotocol TCP\n{}{}}}\n",
        server(1),
        server(2)
    )
}

#[test]
fn a_service_bound_to_the_rip_only_is_seen_by_way_of_the_vip_alone() {
    let lab = Lab::new();
    let vip = "10.0.0.100";
    let director = lab.host("director", &["10.0.0.101/24", "fd00::101/64"]);
    // The master of a cluster holds the VIP itself.
    director.ok(&format!("ip address add {vip}/32 dev ens192"));
    let [first, second] = [1, 2].map(|n| {
        let server = lab.host(&format!("r{n}"), &[&format!("10.0.0.{n}/24")]);
        server.ok(&format!("rs-prep up {vip}"));
        server
    });
    director.write(CHECKS, &by_port_80(vip));
    let serve = |host: &Host, at: &str| {
        let server = host.spawn(&format!("lab server {} {at}", host.name()));
        server.wait_for_line("serves", 5 * SECONDS);
        server
    };
    let (own_only, _second) = (serve(&first, "10.0.0.1:80"), serve(&second, "80"));
    let expect = |what: &str, servers: &[u8]| {
        let want: Vec<_> = servers.iter().map(|n| format!("-r 10.0.0.{n}:80 -g -w 1")).collect();
        wait(10 * SECONDS, what, || {
            let table = director.ok("ipvsadm -Sn");
            want.iter().all(|w| table.contains(w)) && table.matches("-r ").count() == want.len()
        });
    };

    let watch = director.spawn(&format!("tcpcheck watch --ipvs --events text --config {CHECKS}"));
    watch.wait_for_line("watching", 5 * SECONDS);
    lab::pause(SECONDS * 2);
    expect("both by their own addresses", &[1, 2]);
    assert!(!watch.log().contains("is down"), "{}", watch.log());
    assert_eq!(watch.stop(5 * SECONDS), 0);

    // Without the right to send frames it does not begin, for it would find every server dead.
    let command = format!("tcpcheck watch --ipvs --via vip --config {CHECKS}");
    let unable = director.run(&format!("setpriv --bounding-set=-net_raw --inh-caps=-net_raw {command}"));
    assert_eq!(unable.status, 1, "{unable}");
    assert!(unable.stderr.contains("CAP_NET_RAW") && unable.stderr.contains("--via vip"), "{unable}");
    expect("what was there before", &[1, 2]);

    let watch = director.spawn(&command);
    watch.wait_for_line("real server 10.0.0.1:80 is down: connection refused", 10 * SECONDS);
    expect("only the server of the VIP", &[2]);
    own_only.kill();
    let _everywhere = serve(&first, "80");
    expect("both serve the VIP", &[1, 2]);
    second.ok(&format!("rs-prep down {vip}"));
    watch.wait_for_line("real server 10.0.0.2:80 is down: timed out", 10 * SECONDS);
    expect("the VIP is missing on the second", &[1]);
    second.ok(&format!("rs-prep up {vip}"));
    expect("both again", &[1, 2]);
    second.unplug();
    expect("the second has no cable", &[1]);
    assert_eq!(watch.stop(5 * SECONDS), 0);
    // Nothing half open is left behind (SYN_RECV, of both families: the server's socket may be either).
    wait(5 * SECONDS, "the end of half-open connections", || {
        !first.ok("cat /proc/net/tcp /proc/net/tcp6").contains(" 03 ")
    });
}

/// The master's kernel prefers the VIP, which is nearest to the real server, as what its own packets come from.
#[test]
fn a_vip_of_ipv6_on_the_director_is_not_where_its_checks_come_from() {
    let lab = Lab::new();
    let (vip, rip) = ("fd00::100", "fd00::1");
    let director = lab.host("director", &["fd00::101/64"]);
    director.ok(&format!("ip address add {vip}/128 dev ens192 nodad"));
    let server = lab.host("r1", &[&format!("{rip}/64")]);
    server.ok(&format!("rs-prep up {vip}"));
    let service = server.spawn("lab server r1 80");
    service.wait_for_line("serves", 5 * SECONDS);
    wait(5 * SECONDS, "the kernel's choice of the VIP", || {
        director.ok(&format!("ip -6 route get {rip}")).contains(&format!("src {vip}"))
    });
    let text = by_port_80(vip).replace("10.0.0.1 80", "fd00::1 80").replace("10.0.0.2 80", "fd00::2 80");
    director.write(CHECKS, &text);
    let watch = director.spawn(&format!("tcpcheck watch --ipvs --via vip --events text --config {CHECKS}"));
    let passed = || {
        let status = director.run("tcpcheck status --json").stdout;
        let status: serde_json::Value = serde_json::from_str(&status).unwrap_or_default();
        status["services"][0]["servers"][0]["checks"][0]["passed"].as_u64() > Some(2)
    };
    wait(15 * SECONDS, "good tries of the server that lives", passed);
    watch.wait_for_line("real server [fd00::2]:80 is down", 10 * SECONDS);
    assert!(!watch.log().contains("real server [fd00::1]:80 is down"), "{}", watch.log());
    assert!(!watch.log().contains("its own address is checked"), "{}", watch.log());
}

/// A bond that changes its card may change its MAC, too.
#[test]
fn a_director_with_another_mac_asks_by_it() {
    let bench = Bench::new("");
    // What real servers know of the director's MAC they have from the questions of the checks alone.
    bench.director.ok("sysctl -qw net.ipv4.conf.all.arp_ignore=8");
    let _watch = bench.watch("--via vip");
    let known = |mac: &str| bench.farm.ok("ip neighbour show 10.0.0.101").contains(mac);
    let first = bench.director.ok("cat /sys/class/net/ens192/address");
    wait(10 * SECONDS, "a question", || known(first.trim()));
    bench.director.ok("ip link set ens192 address 02:00:00:00:99:01");
    wait(10 * SECONDS, "a question by the other MAC", || known("02:00:00:00:99:01"));
}

/// No frame leaves to a real server behind a router; that is no word on its life.
#[test]
fn a_real_server_that_no_frame_reaches_is_asked_at_its_own_address() {
    let bench = Bench::new("");
    bench.farm.ok("ip address add 10.9.0.1/32 dev lo");
    bench.director.ok("ip route add 10.9.0.1/32 via 10.0.0.9");
    asked_at_its_own_address(&bench, "it is not on a LAN of this host");
}

/// Nor to one at the other end of a tunnel, which has no Ethernet.
#[test]
fn a_real_server_behind_a_tunnel_is_asked_at_its_own_address() {
    let bench = Bench::new("");
    for (host, own, other, addr) in [
        (&bench.director, "10.0.0.101", "10.0.0.1", "10.9.0.101/24"),
        (&bench.farm, "10.0.0.1", "10.0.0.101", "10.9.0.1/24"),
    ] {
        host.ok(&format!("ip link add t1 type ipip local {own} remote {other}"));
        host.ok(&format!("ip address add {addr} dev t1"));
        host.ok("ip link set t1 up");
    }
    asked_at_its_own_address(&bench, "the interface to it is no Ethernet");
}

/// Checks 10.9.0.1 with `--via vip`; it lives, and why it is not asked for the VIP is said once.
fn asked_at_its_own_address(bench: &Bench, why: &str) {
    let _servers = (bench.serve(1001), bench.serve(1002));
    bench.director.write(CHECKS, &config("").replace("real_server 10.0.0.1 80", "real_server 10.9.0.1 80"));
    let watch = bench.watch("--via vip --events text");
    watch.wait_for_line("real server 10.0.0.2:80 is down", 10 * SECONDS);
    let status = |up: &str| {
        let status: serde_json::Value =
            serde_json::from_str(&bench.director.run("tcpcheck status --json").stdout).expect("JSON");
        status["services"][0]["servers"][0]["checks"][0][up].as_u64()
    };
    wait(10 * SECONDS, "some tries", || status("passed") >= Some(3));
    assert_eq!(status("failed"), Some(0), "{}", watch.log());
    let said = watch.log().matches(&format!("10.9.0.1: {why}")).count();
    assert_eq!(said, 1, "{}", watch.log());
}

#[test]
fn scripts_are_judged_once_and_found_from_where_the_watch_began() {
    let bench = Bench::new("");
    let (_a, b) = (bench.serve(1001), bench.serve(1002));
    bench.director.ok("mkdir /run/here");
    bench.director.write("/run/here/note", "#!/bin/sh\necho \"$1 in $(pwd)\" >>/run/notes\n");
    // One that ends after each line is started again with the next one.
    bench.director.write("/run/here/reader", "#!/bin/sh\nhead -n 1 \"$1\" >>/run/read\n");
    bench.director.ok("chmod 777 /run/here/note /run/here/reader");
    let notes = "notify_down \"./note down\"\nnotify_up \"./note up\"\nTCP_CHECK {";
    let more = "MISC_CHECK {\nmisc_path /run/here/gone\n}\nTCP_CHECK {";
    let text = config("").replace("TCP_CHECK {", notes).replacen("TCP_CHECK {", more, 1);
    let pipe = "lvs_notify_fifo /run/changes\nlvs_notify_fifo_script ./reader";
    bench.director.write(CHECKS, &format!("global_defs {{\nscript_user root\n{pipe}\n}}\n{text}"));
    let watch = bench.director.spawn(&[
        "sh",
        "-c",
        &format!("cd /run/here && exec tcpcheck watch --ipvs --config {CHECKS}"),
    ]);
    watch.wait_for_line("watching", 5 * SECONDS);
    bench.expect(&[1, 2]);
    let notes = |want: &str| {
        wait(10 * SECONDS, want, || bench.director.run("cat /run/notes").stdout.lines().last() == Some(want));
    };
    b.kill();
    notes("down in /run/here");
    let _b = bench.serve(1002);
    notes("up in /run/here");
    wait(10 * SECONDS, "the reader, twice", || {
        let read = bench.director.run("cat /run/read").stdout;
        read.contains("RS [10.0.0.2]:tcp:80 [10.0.0.100]:tcp:80 DOWN") && read.contains(":80 UP")
    });
    let log = watch.log();
    for program in ["note", "reader"] {
        let open =
            |line: &&str| line.contains(&format!("/run/here/{program}")) && line.contains("by everyone");
        assert_eq!(log.lines().filter(open).count(), 1, "{log}");
    }
    let refused = "/run/here/gone: cannot be run: No such file or directory (os error 2): nothing is checked by it, its \
                   server counts as alive";
    assert_eq!(log.matches(refused).count(), 1, "{log}");
}

#[test]
fn systemd_and_a_pipe_are_told() {
    let bench = Bench::new("");
    let (_a, b) = (bench.serve(1001), bench.serve(1002));
    let text = format!("global_defs {{\nlvs_notify_fifo /run/changes\n}}\n{}", config("quorum 2"));
    bench.director.write(CHECKS, &text);
    let director = &bench.director;
    let manager = director.spawn("lab datagrams /run/notify");
    manager.wait_for_line("hears", 5 * SECONDS);
    let watch = director.spawn(&[
        "env",
        "NOTIFY_SOCKET=/run/notify",
        "WATCHDOG_USEC=400000",
        "tcpcheck",
        "watch",
        "--ipvs",
        "--config",
        CHECKS,
    ]);
    manager.wait_for_line("READY=1", 5 * SECONDS);
    manager.wait_for_line("STATUS=2 of 2 real servers up, 1 virtual server", 5 * SECONDS);
    manager.wait_for_line("WATCHDOG=1", 5 * SECONDS);
    let pipe = director.spawn("cat /run/changes");
    let death = clock::now();
    b.kill();
    pipe.wait_for_line_after(death, "RS [10.0.0.2]:tcp:80 [10.0.0.100]:tcp:80 DOWN", 10 * SECONDS);
    pipe.wait_for_line_after(death, "VS [10.0.0.100]:tcp:80 DOWN", 5 * SECONDS);
    let told = "STATUS=1 of 2 real servers up, 1 virtual server, 1 without quorum";
    manager.wait_for_line_after(death, told, 5 * SECONDS);
    let back = clock::now();
    let _b = bench.serve(1002);
    pipe.wait_for_line_after(back, "VS [10.0.0.100]:tcp:80 UP", 10 * SECONDS);
    manager.wait_for_line_after(back, "STATUS=2 of 2 real servers up, 1 virtual server", 5 * SECONDS);
    // A file with a service more: what is told follows, though no server changed.
    let more = text.clone() + &config("").replace("10.0.0.100 80", "10.0.0.100 81");
    director.write(CHECKS, &more);
    let reload = clock::now();
    watch.signal(Signal::SIGHUP);
    for told in ["RELOADING=1", "READY=1", "STATUS=4 of 4 real servers up, 2 virtual servers"] {
        manager.wait_for_line_after(reload, told, 5 * SECONDS);
    }
    assert_eq!(watch.stop(5 * SECONDS), 0);
    manager.wait_for_line_after(reload, "STOPPING=1", 5 * SECONDS);
    assert_eq!(director.sh("test -p /run/changes").status, 0, "whoever reads the pipe finds it again");
}

#[test]
fn a_server_that_keeps_dying_waits_and_one_that_returns_begins_slowly() {
    let bench = Bench::new("");
    let (_a, b) = (bench.serve(1001), bench.serve(1002));
    let text = config("").replace("TCP_CHECK", "weight 100\nTCP_CHECK");
    bench.director.write(CHECKS, &text);
    // So slow that whoever looks sees a part of the weight; the ramp itself is the monitor's own test.
    let watch = bench.watch("--hold-down 3 --slow-start 60s --events text");
    let weight = |n: u8| {
        let table = bench.table();
        let line = table.lines().find(|l| l.contains(&format!("-r 10.0.0.{n}:80 ")));
        line.and_then(|l| l.rsplit(' ').next()?.parse::<u32>().ok())
    };
    wait(5 * SECONDS, "both", || weight(1) == Some(100) && weight(2) == Some(100));
    b.kill();
    wait(10 * SECONDS, "its first death", || weight(2).is_none());
    let b = bench.serve(1002);
    wait(10 * SECONDS, "its return", || weight(2).is_some());
    assert!(weight(2).is_some_and(|w| w < 100), "all of its weight at once: {}", bench.table());
    b.kill();
    wait(10 * SECONDS, "its second death", || weight(2).is_none());
    let since = clock::now();
    let _b = bench.serve(1002);
    wait(15 * SECONDS, "its second return", || weight(2).is_some());
    let took = clock::now().since(since);
    assert!(took >= 3 * SECONDS, "it was not held down: {took:?}: {}", watch.log());
}

#[test]
fn the_brake_keeps_the_last_ones_and_a_drain_file_is_read() {
    let bench = Bench::new("");
    let (a, b) = (bench.serve(1001), bench.serve(1002));
    bench.director.write("/run/drains", "10.0.0.1:80 # its disk\n");
    let watch = bench.watch("--brake 50 --drain-file /run/drains");
    wait(10 * SECONDS, "the drained server", || bench.table().contains("-r 10.0.0.1:80 -g -w 0"));
    bench.director.write("/run/drains", "");
    watch.signal(Signal::SIGHUP);
    bench.expect(&[1, 2]);
    a.kill();
    bench.expect(&[2]);
    b.kill();
    watch.wait_for_line("BRAKE: too many real servers are down at once", 10 * SECONDS);
    bench.expect(&[2]);
    let _a = bench.serve(1001);
    watch.wait_for_line("brake released", 10 * SECONDS);
    bench.expect(&[1]);
}

/// So many real servers that do not answer: their tries stay in flight for a second each.
fn silent(count: u8) -> String {
    let server = |n: u8| {
        format!("real_server 10.0.0.{} 81 {{\nTCP_CHECK {{\nconnect_timeout 1\nwarmup 0\n}}\n}}\n", 50 + n)
    };
    let servers: String = (0..count).map(server).collect();
    format!(
        "virtual_server 10.0.0.100 81 {{\ndelay_loop 0.5\nlb_algo rr\nlb_kind DR\nprotocol TCP\n{servers}}}\n"
    )
}

#[test]
fn a_stuck_log_and_few_descriptors_hold_up_neither_checks_nor_scripts_nor_reloads() {
    let bench = Bench::new("");
    let director = &bench.director;
    let (_a, b) = (bench.serve(1001), bench.serve(1002));
    let wordy = "notify_down \"/run/note down\"\nMISC_CHECK {\nmisc_path \"/bin/echo well\"\nmisc_timeout 2\n\
                 warmup 0\n}\nTCP_CHECK {";
    let text = format!("global_defs {{\nscript_user root\n}}\n{}", config("").replace("TCP_CHECK {", wordy));
    director.write(CHECKS, &(text + &silent(20)));
    director.write("/run/note", "#!/bin/sh\necho \"it is $1\"\necho \"$1\" >>/run/notes\n");
    director.ok("chmod 755 /run/note");
    // Nobody reads what it says, and 70 descriptors leave room for few tries at once.
    let fill = "dd if=/dev/zero of=/run/deaf bs=4096 oflag=nonblock";
    let command = format!("ulimit -n 70; exec tcpcheck watch --ipvs --events text --config {CHECKS}");
    let run = format!("mkfifo /run/deaf; exec 3<>/run/deaf; {fill} 2>/run/filled; ({command}) >&3 2>&1");
    let watch = director.spawn(&["sh", "-c", &run]);
    bench.expect(&[1, 2]);
    let full = || {
        let more = director.run("dd if=/dev/zero of=/run/deaf bs=1 count=1 oflag=nonblock");
        assert!(more.stderr.contains("Resource temporarily unavailable"), "the log is heard: {more}");
    };
    full();
    b.kill();
    bench.expect(&[1]);
    let told = || director.run("cat /run/notes").stdout == "down\n";
    wait(10 * SECONDS, "a script that prints before it does its work", told);
    let sampler = Sampler::start(director);
    for _ in 0..20 {
        director.ok("pkill -HUP -x tcpcheck");
    }
    wait(10 * SECONDS, "enough samples", || sampler.samples().len() > 20);
    for sample in sampler.samples() {
        assert!(sample.contains("-r 10.0.0.1:80 -g -w 1"), "a live server was missing: {sample}");
        assert!(!sample.contains("-r 10.0.0.2:80"), "a dead server came back: {sample}");
    }
    let _b = bench.serve(1002);
    bench.expect(&[1, 2]);
    full();
    assert!(watch.running());
    let log = director.spawn("cat /run/deaf");
    log.wait_for_line("checks wait for a descriptor: at most 8 at once; raise LimitNOFILE", 10 * SECONDS);
}
