//! The seed's cluster, end to end: its end states byte for byte, and what clients feel of each fault.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use lab::seed::{CLIENTS, CONFIG, Director, FILE, RealServer, Seed, Side, VIP};
use lab::traffic::Traffic;
use lab::{Daemon, Lab, SECONDS, Signal, wait};
use lvs_core::sys::clock;
use lvs_core::time::Time;

/// What the seed has its readers type on a real server.
const BY_HAND: &str = "sysctl -qw net.ipv4.conf.all.arp_ignore=1 net.ipv4.conf.all.arp_announce=2 &&
    sysctl -qw net.ipv4.conf.ens192.arp_ignore=1 net.ipv4.conf.ens192.arp_announce=2 &&
    ifconfig lo:0 192.168.15.111 netmask 255.255.255.255 broadcast 192.168.15.111 up &&
    route add -host 192.168.15.111 dev lo:0";

#[test]
fn a_real_server_ends_up_as_the_seed_shows_it() {
    let state = |prepare: &str| {
        let lab = Lab::new();
        let host = lab.host("r102", &["192.168.15.102/21"]);
        host.write("/etc/keepalived.conf", CONFIG);
        let before = (host.ok("ip a"), host.ok("route -n"));
        let output = host.sh(prepare);
        assert_eq!(output.status, 0, "{output}");
        let after = (host.ok("ip a"), host.ok("route -n"));
        (before, after, host)
    };
    let (_, by_hand, _) = state(BY_HAND);
    let (before, ours, host) = state("rs-prep up --config /etc/keepalived.conf");
    assert_eq!(ours.0, by_hand.0);
    assert_eq!(ours.1, by_hand.1);
    // And what the seed prints, should both have gone wrong alike.
    let address = "    inet 192.168.15.111/32 brd 192.168.15.111 scope global lo:0\n       valid_lft forever preferred_lft forever\n";
    assert!(ours.0.contains(address), "{}", ours.0);
    let route = "192.168.15.111  0.0.0.0         255.255.255.255 UH    0      0        0 lo\n";
    assert!(ours.1.contains(route), "{}", ours.1);

    host.ok(&format!("rs-prep down {VIP}"));
    assert_eq!((host.ok("ip a"), host.ok("route -n")), before, "down takes everything back");
}

#[test]
fn a_director_ends_up_as_keepalived_leaves_it() {
    let state = |side| {
        let seed = Seed::new(side);
        let mut director = seed.director(100);
        let before = (director.host.ok("ip a"), director.host.ok("route -n"));
        director.start();
        director.wait_for_vip(20 * SECONDS);
        let master = (director.host.ok("ip a"), director.host.ok("route -n"));
        director.stop();
        let after = (director.host.ok("ip a"), director.host.ok("route -n"));
        assert_eq!(before, after, "{side:?}: a stopped director holds nothing");
        master
    };
    let (peer, ours) = (state(Side::Peer), state(Side::Ours));
    assert_eq!(ours.0, peer.0);
    assert_eq!(ours.1, peer.1, "the VIP needs no route of its own");
    assert!(ours.0.contains("    inet 192.168.15.111/32 scope global ens192\n"), "{}", ours.0);
}

/// Clients' seconds are measured here: one cluster at a time has the guest's processor.
static ONE: Mutex<()> = Mutex::new(());

/// The running cluster with its clients.
struct Cluster {
    seed: Seed,
    directors: [Director; 2],
    servers: Vec<RealServer>,
    clients: [Daemon; 2],
    _alone: MutexGuard<'static, ()>,
}

