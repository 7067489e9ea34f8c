//! The engine with real sockets on 127/8.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, TcpListener};

use lvs_core::addr::Endpoint;
use lvs_core::sys::tcp::{Dial, Source};

use super::*;

mod tls;

fn to(port: u16) -> Arc<Task> {
    Arc::new(Task::Tcp(Dial::to(Endpoint::new(Ipv4Addr::LOCALHOST, port))))
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
fn who_answers_at_once_is_never_watched() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let silent = silent();
    let mut engine = Engine::new(2).unwrap();
    let now = clock::now();
    for (check, port) in (0..).zip([silent.port, listener.local_addr().unwrap().port()]) {
        engine.put(check, to(port), Duration::from_secs(5));
        engine.schedule(check, now);
    }
    let (mut done, mut foreign) = (Vec::new(), Vec::new());
    engine.turn(Some(now), &mut done, &mut foreign).unwrap();
    assert!(matches!(done[..], [Finished { check: 1, outcome: Outcome::Pass { .. }, .. }]), "{done:?}");
    assert_eq!(engine.in_flight(), 1);
    assert!(engine.agenda.next().is_some(), "the other has its deadline");
}

#[test]
fn more_checks_than_descriptors_take_turns() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut engine = Engine::new(1).unwrap();
    engine.room.set_limit(3);
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
    let source = Source { addr: Some(Ipv4Addr::new(192, 0, 2, 1).into()), ..Source::default() };
    let dial = Dial::to(Endpoint::new(Ipv4Addr::LOCALHOST, 9)).from(source);
    let mut engine = Engine::new(1).unwrap();
    engine.put(0, Arc::new(Task::Tcp(dial)), Duration::from_secs(5));
    engine.schedule(0, clock::now());
    assert_eq!(until(&mut engine, 1)[&0], Outcome::Fail(Reason::Source));
}

/// A server that gives each connection the next of these answers.
fn pages(answers: Vec<&'static str>) -> u16 {
    slow_pages(None, answers)
}

/// The same, so long after each request.
fn slow_pages(pause: Option<Duration>, answers: Vec<&'static str>) -> u16 {
    use std::io::{Read, Write};
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for answer in answers {
            let (mut stream, _) = listener.accept().unwrap();
            let mut request = [0; 1024];
            let n = stream.read(&mut request).unwrap();
            assert!(request[..n].ends_with(b"\r\n\r\n"));
            // A client that has asked says no more until its answer has come.
            if pause.is_some() {
                stream.set_read_timeout(pause).unwrap();
                assert_eq!(stream.read(&mut request).unwrap_err().kind(), io::ErrorKind::WouldBlock);
            }
            // In two pieces, as networks do it.
            let (a, b) = answer.split_at(answer.len() / 2);
            stream.write_all(a.as_bytes()).unwrap();
            stream.flush().unwrap();
            stream.write_all(b.as_bytes()).unwrap();
        }
    });
    port
}

/// What a real server's check of this text finds out.
fn found(check: &str) -> Outcome {
    let text = format!(
        "virtual_server 10.0.0.1 80 {{\nprotocol TCP\ndelay_loop 5\nreal_server 127.0.0.1 80 {{\n{check}\n}}\n}}\n"
    );
    let env = lvs_core::conf::Env::default();
    let (mut config, findings) =
        lvs_core::conf::parse("test", text.as_bytes(), &mut lvs_core::conf::NoFiles, &env);
    let (programs, _) = Programs::prepare(&mut config);
    let mut wanted = crate::roster::roster(&config, &crate::options::Options::default());
    assert_eq!(wanted.len(), 1, "{findings:?} {:?}", crate::roster::unsupported(&config));
    let identity = wanted.remove(0).identity;
    let mut engine = Engine::new(1).unwrap();
    engine.run(Arc::new(programs));
    engine.put(0, identity.task, identity.schedule.timeout);
    engine.schedule(0, clock::now());
    until(&mut engine, 1).remove(&0).unwrap()
}

