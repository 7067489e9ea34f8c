//! The seed's cluster: a client, two directors, four real servers, one configuration.

use std::time::Duration;

use crate::daemon::Daemon;
use crate::host::Host;
use crate::switch::Lab;
use crate::wait::{SECONDS, wait};

/// The seed's configuration, as it is.
pub const CONFIG: &str = include_str!("../../../examples/seed-keepalived.conf");
/// The address that the cluster serves.
pub const VIP: &str = "192.168.15.111";
/// Where every host finds the configuration.
pub const FILE: &str = "/etc/keepalived/keepalived.conf";
/// The client's addresses: persistence binds each to one real server, so that several use them all.
pub const CLIENTS: &str =
    "192.168.8.50,192.168.8.51,192.168.8.52,192.168.8.53,192.168.8.54,192.168.8.55,192.168.8.56,192.168.8.57";

/// Which programs run the cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// vrrpd, tcpcheck, ipvsctl, rs-prep.
    Ours,
    /// keepalived, ipvsadm, sysctl and ip.
    Peer,
}

/// The switch and the client; the other hosts are made from it.
pub struct Seed {
    lab: Lab,
    side: Side,
    /// The client, with the addresses [`CLIENTS`].
    pub client: Host,
}

/// .100 or .101 of the seed.
pub struct Director {
    /// The machine.
    pub host: Host,
    side: Side,
    daemons: Vec<(&'static str, Daemon)>,
}

/// .102, .103, .109 or .110 of the seed, serving both ports.
pub struct RealServer {
    /// The machine.
    pub host: Host,
    service: Option<Daemon>,
}

impl Seed {
    /// A switch with the client on it.
    #[track_caller]
    pub fn new(side: Side) -> Self {
        let lab = Lab::new();
        let addresses: Vec<String> = CLIENTS.split(',').map(|a| format!("{a}/21")).collect();
        let client = lab.host("client", &addresses.iter().map(String::as_str).collect::<Vec<_>>());
        Self { lab, side, client }
    }

    /// Boots .100 or .101; its daemons are not started. The second one's file differs in the priority alone (and,
    /// for keepalived, in the state, as its documentation wants it).
    #[track_caller]
    pub fn director(&self, last: u8) -> Director {
        let host = self.machine("d", last);
        let mut config = CONFIG.to_owned();
        if last != 100 {
            config = config.replace("priority 100", "priority 90");
        }
        if last != 100 && self.side == Side::Peer {
            config = config.replace("state MASTER", "state BACKUP");
        }
        host.write(FILE, &config);
        Director { host, side: self.side, daemons: Vec::new() }
    }

    /// Boots a real server with its service; it is not prepared for the VIP yet.
    #[track_caller]
    pub fn real_server(&self, last: u8) -> RealServer {
        let host = self.machine("r", last);
        host.write(FILE, CONFIG);
        let mut server = RealServer { host, service: None };
        server.serve();
        server
    }

    /// A host with an address of the seed's network and /etc/keepalived.
    #[track_caller]
    fn machine(&self, kind: &str, last: u8) -> Host {
        let host = self.lab.host(&format!("{kind}{last}"), &[&format!("192.168.15.{last}/21")]);
        host.ok("mkdir -p /etc/keepalived");
        // Every machine of the LAN has a router; without one rs-prep rightly complains.
        host.ok("ip route add default via 192.168.8.1");
        host
    }

    /// Starts the client on a port of the VIP, about `rate` requests a second.
    #[track_caller]
    pub fn ask(&self, port: u16, rate: u32) -> Daemon {
        self.client.spawn(&format!("lab client {VIP}:{port} --from {CLIENTS} --rate {rate}"))
    }

    /// The commands that prepare a real server for the VIP, as an admin types them.
    pub fn preparation(&self) -> Vec<String> {
        match self.side {
            Side::Ours => vec![format!("rs-prep up --config {FILE}")],
            Side::Peer => vec![
                "sysctl -w net.ipv4.conf.all.arp_announce=2 net.ipv4.conf.ens192.arp_announce=2".to_owned(),
                "sysctl -w net.ipv4.conf.all.arp_ignore=1 net.ipv4.conf.ens192.arp_ignore=1".to_owned(),
                format!("ip address add {VIP}/32 broadcast {VIP} dev lo label lo:0"),
                format!("ip route add {VIP}/32 dev lo scope link"),
            ],
        }
    }
}

impl Director {
    /// The daemons' command lines, in the order of a start: the table stands before the VIP comes.
    fn commands(&self) -> Vec<(&'static str, String)> {
        match self.side {
            Side::Ours => vec![
                ("tcpcheck", format!("tcpcheck watch --config {FILE} --ipvs")),
                ("vrrpd", format!("vrrpd --config {FILE}")),
            ],
            Side::Peer => vec![(
                "keepalived",
                format!(
                    "keepalived -G -n -l -f {FILE} -p /run/keepalived.pid -r /run/keepalived-vrrp.pid -c \
                     /run/keepalived-checkers.pid"
                ),
            )],
        }
    }

    /// Starts its daemons.
    #[track_caller]
    pub fn start(&mut self) {
        for (name, line) in self.commands() {
            self.daemons.retain(|(n, _)| *n != name);
            self.daemons.push((name, self.host.spawn(&line)));
        }
    }

    /// Starts one daemon that was not running or has ended.
    #[track_caller]
    pub fn restart(&mut self, daemon: &str) {
        for (name, line) in self.commands().into_iter().filter(|(n, _)| *n == daemon) {
            self.daemons.retain(|(n, _)| *n != name);
            self.daemons.push((name, self.host.spawn(&line)));
        }
    }

    /// Its daemons with their names.
    pub fn daemons(&self) -> impl Iterator<Item = (&'static str, &Daemon)> {
        self.daemons.iter().map(|(name, daemon)| (*name, daemon))
    }

    /// The daemon of this name.
    #[track_caller]
    pub fn daemon(&self, name: &str) -> &Daemon {
        self.daemons().find(|(n, _)| *n == name).expect("a daemon that was started").1
    }

    /// Asks the daemons to end (the one that holds the VIP first); returns their exit statuses.
    #[track_caller]
    pub fn stop(&mut self) -> Vec<i32> {
        self.daemons.drain(..).rev().map(|(_, d)| d.stop(20 * SECONDS)).collect()
    }

    /// Whether the VIP is on its interface.
    #[track_caller]
    pub fn holds_vip(&self) -> bool {
        self.host.ok("ip -o -4 address show dev ens192").contains(&format!("inet {VIP}/32 "))
    }

    /// The IPVS table as the side's own program lists it.
    #[track_caller]
    pub fn table(&self) -> String {
        self.host.ok(match self.side {
            Side::Ours => "ipvsctl -Ln",
            Side::Peer => "ipvsadm -Ln",
        })
    }

    /// Whether a real server is in its table.
    #[track_caller]
    pub fn knows(&self, server: &str) -> bool {
        self.table().contains(&format!("{server} "))
    }

    /// Waits until it holds the VIP.
    #[track_caller]
    pub fn wait_for_vip(&self, deadline: Duration) {
        wait(deadline, &format!("the VIP on {}", self.host.name()), || self.holds_vip());
    }
}

impl RealServer {
    /// Starts its service, unless it runs.
    #[track_caller]
    pub fn serve(&mut self) {
        let service = self.host.spawn(&format!("lab server {} 443 7885", self.host.name()));
        service.wait_for_line("serves", 10 * SECONDS);
        self.service = Some(service);
    }

    /// Kills its service: connections are refused from now on.
    pub fn die(&mut self) {
        self.service = None;
    }
}
