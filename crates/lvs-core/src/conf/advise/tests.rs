use crate::conf::{Env, Host, NoFiles, parse};

/// Codes and messages of the findings that are no notes, unless asked for.
fn said(text: &str, host: Option<Host>, notes: bool) -> Vec<String> {
    let env = Env { host, ..Env::default() };
    let (_, findings) = parse("f", text.as_bytes(), &mut NoFiles, &env);
    let shown = findings.iter().filter(|d| notes || d.severity > crate::conf::Severity::Note);
    shown.map(|d| format!("{} {}: {}", d.line(), d.code, d.message)).collect()
}

fn instance(lines: &str) -> String {
    format!(
        "vrrp_instance V {{\ninterface eth0\nvirtual_router_id 5\npriority 9\nvirtual_ipaddress {{ 10.0.0.1 }}\n{lines}\n}}\n"
    )
}

#[test]
fn master_with_nopreempt_is_told_what_happens() {
    assert_eq!(
        said(&instance("state MASTER\nnopreempt"), None, true),
        [
            "7 master-nopreempt: nopreempt has no effect with state MASTER: after a failure this router takes over again"
        ]
    );
}

#[test]
fn strict_rules_are_explained() {
    let text = format!(
        "global_defs {{\nvrrp_strict\n}}\n{}",
        instance("authentication {\nauth_type PASS\nauth_pass x\n}")
    );
    let codes: Vec<String> =
        said(&text, None, true).iter().map(|l| l.split(':').next().unwrap().to_owned()).collect();
    assert_eq!(codes, ["4 strict-no-accept", "9 strict-auth"]);
}

#[test]
fn a_schedule_is_said_in_words_once() {
    let check = "TCP_CHECK {\nretry 3\ndelay_before_retry 3\nconnect_timeout 10\n}\n";
    let text = format!(
        "virtual_server 10.0.0.1 80 {{\nprotocol TCP\ndelay_loop 6\nreal_server 10.0.0.2 80 {{\n{check}}}\nreal_server 10.0.0.3 80 {{\n{check}}}\n}}\n"
    );
    assert_eq!(
        said(&text, None, true),
        [
            "5 check-schedule: a server that refuses is dead after 9 to 15 s, one that is silent after 49 to 55 s, and back within 3 s"
        ]
    );
}

#[test]
fn a_quorum_that_cannot_come_back_is_told() {
    let servers = "real_server 10.0.0.2 80 {\nTCP_CHECK {\n}\n}\nreal_server 10.0.0.3 80 {\n}\n";
    let text = format!("virtual_server 10.0.0.1 80 {{\nprotocol TCP\nquorum 2\nhysteresis 1\n{servers}}}\n");
    assert_eq!(
        said(&text, None, false),
        [
            "4 quorum-unreachable: once lost, the quorum is never regained: that takes weights of 3, and all together have 2",
            "9 no-checker: real_server 10.0.0.3:80 has no checker: it gets connections even when it is dead",
        ]
    );
}

#[test]
fn what_does_not_fit_the_host_needs_facts_about_it() {
    let text = instance("authentication {\nauth_type PASS\nauth_pass x\n}");
    assert_eq!(said(&text, None, true), Vec::<String>::new());
    let host = Host {
        interfaces: ["lo", "eth1"].map(str::to_owned).into(),
        exposed: ["f".to_owned()].into(),
        ..Host::default()
    };
    assert_eq!(
        said(&text, Some(host), true),
        [
            "2 no-interface: this host has no interface eth0: V waits in FAULT until it appears",
            "8 exposed-password: every user of this host can read the password in f",
        ]
    );
}

/// Codes and places of what is said about a text.
fn codes(text: &str) -> Vec<String> {
    let short = |line: &String| line.split(':').next().unwrap_or_default().to_owned();
    said(text, None, true).iter().map(short).collect()
}

#[test]
fn a_password_has_eight_characters() {
    let with = |password| instance(&format!("authentication {{\nauth_type PASS\nauth_pass {password}\n}}"));
    assert_eq!(codes(&with("12345678")), Vec::<String>::new());
    assert_eq!(codes(&with("123456789")), ["8 long-password"]);
}

#[test]
fn one_vrid_is_one_virtual_router_of_an_interface() {
    let two = |second: &str| {
        format!(
            "{}{}",
            instance(""),
            instance("").replace("instance V", "instance W").replace("eth0", second)
        )
    };
    assert_eq!(codes(&two("eth1")), Vec::<String>::new());
    assert_eq!(codes(&two("eth0")), ["10 duplicate-vrid"]);
}

#[test]
fn routers_of_equal_priority_are_warned_of() {
    let text = instance("").replace("priority 9\n", "");
    assert_eq!(said(&text, None, true), ["1 default-priority: vrrp_instance V has the default priority 100"]);
}

