//! What this daemon would leave behind if it was killed, written down while it lives.
//!
//! After a kill the file alone does not say what is left: it may have been broken or edited, or an instance taken out of it. And
//! whom the administrator has released stays so: `release`, an upgrade that restarts the daemon, `resume`.

use std::fs;
use std::io;
use std::net::IpAddr;
use std::path::Path;

use lvs_core::addr::{Mac, Prefix};
use serde::{Deserialize, Serialize};

use crate::claim::{self, Claims};
use crate::edge::Edge;
use crate::instance::Instance;
use crate::iproute;
use crate::place::Place;
use crate::spec::Vip;
use crate::vmac;

/// All of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Estate {
    /// By virtual router, without those that have nothing.
    routers: Vec<Left>,
    /// The instances that the administrator has released.
    pub released: Vec<String>,
}

/// What one virtual router has set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Left {
    /// The name that tells whether somebody runs it.
    claim: String,
    addresses: Vec<Held>,
    /// Its VMACs.
    links: Vec<(String, Mac)>,
    /// Lines that remove its routes and rules.
    lines: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Held {
    dev: String,
    prefix: Prefix,
    peer: Option<IpAddr>,
}

impl Estate {
    /// What these instances have set by now.
    pub fn of(instances: &[Instance]) -> Self {
        let released = instances.iter().filter(|i| !i.retired && i.router.is_released());
        Self {
            routers: instances.iter().map(left).filter(|l| !l.is_empty()).collect(),
            released: released.map(|i| i.spec.name.clone()).collect(),
        }
    }

    fn is_empty(&self) -> bool {
        self.routers.is_empty() && self.released.is_empty()
    }

    /// What is left of it when everything is removed.
    pub fn cleared(self) -> Self {
        Self { routers: Vec::new(), ..self }
    }

    /// Removes what is still there of it, but no address that is the host's own, and nothing of a router that another daemon
    /// runs. Gives what was removed and what could not be.
    pub fn remove(
        &self,
        edge: &mut Edge,
        claims: &mut Claims,
        owned: &[IpAddr],
    ) -> (Vec<String>, Vec<String>) {
        let (mut removed, mut failed) = (Vec::new(), Vec::new());
        for left in self.routers.iter().filter(|l| claims.may_have(&l.claim)) {
            let held = left.addresses.iter().filter(|h| !owned.contains(&h.prefix.addr));
            for vip in held.map(Held::vip).filter(|v| edge.is_set(v)).collect::<Vec<_>>() {
                match edge.unset(&vip) {
                    Ok(true) => removed.push(vip.to_string()),
                    Ok(false) => {}
                    Err(e) => failed.push(format!("{vip}: {e}")),
                }
            }
            for link in left
                .links
                .iter()
                .filter_map(|(name, mac)| edge.host.link(name).filter(|l| l.mac == Some(*mac)))
            {
                match vmac::remove(link, &mut edge.rtnl) {
                    Ok(()) => removed.push(link.name.clone()),
                    Err(e) => failed.push(e),
                }
            }
            match iproute::remove_left(left.lines.iter()) {
                Ok(lines) => removed.extend(lines),
                Err(e) => failed.push(e),
            }
        }
        (removed, failed)
    }
}

impl Left {
    fn is_empty(&self) -> bool {
        self.addresses.is_empty() && self.links.is_empty() && self.lines.is_empty()
    }
}

impl Held {
    fn vip(&self) -> Vip {
        Vip { peer: self.peer, ..Vip::plain(&self.dev, self.prefix) }
    }
}

fn left(instance: &Instance) -> Left {
    let (spec, holds) = (&instance.spec, instance.router.holds());
    let ours = |v: &&Vip| holds && !instance.unset.has(v) && !instance.owned.contains(&v.prefix.addr);
    let held = |v: &Vip| Held { dev: v.dev.clone(), prefix: v.prefix, peer: v.peer };
    let lines = spec.lines.iter().filter(|l| holds && !instance.unset_lines.has(l));
    Left {
        claim: claim::name(spec),
        addresses: spec.vips.iter().filter(ours).map(held).collect(),
        links: spec.vmacs().map(|v| (v.name.clone(), v.mac)).collect(),
        lines: lines.map(|l| l.remove.clone()).collect(),
    }
}

/// Keeps it on file.
pub struct Keeper {
    place: Place,
    /// None: what is on file is not what it should be.
    written: Option<Estate>,
    told: bool,
}

