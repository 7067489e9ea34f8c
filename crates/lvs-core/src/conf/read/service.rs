//! `virtual_server` and `virtual_server_group`.

use std::net::IpAddr;
use std::time::Duration;

use super::check::Schedule;
use super::script::{block, on};
use super::{At, Cx, name, real};
use crate::addr::{Endpoint, Family};
use crate::conf::model::{GroupEntry, ServerGroup, Sorry, Target, VirtualServer};
use crate::conf::schema::Block;
use crate::conf::tree::Stmt;
use crate::table::{Forward, Protocol, ServiceFlags, Tunnel, TunnelChecksum};

/// The schedulers that keepalived and the kernel know.
const SCHEDULERS: [&str; 14] =
    ["rr", "wrr", "lc", "wlc", "lblc", "lblcr", "sh", "mh", "dh", "fo", "ovf", "sed", "nq", "twos"];

/// What real servers inherit.
pub(super) struct Defaults {
    pub(super) weight: At<u32>,
    pub(super) inhibit: At<bool>,
    pub(super) forward: At<Forward>,
    pub(super) alpha: At<bool>,
    pub(super) virtualhost: Option<At<String>>,
    pub(super) port: u16,
    /// A group's services have ports of their own.
    pub(super) any_port: bool,
    pub(super) schedule: Schedule,
}

/// A virtual server under way.
struct Draft<'t> {
    out: VirtualServer,
    sorry: Option<Stmt<'t>>,
    sorry_inhibit: At<bool>,
    sorry_forward: Option<At<Forward>>,
    granularity: Option<Stmt<'t>>,
    family: Option<At<Family>>,
    weight: At<u32>,
    inhibit: At<bool>,
    schedule: Schedule,
    servers: Vec<Stmt<'t>>,
}

/// `virtual_server IP [PORT] | fwmark N | group NAME { }`.
pub(super) fn read(cx: &mut Cx<'_>, stmt: Stmt<'_>) -> Option<VirtualServer> {
    let keywords = block("virtual_server");
    let target = cx.target(stmt)?;
    let mut draft = Draft::new(target);
    for s in cx.statements(stmt, keywords) {
        line(cx, s.key, s.stmt, &mut draft, keywords);
    }
    Some(finish(cx, draft, stmt))
}

impl Draft<'_> {
    fn new(target: At<Target>) -> Self {
        let family = match &target.value {
            Target::Addr(e) => Family::of(e.addr),
            _ => Family::Inet,
        };
        Self {
            out: VirtualServer {
                target,
                family,
                protocol: At::assumed(Protocol::Udp),
                delay_loop: At::assumed(Duration::from_secs(60)),
                scheduler: At::assumed("wlc".to_owned()),
                flags: At::default(),
                forward: At::assumed(Forward::Masq),
                persistence: None,
                granularity: At::default(),
                engine: None,
                sorry: None,
                alpha: At::default(),
                omega: At::default(),
                quorum: At::assumed(1),
                hysteresis: At::default(),
                quorum_up: None,
                quorum_down: None,
                ha_suspend: At::default(),
                virtualhost: None,
                real_servers: Vec::new(),
            },
            sorry: None,
            sorry_inhibit: At::default(),
            sorry_forward: None,
            granularity: None,
            family: None,
            weight: At::assumed(1),
            inhibit: At::default(),
            schedule: Schedule::default(),
            servers: Vec::new(),
        }
    }
}

fn line<'t>(cx: &mut Cx<'_>, key: &str, s: Stmt<'t>, d: &mut Draft<'t>, keywords: &Block) {
    let read = balancing(cx, key, s, d)
        || flags(key, s, &mut d.out.flags)
        || health(cx, key, s, d)
        || d.schedule.line(cx, key, s);
    if !read {
        cx.untyped(key, keywords, s);
    }
}

