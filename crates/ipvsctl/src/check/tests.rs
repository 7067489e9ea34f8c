use lvs_core::conf::{Env, NoFiles};
use lvs_core::plan::Timeouts;
use lvs_core::rule::NoNames;

use super::*;

fn rules(text: &str) -> Subject {
    Subject::of_rules("rules", text, &NoNames)
}

fn conf(text: &str) -> Subject {
    let (config, findings) = conf::parse("k.conf", text.as_bytes(), &mut NoFiles, &Env::default());
    let texts = Texts::from([("k.conf".to_owned(), text.as_bytes().to_vec())]);
    Subject::of_config(&config, findings, texts)
}

/// The seed's director: the real servers are on its network.
fn connected() -> Host {
    let way = |n: u8, reach| (IpAddr::from([192, 168, 15, n]), reach);
    let router = Reach::Router([192, 168, 15, 1].into());
    Host {
        reach: [
            way(109, Reach::Link),
            way(110, Reach::Link),
            way(100, Reach::Local),
            way(50, router),
            way(60, Reach::Nowhere),
        ]
        .into(),
        timeouts: Some(Timeouts { tcp: 900, tcp_fin: 120, udp: 300 }),
    }
}

/// Code and line of each finding that is more than a note.
fn codes(subject: &Subject) -> Vec<(&'static str, u32)> {
    let found = judge(subject, &connected());
    found.iter().filter(|d| d.severity > conf::Severity::Note).map(|d| (d.code, d.line())).collect()
}

const SOUND: &str =
    "-A -t 192.168.15.111:443 -s rr\n-a -t 192.168.15.111:443 -r 192.168.15.109:443 -g -w 1\n";

#[test]
fn a_sound_file_has_no_finding() {
    assert_eq!(codes(&rules(SOUND)), []);
}

#[test]
fn a_server_that_direct_routing_cannot_reach() {
    let one = |n: u8, method: &str| {
        codes(&rules(&format!(
            "-A -t 192.168.15.111:443 -s rr\n-a -t 192.168.15.111:443 -r 192.168.15.{n}:443 {method}\n"
        )))
    };
    assert_eq!(one(50, "-g"), [("not-connected", 2)]);
    assert_eq!(one(50, "-m"), [], "NAT may go through a router");
    assert_eq!(one(60, "-m"), [("no-route", 2)]);
    assert_eq!(one(100, "-g"), [("own-address", 2)]);
    assert_eq!(one(111, "-g"), [("server-is-vip", 2)]);
}

#[test]
fn a_port_that_direct_routing_cannot_translate() {
    let text = "-A -t 192.168.15.111:443 -s rr\n-a -t 192.168.15.111:443 -r 192.168.15.109:8443 METHOD\n";
    assert_eq!(codes(&rules(&text.replace("METHOD", "-g"))), [("port-differs", 2)]);
    assert_eq!(codes(&rules(&text.replace("METHOD", "-i"))), [("port-differs", 2)]);
    assert_eq!(codes(&rules(&text.replace("METHOD", "-m"))), []);
    let config = "virtual_server 192.168.15.111 443 {\n  protocol TCP\n  lb_algo rr\n  lb_kind DR\n  \
                  real_server 192.168.15.109 8443 {\n    TCP_CHECK {\n    }\n  }\n}\n";
    assert_eq!(codes(&conf(config)), [("port-differs", 5)]);
}

#[test]
fn findings_in_json_have_lines_and_ports_are_judged() {
    let text = "{\"services\": [\n {\"protocol\": \"tcp\", \"address\": \"192.168.15.111\", \"port\": 443, \"scheduler\": \"rr\",\n  \
                \"servers\": [\n   {\"address\": \"192.168.15.109\", \"port\": 8080, \"forward\": \"METHOD\"},\n   \
                {\"address\": \"192.168.15.50\"}]},\n {\"mark\": 5}]}\n";
    let of = |method: &str| codes(&Subject::of_json("t.json", &text.replace("METHOD", method)));
    assert_eq!(of("route"), [("port-differs", 4), ("not-connected", 5), ("no-server", 6)]);
    assert_eq!(of("masq"), [("not-connected", 5), ("no-server", 6)]);
    let finding =
        judge(&Subject::of_json("t.json", &text.replace("METHOD", "route")), &connected())[0].to_string();
    assert!(finding.contains("4 |    {\"address\"") && finding.contains("|    ^"), "{finding}");
}

