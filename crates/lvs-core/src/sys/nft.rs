//! A packet filter over nftables: what this host must not accept though an address of its own is meant.
//!
//! One table of the family inet holds a set of addresses for each IP family and one chain, which drops packets to them
//! but for IPv6's neighbour discovery: ARP is no IP, and an address that nobody can resolve would be of no use at all.
//! The chain comes after IPVS (its hooks at LOCAL_IN end with the priority 99, NF_IP_PRI_NAT_SRC - 1): what a virtual
//! service forwards is not accepted by this host and passes.

use std::io;
use std::net::IpAddr;
use std::path::Path;

use nix::errno::Errno;

use super::netlink::{Batch, CREATE, Netlink, NetlinkError};
use crate::addr::Family;
use crate::nlattr::{nest, put, put_str};

mod expression;
mod family;
mod uapi;

use expression::number;
use family::facts;
use uapi::{chain, elem, list, message, rule, set, table};

/// After IPVS, see above.
const PRIORITY: i32 = 110;
const FAMILIES: [Family; 2] = [Family::Inet, Family::Inet6];
const CHAIN: &str = "in";

/// Whether the kernel has nftables, without making it load the module.
pub fn is_loaded() -> bool {
    // A kernel that has it built in may show nothing under /sys/module, but then there is no module to load either.
    let installed = || {
        let release = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
        let modules = std::fs::read_to_string(format!("/lib/modules/{}/modules.dep", release.trim_end()));
        modules.is_ok_and(|list| list.contains("/nf_tables.ko"))
    };
    Path::new("/sys/module/nf_tables").exists() || !installed()
}

/// A table of this process in the network namespace that it is in.
pub struct Filter {
    netlink: Netlink,
    table: String,
    batch: Batch,
}

impl Filter {
    /// A filter in a table of this name; nothing is changed yet.
    ///
    /// # Errors
    /// The kernel has no netfilter netlink.
    pub fn open(table: &str) -> io::Result<Self> {
        Ok(Self { netlink: Netlink::netfilter()?, table: table.to_owned(), batch: Batch::default() })
    }

    /// Makes the table, with no address in it; one that an earlier run left goes.
    ///
    /// # Errors
    /// The kernel has no nftables, or CAP_NET_ADMIN is missing.
    pub fn install(&mut self) -> Result<(), NetlinkError> {
        self.begin();
        self.table(message::NEW_TABLE);
        self.table(message::DEL_TABLE);
        self.table(message::NEW_TABLE);
        for (id, family) in (1..).zip(FAMILIES) {
            self.set(family, id);
        }
        self.chain();
        for kind in [uapi::ND_SOLICIT, uapi::ND_ADVERT] {
            self.rule(|b| expression::accept_discovery(b, kind));
        }
        for family in FAMILIES {
            self.rule(|b| expression::drop_listed(b, &facts(family)));
        }
        self.commit()
    }

    /// Removes the table, if there is one.
    ///
    /// # Errors
    /// As [`Filter::install`].
    pub fn remove(&mut self) -> Result<(), NetlinkError> {
        self.begin();
        self.table(message::NEW_TABLE);
        self.table(message::DEL_TABLE);
        self.commit()
    }

    /// Adds addresses and takes others out, all at once.
    ///
    /// # Errors
    /// As [`Filter::install`]; nothing is changed then.
    pub fn change(&mut self, add: &[IpAddr], remove: &[IpAddr]) -> Result<(), NetlinkError> {
        self.begin();
        for (kind, addresses) in [(message::NEW_ELEM, add), (message::DEL_ELEM, remove)] {
            for addr in addresses {
                self.element(kind, *addr);
            }
        }
        if self.batch.len() == 1 { Ok(()) } else { self.commit() }
    }

    fn begin(&mut self) {
        self.batch.clear();
        self.batch.push(message::BATCH_BEGIN, 0, |b| header(b, 0, uapi::SUBSYSTEM));
    }

