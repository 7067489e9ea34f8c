use lvs_core::addr::{Endpoint, Family};
use lvs_core::ipvs::IpvsError;
use lvs_core::ipvs::fake::Fake;
use lvs_core::table::{Forward, Server, Service, ServiceEntry, ServiceKey, Table};

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

/// Carries out without a signal; what was done, as text.
fn carried(kernel: &mut impl Ipvs, want: &Table, scope: &Scope, rollback: bool) -> Result<String, Failure> {
    carry_out(kernel, want, scope, rollback, &mut || None).map(|ops| lines(&ops))
}

#[test]
fn twice_is_nothing_to_do_and_strangers_stay() {
    let mut kernel = Fake::new(table(&[(80, &[1, 2]), (22, &[7])]));
    let want = table(&[(80, &[2, 3])]);
    let text = carried(&mut kernel, &want, &Scope::wanted(), false).unwrap();
    assert_eq!(text, "-a -t 10.0.0.1:80 -r 10.0.1.3:80 -g -w 1\n-d -t 10.0.0.1:80 -r 10.0.1.1:80\n");
    assert_eq!(kernel.table, table(&[(80, &[2, 3]), (22, &[7])]));
    assert_eq!(carried(&mut kernel, &want, &Scope::wanted(), false).unwrap(), "");
    carried(&mut kernel, &want, &Scope::Everything, false).unwrap();
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
    let failure = carried(&mut kernel, &bogus(), &Scope::wanted(), false).unwrap_err();
    let text = failure.to_string();
    assert_eq!(failure.status(), 1);
    assert!(text.contains("1 of 5 operations failed"), "{text}");
    assert!(text.contains("done      -a -t 10.0.0.1:80 -r 10.0.1.9:80"), "{text}");
    assert!(text.contains("FAILED    -A -t 10.0.0.1:82 -s bogus: scheduler 'bogus' is unknown"), "{text}");
    assert!(text.contains("--rollback"), "{text}");
    assert_eq!(kernel.fake.table, table(&[(80, &[9]), (81, &[1])]));
}

/// More than two batches.
fn big() -> Table {
    let ports: Vec<(u16, &[u8])> = (1..=600).map(|port| (port, &[][..])).collect();
    table(&ports)
}

#[test]
fn a_signal_waits_for_the_batch_and_what_was_done_is_told() {
    let mut kernel = Fake::new(table(&[(22, &[])]));
    let mut batches = 0;
    let mut stop = || {
        batches += 1;
        (batches == 3).then(|| "ended by SIGINT".to_owned())
    };
    let failure = carry_out(&mut kernel, &big(), &Scope::wanted(), false, &mut stop).unwrap_err();
    let text = failure.to_string();
    assert_eq!(failure.status(), 1);
    assert!(text.starts_with("ended by SIGINT: 512 of 599 operations were done"), "{text}");
    assert_eq!((text.matches("\n  done ").count(), text.matches("\n  not done ").count()), (512, 87));
    assert!(text.contains("--rollback"), "{text}");
    assert_eq!(kernel.table.services.len(), 513);
}

#[test]
fn a_signal_rolls_back_where_that_is_asked_for() {
    let before = table(&[(22, &[7]), (5, &[1])]);
    let mut kernel = Fake::new(before.clone());
    let mut asked = 0;
    let mut stop = || {
        asked += 1;
        (asked > 2).then(|| "ended by SIGTERM".to_owned())
    };
    let text = carry_out(&mut kernel, &big(), &Scope::wanted(), true, &mut stop).unwrap_err().to_string();
    assert!(text.ends_with("rolled back: the table is as it was"), "{text}");
    assert_eq!(kernel.table, before);
}

#[test]
fn rollback_puts_the_table_back() {
    let before = table(&[(80, &[1]), (22, &[])]);
    let mut kernel = Stubborn { fake: Fake::new(before.clone()), forgets: false };
    let text = carried(&mut kernel, &bogus(), &Scope::wanted(), true).unwrap_err().to_string();
    assert!(text.ends_with("rolled back: the table is as it was"), "{text}");
    assert_eq!(kernel.fake.table, before);
}

#[test]
fn what_does_not_hold_is_told() {
    let mut kernel = Stubborn { fake: Fake::default(), forgets: true };
    let text = carried(&mut kernel, &table(&[(80, &[])]), &Scope::wanted(), false).unwrap_err().to_string();
    assert!(text.ends_with("still missing:\n-A -t 10.0.0.1:80 -s rr"), "{text}");
}
