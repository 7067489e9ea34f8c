//! IPVS of the network namespace that the process is in: one socket, one family look-up, batches.

use std::process::{Command, Stdio};

use nix::errno::Errno;

use super::netlink::{Batch, Netlink, NetlinkError};
use crate::addr::Family;
use crate::ipvs::uapi::{self, cmd};
use crate::ipvs::{Info, Ipvs, IpvsError, ServerState, ServiceState, decode, encode, table};
use crate::nlattr;
use crate::plan::{Daemon, Op, Timeouts};
use crate::table::{ServiceKey, Table};

/// The message type of the generic netlink controller, which knows the families' numbers.
const CONTROLLER: u16 = 16;
const CTRL_CMD_GETFAMILY: u8 = 3;
const CTRL_ATTR_FAMILY_ID: u16 = 1;
const CTRL_ATTR_FAMILY_NAME: u16 = 2;
/// The length of a generic netlink header: command, version, two reserved bytes.
const GENL_HEADER: usize = 4;

/// Operations in one write. The answers to as many refusals fit the default receive queue (277), and more in one
/// write gain nothing measurable.
pub const BATCH: usize = 256;

/// Why there is no client.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// The kernel has no IPVS, and loading the module failed for this reason.
    #[error(
        "this kernel has no IPVS loaded, and 'modprobe ip_vs' failed: {0}; \
         load it as root on the host ('modprobe ip_vs'; a container cannot), or use a kernel that has CONFIG_IP_VS"
    )]
    NoIpvs(String),
    /// The conversation failed.
    #[error("cannot talk to the kernel over netlink: {0}")]
    Netlink(NetlinkError),
}

/// A connection to the kernel's IPVS.
pub struct Client {
    netlink: Netlink,
    family: u16,
    body: Vec<u8>,
    batch: Batch,
}

impl Client {
    /// Finds the family, loading the module `ip_vs` if the kernel lacks it.
    pub fn open() -> Result<Self, OpenError> {
        let mut netlink = Netlink::generic().map_err(|e| OpenError::Netlink(e.into()))?;
        let family = match find_family(&mut netlink) {
            Err(e) if e.errno == Errno::ENOENT => {
                let loaded = load_module();
                find_family(&mut netlink)
                    .map_err(|_| OpenError::NoIpvs(loaded.err().unwrap_or_else(|| "no effect".to_owned())))?
            }
            other => other.map_err(OpenError::Netlink)?,
        };
        Ok(Self { netlink, family, body: Vec::new(), batch: Batch::default() })
    }

    /// Version and connection table size.
    pub fn info(&mut self) -> Result<Info, IpvsError> {
        self.ask(cmd::GET_INFO)?.as_deref().and_then(decode::info).ok_or_else(no_answer)
    }

    /// The connection timeouts.
    pub fn timeouts(&mut self) -> Result<Timeouts, IpvsError> {
        self.ask(cmd::GET_CONFIG)?.as_deref().and_then(decode::timeouts).ok_or_else(no_answer)
    }

    /// Calls `each` with every service, in the kernel's order.
    pub fn services(&mut self, mut each: impl FnMut(ServiceState)) -> Result<(), IpvsError> {
        self.begin(cmd::GET_SERVICE);
        self.dump(|body| {
            if let Some(service) = decode::service(body) {
                each(service);
            }
        })
    }

    /// One service; none if there is no such service.
    pub fn service(&mut self, key: &ServiceKey) -> Result<Option<ServiceState>, IpvsError> {
        self.begin(cmd::GET_SERVICE);
        encode::key(&mut self.body, key);
        match self.netlink.request(self.family, 0, &self.body) {
            Ok(answer) => Ok(answer.as_deref().and_then(payload).and_then(decode::service)),
            Err(e) if e.errno == Errno::ESRCH => Ok(None),
            Err(e) => Err(read_error(&e)),
        }
    }

    /// Calls `each` with every server of a service, in the kernel's order; with none if there is no such service.
    pub fn servers(&mut self, key: &ServiceKey, mut each: impl FnMut(ServerState)) -> Result<(), IpvsError> {
        let family = key.family();
        self.begin(cmd::GET_DEST);
        encode::key(&mut self.body, key);
        self.dump(|body| each_server(body, family, &mut each))
    }

    /// The sync daemons that run.
    pub fn daemons(&mut self) -> Result<Vec<Daemon>, IpvsError> {
        let mut daemons = Vec::new();
        self.begin(cmd::GET_DAEMON);
        self.dump(|body| daemons.extend(decode::daemon(body)))?;
        Ok(daemons)
    }