#[test]
fn addresses_that_the_kernel_refuses() {
    let server = |addr: &str, method: &str| {
        codes(&rules(&format!(
            "-A -t 192.168.15.111:443 -s rr\n-a -t 192.168.15.111:443 -r {addr} {method}\n"
        )))
    };
    for addr in ["224.0.0.5", "0.0.0.0", "255.255.255.255"] {
        assert_eq!(server(addr, "-g"), [("bad-server", 2)], "{addr}");
    }
    assert_eq!(server("127.0.0.1", "-g"), [("own-address", 2)]);
    let config = |addr: &str, kind: &str| {
        codes(&conf(&format!(
            "virtual_server 192.168.15.111 443 {{\n protocol TCP\n lb_algo rr\n lb_kind {kind}\n real_server {addr} 443 {{\n  \
             TCP_CHECK {{\n  }}\n }}\n}}\n"
        )))
    };
    assert_eq!(config("224.0.0.5", "DR"), [("bad-server", 5)]);
    // The reader leaves it out.
    assert_eq!(config("2001:db8::5", "DR"), [("no-server", 1), ("family-differs", 5)]);
    assert_eq!(config("2001:db8::5", "TUN"), []);
    assert_eq!(config("fe80::1", "TUN"), [("bad-server", 5)]);
}

#[test]
fn schedulers_and_engines_that_no_kernel_is_known_to_have() {
    let with = |options: &str| codes(&rules(&SOUND.replace("-s rr", options)));
    assert_eq!(with("-s foo"), [("unknown-scheduler", 1)]);
    assert_eq!(with("-s twos"), []);
    assert_eq!(with("-s rr -p 60 --pe sip"), []);
    assert_eq!(with("-s rr -p 60 --pe nosuch"), [("unknown-engine", 1)]);
    let severity = |name: &str| {
        let text = format!("{{\"services\": [{{\"mark\": 5, \"scheduler\": \"{name}\"}}]}}");
        let found = judge(&Subject::of_json("t.json", &text), &connected());
        found.iter().find(|d| d.code == "unknown-scheduler").map(|d| (d.severity, d.help.clone().unwrap()))
    };
    assert_eq!(severity("wrrr"), Some((conf::Severity::Warning, "did you mean 'wrr'?".to_owned())));
    let long = severity("abcdefghijklmnop").map(|(severity, _)| severity);
    assert_eq!(long, Some(conf::Severity::Error), "longer than the kernel's field");
}

#[test]
fn persistence_that_outlives_its_connections() {
    let with = |p: u32| codes(&rules(&SOUND.replace("-s rr", &format!("-s rr -p {p}"))));
    assert_eq!(with(900), []);
    assert_eq!(with(901), [("persistence-timeout", 1)]);
    let udp = "-A -u 192.168.15.111:53 -s rr -p 3600\n-a -u 192.168.15.111:53 -r 192.168.15.109\n";
    assert_eq!(codes(&rules(udp)), [], "UDP has no connection that hangs");
    let mark = "-A -f 3 -s rr -p 3600\n-a -f 3 -r 192.168.15.109\n";
    assert_eq!(codes(&rules(mark)), [("persistence-timeout", 1)]);
    let longer = Host { timeouts: Some(Timeouts { tcp: 3600, tcp_fin: 0, udp: 0 }), ..connected() };
    assert_eq!(judge(&rules(&SOUND.replace("-s rr", "-s rr -p 3600")), &longer), []);
}

