//! The promises of `diff`, over random tables.

use std::net::Ipv4Addr;

use proptest::collection::btree_map;
use proptest::prelude::*;

use super::*;

fn key() -> impl Strategy<Value = ServiceKey> {
    prop_oneof![
        (1u8..4, 1u16..4).prop_map(|(a, p)| ServiceKey::tcp(Ipv4Addr::new(10, 0, 0, a), p)),
        (1u32..3).prop_map(|mark| ServiceKey::Mark { mark, family: Family::Inet }),
    ]
}

fn server() -> impl Strategy<Value = Server> {
    (0u32..3, 0u32..3).prop_map(|(weight, upper)| Server {
        upper,
        ..Server::new(if weight == 2 { Forward::Masq } else { Forward::Route }, weight)
    })
}

fn entry() -> impl Strategy<Value = ServiceEntry> {
    let service = (prop_oneof!["rr", "sh"], proptest::option::of(1u32..3))
        .prop_map(|(s, persistence)| Service { persistence, ..Service::new(&s, Family::Inet) });
    let endpoint = (1u8..6).prop_map(|a| Endpoint::new(Ipv4Addr::new(10, 1, 0, a), 80));
    (service, btree_map(endpoint, server(), 0..5))
        .prop_map(|(service, servers)| ServiceEntry { service, servers })
}

fn table() -> impl Strategy<Value = Table> {
    btree_map(key(), entry(), 0..5).prop_map(|services| Table { services })
}

proptest! {
    #[test]
    fn applied_it_gives_the_wish(now in table(), want in table()) {
        let mut got = now.clone();
        for op in diff(&now, &want, &Scope::Everything) {
            prop_assert!(step(&mut got, &op), "the kernel would refuse {op:?}");
        }
        prop_assert_eq!(got, want);
    }

    #[test]
    fn equal_tables_give_nothing(t in table()) {
        prop_assert_eq!(diff(&t, &t, &Scope::Everything), vec![]);
    }

    #[test]
    fn what_is_on_both_sides_is_never_missing(now in table(), want in table()) {
        let both: Vec<_> = now.services.iter()
            .flat_map(|(k, e)| e.servers.keys().map(move |s| (*k, *s)))
            .filter(|(k, s)| want.services.get(k).is_some_and(|e| e.servers.contains_key(s)))
            .collect();
        let mut got = now.clone();
        for op in diff(&now, &want, &Scope::Everything) {
            step(&mut got, &op);
            for (k, s) in &both {
                prop_assert!(got.services[k].servers.contains_key(s), "{op:?} removed {s} of {k:?}");
            }
        }
    }

    #[test]
    fn additions_come_before_removals(now in table(), want in table()) {
        let ops = diff(&now, &want, &Scope::Everything);
        let removal = |op: &Op| match op {
            Op::DelServer(..) | Op::DelService(_) => true,
            Op::EditServer(k, e, new) => new.weight == 0 && now.services[k].servers[e].weight > 0,
            _ => false,
        };
        let first = ops.iter().position(removal).unwrap_or(ops.len());
        prop_assert!(ops[first..].iter().all(removal));
    }

    #[test]
    fn services_out_of_scope_stay(now in table(), want in table()) {
        let mut got = now.clone();
        for op in diff(&now, &want, &Scope::wanted()) {
            step(&mut got, &op);
        }
        for (key, entry) in &now.services {
            prop_assert_eq!(got.services.get(key), Some(want.services.get(key).unwrap_or(entry)));
        }
    }
}

#[test]
fn a_mask_without_persistence_is_no_difference() {
    let key = ServiceKey::tcp(Ipv4Addr::new(10, 0, 0, 1), 80);
    let of = |service| Table { services: [(key, ServiceEntry::new(service))].into() };
    let plain = Service::new("rr", Family::Inet);
    let masked = Service { netmask: 0xffff_ff00, ..plain.clone() };
    assert_eq!(diff(&of(plain), &of(masked), &Scope::Everything), vec![]);
}

#[test]
fn a_server_on_the_director_itself_is_no_difference() {
    let key = ServiceKey::tcp(Ipv4Addr::new(10, 0, 0, 1), 80);
    let of = |forward, weight| {
        let mut entry = ServiceEntry::new(Service::new("rr", Family::Inet));
        entry.servers.insert(Endpoint::new(Ipv4Addr::new(10, 0, 0, 2), 80), Server::new(forward, weight));
        Table { services: [(key, entry)].into() }
    };
    let local = of(Forward::Local, 1);
    assert_eq!(diff(&local, &of(Forward::Route, 1), &Scope::Everything), vec![]);
    assert_eq!(diff(&local, &of(Forward::Route, 2), &Scope::Everything).len(), 1);
}
