//! `use_vmac`: macvlans with the virtual MAC address (RFC 9568 7.3), so that addresses move without any host having to
//! learn another MAC.

use lvs_core::addr::{Family, Mac};
use lvs_core::sys::rtnl::{Link, Rtnl};
use lvs_core::sys::sysctl::{self, Key};
use nix::errno::Errno;

use crate::host::Host;
use crate::spec::Spec;

/// One macvlan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vmac {
    /// Its name, `vrrp.51`.
    pub name: String,
    /// Its address, 00:00:5e:00:01:33.
    pub mac: Mac,
    /// The name of the interface below it.
    pub base: String,
}

impl Vmac {
    /// Makes the interface and switches it on, where that is to be done and can be; true when something was done.
    ///
    /// # Errors
    /// What the kernel says.
    pub fn make(&self, host: &Host, rtnl: &mut Rtnl) -> Result<bool, String> {
        let Some(base) = host.link(&self.base) else { return Ok(false) };
        // The kernel puts a macvlan of a macvlan beside that one.
        let below = base.parent.filter(|_| is_macvlan(base)).and_then(|p| host.link_at(p));
        let base = below.unwrap_or(base);
        let fits = |l: &Link| l.parent == Some(base.index) && l.mac == Some(self.mac);
        let index = match host.link(&self.name).filter(|l| fits(l)) {
            // It cannot be switched on before what it stands on.
            Some(link) if link.up || !base.up => return Ok(false),
            Some(link) => link.index,
            None => {
                // Left by another configuration, or made by hand: it cannot serve, and two of one MAC address never can.
                let in_the_way = |l: &&Link| is_macvlan(l) && (l.name == self.name || fits(l));
                host.links().iter().filter(in_the_way).try_for_each(|l| remove(l, rtnl))?;
                self.add(base, rtnl)?
            }
        };
        if base.up {
            rtnl.set_up(index, true).map_err(|e| self.cannot(&e))?;
        }
        Ok(true)
    }

    fn add(&self, base: &Link, rtnl: &mut Rtnl) -> Result<u32, String> {
        rtnl.add_macvlan(&self.name, base.index, self.mac).map_err(|e| self.cannot(&e))?;
        self.quiet();
        let made = rtnl.link(&self.name).map_err(|e| self.cannot(&e))?;
        let index = made.map(|l| l.index).ok_or_else(|| format!("{} is gone again", self.name))?;
        // Before it is up, when the kernel begins to report memberships.
        if let Err(e) = rtnl.silence(index) {
            log::warn!("{} speaks while its router is not master: cannot silence it: {e}", self.name);
        }
        Ok(index)
    }

    fn cannot(&self, e: &lvs_core::sys::netlink::NetlinkError) -> String {
        format!("cannot make {} on {}: {e}", self.name, self.base)
    }

    /// Settings without which the wrong interface would answer: the base must stay silent about addresses of the macvlan, the
    /// macvlan must not make an address of its own nor answer when a successor asks for an address in its own name (gratuitous
    /// ARP), and replies to its packets may arrive at the base.
    fn quiet(&self) {
        let v4 = |interface: &str, name| Key::conf(Family::Inet, interface, name);
        for (key, value) in [
            (v4(&self.base, "arp_ignore"), 1),
            (v4(&self.name, "arp_ignore"), 1),
            (v4(&self.name, "rp_filter"), 0),
            (v4(&self.name, "accept_local"), 0),
            (Key::conf(Family::Inet6, &self.name, "addr_gen_mode"), 1),
        ] {
            if let Err(e) = sysctl::write(&key, value) {
                log::warn!("{e}");
            }
        }
    }

    /// Lets it speak, or keeps it silent.
    ///
    /// # Errors
    /// What the kernel says.
    pub fn let_speak(&self, speaks: bool, host: &Host, rtnl: &mut Rtnl) -> Result<(), String> {
        let Some(link) = host.link(&self.name).map(|l| l.index) else { return Ok(()) };
        match if speaks { rtnl.unsilence(link) } else { rtnl.silence(link) } {
            // It was not silent, or is gone.
            Err(e) if !matches!(e.errno, Errno::EINVAL | Errno::ENODEV) => {
                let what = if speaks { "let it speak" } else { "silence it" };
                Err(format!("{}: cannot {what}: {e}", self.name))
            }
            _ => Ok(()),
        }
    }