#[test]
fn fractions_of_a_second_need_version_3() {
    assert_eq!(
        said(&instance("advert_int 0.5"), None, true),
        ["6 advert-interval: advert_int 0.5 becomes 1 s"]
    );
    assert_eq!(codes(&instance("advert_int 0.5\nversion 3")), Vec::<String>::new());
}

#[test]
fn direct_routing_does_not_translate_ports() {
    let with = |kind| {
        format!(
            "virtual_server 10.0.0.1 80 {{\nprotocol TCP\nlb_kind {kind}\nreal_server 10.0.0.2 8080 {{\nPING_CHECK {{\n}}\n}}\n}}\n"
        )
    };
    assert!(codes(&with("DR")).contains(&"4 port-differs".to_owned()));
    assert!(codes(&with("TUN")).contains(&"4 port-differs".to_owned()));
    assert!(!codes(&with("NAT")).contains(&"4 port-differs".to_owned()));
}

#[test]
fn persistence_on_a_mark_ties_all_ports_together() {
    let text = "virtual_server fwmark 3 {\npersistence_timeout 60\nreal_server 10.0.0.2 {\nweight 1\n}\n}\n";
    assert_eq!(codes(text), ["2 mark-persistence", "3 no-checker"]);
}

#[test]
fn an_expression_that_is_not_understood_is_told() {
    let text = "virtual_server 10.0.0.1 80 {\nprotocol TCP\nreal_server 10.0.0.2 80 {\nHTTP_GET {\nurl {\npath /\nregex \"a(\"\n}\n\
                url {\npath /\nregex b\n}\n}\n}\n}\n";
    let judge = |url: &crate::conf::model::Url| match url.regex.as_ref().map(|r| r.value.as_str()) {
        Some("a(") => Err("why".to_owned()),
        _ => Ok(()),
    };
    let said = |regex| {
        let (_, findings) = parse("f", text.as_bytes(), &mut NoFiles, &Env { regex, ..Env::default() });
        let told = findings.iter().filter(|d| d.severity > crate::conf::Severity::Note);
        told.map(|d| format!("{} {}: {}", d.line(), d.code, d.message)).collect::<Vec<_>>()
    };
    let told = "7 bad-regex: regex 'a(' is not used: why: the page counts by its status alone";
    assert_eq!(said(Some(judge)), [told]);
    assert_eq!(said(None), Vec::<String>::new());
}

#[test]
fn a_check_without_its_program_is_told() {
    let text = "virtual_server 10.0.0.1 80 {\nprotocol TCP\nreal_server 10.0.0.2 80 {\nMISC_CHECK {\nmisc_path \"/a/b c\"\n}\n}\n}\n";
    let missing = |program: &str| {
        let refused = [(program.to_owned(), format!("{program}: cannot be run: No such file"))].into();
        Host { refused, ..Host::default() }
    };
    assert_eq!(
        said(text, Some(missing("/a/b")), true),
        [
            "5 no-program: /a/b: cannot be run: No such file: nothing is checked by it, real_server 10.0.0.2:80 counts as alive"
        ]
    );
    assert_eq!(said(text, Some(missing("/a")), true), Vec::<String>::new());
}

#[test]
fn a_script_that_cannot_run_is_told_where_it_is_tracked_and_where_it_notifies() {
    let refused = |p: &str| (p.to_owned(), format!("{p}: cannot be run: No such file"));
    let host = || Host {
        interfaces: ["eth0".to_owned()].into(),
        refused: ["/no/a", "/no/b", "/no/c"].map(refused).into(),
        ..Host::default()
    };
    let script = |name: &str, program: &str| format!("vrrp_script {name} {{\nscript {program}\n}}\n");
    let text = script("chk", "/no/a")
        + &script("unused", "/no/b")
        + &instance("notify_master /no/b\ntrack_script {\nchk\n}")
        + "vrrp_sync_group G {\ngroup {\nV\n}\nnotify /no/c\n}\n";
    assert_eq!(
        said(&text, Some(host()), true),
        [
            "2 no-program: /no/a: cannot be run: No such file: vrrp_script chk counts as failed",
            "12 no-program: /no/b: cannot be run: No such file: nobody is told by it",
            "21 no-program: /no/c: cannot be run: No such file: nobody is told by it",
        ]
    );
}

#[test]
fn mails_that_nobody_gets_are_told() {
    let global = |lines: &str| format!("global_defs {{\n{lines}\n}}\n{}", instance("smtp_alert"));
    let to = "notification_email {\na@example.org\n}";
    let none = "no-mail: no mail is sent: global_defs has no";
    assert_eq!(said(&global(""), None, false), [format!("9 {none} notification_email")]);
    assert_eq!(said(&global(to), None, false), [format!("3 {none} smtp_server")]);
    assert!(said(&global(&format!("{to}\nsmtp_server ::1")), None, false).is_empty());
    assert!(said(&instance("smtp_alert off"), None, false).is_empty());
}
