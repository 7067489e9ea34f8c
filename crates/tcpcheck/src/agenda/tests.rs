//! The agenda against the plainest model: a map of moments.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

#[derive(Clone, Debug)]
enum Step {
    Set(u32, u64),
    Remove(u32),
    Pop(u64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => (0u32..40, 0u64..100).prop_map(|(c, t)| Step::Set(c, t)),
        1 => (0u32..50).prop_map(Step::Remove),
        2 => (0u64..100).prop_map(Step::Pop),
    ]
}

proptest! {
    #[test]
    fn it_gives_the_earliest_moment_of_each_check_once(steps in proptest::collection::vec(step(), 0..300)) {
        let (mut agenda, mut model) = (Agenda::default(), BTreeMap::new());
        for step in steps {
            match step {
                Step::Set(check, at) => {
                    agenda.set(check, Time::from_nanos(at));
                    model.insert(check, at);
                }
                Step::Remove(check) => {
                    agenda.remove(check);
                    model.remove(&check);
                }
                Step::Pop(now) => {
                    let earliest = model.values().min().copied().filter(|t| *t <= now);
                    let got = agenda.pop_due(Time::from_nanos(now));
                    prop_assert_eq!(got.map(|c| model.remove(&c)), earliest.map(Some));
                }
            }
            prop_assert_eq!(agenda.next(), model.values().min().map(|t| Time::from_nanos(*t)));
            prop_assert_eq!(agenda.heap.len(), model.len(), "each once");
        }
    }
}
