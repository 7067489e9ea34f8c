use super::*;
use crate::host::testing::{alone, held, nic, with};
use crate::host::{Nic, RouteTo, Settings};
use crate::plan::{self, Wish};
use crate::ways::{Filtered, Out, Ways};
use lvs_core::addr::Family;

const VIP: &str = "192.168.15.111";
const RIP: &str = "192.168.15.102";

fn vip() -> Vip {
    Vip::direct(VIP.parse().unwrap())
}

fn asked() -> Asked {
    Asked { vips: vec![vip()], named: true, ..Asked::default() }
}

/// The seed's real server, well prepared, with a default route past the director.
fn good() -> HostState {
    let mut host = with(alone(), &plan::up(&alone(), &[vip()], &Wish::default()).unwrap());
    host.routes.push(default("192.168.8.1", "ens192"));
    host
}

fn default(gateway: &str, device: &str) -> RouteTo {
    let gateway = Some(gateway.parse().unwrap());
    let (to, device) = ("0.0.0.0/0".parse().unwrap(), device.to_owned());
    RouteTo { to, device, gateway, source: None, by_kernel: false }
}

/// The codes of what is found; each finding says what to do.
fn codes(host: &HostState, asked: &Asked, seen: &Seen) -> Vec<&'static str> {
    let found = findings(host, asked, seen);
    let helps = |finding: &Finding| !finding.commands.is_empty() || !finding.advice.is_empty();
    assert!(found.iter().all(helps), "{found:?}");
    found.into_iter().map(|finding| finding.code).collect()
}

#[test]
fn a_good_real_server_has_no_findings() {
    assert_eq!(findings(&good(), &asked(), &Seen::default()), []);
}

/// The table of results: settings that look right, and are or are not.
#[test]
fn the_larger_number_decides_and_larger_is_not_stricter() {
    // all.ignore, all.announce, ens192.ignore, ens192.announce, lo.ignore, lo.announce: findings
    let table: &[([i32; 6], &[&str])] = &[
        ([0, 0, 0, 0, 0, 0], &["arp-ignore", "arp-announce"]),
        ([1, 0, 0, 0, 0, 0], &["arp-announce"]),
        ([0, 2, 0, 0, 0, 0], &["arp-ignore"]),
        ([1, 2, 0, 0, 0, 0], &[]),
        ([0, 0, 0, 0, 1, 2], &["arp-ignore", "arp-announce"]),
        ([0, 0, 1, 2, 0, 0], &[]),
        ([1, 1, 0, 0, 0, 0], &["arp-announce"]),
        ([2, 2, 0, 0, 0, 0], &[]),
        ([3, 2, 0, 0, 0, 0], &["arp-ignore"]),
        ([8, 2, 0, 0, 0, 0], &["arp-mute"]),
        ([1, 2, 2, 0, 0, 0], &[]),
        ([1, 2, 3, 0, 0, 0], &["arp-ignore"]),
        ([1, 2, 7, 0, 0, 0], &["arp-ignore"]),
        ([1, 2, 8, 0, 0, 0], &["arp-mute"]),
        ([1, 2, 0, 3, 0, 0], &["arp-announce"]),
        ([0, 2, 1, 0, 0, 0], &[]),
        ([1, 0, 0, 0, 0, 2], &["arp-announce"]),
    ];
    for (values, want) in table {
        let [ignore, announce, own_ignore, own_announce, lo_ignore, lo_announce] = *values;
        let set = |arp_ignore, arp_announce| Settings { arp_ignore, arp_announce, ..Settings::default() };
        let mut host = good();
        host.all = set(ignore, announce);
        host.nics[0].settings = set(lo_ignore, lo_announce);
        host.nics[1].settings = set(own_ignore, own_announce);
        assert_eq!(codes(&host, &asked(), &Seen::default()), *want, "{values:?}");
    }
}