impl Keeper {
    /// In this place, with what an earlier run has left there.
    pub fn open(place: Place) -> (Self, Estate) {
        let path = &place.estate;
        let left = read(path).unwrap_or_else(|e| {
            log::warn!(
                "{}: {e}: what an earlier run has left is known from the configuration only",
                path.display()
            );
            Estate::default()
        });
        (Self { place, written: Some(left.clone()), told: false }, left)
    }

    /// Whom the file knows as released.
    pub fn released(&self) -> Vec<String> {
        self.written.as_ref().map(|w| w.released.clone()).unwrap_or_default()
    }

    /// Writes it down if it is another one. A disk that does not take it is told of once: nothing else depends on it.
    pub fn keep(&mut self, estate: Estate) {
        if self.written.as_ref() == Some(&estate) {
            return;
        }
        let result = self.write(&estate);
        match &result {
            Err(e) if !self.told => log::warn!(
                "{}: {e}: after a kill what is set now is known from the configuration only, and a release is forgotten",
                self.place.estate.display()
            ),
            Ok(()) if self.told => log::info!("{}: written again", self.place.estate.display()),
            _ => (),
        }
        self.told = result.is_err();
        self.written = result.is_ok().then_some(estate);
    }

    fn write(&self, estate: &Estate) -> io::Result<()> {
        if estate.is_empty() {
            return match fs::remove_file(&self.place.estate) {
                Err(e) if e.kind() != io::ErrorKind::NotFound => Err(e),
                _ => Ok(()),
            };
        }
        let new = self.place.estate.with_extension("new");
        fs::write(&new, serde_json::to_vec(estate)?)?;
        fs::rename(&new, &self.place.estate)
    }
}

fn read(path: &Path) -> io::Result<Estate> {
    match fs::read(path) {
        Ok(bytes) => Ok(serde_json::from_slice(&bytes)?),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(Estate::default()),
        Err(e) => Err(e),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use lvs_core::time::Time;

    use super::*;
    use crate::door::Door;
    use crate::packet::{Auth, Version};
    use crate::params::Params;
    use crate::spec::Spec;
    use crate::words::Input;

    fn master() -> Instance {
        let interval = Duration::from_secs(1);
        let (auth, vips, peers) = (Auth::None, Vec::new(), Vec::new());
        let door =
            Door { version: Version::V2, interval, auth, vips, peers, check_source: false, old_sum: None };
        let vips =
            [111, 112, 113].map(|n| Vip::plain("ens192", format!("192.168.15.{n}/32").parse().unwrap()));
        let group = [224, 0, 0, 18].into();
        let spec = Spec::new("VI_1", "ens192", 51, group, Params::default(), door, vips.to_vec());
        let mut instance = Instance::new(spec);
        for (input, seconds) in [(Input::Start, 0), (Input::Tick, 4)] {
            instance.router.handle(input, Time::ZERO + seconds * interval, &mut Vec::new());
        }
        instance
    }

    #[test]
    fn what_is_set_is_what_was_set_by_us() {
        let mut instance = master();
        let why = Err("there is no interface".to_owned());
        instance.unset.enter(&instance.spec.vips[1].clone(), &why, Time::ZERO);
        instance.owned.push(instance.spec.vips[2].prefix.addr);
        let estate = Estate::of(&[instance]);
        let held: Vec<String> = estate.routers[0].addresses.iter().map(|h| h.vip().to_string()).collect();
        assert_eq!(held, ["192.168.15.111/32 on ens192"]);
        let mut gone = master();
        gone.router.handle(Input::Release, Time::ZERO, &mut Vec::new());
        gone.router.handle(Input::Tick, Time::ZERO + Duration::from_secs(60), &mut Vec::new());
        assert_eq!(Estate::of(&[gone]), Estate { routers: Vec::new(), released: vec!["VI_1".to_owned()] });
    }

    #[test]
    fn it_is_read_as_it_was_written_and_gone_when_there_is_nothing() {
        let run = std::env::temp_dir().join(format!("vrrpd-estate-{}", std::process::id()));
        let open = || Keeper::open(Place::take(&run, "vrrpd").unwrap());
        let (mut keeper, left) = open();
        let path = keeper.place.estate.clone();
        assert_eq!(left, Estate::default());
        let mut estate = Estate::of(&[master()]);
        estate.released.push("VI_2".to_owned());
        keeper.keep(estate.clone());
        assert_eq!(keeper.released(), ["VI_2"]);
        drop(keeper);
        let (mut keeper, left) = open();
        assert_eq!(left, estate);
        keeper.keep(Estate::default());
        drop(keeper);
        assert!(!path.exists());
        fs::write(&path, "{").unwrap();
        assert_eq!(open().1, Estate::default());
        fs::remove_dir_all(run).unwrap();
    }
}
