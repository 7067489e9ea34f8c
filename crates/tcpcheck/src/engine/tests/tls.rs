//! SSL_GET with real servers: what it takes and what it does not.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;

use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::{ProtocolVersion, ServerConfig, ServerConnection, StreamOwned, SupportedProtocolVersion};

use super::found;
use crate::outcome::{Outcome, Reason};

type Tls = StreamOwned<ServerConnection, TcpStream>;

/// A server whose certificate ended in 2001 and is for another host; `answer` talks to each client.
fn server(versions: &[&'static SupportedProtocolVersion], answer: impl Fn(Tls) + Send + 'static) -> u16 {
    let mut params = rcgen::CertificateParams::new(vec!["elsewhere.example".to_owned()]).unwrap();
    params.not_after = rcgen::date_time_ymd(2001, 1, 1);
    let key = rcgen::KeyPair::generate().unwrap();
    let certificate = params.self_signed(&key).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(versions)
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![certificate.der().clone()],
            PrivatePkcs8KeyDer::from(key.serialize_der()).into(),
        )
        .unwrap();
    let config = Arc::new(config);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let connection = ServerConnection::new(Arc::clone(&config)).unwrap();
            answer(StreamOwned::new(connection, stream.unwrap()));
        }
    });
    port
}

fn check(port: u16, more: &str) -> Outcome {
    found(&format!("SSL_GET {{\nconnect_port {port}\nconnect_timeout 5\n{more}\n}}"))
}

fn request(stream: &mut Tls) -> String {
    let mut text = vec![0; 1024];
    let n = stream.read(&mut text).unwrap();
    text.truncate(n);
    String::from_utf8(text).unwrap()
}

const ALL: &[&SupportedProtocolVersion] = rustls::ALL_VERSIONS;

#[test]
fn pages_come_over_both_versions_whatever_the_certificate_says() {
    for (version, number) in [
        (&rustls::version::TLS12, ProtocolVersion::TLSv1_2),
        (&rustls::version::TLS13, ProtocolVersion::TLSv1_3),
    ] {
        let port = server(&[version], move |mut stream| {
            let text = request(&mut stream);
            assert_eq!(stream.conn.protocol_version(), Some(number));
            let status = if text.starts_with("GET /a ") { "200 OK" } else { "404 Not Found" };
            write!(stream, "HTTP/1.1 {status}\r\nContent-Length: 4\r\n\r\nfine").unwrap();
            // The client says goodbye in TLS, not only with the end of the connection.
            assert_eq!(stream.read(&mut [0; 1]).unwrap(), 0);
        });
        let pass = check(port, "url {\npath /a\n}\nurl {\npath /b\nstatus_code 404\n}");
        assert!(matches!(pass, Outcome::Pass { .. }), "{number:?}: {pass:?}");
        let fail = check(port, "url {\npath /b\n}");
        assert_eq!(fail, Outcome::Fail(Reason::Said("/b: HTTP status 404".to_owned())));
    }
}

#[test]
fn the_host_is_named_in_the_handshake_only_where_that_is_asked_for() {
    let (names, heard) = std::sync::mpsc::channel();
    let port = server(ALL, move |mut stream| {
        let text = request(&mut stream);
        let host = text.lines().find_map(|l| l.strip_prefix("Host: ")).unwrap().to_owned();
        names.send((stream.conn.server_name().map(str::to_owned), host)).unwrap();
        stream.write_all(b"HTTP/1.0 200 OK\r\n\r\nfine").unwrap();
        stream.conn.send_close_notify();
        stream.flush().unwrap();
    });
    let told = |more: &str| {
        let outcome = check(port, more);
        assert!(matches!(outcome, Outcome::Pass { .. }), "{outcome:?}");
        heard.recv().unwrap()
    };
    let page = "url {\npath /\n}";
    let here = format!("127.0.0.1:{port}");
    assert_eq!(told(page), (None, here.clone()));
    assert_eq!(told(&format!("virtualhost www.example\n{page}")), (None, "www.example".to_owned()));
    assert_eq!(
        told(&format!("enable_sni\nvirtualhost www.example\n{page}")),
        (Some("www.example".to_owned()), "www.example".to_owned())
    );
    assert_eq!(told(&format!("enable_sni\n{page}")), (None, here), "no host is written");
}

#[test]
fn who_closes_without_a_farewell_has_still_answered() {
    let port = server(ALL, |mut stream| {
        request(&mut stream);
        stream.write_all(b"HTTP/1.0 200 OK\r\n\r\nfine").unwrap();
    });
    let outcome = check(port, "url {\npath /\nregex ^fine$\n}");
    assert!(matches!(outcome, Outcome::Pass { .. }), "{outcome:?}");
}

#[test]
fn a_large_page_is_read_whole() {
    const SIZE: usize = 300_000;
    let port = server(ALL, |mut stream| {
        request(&mut stream);
        write!(stream, "HTTP/1.0 200 OK\r\nContent-Length: {SIZE}\r\n\r\n").unwrap();
        stream.write_all(&vec![b'x'; SIZE - 4]).unwrap();
        stream.write_all(b"last").unwrap();
        let _ = stream.read(&mut [0; 1]);
    });
    let outcome = check(port, "url {\npath /\nregex last\n}");
    assert!(matches!(outcome, Outcome::Pass { .. }), "{outcome:?}");
}

/// A server that says this to whoever comes, after the first word, and closes.
fn rude(text: &'static str) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let _ = stream.read(&mut [0; 1024]);
        stream.write_all(text.as_bytes()).unwrap();
    });
    port
}

#[test]
fn who_speaks_no_tls_is_dead_and_who_says_nothing_is_late() {
    let said = |port: u16| match check(port, "url {\npath /\n}") {
        Outcome::Fail(Reason::Said(why)) => why,
        other => panic!("{other:?}"),
    };
    for text in ["HTTP/1.0 400 Bad Request\r\n\r\n", ""] {
        let why = said(rude(text));
        assert!(why.starts_with("TLS: "), "{why}");
    }
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = silent.local_addr().unwrap().port();
    let late = format!("SSL_GET {{\nconnect_port {port}\nconnect_timeout 0.2\nurl {{\npath /\n}}\n}}");
    assert_eq!(found(&late), Outcome::Fail(Reason::TimedOut));
    drop(silent);
    assert_eq!(check(port, "url {\npath /\n}"), Outcome::Fail(Reason::Refused));
}