    fn commit(&mut self) -> Result<(), NetlinkError> {
        self.batch.push(message::BATCH_END, 0, |b| header(b, 0, uapi::SUBSYSTEM));
        self.netlink.transaction(&mut self.batch)
    }

    /// A message of nftables about this table.
    fn push(&mut self, kind: u16, flags: u16, name: u16, fill: impl FnOnce(&mut Vec<u8>)) {
        let table = &self.table;
        self.batch.push(uapi::SUBSYSTEM << 8 | kind, flags, |b| {
            header(b, uapi::INET, 0);
            put_str(b, name, table);
            fill(b);
        });
    }

    fn table(&mut self, kind: u16) {
        let flags = if kind == message::NEW_TABLE { CREATE } else { 0 };
        self.push(kind, flags, table::NAME, |_| ());
    }

    fn set(&mut self, family: Family, id: u32) {
        let facts = facts(family);
        self.push(message::NEW_SET, CREATE, set::TABLE, |b| {
            put_str(b, set::NAME, facts.set);
            number(b, set::FLAGS, 0);
            number(b, set::KEY_TYPE, facts.key_type);
            number(b, set::KEY_LEN, facts.len);
            number(b, set::ID, id);
        });
    }

    fn chain(&mut self) {
        self.push(message::NEW_CHAIN, CREATE, chain::TABLE, |b| {
            put_str(b, chain::NAME, CHAIN);
            nest(b, chain::HOOK, |b| {
                number(b, chain::HOOK_NUMBER, uapi::LOCAL_IN);
                put(b, chain::HOOK_PRIORITY, &PRIORITY.to_be_bytes());
            });
            number(b, chain::POLICY, uapi::ACCEPT);
            put_str(b, chain::TYPE, "filter");
        });
    }

    fn rule(&mut self, expressions: impl FnOnce(&mut Vec<u8>)) {
        self.push(message::NEW_RULE, CREATE | APPEND, rule::TABLE, |b| {
            put_str(b, rule::CHAIN, CHAIN);
            nest(b, rule::EXPRESSIONS, expressions);
        });
    }

    fn element(&mut self, kind: u16, addr: IpAddr) {
        let flags = if kind == message::NEW_ELEM { CREATE } else { 0 };
        self.push(kind, flags, elem::TABLE, |b| {
            put_str(b, elem::SET, facts(Family::of(addr)).set);
            nest(b, elem::ELEMENTS, |b| {
                nest(b, list::ELEM, |b| {
                    nest(b, elem::KEY, |b| match addr {
                        IpAddr::V4(a) => put(b, uapi::VALUE, &a.octets()),
                        IpAddr::V6(a) => put(b, uapi::VALUE, &a.octets()),
                    });
                });
            });
        });
    }
}

/// Whether nftables holds anything in this network namespace; a kernel without it, or that has not loaded it, holds nothing.
///
/// # Errors
/// `EPERM` without CAP_NET_ADMIN.
pub fn any_table() -> Result<bool, NetlinkError> {
    // Who only looks must not make the kernel load it.
    if !is_loaded() {
        return Ok(false);
    }
    let mut body = Vec::new();
    header(&mut body, 0, 0);
    let mut any = false;
    let asked = Netlink::netfilter().map_err(NetlinkError::from).and_then(|mut netlink| {
        netlink.dump(uapi::SUBSYSTEM << 8 | message::GET_TABLE, &body, |_| any = true)
    });
    match asked {
        Ok(_) => Ok(any),
        // No netlink for netfilter, or no such subsystem in it: outside of a batch that is EINVAL.
        Err(e) if e.is_unsupported() || e.errno == Errno::EINVAL => Ok(false),
        Err(e) => Err(e),
    }
}

/// NLM_F_APPEND: rules stand in the order in which they come.
const APPEND: u16 = 0x800;

/// struct nfgenmsg.
fn header(b: &mut Vec<u8>, family: u8, resource: u16) {
    b.extend_from_slice(&[family, 0]);
    b.extend_from_slice(&resource.to_be_bytes());
}

#[cfg(test)]
mod tests;