#[test]
fn pages_are_fetched_one_after_the_other_and_all_must_be_well() {
    let get = |port: u16| {
        let urls = "url {\npath /a\n}\nurl {\npath /b\nstatus_code 404\n}";
        found(&format!("HTTP_GET {{\nconnect_port {port}\nconnect_timeout 5\n{urls}\n}}"))
    };
    let (ok, missing) =
        ("HTTP/1.0 200 OK\r\n\r\nfine", "HTTP/1.0 404 Not Found\r\nContent-Length: 0\r\n\r\n");
    assert!(matches!(get(pages(vec![ok, missing])), Outcome::Pass { .. }));
    assert_eq!(get(pages(vec![ok, ok])), Outcome::Fail(Reason::Said("/b: HTTP status 200".to_owned())));
    assert_eq!(get(pages(vec![missing])), Outcome::Fail(Reason::Said("/a: HTTP status 404".to_owned())));
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    assert_eq!(get(closed), Outcome::Fail(Reason::Refused));
}

#[test]
fn each_page_has_the_whole_time() {
    let ok = "HTTP/1.0 200 OK\r\n\r\nfine";
    let port = slow_pages(Some(Duration::from_millis(1200)), vec![ok, ok]);
    let urls = "url {\npath /a\n}\nurl {\npath /b\n}";
    let outcome = found(&format!("HTTP_GET {{\nconnect_port {port}\nconnect_timeout 2\n{urls}\n}}"));
    assert!(matches!(outcome, Outcome::Pass { .. }), "{outcome:?}");
}

#[test]
fn a_page_that_never_ends_ends_at_the_deadline() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = silent.local_addr().unwrap().port();
    let check = format!("HTTP_GET {{\nconnect_port {port}\nconnect_timeout 0.2\nurl {{\npath /\n}}\n}}");
    assert_eq!(found(&check), Outcome::Fail(Reason::TimedOut));
}

#[test]
fn a_command_tells_by_its_exit_status() {
    let user = nix::unistd::User::from_uid(nix::unistd::Uid::effective()).unwrap().unwrap().name;
    let run = |command: &str, more: &str| {
        found(&format!("MISC_CHECK {{\nmisc_path \"{command}\"\nuser {user}\nmisc_timeout 5\n{more}\n}}"))
    };
    assert!(matches!(run("/bin/true", ""), Outcome::Pass { weight: None, .. }));
    let Outcome::Fail(Reason::Said(why)) = run("/bin/false", "") else { panic!("it passed") };
    assert!(why.contains("exit status 1"), "{why}");
    assert!(matches!(run("/bin/sh -c 'exit 42'", "misc_dynamic"), Outcome::Pass { weight: Some(40), .. }));
    assert!(matches!(run("/bin/sh -c 'exit 42'", ""), Outcome::Fail(_)));
    assert!(matches!(run("/bin/sh -c 'exit 1'", "misc_dynamic"), Outcome::Fail(_)));
}

#[test]
fn a_command_that_hangs_is_killed_with_its_children() {
    let user = nix::unistd::User::from_uid(nix::unistd::Uid::effective()).unwrap().unwrap().name;
    let mark = format!("tcpcheck-test-{}", std::process::id());
    let path = std::env::temp_dir().join(&mark);
    let script = format!("sleep 100 & echo $! >{}; wait", path.display());
    let check =
        format!("MISC_CHECK {{\nmisc_path \"/bin/sh -c '{script}'\"\nuser {user}\nmisc_timeout 0.5\n}}");
    assert_eq!(found(&check), Outcome::Fail(Reason::TimedOut));
    let pid: i32 = std::fs::read_to_string(&path).unwrap().trim().parse().unwrap();
    std::fs::remove_file(&path).unwrap();
    let gone = || {
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        stat.is_empty() || stat.contains(") Z ")
    };
    let end = clock::now() + Duration::from_secs(5);
    let (mut poll, mut none) = (Poll::new().unwrap(), Vec::new());
    while !gone() {
        assert!(clock::now() < end, "the child of the killed command lives");
        poll.wait(Some(clock::now() + Duration::from_millis(5)), &mut none).unwrap();
    }
}
