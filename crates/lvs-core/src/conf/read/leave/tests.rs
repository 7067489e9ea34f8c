use crate::conf::schema::Tool;
use crate::conf::{Config, Diag, Env, NoFiles, Severity, parse};
use crate::desired;
use crate::table::{Protocol, ServiceKey};

fn read(text: &str) -> (Config, Vec<Diag>) {
    parse("t.conf", text.as_bytes(), &mut NoFiles, &Env::default())
}

fn instance(name: &str, vrid: u8, more: &str) -> String {
    format!(
        "vrrp_instance {name} {{\ninterface eth0\nvirtual_router_id {vrid}\nvirtual_ipaddress {{\n10.0.0.{vrid}\n}}\n{more}\n}}\n"
    )
}

fn service(target: &str, servers: &str) -> String {
    format!("virtual_server {target} {{\nprotocol TCP\nlb_kind DR\n{servers}\n}}\n")
}

fn sound(target: &str) -> String {
    service(target, "real_server 10.0.0.2 80 {\n}")
}

/// Names of the instances that stay, and what is left out.
fn routers(text: &str) -> (Vec<String>, Vec<String>) {
    let (config, _) = read(text);
    let names = config.instances.iter().map(|i| i.name.value.clone()).collect();
    (names, config.left_out.iter().map(ToString::to_string).collect())
}

fn key(last: u8) -> ServiceKey {
    ServiceKey::tcp(std::net::Ipv4Addr::new(10, 0, 0, last), 80)
}

#[test]
fn half_a_block_is_none() {
    let ah = "authentication {\nauth_type AH\nauth_pass x\n}";
    let text = instance("V1", 1, ah)
        + &instance("V2", 2, "")
        + &instance("V3", 3, "virtual_ipaddress {\n10.0.0.x\nfoo\n}");
    let left = ["vrrp_instance V1: 1 error", "vrrp_instance V3: 2 errors"];
    assert_eq!(routers(&text), (vec!["V2".to_owned()], left.map(str::to_owned).to_vec()));
    let (config, _) = read(
        &(service("10.0.0.1 80", "real_server x 80 {\n}\nreal_server 10.0.0.2 80 {\n}")
            + &sound("10.0.0.9 80")),
    );
    assert_eq!(desired::keys(&config), [[key(9)]]);
    assert_eq!(config.left_out[0].to_string(), "virtual_server 10.0.0.1 80: 1 error");
}

#[test]
fn routers_go_together_or_not_at_all() {
    let group =
        |name: &str, members: &str| format!("vrrp_sync_group {name} {{\ngroup {{\n{members}\n}}\n}}\n");
    let script = "vrrp_script broken {\ninterval 2\n}\n";
    let tracks = "track_script {\nbroken\n}";
    // V1 tracks what is broken, V2 is in a group with it, V3 in another group with V2; V4 has nothing to do with them.
    let text = script.to_owned()
        + &instance("V1", 1, tracks)
        + &instance("V2", 2, "")
        + &instance("V3", 3, "")
        + &instance("V4", 4, "")
        + &group("A", "V1\nV2")
        + &group("B", "V2\nV3");
    let (stay, left) = routers(&text);
    assert_eq!(stay, ["V4"]);
    assert_eq!(left.len(), 6, "{left:?}");
    assert!(left.iter().all(|l| l.ends_with(": 1 error")), "{left:?}");
    let (config, findings) = read(&text);
    assert!(config.sync_groups.is_empty());
    let why: Vec<&str> =
        findings.iter().filter(|d| d.code == "left-out").map(|d| d.message.as_str()).collect();
    assert_eq!(why[0], "vrrp_instance V1 is left out: it tracks broken, which is left out");
    assert_eq!(why[3], "vrrp_sync_group A is left out: it does not go without V1, which is left out");
}

#[test]
fn the_first_of_a_name_stays_with_all_that_belongs_to_it() {
    let group =
        |name: &str, members: &str| format!("vrrp_sync_group {name} {{\ngroup {{\n{members}\n}}\n}}\n");
    let all = |texts: &[&str]| texts.concat();
    let (v1, v2, v3) = (instance("V1", 1, ""), instance("V2", 2, ""), instance("V3", 3, ""));
    let script = "vrrp_script s {\nscript /bin/true\nweight 1\n}\n";
    let tracks = instance("V1", 1, "track_script {\ns\n}");
    for (text, stay) in [
        (all(&[&v1, &v2, &group("A", "V1\nV2"), &instance("V1", 9, "")]), vec!["V1", "V2"]),
        // Nothing that is wrong with the second one is of any account.
        (
            all(&[&v1, &v2, &group("A", "V1\nV2"), "vrrp_instance V1 {\ninterface eth0\n}\n"]),
            vec!["V1", "V2"],
        ),
        (all(&[&v1, &v2, &instance("V1", 9, "virtual_ipaddress {\nx\n}"), &v3]), vec!["V1", "V2", "V3"]),
        (all(&[&group("A", "V1\nV2"), &group("A", "V3"), &v1, &v2, &v3]), vec!["V1", "V2", "V3"]),
        (all(&[script, "vrrp_script s {\n}\n", script, &tracks]), vec!["V1"]),
    ] {
        let (config, findings) = read(&text);
        let names: Vec<&str> = config.instances.iter().map(|i| i.name.as_str()).collect();
        assert_eq!(names, stay, "{text}");
        assert!(config.left_out.is_empty(), "{text}{:?}", config.left_out);
        assert!(config.instances.iter().all(|i| i.vrid.value < 9), "{text}");
        assert!(findings.iter().any(|f| f.severity == Severity::Error), "{text}");
        assert!(config.sync_groups.iter().all(|g| g.members.len() == 2), "{text}");
    }
    // The first that is left out is not replaced by the second.
    let broken = instance("V1", 1, "virtual_ipaddress {\nx\n}");
    assert_eq!(routers(&(broken + &instance("V1", 9, ""))).0, [""; 0]);
}