impl Cluster {
    /// Everything prepared and started, the first director master, both ports served.
    fn start() -> Self {
        let alone = ONE.lock().unwrap_or_else(PoisonError::into_inner);
        let seed = Seed::new(Side::Ours);
        let servers: Vec<_> = [102, 103, 109, 110].map(|n| seed.real_server(n)).into();
        for server in &servers {
            server.host.ok(&format!("rs-prep up --config {FILE}"));
            server.host.ok("rs-prep check");
        }
        let mut directors = [100, 101].map(|n| seed.director(n));
        directors.iter_mut().for_each(Director::start);
        wait(20 * SECONDS, "d100 alone to hold the VIP", || {
            directors[0].holds_vip() && !directors[1].holds_vip()
        });
        for director in &directors {
            for server in
                ["192.168.15.102:7885", "192.168.15.103:7885", "192.168.15.109:443", "192.168.15.110:443"]
            {
                wait(20 * SECONDS, server, || director.knows(server));
            }
        }
        let clients = [443, 7885].map(|port| seed.ask(port, 30));
        let cluster = Self { seed, directors, servers, clients, _alone: alone };
        cluster.settle();
        cluster
    }

    fn traffic(&self, from: Time) -> [Traffic; 2] {
        self.clients.each_ref().map(|c| Traffic::read(&c.lines()).between(from, clock::now()))
    }

    /// Waits until both ports answer again, twenty times without a failure.
    fn settle(&self) {
        wait(20 * SECONDS, "service on both ports", || {
            self.clients.iter().all(|c| {
                let requests = Traffic::read(&c.lines()).0;
                requests.len() > 20 && requests[requests.len() - 20..].iter().all(|r| r.answer.is_ok())
            })
        });
    }

    /// What both routers said.
    fn logs(&self) -> String {
        self.directors.each_ref().map(|d| d.daemon("vrrpd").log()).join("\n")
    }

    /// The longest time without an answer on either port.
    fn outage(&self, from: Time) -> Duration {
        self.settle();
        self.traffic(from).iter().map(Traffic::longest_outage).max().unwrap_or_default()
    }
}

#[test]
fn the_cluster_survives_the_loss_and_return_of_its_director() {
    let mut cluster = Cluster::start();
    let [by_443, by_7885] =
        cluster.traffic(Time::ZERO).map(|t| t.by_server().into_keys().collect::<Vec<_>>());
    assert_eq!(by_443, ["r109", "r110"]);
    assert_eq!(by_7885, ["r102", "r103"]);

    let lost = clock::now();
    cluster.directors[0].host.power_off();
    cluster.directors[1].wait_for_vip(10 * SECONDS);
    let outage = cluster.outage(lost);
    assert!(outage > Duration::from_secs(2), "{outage:?}: was the director lost at all?");
    assert!(outage <= Duration::from_millis(3700), "{outage:?}");

    let back = clock::now();
    cluster.directors[0] = cluster.seed.director(100);
    cluster.directors[0].start();
    cluster.directors[0].wait_for_vip(20 * SECONDS);
    wait(5 * SECONDS, "d101 to give the VIP up", || !cluster.directors[1].holds_vip());
    let outage = cluster.outage(back);
    assert!(outage <= Duration::from_millis(100), "{outage:?}");
}

#[test]
fn a_graceful_stop_of_the_master_costs_no_request() {
    let mut cluster = Cluster::start();
    let begin = clock::now();
    cluster.directors[0].daemon("vrrpd").signal(Signal::SIGTERM);
    assert_eq!(cluster.directors[0].daemon("vrrpd").wait_for_end(5 * SECONDS), 0);
    assert!(!cluster.directors[0].holds_vip() && cluster.directors[1].holds_vip());
    cluster.settle();
    let traffic = cluster.traffic(begin);
    let all = traffic.iter().flat_map(|t| &t.0);
    let failed: Vec<_> = all.filter(|r| r.answer.is_err()).collect();
    assert!(failed.is_empty(), "{failed:?}\n{}", cluster.logs());
    cluster.directors[0].stop();
    assert!(cluster.directors[0].knows("192.168.15.102:7885"), "tcpcheck leaves the table in place");
}

