//! One-shot checks against real sockets, and how they are told.

use std::net::TcpListener;

use super::*;
use lvs_core::addr::Endpoint;
use lvs_core::sys::tcp::Source;

const QUICK: Patience =
    Patience { timeout: Duration::from_secs(5), retries: 2, delay: Duration::from_millis(10) };

fn any() -> Dial {
    Dial::to(Endpoint::new(std::net::Ipv4Addr::UNSPECIFIED, 0))
}

fn closed_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

#[test]
fn targets_are_host_and_port() {
    for good in ["10.0.0.1:80", "[2001:db8::1]:443", "web.example:1"] {
        assert_eq!(target(good).as_deref(), Ok(good));
    }
    for bad in ["10.0.0.1", "10.0.0.1:", ":80", "2001:db8::1:80", "[zz]:80", "a:0", "a:65536", "a:http", ""] {
        assert!(target(bad).is_err(), "{bad}");
    }
}

#[test]
fn each_target_is_reported_in_its_order() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let open = format!("localhost:{}", listener.local_addr().unwrap().port());
    let closed = format!("127.0.0.1:{}", closed_port());
    let source = Source { addr: Some(std::net::Ipv4Addr::LOCALHOST.into()), ..Source::default() };
    let source = any().from(source);
    let reports = check(&[closed.clone(), open.clone()], &source, QUICK).unwrap();
    assert_eq!(reports[0].reason, Some("refused"));
    assert_eq!(reports[0].tries, 3);
    assert_eq!((reports[1].up, reports[1].tries), (true, 1));
    let mut text = Vec::new();
    tell(&reports, Form::Text, &mut text).unwrap();
    let text = String::from_utf8(text).unwrap();
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(lines[0], format!("{closed} down: connection refused"));
    let shown = open.replace("localhost", "127.0.0.1");
    assert!(lines[1].starts_with(&format!("{open} ({shown}) up ")), "{}", lines[1]);
}

#[test]
fn json_says_all_of_it() {
    let closed = format!("127.0.0.1:{}", closed_port());
    let reports = check(std::slice::from_ref(&closed), &any(), Patience { retries: 0, ..QUICK }).unwrap();
    let mut json = Vec::new();
    tell(&reports, Form::Json, &mut json).unwrap();
    let json: serde_json::Value = serde_json::from_slice(&json).unwrap();
    assert_eq!(
        json,
        serde_json::json!([{
            "target": closed, "address": closed, "up": false, "tries": 1, "latency_ms": null,
            "reason": "refused", "detail": "connection refused",
        }])
    );
    tell(&reports, Form::Quiet, &mut Vec::new()).unwrap();
}

#[test]
fn a_target_that_comes_back_within_the_retries_is_up() {
    let port = closed_port();
    let patience = Patience { retries: 200, ..QUICK };
    let late = std::thread::spawn(move || {
        // The listener appears while the check is under way: its first try was refused for sure.
        let (asked, wait) = std::sync::mpsc::channel::<()>();
        let _ = wait.recv_timeout(Duration::from_millis(100));
        drop(asked);
        TcpListener::bind(("127.0.0.1", port)).unwrap()
    });
    let reports = check(&[format!("127.0.0.1:{port}")], &any(), patience).unwrap();
    assert!(reports[0].up && reports[0].tries > 1, "{reports:?}");
    assert_eq!(reports[0].detail, None);
    late.join().unwrap();
}

#[test]
fn thousands_at_once() {
    let listener = TcpListener::bind("0.0.0.0:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let closed = closed_port();
    std::thread::spawn(move || listener.incoming().for_each(drop));
    let open = (0..2000).map(|i| format!("127.0.{}.{}:{port}", i / 250, i % 250 + 1));
    let shut = (0..2000).map(|i| format!("127.0.{}.{}:{closed}", i / 250, i % 250 + 1));
    let targets: Vec<_> = open.chain(shut).collect();
    let reports = check(&targets, &any(), Patience { retries: 0, ..QUICK }).unwrap();
    assert!(reports[..2000].iter().all(|r| r.up));
    assert!(reports[2000..].iter().all(|r| r.reason == Some("refused")));
}
