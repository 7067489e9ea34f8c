//! A server that answers with its name, so that a client knows who served it.

use std::io::Write;
use std::net::{SocketAddr, TcpListener};
use std::thread;

use anyhow::{Context, Result};

/// Listens on each address; stays until it is killed. `[::]:PORT` takes both families.
///
/// # Errors
/// When an address cannot be had.
pub fn run(name: &str, services: &[SocketAddr]) -> Result<()> {
    let mut listeners = Vec::new();
    for service in services {
        listeners.push(TcpListener::bind(service).with_context(|| service.to_string())?);
    }
    let ports: Vec<u16> = services.iter().map(SocketAddr::port).collect();
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
