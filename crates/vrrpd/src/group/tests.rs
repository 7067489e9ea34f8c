use proptest::prelude::*;

use super::*;

fn member(state: State, ripe: bool, faulty: bool) -> Member {
    Member { state, ripe: ripe || state == State::Master, faulty }
}

fn backup(ripe: bool) -> Member {
    member(State::Backup, ripe, false)
}

fn master() -> Member {
    member(State::Master, true, false)
}

#[test]
fn nobody_is_master_before_all_have_won() {
    assert_eq!(masters(&[backup(true), backup(false)]), [0usize; 0]);
    assert_eq!(masters(&[backup(true), backup(true)]), [0, 1]);
    assert_eq!(masters(&[master(), backup(true)]), [1]);
    assert_eq!(masters(&[backup(true), member(State::Fault, false, true)]), [0usize; 0]);
    assert_eq!(masters(&[backup(true), member(State::Init, false, false)]), [0usize; 0]);
}

#[test]
fn one_outdone_all_step_down() {
    let members = [backup(false), master(), master()];
    let orders = after_move(&members, 0, State::Master, State::Backup);
    assert_eq!(orders, [(1, Order::Backup), (2, Order::Backup)]);
    let members = [backup(false), backup(false)];
    assert_eq!(after_move(&members, 0, State::Master, State::Backup), []);
}

#[test]
fn a_new_member_does_not_depose_the_others() {
    let members = [backup(false), master()];
    assert_eq!(after_move(&members, 0, State::Init, State::Backup), []);
    assert_eq!(masters(&members), [0usize; 0]);
}

#[test]
fn a_fault_is_everyone_s_except_its_owner_s() {
    let sound = backup(false);
    let faulty = member(State::Fault, false, true);
    assert_eq!(faults(&[sound, sound]), [Order::Fault(false); 2]);
    assert_eq!(faults(&[faulty, sound]), [Order::Fault(false), Order::Fault(true)]);
    assert_eq!(faults(&[faulty, faulty]), [Order::Fault(true); 2]);
}

#[test]
fn a_group_is_released_and_resumed_as_a_whole() {
    let members = [member(State::Leaving, false, false), master(), backup(false)];
    let orders = after_move(&members, 0, State::Master, State::Leaving);
    assert_eq!(orders, [(1, Order::Release), (2, Order::Release)]);
    let members = [backup(false), member(State::Released, false, false)];
    assert_eq!(after_move(&members, 0, State::Released, State::Backup), [(1, Order::Resume)]);
}

#[test]
fn its_state_is_that_of_all() {
    assert_eq!(state(&[master(), master()]), Some(State::Master));
    assert_eq!(state(&[master(), backup(true)]), None);
    assert_eq!(state(&[]), None);
}

/// A group of routers that are nothing but what they are told.
struct Plain(Vec<Member>, Vec<bool>);

impl Crew for Plain {
    fn standing(&self) -> Vec<Member> {
        self.0.clone()
    }

    fn obey(&mut self, member: usize, order: Order) {
        match order {
            Order::Fault(fault) => self.1[member] = fault,
            Order::Master => self.0[member].state = State::Master,
            _ => (),
        }
    }
}

/// Two links that fail at the same moment, and come back one after the other: the second one stirs within FAULT.
#[test]
fn a_group_whose_links_failed_together_recovers() {
    let fault = member(State::Fault, false, true);
    let mut group = Plain(vec![fault, fault], vec![false; 2]);
    follow(&mut group, Some(0), State::Backup, State::Fault);
    assert_eq!(group.1, [true, true]);
    group.0[0].faulty = false;
    follow(&mut group, Some(0), State::Fault, State::Fault);
    assert_eq!(group.1, [true, false]);
    group.0[1].faulty = false;
    follow(&mut group, Some(1), State::Fault, State::Fault);
    assert_eq!(group.1, [false, false]);
}

#[test]
fn to_stir_in_a_state_is_no_move() {
    let members = [member(State::Released, false, false), member(State::Released, false, false)];
    assert_eq!(after_move(&members, 0, State::Released, State::Released), []);
    let resumed =
        [backup(false), member(State::Leaving, false, false), member(State::Released, false, false)];
    let orders = after_move(&resumed, 0, State::Released, State::Backup);
    assert_eq!(orders, [(1, Order::Resume), (2, Order::Resume)]);
}

fn any_member() -> impl Strategy<Value = Member> {
    let states = [State::Init, State::Backup, State::Master, State::Fault, State::Leaving, State::Released];
    (proptest::sample::select(states.to_vec()), any::<bool>(), any::<bool>())
        .prop_map(|(s, r, f)| member(s, r, f))
}

proptest! {
    #[test]
    fn promoting_whom_it_names_makes_all_masters(members in proptest::collection::vec(any_member(), 1..6)) {
        let chosen = masters(&members);
        let mut after = members.clone();
        for i in &chosen {
            after[*i].state = State::Master;
        }
        if !chosen.is_empty() {
            prop_assert_eq!(state(&after), Some(State::Master));
        }
        prop_assert!(masters(&after).is_empty(), "once is enough");
    }

    #[test]
    fn no_fault_lasts_by_itself(members in proptest::collection::vec(any_member(), 1..6)) {
        let told = faults(&members);
        for (m, order) in members.iter().zip(&told) {
            let others = members.iter().filter(|o| o.faulty).count() - usize::from(m.faulty);
            prop_assert_eq!(*order, Order::Fault(others > 0));
        }
    }
}