    /// Does at most [`BATCH`] operations in one write and calls `refused` with the index of each that failed. An
    /// `Err` means that it is unknown which were done.
    pub fn write(&mut self, ops: &[Op], mut refused: impl FnMut(usize, IpvsError)) -> Result<(), IpvsError> {
        self.batch.clear();
        for op in ops {
            self.batch.push(self.family, 0, |b| {
                b.extend_from_slice(&[encode::command(op), uapi::VERSION, 0, 0]);
                encode::op(b, op);
            });
        }
        let refusal = |i: usize, e: NetlinkError| refused(i, IpvsError::of(&ops[i], e.errno as i32));
        self.netlink.send_batch(&mut self.batch, refusal).map_err(|e| read_error(&e))
    }

    fn begin(&mut self, command: u8) {
        self.body.clear();
        self.body.extend_from_slice(&[command, uapi::VERSION, 0, 0]);
    }

    fn ask(&mut self, command: u8) -> Result<Option<Vec<u8>>, IpvsError> {
        self.begin(command);
        let answer = self.netlink.request(self.family, 0, &self.body).map_err(|e| read_error(&e))?;
        Ok(answer.as_deref().and_then(payload).map(<[u8]>::to_vec))
    }

    /// IPVS never says that a dump was disturbed, so there is nothing to repeat.
    fn dump(&mut self, mut each: impl FnMut(&[u8])) -> Result<(), IpvsError> {
        let each = |m: super::netlink::Message<'_>| {
            if let Some(body) = payload(m.body) {
                each(body);
            }
        };
        self.netlink.dump(self.family, &self.body, each).map(|_| ()).map_err(|e| read_error(&e))
    }
}

impl Ipvs for Client {
    fn read(&mut self) -> Result<Table, IpvsError> {
        let mut services = Vec::new();
        self.services(|s| services.push(s))?;
        let mut entries = Vec::with_capacity(services.len());
        for service in services {
            let mut servers = Vec::new();
            self.servers(&service.key, |s| servers.push(s))?;
            entries.push((service, servers));
        }
        Ok(table(entries))
    }

    fn apply(&mut self, ops: &[Op]) -> Vec<Result<(), IpvsError>> {
        let mut results = vec![Ok(()); ops.len()];
        for (chunk, out) in ops.chunks(BATCH).zip(results.chunks_mut(BATCH)) {
            if let Err(broken) = self.write(chunk, |i, e| out[i] = Err(e)) {
                out.fill(Err(broken));
            }
        }
        results
    }
}

fn each_server(body: &[u8], family: Family, each: &mut impl FnMut(ServerState)) {
    if let Some(server) = decode::server(body, family) {
        each(server);
    }
}

fn payload(body: &[u8]) -> Option<&[u8]> {
    body.get(GENL_HEADER..)
}

fn find_family(netlink: &mut Netlink) -> Result<u16, NetlinkError> {
    let mut body = vec![CTRL_CMD_GETFAMILY, uapi::VERSION, 0, 0];
    nlattr::put_str(&mut body, CTRL_ATTR_FAMILY_NAME, uapi::FAMILY);
    let answer = netlink.request(CONTROLLER, 0, &body)?;
    let id = answer.as_deref().and_then(payload).and_then(|b| {
        let mut all = nlattr::attrs(b);
        all.find(|a| a.kind == CTRL_ATTR_FAMILY_ID).and_then(|a| a.u16())
    });
    id.ok_or(NetlinkError { errno: Errno::ENOENT, text: None })
}

/// Asks modprobe for `ip_vs`; the error is modprobe's own words.
fn load_module() -> Result<(), String> {
    let run = Command::new("/sbin/modprobe").args(["--", "ip_vs"]).stdin(Stdio::null()).output();
    let output = run.map_err(|e| format!("/sbin/modprobe: {e}"))?;
    if output.status.success() {
        return Ok(());
    }
    let words = String::from_utf8_lossy(&output.stderr);
    Err(words.trim().trim_start_matches("modprobe: ").replace('\n', "; "))
}

fn no_answer() -> IpvsError {
    IpvsError { errno: 0, text: "the kernel's answer is not understood".to_owned() }
}

fn read_error(e: &NetlinkError) -> IpvsError {
    let text = match e.errno {
        Errno::EPERM => "no rights: the IPVS table needs CAP_NET_ADMIN; run this as root".to_owned(),
        _ => format!("netlink: {e}"),
    };
    IpvsError { errno: e.errno as i32, text }
}
