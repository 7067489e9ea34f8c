//! Which virtual routers this host runs, told to a second vrrpd on it.
//!
//! Two daemons in one network namespace would both be master of one virtual router: what one sends to the group, the other
//! does not hear. Each holds a name in the abstract namespace of Unix sockets for every virtual router; such names belong to
//! the network namespace and go with their daemon, however that ends. Anybody can take one: it counts if its holder is root or
//! our own user.

use std::collections::BTreeMap;
use std::io;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixListener};

use lvs_core::addr::Family;
use lvs_core::sys::limit::raise_descriptors;

use crate::holder::Holder;
use crate::spec::Spec;

/// Descriptors for everything else.
const SPARE: u64 = 512;

/// The names that are held, none instead where a stranger has it. Nobody is let in; whoever knocks learns who is there.
#[derive(Debug, Default)]
pub struct Claims(BTreeMap<String, Option<UnixListener>>);

impl Claims {
    /// Takes the names of these virtual routers, beside those that are held.
    ///
    /// # Errors
    /// Whom another daemon runs, each with a line; none is taken then.
    pub fn take<'a>(&mut self, specs: impl Iterator<Item = &'a Spec>) -> Result<(), String> {
        let (mut taken, mut refused) = (BTreeMap::new(), Vec::new());
        let specs: Vec<&Spec> = specs.collect();
        // Should that fail, a name that cannot be taken says why.
        let _ = raise_descriptors((self.0.len() + specs.len()) as u64 + SPARE);
        for spec in specs {
            let name = name(spec);
            if self.0.contains_key(&name) {
                continue;
            }
            match hold(&name) {
                Ok(socket) => drop(taken.insert(name, socket)),
                Err(e) => refused.push(why(spec, &e)),
            }
        }
        if !refused.is_empty() {
            return Err(refused.join("\n"));
        }
        self.0.append(&mut taken);
        Ok(())
    }

    /// Takes a name that was one of an earlier run; false where another daemon has it.
    pub fn may_have(&mut self, name: &str) -> bool {
        if !self.0.contains_key(name) {
            let Ok(held) = hold(name) else { return false };
            self.0.insert(name.to_owned(), held);
        }
        true
    }

    /// Gives up all names but those of these virtual routers.
    pub fn keep<'a>(&mut self, specs: impl Iterator<Item = &'a Spec>) {
        let kept: Vec<String> = specs.map(name).collect();
        self.0.retain(|name, _| kept.contains(name));
    }
}

/// What the name of a virtual router is.
pub fn name(spec: &Spec) -> String {
    let family = if spec.family == Family::Inet { 4 } else { 6 };
    format!("vrrpd-router/{}/{}/{family}", spec.vrid, spec.interface)
}

/// Binds a name. A stranger that has it is named, and nothing is held: nobody but root keeps a director from starting.
fn hold(name: &str) -> io::Result<Option<UnixListener>> {
    match SocketAddr::from_abstract_name(name).and_then(|a| UnixListener::bind_addr(&a)) {
        Ok(listener) => Ok(Some(listener)),
        Err(e) if e.kind() == io::ErrorKind::AddrInUse => match Holder::of(name) {
            Some(holder) if holder.is_trusted() => Err(io::Error::new(e.kind(), holder.to_string())),
            stranger => {
                let who = stranger
                    .map_or_else(|| "a program that does not say who it is".to_owned(), |h| h.to_string());
                log::warn!(
                    "{who}, holds the name @{name} and is no vrrpd of root's: going on without it ('ss -xap' shows it)"
                );
                Ok(None)
            }
        },
        Err(e) => Err(e),
    }
}

fn why(spec: &Spec, e: &io::Error) -> String {
    let Spec { name, vrid, interface, .. } = spec;
    if e.kind() == io::ErrorKind::AddrInUse {
        return format!(
            "{name}: another vrrpd of this host runs VRID {vrid} on {interface}, and both would be its master: stop that one, or give one of them another virtual_router_id ({e})"
        );
    }
    format!("{name}: cannot claim VRID {vrid} on {interface}: {e}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::door::Door;
    use crate::packet::{Auth, Version};
    use crate::params::Params;

    fn spec(vrid: u8) -> Spec {
        let door = Door {
            version: Version::V3,
            interval: std::time::Duration::from_secs(1),
            auth: Auth::None,
            vips: Vec::new(),
            peers: Vec::new(),
            check_source: false,
            old_sum: None,
        };
        let interface = format!("test{}", std::process::id());
        Spec::new("V", &interface, vrid, [224, 0, 0, 18].into(), Params::default(), door, Vec::new())
    }

    #[test]
    fn a_virtual_router_is_run_by_one_daemon_of_a_host() {
        let (mut first, mut second) = (Claims::default(), Claims::default());
        first.take([spec(1), spec(2)].iter()).expect("nobody has them");
        first.take([spec(1), spec(2)].iter()).expect("they are its own");
        let refused = second.take([spec(3), spec(2)].iter()).expect_err("the second is taken");
        assert!(refused.contains("another vrrpd of this host runs VRID 2 on test"), "{refused}");
        assert!(refused.contains(&format!("(process {}, ", std::process::id())), "{refused}");
        // Of a set that is refused nothing is taken.
        first.take([spec(3)].iter()).expect("it is free");
        first.keep([spec(1)].iter());
        second.take([spec(2), spec(3)].iter()).expect("they were given up");
    }
}
