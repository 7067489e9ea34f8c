//! A server that answers with its name, so that a client knows who served it.

use std::io::Write;
use std::net::{Ipv6Addr, TcpListener};
use std::thread;

use anyhow::{Context, Result};

/// Listens on each port, on all addresses of both families; stays until it is killed.
///
/// # Errors
/// When a port cannot be had.
pub fn run(name: &str, ports: &[u16]) -> Result<()> {
    let mut listeners = Vec::new();
    for port in ports {
        let socket =
            TcpListener::bind((Ipv6Addr::UNSPECIFIED, *port)).with_context(|| format!("port {port}"))?;
        listeners.push(socket);
    }
    writeln!(std::io::stdout().lock(), "{name} serves {ports:?}")?;
    thread::scope(|s| {
        for listener in &listeners {
            s.spawn(move || answer(name, listener));
        }
    });
    Ok(())
}

fn answer(name: &str, listener: &TcpListener) {
    for client in listener.incoming() {
        // A client that has gone needs no answer.
        let _ = client.and_then(|mut c| c.write_all(name.as_bytes()));
    }
}