#[test]
fn arp_ignore_3_hides_a_vip_of_scope_host_alone() {
    let mut host = good();
    host.all.arp_ignore = 3;
    assert_eq!(codes(&host, &asked(), &Seen::default()), ["arp-ignore"]);
    host.addresses.last_mut().unwrap().host_scope = true;
    assert_eq!(codes(&host, &asked(), &Seen::default()), [""; 0]);
    host.all.arp_ignore = 4;
    assert_eq!(codes(&host, &asked(), &Seen::default()), ["arp-ignore"]);
    host.all.arp_ignore = 3;
    let both = Asked { vips: vec![vip(), Vip::direct("10.0.0.1".parse().unwrap())], ..asked() };
    assert_eq!(codes(&host, &both, &Seen::default()), ["vip-missing", "arp-ignore"], "up makes it global");
}

#[test]
fn the_sentence_says_which_value_and_why_los_does_nothing() {
    let mut host = good();
    host.all = Settings::default();
    host.nics[1].settings = Settings::default();
    host.nics[0].settings = Settings { arp_ignore: 1, ..Settings::default() };
    let found = findings(&host, &asked(), &Seen::default());
    assert_eq!(
        found[0].sentence,
        "ens192 answers ARP for the VIP: arp_ignore in effect is 0 (the larger of all 0 and ens192 0); the value of lo \
         does nothing, set all"
    );
    assert_eq!(found[0].commands, ["sysctl -w net.ipv4.conf.all.arp_ignore=1"]);
}

/// The preparation without settings that some hosts have.
#[test]
fn rules_that_hide_the_vip_are_no_error_and_nothing_is_changed() {
    let arp = |rules: &[(&str, &str)]| {
        let text = rules.iter().map(|(hook, rule)| {
            format!("table arp f {{\n chain c {{\n type filter hook {hook} priority 0; policy accept;\n {rule}\n }}\n}}\n")
        });
        Seen { rules: Some(Rules::of_nft(&text.collect::<String>())), ..Seen::default() }
    };
    let mut host = good();
    (host.all, host.nics[1].settings) = (Settings::default(), Settings::default());
    let (drop, set) = (
        ("input", "arp daddr ip 192.168.15.111 drop # handle 3"),
        ("output", "arp saddr ip 192.168.15.111 arp saddr ip set 192.168.15.102 # handle 4"),
    );
    let found = findings(&host, &asked(), &arp(&[drop, set]));
    assert_eq!(found.iter().map(|f| f.code).collect::<Vec<_>>(), ["arp-rules"]);
    assert!(ready(&found) && found[0].steps.is_empty() && !found[0].by_up, "{found:?}");
    assert_eq!(codes(&host, &asked(), &arp(&[drop])), ["arp-announce", "arp-rules"]);
    assert_eq!(codes(&host, &asked(), &arp(&[])), ["arp-ignore", "arp-announce"]);
    let both = Asked { vips: vec![vip(), Vip::direct("10.0.0.1".parse().unwrap())], ..asked() };
    assert_eq!(codes(&host, &both, &arp(&[drop, set])), ["vip-missing", "arp-ignore", "arp-announce"]);
}

#[test]
fn every_speaking_interface_counts_and_ports_of_a_bridge_do_not() {
    let mut host = good();
    host.all = Settings::default();
    host.nics.push(nic("ens224", true, Settings::default()));
    assert_eq!(codes(&host, &asked(), &Seen::default()), ["arp-ignore", "arp-announce"]);
    host.nics[2].enslaved = true;
    assert_eq!(codes(&host, &asked(), &Seen::default()), [""; 0]);
    host.nics[2].enslaved = false;
    host.nics[2].up = false;
    assert_eq!(codes(&host, &asked(), &Seen::default()), [""; 0]);
}

#[test]
fn the_vip_is_looked_for_everywhere() {
    let mut host = good();
    host.addresses.pop();
    assert_eq!(codes(&host, &asked(), &Seen::default()), ["vip-missing", "stale-route"]);
    host.routes.retain(|route| route.gateway.is_some());
    host.addresses.push(held("192.168.15.111/21", "ens192", "ens192:0"));
    assert_eq!(codes(&host, &asked(), &Seen::default()), ["vip-on-nic"]);
    host.addresses.pop();
    host.addresses.push(held("192.168.15.111/24", "lo", "lo:0"));
    assert_eq!(codes(&host, &asked(), &Seen::default()), ["vip-mask"]);
}

