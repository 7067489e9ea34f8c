//! What changes on the host when the addresses, routes and rules of an instance are others after a reload.

use crate::instance::{Instance, is_held, unheld};
use crate::iproute::Line;
use crate::spec::{Spec, Vip};

/// To be done in this order: what stays never vanishes, and what is new comes before what goes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Swap {
    /// Addresses to set.
    pub set: Vec<Vip>,
    /// Addresses to remove.
    pub unset: Vec<Vip>,
    /// Routes and rules to set.
    pub add: Vec<Line>,
    /// Those to remove.
    pub remove: Vec<Line>,
}

impl Swap {
    /// For the instance at this place, which had the old configuration until now.
    pub fn new(instances: &[Instance], at: usize, old: &Spec) -> Self {
        let Instance { spec, router, owned, .. } = &instances[at];
        let mut swap = Self::default();
        if router.state().holds() {
            swap.set = spec.vips.iter().filter(|v| !old.vips.contains(v)).cloned().collect();
            swap.add = only(&spec.lines, &old.lines, |l| &l.add);
        }
        // A master that was outdone takes nothing new. What it still has and will give up in a moment is what it then knows:
        // the new configuration.
        if router.holds() {
            let unwanted = |v: &&Vip| {
                !spec.vips.iter().any(|new| new.is_at(v))
                    && !owned.contains(&v.prefix.addr)
                    && !is_held(instances, at, v)
            };
            swap.unset = old.vips.iter().filter(unwanted).cloned().collect();
            swap.remove = unheld(instances, at, only(&old.lines, &spec.lines, |l| &l.remove));
        }
        swap
    }
}

/// Those whose text is in the first list only.
fn only(a: &[Line], b: &[Line], text: fn(&Line) -> &String) -> Vec<Line> {
    a.iter().filter(|l| !b.iter().any(|o| text(o) == text(l))).cloned().collect()
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;
    use std::time::Duration;

    use lvs_core::time::Time;

    use super::*;
    use crate::door::{Advert, Door};
    use crate::packet::{Auth, Version};
    use crate::params::Params;
    use crate::words::{Input, State};

    const SECOND: Duration = Duration::from_secs(1);

    fn vip(last: u8) -> Vip {
        Vip::plain("ens192", format!("192.168.15.{last}/32").parse().unwrap())
    }

    fn line(route: &str) -> Line {
        Line { add: format!("add {route}"), remove: format!("del {route}"), no_track: false }
    }

    fn spec(vips: [u8; 2], route: &str) -> Spec {
        let (auth, peers) = (Auth::None, Vec::new());
        let door = Door {
            version: Version::V2,
            interval: SECOND,
            auth,
            vips: Vec::new(),
            peers,
            check_source: false,
            old_sum: None,
        };
        let group = [224, 0, 0, 18].into();
        let vips = vips.map(vip).to_vec();
        let mut spec = Spec::new("V", "ens192", 51, group, Params::default(), door, vips);
        spec.lines.push(line(route));
        spec
    }

    /// One whose configuration was the old one, with what is to be done now.
    fn swap(prepare: impl FnOnce(&mut Instance)) -> (State, Swap) {
        let mut instance = Instance::new(spec([111, 112], "old"));
        instance.router.handle(Input::Start, Time::ZERO, &mut Vec::new());
        prepare(&mut instance);
        let old = std::mem::replace(&mut instance.spec, spec([112, 113], "new"));
        (instance.router.state(), Swap::new(&[instance], 0, &old))
    }

    fn win(instance: &mut Instance) {
        instance.router.handle(Input::Tick, Time::ZERO + 4 * SECOND, &mut Vec::new());
    }

    #[test]
    fn a_master_takes_what_is_new_and_gives_up_what_is_gone() {
        let wanted = Swap {
            set: vec![vip(113)],
            unset: vec![vip(111)],
            add: vec![line("new")],
            remove: vec![line("old")],
        };
        assert_eq!(swap(win), (State::Master, wanted));
        assert_eq!(swap(|_| ()), (State::Backup, Swap::default()));
    }

    /// It gives them up in a moment, and would leave behind what the new configuration does not know.
    #[test]
    fn a_master_that_was_just_outdone_gives_up_what_is_gone_and_takes_nothing() {
        let outdone = |instance: &mut Instance| {
            win(instance);
            let advert = Advert { src: IpAddr::from([192, 168, 15, 1]), priority: 200, interval: SECOND };
            instance.router.handle(Input::Advert(advert), Time::ZERO + 5 * SECOND, &mut Vec::new());
        };
        let wanted = Swap { unset: vec![vip(111)], remove: vec![line("old")], ..Swap::default() };
        assert_eq!(swap(outdone), (State::Backup, wanted));
    }
}