    /// Removes the interface and its addresses.
    ///
    /// # Errors
    /// What the kernel says.
    pub fn remove(&self, host: &Host, rtnl: &mut Rtnl) -> Result<(), String> {
        host.link(&self.name).map_or(Ok(()), |link| remove(link, rtnl))
    }
}

/// Whether it may be one of ours.
pub fn is_macvlan(link: &Link) -> bool {
    link.kind.as_deref() == Some("macvlan")
}

/// Removes a link that may be gone already.
///
/// # Errors
/// What the kernel says.
pub fn remove(link: &Link, rtnl: &mut Rtnl) -> Result<(), String> {
    match rtnl.remove_link(link.index) {
        Err(e) if e.errno != Errno::ENODEV => Err(format!("cannot remove {}: {e}", link.name)),
        _ => Ok(()),
    }
}

/// Macvlans that a killed run left behind: those of this configuration, and those with the MAC address of one of its virtual
/// routers on one of that one's interfaces.
pub fn ours<'h>(host: &'h Host, specs: &[&Spec]) -> Vec<&'h Link> {
    let of = |l: &Link, s: &Spec| {
        let macs = [Family::Inet, Family::Inet6].map(|f| Mac::virtual_router(f, s.vrid));
        let base = l.parent.and_then(|p| host.link_at(p));
        l.mac.is_some_and(|m| macs.contains(&m))
            && base.is_some_and(|b| b.name == s.interface || s.vips.iter().any(|v| v.dev == b.name))
    };
    let all = host.links().iter().filter(|l| is_macvlan(l));
    let wants = |s: &Spec, l: &Link| s.vmacs().any(|v| v.name == l.name);
    all.filter(|l| specs.iter().any(|s| wants(s, l) || of(l, s))).collect()
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;
    use std::time::Duration;

    use lvs_core::sys::rtnl::Change;

    use super::*;
    use crate::door::Door;
    use crate::packet::{Auth, Version};
    use crate::params::Params;
    use crate::spec::Vip;

    fn link(index: u32, name: &str, parent: Option<u32>, mac: Mac) -> Link {
        let kind = parent.map(|_| "macvlan".to_owned());
        Link { index, name: name.to_owned(), parent, kind, mac: Some(mac), ..Link::default() }
    }

    fn spec(vrid: u8) -> Spec {
        let vips = vec![Vip::plain("eth1", "10.0.1.9/32".parse().unwrap())];
        let door = Door {
            version: Version::V3,
            interval: Duration::from_secs(1),
            auth: Auth::None,
            vips: vips.iter().map(|v| v.prefix.addr).collect(),
            peers: Vec::new(),
            check_source: false,
            old_sum: None,
        };
        let group = IpAddr::from([224, 0, 0, 18]);
        Spec::new("V", "eth0", vrid, group, Params::default(), door, vips)
    }

    #[test]
    fn what_a_killed_run_left_is_known_by_mac_address_and_place() {
        let mac = |family, vrid| Mac::virtual_router(family, vrid);
        let mut host = Host::default();
        for l in [
            link(2, "eth0", None, Mac([2, 0, 0, 0, 0, 2])),
            link(3, "eth1", None, Mac([2, 0, 0, 0, 0, 3])),
            link(4, "eth2", None, Mac([2, 0, 0, 0, 0, 4])),
            link(5, "vrrp.51", Some(2), mac(Family::Inet, 51)),
            link(6, "vrrp6.51", Some(3), mac(Family::Inet6, 51)),
            link(7, "another", Some(2), mac(Family::Inet, 52)),
            link(8, "elsewhere", Some(4), mac(Family::Inet, 51)),
            link(9, "container", Some(2), Mac([2, 0, 0, 0, 0, 9])),
        ] {
            host.apply(&Change::Link(l));
        }
        let mut spec = spec(51);
        let names = |spec: &Spec| ours(&host, &[spec]).iter().map(|l| l.name.clone()).collect::<Vec<_>>();
        assert_eq!(names(&spec), ["vrrp.51", "vrrp6.51"]);
        let own = Vmac { name: "another".to_owned(), mac: mac(Family::Inet, 51), base: "eth0".to_owned() };
        spec.vmac = Some(own);
        assert_eq!(names(&spec), ["vrrp.51", "vrrp6.51", "another"]);
    }
}