/// AnyIP: whole networks on lo that nobody called VIPs.
#[test]
fn a_network_on_lo_that_nobody_named_is_left_alone() {
    let mut host = good();
    host.addresses.extend([held("198.51.100.1/24", "lo", "lo"), held("2001:db8:5::1/64", "lo", "")]);
    let found = findings(&host, &asked(), &Seen::default());
    assert_eq!(found.iter().map(|f| f.code).collect::<Vec<_>>(), ["vip-mask", "vip-mask"]);
    assert!(ready(&found) && found.iter().all(|f| f.steps.is_empty() && f.commands.is_empty()), "{found:?}");
    let recorded = Asked { recorded: vec!["198.51.100.1".parse().unwrap()], ..asked() };
    assert!(!ready(&findings(&host, &recorded, &Seen::default())), "what up has put is its own");
}

fn filtered(network: &str) -> Filtered {
    Filtered { nic: "ens192".to_owned(), network: network.parse().unwrap() }
}

#[test]
fn strict_filtering_is_told_by_whom_it_drops() {
    let host = good();
    let seen = |networks: &[&str]| {
        let filtered = networks.iter().map(|network| filtered(network)).collect();
        let ways = Ways { filtered, ..Ways::default() };
        Seen {
            ways,
            reverse_path_drops: 7,
            listeners: vec!["0.0.0.0:80".parse().unwrap()],
            ..Seen::default()
        }
    };
    let serving = Asked { served: vec![served(80)], ..asked() };
    for (networks, whom, asked, severity) in [
        (&["0.0.0.0/0", "8.0.0.0/8"][..], "distant clients", &asked(), Severity::Warning),
        (&["0.0.0.0/0"], "distant clients", &serving, Severity::Error),
        (&["8.0.0.0/8", "9.0.0.0/8"], "clients of 8.0.0.0/8, 9.0.0.0/8", &serving, Severity::Warning),
    ] {
        let found = findings(&host, asked, &seen(networks));
        let [finding] = &found[..] else { panic!("{found:?}") };
        assert_eq!((finding.code, finding.severity), ("rp-filter", severity), "{networks:?}");
        assert!(
            finding.sentence.contains(whom) && finding.sentence.contains("7 dropped so far"),
            "{finding:?}"
        );
        assert_eq!(finding.commands, ["sysctl -qw net.ipv4.conf.ens192.rp_filter=2"]);
    }
    let mut shut = seen(&["0.0.0.0/0"]);
    shut.ways.shut = vec![Family::Inet];
    assert_eq!(codes(&host, &serving, &shut), ["no-gateway"], "no filter would help where there is no way");
}

fn served(port: u16) -> Served {
    Served { vip: vip(), port, rip: RIP.parse().unwrap() }
}

#[test]
fn the_service_must_listen_on_the_vip() {
    let table: &[(&[&str], &[&str])] = &[
        (&["0.0.0.0:80"], &[]),
        (&["[::]:80"], &[]),
        (&["192.168.15.111:80", "192.168.15.102:80"], &[]),
        (&["192.168.15.102:80"], &["rip-only"]),
        (&["192.168.15.111:80"], &["vip-only"]),
        (&["127.0.0.1:80", "0.0.0.0:81"], &["no-listener"]),
    ];
    let asked = Asked { served: vec![served(80)], ..asked() };
    for (listeners, want) in table {
        let listeners = listeners.iter().map(|l| l.parse().unwrap()).collect();
        let seen = Seen { listeners, ..Seen::default() };
        assert_eq!(codes(&good(), &asked, &seen), *want, "{:?}", seen.listeners);
    }
    let any_port = Asked { served: vec![served(0)], ..asked };
    assert_eq!(codes(&good(), &any_port, &Seen::default()), [""; 0]);
}

