//! The warnings that save a night, each a function of the table and of this host.

mod address;
mod known;

use std::collections::BTreeMap;
use std::net::IpAddr;

use lvs_core::addr::Endpoint;
use lvs_core::conf::{Diag, Place, Severity};
use lvs_core::plan::Timeouts;
use lvs_core::table::{Forward, Protocol, Server, ServiceEntry, ServiceFlags, ServiceKey};

use super::subject::Subject;

/// How this host reaches an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reach {
    /// It has the address itself.
    Local,
    /// It is on a connected network.
    Link,
    /// Through this router.
    Router(IpAddr),
    /// Not at all.
    Nowhere,
}

/// What the host knows; what is not known is not judged.
#[derive(Clone, Debug, Default)]
pub(crate) struct Host {
    /// Ways to the real servers.
    pub(crate) reach: BTreeMap<IpAddr, Reach>,
    /// The connection timeouts of its IPVS.
    pub(crate) timeouts: Option<Timeouts>,
}

/// The kernel's timeouts where nothing else is known.
const DEFAULT: Timeouts = Timeouts { tcp: 900, tcp_fin: 120, udp: 300 };

/// All findings in the order of the file; what has no place comes last.
pub(crate) fn judge(subject: &Subject, host: &Host) -> Vec<Diag> {
    let mut judge = Judge { subject, host, found: subject.findings.clone() };
    for (key, entry) in &subject.table.services {
        judge.service(*key, entry);
        for (endpoint, server) in &entry.servers {
            judge.server(*key, *endpoint, server);
        }
    }
    judge.ports();
    judge
        .found
        .sort_by_key(|d| d.at.as_ref().map_or((true, 0, Place::NONE), |e| (false, e.place.file, e.place)));
    judge.found
}

struct Judge<'a> {
    subject: &'a Subject,
    host: &'a Host,
    found: Vec<Diag>,
}

impl Judge<'_> {
    fn add(
        &mut self,
        severity: Severity,
        code: &'static str,
        key: ServiceKey,
        server: Option<Endpoint>,
        text: &str,
        help: &str,
    ) {
        let at = self.subject.excerpt((key, server));
        let message = match server {
            Some(endpoint) => format!("real server {endpoint} of {key}: {text}"),
            None => format!("{key}: {text}"),
        };
        let help = (!help.is_empty()).then(|| help.to_owned());
        self.found.push(Diag {
            severity,
            code,
            at,
            until: 0,
            block: None,
            message,
            help,
            related: Vec::new(),
        });
    }

    fn service(&mut self, key: ServiceKey, entry: &ServiceEntry) {
        let warn = Severity::Warning;
        if entry.servers.is_empty() {
            let text = "it has no real server: every client is refused".to_owned();
            self.add(warn, "no-server", key, None, &text, "");
        } else if entry.servers.values().all(|s| s.weight == 0) {
            let text = "every real server has weight 0: new clients are refused".to_owned();
            self.add(warn, "all-weights-zero", key, None, &text, "");
        }
        self.known(key, &entry.service);
        self.persistence(key, entry);
        self.hashing(key, entry);
    }

    fn persistence(&mut self, key: ServiceKey, entry: &ServiceEntry) {
        let idle = self.host.timeouts.unwrap_or(DEFAULT).tcp;
        // UDP has no connection that a silent client would miss.
        let tcp = matches!(key, ServiceKey::Addr { protocol: Protocol::Tcp, .. } | ServiceKey::Mark { .. });
        let Some(bound) = entry.service.persistence.filter(|bound| tcp && *bound > idle) else { return };
        let text = format!(
            "persistence ({bound} s) outlives the TCP connection timeout ({idle} s): a client that is silent for \
             {idle} s is still bound to its real server, but its TCP connection is forgotten and hangs"
        );
        let help = format!(
            "let connections live as long (ipvsctl --set {bound} 0 0), or use keepalives below {idle} s"
        );
        self.add(Severity::Warning, "persistence-timeout", key, None, &text, &help);
    }

    /// sh and mh hash a client onto one server. At weight 0 it is refused there unless the fallback flag is set, and
    /// each other weight moves clients.
    fn hashing(&mut self, key: ServiceKey, entry: &ServiceEntry) {
        let s = &entry.service;
        if s.scheduler != "sh" && s.scheduler != "mh" {
            return;
        }
        let watched = self.subject.watched.contains(&key);
        let inhibited = self.subject.inhibited.get(&key).into_iter().flatten().copied();
        let zero = entry.servers.iter().filter(|(_, s)| s.weight == 0).map(|(e, _)| *e);
        let silent: Vec<Endpoint> =
            if s.flags.has(ServiceFlags::SCHED_1) { Vec::new() } else { zero.chain(inhibited).collect() };
        for endpoint in silent {
            let text = format!(
                "at weight 0 its clients are refused: scheduler {0} goes on sending them there",
                s.scheduler
            );
            let help = format!("set the flag {}-fallback (-b {0}-fallback)", s.scheduler);
            self.add(Severity::Warning, "hash-weight-zero", key, Some(endpoint), &text, &help);
        }
        if s.scheduler == "sh" && watched && s.persistence.is_none() {
            let text = "scheduler sh with checks that add and remove real servers: each change sends most clients to \
                        another server, and without persistence nothing holds them"
                .to_owned();
            let help = "scheduler mh moves only the clients of the server that changed";
            self.add(Severity::Warning, "sh-weights-change", key, None, &text, help);
        }
    }

    fn server(&mut self, key: ServiceKey, endpoint: Endpoint, server: &Server) {
        let reach = self.host.reach.get(&endpoint.addr).copied();
        if self.address(key, endpoint, server, reach) {
            return;
        }
        let mut warn = |code, text: &str, help: &str| {
            self.add(Severity::Warning, code, key, Some(endpoint), text, help);
        };
        if server.lower > server.upper {
            let text = format!("lower threshold {} is above the upper one ({})", server.lower, server.upper);
            return self.add(Severity::Error, "thresholds", key, Some(endpoint), &text, "");
        }
        if matches!(key, ServiceKey::Addr { vip, .. } if vip.addr == endpoint.addr) {
            let text = "it is the virtual address itself: packets would go round in the director".to_owned();
            return warn("server-is-vip", &text, "write the real server's own address");
        }
        let direct = matches!(server.forward, Forward::Route);
        match reach {
            Some(Reach::Local) => warn(
                "own-address",
                "it is this director's own address: the kernel delivers locally, whatever the method says",
                "",
            ),
            Some(Reach::Router(router)) if direct => warn(
                "not-connected",
                &format!("direct routing needs a common network, but the way to it leads through {router}"),
                "put a director's interface into its network, or use a tunnel (TUN) or NAT",
            ),
            Some(Reach::Nowhere) => warn("no-route", "this host has no route to it", ""),
            _ => {}
        }
    }

    fn ports(&mut self) {
        for (key, endpoint, port) in self.subject.written_ports.clone() {
            if port != endpoint.port && !matches!(key, ServiceKey::Mark { .. }) {
                let text = format!(
                    "port {port} is written, but direct routing and tunnels cannot translate: packets arrive at port {}",
                    endpoint.port
                );
                let help = "let the real server listen on the service's port, or use NAT (-m)";
                self.add(Severity::Warning, "port-differs", key, Some(endpoint), &text, help);
            }
        }
    }
}
