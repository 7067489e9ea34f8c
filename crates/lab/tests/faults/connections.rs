//! `lvs_sync_daemon`: what the crash of the master director does to connections and to persistence, with it and without.

use std::collections::BTreeMap;

use lab::seed::VIP;
use lab::{Daemon, Host, Lab, SECONDS, wait};

const PORT: u16 = 7885;
/// Each of them is bound to one of two real servers.
const CLIENTS: [u8; 4] = [50, 51, 52, 53];
/// The client with the long connection: the first asks first on the old director and last on the new one.
const TALKER: u8 = 50;

/// The routers of the two directors.
const OURS: &str = "vrrpd --config /etc/vrrp.conf";
const ORIGINAL: &str = "keepalived -G -n -l -P -f /etc/vrrp.conf -p /run/p -r /run/r -c /run/c";

/// A small cluster: two directors, two real servers, a client.
struct Cluster {
    _lab: Lab,
    directors: [Host; 2],
    routers: [Daemon; 2],
    client: Host,
    _servers: Vec<(Host, Daemon)>,
}

impl Cluster {
    fn start(globals: &str, routers: [&str; 2]) -> Self {
        let lab = Lab::new();
        let own: Vec<String> = CLIENTS.iter().map(|n| format!("192.168.8.{n}/21")).collect();
        let client = lab.host("client", &own.iter().map(String::as_str).collect::<Vec<_>>());
        let servers = [102, 103].map(|last| {
            let host = machine(&lab, "r", last);
            host.ok(&format!("rs-prep up {VIP}"));
            let service = host.spawn(&format!("lab echo r{last} {PORT}"));
            service.wait_for_line("echoes", 10 * SECONDS);
            (host, service)
        });
        let directors = [(100, 150), (101, 100)].map(|(last, priority)| {
            let host = machine(&lab, "d", last);
            host.write("/etc/vrrp.conf", &file(globals, priority));
            host.ok("ipvsctl apply /etc/vrrp.conf");
            host
        });
        let routers = [0, 1].map(|n| directors[n].spawn(routers[n]));
        wait(20 * SECONDS, "the first director", || holds(&directors[0]) && !holds(&directors[1]));
        Self { _lab: lab, directors, routers, client, _servers: servers.into() }
    }

    /// The real server of every client, which ask one after the other in this order.
    fn served<'a>(&self, order: impl Iterator<Item = &'a u8>) -> BTreeMap<u8, String> {
        let begin = |n: &u8| {
            let talk = self.talk(*n);
            let answer = talk.wait_for_line(" 0", 10 * SECONDS).text;
            (*n, talk, answer.split(' ').next().unwrap_or_default().to_owned())
        };
        let talks: Vec<_> = order.map(begin).collect();
        // Some packets must go through: the kernel speaks of a connection from its third one on.
        talks.iter().for_each(|(_, talk, _)| drop(talk.wait_for_line(" 3", 10 * SECONDS)));
        talks.into_iter().map(|(n, _, server)| (n, server)).collect()
    }

    fn talk(&self, client: u8) -> Daemon {
        self.client.spawn(&format!("lab talk {VIP}:{PORT} 192.168.8.{client}"))
    }

    /// The clients' entries that a director holds: connections and templates.
    fn entries(&self, director: usize) -> String {
        self.directors[director].ok("ipvsctl -Lnc")
    }

    fn daemons(&self, director: usize) -> String {
        self.directors[director].ok("ipvsctl -L --daemon")
    }
}

fn machine(lab: &Lab, kind: &str, last: u8) -> Host {
    let host = lab.host(&format!("{kind}{last}"), &[&format!("192.168.15.{last}/21")]);
    host.ok("ip route add default via 192.168.8.1");
    host
}

fn holds(host: &Host) -> bool {
    host.ok("ip -o -4 address show dev ens192").contains(&format!("{VIP}/32"))
}

fn file(globals: &str, priority: u8) -> String {
    let real = |last: u8| format!("real_server 192.168.15.{last} {PORT} {{\n weight 1\n }}\n ");
    format!(
        "global_defs {{\n {globals}\n}}\n\
         vrrp_instance VI_1 {{\n interface ens192\n virtual_router_id 51\n priority {priority}\n version 3\n \
         advert_int 0.1\n virtual_ipaddress {{\n {VIP}\n }}\n}}\n\
         virtual_server {VIP} {PORT} {{\n delay_loop 6\n lb_algo rr\n lb_kind DR\n persistence_timeout 600\n protocol TCP\n {}{}}}\n",
        real(102),
        real(103)
    )
}

#[test]
fn connections_and_persistence_survive_the_crash_of_the_master() {
    crash(&Cluster::start("lvs_sync_daemon ens192 VI_1", [OURS, OURS]));
}

