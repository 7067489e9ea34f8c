//! From the JSON to the table that it describes.

use lvs_core::addr::{Endpoint, Family};
use lvs_core::desired::place;
use lvs_core::table::{Forward, Server, Service, ServiceEntry, ServiceFlags, ServiceKey, Table, Tunnel};

use super::{Document, FLAGS, Method, Places, ServerDoc, ServiceDoc, TunnelDoc, plain};

/// The scheduler that rule lines without -s have.
pub(super) fn scheduler() -> String {
    "wlc".to_owned()
}

/// The weight that rule lines without -w have.
pub(super) fn weight() -> u32 {
    1
}

/// Why a text is no table, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    /// The line, from 1.
    pub(crate) line: usize,
    /// The column, from 1.
    pub(crate) column: usize,
    /// The reason.
    pub(crate) text: String,
}

/// The document in a text, and the table that it describes.
pub(crate) fn read(text: &str) -> Result<(Document, Table), Fault> {
    let document: Document = serde_json::from_str(text).map_err(|e| plain::fault(&e))?;
    let table = document.table().map_err(|Misfit { service, server, text: why }| {
        let (line, column) = Places::of(text).spot(service, server);
        Fault { line, column, text: why }
    })?;
    Ok((document, table))
}

/// What does not fit into a table: a service by its index, or a server of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Misfit {
    service: usize,
    server: Option<usize>,
    text: String,
}

impl ServiceDoc {
    fn key(&self) -> Result<ServiceKey, String> {
        match (self.protocol, self.address, self.port, self.mark) {
            (Some(protocol), Some(addr), Some(port), None) => {
                Ok(ServiceKey::Addr { protocol, vip: Endpoint { addr, port } })
            }
            (None, None, None, Some(mark)) if mark > 0 => {
                Ok(ServiceKey::Mark { mark, family: self.family.unwrap_or(Family::Inet) })
            }
            _ => Err("a service needs protocol, address and port, or a mark above 0".to_owned()),
        }
    }

    fn service(&self, family: Family) -> Service {
        let mut service = Service::new(&self.scheduler, family);
        for (flag, _) in FLAGS.into_iter().zip(self.scheduler_flags).filter(|(_, set)| *set) {
            service.flags = service.flags.with(flag);
        }
        if self.one_packet {
            service.flags = service.flags.with(ServiceFlags::ONE_PACKET);
        }
        service.persistence = self.persistence.map(|p| p.timeout);
        service.netmask = self.persistence.map_or(service.netmask, |p| p.mask(family));
        service.engine.clone_from(&self.engine);
        service
    }
}

impl ServerDoc {
    fn server(&self) -> Server {
        let forward = match (self.forward, self.tunnel) {
            (Method::Masq, _) => Forward::Masq,
            (Method::Local, _) => Forward::Local,
            (Method::Route, _) => Forward::Route,
            (Method::Bypass, _) => Forward::Bypass,
            (Method::Tunnel, None | Some(TunnelDoc::Ipip)) => Forward::Tunnel(Tunnel::Ipip),
            (Method::Tunnel, Some(TunnelDoc::Gue { port, checksum })) => {
                Forward::Tunnel(Tunnel::Gue { port, checksum })
            }
            (Method::Tunnel, Some(TunnelDoc::Gre { checksum })) => Forward::Tunnel(Tunnel::Gre { checksum }),
        };
        Server { forward, weight: self.weight, upper: self.upper_threshold, lower: self.lower_threshold }
    }
}

impl ServerDoc {
    /// The address and port that are written; without a port the service's.
    fn endpoint(&self, key: &ServiceKey) -> Endpoint {
        Endpoint { addr: self.address, port: self.port.unwrap_or(key.port()) }
    }
}

impl Document {
    /// The table that it describes. Ports of servers are those that packets arrive at.
    ///
    /// # Errors
    /// A service without a name, or two with the same.
    pub fn table(&self) -> Result<Table, Misfit> {
        let mut table = Table::default();
        for (service, doc) in self.services.iter().enumerate() {
            let misfit = |server, text| Misfit { service, server, text };
            let key = doc.key().map_err(|e| misfit(None, e))?;
            let mut entry = ServiceEntry::new(doc.service(key.family()));
            for (i, server) in doc.servers.iter().enumerate() {
                let value = server.server();
                let endpoint = place(server.endpoint(&key), value.forward, &key);
                if entry.servers.insert(endpoint, value).is_some() {
                    return Err(misfit(
                        Some(i),
                        format!("real server {endpoint} of {key} stands there twice"),
                    ));
                }
            }
            if table.services.insert(key, entry).is_some() {
                return Err(misfit(None, format!("{key} stands there twice")));
            }
        }
        Ok(table)
    }

    /// Services and their servers in the order of the text, each server with its place in the table and the port that is
    /// written.
    pub(crate) fn items(&self) -> impl Iterator<Item = (ServiceKey, Vec<(Endpoint, u16)>)> {
        self.services.iter().filter_map(|doc| {
            let key = doc.key().ok()?;
            let server = |s: &ServerDoc| {
                let written = s.endpoint(&key);
                (place(written, s.server().forward, &key), written.port)
            };
            Some((key, doc.servers.iter().map(server).collect()))
        })
    }
}