fn balancing<'t>(cx: &mut Cx<'_>, key: &str, s: Stmt<'t>, d: &mut Draft<'t>) -> bool {
    match key {
        "lb_algo" => d.out.scheduler = cx.scheduler(s).unwrap_or_else(|| d.out.scheduler.clone()),
        "lb_kind" => d.out.forward = cx.forward(s).unwrap_or(d.out.forward),
        "protocol" => {
            let known = [
                ("TCP", Protocol::Tcp),
                ("UDP", Protocol::Udp),
                ("SCTP", Protocol::Sctp),
                ("tcp", Protocol::Tcp),
                ("udp", Protocol::Udp),
                ("sctp", Protocol::Sctp),
            ];
            d.out.protocol = cx.choice(s, 1, &known).unwrap_or(d.out.protocol);
        }
        "persistence_timeout" => d.out.persistence = cx.persistence(s),
        "persistence_granularity" => d.granularity = Some(s),
        "persistence_engine" => d.out.engine = Cx::text(s, 1),
        "ip_family" => d.family = cx.choice(s, 1, &[("inet", Family::Inet), ("inet6", Family::Inet6)]),
        "weight" => cx.set_count(s, 0..=65535, &mut d.weight),
        "real_server" => d.servers.push(s),
        _ => return false,
    }
    true
}

fn flags(key: &str, s: Stmt<'_>, to: &mut At<ServiceFlags>) -> bool {
    let flag = match key {
        "ops" => ServiceFlags::ONE_PACKET,
        "flag-1" | "sh-fallback" | "mh-fallback" => ServiceFlags::SCHED_1,
        "flag-2" | "sh-port" | "mh-port" => ServiceFlags::SCHED_2,
        "flag-3" => ServiceFlags::SCHED_3,
        _ => return false,
    };
    *to = At::new(to.value.with(flag), s.place(0));
    true
}

fn health<'t>(cx: &mut Cx<'_>, key: &str, s: Stmt<'t>, d: &mut Draft<'t>) -> bool {
    match key {
        "delay_loop" => cx.set_positive(s, &mut d.out.delay_loop),
        "sorry_server" => d.sorry = Some(s),
        "sorry_server_inhibit" => d.sorry_inhibit = on(s),
        "sorry_server_lvs_method" => d.sorry_forward = cx.forward(s),
        "alpha" => d.out.alpha = on(s),
        "omega" => d.out.omega = on(s),
        "ha_suspend" => d.out.ha_suspend = on(s),
        "virtualhost" => d.out.virtualhost = Cx::text(s, 1),
        "inhibit_on_failure" => cx.set_switch(s, &mut d.inhibit),
        "quorum" => cx.set_count(s, 1..=u32::MAX, &mut d.out.quorum),
        "hysteresis" => cx.set_count(s, 0..=u32::MAX, &mut d.out.hysteresis),
        "quorum_up" => d.out.quorum_up = cx.command(s, 1),
        "quorum_down" => d.out.quorum_down = cx.command(s, 1),
        _ => return false,
    }
    true
}

fn finish(cx: &mut Cx<'_>, d: Draft<'_>, stmt: Stmt<'_>) -> VirtualServer {
    let mut out = d.out;
    cx.protocol(&out, stmt);
    cx.port_zero(&mut out);
    let (port, any_port) = match &out.target.value {
        Target::Addr(e) => (e.port, false),
        _ => (0, true),
    };
    let defaults = Defaults {
        weight: At::assumed(d.weight.value),
        inhibit: d.inhibit,
        forward: At::assumed(out.forward.value),
        alpha: out.alpha,
        virtualhost: out.virtualhost.clone(),
        port,
        any_port,
        schedule: Schedule { interval: Some(out.delay_loop), ..d.schedule },
    };
    out.real_servers = Vec::with_capacity(d.servers.len());
    for s in d.servers {
        out.real_servers.extend(real::read(cx, s, &defaults));
    }
    real::once(cx, &mut out.real_servers);
    if any_port {
        let servers = out.real_servers.first().map(|r| Family::of(r.endpoint.addr));
        out.family = d.family.map(|f| f.value).or(servers).unwrap_or(Family::Inet);
    }
    out.granularity = cx.granularity(d.granularity, out.family);
    if out.granularity.is_written() && out.persistence.is_none() {
        let message = "persistence_granularity alone means persistence_timeout 360".to_owned();
        let place = out.granularity.place;
        cx.findings.note("persistence-implied", place, message).help("write persistence_timeout too");
        out.persistence = Some(At::assumed(360));
    }
    out.sorry = d.sorry.and_then(|s| {
        let forward = d.sorry_forward.unwrap_or(defaults.forward);
        let (endpoint, _) = cx.server_endpoint(s, forward.value, &defaults)?;
        Some(Sorry { endpoint, forward, inhibit: d.sorry_inhibit })
    });
    cx.quorum(&mut out);
    out
}

