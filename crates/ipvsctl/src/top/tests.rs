use lvs_core::addr::Family;
use lvs_core::ipvs::{ServerState, ServiceState, Stats};
use lvs_core::table::{Forward, Server, Service, ServiceKey};
use proptest::prelude::*;

use super::model::{Rates, Row};
use super::*;
use crate::snapshot::Entry;

fn server(last: u8, active: u32, stats: Stats) -> ServerState {
    let endpoint = lvs_core::addr::Endpoint::new([192, 168, 15, last], 443);
    let server = Server::new(Forward::Route, 2);
    ServerState { endpoint, server, active, inactive: 1, persistent: 0, stats }
}

fn entry(last: u8, stats: Stats, servers: Vec<ServerState>) -> Entry {
    let key = ServiceKey::tcp([192, 168, 15, last], 443);
    Entry { service: ServiceState { key, service: Service::new("rr", Family::Inet), stats }, servers }
}

fn traffic(connections: u64, packets: u64, bytes: u64) -> Stats {
    Stats { connections, packets_in: packets, bytes_in: bytes, ..Stats::default() }
}

fn sample(seconds: u64, entries: Vec<Entry>) -> Sample {
    Sample { at: Time::from_nanos(seconds * 1_000_000_000), entries }
}

fn cluster(seconds: u64, n: u64) -> Sample {
    let quiet = entry(111, Stats::default(), vec![server(109, 5, Stats::default())]);
    let servers = vec![server(102, 1, traffic(n, n * 2, n * 100)), server(103, 9, traffic(2 * n, 0, 0))];
    sample(seconds, vec![quiet, entry(112, traffic(3 * n, n * 2, n * 100), servers)])
}

fn names(rows: &[Row]) -> Vec<&str> {
    rows.iter().map(|r| r.name.as_str()).collect()
}

#[test]
fn rates_are_what_came_between_two_looks() {
    let rows = rows(Some(&cluster(10, 100)), &cluster(14, 108), Sort::Name, false);
    let busy = &rows[2];
    assert_eq!(busy.rates, Rates { connections: 6.0, packets: 4.0, bytes_in: 200.0, bytes_out: 0.0 });
    assert_eq!((busy.weight, busy.active, busy.inactive), (4, 10, 2));
}

#[test]
fn without_a_look_before_the_kernels_rates_serve() {
    let kernel = Stats {
        connections_per_second: 7,
        packets_in_per_second: 3,
        packets_out_per_second: 4,
        ..traffic(1, 1, 1)
    };
    let now = sample(5, vec![entry(111, kernel, Vec::new())]);
    let expected = Rates { connections: 7.0, packets: 7.0, ..Rates::default() };
    assert_eq!(rows(None, &now, Sort::Name, false)[0].rates, expected);
    // Counters that went back were zeroed, or the service is another one.
    let before = sample(4, vec![entry(111, traffic(9, 9, 9), Vec::new())]);
    assert_eq!(rows(Some(&before), &now, Sort::Name, false)[0].rates, expected);
}

#[test]
fn the_busiest_come_first_and_servers_stay_with_their_service() {
    let (before, now) = (cluster(0, 0), cluster(1, 10));
    let sorted = |sort| rows(Some(&before), &now, sort, false);
    let by_address = sorted(Sort::Name);
    assert_eq!(
        names(&by_address),
        [
            "TCP  192.168.15.111:443",
            "192.168.15.109:443",
            "TCP  192.168.15.112:443",
            "192.168.15.102:443",
            "192.168.15.103:443"
        ]
    );
    let by_active = sorted(Sort::Active);
    assert_eq!(
        names(&by_active),
        [
            "TCP  192.168.15.112:443",
            "192.168.15.103:443",
            "192.168.15.102:443",
            "TCP  192.168.15.111:443",
            "192.168.15.109:443"
        ]
    );
    assert_eq!(names(&sorted(Sort::Bytes))[1], "192.168.15.102:443");
    let services = rows(None, &now, Sort::Connections, true);
    assert!(services.iter().all(|r| !r.server) && services.len() == 2);
}

#[test]
fn one_frame_for_scripts() {
    let text = once(&cluster(0, 0), Sort::Name, false);
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(lines[0], "Service / real server        Weight Active Inact  Pers Conn/s Pkt/s  In/s Out/s");
    assert_eq!(lines[1], "TCP  192.168.15.111:443           2      5     1     0      0     0     0     0");
    assert_eq!(lines[2], "  -> 192.168.15.109:443           2      5     1     0      0     0     0     0");
    assert!(lines.iter().all(|l| l.len() == 79 && !l.contains('\x1b')));
}

#[test]
fn numbers_keep_to_their_columns() {
    let shown = [0, 99_999, 100_000, 999_499, 1_200_000, 340_000_000_000, u64::MAX].map(frame::count);
    assert_eq!(shown, ["0", "99999", "100K", "999K", "1.2M", "340G", "lots"]);
    assert_eq!([0.0, 0.25, 9.96, 1234.4].map(frame::rate), ["0", "0.2", "10", "1234"]);
}

