//! A web server of one page, plain or over TLS, for checks that fetch.

use std::io::{Read, Write};
use std::net::{Ipv6Addr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use anyhow::Result;
use rustls::crypto::ring;
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned};

/// A client that is silent for so long is not waited for.
const PATIENCE: Duration = Duration::from_secs(5);

/// How late the page `/slow` comes.
const SLOW: Duration = Duration::from_secs(2);

/// How it answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    /// With the whole page.
    Plain,
    /// The same, over TLS.
    Tls,
    /// With half of what it has announced.
    Cut,
    /// With the page in two chunks.
    Chunked,
}

/// Answers every request on this port of all addresses with this status; stays until it is killed. The page `/host` is
/// the name of the host that was asked for.
///
/// # Errors
/// When the port cannot be had.
pub fn run(port: u16, status: &str, manner: Manner) -> Result<()> {
    let config = if manner == Manner::Tls { Some(config()?) } else { None };
    let listener = TcpListener::bind((Ipv6Addr::UNSPECIFIED, port))?;
    writeln!(std::io::stdout().lock(), "serves {status} on {port}")?;
    thread::scope(|scope| {
        for client in listener.incoming() {
            let config = config.as_ref();
            // A client that goes away needs no answer, and one that waits keeps no other waiting.
            scope.spawn(move || client.map_err(Into::into).and_then(|c| serve(c, status, manner, config)));
        }
    });
    Ok(())
}

fn serve(client: TcpStream, status: &str, manner: Manner, config: Option<&Arc<ServerConfig>>) -> Result<()> {
    client.set_read_timeout(Some(PATIENCE))?;
    let Some(config) = config else { return answer(client, status, manner) };
    let mut stream = StreamOwned::new(ServerConnection::new(Arc::clone(config))?, client);
    answer(&mut stream, status, manner)?;
    stream.conn.send_close_notify();
    Ok(stream.flush()?)
}

/// A certificate that nobody should trust: signed by itself, for another host, and long over.
fn config() -> Result<Arc<ServerConfig>> {
    let mut params = rcgen::CertificateParams::new(vec!["elsewhere.example".to_owned()])?;
    params.not_after = rcgen::date_time_ymd(2001, 1, 1);
    let key = rcgen::KeyPair::generate()?;
    let certificate = params.self_signed(&key)?;
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(
            vec![certificate.der().clone()],
            PrivatePkcs8KeyDer::from(key.serialize_der()).into(),
        )?;
    Ok(Arc::new(config))
}

fn answer(mut stream: impl Read + Write, status: &str, manner: Manner) -> Result<()> {
    let (mut request, mut buffer) = (Vec::new(), [0; 1024]);
    while !request.ends_with(b"\r\n\r\n") {
        match stream.read(&mut buffer)? {
            0 => break,
            n => request.extend_from_slice(&buffer[..n]),
        }
    }
    let request = String::from_utf8_lossy(&request);
    if request.starts_with("GET /slow ") {
        crate::pause(SLOW);
    }
    let host = request.lines().find_map(|l| l.strip_prefix("Host: ")).unwrap_or_default();
    let page = if request.starts_with("GET /host ") { host } else { "page" };
    let length = (page.len() + 1) * if manner == Manner::Cut { 2 } else { 1 };
    let (coding, page) = match manner {
        Manner::Chunked => ("Transfer-Encoding: chunked".to_owned(), chunks(page)),
        _ => (format!("Content-Length: {length}"), format!("{page}\n")),
    };
    // At once: what keepalived finds in a page depends on how it is cut.
    let answer = format!("HTTP/1.1 {status}\r\n{coding}\r\nConnection: close\r\n\r\n{page}");
    Ok(stream.write_all(answer.as_bytes())?)
}

/// A page in two chunks, the second of which is its line end.
fn chunks(page: &str) -> String {
    format!("{:x}\r\n{page}\r\n1\r\n\n\r\n0\r\n\r\n", page.len())
}