impl Cx<'_> {
    /// What stands after `virtual_server`.
    fn target(&mut self, s: Stmt<'_>) -> Option<At<Target>> {
        let skipped = "the virtual server is left out";
        match s.get(1)? {
            "group" => match s.get(2) {
                Some(group) => Some(At::new(Target::Group(group.to_owned()), s.place(2))),
                None => {
                    let message = format!("virtual_server group needs a name; {skipped}");
                    self.drop_block(
                        "missing-value",
                        s,
                        s.place(1),
                        message,
                        "write virtual_server group NAME",
                    );
                    None
                }
            },
            "fwmark" => match s.get(2).and_then(|m| m.parse::<u32>().ok()).filter(|m| *m > 0) {
                Some(mark) => Some(At::new(Target::Mark(mark), s.place(2))),
                None => {
                    let message = format!("virtual_server fwmark needs a mark; {skipped}");
                    self.drop_block(
                        "bad-mark",
                        s,
                        s.place(2),
                        message,
                        "write a number from 1 to 4294967295",
                    );
                    None
                }
            },
            text => {
                let Ok(addr) = text.parse::<IpAddr>() else {
                    let message = format!("'{text}' is no IP address; {skipped}");
                    self.drop_block(
                        "bad-address",
                        s,
                        s.place(1),
                        message,
                        "write virtual_server IP PORT, fwmark MARK or group NAME",
                    );
                    return None;
                };
                let port = if s.get(2).is_some() { self.port(s, 2).map_or(0, |p| p.value) } else { 0 };
                Some(At::new(Target::Addr(Endpoint { addr, port }), s.place(1)))
            }
        }
    }

    /// `NAT|DR|TUN [type ipip|gue port N|gre] [nocsum|csum|remcsum]`.
    pub(super) fn forward(&mut self, s: Stmt<'_>) -> Option<At<Forward>> {
        let tunnel = Forward::Tunnel(Tunnel::Ipip);
        let mut found =
            self.choice(s, 1, &[("NAT", Forward::Masq), ("DR", Forward::Route), ("TUN", tunnel)])?;
        if found.value == tunnel && s.len() > 2 {
            found.value = Forward::Tunnel(self.tunnel(s));
        }
        Some(found)
    }

    fn tunnel(&mut self, s: Stmt<'_>) -> Tunnel {
        let (mut kind, mut port, mut checksum) = ("ipip", 0, TunnelChecksum::None);
        let mut n = 2;
        while let Some(word) = s.get(n) {
            n += 1;
            match word {
                "type" => {
                    kind = s.get(n).unwrap_or("ipip");
                    n += 1;
                }
                "port" => {
                    port = self.port(s, n).map_or(0, |p| p.value);
                    n += 1;
                }
                "csum" => checksum = TunnelChecksum::Full,
                "remcsum" => checksum = TunnelChecksum::Remote,
                "nocsum" => checksum = TunnelChecksum::None,
                other => {
                    let message = format!("a tunnel has no option '{other}'; it is skipped");
                    let help = "write type ipip, type gue port N or type gre, then nocsum, csum or remcsum";
                    self.findings.warning("unknown-option", s.place(n - 1), message).help(help);
                }
            }
        }
        match kind {
            "gue" => Tunnel::Gue { port, checksum },
            "gre" => Tunnel::Gre { checksum },
            _ => Tunnel::Ipip,
        }
    }

    fn scheduler(&mut self, s: Stmt<'_>) -> Option<At<String>> {
        let found = Self::text(s, 1)?;
        if !SCHEDULERS.contains(&found.as_str()) {
            let message = format!("'{}' is no scheduler; wlc is used, as keepalived does", found.value);
            let near = crate::conf::suggest::nearest(&found, SCHEDULERS.into_iter());
            let help = near.map_or(format!("write one of {}", SCHEDULERS.join(", ")), |n| {
                format!("did you mean '{n}'?")
            });
            self.findings.warning("unknown-scheduler", found.place, message).help(help);
            return None;
        }
        Some(found)
    }

    fn persistence(&mut self, s: Stmt<'_>) -> Option<At<u32>> {
        if s.get(1).is_none() {
            return Some(At::new(360, s.place(0)));
        }
        self.count(s, 1, 1..=2_678_400)
    }

    fn protocol(&mut self, vs: &VirtualServer, stmt: Stmt<'_>) {
        let named = matches!(vs.target.value, Target::Mark(_));
        if named && vs.protocol.is_written() {
            let message = "a firewall mark has no protocol; the line has no effect".to_owned();
            self.findings.warning("mark-protocol", vs.protocol.place, message).help("remove the line");
        }
        if !named && !vs.protocol.is_written() {
            let message = "no protocol: UDP is used, as keepalived does".to_owned();
            self.findings.warning("no-protocol", stmt.place(0), message).help("add a line: protocol TCP");
        }
    }

    /// The kernel takes a service for every port with persistence only.
    fn port_zero(&mut self, vs: &mut VirtualServer) {
        let every = matches!(&vs.target.value, Target::Addr(e) if e.port == 0);
        if every && vs.persistence.is_none() {
            let message =
                "a service without a port needs persistence; persistence_timeout 360 is used".to_owned();
            self.findings
                .warning("no-port", vs.target.place, message)
                .help("write the port, or persistence_timeout");
            vs.persistence = Some(At::assumed(360));
        }
    }

    /// IPv4 a mask in dotted form, or a prefix length; IPv6 a prefix length.
    fn granularity(&mut self, s: Option<Stmt<'_>>, family: Family) -> At<u32> {
        let whole = crate::table::Service::default_netmask(family);
        let Some(s) = s else { return At::assumed(whole) };
        let text = s.get(1).unwrap_or("");
        let value = match family {
            Family::Inet => mask4(text),
            Family::Inet6 => text.parse().ok().filter(|len| (1..=128).contains(len)),
        };
        match value {
            Some(value) => At::new(value, s.place(1)),
            None => {
                let message = format!("'{text}' is no mask; each client counts for itself");
                let help = "write 255.255.255.0 for IPv4, or a prefix length from 1 to 128 for IPv6";
                self.findings.warning("bad-mask", s.place(1), message).help(help);
                At::assumed(whole)
            }
        }
    }

    /// Never more than all weights together, as in keepalived: it could not be gained.
    fn quorum(&mut self, vs: &mut VirtualServer) {
        let sum: u64 = vs.real_servers.iter().map(|r| u64::from(r.weight.value)).sum();
        let sum = u32::try_from(sum).unwrap_or(u32::MAX);
        if vs.quorum.value > sum.max(1) {
            let message = format!(
                "quorum {} is more than all weights together; {} is used",
                vs.quorum.value,
                sum.max(1)
            );
            let help = format!("the weights of the real servers make {sum}");
            self.findings.warning("quorum-too-high", vs.quorum.place, message).help(help);
            vs.quorum.value = sum.max(1);
        }
    }
}

