//! Decides how to take VIPs off a host: the address goes first, the earlier settings come back last.

use lvs_core::addr::Prefix;
use lvs_core::sys::sysctl::Key;

use crate::host::{Held, HostState};
use crate::saved::{Kept, Saved};
use crate::step::Step;
use crate::vip::{self, Vip};

/// What `down` does, and what it leaves alone on purpose.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Down {
    /// Routes, then addresses, then the earlier settings.
    pub steps: Vec<Step>,
    /// What is to be remembered afterwards.
    pub saved: Saved,
    /// The VIPs that this host held, and holds no more afterwards.
    pub gone: Vec<Vip>,
    /// Sentences for the admin.
    pub notices: Vec<String>,
}

/// The steps that take VIPs off this host; the earlier settings come back with the last of them.
///
/// `now` reads a setting as it is; `None` when its interface is gone.
pub fn down(host: &HostState, vips: &[Vip], saved: &Saved, now: impl Fn(&Key) -> Option<i32>) -> Down {
    // Earlier versions remembered a VIP once for lo and once for the tunnel.
    let vips = &vip::once(vips);
    let mut down = Down { saved: saved.without(vips), ..Down::default() };
    for vip in vips {
        let routes = host.host_routes(vip.addr).filter(|route| host.is_quiet(&route.device));
        down.steps
            .extend(routes.map(|route| Step::RemoveRoute { addr: vip.addr, device: route.device.clone() }));
    }
    for vip in vips {
        let known = saved.vips.iter().any(|known| known.addr == vip.addr);
        down.remove(host, *vip, known);
    }
    down.switch_off();
    if down.saved.vips.iter().all(|vip| vip.addr.is_ipv6()) {
        down.restore(host, vips, now);
    }
    down
}

impl Down {
    fn remove(&mut self, host: &HostState, vip: Vip, known: bool) {
        let (quiet, loud): (Vec<_>, Vec<_>) = host.holding(vip.addr).partition(|held| host.is_vip(held));
        match (loud.is_empty(), quiet.is_empty() && !known) {
            (true, true) => self.notices.push(format!("{vip}: not on this host, nothing to undo")),
            (true, false) => self.gone.push(vip),
            (false, _) => {}
        }
        for Held { device, .. } in loud {
            self.notices
                .push(format!("{vip}: left on {device}, where rs-prep never puts a VIP (a director's?)"));
        }
        let remove = |held: &Held| Step::RemoveAddress { prefix: held.prefix, device: held.device.clone() };
        self.steps.extend(quiet.into_iter().map(remove));
    }

    /// Switches off the tunnels that no VIP needs any more: an open one takes packets from anybody.
    fn switch_off(&mut self) {
        let saved = &mut self.saved;
        let needed = |device: &String| saved.vips.iter().any(|vip| vip.device() == device);
        let (stay, go) = saved.links.drain(..).partition(needed);
        saved.links = stay;
        self.steps.extend(Vec::into_iter(go).map(|device| Step::LinkDown { device }));
    }

    fn restore(&mut self, host: &HostState, gone: &[Vip], now: impl Fn(&Key) -> Option<i32>) {
        let stays = |prefix: &Prefix| {
            prefix.addr.is_ipv4()
                && !self.saved.foreign.contains(prefix)
                && !gone.iter().any(|vip| vip.addr == prefix.addr)
        };
        let other = host.vips_on("lo").find(|held| stays(&held.prefix));
        if let Some(held) = other.filter(|_| !self.saved.settings.is_empty()) {
            self.notices.push(format!(
                "settings kept: {} is on lo too, and without them this host would answer ARP for it",
                held.prefix
            ));
            return;
        }
        for mut kept in std::mem::take(&mut self.saved.settings).into_iter().rev() {
            let renamed = host.nics.iter().find(|nic| nic.index == kept.link).filter(|_| kept.link != 0);
            kept.key = renamed.map_or(kept.key.clone(), |nic| kept.key.of(&nic.name));
            let value = now(&kept.key);
            self.give_back(kept, value);
        }
    }

    fn give_back(&mut self, kept: Kept, now: Option<i32>) {
        let Kept { key, before, given, .. } = kept;
        match now {
            Some(now) if now == before => {}
            Some(now) if now == given => self.steps.push(Step::Set { key, from: now, to: before }),
            Some(now) => {
                self.notices.push(format!("{key} left at {now}: somebody changed it after rs-prep up"));
            }
            // The interface is gone, and its settings with it.
            None => {}
        }
    }
}

#[cfg(test)]
mod tests;
