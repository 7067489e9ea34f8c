//! From the JSON to the table that it describes.

use lvs_core::addr::{Endpoint, Family};
use lvs_core::table::{Forward, Server, Service, ServiceEntry, ServiceFlags, ServiceKey, Table, Tunnel};

use super::{Document, FLAGS, Method, ServerDoc, ServiceDoc, TunnelDoc};

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

impl Document {
    /// The table that it describes.
    ///
    /// # Errors
    /// A service without a name, or two with the same.
    pub fn table(&self) -> Result<Table, String> {
        let mut table = Table::default();
        for (i, doc) in self.services.iter().enumerate() {
            let key = doc.key().map_err(|e| format!("services[{i}]: {e}"))?;
            let mut entry = ServiceEntry::new(doc.service(key.family()));
            for server in &doc.servers {
                let endpoint = Endpoint { addr: server.address, port: server.port };
                if entry.servers.insert(endpoint, server.server()).is_some() {
                    return Err(format!("services[{i}]: real server {endpoint} stands there twice"));
                }
            }
            if table.services.insert(key, entry).is_some() {
                return Err(format!("services[{i}]: {key} stands there twice"));
            }
        }
        Ok(table)
    }
}