#[test]
fn a_service_of_an_ipv6_vip_listens_on_every_ipv6_address() {
    let mut host = good();
    host.addresses.extend([held("fd00::7/128", "lo", ""), held("fd00::2/64", "ens192", "")]);
    host.routes.push(RouteTo { to: "::/0".parse().unwrap(), ..default("fd00::1", "ens192") });
    let vip = Vip::direct("fd00::7".parse().unwrap());
    let served = vec![Served { vip, port: 443, rip: "fd00::2".parse().unwrap() }];
    let found = findings(&host, &Asked { vips: vec![vip], served, ..asked() }, &Seen::default());
    assert_eq!(
        found.iter().flat_map(|finding| &finding.advice).collect::<Vec<_>>(),
        ["let the service listen on [::]:443 (or on both addresses) and restart it"]
    );
}

#[test]
fn without_a_file_a_port_on_the_rip_alone_is_a_warning() {
    let listeners = vec!["192.168.15.102:80".parse().unwrap(), "0.0.0.0:22".parse().unwrap()];
    let found = findings(&good(), &asked(), &Seen { listeners, ..Seen::default() });
    assert_eq!(
        found.iter().map(|f| (f.code, f.severity)).collect::<Vec<_>>(),
        [("rip-only", Severity::Warning)]
    );
}

/// What the kernel says of the way to distant clients.
fn by(device: &str, gateway: &str) -> Seen {
    let out = vec![Out { device: device.to_owned(), gateway: Some(gateway.parse().unwrap()) }];
    Seen { ways: Ways { out, ..Ways::default() }, ..Seen::default() }
}

#[test]
fn a_director_is_no_gateway_and_none_is_a_warning() {
    let mut host = good();
    let with = Asked { directors: vec!["192.168.15.100".parse().unwrap()], ..asked() };
    assert_eq!(codes(&host, &with, &by("ens192", "192.168.15.100")), ["gateway-director"]);
    assert_eq!(codes(&host, &asked(), &by("ens192", "192.168.15.100")), [""; 0]);
    assert_eq!(codes(&host, &asked(), &by("ens192", VIP)), ["gateway-director"]);
    // The kernel names one of two next hops: half of the replies go by the other.
    host.routes.push(default("192.168.15.100", "ens192"));
    assert_eq!(codes(&host, &with, &by("ens192", "192.168.8.1")), ["gateway-director"]);
    // Where a rule leads to another table, the main one's default route does not count.
    assert_eq!(codes(&host, &with, &by("ens192", "192.168.8.2")), [""; 0]);
    let shut = |families: &[Family]| Seen {
        ways: Ways { shut: families.to_vec(), ..Ways::default() },
        ..Seen::default()
    };
    assert_eq!(codes(&host, &asked(), &shut(&[Family::Inet])), ["no-gateway"]);
    let found = findings(&host, &asked(), &shut(&[Family::Inet, Family::Inet6]));
    let commands: Vec<_> = found.iter().flat_map(|finding| &finding.commands).collect();
    assert_eq!(commands, ["ip route add default via ROUTER", "ip -6 route add default via ROUTER"]);
    assert!(ready(&found));
}

