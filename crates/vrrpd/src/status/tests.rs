use std::time::Duration;

use super::*;
use crate::door::{Advert, Door, Reject};
use crate::packet::{Auth, Version};
use crate::params::Params;
use crate::spec::{Spec, Vip};
use crate::words::{Cause, Input, State};

fn at(seconds: u64) -> Time {
    Time::ZERO + Duration::from_secs(seconds)
}

fn instance() -> Instance {
    let vip: lvs_core::addr::Prefix = "192.168.15.111/32".parse().unwrap();
    let door = Door {
        version: Version::V2,
        interval: Duration::from_secs(1),
        auth: Auth::None,
        vips: vec![vip.addr],
        peers: Vec::new(),
        check_source: false,
        old_sum: None,
    };
    let group = "224.0.0.18".parse().unwrap();
    let vips = vec![Vip::plain("ens192", vip)];
    let mut i = Instance::new(Spec::new("VI_1", "ens192", 51, group, Params::default(), door, vips));
    i.source = Some("192.168.15.101".parse().unwrap());
    i
}

/// A backup that heard a master for an hour and then no more.
fn after_a_takeover() -> Instance {
    let mut i = instance();
    let peer = "192.168.15.100".parse().unwrap();
    let advert = Advert { src: peer, priority: 150, interval: Duration::from_secs(1) };
    i.router.handle(Input::Start, at(0), &mut Vec::new());
    i.router.handle(Input::Advert(advert), at(3600), &mut Vec::new());
    i.router.handle(Input::Tick, at(3604), &mut Vec::new());
    i.stats.heard(advert, at(3600));
    i.stats.refused(Reject::Password, at(3601));
    let cause = Cause::MasterLost { master: peer, silent: Duration::from_millis(3610) };
    let (from, to) = (State::Backup, State::Master);
    i.stats.moved(crate::stats::Transition { at: at(3604), from, to, cause, group: None });
    i
}

fn report(i: &Instance) -> Report {
    let moment = Moment { now: at(3704), unix: 1_800_000_000.0 };
    Report::new([i].into_iter(), |_| None, moment)
}

#[test]
fn an_advertisement_counts_as_sent_or_as_refused() {
    let mut i = instance();
    let refused = || Err(std::io::ErrorKind::NetworkDown.into());
    for (priority, result) in [(100, Ok(())), (100, refused()), (0, refused()), (0, Ok(()))] {
        crate::tell::advertised(&mut i, priority, &result, at(0));
    }
    let counters = report(&i).instances[0].counters;
    assert_eq!((counters.sent, counters.send_errors), (2, 2));
}

#[test]
fn json_says_who_is_master_since_when_and_why() {
    let report = report(&after_a_takeover());
    let json = serde_json::to_value(&report).unwrap();
    let router = &json["instances"][0];
    assert_eq!(router["state"], "MASTER");
    assert_eq!((router["age"].as_f64(), router["since"].as_f64()), (Some(100.0), Some(1_799_999_900.0)));
    assert_eq!(router["why"], "100 = 100");
    assert_eq!(router["peers"][0]["address"], "192.168.15.100");
    assert_eq!(
        (router["peers"][0]["priority"].as_u64(), router["peers"][0]["age"].as_f64()),
        (Some(150), Some(104.0))
    );
    assert_eq!((&router["rejected"]["password"], &router["rejected"]["ttl"]), (&1.into(), &0.into()));
    assert_eq!(router["transitions"][0]["cause"], "no advertisement from 192.168.15.100 for 3.61 s");
    let back: Report = serde_json::from_value(json).unwrap();
    assert_eq!(back, report, "the client reads what the daemon writes");
}

#[test]
fn text_is_for_people() {
    let text = report(&after_a_takeover()).to_string();
    let wanted = "\
VI_1: MASTER for 1m 40s
  VRID 51 on ens192, version 2, every 1 s
  priority   100 = 100
  addresses  192.168.15.111/32
  peer       192.168.15.100, priority 150, heard 1m 44s ago, 1 times
  packets    sent 0, received 1, rejected: password 1
    1m 40s ago  BACKUP -> MASTER: no advertisement from 192.168.15.100 for 3.61 s
";
    assert_eq!(text, wanted);
}

#[test]
fn metrics_name_every_state_and_reason() {
    let text = crate::metrics::render(&report(&after_a_takeover()));
    let labels = "instance=\"VI_1\",interface=\"ens192\",vrid=\"51\"";
    for line in [
        format!("vrrpd_state{{{labels},state=\"MASTER\"}} 1\n"),
        format!("vrrpd_state{{{labels},state=\"BACKUP\"}} 0\n"),
        format!("vrrpd_packets_rejected_total{{{labels},reason=\"password\"}} 1\n"),
        format!("vrrpd_became_master_total{{{labels}}} 1\n"),
        format!("vrrpd_peer_last_advertisement_age_seconds{{{labels},peer=\"192.168.15.100\"}} 104\n"),
        "# TYPE vrrpd_priority gauge\n".to_owned(),
        "# TYPE vrrpd_addresses_unset gauge\n".to_owned(),
        format!("vrrpd_addresses_unset{{{labels}}} 0\n"),
    ] {
        assert!(text.contains(&line), "{line}{text}");
    }
    // Each family is announced once, and each sample belongs to the family above it.
    let mut family = "";
    for line in text.lines() {
        match line.strip_prefix("# TYPE ") {
            Some(rest) => family = rest.split(' ').next().unwrap(),
            None if line.starts_with('#') => (),
            None => assert!(line.starts_with(&format!("{family}{{")), "{line}"),
        }
    }
}

#[test]
fn addresses_that_are_not_set_are_shown_and_counted() {
    let mut i = after_a_takeover();
    let vip = i.spec.vips[0].clone();
    i.unset.enter(&vip, &Err("there is no interface ens192".to_owned()), at(3604));
    let report = report(&i);
    let line = "  not set    192.168.15.111/32 on ens192: there is no interface ens192\n";
    assert!(report.to_string().contains(line), "{report}");
    let text = crate::metrics::render(&report);
    let sample = "vrrpd_addresses_unset{instance=\"VI_1\",interface=\"ens192\",vrid=\"51\"} 1\n";
    assert!(text.contains(sample), "{text}");
}

#[test]
fn ages_have_two_units() {
    for (seconds, text) in
        [(0.412, "0.41s"), (42.0, "42s"), (725.0, "12m 5s"), (11_520.0, "3h 12m"), (273_600.0, "3d 4h")]
    {
        assert_eq!(text::age(seconds), text);
    }
}

#[test]
fn the_summary_counts_states() {
    assert_eq!(summary(["MASTER", "BACKUP", "MASTER"].into_iter()), "3 instances: 1 BACKUP, 2 MASTER");
    assert_eq!(summary(["INIT"].into_iter()), "1 instance: 1 INIT");
}
