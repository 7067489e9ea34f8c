//! `vrrp_sync_group`: several virtual routers that move together.
//!
//! Each member holds its own election; nobody becomes master before all have won theirs. When one is outdone the others
//! step down, saying so (priority 0) to their own peers; when one has a fault all have one, and when one is released all are. The
//! decisions are functions over how the members stand; the routers carry them out.

use serde::Serialize;

use crate::words::State;

/// How a member stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Member {
    /// Its state.
    pub state: State,
    /// It has won its election, or is master.
    pub ripe: bool,
    /// It has a fault of its own, not merely the group's.
    pub faulty: bool,
}

/// What a member is to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Order {
    /// Another member has a fault (true), or none has any more.
    Fault(bool),
    /// Become master.
    Master,
    /// Step down.
    Backup,
    /// Hand over and take no part.
    Release,
    /// Take part again.
    Resume,
}

/// What follows for the members when `moved` went from one state to another: (member, order), to be carried out in
/// this order. Members on which nothing follows are not named.
pub fn after_move(members: &[Member], moved: usize, from: State, to: State) -> Vec<(usize, Order)> {
    let others = (0..members.len()).filter(|i| *i != moved);
    let given = |order| others.clone().map(move |i| (i, order));
    match (from, to) {
        (State::Master, State::Backup) => {
            given(Order::Backup).filter(|(i, _)| members[*i].state == State::Master).collect()
        }
        (State::Backup | State::Master, State::Released) | (State::Master, State::Leaving) => {
            given(Order::Release)
                .filter(|(i, _)| {
                    !matches!(members[*i].state, State::Released | State::Leaving | State::Stopped)
                })
                .collect()
        }
        (State::Released, _) => {
            given(Order::Resume).filter(|(i, _)| members[*i].state == State::Released).collect()
        }
        _ => Vec::new(),
    }
}

/// For each member whether another one has a fault; to be told again whenever a fault comes or goes.
pub fn faults(members: &[Member]) -> Vec<Order> {
    let count = members.iter().filter(|m| m.faulty).count();
    members.iter().map(|m| Order::Fault(count > usize::from(m.faulty))).collect()
}

/// The members that become master now: those that are not yet, once all have won their election.
pub fn masters(members: &[Member]) -> Vec<usize> {
    let all = members.iter().all(|m| m.ripe && matches!(m.state, State::Backup | State::Master));
    let backup = members.iter().enumerate().filter(|(_, m)| m.state == State::Backup);
    if all { backup.map(|(i, _)| i).collect() } else { Vec::new() }
}

/// The group's state: that of all its members, none while they differ.
pub fn state(members: &[Member]) -> Option<State> {
    let first = members.first()?.state;
    members.iter().all(|m| m.state == first).then_some(first)
}

#[cfg(test)]
mod tests;