#[test]
fn a_table_of_its_own_schedules_again_what_was_handed_over() {
    use lvs_core::table::{Forward, Server, Service, ServiceEntry, ServiceKey};
    let key = ServiceKey::tcp(VIP.parse::<IpAddr>().unwrap(), 7885);
    let seen = |servers: &[(&str, Forward, u32)]| {
        let server = |(at, forward, weight): &(&str, Forward, u32)| {
            (at.parse().unwrap(), Server::new(*forward, *weight))
        };
        let servers = servers.iter().map(server).collect();
        let entry = ServiceEntry { service: Service::new("rr", key.family()), servers };
        Seen { own_table: Table { services: [(key, entry)].into() }, ..Seen::default() }
    };
    let (own, other) = ("192.168.15.102:7885", "192.168.15.103:7885");
    let both = seen(&[(own, Forward::Local, 1), (other, Forward::Route, 1)]);
    let found = findings(&good(), &asked(), &both);
    let [finding] = &found[..] else { panic!("{found:?}") };
    assert_eq!((finding.code, finding.severity), ("own-table", Severity::Error));
    assert_eq!(finding.commands, ["ipvsctl -D -t 192.168.15.111:7885"]);

    let none: [&str; 0] = [];
    let harmless = seen(&[(own, Forward::Local, 1), (other, Forward::Route, 0)]);
    assert_eq!(codes(&good(), &asked(), &harmless), none, "only its own service gets new connections");
    for servers in [&[][..], &[(own, Forward::Local, 0)], &[(other, Forward::Route, 0)]] {
        let found = findings(&good(), &asked(), &seen(servers));
        let [finding] = &found[..] else { panic!("{found:?}") };
        assert_eq!((finding.code, finding.severity), ("own-table", Severity::Error));
        assert!(finding.sentence.contains("refuses every new connection"), "{}", finding.sentence);
        assert_eq!(finding.commands, ["ipvsctl -D -t 192.168.15.111:7885"]);
    }
    assert_eq!(codes(&good(), &asked(), &seen(&[(own, Forward::Local, 1)])), none, "a backup director");
    assert_eq!(codes(&good(), &asked(), &seen(&[(own, Forward::Route, 1)])), none, "as the kernel shows it");
    let another = Asked { vips: vec![], named: true, ..Asked::default() };
    assert_eq!(codes(&good(), &another, &both), none);
    let mut master = good();
    master.addresses.push(held("192.168.15.111/32", "ens192", "ens192"));
    assert!(!codes(&master, &asked(), &both).contains(&"own-table"), "the holder has nobody before it");
}

#[test]
fn a_service_by_a_mark_bounces_unless_a_rule_looks_at_macs() {
    use crate::rules::Marking;
    use lvs_core::table::{Forward, Server, Service, ServiceEntry, ServiceKey};
    let weighing = |weight, rule: &str, mark: u32, by_mac| {
        let key = ServiceKey::Mark { mark: 7, family: Family::Inet };
        let servers = [("192.168.15.103:0".parse().unwrap(), Server::new(Forward::Route, weight))].into();
        let entry = ServiceEntry { service: Service::new("rr", key.family()), servers };
        let marks = vec![Marking { mark, rule: rule.to_owned() }];
        let rules = Some(Rules { marks, by_mac, ..Rules::default() });
        Seen { own_table: Table { services: [(key, entry)].into() }, rules, ..Seen::default() }
    };
    let seen = |rule: &str, mark, by_mac| weighing(1, rule, mark, by_mac);
    let rule = "-A PREROUTING -d 192.168.15.111/32 -j MARK --set-xmark 0x7/0xffffffff";
    let found = findings(&good(), &asked(), &seen(rule, 7, false));
    let [finding] = &found[..] else { panic!("{found:?}") };
    assert_eq!((finding.code, finding.severity, &*finding.subject), ("own-table", Severity::Error, VIP));
    assert!(finding.sentence.ends_with(rule), "{}", finding.sentence);
    assert!(finding.commands.is_empty(), "no command: {:?}", finding.commands);
    assert_eq!(finding.advice, ["add to the rule: -m mac ! --mac-source MAC-OF-THE-OTHER-DIRECTOR"]);

    let refusing = findings(&good(), &asked(), &weighing(0, rule, 7, false));
    assert!(refusing[0].sentence.contains("refuses every new connection"), "{refusing:?}");
    assert_eq!(refusing[0].commands, ["ipvsctl -D -f 7"]);

    let none: [&str; 0] = [];
    assert_eq!(
        codes(&good(), &asked(), &seen(rule, 7, true)),
        none,
        "packets of the other one are told apart"
    );
    assert_eq!(codes(&good(), &asked(), &seen(rule, 8, false)), none, "another service's mark");
    assert_eq!(
        codes(&good(), &asked(), &seen("-A PREROUTING -d 10.0.0.1/32 -j MARK --set-mark 7", 7, false)),
        none
    );
}