#[test]
fn a_narrow_terminal_has_fewer_columns_and_whole_names() {
    let all = rows(None, &cluster(0, 0), Sort::Name, false);
    let title = |width| Frame::fitting(&all, width).title();
    assert_eq!(title(79), Frame::full(&all).title());
    assert_eq!(title(60), "Service / real server       Weight Active Inact Conn/s  In/s");
    for width in 30..90 {
        let frame = Frame::fitting(&all, width);
        for row in &all {
            let line = frame.line(row);
            assert!(line.contains(&row.name) && line.len() <= width, "{width}: {line}");
        }
        assert!(frame.title().contains("Active"), "{width}");
    }
}

#[test]
fn looks_are_not_closer_than_the_least() {
    let parsed = |value: &str| {
        let words = ["ipvsctl", "top", "-i", value].map(std::ffi::OsString::from);
        crate::verbs::command().try_get_matches_from(words).map(|_| ()).map_err(|e| e.to_string())
    };
    assert!(parsed("0").unwrap_err().contains("at least 100ms"));
    assert!(parsed("99ms").unwrap_err().contains("at least 100ms"));
    assert_eq!(parsed("100ms"), Ok(()));
}

fn screen() -> Screen {
    Screen {
        size: (80, 6),
        sort: Sort::Name,
        services_only: false,
        scroll: 0,
        interval: Duration::from_secs(2),
    }
}

/// The text of a frame without escape sequences, line by line.
fn plain(frame: &str) -> Vec<String> {
    let mut text = String::new();
    let mut rest = frame;
    while let Some(at) = rest.find('\x1b') {
        text.push_str(&rest[..at]);
        let end = rest[at + 2..].find(|c: char| c.is_ascii_alphabetic()).unwrap();
        // A jump to the last line stands where a line break would.
        text.push_str(
            if rest[at + 2..].contains(';') && &rest[at + 2 + end..=at + 2 + end] == "H" && end > 0 {
                "\n"
            } else {
                ""
            },
        );
        rest = &rest[at + 3 + end..];
    }
    text.push_str(rest);
    text.replace('\r', "").lines().filter(|l| !l.is_empty()).map(str::to_owned).collect()
}

#[test]
fn the_screen_scrolls_and_stops_at_both_ends() {
    let all = rows(None, &cluster(0, 0), Sort::Name, false);
    let mut s = screen();
    let first = plain(&s.draw(&all));
    assert!(first[0].contains("2 services, 15 active connections, every 2 s, rows 1-3 of 5"), "{first:?}");
    assert!(first[2].starts_with("TCP  192.168.15.111:443"), "{first:?}");
    assert_eq!(s.keys(b"j\x1b[B\x1b[B\x1b[B"), Wish::Draw);
    let last = plain(&s.draw(&all));
    assert!(last[0].contains("rows 3-5 of 5"), "{last:?}");
    assert_eq!(s.keys(b"\x1b[5~k"), Wish::Draw);
    assert_eq!(plain(&s.draw(&all))[2], first[2]);
}

#[test]
fn keys_sort_and_quit_and_unknown_ones_do_nothing() {
    let mut s = screen();
    assert_eq!(s.keys(b"b"), Wish::Draw);
    assert_eq!(s.sort, Sort::Bytes);
    assert_eq!(s.keys(b"s"), Wish::Draw);
    assert!(s.services_only);
    // F5 and such: its letters are no keys.
    assert_eq!(s.keys(b"\x1b[15~"), Wish::Nothing);
    assert_eq!(s.keys(b"x"), Wish::Nothing);
    assert_eq!(s.keys(b"jq"), Wish::Quit);
    assert_eq!(s.keys(b""), Wish::Nothing);
}

proptest! {
    #[test]
    fn no_line_is_wider_than_the_terminal_and_no_frame_higher(
        width in 1usize..200, height in 1usize..60, n in any::<u64>(), scroll in any::<usize>(), keys in any::<Vec<u8>>()
    ) {
        let v6 = ServiceKey::tcp("2001:db8:aaaa:bbbb:cccc:dddd:eeee:ffff".parse::<std::net::IpAddr>().unwrap(), 65535);
        let mut sample = cluster(0, n / 400);
        sample.entries[1].service.key = v6;
        sample.entries[1].service.stats.connections_per_second = n;
        let rows = rows(None, &sample, Sort::Name, false);
        let mut s = Screen { size: (width, height), scroll, ..screen() };
        let lines = plain(&s.draw(&rows));
        prop_assert!(lines.iter().all(|l| l.len() < width.max(2)), "{:?}", lines);
        prop_assert!(lines.len() <= height.max(4), "{:?}", lines);
        s.keys(&keys);
        s.draw(&rows);
    }
}
