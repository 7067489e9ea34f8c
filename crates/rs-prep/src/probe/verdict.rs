//! What the answers of a LAN mean for a VIP. Pure.

use std::net::IpAddr;

use lvs_core::addr::{Endpoint, Mac};
use serde::Serialize;

use crate::check::Finding;
use crate::shell;
use crate::vip;

/// What was heard on the LAN.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Survey {
    /// The VIP.
    pub vip: IpAddr,
    /// The interface on which was asked.
    pub device: String,
    /// Whether this host holds the VIP where it speaks for it.
    pub ours: bool,
    /// Who answered for the VIP, in the order of the answers.
    pub answers: Vec<Mac>,
    /// Who named the VIP as its own address unasked.
    pub announcers: Vec<Mac>,
    /// The real servers.
    pub servers: Vec<Server>,
    /// Other hosts whose MAC is known.
    pub known: Vec<(Mac, IpAddr)>,
}

/// A real server as it was heard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    /// Its address.
    pub rip: IpAddr,
    /// Who answered for it; several if it has several interfaces on the LAN.
    pub macs: Vec<Mac>,
    /// The services that were tried.
    pub ports: Vec<Tried>,
}

/// One port of a real server, tried at both its addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Tried {
    /// The port.
    pub port: u16,
    /// What it did with a SYN to the VIP.
    pub vip: Port,
    /// What it did with a SYN to its own address.
    pub rip: Port,
}

/// What a port does with a SYN.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Port {
    /// It takes it.
    Open,
    /// It refuses it.
    Closed,
    /// Nothing comes back.
    Silent,
}

impl Port {
    /// In a word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Closed => "closed",
            Self::Silent => "silent",
        }
    }
}

impl Survey {
    /// The address behind a MAC, where it is known: a real server's first.
    pub fn who(&self, mac: Mac) -> Option<IpAddr> {
        let server = self.servers.iter().find(|server| server.macs.contains(&mac));
        let other = || self.known.iter().find(|(known, addr)| *known == mac && *addr != self.vip);
        server.map(|server| server.rip).or_else(|| other().map(|(_, addr)| *addr))
    }

    fn name(&self, mac: Mac) -> String {
        self.who(mac).map_or_else(|| mac.to_string(), |addr| format!("{addr} ({mac})"))
    }

    fn is_server(&self, mac: Mac) -> bool {
        self.servers.iter().any(|server| server.macs.contains(&mac))
    }
}

/// Every mistake that was heard, the leaks first.
pub fn verdict(survey: &Survey) -> Vec<Finding> {
    let mut found = leaks(survey);
    found.extend(holders(survey));
    found.extend(survey.servers.iter().flat_map(|server| of_server(survey, server)));
    found
}

/// Real servers that answer for the VIP or call it their own.
fn leaks(survey: &Survey) -> Vec<Finding> {
    let (vip, mut found) = (survey.vip, Vec::new());
    for mac in survey.answers.iter().filter(|mac| survey.is_server(**mac)) {
        let who = survey.name(*mac);
        let sentence = match vip {
            IpAddr::V4(_) => format!(
                "{who} answers ARP for the VIP: arp_ignore is not in effect there, or the VIP is on its NIC; clients that \
                 learn it pass the director by"
            ),
            IpAddr::V6(_) => {
                format!(
                    "{who} answers neighbour solicitations for the VIP: it is on its NIC, or a proxy entry is there"
                )
            }
        };
        found.push(mended(Finding::error("leak", &who, sentence), survey, *mac));
    }
    for mac in survey.announcers.iter().filter(|mac| survey.is_server(**mac)) {
        let who = survey.name(*mac);
        let sentence = format!(
            "{who} sends ARP requests with the VIP as the sender: arp_announce 2 is not in effect there"
        );
        found.push(mended(Finding::error("announces", &who, sentence), survey, *mac));
    }
    found
}

fn mended(finding: Finding, survey: &Survey, mac: Mac) -> Finding {
    let (vip, device) = (survey.vip, shell::word(&survey.device));
    let there = survey.who(mac).map_or_else(|| mac.to_string(), |addr| addr.to_string());
    finding
        .advice(format!("on {there}: rs-prep check --fix {vip}"))
        .advice(format!("then on the director that holds it: rs-prep heal {vip} --dev {device}"))
}