#[test]
fn hashing_schedulers_refuse_clients_of_a_server_without_weight() {
    let two = |options: &str| {
        codes(&rules(&format!(
            "-A -t 192.168.15.111:443 {options}\n-a -t 192.168.15.111:443 -r 192.168.15.109 -w 1\n-a -t \
             192.168.15.111:443 -r 192.168.15.110 -w 0\n"
        )))
    };
    assert_eq!(two("-s sh"), [("hash-weight-zero", 3)]);
    assert_eq!(two("-s mh"), [("hash-weight-zero", 3)]);
    assert_eq!(two("-s sh -b sh-fallback"), []);
    assert_eq!(two("-s rr"), []);
}

#[test]
fn sh_with_checks_moves_clients_unless_persistence_holds_them() {
    let config = |extra: &str| {
        format!(
            "virtual_server 192.168.15.111 443 {{\n  protocol TCP\n  lb_algo sh\n  lb_kind DR\n  {extra}\n  \
             real_server 192.168.15.109 443 {{\n    TCP_CHECK {{\n    }}\n  }}\n}}\n"
        )
    };
    assert_eq!(codes(&conf(&config(""))), [("sh-weights-change", 1)]);
    assert_eq!(codes(&conf(&config("persistence_timeout 300"))), []);
    let inhibited = codes(&conf(
        &config("persistence_timeout 300").replace("TCP_CHECK", "inhibit_on_failure\nTCP_CHECK"),
    ));
    assert_eq!(inhibited, [("hash-weight-zero", 6)]);
}

#[test]
fn services_that_serve_nobody() {
    assert_eq!(codes(&rules("-A -t 192.168.15.111:443 -s rr\n")), [("no-server", 1)]);
    assert_eq!(codes(&rules(&SOUND.replace("-w 1", "-w 0"))), [("all-weights-zero", 1)]);
    assert_eq!(codes(&rules(&SOUND.replace("-w 1", "-w 1 -x 5 -y 6"))), [("thresholds", 2)]);
}

#[test]
fn every_wrong_line_is_found_in_one_run() {
    let text = "# web\n-A -t bad\n-L -n\n-a -t 192.168.15.111:443 -r 192.168.15.109\n-A -f 0\n";
    assert_eq!(
        codes(&rules(text)),
        [("bad-rule", 2), ("not-a-change", 3), ("bad-order", 4), ("bad-rule", 5)]
    );
}

#[test]
fn json_is_judged_too_and_its_faults_have_a_line() {
    assert_eq!(codes(&Subject::of_json("t.json", "{\n \"services\": [\n  {]\n}")), [("bad-json", 3)]);
    let text = Subject::of_json("t.json", "{\n \"services\": [\n  {]\n}").findings[0].to_string();
    assert_eq!(text.matches("line").count(), 0, "the place is said once: {text}");
    let good = r#"{"services":[{"protocol":"tcp","address":"192.168.15.111","port":443,"scheduler":"rr","servers":[]}]}"#;
    let found = judge(&Subject::of_json("t.json", good), &connected());
    assert_eq!(found[0].code, "no-server");
    assert!(found[0].message.starts_with("-t 192.168.15.111:443: "), "{}", found[0].message);
}

#[test]
fn a_finding_points_at_the_word() {
    let subject = rules("-A -t 192.168.15.111:443 -s rr\n  -a -t 192.168.15.111:443 -r 192.168.15.50 -g\n");
    let text = judge(&subject, &connected())[0].to_string();
    assert!(
        text.starts_with(
            "rules:2:3: warning: real server 192.168.15.50:443 of -t 192.168.15.111:443: direct routing needs"
        ),
        "{text}"
    );
    assert!(text.contains("\n      | ") || text.contains("^^^^"), "{text}");
    let report = report("rules", &judge(&subject, &connected()), &subject.contents, Format::Json, true);
    let value: serde_json::Value = serde_json::from_str(&report.text).unwrap();
    assert_eq!(
        (&value["severity"], &value["line"], &value["column"]),
        (&"warning".into(), &2.into(), &3.into())
    );
    assert_eq!(report.status, 1);
    assert_eq!(subject.contents, "1 virtual server with 1 real server");
}
