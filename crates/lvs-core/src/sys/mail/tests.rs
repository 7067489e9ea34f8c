use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;

use super::*;
use crate::conf::At;

fn global(port: u16) -> Global {
    let mut global = Global { router_id: Some(At::assumed("LVS_A".to_owned())), ..Global::default() };
    global.mail.to =
        ["admin@example.org", "Night Watch <watch@example.org>"].map(|a| At::assumed(a.to_owned())).into();
    global.mail.from = Some(At::assumed("director".to_owned()));
    global.mail.server = Some(At::assumed("127.0.0.1".to_owned()));
    global.mail.port = At::assumed(port);
    global.mail.helo = Some(At::assumed("director.example.org".to_owned()));
    global
}

fn letter(subject: &str) -> Letter {
    Letter { subject: subject.to_owned(), body: "=> it holds the VIP <=".to_owned() }
}

/// Takes one mail, or answers a command otherwise; the lines that it was sent.
fn take_mail(listener: &TcpListener, refuse: Option<&str>) -> Vec<String> {
    let (stream, _) = listener.accept().unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let (mut out, mut lines, mut data) = (stream.try_clone().unwrap(), Vec::new(), false);
    out.write_all(b"220 test\r\n").unwrap();
    for line in BufReader::new(stream).lines().map_while(Result::ok) {
        data = (data || line == "DATA") && line != ".";
        let answer = match line.as_str() {
            "DATA" => "354 go on",
            "QUIT" => "221 bye",
            line if refuse.is_some_and(|r| line.starts_with(r)) => "550 nobody here",
            _ => "250 good",
        };
        lines.push(line);
        if (!data || lines.last().is_some_and(|l| l == "DATA"))
            && out.write_all(format!("{answer}\r\n").as_bytes()).is_err()
        {
            break;
        }
    }
    lines
}

#[test]
fn a_letter_reaches_everybody_with_the_name_of_the_host() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let post = Post::default();
    post.configure(&global(listener.local_addr().unwrap().port()));
    post.send(letter("VRRP Instance VI_1 - Entering MASTER state"));
    let lines = take_mail(&listener, None);
    let has = |wanted: &str| assert!(lines.iter().any(|l| l == wanted), "no {wanted} in {lines:#?}");
    has("EHLO director.example.org");
    has("RCPT TO:<admin@example.org>");
    has("RCPT TO:<watch@example.org>");
    has("Subject: [LVS_A] VRRP Instance VI_1 - Entering MASTER state");
    has("=> it holds the VIP <=");
    assert!(lines.iter().any(|l| l.starts_with("MAIL FROM:<director@")), "{lines:?}");
    assert!(lines.iter().any(|l| l.starts_with("Date: ")), "{lines:?}");
}

#[test]
fn a_server_that_is_not_there_yet_gets_all_letters_in_their_order() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let post = Post::default();
    post.configure(&global(port));
    post.send(letter("first"));
    post.send(letter("second"));
    while post.office.desk().waiting.len() < 2 {
        thread::yield_now();
    }
    let listener = TcpListener::bind(("127.0.0.1", port)).unwrap();
    for wanted in ["Subject: [LVS_A] first", "Subject: [LVS_A] second"] {
        let lines = take_mail(&listener, None);
        assert!(lines.iter().any(|l| l == wanted), "no {wanted} in {lines:#?}");
    }
}

#[test]
fn a_corrected_file_does_not_wait_for_the_next_try() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let post = Post::default();
    post.configure(&global(closed));
    post.send(letter("late"));
    post.configure(&global(listener.local_addr().unwrap().port()));
    let lines = take_mail(&listener, None);
    assert!(lines.iter().any(|l| l == "Subject: [LVS_A] late"), "{lines:#?}");
}

#[test]
fn what_the_server_refuses_is_not_tried_again_and_holds_up_nothing() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let post = Post::default();
    post.configure(&global(listener.local_addr().unwrap().port()));
    post.send(letter("refused"));
    post.send(letter("taken"));
    take_mail(&listener, Some("RCPT"));
    let lines = take_mail(&listener, None);
    assert!(lines.iter().any(|l| l == "Subject: [LVS_A] taken"), "{lines:#?}");
}

#[test]
fn a_letter_is_tried_again_more_and_more_seldom_for_ten_minutes() {
    let pauses: Vec<u64> = (0..8)
        .map(|tries| match fate(false, Duration::from_secs(599), tries) {
            Fate::Again(pause) => pause.as_secs(),
            Fate::Lost => 0,
        })
        .collect();
    assert_eq!(pauses, [1, 2, 4, 8, 16, 30, 30, 30]);
    assert_eq!(fate(false, PATIENCE, 40), Fate::Lost);
    assert_eq!(fate(true, Duration::ZERO, 0), Fate::Lost);
}

#[test]
fn without_recipients_or_a_server_nothing_waits() {
    let mut nobody = global(25);
    nobody.mail.to.clear();
    let mut nowhere = global(25);
    nowhere.mail.server = None;
    for global in [nobody, nowhere, Global::default()] {
        let post = Post::default();
        post.configure(&global);
        post.send(letter("lost"));
        assert!(post.office.desk().waiting.is_empty() && !post.office.desk().open);
    }
}

#[test]
fn a_storm_keeps_the_newest_letters() {
    let post = Post::default();
    post.configure(&global(1));
    post.office.desk().open = true;
    (0..ROOM + 3).for_each(|n| post.send(letter(&n.to_string())));
    let office = post.office.desk();
    assert_eq!((office.waiting.len(), office.lost), (ROOM, 3));
    assert_eq!(office.waiting.front().map(|d| d.letter.subject.as_str()), Some("3"));
}