/// Exactly one host that is no real server must hold the VIP.
fn holders(survey: &Survey) -> Option<Finding> {
    let vip = survey.vip;
    let others: Vec<_> = survey.answers.iter().filter(|mac| !survey.is_server(**mac)).collect();
    let names: Vec<_> = others.iter().map(|mac| survey.name(**mac)).collect();
    match (survey.ours, names.as_slice()) {
        (true, []) | (false, [_]) => None,
        (false, []) => Some(
            Finding::error("no-holder", &vip, format!("no director holds the VIP: nobody answers for {vip}"))
                .advice("on a director: systemctl status vrrpd".to_owned()),
        ),
        (ours, names) => {
            let all = if ours { format!("this one and {}", names.join(", ")) } else { names.join(", ") };
            let count = others.len() + usize::from(ours);
            let word = if count == 2 { "two".to_owned() } else { count.to_string() };
            let sentence = if survey.servers.is_empty() {
                format!(
                    "{word} hosts hold the VIP: {all}; two directors are master, or a real server leaks it"
                )
            } else {
                format!("{word} directors hold the VIP: {all}; they do not hear each other's advertisements")
            };
            let finding = Finding::error("two-holders", &vip, sentence);
            let hear = format!(
                "on each director: vrrpd status; tcpdump -ni {} ip proto 112",
                shell::word(&survey.device)
            );
            Some(if survey.servers.is_empty() {
                finding.advice(format!("on a real server: rs-prep check --fix {vip}")).advice(hear)
            } else {
                finding.advice(hear)
            })
        }
    }
}

fn of_server(survey: &Survey, server: &Server) -> Vec<Finding> {
    let (vip, rip) = (survey.vip, server.rip);
    if server.macs.is_empty() {
        let sentence = format!(
            "{rip} does not answer: it is down, or on another network, where direct routing cannot reach it"
        );
        let there =
            format!("on {rip}: see that it is up, and that the address is on its interface of this LAN");
        let far = format!(
            "here: ip route get {rip}; with 'via' it is on another network: lb_kind TUN reaches it, DR does not"
        );
        return vec![Finding::error("no-server", &rip, sentence).advice(there).advice(far)];
    }
    // Whoever asks with the VIP as its sender gets no answer from the VIP's holder, and so gives none: its silence says
    // nothing of its service.
    let announces = server.macs.iter().any(|mac| survey.announcers.contains(mac));
    let silent = |tried: &Tried| tried.rip == Port::Silent || tried.vip == Port::Silent;
    let telling = server.ports.iter().filter(|tried| !(announces && silent(tried)));
    let ports = telling.filter_map(|tried| of_port(vip, rip, tried));
    two_servers(survey, server).into_iter().chain(ports).collect()
}

/// A real server's own address that is answered for twice: the director's packets go to whichever answered last.
fn two_servers(survey: &Survey, server: &Server) -> Option<Finding> {
    let (vip, rip) = (survey.vip, server.rip);
    let macs: Vec<_> = server.macs.iter().map(ToString::to_string).collect();
    let sentence = format!(
        "{rip} is at {}: several hosts have this address, or one host answers for it on several interfaces of this LAN",
        macs.join(" and at ")
    );
    (macs.len() > 1).then(|| {
        Finding::error("two-servers", &rip, sentence)
            .advice(format!("on each of them: ip -o address show to {rip}; take it from the wrong one"))
            .advice(format!("on {rip}, if it is one host: rs-prep check --fix {vip}"))
    })
}

fn of_port(vip: IpAddr, rip: IpAddr, tried: &Tried) -> Option<Finding> {
    let everywhere = format!("let the service listen on {} or on both addresses", vip::every(vip));
    let (code, why, command) = match (tried.rip, tried.vip) {
        (Port::Open, Port::Open) => return None,
        (Port::Open, Port::Closed) => {
            ("rip-only", "the service is bound to the RIP only", everywhere.as_str())
        }
        (Port::Open, Port::Silent) => (
            "vip-missing",
            "the VIP is missing there, or a firewall or rp_filter drops its packets",
            "rs-prep check --fix",
        ),
        (_, Port::Open) => (
            "vip-only",
            "the service is bound to the VIP only, so a check of the RIP finds it dead",
            everywhere.as_str(),
        ),
        (Port::Closed, Port::Closed) => ("no-service", "nothing listens on the port", "start the service"),
        (Port::Silent, _) | (Port::Closed, Port::Silent) => {
            ("no-service", "nothing listens on the port, or a firewall drops it", "start the service")
        }
    };
    let command = if code == "vip-missing" { format!("{command} {vip}") } else { command.to_owned() };
    let at = Endpoint::new(rip, tried.port);
    let sentence = format!("{at}: RIP {}, VIP {}: {why}", tried.rip.word(), tried.vip.word());
    let make = if code == "vip-only" { Finding::warning } else { Finding::error };
    let finding = make(code, &at, sentence).advice(format!("on {rip}: {command}"));
    Some(match code {
        "vip-missing" => finding.advice(format!(
            "if that finds it ready: a firewall there, or a network that hands over only what is for a host's own address (a \
             cloud's source/destination check, port security): let it pass {vip}"
        )),
        _ => finding,
    })
}

#[cfg(test)]
mod tests;
