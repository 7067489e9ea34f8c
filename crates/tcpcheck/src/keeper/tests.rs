//! Keeping a table in memory.

use std::net::Ipv4Addr;

use lvs_core::addr::{Endpoint, Family};
use lvs_core::ipvs::fake::Fake;
use lvs_core::table::{Forward, Server, Service, ServiceEntry};

use super::*;

fn key(port: u16) -> ServiceKey {
    ServiceKey::tcp(Ipv4Addr::new(10, 0, 0, 100), port)
}

fn table(services: &[(u16, &[u8])]) -> Table {
    let entry = |servers: &[u8]| {
        let end = |n: &u8| Endpoint::new(Ipv4Addr::new(10, 0, 0, *n), 80);
        let servers = servers.iter().map(|n| (end(n), Server::new(Forward::Route, 1))).collect();
        ServiceEntry { service: Service::new("rr", Family::Inet), servers }
    };
    Table { services: services.iter().map(|(port, s)| (key(*port), entry(s))).collect() }
}

fn keeper(found: &Table) -> Keeper<Fake> {
    Keeper::new(Fake::new(found.clone()), found.clone())
}

#[test]
fn only_what_changed_is_sent_and_strangers_stay() {
    let mut k = keeper(&table(&[(80, &[1, 2]), (81, &[3]), (82, &[4])]));
    let (done, refused) = k.keep(&table(&[(80, &[2])]), &BTreeSet::from([key(81)]));
    assert_eq!((done.len(), refused.len()), (2, 0));
    assert_eq!(k.ipvs.table, table(&[(80, &[2]), (82, &[4])]));
    assert_eq!(k.keep(&table(&[(80, &[2])]), &BTreeSet::new()), Default::default());
}

#[test]
fn an_empty_table_is_that_of_others_too() {
    let mut k = keeper(&table(&[(80, &[1, 2])]));
    k.ipvs.table = table(&[(80, &[1, 2]), (81, &[3])]);
    let (done, refused) = k.empty().unwrap();
    assert_eq!((done, refused.len()), (vec![Op::DelService(key(80)), Op::DelService(key(81))], 0));
    assert_eq!(k.ipvs.table, Table::default());
}

#[test]
fn what_others_did_is_found_at_the_next_look_and_mended_there_only() {
    let want = table(&[(80, &[1, 2])]);
    let mut k = keeper(&want);
    k.ipvs.table = table(&[(80, &[2, 9]), (99, &[7])]);
    assert_eq!(k.keep(&want, &BTreeSet::new()).0, [], "it cannot know yet");
    let (done, _) = k.look(&want, &BTreeSet::new()).unwrap();
    assert_eq!(done.len(), 2);
    assert_eq!(k.ipvs.table, table(&[(80, &[1, 2]), (99, &[7])]));
}

#[test]
fn a_refusal_is_told_and_the_next_look_sets_it_right() {
    let mut k = keeper(&table(&[(80, &[1])]));
    // Somebody removed the whole service: adding to it is refused.
    k.ipvs.table = Table::default();
    let want = table(&[(80, &[1, 2])]);
    let (done, refused) = k.keep(&want, &BTreeSet::new());
    assert_eq!((done.len(), refused.len()), (0, 1));
    k.look(&want, &BTreeSet::new()).unwrap();
    assert_eq!(k.ipvs.table, want);
}
