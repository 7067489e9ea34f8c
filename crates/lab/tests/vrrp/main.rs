//! vrrpd beside keepalived: the same file for both, both programs in both roles, the same end states.

mod cases;
mod coverage;
mod duel;
mod dump;
mod effects;
mod estate;
mod faults;
mod left;
mod links;
mod lost;
mod operated;
mod peers;
mod reload;
mod scripts;
mod shark;
mod told;
mod unicast;
mod vmac;
mod voice;
mod waits;
mod wire;

use duel::{Case, Program};

/// So many duels at once: they mostly wait.
const AT_ONCE: usize = 6;

/// Runs every case twice, vrrpd above keepalived and the other way round.
fn both_roles(cases: &[Case]) {
    let roles = [(Program::Vrrpd, Program::Keepalived), (Program::Keepalived, Program::Vrrpd)];
    let all: Vec<_> = cases.iter().flat_map(|c| roles.map(|(high, low)| (c, high, low))).collect();
    for some in all.chunks(AT_ONCE) {
        std::thread::scope(|scope| {
            for (case, high, low) in some {
                scope.spawn(|| case.run(*high, *low));
            }
        });
    }
}

#[test]
fn version_2() {
    both_roles(&cases::version_2());
}

#[test]
fn protocol() {
    both_roles(&cases::protocol());
}

#[test]
fn rules_and_daemon() {
    both_roles(&cases::rules_and_daemon());
}

#[test]
fn addresses_and_tracking() {
    both_roles(&cases::addresses_and_tracking());
}