#[test]
fn a_vrid_twice_leaves_the_second_and_its_group_out() {
    let group = "vrrp_sync_group A {\ngroup {\nV2\nV3\n}\n}\n";
    let text = group.to_owned() + &instance("V1", 1, "") + &instance("V2", 2, "") + &instance("V3", 1, "");
    assert_eq!(routers(&text).0, ["V1"]);
    // A script that nobody defined is a warning, as with keepalived, and not ours to judge.
    assert_eq!(routers(&instance("V1", 1, "track_script {\nnone\n}")).0, ["V1"]);
}

#[test]
fn the_services_of_a_block_with_errors_are_nobody_s() {
    let broken = |target: &str| service(target, "real_server x 80 {\n}");
    let reserved = |text: &str| desired::reserved(&read(text).0);
    let one = reserved(&(broken("10.0.0.1 80") + &sound("10.0.0.9 80")));
    assert!(one.holds(&key(1)) && !one.holds(&key(9)) && !one.unknown);
    let marks = reserved(&broken("fwmark 7"));
    for family in [crate::addr::Family::Inet, crate::addr::Family::Inet6] {
        assert!(marks.holds(&ServiceKey::Mark { mark: 7, family }));
    }
    let group = "virtual_server_group g {\n10.0.0.3-5 80\n}\n";
    let three = reserved(&(group.to_owned() + &broken("group g")));
    assert!(three.holds(&key(3)) && three.holds(&key(5)) && !three.holds(&key(6)));
    // Nobody knows which services these are.
    assert!(reserved(&broken("10.0.0.x 80")).holds(&key(200)));
    for line in ["real_server", "real_server 10.0.0.3 80", "real_server {\n}"] {
        let half = reserved(&service("10.0.0.1 80", &format!("{line}\nreal_server 10.0.0.2 80 {{\n}}")));
        assert!(half.holds(&key(1)) && !half.unknown, "{line}");
    }
    for (text, left) in [
        ("virtual_server\n", "virtual_server: 1 error"),
        ("virtual_server {\nprotocol TCP\n}\n", "virtual_server: 1 error"),
        ("virtual_server \"\" {\nprotocol TCP\n}\n", "virtual_server \"\": 1 error"),
        ("virtual_server 10.0.0.1 80\n", "virtual_server 10.0.0.1 80: 1 error"),
    ] {
        let (config, _) = read(&(text.to_owned() + &sound("10.0.0.9 80")));
        assert_eq!(config.left_out.iter().map(ToString::to_string).collect::<Vec<_>>(), [left]);
        assert!(desired::reserved(&config).holds(&key(200)), "{text}");
        assert_eq!(desired::keys(&config), [[key(9)]]);
    }
    assert!(reserved("virtual_server_group g {\n10.0.0.x 80\n10.0.0.9 80\n}\nvirtual_server group g {\nprotocol TCP\n}\n").unknown);
    assert_eq!(reserved(&sound("10.0.0.9 80")), desired::Reserved::default());
}

#[test]
fn nobody_takes_over_a_service_of_a_block_with_errors() {
    let broken = service("10.0.0.1 80", "real_server x 80 {\n}");
    // Both blocks of one service make one pool.
    let (config, findings) = read(&(sound("10.0.0.1 80") + &broken));
    assert!(config.virtual_servers.is_empty());
    assert!(findings.iter().any(|d| d.code == "left-out" && d.line() == 1));
    // A group that names it has its other services.
    let group = "virtual_server_group g {\n10.0.0.1 80\n10.0.0.2 80\n}\n";
    let (config, _) = read(&(group.to_owned() + &broken + &sound("group g")));
    assert_eq!(desired::keys(&config), [[key(2)]]);
    assert_eq!(config.virtual_servers[0].protocol.value, Protocol::Tcp);
}

#[test]
fn an_error_stops_whom_it_concerns() {
    let stops = |text: &str, tool, begin| {
        let (_, findings) = read(text);
        findings.iter().filter(|d| d.stops(tool, begin)).map(|d| d.code).collect::<Vec<_>>()
    };
    let routers = "vrrp_instance V {\ninterface eth0\n}\n".to_owned() + &sound("10.0.0.1 80");
    assert_eq!(stops(&routers, Tool::Vrrpd, false), ["missing-vrid"]);
    assert_eq!(stops(&routers, Tool::Vrrpd, true), [""; 0]);
    assert_eq!(stops(&routers, Tool::Ipvsctl, false), [""; 0]);
    assert_eq!(stops(&routers, Tool::Tcpcheck, false), [""; 0]);
    let services = "virtual_server x 80 {\n}\n".to_owned() + &sound("10.0.0.1 80");
    assert_eq!(stops(&services, Tool::Vrrpd, false), [""; 0]);
    assert_eq!(stops(&services, Tool::RsPrep, false), ["bad-address"]);
    // Nobody uses what is not supported.
    assert_eq!(stops("static_ipaddress {\nx dev eth0\n}\n", Tool::Vrrpd, false), [""; 0]);
    // Who can say in which block a brace is missing, or what stood in a file that is not there?
    let brace = sound("10.0.0.1 80").trim_end().trim_end_matches('}').to_owned();
    for tool in [Tool::Vrrpd, Tool::Tcpcheck, Tool::Ipvsctl, Tool::RsPrep] {
        assert_eq!(stops(&brace, tool, true), ["missing-brace"]);
        assert_eq!(stops("includer nowhere.conf\n", tool, true), ["include-missing"]);
    }
}
