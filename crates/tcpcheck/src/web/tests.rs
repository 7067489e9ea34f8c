//! Answers that come in pieces, and pages that are well or not.

use lvs_core::addr::Endpoint;
use lvs_core::conf::At;

use super::*;

fn url(change: impl FnOnce(&mut Url)) -> Url {
    let mut url = Url {
        path: At::assumed("/health".to_owned()),
        digest: None,
        status: Vec::new(),
        virtualhost: None,
        regex: None,
        regex_no_match: At::assumed(false),
        regex_options: Vec::new(),
        regex_min_offset: At::assumed(0),
        regex_max_offset: None,
    };
    change(&mut url);
    url
}

fn page(change: impl FnOnce(&mut Url)) -> Page {
    let http = Http {
        version: At::assumed(HttpVersion::V1_1),
        virtualhost: Some(At::assumed("www.example".to_owned())),
        sni: At::assumed(false),
        fast_recovery: At::assumed(false),
        urls: vec![],
    };
    Page::new(&Dial::to(Endpoint::new(std::net::Ipv4Addr::LOCALHOST, 80)), &http, &url(change))
}

fn judged(page: &Page, answer: &str) -> Result<(), String> {
    page.judge(&Answer::read(answer.as_bytes(), true).unwrap().unwrap())
}

#[test]
fn the_request_names_the_host_and_ends_the_connection() {
    let request = page(|_| {}).request;
    assert_eq!(
        String::from_utf8(request).unwrap(),
        "GET /health HTTP/1.1\r\nHost: www.example\r\nUser-Agent: tcpcheck\r\nConnection: close\r\n\r\n"
    );
}

#[test]
fn without_a_word_on_it_2xx_is_well() {
    let page = page(|_| {});
    assert_eq!(judged(&page, "HTTP/1.1 204 No Content\r\n\r\n"), Ok(()));
    assert_eq!(judged(&page, "HTTP/1.0 503 Busy\r\n\r\nsorry"), Err("/health: HTTP status 503".to_owned()));
}

#[test]
fn digest_and_regex_judge_the_body() {
    let digest = page(|u| u.digest = Some(At::assumed(Md5::digest(b"fine\n").into())));
    assert_eq!(judged(&digest, "HTTP/1.0 200 OK\r\n\r\nfine\n"), Ok(()));
    assert!(judged(&digest, "HTTP/1.0 200 OK\r\n\r\nfine").unwrap_err().starts_with("/health: digest "));
    let says = |change: fn(&mut Url)| {
        page(|u| {
            u.regex = Some(At::assumed("all (is )?well".to_owned()));
            change(u);
        })
    };
    let plain = says(|_| {});
    assert!(judged(&plain, "HTTP/1.0 200 OK\r\n\r\nso all is well here").is_ok());
    assert!(judged(&plain, "HTTP/1.0 200 OK\r\n\r\nAll well").is_err());
    let caseless = says(|u| u.regex_options = vec![At::assumed("caseless".to_owned())]);
    assert!(judged(&caseless, "HTTP/1.0 200 OK\r\n\r\nAll well").is_ok());
    let inverted = says(|u| u.regex_no_match = At::assumed(true));
    assert!(judged(&inverted, "HTTP/1.0 200 OK\r\n\r\nall well").is_err());
    let late = says(|u| u.regex_min_offset = At::assumed(3));
    assert!(judged(&late, "HTTP/1.0 200 OK\r\n\r\nall well").is_err());
    assert!(judged(&late, "HTTP/1.0 200 OK\r\n\r\nall well, all well").is_ok());
}

/// Each does with PCRE2 what it does here.
#[test]
fn expressions_are_those_of_pcre() {
    let cases = [
        ("Hello(?= World)", "Hello World", true),
        ("Hello(?! World)", "Hello World", false),
        ("(?<=ok: )yes", "ok: yes", true),
        (r"(\w)\1", "hello", true),
        (r"(?i)HELLO.w\x6frld", "Hello World", true),
        (r"\bw\d{2}\s", "a w42\tb", true),
        ("^b", "a\nb", false),
        ("^well$", "well\n", true),
        ("^$", "well", false),
        ("^well$", "well\nor not\n", false),
    ];
    for (regex, body, is) in cases {
        let pattern = Pattern::new(regex, &url(|_| {})).unwrap();
        assert_eq!(pattern.is_content(body.as_bytes()), Ok(is), "{regex} in {body:?}");
    }
    let late = Pattern::new("b.", &url(|u| u.regex_min_offset = At::assumed(2))).unwrap();
    assert_eq!(late.is_content(b"\xffab\xfe"), Ok(true), "bytes are counted, whatever they are");
    // One that would hold up all other checks ends before it does.
    let slow = Pattern::new(r"^(a|aa)+\1c", &url(|_| {})).unwrap();
    assert!(slow.is_content(&[b'a'; 100]).unwrap_err().contains("backtracking"));
}

