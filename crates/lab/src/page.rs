//! A web server of one page, plain or over TLS, for checks that fetch.

use std::io::{Read, Write};
use std::net::{Ipv6Addr, TcpListener, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use rustls::crypto::ring;
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned};

/// A client that is silent for so long is not waited for.
const PATIENCE: Duration = Duration::from_secs(5);

/// What it says.
const PAGE: &str = "page\n";

/// How it answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    /// With the whole page.
    Plain,
    /// The same, over TLS.
    Tls,
    /// With less than it has announced.
    Cut,
}

/// Answers every request on this port of all addresses with this status; stays until it is killed.
///
/// # Errors
/// When the port cannot be had.
pub fn run(port: u16, status: &str, manner: Manner) -> Result<()> {
    let config = if manner == Manner::Tls { Some(config()?) } else { None };
    let length = if manner == Manner::Cut { 2 * PAGE.len() } else { PAGE.len() };
    let listener = TcpListener::bind((Ipv6Addr::UNSPECIFIED, port))?;
    writeln!(std::io::stdout().lock(), "serves {status} on {port}")?;
    for client in listener.incoming() {
        let answer = |client: TcpStream| -> Result<()> {
            client.set_read_timeout(Some(PATIENCE))?;
            match &config {
                None => answer(client, status, length),
                Some(config) => {
                    let mut stream = StreamOwned::new(ServerConnection::new(Arc::clone(config))?, client);
                    answer(&mut stream, status, length)?;
                    stream.conn.send_close_notify();
                    Ok(stream.flush()?)
                }
            }
        };
        // A client that goes away needs no answer.
        let _ = client.map_err(Into::into).and_then(answer);
    }
    Ok(())
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

fn answer(mut stream: impl Read + Write, status: &str, length: usize) -> Result<()> {
    let (mut request, mut buffer) = (Vec::new(), [0; 1024]);
    while !request.ends_with(b"\r\n\r\n") {
        match stream.read(&mut buffer)? {
            0 => break,
            n => request.extend_from_slice(&buffer[..n]),
        }
    }
    Ok(write!(stream, "HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{PAGE}")?)
}
