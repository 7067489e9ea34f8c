use std::time::Duration;

use super::*;
use crate::packet::{Auth, Version};
use crate::words::State;

/// A backup on a real network whose master is killed, comes back, and is handed over to; with bad packets in between.
const NIGHT: &str = include_str!("../../tests/failover.jsonl");

fn at(millis: u64) -> Time {
    Time::ZERO + Duration::from_millis(millis)
}

fn door() -> Door {
    Door {
        version: Version::V2,
        interval: Duration::from_secs(1),
        auth: Auth::None,
        vips: vec![[192, 168, 15, 111].into()],
        peers: Vec::new(),
        check_source: false,
        old_sum: None,
    }
}

fn packet(priority: u8) -> Heard {
    let way = Way { src: [192, 168, 15, 101].into(), dst: [224, 0, 0, 18].into(), ttl: 255 };
    let vips = door().vips;
    let packet = Packet {
        version: Version::V2,
        vrid: 51,
        priority,
        interval: Duration::from_secs(1),
        auth: Auth::None,
        vips: &vips[..],
    };
    let mut bytes = Vec::new();
    packet.emit(way.src, way.dst, &mut bytes);
    let judged = Packet::parse(&bytes, way.src, way.dst)
        .map_err(Reject::from)
        .and_then(|p| door().admit(&p, way, None));
    Heard::new(&bytes, way, None, judged)
}

/// What a daemon would write.
fn record() -> Vec<Entry> {
    let mut router = Router::new(Params::default());
    let mut lines = vec![Event::New { params: Params::default(), door: door() }];
    let mut times = vec![at(0)];
    let mut tell = |at: Time, input: Input, lines: &mut Vec<Event>| {
        let mut actions = Vec::new();
        router.handle(input.clone(), at, &mut actions);
        lines.push(Event::Told { input, actions });
        times.push(at);
    };
    tell(at(0), Input::Start, &mut lines);
    let advert = Advert { src: [192, 168, 15, 101].into(), priority: 150, interval: Duration::from_secs(1) };
    tell(at(500), Input::Advert(advert), &mut lines);
    tell(at(4110), Input::Tick, &mut lines);
    lines.insert(2, Event::Packet(packet(150)));
    times.insert(2, at(500));
    let entry = |(at, event)| Entry { at, router: "VI_1@ens192/51/Inet".to_owned(), event };
    times.into_iter().zip(lines).map(entry).collect()
}

fn text(lines: &[Entry]) -> String {
    lines.iter().map(|e| serde_json::to_string(e).unwrap() + "\n").collect()
}

#[test]
fn a_record_runs_again() {
    let lines = record();
    let master = Action::Enter {
        from: State::Backup,
        to: State::Master,
        cause: crate::words::Cause::MasterLost {
            master: [192, 168, 15, 101].into(),
            silent: Duration::from_millis(3610),
        },
    };
    let Event::Told { actions, .. } = &lines[4].event else { panic!("{lines:?}") };
    assert!(actions.contains(&master), "{actions:?}");
    assert_eq!(replay(&text(&lines)), Ok(Replayed { routers: 1, packets: 1, inputs: 3, changes: 2 }));
}

#[test]
fn what_comes_to_something_else_is_named_with_its_line() {
    let mut lines = record();
    lines[4].at = at(4000);
    assert!(replay(&text(&lines)).unwrap_err().starts_with("line 5: Tick drew ["));
    let mut lines = record();
    lines[2].event = Event::Packet(Heard { ttl: 254, ..packet(150) });
    let error = replay(&text(&lines)).unwrap_err();
    assert!(error.contains("line 3: the packet was refused: None, now Err(\"TTL 254"), "{error}");
    let mut lines = record();
    lines.remove(3);
    let error = replay(&text(&lines)).unwrap_err();
    assert!(error.starts_with("line 4: after Some(Advert"), "{error}");
    let mut lines = record();
    lines.remove(0);
    assert_eq!(replay(&text(&lines)), Err("line 1: there is no router VI_1@ens192/51/Inet".to_owned()));
    assert!(replay("{}\n").unwrap_err().starts_with("line 1: missing field"));
}

/// `VRRPD_RECORD=FILE` runs a record of one's own.
#[test]
fn the_night_that_was_recorded_runs_again() {
    let night = std::env::var_os("VRRPD_RECORD").map(|path| std::fs::read_to_string(path).unwrap());
    let done = replay(night.as_deref().unwrap_or(NIGHT)).unwrap();
    if night.is_none() {
        assert_eq!(done.routers, 1);
        let refused = NIGHT.lines().filter(|l| l.contains("\"refused\"")).count();
        assert!(refused >= 1 && done.packets > refused, "{done:?}");
        let became_master = NIGHT.matches(r#""to":"master","cause":{"master_lost""#).count();
        assert!(became_master >= 1 && done.changes >= 4, "{done:?}");
    }
}