#[test]
fn keepalived_takes_connections_over_from_vrrpd() {
    crash(&Cluster::start("lvs_sync_daemon ens192 VI_1", [OURS, ORIGINAL]));
}

#[test]
fn vrrpd_takes_connections_over_from_keepalived() {
    crash(&Cluster::start("lvs_sync_daemon ens192 VI_1", [ORIGINAL, OURS]));
}

/// Two directors with connections through the first; then that one is gone.
fn crash(cluster: &Cluster) {
    for (director, role) in [(0, "master"), (1, "backup")] {
        wait(10 * SECONDS, role, || cluster.daemons(director).contains(&format!("{role} sync daemon")));
    }
    let talk = cluster.talk(TALKER);
    let before = cluster.served(CLIENTS.iter());
    assert!(before.values().any(|s| s != &before[&TALKER]), "both real servers serve: {before:?}");
    wait(20 * SECONDS, "the backup to know all clients", || {
        let known = cluster.entries(1);
        let template = |n: &u8| known.contains(&format!("192.168.8.{n}:0 "));
        CLIENTS.iter().all(template) && known.contains("ESTABLISHED")
    });

    cluster.directors[0].power_off();
    wait(10 * SECONDS, "the second director", || holds(&cluster.directors[1]));
    let crash = lvs_core::sys::clock::now();
    wait(10 * SECONDS, "the sender", || cluster.daemons(1).contains("master sync daemon"));
    assert!(!cluster.daemons(1).contains("backup sync daemon"), "{}", cluster.daemons(1));
    let next = talk.lines().len() + 3;
    wait(10 * SECONDS, "three answers on the old connection", || {
        talk.lines().len() > next || !talk.running()
    });
    assert!(talk.running(), "the connection broke: {}", talk.log());
    let server = &before[&TALKER];
    assert!(talk.lines().iter().all(|l| l.text.starts_with(server)), "{}", talk.log());
    talk.wait_for_line_after(crash, server, 10 * SECONDS);
    assert_eq!(cluster.served(CLIENTS.iter().rev()), before, "each client has the real server it had");
}

/// What the tests above would see if nothing were synchronised: they could fail. A kernel without nftables cannot have the
/// filter of vrrp_strict, which is told, and the services are served all the same; where it can, the filter closes the VIP.
#[test]
fn without_synchronisation_both_are_lost() {
    let unfiltered = !lab::has_inet_nftables();
    let cluster = Cluster::start(if unfiltered { "vrrp_strict" } else { "" }, [OURS, OURS]);
    if unfiltered {
        cluster.routers[0].wait_for_line("no_accept: nftables: ", SECONDS);
    }
    // Whoever takes over in the election at the start listens for a moment to what the other one has.
    wait(10 * SECONDS, "the end of the handover", || (0..2).all(|d| !cluster.daemons(d).contains("daemon")));
    let talk = cluster.talk(TALKER);
    let before = cluster.served(CLIENTS.iter());
    cluster.directors[0].power_off();
    wait(10 * SECONDS, "the second director", || holds(&cluster.directors[1]));
    // Its last word is read by a thread of the lab, which may be later than its end.
    talk.wait_for_line("the connection is broken", 15 * SECONDS);
    assert_ne!(cluster.served(CLIENTS.iter().rev()), before);
}

#[test]
fn the_daemons_follow_a_release_a_reload_and_the_end() {
    let cluster = Cluster::start("lvs_sync_daemon ens192 VI_1 id 77", [OURS, OURS]);
    let role = |director: usize, role: &str| {
        let what = format!("{role} on {director}");
        wait(10 * SECONDS, &what, || {
            let text = cluster.daemons(director);
            text.contains(&format!("{role} sync daemon (mcast=ens192, syncid=77"))
                && text.lines().count() == 1
        });
    };
    role(0, "master");
    role(1, "backup");
    cluster.directors[0].ok("vrrpd release VI_1");
    role(1, "master");
    role(0, "backup");
    cluster.directors[0].ok("vrrpd resume VI_1");
    role(0, "master");
    role(1, "backup");
    // Another number, and then none at all: mastership is not touched.
    for (globals, master) in [("lvs_sync_daemon ens192 VI_1 id 78", "syncid=78"), ("", "")] {
        cluster.directors[0].write("/etc/vrrp.conf", &file(globals, 150));
        cluster.directors[0].ok("vrrpd reload");
        let text = cluster.daemons(0);
        assert_eq!(text.lines().count(), usize::from(!master.is_empty()), "{text}");
        assert!(text.contains(master), "{text}");
        assert!(holds(&cluster.directors[0]));
    }
    assert_eq!(cluster.routers[1].stop(10 * SECONDS), 0);
    assert_eq!(cluster.daemons(1), "");
}