#[test]
fn a_planned_move_of_the_vip_costs_neither_a_request_nor_a_connection() {
    let cluster = Cluster::start();
    let echo = |s: &RealServer| s.host.spawn(&format!("lab echo {} 7", s.host.name()));
    let echoes: Vec<_> = cluster.servers[..2].iter().map(echo).collect();
    echoes.iter().for_each(|e| drop(e.wait_for_line("echoes", 5 * SECONDS)));
    for director in &cluster.directors {
        director.host.ok("ipvsctl -A -t 192.168.15.111:7 -s rr");
        director.host.ok("ipvsctl -a -t 192.168.15.111:7 -r 192.168.15.102");
        director.host.ok("ipvsctl -a -t 192.168.15.111:7 -r 192.168.15.103");
    }
    let held: Vec<_> = (0..6).map(|_| cluster.seed.client.spawn("lab talk 192.168.15.111:7")).collect();
    let all_talk = |held: &[Daemon]| {
        let now = clock::now();
        held.iter().for_each(|h| drop(h.wait_for_line_after(now, "r10", 2 * SECONDS)));
    };
    // TCP's own repetitions may mend what a busy guest delays; a reset or a lost connection they cannot.
    let hasty = format!("lab client {VIP}:7885 --from {CLIENTS} --rate 100 --timeout 2000");
    let hasty = cluster.seed.client.spawn(&hasty);
    all_talk(&held);
    for round in 0..2 {
        let begin = clock::now();
        cluster.directors[0].host.ok("vrrpd release VI_1");
        wait(5 * SECONDS, "d101 alone to hold the VIP", || {
            cluster.directors[1].holds_vip() && !cluster.directors[0].holds_vip()
        });
        all_talk(&held);
        cluster.directors[0].host.ok("vrrpd resume VI_1");
        wait(10 * SECONDS, "d100 alone to hold the VIP", || {
            cluster.directors[0].holds_vip() && !cluster.directors[1].holds_vip()
        });
        all_talk(&held);
        cluster.settle();
        let traffic = Traffic::read(&hasty.lines()).between(begin, clock::now());
        let failed: Vec<_> = traffic.0.iter().filter(|r| r.answer.is_err()).collect();
        assert!(failed.is_empty(), "round {round}: {failed:?}\n{}", cluster.logs());
        assert!(traffic.ok() > 100, "round {round}: {traffic}");
    }
    for director in &cluster.directors {
        wait(3 * SECONDS, "the rules to go", || director.host.ok("ip rule").lines().count() == 3);
        wait(3 * SECONDS, "the kernel to stop listening", || {
            director.host.ok("ipvsctl -L --daemon").is_empty()
        });
    }
}

#[test]
fn a_dead_real_server_leaves_and_comes_back_as_the_file_says() {
    let mut cluster = Cluster::start();
    let server = "192.168.15.103:7885";
    // One failure is enough at a first check, as with keepalived; the retries are for servers that have been seen well.
    wait(10 * SECONDS, "every check to have passed once", || {
        let status = |d: &Director| d.host.ok("tcpcheck status");
        cluster.directors.iter().map(status).all(|s| s.contains(" passed, ") && !s.contains("  0 of "))
    });
    let died = clock::now();
    cluster.servers[1].die();
    // delay_loop 6, then 3 retries of 3 s each; half a second for a machine that has other things to do. Each
    // director keeps its own schedule: neither waits for the other, so both have that long from the death.
    let late = died + Duration::from_millis(15_500);
    for director in &cluster.directors {
        let left = late.since(clock::now());
        wait(left, "the dead server to go", || !director.knows(server));
        let gone = clock::now().since(died);
        assert!(gone >= Duration::from_secs(9), "{gone:?}: the file asks for three retries, 3 s apart");
    }
    let begin = clock::now();
    cluster.settle();
    assert!(cluster.traffic(begin)[1].by_server().keys().all(|name| name == "r102"));

    cluster.servers[1].serve();
    for director in &cluster.directors {
        wait(Duration::from_millis(6500), "it to come back", || director.knows(server));
    }
}
