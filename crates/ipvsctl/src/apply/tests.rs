use lvs_core::addr::{Endpoint, Family};
use lvs_core::ipvs::fake::Fake;
use lvs_core::table::{Forward, Server, Service, ServiceEntry, ServiceKey};

use super::*;

/// A table of TCP services on 10.0.0.1, each with servers of these last numbers.
fn table(services: &[(u16, &[u8])]) -> Table {
    let mut table = Table::default();
    for (port, servers) in services {
        let mut entry = ServiceEntry::new(Service::new("rr", Family::Inet));
        for n in *servers {
            entry.servers.insert(Endpoint::new([10, 0, 1, *n], *port), Server::new(Forward::Route, 1));
        }
        table.services.insert(ServiceKey::tcp([10, 0, 0, 1], *port), entry);
    }
    table
}

#[test]
fn twice_is_nothing_to_do_and_strangers_stay() {
    let mut kernel = Fake::new(table(&[(80, &[1, 2]), (22, &[7])]));
    let want = table(&[(80, &[2, 3])]);
    let text = carry_out(&mut kernel, &want, &Scope::wanted(), false).unwrap();
    assert_eq!(text, "-a -t 10.0.0.1:80 -r 10.0.1.3:80 -g -w 1\n-d -t 10.0.0.1:80 -r 10.0.1.1:80\n");
    assert_eq!(kernel.table, table(&[(80, &[2, 3]), (22, &[7])]));
    assert_eq!(carry_out(&mut kernel, &want, &Scope::wanted(), false).unwrap(), "nothing to do\n");
    carry_out(&mut kernel, &want, &Scope::Everything, false).unwrap();
    assert_eq!(kernel.table, want);
}

/// A kernel that knows no scheduler but rr, and forgets on demand.
struct Stubborn {
    fake: Fake,
    forgets: bool,
}

impl Ipvs for Stubborn {
    fn read(&mut self) -> Result<Table, IpvsError> {
        if self.forgets { Ok(Table::default()) } else { self.fake.read() }
    }

    fn apply(&mut self, ops: &[Op]) -> Vec<Result<(), IpvsError>> {
        ops.iter()
            .map(|op| match op {
                Op::AddService(_, s) | Op::EditService(_, s) if s.scheduler != "rr" => {
                    Err(IpvsError::of(op, 2))
                }
                op => self.fake.apply(std::slice::from_ref(op)).remove(0),
            })
            .collect()
    }
}

fn bogus() -> Table {
    let mut want = table(&[(80, &[9]), (81, &[1]), (82, &[])]);
    want.services.get_mut(&ServiceKey::tcp([10, 0, 0, 1], 82)).unwrap().service.scheduler = "bogus".into();
    want
}

#[test]
fn a_failure_says_what_was_done_and_what_was_not() {
    let mut kernel = Stubborn { fake: Fake::new(table(&[(80, &[1])])), forgets: false };
    let failure = carry_out(&mut kernel, &bogus(), &Scope::wanted(), false).unwrap_err();
    let text = failure.to_string();
    assert_eq!(failure.status(), 1);
    assert!(text.contains("1 of 5 operations failed"), "{text}");
    assert!(text.contains("done    -a -t 10.0.0.1:80 -r 10.0.1.9:80"), "{text}");
    assert!(text.contains("FAILED  -A -t 10.0.0.1:82 -s bogus: scheduler 'bogus' is unknown"), "{text}");
    assert_eq!(kernel.fake.table, table(&[(80, &[9]), (81, &[1])]));
}

#[test]
fn rollback_puts_the_table_back() {
    let before = table(&[(80, &[1]), (22, &[])]);
    let mut kernel = Stubborn { fake: Fake::new(before.clone()), forgets: false };
    let text = carry_out(&mut kernel, &bogus(), &Scope::wanted(), true).unwrap_err().to_string();
    assert!(text.ends_with("rolled back: the table is as it was"), "{text}");
    assert_eq!(kernel.fake.table, before);
}

#[test]
fn what_does_not_hold_is_told() {
    let mut kernel = Stubborn { fake: Fake::default(), forgets: true };
    let text = carry_out(&mut kernel, &table(&[(80, &[])]), &Scope::wanted(), false).unwrap_err().to_string();
    assert!(text.ends_with("still missing:\n-A -t 10.0.0.1:80 -s rr"), "{text}");
}