#[test]
fn nat_rules_of_the_vip_are_named_with_what_deletes_them() {
    let rules = [
        "-A POSTROUTING -s 192.168.15.111/32 -j MASQUERADE",
        "ip nat prerouting ip daddr 192.168.15.111 tcp dport 80 redirect to :8080 # handle 9",
        "-A POSTROUTING -s 192.168.15.11/32 -j MASQUERADE",
        "-A POSTROUTING -o ens192 -j MASQUERADE",
    ];
    let seen = Seen {
        rules: Some(Rules { nat: rules.map(str::to_owned).to_vec(), ..Rules::default() }),
        ..Seen::default()
    };
    let found = findings(&good(), &asked(), &seen);
    let what: Vec<_> = found.iter().map(|f| (f.code, f.severity, f.commands[0].as_str())).collect();
    assert_eq!(
        what,
        [
            ("nat", Severity::Error, "iptables -t nat -D POSTROUTING -s 192.168.15.111/32 -j MASQUERADE"),
            ("nat", Severity::Warning, "nft delete rule ip nat prerouting handle 9"),
        ]
    );
}

#[test]
fn answering_for_others_is_seen() {
    let mut host = good();
    host.nics[1].settings.proxy_arp = 1;
    host.all.proxy_arp = 1;
    host.proxies.push((VIP.parse().unwrap(), "ens192".to_owned()));
    host.proxies.push(("192.168.15.50".parse().unwrap(), "ens192".to_owned()));
    let found = findings(&host, &asked(), &Seen::default());
    assert_eq!(found.iter().map(|f| f.code).collect::<Vec<_>>(), ["proxy-arp", "proxy-entry"]);
    assert_eq!((found[0].commands.len(), &found[0].steps), (2, &vec![]), "it may be meant");
    let mut pvlan = good();
    pvlan.nics[1].settings.proxy_arp_pvlan = 1;
    let alone = findings(&pvlan, &asked(), &Seen::default());
    assert_eq!(alone[0].commands, ["sysctl -qw net.ipv4.conf.ens192.proxy_arp_pvlan=0"]);
    assert!(alone[0].sentence.contains("(proxy_arp_pvlan)"), "{alone:?}");
    let named = Asked { also_mended: vec!["proxy-arp".to_owned()], ..asked() };
    assert_eq!(findings(&host, &named, &Seen::default())[0].steps.len(), 2);
    assert_eq!(found[1].commands, ["ip neighbour del proxy 192.168.15.111 dev ens192"]);
}

#[test]
fn a_loopback_or_tunnel_that_is_down_takes_nothing() {
    let mut host = good();
    host.nics[0].up = false;
    assert_eq!(codes(&host, &asked(), &Seen::default()), ["device-down"]);
}

#[test]
fn a_vip_of_a_tunnel_needs_the_tunnel() {
    let mut host = good();
    let asked = Asked { vips: vec![Vip::tunnel(VIP.parse().unwrap())], ..asked() };
    let found = findings(&host, &asked, &Seen::default());
    assert_eq!(found.iter().map(|f| f.code).collect::<Vec<_>>(), ["no-tunnel"]);
    let made = ["modprobe ipip", "sysctl -qw net.ipv4.conf.tunl0.rp_filter=2", "ip link set dev tunl0 up"];
    assert_eq!(found[0].commands, made);
    host.nics.push(Nic { up: false, ..nic("tunl0", false, Settings::default()) });
    assert_eq!(codes(&host, &asked, &Seen::default()), ["device-down"]);
    host.nics[2].up = true;
    assert_eq!(codes(&host, &asked, &Seen::default()), [""; 0], "packets out of it find the VIP on lo");
}

#[test]
fn strict_filtering_closes_a_tunnel() {
    let mut host = good();
    host.nics.push(nic("tunl0", false, Settings { rp_filter: 1, ..Settings::default() }));
    host.addresses.last_mut().unwrap().device = "tunl0".to_owned();
    assert_eq!(codes(&host, &asked(), &Seen::default()), ["tunnel-rp-filter"]);
}

#[test]
fn a_vpns_network_and_peers_are_none_of_its_business() {
    let mut host = good();
    host.nics.push(nic("wg0", false, Settings::default()));
    host.addresses.push(held("10.7.0.1/24", "wg0", "wg0"));
    let to = "10.8.0.1/32".parse().unwrap();
    host.routes.push(RouteTo { to, device: "wg0".to_owned(), gateway: None, source: None, by_kernel: false });
    assert_eq!(findings(&host, &asked(), &Seen::default()), []);
}
