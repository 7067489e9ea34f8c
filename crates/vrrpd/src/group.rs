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

/// The members of one group, wherever they live.
pub trait Crew {
    /// How they stand now.
    fn standing(&self) -> Vec<Member>;
    /// Lets one of them carry out an order; an order that changes nothing is none.
    fn obey(&mut self, member: usize, order: Order);
}

/// Lets a group follow after `moved` went from one state to another, or stirred within its state: its election is won, or
/// its faults are others. To be called for each such thing, those that follow from this call included.
pub fn follow(crew: &mut impl Crew, moved: Option<usize>, from: State, to: State) {
    if let Some(moved) = moved {
        for (member, order) in after_move(&crew.standing(), moved, from, to) {
            crew.obey(member, order);
        }
    }
    for (member, order) in faults(&crew.standing()).into_iter().enumerate() {
        crew.obey(member, order);
    }
    for member in masters(&crew.standing()) {
        crew.obey(member, Order::Master);
    }
}

/// What follows for the members when `moved` went from one state to another: (member, order), to be carried out in
/// this order. Members on which nothing follows are not named.
pub fn after_move(members: &[Member], moved: usize, from: State, to: State) -> Vec<(usize, Order)> {
    let others = (0..members.len()).filter(|i| *i != moved);
    let given = |order| others.clone().map(move |i| (i, order));
    match (from, to) {
        _ if from == to => Vec::new(),
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
            let away = |s| matches!(s, State::Released | State::Leaving);
            given(Order::Resume).filter(|(i, _)| away(members[*i].state)).collect()
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
