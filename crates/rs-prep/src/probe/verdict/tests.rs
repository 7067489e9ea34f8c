use super::*;
use crate::check::{Severity, ready};

fn mac(last: u8) -> Mac {
    Mac([2, 0, 0xc0, 0xa8, 0x0f, last])
}

fn server(last: u8, ports: &[Tried]) -> Server {
    Server {
        rip: format!("192.168.15.{last}").parse().unwrap(),
        macs: vec![mac(last)],
        ports: ports.to_vec(),
    }
}

/// Asked on the director .100, which holds the VIP; real servers .102 and .103.
fn survey() -> Survey {
    Survey {
        vip: "192.168.15.111".parse().unwrap(),
        device: "ens192".to_owned(),
        ours: true,
        answers: vec![],
        announcers: vec![],
        servers: vec![server(102, &[]), server(103, &[])],
        known: vec![(mac(101), "192.168.15.101".parse().unwrap())],
    }
}

/// The codes of what was found; each finding says what to do.
fn codes(survey: &Survey) -> Vec<&'static str> {
    let found = verdict(survey);
    assert!(found.iter().all(|finding| !finding.advice.is_empty()), "{found:?}");
    found.iter().map(|finding| finding.code).collect()
}

#[test]
fn one_holder_is_well_wherever_it_is_asked() {
    assert_eq!(codes(&survey()), [""; 0]);
    let elsewhere = Survey { ours: false, answers: vec![mac(100)], ..survey() };
    assert_eq!(codes(&elsewhere), [""; 0]);
}

#[test]
fn nobody_or_two_is_not_well() {
    assert_eq!(codes(&Survey { ours: false, ..survey() }), ["no-holder"]);
    let found = verdict(&Survey { answers: vec![mac(101)], ..survey() });
    assert_eq!(found[0].code, "two-holders");
    let sentence = &found[0].sentence;
    assert!(sentence.starts_with("two directors hold the VIP: this one and 192.168.15.101 ("), "{sentence}");
    assert_eq!(
        codes(&Survey { ours: false, answers: vec![mac(100), mac(101)], ..survey() }),
        ["two-holders"]
    );
}

#[test]
fn a_real_server_that_answers_is_a_leak_with_its_name_and_the_cure() {
    let found = verdict(&Survey { answers: vec![mac(103)], ..survey() });
    assert_eq!(found.len(), 1);
    assert!(found[0].sentence.starts_with("192.168.15.103 ("), "{}", found[0].sentence);
    assert_eq!(
        found[0].advice,
        [
            "on 192.168.15.103: rs-prep check --fix 192.168.15.111",
            "then on the director that holds it: rs-prep heal 192.168.15.111 --dev ens192",
        ]
    );
    // Its second interface answers for its address as well, which is how it is known.
    let mut second = Survey { answers: vec![mac(203)], ..survey() };
    second.servers[1].macs.push(mac(203));
    assert_eq!(codes(&second), ["leak", "two-servers"]);
}

#[test]
fn without_real_servers_any_other_answer_may_be_one() {
    let found = verdict(&Survey { answers: vec![mac(9)], servers: vec![], ..survey() });
    assert_eq!(found[0].code, "two-holders");
    assert!(found[0].sentence.contains("or a real server leaks it"), "{}", found[0].sentence);
}

#[test]
fn a_real_server_that_calls_the_vip_its_own_is_told_of_and_the_director_may() {
    assert_eq!(codes(&Survey { announcers: vec![mac(102)], ..survey() }), ["announces"]);
    assert_eq!(codes(&Survey { announcers: vec![mac(100)], ..survey() }), [""; 0]);
}

#[test]
fn what_the_two_answers_of_a_port_mean() {
    use Port::{Closed, Open, Silent};
    let table = [
        (Open, Open, None),
        (
            Open,
            Closed,
            Some((
                "rip-only",
                "192.168.15.102:7885: RIP open, VIP closed: the service is bound to the RIP only",
            )),
        ),
        (
            Open,
            Silent,
            Some(("vip-missing", "192.168.15.102:7885: RIP open, VIP silent: the VIP is missing there")),
        ),
        (Closed, Open, Some(("vip-only", "192.168.15.102:7885: RIP closed, VIP open"))),
        (Silent, Open, Some(("vip-only", "192.168.15.102:7885: RIP silent, VIP open"))),
        (Closed, Closed, Some(("no-service", "192.168.15.102:7885: RIP closed, VIP closed"))),
        (Closed, Silent, Some(("no-service", "192.168.15.102:7885: RIP closed, VIP silent"))),
        (Silent, Silent, Some(("no-service", "192.168.15.102:7885: RIP silent, VIP silent"))),
    ];
    for (rip, vip, want) in table {
        let survey = Survey { servers: vec![server(102, &[Tried { port: 7885, vip, rip }])], ..survey() };
        let found = verdict(&survey);
        assert_eq!(found.first().map(|f| f.code), want.map(|w| w.0), "{rip:?} {vip:?}");
        if let Some((code, sentence)) = want {
            assert!(found[0].sentence.starts_with(sentence), "{}", found[0].sentence);
            assert_eq!(ready(&found), code == "vip-only");
            assert!(found.iter().all(|f| (f.severity == Severity::Warning) == (code == "vip-only")));
        }
    }
}

#[test]
fn a_real_servers_address_on_two_hosts_is_not_well() {
    let mut survey = survey();
    survey.servers[1].macs.push(mac(9));
    let found = verdict(&survey);
    assert_eq!((found[0].code, found.len(), ready(&found)), ("two-servers", 1, false));
    let sentence = &found[0].sentence;
    assert!(
        sentence.starts_with("192.168.15.103 is at 02:00:c0:a8:0f:67 and at 02:00:c0:a8:0f:09:"),
        "{sentence}"
    );
}

/// Its questions have the VIP as their sender, so its answers never come, whether or not the service listens.
#[test]
fn the_silence_of_an_announcer_is_not_its_services() {
    let silent = Tried { port: 7885, rip: Port::Silent, vip: Port::Silent };
    let closed = Tried { port: 80, rip: Port::Closed, vip: Port::Closed };
    let survey =
        Survey { announcers: vec![mac(102)], servers: vec![server(102, &[silent, closed])], ..survey() };
    assert_eq!(codes(&survey), ["announces", "no-service"]);
    assert!(verdict(&survey)[1].subject.ends_with(":80"));
}

#[test]
fn a_real_server_beyond_a_router_cannot_serve() {
    let mut survey = survey();
    survey.servers[0].macs.clear();
    assert_eq!(codes(&survey), ["no-server"]);
}
