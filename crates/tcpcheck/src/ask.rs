//! Commands to a running watch: `status`, `metrics`, `drain`, `resume`.

use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, bail};
use lvs_core::sys::clock;
use lvs_core::sys::poll::Poll;

use crate::change::seconds;
use crate::cli::{Ask, AskStatus, Change, Drain};
use crate::idle;
use crate::state;
use crate::status::Status;

/// A watch that does not answer within this is stuck.
const PATIENCE: Duration = Duration::from_secs(5);

/// Asks a running watch; the error says what it said, or that there is none.
fn ask(socket: Option<&Path>, request: &str) -> anyhow::Result<String> {
    let path = match socket {
        Some(path) => path.to_owned(),
        None => state::path(".sock")?,
    };
    let none = || format!("{}: no 'tcpcheck watch --ipvs' answers here", path.display());
    let mut stream = UnixStream::connect(&path).with_context(none)?;
    let answer = converse(&mut stream, request, PATIENCE).with_context(|| path.display().to_string())?;
    match answer.split_once('\n') {
        Some(("ok", body)) => Ok(body.to_owned()),
        Some((error, _)) => bail!("{error}"),
        None => bail!("{}: the watch ended before it answered", path.display()),
    }
}

/// Asks and hears the whole answer; each step may take so long.
fn converse(stream: &mut UnixStream, request: &str, patience: Duration) -> io::Result<String> {
    let mut answer = String::new();
    stream.set_read_timeout(Some(patience))?;
    stream.set_write_timeout(Some(patience))?;
    let heard =
        stream.write_all(format!("{request}\n").as_bytes()).and_then(|()| stream.read_to_string(&mut answer));
    heard.map(|_| answer).map_err(|e| match e.kind() {
        // The words of the system are about a resource.
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => io::Error::new(
            io::ErrorKind::TimedOut,
            format!("the watch does not answer within {}: it is stopped or hangs", seconds(patience)),
        ),
        _ => e,
    })
}

/// `tcpcheck status`: exit 0 when every real server lives, 1 otherwise.
///
/// # Errors
/// No watch answers, or the output is closed.
pub fn status(args: &AskStatus) -> anyhow::Result<u8> {
    loop {
        let body = ask(args.ask.socket.as_deref(), "status")?;
        let status: Status = serde_json::from_str(&body)?;
        let mut out = io::stdout().lock();
        if args.watch {
            // Home, and clear what is below: no flicker.
            write!(out, "\x1b[H\x1b[J")?;
        }
        if args.json {
            writeln!(out, "{}", serde_json::to_string_pretty(&status)?)?;
        } else {
            out.write_all(status.text().as_bytes())?;
        }
        out.flush()?;
        if !args.watch {
            return Ok(u8::from(!status.is_well()));
        }
        Poll::new()?.wait(Some(clock::now() + Duration::from_secs(1)), &mut Vec::new())?;
    }
}

/// `tcpcheck metrics`.
///
/// # Errors
/// No watch answers, or the output is closed.
pub fn metrics(args: &Ask) -> anyhow::Result<u8> {
    let body = ask(args.socket.as_deref(), "metrics")?;
    io::stdout().lock().write_all(body.as_bytes())?;
    Ok(0)
}

/// `tcpcheck drain` and `tcpcheck resume`.
///
/// # Errors
/// No watch answers, or it knows no such server.
pub fn change(verb: &str, args: &Change) -> anyhow::Result<u8> {
    for server in &args.servers {
        let body = ask(args.ask.socket.as_deref(), &format!("{verb} {server}"))?;
        io::stdout().lock().write_all(body.as_bytes())?;
    }
    Ok(0)
}

/// `tcpcheck drain`, which may wait until the servers are idle.
///
/// # Errors
/// No watch answers, it knows no such server, or connections are left.
pub fn drain(args: &Drain) -> anyhow::Result<u8> {
    change("drain", &args.change)?;
    if let Some(patience) = args.wait {
        idle::wait(&args.change.servers, patience)?;
        writeln!(io::stdout().lock(), "no connection is left")?;
    }
    Ok(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_watch_that_does_not_answer_is_said_to_hang() {
        let (mut ours, _theirs) = UnixStream::pair().unwrap();
        let why = converse(&mut ours, "status", Duration::from_millis(100)).unwrap_err().to_string();
        assert_eq!(why, "the watch does not answer within 0.1 s: it is stopped or hangs");
    }
}