fn mask4(text: &str) -> Option<u32> {
    if let Ok(mask) = text.parse::<std::net::Ipv4Addr>() {
        return Some(u32::from(mask));
    }
    let len: u32 = text.parse().ok().filter(|l| (1..=32).contains(l))?;
    Some(u32::MAX << (32 - len))
}

/// `virtual_server_group NAME { }`.
pub(super) fn group(cx: &mut Cx<'_>, stmt: Stmt<'_>) -> Option<ServerGroup> {
    let entries: Vec<_> = stmt.children().filter_map(|s| cx.group_entry(s)).collect();
    if entries.is_empty() {
        let message =
            format!("virtual_server_group {} has no entries; it is left out", stmt.get(1).unwrap_or(""));
        cx.drop_block(
            "empty-group",
            stmt,
            stmt.place(0),
            message,
            "add lines such as 10.0.0.1 80 or fwmark 1",
        );
        return None;
    }
    Some(ServerGroup { name: name(stmt), entries })
}

impl Cx<'_> {
    /// `IP[-IP|-N|/LEN] [PORT]` or `fwmark N [inet|inet6]`.
    fn group_entry(&mut self, s: Stmt<'_>) -> Option<At<GroupEntry>> {
        let text = s.get(0)?;
        if text == "fwmark" {
            let mark = self.count(s, 1, 1..=u32::MAX)?.value;
            let family = if s.get(2).is_some() {
                self.choice(s, 2, &[("inet", Family::Inet), ("inet6", Family::Inet6)]).map(|f| f.value)
            } else {
                None
            };
            return Some(At::new(GroupEntry::Mark { mark, family }, s.place(0)));
        }
        let Some((first, last)) = range(text) else {
            let message = format!("'{text}' is no address or range of addresses; the line is skipped");
            let help = "write 10.0.0.1, 10.0.0.1-9 or 10.0.0.0/28, then the port";
            self.findings.error("bad-address", s.place(0), message).help(help);
            return None;
        };
        let port = if s.get(1).is_some() { self.port(s, 1)?.value } else { 0 };
        Some(At::new(GroupEntry::Range { first, last, port }, s.place(0)))
    }
}

