//! The switch: a namespace of bridges to which every interface of every host is wired.

use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::host::{Host, Spaces, ip};
use crate::wait::fail;

/// A network of machines. Everything in it is gone when it goes.
pub struct Lab {
    wire: Wire,
}

/// The switch's side of the cables, shared by all hosts.
#[derive(Clone)]
pub(crate) struct Wire(Arc<Ports>);

struct Ports {
    switch: Host,
    ports: Mutex<Vec<Port>>,
}

/// Where a cable ends. Names of interfaces hold 15 bytes, hence numbered ports.
struct Port {
    host: String,
    nic: String,
    /// None when the cable was taken.
    name: Option<String>,
}

impl Default for Lab {
    fn default() -> Self {
        Self::new()
    }
}

impl Lab {
    /// A switch without hosts.
    ///
    /// # Panics
    /// When the kernel refuses namespaces: run it with cargo, whose runner finds a kernel.
    #[track_caller]
    pub fn new() -> Self {
        let lab = Self { wire: Wire::new() };
        lab.segment("br0");
        lab
    }

    /// Adds a machine with the interface ens192 on the switch and these addresses (`192.168.15.100/21`, `fd00::1/64`).
    #[track_caller]
    pub fn host(&self, name: &str, addresses: &[&str]) -> Host {
        let host = self.bare_host(name);
        host.nic("ens192", addresses);
        host
    }

    /// Adds a machine with nothing but lo.
    #[track_caller]
    pub fn bare_host(&self, name: &str) -> Host {
        Host::boot(name, Some(self.wire.clone())).unwrap_or_else(|e| fail(&format!("{e:#}")))
    }

    /// Adds a segment of its own, for [`Host::nic_on`]; the hosts' ens192 are on `br0`.
    #[track_caller]
    pub fn segment(&self, name: &str) {
        // Snooping would hold back IPv6 multicast that nobody has asked for yet: a plain switch does not.
        self.wire.ip(&format!("link add {name} type bridge mcast_snooping 0\nlink set {name} up\n"));
    }

    /// The switch itself, to look at what goes over the wire (its interfaces: `br0` and a port a cable).
    pub fn switch(&self) -> Host {
        self.wire.0.switch.clone()
    }

    /// The switch's port to which `nic` of the host `name` is wired.
    #[track_caller]
    pub fn port(&self, name: &str, nic: &str) -> String {
        self.wire.port(name, nic)
    }
}

impl Wire {
    #[track_caller]
    fn new() -> Self {
        let switch = Host::boot("switch", None).unwrap_or_else(|e| fail(&format!("{e:#}")));
        Self(Arc::new(Ports { switch, ports: Mutex::default() }))
    }

    #[track_caller]
    fn ip(&self, lines: &str) {
        ip(self.0.switch.spaces(), lines);
    }

    fn ports(&self) -> MutexGuard<'_, Vec<Port>> {
        self.0.ports.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Wires a new interface `nic` of a host to a segment and gives it its addresses.
    #[track_caller]
    pub(crate) fn connect(&self, host: &str, spaces: &Spaces, segment: &str, nic: &str, addresses: &[&str]) {
        let port = self.add_port(host, nic);
        let mac = mac(addresses).map_or_else(String::new, |mac| format!(" address {mac}"));
        let (there, here) = (spaces.pid(), self.0.switch.spaces().pid());
        self.ip(&format!(
            "link add {nic}{mac} netns {there} type veth peer name {port} netns {here}\n\
             link set {port} master {segment} up\n"
        ));
        let mut lines = format!("link set lo up\nlink set {nic} up\n");
        for address in addresses {
            lines += &format!("address add {address} dev {nic}\n");
        }
        ip(spaces, &lines);
    }

    fn add_port(&self, host: &str, nic: &str) -> String {
        let mut ports = self.ports();
        let name = format!("port{}", ports.len() + 1);
        ports.push(Port { host: host.to_owned(), nic: nic.to_owned(), name: Some(name.clone()) });
        name
    }

    #[track_caller]
    pub(crate) fn port(&self, host: &str, nic: &str) -> String {
        let ports = self.ports();
        let port = ports.iter().rev().find(|p| p.host == host && p.nic == nic);
        port.and_then(|p| p.name.clone()).unwrap_or_else(|| fail(&format!("{host} has no {nic}")))
    }

    /// Sets the port of a host's interface up or down: that is its cable.
    #[track_caller]
    pub(crate) fn set(&self, host: &str, nic: &str, state: &str) {
        self.ip(&format!("link set {} {state}\n", self.port(host, nic)));
    }

    /// Takes every cable of a host.
    #[track_caller]
    pub(crate) fn remove(&self, host: &str) {
        let mut ports = self.ports();
        let lines = ports.iter_mut().filter(|p| p.host == host).filter_map(|p| p.name.take());
        // All down first: silence must come at once, the removal of a pair takes its time.
        let names: Vec<_> = lines.collect();
        let mut lines: String = names.iter().map(|n| format!("link set {n} down\n")).collect();
        lines.extend(names.iter().map(|n| format!("link delete {n}\n")));
        drop(ports);
        self.ip(&lines);
    }
}

/// 02:00 and the first IPv4 address: whoever reads an ARP line sees at once whose it is.
fn mac(addresses: &[&str]) -> Option<String> {
    let v4 =
        addresses.iter().find_map(|a| a.split('/').next().unwrap_or_default().parse::<Ipv4Addr>().ok())?;
    let [a, b, c, d] = v4.octets();
    Some(format!("02:00:{a:02x}:{b:02x}:{c:02x}:{d:02x}"))
}
