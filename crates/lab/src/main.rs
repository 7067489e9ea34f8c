//! The lab's own program: what runs inside of its hosts.
//!
//! `lab server NAME PORT|ADDRESS:PORT...` answers with its name; `lab get ADDRESS:PORT` asks once (1 s); `lab client ADDRESS:PORT
//! [--from A,B..] [--rate N] [--timeout MS]` asks at a steady rate; `lab echo NAME PORT` and `lab talk ADDRESS:PORT [FROM]` keep
//! one connection; `lab page PORT STATUS [tls|cut|chunked]` is a web server of one page, `lab mailbox PORT` a mail server;
//! `lab flood INTERFACE VRID RATE SECONDS` sends
//! bad VRRP packets; `lab datagrams PATH` prints what daemons tell a service manager; `lab squat NAME...` takes names of sockets; `lab ask ADDRESS INTERFACE RATE [MAC FROM]` asks who has an address; `lab init NAME` is process 1 of a
//! host.

use std::io::Write;
use std::net::{Ipv6Addr, SocketAddr};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use lab::page::Manner;
use lvs_core::addr::Mac;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match run(&words.iter().map(String::as_str).collect::<Vec<_>>()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Nobody to tell when standard error is closed.
            let _ = writeln!(std::io::stderr().lock(), "lab: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(words: &[&str]) -> Result<()> {
    match words {
        ["init", name] => lab::init::run(name),
        ["server", name, ports @ ..] => {
            let services: Result<Vec<_>> = ports.iter().map(|p| service(p)).collect();
            lab::server::run(name, &services?)
        }
        ["get", service] => {
            let name = lab::traffic::request(address(service)?, None, Duration::from_secs(1))?;
            Ok(writeln!(std::io::stdout().lock(), "{name}")?)
        }
        ["echo", name, port] => lab::echo::serve(name, service(port)?),
        ["talk", service] => lab::echo::talk(address(service)?, None),
        ["talk", service, from] => lab::echo::talk(address(service)?, Some(from.parse().context("FROM")?)),
        ["flood", device, vrid, rate, seconds] => lab::flood::run(
            device,
            vrid.parse().context("VRID")?,
            rate.parse().context("RATE")?,
            Duration::from_secs(seconds.parse().context("SECONDS")?),
        ),
        ["ask", target, device, rate, syn @ ..] => ask(target, device, rate, syn),
        ["page", port, status] => lab::page::run(port.parse()?, status, Manner::Plain),
        ["page", port, status, "tls"] => lab::page::run(port.parse()?, status, Manner::Tls),
        ["page", port, status, "cut"] => lab::page::run(port.parse()?, status, Manner::Cut),
        ["page", port, status, "chunked"] => lab::page::run(port.parse()?, status, Manner::Chunked),
        ["mailbox", port] => lab::mailbox::run(port.parse()?),
        ["datagrams", path] => datagrams(path),
        ["squat", names @ ..] => squat(names),
        ["client", service, options @ ..] => client(service, options),
        _ => bail!(
            "server NAME PORT..., get ADDRESS:PORT, client ADDRESS:PORT, echo NAME PORT, talk ADDRESS:PORT, page PORT STATUS [tls|cut|chunked], mailbox PORT, \
             flood INTERFACE VRID RATE SECONDS, datagrams PATH, squat NAME..., ask ADDRESS INTERFACE RATE, or init NAME"
        ),
    }
}

/// Prints each line that comes in on a Unix socket of datagrams, as a service manager hears its daemons.
fn datagrams(path: &str) -> Result<()> {
    let socket = std::os::unix::net::UnixDatagram::bind(path)?;
    writeln!(std::io::stdout().lock(), "hears {path}")?;
    let mut bytes = [0; 4096];
    loop {
        let n = socket.recv(&mut bytes)?;
        writeln!(std::io::stdout().lock(), "{}", String::from_utf8_lossy(&bytes[..n]))?;
    }
}

/// Takes names in the abstract namespace of Unix sockets and says nothing to anybody.
fn squat(names: &[&str]) -> Result<()> {
    use std::os::linux::net::SocketAddrExt;
    use std::os::unix::net::{SocketAddr, UnixListener};

    let take = |name: &&str| UnixListener::bind_addr(&SocketAddr::from_abstract_name(name)?);
    let _held = names.iter().map(take).collect::<Result<Vec<_>, _>>()?;
    writeln!(std::io::stdout().lock(), "holds {}", names.join(" "))?;
    loop {
        std::thread::park();
    }
}

fn ask(target: &str, device: &str, rate: &str, syn: &[&str]) -> Result<()> {
    let syn = match syn {
        [] => None,
        [mac, from] => {
            let bytes: Vec<u8> = mac.split(':').filter_map(|b| u8::from_str_radix(b, 16).ok()).collect();
            Some((Mac(bytes.try_into().ok().context("a MAC")?), from.parse().context("an address")?))
        }
        _ => bail!("ask ADDRESS INTERFACE RATE [MAC FROM]"),
    };
    let (target, rate) = (target.parse().context("an address")?, rate.parse().context("a rate")?);
    lab::ask::run(&lab::ask::Asking { target, device, rate, syn })
}

fn client(service: &str, options: &[&str]) -> Result<()> {
    let (mut from, mut rate, mut timeout) = (Vec::new(), 30, 200);
    for pair in options.chunks(2) {
        match pair {
            ["--from", list] => {
                from = list.split(',').map(str::parse).collect::<Result<_, _>>().context("--from")?;
            }
            ["--rate", number] => rate = number.parse().context("--rate")?,
            ["--timeout", millis] => timeout = millis.parse().context("--timeout")?,
            _ => bail!("client: what is {}?", pair.join(" ")),
        }
    }
    lab::traffic::run(address(service)?, &from, rate, Duration::from_millis(timeout))
}

/// `PORT` on all addresses, or `ADDRESS:PORT`.
fn service(text: &str) -> Result<SocketAddr> {
    text.parse().map(|port: u16| (Ipv6Addr::UNSPECIFIED, port).into()).or_else(|_| address(text))
}

fn address(text: &str) -> Result<SocketAddr> {
    text.parse().with_context(|| format!("{text}: not ADDRESS:PORT"))
}