/// `A`, `A-N` (last part), `A-B`, `A/LEN`: the first and the last address.
fn range(text: &str) -> Option<(IpAddr, IpAddr)> {
    if let Ok(prefix) = text.parse::<crate::addr::Prefix>() {
        return Some(bounds(prefix));
    }
    let (first, end) = text.split_once('-')?;
    let first: IpAddr = first.parse().ok()?;
    let last = match (end.parse::<IpAddr>(), first) {
        (Ok(last), _) => last,
        (Err(_), IpAddr::V4(a)) => {
            let [x, y, z, _] = a.octets();
            IpAddr::from([x, y, z, end.parse().ok()?])
        }
        (Err(_), IpAddr::V6(a)) => {
            let mut parts = a.segments();
            parts[7] = u16::from_str_radix(end, 16).ok()?;
            IpAddr::from(parts)
        }
    };
    (Family::of(first) == Family::of(last) && first <= last).then_some((first, last))
}

/// The first and the last address of a network.
fn bounds(p: crate::addr::Prefix) -> (IpAddr, IpAddr) {
    match p.addr {
        IpAddr::V4(a) => {
            let host = u32::MAX.checked_shr(u32::from(p.len)).unwrap_or(0);
            (IpAddr::V4((u32::from(a) & !host).into()), IpAddr::V4((u32::from(a) | host).into()))
        }
        IpAddr::V6(a) => {
            let host = u128::MAX.checked_shr(u32::from(p.len)).unwrap_or(0);
            (IpAddr::V6((u128::from(a) & !host).into()), IpAddr::V6((u128::from(a) | host).into()))
        }
    }
}
