//! Checks that rest for a while (`ha_suspend`).

use std::collections::BTreeSet;

use lvs_core::time::Time;

use super::Monitor;
use super::load::Order;

impl Monitor {
    /// Has the checks of these virtual servers rest and those of others work.
    pub fn rest(&mut self, resting: BTreeSet<u32>, now: Time) -> Vec<Order> {
        let before = std::mem::replace(&mut self.resting, resting);
        let mut orders = Vec::new();
        for (number, watched) in (0..).zip(&mut self.checks) {
            let Some(watched) = watched else { continue };
            let rests = |r: &BTreeSet<u32>| watched.users.iter().all(|u| r.contains(&u.vs));
            match (rests(&before), rests(&self.resting)) {
                (false, true) => orders.push(Order::End(number)),
                (true, false) => {
                    watched.checker.postpone(now);
                    orders.push(Order::Begin(number, now));
                }
                _ => {}
            }
        }
        orders
    }
}
