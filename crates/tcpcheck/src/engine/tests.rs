//! The engine with real sockets on 127/8.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, TcpListener};

use lvs_core::addr::Endpoint;
use lvs_core::sys::tcp::Dial;

use super::*;

fn to(port: u16) -> Task {
    Task::Tcp(Dial::to(Endpoint::new(Ipv4Addr::LOCALHOST, port)))
}

/// Turns until so many tries have ended; a deadline of ten seconds ends the test instead.
fn until(engine: &mut Engine, count: usize) -> BTreeMap<u32, Outcome> {
    let (mut done, mut foreign) = (Vec::new(), Vec::new());
    let end = clock::now() + Duration::from_secs(10);
    while done.len() < count {
        engine.turn(Some(end), &mut done, &mut foreign).unwrap();
        assert!(clock::now() < end, "only {} of {count} ended", done.len());
    }
    done.into_iter().map(|f| (f.check, f.outcome)).collect()
}

/// A port on which nothing answers: a listener whose queue is full drops every SYN.
struct Silent {
    _listener: socket2::Socket,
    _queue: Vec<std::net::TcpStream>,
    port: u16,
}

fn silent() -> Silent {
    let listener = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    listener.bind(&"127.0.0.1:0".parse::<std::net::SocketAddr>().unwrap().into()).unwrap();
    listener.listen(0).unwrap();
    let addr = listener.local_addr().unwrap().as_socket().unwrap();
    let wait = Duration::from_millis(100);
    let queue = std::iter::from_fn(|| std::net::TcpStream::connect_timeout(&addr, wait).ok()).collect();
    Silent { _listener: listener, _queue: queue, port: addr.port() }
}

#[test]
fn open_closed_and_silent_ports() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let silent = silent();
    let mut engine = Engine::new(3).unwrap();
    let timeout = Duration::from_millis(200);
    let now = clock::now();
    for (check, port) in (0..).zip([listener.local_addr().unwrap().port(), closed, silent.port]) {
        engine.put(check, to(port), timeout);
        engine.schedule(check, now);
    }
    let done = until(&mut engine, 3);
    assert!(matches!(done[&0], Outcome::Pass { .. }));
    assert_eq!(done[&1], Outcome::Fail(Reason::Refused));
    assert_eq!(done[&2], Outcome::Fail(Reason::TimedOut));
    assert!(clock::now().since(now) >= timeout);
    assert_eq!(engine.in_flight(), 0);
}

#[test]
fn more_checks_than_descriptors_take_turns() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut engine = Engine::new(1).unwrap();
    engine.limit = 3;
    let now = clock::now();
    for check in 0..50 {
        engine.put(check, to(listener.local_addr().unwrap().port()), Duration::from_secs(5));
        engine.schedule(check, now);
    }
    let done = until(&mut engine, 50);
    assert!(done.values().all(|o| matches!(o, Outcome::Pass { .. })));
    assert!(engine.was_short() && !engine.was_short());
}

#[test]
fn a_check_that_is_stopped_says_nothing_more_and_its_number_can_be_used_again() {
    let silent = silent();
    let mut engine = Engine::new(2).unwrap();
    let now = clock::now();
    engine.put(0, to(silent.port), Duration::from_millis(50));
    engine.schedule(0, now);
    let (mut done, mut foreign) = (Vec::new(), Vec::new());
    while engine.in_flight() == 0 {
        engine.turn(Some(now), &mut done, &mut foreign).unwrap();
    }
    engine.stop(0);
    assert_eq!(engine.in_flight(), 0);
    engine.put(0, to(silent.port), Duration::from_millis(50));
    engine.schedule(0, now);
    assert_eq!(until(&mut engine, 1)[&0], Outcome::Fail(Reason::TimedOut));
    assert_eq!(done, []);
}

#[test]
fn a_bad_source_address_is_a_failure_at_once() {
    let from = Some(Ipv4Addr::new(192, 0, 2, 1).into());
    let dial = Dial { from, ..Dial::to(Endpoint::new(Ipv4Addr::LOCALHOST, 9)) };
    let mut engine = Engine::new(1).unwrap();
    engine.put(0, Task::Tcp(dial), Duration::from_secs(5));
    engine.schedule(0, clock::now());
    assert_eq!(until(&mut engine, 1)[&0], Outcome::Fail(Reason::Source));
}
