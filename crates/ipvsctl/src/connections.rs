//! `-Lc`: the connection table of /proc/net/ip_vs_conn, which netlink does not tell.

use std::fmt::{self, Write};
use std::fs::File;
use std::io::{BufRead, BufReader};

use lvs_core::addr::Endpoint;
use lvs_core::connection::{Connection, PATH, parse};
use lvs_core::rule::{List, Spelling};
use lvs_core::table::Protocol;

use crate::list::wrote;
use crate::names::{self, Questions};
use crate::session::{Failure, MISSING, Session};

const TITLES: &str = "IPVS connection entries\n\
                      pro expire state       source             virtual            destination";
/// ipvsadm reads lines into a buffer of 256 bytes; a longer one falls into pieces.
const LINE: usize = 255;

/// Shows the connections; with --persistent-conn what persistence engines know of them too.
pub(crate) fn run(s: &mut Session, list: &List) -> Result<(), Failure> {
    let fail = |e| Failure::new(MISSING, format!("{PATH}: {e}"));
    let spell = names::spelling(s.face, list.numeric, || questions().map_err(fail))?;
    let text = s.out.text();
    text.push_str(TITLES);
    text.push_str(if list.persistent_conn { "        pe name          pe_data\n" } else { "\n" });
    let mut lines = BufReader::new(File::open(PATH).map_err(fail)?);
    let mut line = String::new();
    while !s.out.broken() && lines.read_line(&mut line).map_err(fail)? > 0 {
        if let Some(c) = parse(names::cut(&line, LINE)) {
            wrote(print(s.out.text(), &c, list.persistent_conn, spell.as_ref()))?;
            s.out.flow();
        }
        line.clear();
    }
    Ok(())
}

fn questions() -> std::io::Result<Questions> {
    let mut all = Questions::default();
    for line in BufReader::new(File::open(PATH)?).lines() {
        if let Some(c) = parse(&line?) {
            for e in [c.client, c.virtual_service, c.server] {
                all.add(protocol(&c), e);
            }
        }
    }
    Ok(all)
}

fn protocol(c: &Connection<'_>) -> Option<Protocol> {
    match c.protocol {
        "TCP" => Some(Protocol::Tcp),
        "UDP" => Some(Protocol::Udp),
        "SCTP" => Some(Protocol::Sctp),
        _ => None,
    }
}

fn print(out: &mut String, c: &Connection<'_>, engines: bool, spell: &dyn Spelling) -> fmt::Result {
    let protocol = protocol(c);
    let expires = format!("{:02}:{:02}", c.expires / 60, c.expires % 60);
    write!(out, "{:<3} {expires:<6} {:<11} ", c.protocol, c.state)?;
    column(out, spell, protocol, c.client, 18)?;
    column(out, spell, protocol, c.virtual_service, 18)?;
    match c.engine.filter(|_| engines) {
        Some((name, data)) => {
            column(out, spell, protocol, c.server, 16)?;
            writeln!(out, "{name:<18} {data}")
        }
        None => {
            spell.endpoint(out, protocol, c.server)?;
            out.write_char('\n')
        }
    }
}

fn column(
    out: &mut String,
    spell: &dyn Spelling,
    protocol: Option<Protocol>,
    e: Endpoint,
    width: usize,
) -> fmt::Result {
    let start = out.len();
    spell.endpoint(out, protocol, e)?;
    while out.len() < start + width {
        out.push(' ');
    }
    out.write_char(' ')
}

#[cfg(test)]
mod tests;
