//! One long connection: a server that answers every line, and a client that says whether it still stands.

use std::io::{BufRead, BufReader, Write};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use crate::traffic::connect;
use crate::wait::pause;

/// The client's lines follow each other this fast.
const STEP: Duration = Duration::from_millis(20);
/// How long a line may wait for its answer: longer than an election, and TCP's repetitions after it.
const PATIENCE: Duration = Duration::from_secs(10);

/// Answers each line of every connection with its name and the line; stays until it is killed.
///
/// # Errors
/// When the address cannot be had.
pub fn serve(name: &str, service: SocketAddr) -> Result<()> {
    let listener = TcpListener::bind(service).with_context(|| service.to_string())?;
    writeln!(std::io::stdout().lock(), "{name} echoes {}", service.port())?;
    thread::scope(|s| {
        for client in listener.incoming().flatten() {
            // A client that has gone needs no answer.
            s.spawn(move || answer(name, client));
        }
    });
    Ok(())
}

fn answer(name: &str, mut client: TcpStream) -> Result<()> {
    for line in BufReader::new(client.try_clone()?).lines() {
        client.write_all(format!("{name} {}\n", line?).as_bytes())?;
    }
    Ok(())
}

/// Keeps one connection and prints every answer (`r102 17`), until it is killed.
///
/// # Errors
/// The connection is broken, with the reason, or standard output is closed.
pub fn talk(service: SocketAddr, source: Option<IpAddr>) -> Result<()> {
    let mut stream = connect(service, source, PATIENCE)?;
    let mut answers = BufReader::new(stream.try_clone()?);
    for number in 0.. {
        stream.write_all(format!("{number}\n").as_bytes()).context("the connection is broken")?;
        let mut line = String::new();
        answers.read_line(&mut line).context("the connection is broken")?;
        ensure!(
            line.ends_with(&format!(" {number}\n")),
            "the connection is broken: answer {line:?} to {number}"
        );
        std::io::stdout().lock().write_all(line.as_bytes())?;
        pause(STEP);
    }
    Ok(())
}