#[test]
fn an_expression_that_is_not_understood_leaves_the_rest_of_the_check() {
    let broken = |u: &mut Url| u.regex = Some(At::assumed("(".to_owned()));
    assert!(judge(&url(broken)).unwrap_err().contains("parenthes"), "{:?}", judge(&url(broken)));
    let page = page(broken);
    assert_eq!(judged(&page, "HTTP/1.0 200 OK\r\n\r\nfine"), Ok(()));
    assert!(judged(&page, "HTTP/1.0 503 Busy\r\n\r\nfine").is_err());
    let odd = |u: &mut Url| {
        u.regex = Some(At::assumed("x".to_owned()));
        u.regex_options = vec![At::assumed("ungreedy".to_owned())];
    };
    assert_eq!(judge(&url(odd)), Err("regex_options ungreedy is not supported".to_owned()));
    assert_eq!(judge(&url(|_| {})), Ok(()));
}

/// As keepalived does: checks_peer.rs of the lab compares.
#[test]
fn a_page_that_was_cut_is_judged_by_what_came_and_its_fault_is_named() {
    let lengthy = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\npage\n";
    let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n64\r\npage\n";
    let digest = |body: &str| page(|u| u.digest = Some(At::assumed(Md5::digest(body).into())));
    for (answer, fault) in [
        (lengthy, "/health: the answer was cut: 5 of 100 bytes"),
        (chunked, "/health: the answer was cut after 5 bytes, before its last chunk"),
    ] {
        assert_eq!(judged(&page(|_| {}), answer), Ok(()));
        assert_eq!(judged(&digest("page\n"), answer), Ok(()));
        assert_eq!(judged(&digest("page and more"), answer), Err(fault.to_owned()));
        let says = page(|u| u.regex = Some(At::assumed("more".to_owned())));
        assert_eq!(judged(&says, answer), Err(fault.to_owned()));
    }
    let whole = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\npage\n";
    assert!(judged(&digest("other"), whole).unwrap_err().starts_with("/health: digest "));
}

#[test]
fn a_chunked_page_may_have_the_digest_of_the_page_or_of_what_came() {
    let chunks = "4\r\nwell\r\n0\r\n\r\n";
    let answer = format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{chunks}");
    for (text, is) in [("well", true), (chunks, true), ("ill", false)] {
        let page = page(|u| u.digest = Some(At::assumed(digest(text.as_bytes()))));
        assert_eq!(judged(&page, &answer).is_ok(), is, "{text:?}");
    }
}

#[test]
fn an_error_page_is_ill_whatever_it_says() {
    let ill = |page: &Page| judged(page, "HTTP/1.0 503 Busy\r\n\r\nfine\n");
    let digest = |u: &mut Url| u.digest = Some(At::assumed(Md5::digest(b"fine\n").into()));
    let regex = |u: &mut Url| u.regex = Some(At::assumed("fine".to_owned()));
    let absent = |u: &mut Url| {
        u.regex = Some(At::assumed("sorry".to_owned()));
        u.regex_no_match = At::assumed(true);
    };
    for content in [&digest as &dyn Fn(&mut Url), &regex, &absent] {
        assert_eq!(ill(&page(content)), Err("/health: HTTP status 503".to_owned()));
        let wanted = page(|u| {
            content(u);
            u.status = vec![At::assumed(Status { from: 503, to: 503 })];
        });
        assert_eq!(ill(&wanted), Ok(()), "the status is asked for");
    }
}

#[test]
fn an_answer_in_pieces_is_read_when_it_is_whole() {
    let cases = [
        ("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nwell", "well"),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nwe\r\n2;x=y\r\nll\r\n0\r\n\r\n", "well"),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nwell\r\n0\r\nX: 1\r\n\r\n", "well"),
    ];
    for (answer, body) in cases {
        for cut in 0..answer.len() {
            let read = Answer::read(&answer.as_bytes()[..cut], false).unwrap();
            assert_eq!(read, None, "{cut} bytes of {answer:?}");
        }
        assert_eq!(Answer::read(answer.as_bytes(), false).unwrap().unwrap().body, body.as_bytes());
    }
    let open = b"HTTP/1.0 200 OK\r\n\r\nwell";
    assert_eq!(Answer::read(open, false), Ok(None), "only the end of the connection ends it");
    assert_eq!(Answer::read(open, true).unwrap().unwrap().body, &b"well"[..]);
}

#[test]
fn rubbish_is_an_error_and_no_panic() {
    for bytes in [
        &b"SSH-2.0-OpenSSH\r\n"[..],
        b"\0\0\0",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    ] {
        assert!(Answer::read(bytes, true).is_err(), "{bytes:?}");
    }
    assert!(Answer::read(b"", true).unwrap_err().contains("without an answer"));
    let huge = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\nx";
    assert!(Answer::read(huge, true).unwrap().is_some());
}
