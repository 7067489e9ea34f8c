//! `-L`: tables, timeouts, daemons, connections.

use std::fmt::{self, Write};

use lvs_core::ipvs::{ServerState, ServiceState};
use lvs_core::plan::Daemon;
use lvs_core::rule::{self, List, Spelling};
use lvs_core::table::ServiceKey;

use crate::connections;
use crate::layout::{Columns, Layout, heading};
use crate::names::{self, Questions};
use crate::order;
use crate::session::{Failure, MISSING, Session};

/// Shows what was asked for.
pub(crate) fn run(s: &mut Session, list: &List) -> Result<(), Failure> {
    if list.connections {
        return connections::run(s, list);
    }
    if list.timeouts {
        let t = s.client.timeouts()?;
        let text = s.out.text();
        return wrote(writeln!(text, "Timeout (tcp tcpfin udp): {} {} {}", t.tcp, t.tcp_fin, t.udp));
    }
    if list.daemons {
        let all = s.client.daemons()?;
        let text = s.out.text();
        return wrote(all.iter().try_for_each(|d| daemon(text, d)));
    }
    table(s, list)
}

/// Writing into memory cannot fail, and `Out` keeps its own errors.
pub(crate) fn wrote(result: fmt::Result) -> Result<(), Failure> {
    result.map_err(|_| Failure::new(MISSING, "a value cannot be printed"))
}

pub(crate) fn daemon(out: &mut dyn Write, d: &Daemon) -> fmt::Result {
    write!(out, "{} sync daemon (mcast={}, syncid={}", rule::role(d.role), d.interface, d.sync_id)?;
    write!(out, ", maxlen={}", d.max_len)?;
    if let Some(group) = d.group {
        write!(out, ", group={group}")?;
    }
    writeln!(out, ", port={}, ttl={})", d.port, d.ttl)
}

fn table(s: &mut Session, list: &List) -> Result<(), Failure> {
    let services = match &list.service {
        Some(key) => {
            let missing = || Failure::new(MISSING, format!("{key}: no such service (-Ln lists them)"));
            vec![s.client.service(key)?.ok_or_else(missing)?]
        }
        None => services(s)?,
    };
    let spell = spelling(s, list.numeric, &services)?;
    let layout = Layout {
        columns: Columns::of(list),
        exact: list.exact,
        dialect: s.face.dialect(),
        spell: spell.as_ref(),
    };
    let text = s.out.text();
    if list.service.is_none() {
        wrote(heading(text, s.info))?;
    }
    wrote(layout.titles(text))?;
    each(s, &services, !list.no_sort, &layout)
}

/// All services in the kernel's order.
pub(crate) fn services(s: &mut Session) -> Result<Vec<ServiceState>, Failure> {
    // Room is not memory before it is written, and what was given at once never moves.
    let mut all = Vec::with_capacity(1024);
    s.client.services(|state| all.push(state))?;
    Ok(all)
}

/// Puts services and servers into words.
pub(crate) trait Print {
    fn service(&self, out: &mut String, state: &ServiceState) -> fmt::Result;
    fn server(&self, out: &mut String, key: &ServiceKey, server: &ServerState) -> fmt::Result;
}

/// Reads the servers of one service after the other and prints them, so that no more than one service's are held.
pub(crate) fn each(
    s: &mut Session,
    services: &[ServiceState],
    sort: bool,
    print: &dyn Print,
) -> Result<(), Failure> {
    let order = if sort { order::services(services) } else { (0..).take(services.len()).collect() };
    let mut servers: Vec<ServerState> = Vec::new();
    for i in order {
        let state = &services[i as usize];
        servers.clear();
        s.client.servers(&state.key, |server| servers.push(server))?;
        let order = if sort { order::servers(&servers) } else { (0..).take(servers.len()).collect() };
        wrote(print.service(s.out.text(), state))?;
        for i in order {
            wrote(print.server(s.out.text(), &state.key, &servers[i as usize]))?;
            s.out.flow();
        }
        s.out.flow();
        if s.out.broken() {
            break;
        }
    }
    Ok(())
}

/// Numbers or names for a table.
pub(crate) fn spelling(
    s: &mut Session,
    numeric: bool,
    services: &[ServiceState],
) -> Result<Box<dyn Spelling>, Failure> {
    names::spelling(s.face, numeric, || questions(s, services))
}

fn questions(s: &mut Session, services: &[ServiceState]) -> Result<Questions, Failure> {
    let mut all = Questions::default();
    for state in services {
        let protocol = rule::protocol(&state.key);
        if let ServiceKey::Addr { vip, .. } = state.key {
            all.add(protocol, vip);
        }
        s.client.servers(&state.key, |server| all.add(protocol, server.endpoint))?;
    }
    Ok(all)
}
