//! `use_vmac`: a macvlan with the virtual router's MAC address (RFC 9568 7.3), so that the address moves without any
//! host having to learn another MAC.

use lvs_core::addr::{Family, Mac};
use lvs_core::sys::rtnl::Rtnl;
use lvs_core::sys::sysctl::{self, Key};
use nix::errno::Errno;

use crate::host::Host;

/// One macvlan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vmac {
    /// Its name, `vrrp.51`.
    pub name: String,
    /// Its address, 00:00:5e:00:01:33.
    pub mac: Mac,
    /// Advertisements leave the underlying interface.
    pub xmit_base: bool,
}

impl Vmac {
    /// Makes the interface on its base, if it is not there as it must be; true when it was made now.
    ///
    /// # Errors
    /// What the kernel says.
    pub fn make(&self, base: u32, host: &Host, rtnl: &mut Rtnl) -> Result<bool, String> {
        if let Some(link) = host.link(&self.name) {
            if link.parent == Some(base) && link.mac == Some(self.mac) && link.up {
                return Ok(false);
            }
            // Left by another configuration, or made by hand: it cannot serve.
            self.remove(host, rtnl)?;
        }
        let fail = |e: lvs_core::sys::netlink::NetlinkError| format!("cannot make {}: {e}", self.name);
        rtnl.add_macvlan(&self.name, base, self.mac).map_err(fail)?;
        self.quiet(host, base);
        let made = rtnl.link(&self.name).map_err(fail)?;
        let index = made.map(|l| l.index).ok_or_else(|| format!("{} is gone again", self.name))?;
        rtnl.set_up(index, true).map_err(fail)?;
        Ok(true)
    }

    /// Settings without which the wrong interface would answer: the base must stay silent about addresses of the macvlan, the
    /// macvlan must not make an address of its own, and replies to its packets may arrive at the base.
    fn quiet(&self, host: &Host, base: u32) {
        let base = host.link_at(base).map(|l| l.name.clone()).unwrap_or_default();
        let v4 = |interface: &str, name| Key::conf(Family::Inet, interface, name);
        for (key, value) in [
            (v4(&base, "arp_ignore"), 1),
            (v4(&self.name, "arp_ignore"), 1),
            (v4(&self.name, "rp_filter"), 0),
            (v4(&self.name, "accept_local"), 1),
            (Key::conf(Family::Inet6, &self.name, "addr_gen_mode"), 1),
        ] {
            if let Err(e) = sysctl::write(&key, value) {
                log::warn!("{e}");
            }
        }
    }

    /// Removes the interface and its addresses.
    ///
    /// # Errors
    /// What the kernel says.
    pub fn remove(&self, host: &Host, rtnl: &mut Rtnl) -> Result<(), String> {
        let Some(link) = host.link(&self.name) else { return Ok(()) };
        match rtnl.remove_link(link.index) {
            Err(e) if e.errno != Errno::ENODEV => Err(format!("cannot remove {}: {e}", self.name)),
            _ => Ok(()),
        }
    }
}
