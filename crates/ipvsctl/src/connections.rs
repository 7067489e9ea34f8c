//! `-Lc`: the connection table of /proc/net/ip_vs_conn, which netlink does not tell.

use std::collections::HashSet;
use std::fmt::{self, Write};
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::net::IpAddr;

use lvs_core::addr::Endpoint;
use lvs_core::connection::{Connection, PATH, parse};
use lvs_core::rule::{List, Numeric, Spelling};
use lvs_core::table::Protocol;

use crate::face::Face;
use crate::list::wrote;
use crate::names::{CLibrary, Resolved};
use crate::session::{Failure, MISSING, Session};

const TITLES: &str = "IPVS connection entries\n\
                      pro expire state       source             virtual            destination";
/// ipvsadm reads lines into a buffer of 256 bytes; a longer one falls into pieces.
const LINE: usize = 255;

/// Shows the connections; with --persistent-conn what persistence engines know of them too.
pub(crate) fn run(s: &mut Session, list: &List) -> Result<(), Failure> {
    let fail = |e| Failure::new(MISSING, format!("{PATH}: {e}"));
    let spell: Box<dyn Spelling> = match s.face {
        Face::Ipvsctl if list.numeric => Box::new(Numeric),
        _ if list.numeric => Box::new(CLibrary),
        Face::Ipvsctl => Box::new(Resolved::within_a_second(addresses().map_err(fail)?)),
        _ => Box::new(Resolved::patient()),
    };
    let text = s.out.text();
    text.push_str(TITLES);
    text.push_str(if list.persistent_conn { "        pe name          pe_data\n" } else { "\n" });
    let mut lines = BufReader::new(File::open(PATH).map_err(fail)?);
    let mut line = String::new();
    while !s.out.broken() && lines.read_line(&mut line).map_err(fail)? > 0 {
        if let Some(c) = parse(crate::names::cut(&line, LINE)) {
            wrote(print(s.out.text(), &c, list.persistent_conn, spell.as_ref()))?;
            s.out.flow();
        }
        line.clear();
    }
    Ok(())
}

fn addresses() -> std::io::Result<HashSet<IpAddr>> {
    let mut all = HashSet::new();
    for line in BufReader::new(File::open(PATH)?).lines() {
        if let Some(c) = parse(&line?) {
            all.extend([c.client.addr, c.virtual_service.addr, c.server.addr]);
        }
    }
    Ok(all)
}

fn print(out: &mut String, c: &Connection<'_>, engines: bool, spell: &dyn Spelling) -> fmt::Result {
    let protocol = match c.protocol {
        "TCP" => Some(Protocol::Tcp),
        "UDP" => Some(Protocol::Udp),
        "SCTP" => Some(Protocol::Sctp),
        _ => None,
    };
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
